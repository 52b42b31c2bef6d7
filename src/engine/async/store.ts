// The threads of one root instance and who runs next. One thread runs at a time; it runs until it parks (waits or suspends)
// or finishes. Nothing polls: what makes a thread ready says so with `wake`, and the loop looks for ready threads then.
// Source: Canonical ABI, Embedding (`Store`), `Thread.resume`, `Store.tick`.

import { StarlaneError } from "../../base/errors.ts";
import { failureOf, stopWith, trap } from "../trap.ts";
import { type Maybe, then } from "./maybe.ts";
import type { Thread } from "./thread.ts";

type Job = () => Maybe<void>;
type Reject = (failure: unknown) => void;

/** V8 keeps every stack until it ends, and the process ends when it can make no more of them: about 32 000. */
const MOST_STACKS = 20_000;
/** Of one component. */
const MOST_STACKS_OF_STORE = 2000;
let allStacks = 0;

export class Store {
  /** The thread that runs, if any. */
  current: Thread | undefined;
  /** Whether anything in this store may block: only then guests run on stacks that can be suspended. */
  mayBlock = false;
  /** Whether calls are attempts: guests run directly, and what would block ends the call, which is begun again elsewhere. */
  isAttempt = false;
  /** Above 0 while guest code runs that was called directly and so cannot be suspended: allocators, destructors, cleaning up. */
  direct = 0;
  failed = false;
  failure: unknown;
  /** Counts transactions: what belongs to one before is of no use. */
  epoch = 0;
  readonly #waiting: Thread[] = [];
  readonly #jobs: Job[] = [];
  readonly #calls = new Set<Reject>();
  /** Whoever of the host waits for a value of a stream or future. */
  readonly #listeners = new Set<Reject>();
  readonly #sources = new Set<() => void>();
  /** What ends the suspension of each stack that is suspended. */
  readonly #suspended = new Set<Reject>();
  #stacks = 0;
  /** Answers of the host that are still to come. */
  #answers = 0;
  /** Ends of streams that the host holds, and that nobody reads at the moment. */
  #held = 0;
  /** Calls that failed and are told why when that is known, or soon. */
  readonly #untold: Reject[] = [];
  #timer: unknown;
  #busy = false;
  #scheduled = false;
  #resting = false;
  #rested: unknown;
  #onQuiet: (() => void) | undefined;

  get running(): Thread {
    if (this.current === undefined) throw new StarlaneError("starlane/internal", "no thread is running");
    return this.current;
  }

  /** A call of the host that has not ended: it is told when everything fails. Gives the function that ends it. */
  addCall(reject: Reject): () => void {
    this.#calls.add(reject);
    return () => this.#calls.delete(reject);
  }

  /** The host waits for a value of a stream or future; as `addCall`, but it does not mean that something has to happen. */
  addListener(reject: Reject): () => void {
    this.#listeners.add(reject);
    return () => {
      if (this.#listeners.delete(reject)) this.#noticeQuiet();
    };
  }

  /** The host holds the end of a stream. Gives the function that lets go of it. */
  hold(): () => void {
    const { epoch } = this;
    let isHeld = true;
    this.#held++;
    return () => {
      if (!isHeld || this.epoch !== epoch) return;
      isHeld = false;
      this.#held--;
      this.#noticeQuiet();
    };
  }

  /** The host is about to answer. What comes after the end of the transaction is not heard any more. */
  expect(): { readonly arrive: (job: Job) => void; readonly fail: Reject } {
    const { epoch } = this;
    this.#answers++;
    const settle = (run: () => void): void => {
      if (this.epoch !== epoch) return;
      this.#answers--;
      run();
      this.#noticeQuiet();
    };
    return {
      arrive: (job) => settle(() => this.failed || this.#beginAndWake(job)),
      fail: (error) => settle(() => this.fail(error)),
    };
  }

  #beginAndWake(job: Job): void {
    this.begin(job);
    this.wake();
  }

  /**
   * Something of the host that brings values when it has some; `stop` is called when the transaction has ended. Gives the function that
   * takes it away: false where it was stopped.
   */
  addSource(stop: () => void): () => boolean {
    this.#sources.add(stop);
    return () => this.#sources.delete(stop);
  }

  /** A stack begins. @throws a trap where there are too many */
  beginStack(): void {
    if (this.#stacks >= MOST_STACKS_OF_STORE || allStacks >= MOST_STACKS) {
      trap("too many calls of the component are under way: there are no more stacks");
    }
    this.#stacks++;
    allStacks++;
  }

  endStack(): void {
    this.#stacks--;
    allStacks--;
  }

  /** What a stack is suspended for: a failure elsewhere ends it, so that no stack stays suspended for ever. */
  suspension<T>(begin: (resolve: (value: T) => void, reject: Reject) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.failed) return reject(this.rethrown());
      const end = (failure: unknown): void => reject(failure);
      this.#suspended.add(end);
      begin(
        (value) => {
          this.#suspended.delete(end);
          resolve(value);
        },
        (error) => {
          this.#suspended.delete(end);
          reject(error);
        },
      );
    });
  }

  wait(thread: Thread): void {
    this.#waiting.push(thread);
  }

  stopWaiting(thread: Thread): void {
    const index = this.#waiting.indexOf(thread);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  get waiting(): readonly Thread[] {
    return this.#waiting;
  }

  /** Work that starts from the host: at once where nothing runs, else when what runs has parked. */
  begin(job: Job): void {
    this.#jobs.push(job);
    if (!this.#busy) this.#turn();
  }

  /** Something happened that may have made a thread ready. */
  wake(): void {
    if (this.#scheduled || this.#busy) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#busy) this.#turn();
    });
  }

  #turn(): void {
    this.#busy = true;
    try {
      for (;;) {
        if (this.#calls.size === 0 && this.#jobs.length === 0) return this.#rest();
        const step = this.#step();
        if (step === "idle") break;
        if (step instanceof Promise) {
          step.then(
            () => this.#turn(),
            (error) => {
              this.fail(error);
              this.#turn();
            },
          );
          return;
        }
      }
    } catch (error) {
      this.fail(error);
    }
    this.#busy = false;
    this.#findDeadlock();
    this.#noticeQuiet();
  }

  /**
   * Nobody waits for an answer: what is left runs a step at a time between other work of the host. A guest that yields for ever
   * then holds nobody up, and does not keep the process alive, unless the host waits for a value of a stream or future.
   */
  #rest(): void {
    this.#busy = false;
    this.#noticeQuiet();
    if (this.failed || !this.#waiting.some((one) => one.ready())) return;
    if (!this.#resting) {
      this.#resting = true;
      const { epoch } = this;
      this.#rested = afterOthers(() => {
        if (this.epoch !== epoch) return;
        this.#resting = false;
        if (!this.#busy) this.#turnOnce();
      });
    }
    keepAlive(this.#rested, this.#listeners.size > 0);
  }

  #turnOnce(): void {
    this.#busy = true;
    const goOn = (): void => this.#turn();
    const fail = (error: unknown): void => {
      this.fail(error);
      this.#busy = false;
      this.#noticeQuiet();
    };
    try {
      const step = this.#step();
      if (step instanceof Promise) step.then(goOn, fail);
      else goOn();
    } catch (error) {
      fail(error);
    }
  }

  #step(): Maybe<void> | "idle" {
    const job = this.#jobs.shift();
    if (job !== undefined) return job();
    if (this.failed) return "idle";
    const thread = this.#waiting.find((one) => one.ready());
    if (thread === undefined) return "idle";
    return thread.task.resumeFromHost(thread);
  }

  #findDeadlock(): void {
    if (this.failed || this.#calls.size === 0 || this.#jobs.length > 0 || this.#isWaitingForHost) return;
    this.fail(deadlock());
  }

  /** Whether the host may still do something that lets a thread go on. */
  get #isWaitingForHost(): boolean {
    return this.#answers > 0 || this.#held > 0 || this.#listeners.size > 0 || this.#sources.size > 0;
  }

  /** Resumes a parked thread, and those it switches to, until one parks without naming another or finishes. */
  resume(thread: Thread, cancelled: boolean): Maybe<void> {
    return this.run(thread, () => thread.continue(cancelled));
  }

  /** Runs `begin` as the thread, until it parks or finishes. The thread that ran before runs again afterwards. */
  run(thread: Thread, begin: () => void): Maybe<void> {
    const before = this.current;
    const next = this.#runOnce(thread, begin);
    return then(next, (other) => {
      if (this.failed) throw this.rethrown();
      const rest = other === undefined ? undefined : this.run(other, () => other.continue(false));
      return then(rest, () => {
        this.current = before;
      });
    });
  }

  #runOnce(thread: Thread, begin: () => void): Maybe<Thread | undefined> {
    this.current = thread;
    let parked = false;
    let switchTo: Thread | undefined;
    let resolve: ((other: Thread | undefined) => void) | undefined;
    thread.onPark = (other) => {
      parked = true;
      switchTo = other;
      resolve?.(other);
    };
    begin();
    if (parked) return switchTo;
    return new Promise((done) => {
      resolve = done;
    });
  }

  /** Whether nothing is left that could go on: after a failure no stack, else no thread, and nothing that the host still uses. */
  get isQuiet(): boolean {
    if (this.#busy || this.#jobs.length > 0 || this.#stacks > 0 || this.#untold.length > 0) return false;
    return this.failed || (this.#waiting.length === 0 && this.#calls.size === 0 && !this.#isUsedByHost);
  }

  /** Whether all that is left runs at this moment: nothing waits for anything. */
  get isEnding(): boolean {
    return this.#waiting.length === 0 && this.#calls.size === 0 && this.#jobs.length === 0 && !this.#isUsedByHost;
  }

  get #isUsedByHost(): boolean {
    return this.#answers > 0 || this.#held > 0 || this.#listeners.size > 0;
  }

  /** Whether there is something left that nothing can bring to an end any more, where the host makes no further calls. */
  get #isStuck(): boolean {
    if (this.#busy || this.failed || this.#jobs.length > 0 || this.#calls.size > 0) return false;
    if (this.#answers > 0 || this.#held > 0 || this.#sources.size > 0) return false;
    return !this.#waiting.some((one) => one.ready());
  }

  /** Calls back once when the store is quiet. What can never go on ends as a failure; no further calls are made. */
  whenQuiet(run: () => void): void {
    this.#onQuiet = run;
    this.#noticeQuiet();
  }

  #noticeQuiet(): void {
    if (this.#onQuiet === undefined) return;
    if (!this.isQuiet) {
      if (this.#isStuck) this.fail(deadlock());
      if (!this.isQuiet) return;
    }
    const run = this.#onQuiet;
    this.#onQuiet = undefined;
    run();
  }

  /** Begins anew, when the store is quiet: what still comes from the transaction before is not heard any more. */
  reset(): void {
    this.epoch++;
    this.current = undefined;
    this.direct = 0;
    this.failed = false;
    this.failure = undefined;
    this.#onQuiet = undefined;
    this.#resting = false;
    if (this.#waiting.length > 0) this.#waiting.length = 0;
    if (this.#calls.size > 0) this.#calls.clear();
    if (this.#listeners.size > 0) this.#listeners.clear();
    if (this.#suspended.size > 0) this.#suspended.clear();
    this.#answers = this.#held = 0;
    if (this.#sources.size === 0) return;
    const sources = [...this.#sources];
    this.#sources.clear();
    for (const stop of sources) stop();
  }

  /** Ends everything: one trap leaves nothing that could go on. The first reason is the one that is told. */
  fail(error: unknown): void {
    if (!this.failed) {
      this.failed = true;
      this.failure = failureOf(error);
    }
    const calls = [...this.#calls, ...this.#listeners];
    this.#calls.clear();
    this.#listeners.clear();
    if (calls.length > 0) this.#tell(calls);
    if (this.#suspended.size === 0) return;
    const suspended = [...this.#suspended];
    this.#suspended.clear();
    const reason = this.rethrown();
    for (const end of suspended) end(reason);
  }

  /** A stack that traps tells its reason a moment later than that it trapped. */
  #tell(calls: readonly Reject[]): void {
    this.#untold.push(...calls);
    if (!isVague(this.failure)) this.#tellAll();
    else this.#timer ??= setTimeout(() => this.#tellAll(), 0);
  }

  #tellAll(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer as number);
    this.#timer = undefined;
    const calls = this.#untold.splice(0);
    for (const reject of calls) reject(this.failure);
    this.#noticeQuiet();
  }

  /** A better reason than the one that was noticed first. */
  explain(error: unknown): void {
    if (!this.failed || isVague(this.failure)) this.failure = failureOf(error);
    if (!this.failed) this.fail(error);
    else if (this.#untold.length > 0 && !isVague(this.failure)) this.#tellAll();
  }

  /** For stacks that must not go on after a failure elsewhere. */
  rethrown(): unknown {
    try {
      return stopWith(this.failure);
    } catch (error) {
      return error;
    }
  }

  trapped(): never {
    return trap(VAGUE);
  }

  /** A stack has ended, some time after what ran on it. */
  noticeEnd(): void {
    this.#noticeQuiet();
  }
}

function deadlock(): StarlaneError {
  return new StarlaneError("engine/trap", "deadlock detected: event loop cannot make further progress");
}

/** Runs behind what else is ready on this thread. Node's own way takes no millisecond, as a timer does. */
const afterOthers: (run: () => void) => unknown =
  (globalThis as { setImmediate?: (run: () => void) => unknown }).setImmediate ?? ((run) => setTimeout(run, 0));

/** Whether the process goes on for what is to run: where it does not, Node may also wait for something else first. */
function keepAlive(timer: unknown, isNeeded: boolean): void {
  if (typeof timer !== "object" || timer === null || !("ref" in timer) || !("unref" in timer)) return;
  const act = isNeeded ? timer.ref : timer.unref;
  if (typeof act === "function") Reflect.apply(act, timer, []);
}

const VAGUE = "the component trapped";

function isVague(failure: unknown): boolean {
  return failure instanceof StarlaneError && failure.message === VAGUE;
}
