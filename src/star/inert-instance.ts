// What an instance without grants is given. What it prints is held back until the code that printed it lets go of the thread: so a
// call that turns out long can be begun again as if it had never run.

import type { CapabilityTransaction, OutputStreamName } from "../capabilities/capability.ts";
import { linkInert } from "../capabilities/inert.ts";
import type { InstanceImports } from "../engine/engine.ts";

export function inertInstance(): InstanceImports<CapabilityTransaction> {
  const { imports, prepare } = linkInert();
  const output = new HeldOutput();
  return {
    imports,
    prepare: (transaction) => prepare(output.of(transaction)),
    restart: () => output.drop(),
    finish: () => output.flush(),
  };
}

type Write = NonNullable<CapabilityTransaction["output"]>;

class HeldOutput {
  #held: { readonly stream: OutputStreamName; readonly bytes: Uint8Array }[] = [];
  #write: Write | undefined;

  /** The transaction with an output that is held back. */
  of(transaction: CapabilityTransaction): CapabilityTransaction {
    this.drop();
    this.#write = transaction.output;
    return transaction.output === undefined ? transaction : { ...transaction, output: this.#hold };
  }

  readonly #hold: Write = (stream, bytes) => {
    if (this.#held.length === 0) queueMicrotask(() => this.flush());
    this.#held.push({ stream, bytes });
  };

  flush(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const { stream, bytes } of held) this.#write?.(stream, bytes);
  }

  drop(): void {
    this.#held = [];
  }
}
