// Collects the answers to one request: until enough came, the time is over, or the transaction has ended.

import type { MessageData, RequestOptions } from "./messaging.ts";

export class Replies {
  readonly #options: RequestOptions;
  readonly #answers: MessageData[] = [];
  readonly #enough = Promise.withResolvers<void>();

  constructor(options: RequestOptions) {
    this.#options = options;
  }

  add(answer: MessageData): void {
    if (this.#answers.length >= this.#options.replies) return;
    this.#answers.push(answer);
    if (this.#answers.length >= this.#options.replies) this.#enough.resolve();
  }

  /** Rejects with the signal's reason, or with what broke the wait. */
  async wait(): Promise<readonly MessageData[]> {
    const { timeoutMs, signal } = this.#options;
    signal?.throwIfAborted();
    const onAbort = (): void => this.#enough.reject(signal?.reason);
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => this.#enough.resolve(), timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#enough.promise;
      return this.#answers;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }
}
