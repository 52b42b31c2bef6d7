// When requests have to be answered: one timer for all of them. Those that may take equally long end in the order in which they began.

export interface Expiring {
  /** Its time is over. */
  expire(afterMs: number): void;
}

export class Deadlines {
  /** By how long they may take; the oldest first. */
  readonly #byDuration = new Map<number, Map<Expiring, number>>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, on the clock of `performance`. */
  #wakesAtMs = Infinity;

  /** `afterMs`: one of few different durations. */
  add(expiring: Expiring, afterMs: number): void {
    const atMs = performance.now() + afterMs;
    let waiting = this.#byDuration.get(afterMs);
    if (waiting === undefined) this.#byDuration.set(afterMs, (waiting = new Map()));
    waiting.set(expiring, atMs);
    if (atMs < this.#wakesAtMs) this.#wakeAt(atMs);
  }

  delete(expiring: Expiring, afterMs: number): void {
    this.#byDuration.get(afterMs)?.delete(expiring);
  }

  #wakeAt(atMs: number): void {
    clearTimeout(this.#timer);
    this.#wakesAtMs = atMs;
    // Alone it keeps no process alive; what waits has a connection.
    this.#timer = setTimeout(() => this.#sweep(), Math.min(Math.max(1, Math.ceil(atMs - performance.now())), LONGEST_MS)).unref();
  }

  /** Ends those whose time is over, and looks again when that of the next one is. */
  #sweep(): void {
    this.#wakesAtMs = Infinity;
    const nowMs = performance.now();
    const over: { readonly then: Expiring; readonly afterMs: number }[] = [];
    let next = Infinity;
    for (const [afterMs, waiting] of this.#byDuration) {
      for (const [then, atMs] of waiting) {
        if (atMs > nowMs) {
          next = Math.min(next, atMs);
          break;
        }
        over.push({ then, afterMs });
        waiting.delete(then);
      }
    }
    if (next < Infinity) this.#wakeAt(next);
    for (const { then, afterMs } of over) then.expire(afterMs);
  }
}

/** The longest that a timer can be set for. */
const LONGEST_MS = 2 ** 31 - 1;
