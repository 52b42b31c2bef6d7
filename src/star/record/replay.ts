// Runs a recorded transaction again: functions of the host answer from the record, in the order in which they did. Nothing outside is
// touched and no clock is read. Where the components do something else than they did, the first difference is kept, and they are stopped.

import { performance } from "node:perf_hooks";
import type { Clock } from "../../base/clock.ts";
import type { StarlaneError } from "../../base/errors.ts";
import type { WholeTransaction } from "../../capabilities/capability.ts";
import type { Json } from "../../wit/json.ts";
import type { Field } from "../../wit/types.ts";
import { CallReplay, type Delivery } from "./call-replay.ts";
import { differenceError, type Difference } from "./difference.ts";
import type { RecordedCall, TransactionRecord } from "./record.ts";
import { failure, incomplete } from "./recorded-failure.ts";

/** Rounds of the event loop in which what is next in the record may become possible, before something later is taken. */
const PATIENT_ROUNDS = 200;
/** The thread had nothing to do for so long although calls are open: the run waits for what the record does not have. */
const STUCK_MS = 5000;

/** The flow itself waits, between its components. */
const NOWHERE = { node: "", component: "", count: 0, position: undefined, recorded: undefined };

interface Sleeper {
  readonly sleep: number;
  readonly wake: () => void;
}

export class Replay {
  readonly record: TransactionRecord;
  /** Aborts when the run can get no further. */
  readonly #controller = new AbortController();
  readonly #waiting: Map<string, RecordedCall>;
  readonly #active = new Set<CallReplay>();
  readonly #order: number[];
  readonly #passed = new Set<number>();
  #nextInOrder = 0;
  readonly #sleepers = new Map<number, Sleeper>();
  #sleeps = 0;
  #first: CallReplay | undefined;
  #onClosed: (() => void) | undefined;
  #difference: Difference | undefined;
  #isScheduled = false;
  #idleRounds = 0;
  #idleSinceMs = 0;
  #ms = 0;
  readonly #stuckMs: number;

  constructor(record: TransactionRecord, stuckMs = STUCK_MS) {
    this.record = record;
    this.#stuckMs = stuckMs;
    this.#waiting = new Map(record.calls.map((call) => [keyOf(call.node, call.count), call]));
    const events = record.calls.flatMap((call) => call.events);
    this.#order = [...events, ...record.sleeps].flatMap((event) => ("at" in event ? [event.at] : [])).toSorted((a, b) => a - b);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get difference(): Difference | undefined {
    return this.#difference;
  }

  /** Keeps the first difference. The answer is what stops the component. */
  differs(difference: Difference): StarlaneError {
    this.#difference ??= difference;
    return differenceError(this.#difference);
  }

  /** Nothing has to be concluded, but it may have failed. */
  conclude(whole: WholeTransaction): void {
    const { conclusion } = this.record;
    if (conclusion === undefined) return;
    whole.onEnd((outcome) => {
      if (outcome === "done") throw failure(conclusion);
    });
  }

  /** The arguments of the first call, where they hold resources: known to that call by their ids. */
  handed(params: readonly Field[], values: readonly Json[]): readonly unknown[] {
    const call = this.#waiting.get(keyOf("", 0));
    // Nothing of it was recorded: the component sees none of what it was given.
    this.#first = call === undefined ? undefined : new CallReplay(this, call);
    const first = this.#first ?? new CallReplay(this, { node: "", count: 0, component: "", events: [] });
    return params.map(({ type }, i) => first.handed(type, values[i] ?? null));
  }

  /** One call of a component begins. @throws StarlaneError `replay/differs` where the record has no such call */
  begin(component: string, node: string, count: number): CallReplay {
    const key = keyOf(node, count);
    const call = this.#waiting.get(key);
    if (call === undefined) {
      if (this.record.incomplete === true) throw incomplete();
      throw this.differs({ node, component, count, position: undefined, recorded: "no such call", actual: "a call" });
    }
    this.#waiting.delete(key);
    const replay = (node === "" ? this.#first : undefined) ?? new CallReplay(this, call);
    this.#active.add(replay);
    this.schedule();
    return replay;
  }

  ended(call: CallReplay): void {
    this.#active.delete(call);
    for (const at of call.arrivals) this.passed(at);
    if (this.#active.size === 0) this.#onClosed?.();
  }

  /** When the calls that began have ended: some go on after the answer of the transaction. */
  closed(): Promise<void> {
    const { signal } = this.#controller;
    if (this.#active.size === 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onClosed = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** The transaction has ended: what was recorded and did not happen is a difference too. */
  end(): void {
    const [missed] = this.#waiting.values();
    if (missed === undefined || this.record.incomplete === true) return;
    const { node, component, count } = missed;
    this.differs({ node, component, count, position: undefined, recorded: "a call", actual: "no such call" });
  }

  /** Time stands still between what is recorded. */
  readonly clock: Clock = {
    now: () => this.record.timestampMs + this.#ms,
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        const sleep = this.#sleeps++;
        if (signal?.aborted === true) return reject(signal.reason);
        const onAbort = (): void => {
          this.#sleepers.delete(sleep);
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        const wake = (): void => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        };
        this.#sleepers.set(sleep, { sleep, wake });
        this.schedule();
      }),
  };

  passed(at: number): void {
    this.#passed.add(at);
    while (this.#nextInOrder < this.#order.length && this.#passed.has(this.#order[this.#nextInOrder] ?? -1)) this.#nextInOrder++;
  }

  moved(ms: number): void {
    this.#ms = Math.max(this.#ms, ms);
    this.#idleRounds = 0;
  }

  /** Hands over what came later, one thing in each round of the event loop: the components do first what they can do. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const round = (): void => {
      this.#isScheduled = false;
      this.#round();
    };
    if (this.#idleRounds < PATIENT_ROUNDS / 2) setImmediate(round);
    else setTimeout(round, 1);
  }

  #round(): void {
    const next = this.#candidates().toSorted((a, b) => a.at - b.at)[0];
    const due = this.#order[this.#nextInOrder];
    if (next !== undefined && (next.at === due || due === undefined || this.#idleRounds > PATIENT_ROUNDS)) {
      this.#idleRounds = 0;
      this.moved(next.ms);
      next.deliver();
      this.passed(next.at);
    } else {
      // A component that computes, turn by turn, leaves the thread no time to be idle.
      const { idle } = performance.eventLoopUtilization();
      if (this.#idleRounds++ === 0) this.#idleSinceMs = idle;
      if (idle - this.#idleSinceMs > this.#stuckMs) return this.#stuck();
    }
    if (this.#active.size > 0 || this.#sleepers.size > 0) this.schedule();
  }

  #candidates(): Delivery[] {
    const sleeps = this.record.sleeps.flatMap(({ sleep, at, ms }) => {
      const sleeper = this.#passed.has(at) ? undefined : this.#sleepers.get(sleep);
      if (sleeper === undefined) return [];
      const deliver = (): void => {
        this.#sleepers.delete(sleep);
        sleeper.wake();
      };
      return [{ at, ms, deliver }];
    });
    return [...sleeps, ...[...this.#active].flatMap((call) => call.delivery() ?? [])];
  }

  #stuck(): void {
    const [first] = this.#active;
    const open = [...this.#active].find((call) => call.isWaiting) ?? first;
    if (this.record.incomplete === true) return this.#controller.abort(incomplete());
    const actual = "waits for something that the record does not have";
    const difference = open?.whatIsNext(actual) ?? { ...NOWHERE, actual };
    this.#controller.abort(open?.stoppedBy ?? this.differs(difference));
  }
}

function keyOf(node: string, count: number): string {
  return `${count} ${node}`;
}
