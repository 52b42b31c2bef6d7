// What a guest prints and logs, and what it is denied, held back until the code that it comes from lets go of the thread: so a call can be
// begun again as if it had never run.

import type { CapabilityTransaction } from "../capabilities/capability.ts";

export class HeldOutput {
  #held: (() => void)[] = [];

  /** The transaction with all of it held back. */
  of(transaction: CapabilityTransaction): CapabilityTransaction {
    this.drop();
    const { output, log, denied } = transaction;
    if (output === undefined && log === undefined && denied === undefined) return transaction;
    return {
      ...transaction,
      output: output === undefined ? undefined : (stream, bytes) => this.#hold(() => output(stream, bytes)),
      log: log === undefined ? undefined : (record) => this.#hold(() => log(record)),
      denied: denied === undefined ? undefined : (denial) => this.#hold(() => denied(denial)),
    };
  }

  #hold(tell: () => void): void {
    if (this.#held.length === 0) queueMicrotask(() => this.flush());
    this.#held.push(tell);
  }

  flush(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const tell of held) tell();
  }

  drop(): void {
    if (this.#held.length > 0) this.#held = [];
  }
}
