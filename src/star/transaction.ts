// One transaction: from its settings to what every node sees of it, and from its answer to its end.

import { randomUUID } from "node:crypto";
import type { OutputStreamName, TransactionOutcome, WholeTransaction } from "../capabilities/capability.ts";
import { realClock, type Clock } from "../base/clock.ts";
import type { NodeEvent, Transaction } from "../flow/flow.ts";
import type { Operation } from "./app.ts";
import { TransactionUsage } from "./call-guest.ts";
import type { Recording } from "./record/recording.ts";
import type { Replay } from "./record/replay.ts";
import { heldOpen, streamsOf } from "./result-streams.ts";
import type { Origin, Span } from "./telemetry/telemetry.ts";
import type { OperationTelemetry, TransactionTelemetry } from "./telemetry/transaction-telemetry.ts";

export interface TransactionSettings {
  readonly seed: number;
  /** Milliseconds since 1970: what every clock of the guests starts at. */
  readonly timestampMs: number;
  /** From now, on the transaction's clock; at most the limit of the app. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
  /** In place of a signal. */
  readonly ending?: Ending | undefined;
  readonly observe?: ((event: NodeEvent) => void) | undefined;
  /** Takes what guests print and log. */
  readonly output?: ((stream: OutputStreamName, bytes: Uint8Array) => void) | undefined;
  /** Real time that one call of a guest may take, whatever clock the transaction has. */
  readonly callLimitMs?: number | undefined;
  /** Told what was used, when the transaction has ended. */
  readonly onUsage?: ((usage: TransactionUsage) => void) | undefined;
  /** What its calls find in `WholeTransaction.kept`. */
  readonly kept?: ReadonlyMap<object, unknown> | undefined;
  /** Writes its log, counts it, traces it. What guests print goes there where there is no `output`. */
  readonly telemetry?: OperationTelemetry | undefined;
  /** What began it: the trace that it is part of. */
  readonly origin?: Origin | undefined;
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
  readonly telemetry?: TransactionTelemetry | undefined;
  /** What its calls are part of; undefined: nothing is recorded of it. */
  readonly span?: Span | undefined;
  readonly recording: Recording | undefined;
  readonly replay: Replay | undefined;
}

/** What may end early, and makes a signal of that where somebody asks for one. */
export interface Ending {
  readonly hasEnded: boolean;
  readonly signal: AbortSignal;
}

function endingBy(signal: AbortSignal): Ending {
  return {
    get hasEnded() {
      return signal.aborted;
    },
    signal,
  };
}

const never: Ending = { hasEnded: false, signal: new AbortController().signal };

class RootTransaction implements Transaction {
  #id: string | undefined;
  readonly seed: number;
  readonly timestampMs: number;
  readonly deadlineMs: number | undefined;
  readonly clock: Clock;
  readonly observe: Transaction["observe"];
  readonly #ending: Ending;

  constructor(settings: TransactionSettings, clock: Clock, deadlineMs: number | undefined, ending: Ending) {
    this.seed = settings.seed;
    this.timestampMs = settings.timestampMs;
    this.deadlineMs = deadlineMs;
    this.clock = clock;
    this.observe = settings.observe;
    this.#ending = ending;
  }

  get id(): string {
    return (this.#id ??= randomUUID());
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get aborted(): boolean {
    return this.#ending.hasEnded;
  }
}

/**
 * Runs an operation as one transaction, by JS values in the order of its signature's params. The answer is the result, or a promise of it.
 * Where it has streams the transaction ends with the last of them: whoever gets them reads each to its end, or returns it.
 * @throws StarlaneError (or rejects with it); an operation's own error is an object with a `payload`
 */
export function runTransaction(operation: Operation, args: readonly unknown[], settings: TransactionSettings): unknown {
  const { recordedAs } = operation;
  // Whoever starts it may record it, or replay it.
  if (recordedAs === undefined || settings.recording !== undefined || settings.replay !== undefined)
    return run(operation, args, settings);
  const { records, component } = recordedAs;
  return records.around(operation, component, args, settings, (given, recording) =>
    run(operation, given, { ...settings, recording }),
  );
}

function run(operation: Operation, args: readonly unknown[], settings: TransactionSettings): unknown {
  const { limits } = operation;
  const { recording, replay } = settings;
  const given = replay?.clock ?? settings.clock ?? realClock;
  const clock = recording?.clock(given) ?? given;
  const timeoutMs = least(settings.timeoutMs, limits.timeMs);
  const signal = replay?.signal ?? settings.signal;
  const ending = signal === undefined ? (settings.ending ?? never) : endingBy(signal);
  const deadlineMs = timeoutMs === undefined ? undefined : clock.now() + timeoutMs;
  const transaction = new RootTransaction(settings, clock, deadlineMs, ending);
  const telemetry = settings.telemetry?.begin(transaction.id, settings.origin);
  const whole = new Whole(settings.kept);
  const host: Host = {
    calls: new Map(),
    usage: new TransactionUsage(),
    fuel: limits.fuel,
    output: settings.output,
    outputLimitBytes: limits.outputBytes,
    callLimitMs: settings.callLimitMs,
    whole,
    isReal: given === realClock,
    telemetry,
    span: telemetry?.span,
    recording,
    replay,
  };
  replay?.conclude(whole);
  const ended: Ended = (failure, isOfEnd) => {
    if (isOfEnd) recording?.inconclusive(failure);
    settings.onUsage?.(host.usage);
    telemetry?.end(host.usage, failure);
  };
  let answer: unknown;
  try {
    answer = operation.call(args, transaction, host, undefined);
  } catch (error) {
    return endWith(whole, ended, { error });
  }
  const type = operation.signature.result;
  const answered =
    type === undefined || streamsOf(type).length === 0
      ? (value: unknown): unknown => endWith(whole, ended, { value })
      : (value: unknown): unknown =>
          heldOpen(type, value, transaction.signal, (outcome) =>
            endWith(whole, ended, outcome === "done" ? { value: undefined } : outcome),
          );
  if (!(answer instanceof Promise)) return answered(answer);
  return answer.then(answered, (error: unknown) => endWith(whole, ended, { error }));
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Told what a transaction failed with, undefined where it did not; `isOfEnd`: only what it did could not be concluded. */
type Ended = (failure: unknown, isOfEnd: boolean) => void;

function endWith(whole: Whole, ended: Ended, outcome: Outcome): unknown {
  const answer = (): unknown => {
    ended("error" in outcome ? outcome.error : undefined, false);
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  };
  if (whole.ends.length === 0) return answer();
  return whole.end("error" in outcome ? "failed" : "done").then(answer, (error: unknown) => {
    if ("error" in outcome) return answer();
    ended(error, true);
    throw error;
  });
}

/** What the capabilities keep and do for a transaction as a whole. */
class Whole implements WholeTransaction {
  #kept: Map<object, unknown> | undefined;
  readonly #given: ReadonlyMap<object, unknown> | undefined;
  readonly ends: ((outcome: TransactionOutcome) => void | Promise<void>)[] = [];

  constructor(given: ReadonlyMap<object, unknown> | undefined) {
    this.#given = given;
  }

  get kept(): Map<object, unknown> {
    return (this.#kept ??= new Map(this.#given));
  }

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
