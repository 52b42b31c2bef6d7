// The threads of one root instance and who runs next. One thread runs at a time; it runs until it parks (waits or suspends)
// or finishes. Nothing polls: what makes a thread ready says so with `wake`, and the loop looks for ready threads then.
// Source: Canonical ABI, Embedding (`Store`), `Thread.resume`, `Store.tick`.

import { StarlaneError } from "../../base/errors.ts";
import { failureOf, stopWith, trap } from "../trap.ts";
import { type Maybe, then } from "./maybe.ts";
import type { Thread } from "./thread.ts";

type Job = () => Maybe<void>;

export class Store {
  /** The thread that runs, if any. */
  current: Thread | undefined;
  /** Whether anything in this store may block: only then guests run on stacks that can be suspended. */
  mayBlock = false;
  /** What the host may still do: answers it owes, ends of streams and futures it holds. */
  outside = 0;
  failed = false;
  failure: unknown;
  readonly #waiting: Thread[] = [];
  readonly #jobs: Job[] = [];
  readonly #calls = new Set<(failure: unknown) => void>();
  #busy = false;
  #scheduled = false;
  #resting = false;

  get running(): Thread {
    if (this.current === undefined) throw new StarlaneError("starlane/internal", "no thread is running");
    return this.current;
  }

  /** A call of the host that has not ended: it is told when everything fails. Gives the function that ends it. */
  addCall(reject: (failure: unknown) => void): () => void {
    this.#calls.add(reject);
    return () => this.#calls.delete(reject);
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
  }

  /**
   * Nobody waits for an answer: what is left runs a step at a time between other work of the host. A guest that yields for ever
   * then holds nobody up, and does not keep the process alive.
   */
  #rest(): void {
    this.#busy = false;
    if (this.failed || this.#resting || !this.#waiting.some((one) => one.ready())) return;
    this.#resting = true;
    const timer: unknown = setTimeout(() => {
      this.#resting = false;
      if (!this.#busy) this.#turnOnce();
    }, 0);
    if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function") timer.unref();
  }

  #turnOnce(): void {
    this.#busy = true;
    const goOn = (): void => this.#turn();
    const fail = (error: unknown): void => {
      this.fail(error);
      this.#busy = false;
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
    if (this.failed || this.#calls.size === 0 || this.outside > 0 || this.#jobs.length > 0) return;
    this.fail(new StarlaneError("engine/trap", "deadlock detected: event loop cannot make further progress"));
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

  /** Ends everything: one trap leaves nothing that could go on. The first reason is the one that is told. */
  fail(error: unknown): void {
    if (!this.failed) {
      this.failed = true;
      this.failure = failureOf(error);
    }
    const calls = [...this.#calls];
    this.#calls.clear();
    const tell = (): void => calls.forEach((reject) => reject(this.failure));
    // A stack that traps tells its reason a moment later than that it trapped.
    if (isVague(this.failure)) setTimeout(tell, 0);
    else tell();
  }

  /** A better reason than the one that was noticed first. */
  explain(error: unknown): void {
    if (!this.failed || isVague(this.failure)) this.failure = failureOf(error);
    if (!this.failed) this.fail(error);
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
}

const VAGUE = "the component trapped";

function isVague(failure: unknown): boolean {
  return failure instanceof StarlaneError && failure.message === VAGUE;
}
