// The account of what was written to a memory: a byte for each page, kept by rewritten code in a memory of its own. Looking for what is
// marked has to be fast, because every transaction does it: a few instructions of WebAssembly look at 64 pages at a time.

/** Pages that are looked at together. */
export const GROUP = 64;

/**
 * (module (memory (import "" "m") 1)
 *   (func (export "f") (param $at i32) (param $end i32) (result i32)
 *     (loop $more
 *       (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (local.get $at))))
 *       (if (v128.any_true (v128.or (v128.or (v128.load (local.get $at)) (v128.load offset=16 (local.get $at)))
 *           (v128.or (v128.load offset=32 (local.get $at)) (v128.load offset=48 (local.get $at)))))
 *         (then (return (local.get $at))))
 *       (local.set $at (i32.add (local.get $at) (i32.const 64)))
 *       (br $more))
 *     unreachable))
 */
const LOAD = (offset: number): number[] => [0x20, 0, 0xfd, 0x00, 0x00, offset];
const OR = [0xfd, 0x50];
const BODY = [
  [0, 0x03, 0x40],
  [0x20, 0, 0x20, 1, 0x4f, 0x04, 0x40, 0x20, 0, 0x0f, 0x0b],
  [...LOAD(0), ...LOAD(16), ...OR, ...LOAD(32), ...LOAD(48), ...OR, ...OR, 0xfd, 0x53, 0x04, 0x40, 0x20, 0, 0x0f, 0x0b],
  [0x20, 0, 0x41, 0xc0, 0x00, 0x6a, 0x21, 0, 0x0c, 0, 0x0b, 0x00, 0x0b],
].flat();
const MODULE = Uint8Array.from(
  [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    [1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f],
    [2, 7, 1, 0, 1, 0x6d, 2, 0, 1],
    [3, 2, 1, 0],
    [7, 5, 1, 1, 0x66, 0, 0],
    [10, BODY.length + 2, 1, BODY.length, ...BODY],
  ].flat(),
);

let module: WebAssembly.Module | undefined;

export class Marks {
  readonly memory: WebAssembly.Memory;
  readonly bytes: Uint8Array;
  /** The first group from `at` on with a mark in it, or `end` where there is none; all are page numbers, and multiples of `GROUP`. */
  readonly next: (at: number, end: number) => number;

  constructor(memory: WebAssembly.Memory) {
    module ??= new WebAssembly.Module(MODULE);
    const instance = new WebAssembly.Instance(module, { "": { m: memory } });
    this.memory = memory;
    this.bytes = new Uint8Array(memory.buffer);
    this.next = instance.exports.f as (at: number, end: number) => number;
  }
}
