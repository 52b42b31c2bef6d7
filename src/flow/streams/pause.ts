// Waiting in a stream, on the transaction's clock: ends early when the stream is closed.

import type { Transaction } from "../flow.ts";

export class Pause {
  private readonly transaction: Transaction;
  private timer: AbortController | undefined;
  private isOver = false;

  constructor(transaction: Transaction) {
    this.transaction = transaction;
  }

  now(): number {
    return this.transaction.clock.now();
  }

  /** Resolves after `ms`, or when it is stopped. The same wait for everybody who asks before it is over. */
  wait(ms: number): Promise<void> {
    if (this.isOver) return Promise.resolve();
    return (this.waiting ??= this.begin(ms));
  }

  private waiting: Promise<void> | undefined;

  private async begin(ms: number): Promise<void> {
    const timer = new AbortController();
    this.timer = timer;
    try {
      await this.transaction.clock.sleep(ms, timer.signal);
    } catch {
      // It was stopped.
    } finally {
      if (this.timer === timer) this.waiting = this.timer = undefined;
    }
  }

  /** The next `wait` begins anew. */
  stop(): void {
    const { timer } = this;
    this.waiting = this.timer = undefined;
    timer?.abort();
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.isOver = true;
    this.stop();
  }
}
