// How the host says that something may have become ready: those who wait are told once and look again. Nothing here polls, and who
// stops waiting leaves nothing behind.

import type { Maybe } from "../../engine/async/maybe.ts";

/** Told of a change, or of the reason why nothing will change any more. */
export type Listener = (failure?: { readonly reason: unknown }) => void;

/** What may change outside: wakes those who wait for it. Once it failed, waiting fails with that reason and stops the guest. */
export class Changes {
  readonly #listeners = new Set<Listener>();
  readonly #parent: Changes | undefined;
  #failure: { readonly reason: unknown } | undefined;

  /** With a parent, its changes are changes here too: so one transaction can fail while what it shares with others goes on. */
  constructor(parent?: Changes) {
    this.#parent = parent;
  }

  /** Something changed: everybody who waits looks again. */
  notify(): void {
    this.#tell();
  }

  /** Nothing will change any more (the transaction was cancelled): everybody who waits, now or later, fails with the reason. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#tell();
  }

  /** Fails when the signal aborts. Gives a function that ends this. */
  failOn(signal: AbortSignal | undefined): () => void {
    if (signal === undefined) return () => undefined;
    const onAbort = (): void => this.fail(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    return () => signal.removeEventListener("abort", onAbort);
  }

  /** Calls `listener` at the next change. Gives a function that takes it back. */
  listen(listener: Listener): () => void {
    if (this.#failure !== undefined) {
      listener(this.#failure);
      return () => undefined;
    }
    this.#listeners.add(listener);
    const stop = this.#parent?.listen(listener);
    return () => {
      this.#listeners.delete(listener);
      stop?.();
    };
  }

  /** Returns when `ready` is true: at once where it is true already. */
  until(ready: () => boolean): Maybe<void> {
    return ready() ? undefined : this.#wait(ready);
  }

  async #wait(ready: () => boolean): Promise<void> {
    do await firstOf([this]);
    while (!ready());
  }

  #tell(): void {
    const told = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of told) listener(this.#failure);
  }
}

/** Resolves at the first change of any; `timeoutMs` resolves it too. */
export function firstOf(all: Iterable<Changes>, timeoutMs?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const cleanup: (() => void)[] = [];
    let isDone = false;
    const done: Listener = (failure) => {
      isDone = true;
      for (const stop of cleanup.splice(0)) stop();
      if (failure === undefined) resolve();
      else reject(failure.reason);
    };
    if (timeoutMs !== undefined) {
      const timer = setTimeout(() => done(), timeoutMs);
      cleanup.push(() => clearTimeout(timer));
    }
    for (const changes of all) {
      const stop = changes.listen(done);
      // Told at once where it had failed before.
      if (isDone) return stop();
      cleanup.push(stop);
    }
  });
}
