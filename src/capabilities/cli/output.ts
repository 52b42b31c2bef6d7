// Standard streams that reach nobody directly: nothing to read, and what is printed goes to the transaction's output at once.

import type { CapabilityTransaction } from "../capability.ts";
import { InputStream, OutputStream } from "../io/streams.ts";
import type { GuestInput, GuestOutput } from "./interfaces.ts";

const ROOM = 1 << 16;

/** Standard input that is at its end. */
export const emptyInput: GuestInput = {
  isTerminal: false,
  stream: () => new InputStream(),
  readViaStream: () => [[], Promise.resolve({ tag: "ok" })],
};

/** Where the output of the transaction that runs now goes; a guest may hold a stream from before the one it prints in. */
export class TransactionOutput {
  #output: CapabilityTransaction["output"];

  start(transaction: CapabilityTransaction): void {
    this.#output = transaction.output;
  }

  to(name: "stdout" | "stderr"): GuestOutput {
    const write = (bytes: Uint8Array): void => this.#output?.(name, bytes);
    return {
      isTerminal: false,
      stream: () => new OutputStream({ room: () => ROOM, write, isLasting: true }),
      async writeViaStream(data) {
        for await (const bytes of data) write(bytes);
        return { tag: "ok" };
      },
    };
  }
}
