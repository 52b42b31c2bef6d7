// The instances of one kind: those that are free, how many there are, and who waits for one, first come first served.

import { StarlaneError } from "../../base/errors.ts";
import { atDeadline, deadlineError } from "./deadline.ts";

/** Instances that nobody needed for this long are let go, all but one. */
const IDLE_MS = 10_000;

interface Waiter<I> {
  readonly take: (instance: I) => void;
  readonly leave: (error: unknown) => void;
  isGone: boolean;
}

interface Idle {
  usedAt: number;
}

export class Shelf<I extends Idle> {
  /** Those that were used last stand at the end, and are taken first. */
  readonly #free: I[] = [];
  readonly #make: () => I;
  readonly #max: number;
  readonly #maxWaiting: number;
  /** Fewer than `#max` where the host had no memory for more. */
  #most: number;
  /** Those that wait; the ones in front of `#head` do not any more. */
  #queue: Waiter<I>[] = [];
  #head = 0;
  #waiting = 0;
  #made = 0;
  #closed = false;
  #timer: unknown;

  constructor(make: () => I, max: number, maxWaiting: number) {
    this.#make = make;
    this.#max = this.#most = max;
    this.#maxWaiting = maxWaiting;
  }

  get made(): number {
    return this.#made;
  }

  get idle(): number {
    return this.#free.length;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** One that is free, or a new one; undefined where there are as many as there may be. */
  take(): I | undefined {
    if (this.#closed) throw closed();
    return this.#free.pop() ?? this.#makeOne();
  }

  #makeOne(): I | undefined {
    if (this.#made >= this.#most) return undefined;
    try {
      const made = this.#make();
      this.#made++;
      return made;
    } catch (error) {
      // A browser has about a hundred memories: then those that there are have to do.
      if (this.#made === 0 || !isOutOfMemory(error)) throw error;
      this.#most = this.#made;
      this.#lookAfterLater();
      return undefined;
    }
  }

  /** The next one that is free. @throws StarlaneError `engine/busy`, `engine/deadline`; the signal's reason */
  wait(deadline: number | undefined, signal: AbortSignal | undefined): Promise<I> {
    if (this.#waiting >= this.#maxWaiting) {
      throw new StarlaneError("engine/busy", `${this.#maxWaiting} calls of the component are already waiting`, {
        cure: "Call less often, or allow more instances.",
      });
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.leave(signal?.reason);
      const done = (): void => {
        this.#waiting--;
        waiter.isGone = true;
        callOff();
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter<I> = {
        take(instance) {
          done();
          resolve(instance);
        },
        leave(error) {
          done();
          reject(error);
        },
        isGone: false,
      };
      const callOff = atDeadline(deadline, () => waiter.leave(deadlineError()));
      signal?.addEventListener("abort", onAbort);
      this.#queue.push(waiter);
      this.#waiting++;
    });
  }

  give(instance: I): void {
    if (this.#closed) {
      this.#made--;
      return;
    }
    const waiter = this.#next();
    if (waiter !== undefined) return waiter.take(instance);
    instance.usedAt = Date.now();
    this.#free.push(instance);
    if (this.#free.length > 1) this.#lookAfterLater();
  }

  /** One is of no more use: whoever waits gets a new one. */
  discard(): void {
    this.#made--;
    if (this.#closed || this.#waiting === 0) return;
    try {
      const made = this.#makeOne();
      if (made !== undefined) this.give(made);
    } catch (error) {
      // Where there are others, those who wait get one of them some time.
      if (this.#made === 0) this.#sendAway(error);
      else this.#next()?.leave(error);
    }
  }

  close(): void {
    this.#closed = true;
    this.#made -= this.#free.length;
    this.#free.length = 0;
    clearTimeout(this.#timer as number);
    this.#sendAway(closed());
  }

  #sendAway(error: unknown): void {
    for (let waiter = this.#next(); waiter !== undefined; waiter = this.#next()) waiter.leave(error);
  }

  #next(): Waiter<I> | undefined {
    while (this.#head < this.#queue.length) {
      const waiter = this.#queue[this.#head++];
      if (this.#head > 1000 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      if (waiter?.isGone === false) return waiter;
    }
    return undefined;
  }

  /** Lets go of what nobody needed for some time, until nothing is left to look after. */
  #lookAfterLater(): void {
    if (this.#timer !== undefined) return;
    const timer: unknown = setTimeout(() => {
      this.#timer = undefined;
      this.#most = this.#max;
      const enough = Date.now() - IDLE_MS;
      const used = this.#free.findIndex((instance) => instance.usedAt > enough);
      const gone = Math.min(used < 0 ? this.#free.length : used, this.#free.length - 1);
      this.#made -= this.#free.splice(0, Math.max(0, gone)).length;
      if (this.#free.length > 1) this.#lookAfterLater();
    }, IDLE_MS);
    this.#timer = timer;
    if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function") timer.unref();
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof StarlaneError && error.code === "engine/instantiate" && error.cause instanceof RangeError;
}

function closed(): StarlaneError {
  return new StarlaneError("engine/busy", "the pool was closed");
}
