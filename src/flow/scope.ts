// What one node sees of its transaction: the same id, seed, clock and deadline, and a signal of its own that also follows the
// transaction's. The AbortSignal is made only when somebody asks for it, so that a synchronous chain never pays for one.

import type { Clock } from "../base/clock.ts";
import type { NodeEvent, Transaction } from "./flow.ts";

export class Scope implements Transaction {
  readonly seed: number;
  readonly timestampMs: number;
  readonly deadlineMs: number | undefined;
  readonly clock: Clock;
  readonly observe: ((event: NodeEvent) => void) | undefined;
  private readonly parent: Transaction;
  private own: { readonly reason: unknown } | undefined;
  private controller: AbortController | undefined;
  private listeners: Set<() => void> | undefined;
  private unlink: (() => void) | undefined;

  constructor(parent: Transaction, observe: ((event: NodeEvent) => void) | undefined) {
    this.seed = parent.seed;
    this.timestampMs = parent.timestampMs;
    this.deadlineMs = parent.deadlineMs;
    this.clock = parent.clock;
    this.observe = observe;
    this.parent = parent;
    this.own = undefined;
    this.controller = undefined;
    this.listeners = undefined;
    this.unlink = undefined;
  }

  get id(): string {
    return this.parent.id;
  }

  /** Made inside another run: that run keeps the deadline. */
  get isInner(): boolean {
    return this.parent instanceof Scope;
  }

  get aborted(): boolean {
    return this.own !== undefined || isAborted(this.parent);
  }

  get reason(): unknown {
    if (this.own !== undefined) return this.own.reason;
    return this.parent instanceof Scope ? this.parent.reason : this.parent.signal.reason;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.aborted) this.controller.abort(this.reason);
      else this.link();
    }
    return this.controller.signal;
  }

  abort(reason: unknown): void {
    if (this.own !== undefined) return;
    this.own = { reason };
    this.close();
    this.controller?.abort(reason);
    const { listeners } = this;
    this.listeners = undefined;
    if (listeners !== undefined) for (const listener of listeners) listener();
  }

  /** Calls `listener` once, when this scope or one above it is aborted; returns how to take it back. */
  onAbort(listener: () => void): () => void {
    if (this.aborted) {
      listener();
      return () => {};
    }
    this.listeners ??= new Set();
    this.listeners.add(listener);
    this.link();
    return () => {
      this.listeners?.delete(listener);
    };
  }

  /** Lets go of the scope above: what is aborted there from now on no longer arrives. */
  close(): void {
    this.unlink?.();
    this.unlink = undefined;
  }

  private link(): void {
    if (this.unlink !== undefined) return;
    const { parent } = this;
    if (parent instanceof Scope) {
      this.unlink = parent.onAbort(() => this.abort(parent.reason));
      return;
    }
    const { signal } = parent;
    const onAbort = (): void => this.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.unlink = () => signal.removeEventListener("abort", onAbort);
  }
}

/** Whether a transaction was aborted, without making its signal. */
export function isAborted(transaction: Transaction): boolean {
  return transaction.aborted ?? transaction.signal.aborted;
}
