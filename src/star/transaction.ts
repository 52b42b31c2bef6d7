// One transaction: from its settings to what every node sees of it, and from its answer to its end.

import { randomUUID } from "node:crypto";
import type { OutputStreamName, TransactionOutcome, WholeTransaction } from "../capabilities/capability.ts";
import { realClock, type Clock } from "../base/clock.ts";
import type { NodeEvent, Transaction } from "../flow/flow.ts";
import type { Operation } from "./app.ts";
import { TransactionUsage } from "./call-guest.ts";
import type { Recording } from "./record/recording.ts";
import type { Replay } from "./record/replay.ts";

export interface TransactionSettings {
  readonly seed: number;
  /** Milliseconds since 1970: what every clock of the guests starts at. */
  readonly timestampMs: number;
  /** From now, on the transaction's clock; at most the limit of the app. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly observe?: ((event: NodeEvent) => void) | undefined;
  /** Takes what guests print and log. */
  readonly output?: ((stream: OutputStreamName, bytes: Uint8Array) => void) | undefined;
  /** Real time that one call of a guest may take, whatever clock the transaction has. */
  readonly callLimitMs?: number | undefined;
  /** Told what was used, when the transaction has ended. */
  readonly onUsage?: ((usage: TransactionUsage) => void) | undefined;
  /** Writes down what comes from outside, of an app that was loaded for it. */
  readonly recording?: Recording | undefined;
  /** What comes from outside instead, of an app that was loaded for it; brings the clock with it. */
  readonly replay?: Replay | undefined;
}

/** What the host does for every call of one transaction, and keeps of it. */
export interface Host {
  /** How often each node was called, by its path: a node that is tried again draws other random numbers than before. */
  readonly calls: Map<string, number>;
  readonly usage: TransactionUsage;
  /** Units that all calls together may use. */
  readonly fuel: number | undefined;
  readonly output: TransactionSettings["output"];
  readonly outputLimitBytes: number | undefined;
  readonly callLimitMs: number | undefined;
  readonly whole: WholeTransaction;
  /** The timeout of the nearest node that has one. */
  readonly nodeTimeoutMs?: number | undefined;
  /** The transaction's clock is the machine's. */
  readonly isReal: boolean;
  readonly recording: Recording | undefined;
  readonly replay: Replay | undefined;
}

const never = new AbortController().signal;

/**
 * Runs an operation as one transaction, by JS values in the order of its signature's params. The answer is the result, or a promise of it.
 * @throws StarlaneError (or rejects with it); an operation's own error is an object with a `payload`
 */
export function runTransaction(operation: Operation, args: readonly unknown[], settings: TransactionSettings): unknown {
  const { limits } = operation;
  const { recording, replay } = settings;
  const given = replay?.clock ?? settings.clock ?? realClock;
  const clock = recording?.clock(given) ?? given;
  const timeoutMs = least(settings.timeoutMs, limits.timeMs);
  const transaction: Transaction = {
    id: randomUUID(),
    seed: settings.seed,
    timestampMs: settings.timestampMs,
    deadlineMs: timeoutMs === undefined ? undefined : clock.now() + timeoutMs,
    signal: replay?.signal ?? settings.signal ?? never,
    clock,
    observe: settings.observe,
  };
  const whole = new Whole();
  const host: Host = {
    calls: new Map(),
    usage: new TransactionUsage(),
    fuel: limits.fuel,
    output: settings.output,
    outputLimitBytes: limits.outputBytes,
    callLimitMs: settings.callLimitMs,
    whole,
    isReal: given === realClock,
    recording,
    replay,
  };
  replay?.conclude(whole);
  const ended = (problem?: unknown): void => {
    if (problem !== undefined) recording?.inconclusive(problem);
    settings.onUsage?.(host.usage);
  };
  let answer: unknown;
  try {
    answer = operation.call(args, transaction, host, undefined);
  } catch (error) {
    return endWith(whole, ended, { error });
  }
  if (!(answer instanceof Promise)) return endWith(whole, ended, { value: answer });
  return answer.then(
    (value: unknown) => endWith(whole, ended, { value }),
    (error: unknown) => endWith(whole, ended, { error }),
  );
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

function endWith(whole: Whole, ended: (problem?: unknown) => void, outcome: Outcome): unknown {
  const answer = (): unknown => {
    ended();
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  };
  if (whole.ends.length === 0) return answer();
  return whole.end("error" in outcome ? "failed" : "done").then(answer, (error: unknown) => {
    ended("error" in outcome ? undefined : error);
    throw "error" in outcome ? outcome.error : error;
  });
}

/** What the capabilities keep and do for a transaction as a whole. */
class Whole implements WholeTransaction {
  readonly kept = new Map<object, unknown>();
  readonly ends: ((outcome: TransactionOutcome) => void | Promise<void>)[] = [];

  onEnd(run: (outcome: TransactionOutcome) => void | Promise<void>): void {
    this.ends.push(run);
  }

  /** The last one first: what was begun later may need what was there before. All run; the first failure is the transaction's. */
  async end(outcome: TransactionOutcome): Promise<void> {
    const failures: unknown[] = [];
    for (const run of this.ends.toReversed()) {
      try {
        await run(failures.length > 0 ? "failed" : outcome);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.min(a, b);
}
