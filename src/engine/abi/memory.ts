// A guest's linear memory as the host sees it: views that stay valid when the guest grows its memory, and where memories are put back
// after each transaction, an account of what the host wrote.

import { DIRTY_PAGE_SHIFT } from "../../component/instrument/dirty-map.ts";
import { trap } from "../trap.ts";
import type { PointerSize } from "./layout.ts";

/** What rewritten code keeps of a memory: see `component/instrument/instrument.ts`. */
export interface MemoryState {
  /** The number of 64 KiB pages that the guest sees; the memory itself may be larger. */
  readonly pages?: WebAssembly.Global | undefined;
  /** A byte for each 4 KiB that was written to; undefined where everything is put back. */
  readonly dirty?: Uint8Array | undefined;
}

const PAGE_BYTES = 65_536;

export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly pointer: PointerSize;
  readonly state: MemoryState;
  #bytes: Uint8Array;
  #view: DataView;
  /** At most the size: asking for it is slow. */
  #known: number;

  constructor(memory: WebAssembly.Memory, state: MemoryState = {}) {
    this.memory = memory;
    this.pointer = pointerSizeOf(memory);
    this.state = state;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#known = this.size;
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

  /** In bytes, as the guest sees it. */
  get size(): number {
    const { pages } = this.state;
    return pages === undefined ? this.bytes.length : Number(pages.value) * PAGE_BYTES;
  }

  /** Whether all bytes in front of `end` lie in the memory. */
  holds(end: number): boolean {
    if (end <= this.#known) return true;
    this.#known = this.size;
    return end <= this.#known;
  }

  /** The memory was put back: it may have become smaller. */
  forgetSize(): void {
    this.#known = 0;
  }

  /** The host writes `size` bytes at `at`, which lie in the memory. */
  mark(at: number, size: number): void {
    const { dirty } = this.state;
    if (dirty === undefined || size === 0) return;
    const last = (at + size - 1) / 2 ** DIRTY_PAGE_SHIFT;
    for (let page = Math.floor(at / 2 ** DIRTY_PAGE_SHIFT); page <= last; page++) dirty[page] = 1;
  }

  #refresh(): void {
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
  }
}

/** Traps unless `size` bytes from `at` lie in memory and `at` is a multiple of `align` (a power of two). */
export function checkRange(memory: LinearMemory, at: number, size: number, align: number, what: string): void {
  if (at % align !== 0) trap(`${what}: pointer not aligned`);
  if (!memory.holds(at + size)) trap(`${what}: pointer/length out of bounds of memory`);
}

/** The same, for bytes that the host is about to write. */
export function checkWrite(memory: LinearMemory, at: number, size: number, align: number, what: string): void {
  checkRange(memory, at, size, align, what);
  memory.mark(at, size);
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
