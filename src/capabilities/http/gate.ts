// Between a guest and the body of the request that it answers: nothing is taken from the client before the call of the guest has come
// back for the first time. Until then the call may be begun anew (`engine/restart.ts`), and must find everything as it was.

import type { HttpBody } from "./http-message.ts";

export class Gate {
  #waiting: (() => void)[] | undefined = [];

  /** Does it as soon as the gate is open. */
  pass(action: () => void): void {
    if (this.#waiting === undefined) action();
    else this.#waiting.push(action);
  }

  /** The call is begun anew: what it did so far never happened. */
  forget(): void {
    if (this.#waiting !== undefined) this.#waiting.length = 0;
  }

  open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const action of waiting) action();
  }
}

type Step = IteratorResult<Uint8Array, undefined>;
const DONE: Step = { done: true, value: undefined };

/** The same body behind a gate. What was asked of it before a call was begun anew is never answered. */
export function gatedBody(body: HttpBody, gate: Gate): HttpBody {
  return {
    [Symbol.asyncIterator]() {
      let made: AsyncIterator<Uint8Array> | undefined;
      const passed = (ask: (iterator: AsyncIterator<Uint8Array>) => Promise<Step>): Promise<Step> =>
        new Promise((resolve, reject) => {
          gate.pass(() => {
            made ??= body[Symbol.asyncIterator]();
            ask(made).then(resolve, reject);
          });
        });
      return {
        next: () => passed((iterator) => iterator.next()),
        return: () => passed((iterator) => iterator.return?.() ?? Promise.resolve(DONE)),
      };
    },
  };
}
