// The signal of a transaction for whoever only looks whether it was aborted: the real one, with all that belongs to it, is made when
// somebody wants to be told.

import type { Transaction } from "../flow/flow.ts";
import { isAborted } from "../flow/scope.ts";

export class LateSignal implements AbortSignal {
  readonly #transaction: Transaction;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
  }

  get aborted(): boolean {
    return isAborted(this.#transaction);
  }

  get reason(): unknown {
    return this.#transaction.signal.reason;
  }

  get onabort(): AbortSignal["onabort"] {
    return this.#transaction.signal.onabort;
  }

  set onabort(listener: AbortSignal["onabort"]) {
    this.#transaction.signal.onabort = listener;
  }

  throwIfAborted(): void {
    if (this.aborted) this.#transaction.signal.throwIfAborted();
  }

  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void {
    this.#transaction.signal.addEventListener(type, listener, options);
  }

  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void {
    this.#transaction.signal.removeEventListener(type, listener, options);
  }

  dispatchEvent(event: Event): boolean {
    return this.#transaction.signal.dispatchEvent(event);
  }
}
