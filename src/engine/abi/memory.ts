// A guest's linear memory as the host sees it: views that stay valid when the guest grows its memory.

import { trap } from "../trap.ts";
import type { PointerSize } from "./layout.ts";

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly pointer: PointerSize;
  #bytes: Uint8Array;
  #view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.pointer = pointerSizeOf(memory);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  /** All bytes. Not to be kept across anything that may run guest code: growing detaches it. */
  get bytes(): Uint8Array {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#view;
  }

  get size(): number {
    return this.bytes.length;
  }

  #refresh(): void {
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
  }
}

/** Traps unless `size` bytes from `at` lie in memory and `at` is a multiple of `align` (a power of two). */
export function checkRange(memory: LinearMemory, at: number, size: number, align: number, what: string): void {
  if (at % align !== 0) trap(`${what}: pointer not aligned`);
  if (at + size > memory.size) trap(`${what}: pointer/length out of bounds of memory`);
}

/** A 64-bit memory takes and gives sizes as bigints; growing by nothing tells, as the JS API has no other way to ask. */
function pointerSizeOf(memory: WebAssembly.Memory): PointerSize {
  try {
    memory.grow(0);
    return 4;
  } catch (error) {
    if (error instanceof TypeError) return 8;
    throw error;
  }
}
