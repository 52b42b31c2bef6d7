// The bytes of an object that a guest is writing: what it writes goes in, a store takes them out. Until a store takes them, up to
// 16 MiB wait; from then on a guest that is faster than its store waits for it.

import { Changes } from "../io/changes.ts";
import { IoError } from "../io/error.ts";
import type { ByteSink } from "../io/streams.ts";

const LARGEST_WAITING_BYTES = 16 << 20;
const WINDOW_BYTES = 1 << 18;

/** What all objects that a transaction is writing may keep in memory. */
export interface SpoolBudget {
  leftBytes: number;
}

export class Spool implements ByteSink, AsyncIterable<Uint8Array> {
  readonly changes = new Changes();
  readonly #budget: SpoolBudget;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  #state: "open" | "ended" | "broken" = "open";
  #isTaken = false;
  #taker: (() => void) | undefined;

  constructor(budget: SpoolBudget) {
    this.#budget = budget;
  }

  room(): number {
    if (this.#state !== "open") return 0;
    const limit = this.#isTaken ? WINDOW_BYTES : LARGEST_WAITING_BYTES;
    return Math.max(0, Math.min(limit - this.#bytes, this.#budget.leftBytes));
  }

  write(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    this.#budget.leftBytes -= bytes.length;
    this.#wake();
  }

  /** Where nobody takes what is there, waiting for room would be for ever. */
  failure(): IoError | undefined {
    if (this.#state === "broken") return new IoError("the object could not be written");
    return this.#isTaken ? undefined : new IoError("the object is too large to be kept until write-data is called");
  }

  /** No more bytes come. */
  end(): void {
    if (this.#state === "open") this.#state = "ended";
    this.#wake();
  }

  /** What was written is worth nothing: the store that takes it fails, and the guest's stream too. */
  break(): void {
    this.#state = "broken";
    this.#drop(this.#parts.splice(0));
    this.#wake();
    this.changes.notify();
  }

  /** For one store. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#isTaken = true;
    for (;;) {
      if (this.#state === "broken") throw new Error("the guest did not finish the object");
      const part = this.#parts.shift();
      if (part !== undefined) {
        this.#drop([part]);
        this.changes.notify();
        yield part;
      } else if (this.#state === "ended") {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#taker = resolve));
      }
    }
  }

  #drop(parts: readonly Uint8Array[]): void {
    for (const { length } of parts) {
      this.#bytes -= length;
      this.#budget.leftBytes += length;
    }
  }

  #wake(): void {
    this.#taker?.();
    this.#taker = undefined;
  }
}
