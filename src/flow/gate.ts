// `concurrency` of a node: at most so many of its calls are in flight at once, across all transactions of its plan. First come,
// first served.

export class Gate {
  readonly limit: number;
  private active = 0;
  private readonly queue: Set<() => void> = new Set();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Takes a place if one is free; whoever gets one calls `leave` once. */
  enter(): boolean {
    if (this.active >= this.limit) return false;
    this.active++;
    return true;
  }

  /** Calls `onTurn`, in a microtask of its own, as soon as a place was taken for it; returns how to stop waiting. */
  wait(onTurn: () => void): () => void {
    this.queue.add(onTurn);
    return () => {
      this.queue.delete(onTurn);
    };
  }

  leave(): void {
    for (const next of this.queue) {
      this.queue.delete(next);
      // The place goes over to the next; a microtask keeps a long queue of synchronous calls off the stack.
      queueMicrotask(next);
      return;
    }
    this.active--;
  }
}
