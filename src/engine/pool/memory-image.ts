// The contents of a memory at the end of initialization, and how the memory gets them back: where rewritten code keeps account of the
// pages that were written to, only those.

import { DIRTY_PAGE_SHIFT, DIRTY_SPILL } from "../../component/instrument/dirty-map.ts";
import type { LinearMemory } from "../abi/memory.ts";
import { GROUP, type Marks } from "./marks.ts";

const WASM_PAGE = 65_536;
/** Bytes of a page of the account. */
const PAGE = 2 ** DIRTY_PAGE_SHIFT;

export class MemoryImage {
  /** The bytes in front of the trailing zeros. */
  readonly bytes: Uint8Array;

  /** `like`: another instance's image of the same memory; where they are equal its bytes are used. */
  constructor(memory: LinearMemory, like?: MemoryImage) {
    const all = memory.bytes;
    const bytes = all.subarray(0, usedLength(all));
    this.bytes = like !== undefined && equal(like.bytes, bytes) ? like.bytes : bytes.slice();
  }

  /** Puts everything back. */
  restoreAll(memory: LinearMemory): void {
    const { bytes } = this;
    memory.bytes.set(bytes);
    memory.bytes.fill(0, bytes.length);
  }

  /** Puts back the pages that are marked, and takes the marks away. */
  restoreMarked(memory: LinearMemory, marks: Marks): void {
    const { bytes } = memory;
    const pages = bytes.length / PAGE;
    const end = Math.ceil(pages / GROUP) * GROUP;
    for (let group = marks.next(0, end); group < end; group = marks.next(group + GROUP, end)) {
      const last = Math.min(group + GROUP, pages);
      for (let page = group; page < last; page++) {
        if (marks.bytes[page] !== 0) this.#restore(bytes, page * PAGE, Math.min(page * PAGE + PAGE + DIRTY_SPILL, bytes.length));
      }
      marks.bytes.fill(0, group, group + GROUP);
    }
  }

  #restore(into: Uint8Array, start: number, end: number): void {
    const { bytes } = this;
    const kept = Math.min(end, bytes.length);
    if (kept > start) into.set(bytes.subarray(start, kept), start);
    if (kept < end) into.fill(0, Math.max(start, kept), end);
  }
}

function usedLength(bytes: Uint8Array): number {
  const words = new Float64Array(bytes.buffer);
  let last = words.length;
  // -0 is a number with a bit set.
  while (last > 0 && Object.is(words[last - 1], 0)) last--;
  return last * Float64Array.BYTES_PER_ELEMENT;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  const [x, y] = [new Uint32Array(a.buffer, a.byteOffset, a.length / 4), new Uint32Array(b.buffer, b.byteOffset, b.length / 4)];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

/** Grows a memory ahead, so that it does not have to grow while a transaction runs: by `bytes`, or as far as it may. */
export function reserve(memory: LinearMemory, bytes: number): void {
  let left = Math.floor(bytes / WASM_PAGE);
  for (let step = left; left > 0 && step > 0; step = Math.min(left, step)) {
    if (grow(memory, step)) left -= step;
    else step = Math.floor(step / 2);
  }
}

function grow({ memory, pointer }: LinearMemory, pages: number): boolean {
  try {
    memory.grow((pointer === 8 ? BigInt(pages) : pages) as number);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
