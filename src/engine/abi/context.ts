// What lifting and lowering need to know of one side of a call: its memory, its allocator, its string encoding, its instance.
// Source: Canonical ABI, Canonical ABI Options; Lifting and Lowering Context.

import { StarlaneError } from "../../base/errors.ts";
import type { BorrowScope, ComponentInstance } from "../instance.ts";
import { trap } from "../trap.ts";
import type { CodecMaker } from "./codec.ts";
import type { PointerSize } from "./layout.ts";
import type { LinearMemory } from "./memory.ts";

export type StringEncoding = "utf8" | "utf16" | "latin1+utf16";

type CoreFunction = (...args: unknown[]) => unknown;

/**
 * How many bytes of host memory the values of one call may take, about: a guest can make a small memory mean a huge value, by
 * letting every element of a list point to the same bytes.
 */
const LIFT_BUDGET = 2 ** 28;

export class AbiContext {
  readonly instance: ComponentInstance;
  readonly encoding: StringEncoding;
  readonly pointer: PointerSize;
  /** How values of this side cross to the host, and to another guest. */
  readonly codecs: Readonly<Record<"host" | "guest", CodecMaker>>;
  /** The call under way, where it lends or borrows handles. */
  scope: BorrowScope | undefined;
  /** Where `lowerString` and `lowerList` leave what they allocated: a pointer, and a length in code units or elements. */
  outPointer = 0;
  outLength = 0;
  readonly #maxBytes: number;
  #budget: number;
  readonly #memory: LinearMemory | undefined;
  readonly #realloc: CoreFunction | undefined;

  constructor(
    instance: ComponentInstance,
    encoding: StringEncoding,
    memory: LinearMemory | undefined,
    realloc: CoreFunction | undefined,
    codecs: Readonly<Record<"host" | "guest", CodecMaker>>,
    maxBytes = LIFT_BUDGET,
  ) {
    this.#maxBytes = this.#budget = maxBytes;
    this.instance = instance;
    this.encoding = encoding;
    this.pointer = codecs.host.pointer;
    this.codecs = codecs;
    this.#memory = memory;
    this.#realloc = realloc;
  }

  get memoryOrNone(): LinearMemory | undefined {
    return this.#memory;
  }

  get memory(): LinearMemory {
    if (this.#memory === undefined) throw new StarlaneError("starlane/internal", "canonical function without a memory");
    return this.#memory;
  }

  startLifting(): void {
    this.#budget = this.#maxBytes;
  }

  /** Accounts for host memory that a lifted value takes, in bytes. */
  spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) trap(`a value of more than ${this.#maxBytes} bytes was passed`);
  }

  /** New bytes in the guest's memory, aligned and in bounds. */
  allocate(align: number, size: number, what: string): number {
    return this.reallocate(0, 0, align, size, what);
  }

  reallocate(old: number, oldSize: number, align: number, size: number, what: string): number {
    const at = this.#callRealloc(old, oldSize, align, size);
    if (at % align !== 0) trap(`${what}: realloc return: result not aligned`);
    const { memory } = this;
    if (!memory.holds(at + size)) trap(`${what}: realloc return: beyond end of memory`);
    memory.mark(at, size);
    return at;
  }

  #callRealloc(old: number, oldSize: number, align: number, size: number): number {
    const realloc = this.#realloc;
    if (realloc === undefined) throw new StarlaneError("starlane/internal", "canonical function without a realloc");
    if (size > 0xffff_ffff) trap("realloc: size out of range");
    const { store } = this.instance;
    this.instance.mayLeave = false;
    store.direct++;
    const at =
      this.pointer === 4
        ? (realloc(old, oldSize, align, size) as number) >>> 0
        : pointerFrom(realloc(BigInt(old), BigInt(oldSize), BigInt(align), BigInt(size)));
    store.direct--;
    this.instance.mayLeave = true;
    return at;
  }
}

/**
 * The tag of a UTF-16 length in `latin1+utf16` is the highest bit of a pointer. As a JS number the 64-bit one stands at bit 52,
 * because no number holds bit 63 exactly.
 */
export function utf16Tag(pointer: PointerSize): number {
  return pointer === 4 ? 2 ** 31 : 2 ** 52;
}

const BIT_63 = 1n << 63n;
const BEYOND_ANY_MEMORY = 2 ** 51;

/** A pointer or (tagged) length as it arrives in a core value: an i32, or an i64 of a 64-bit memory. */
export function pointerFrom(core: unknown): number {
  if (typeof core === "number") return core >>> 0;
  const wide = BigInt.asUintN(64, core as bigint);
  const low = BigInt.asUintN(63, wide);
  const at = low > BEYOND_ANY_MEMORY ? BEYOND_ANY_MEMORY : Number(low);
  return wide === low ? at : at + utf16Tag(8);
}

export function pointerTo(at: number, pointer: PointerSize): unknown {
  if (pointer === 4) return at;
  return at < utf16Tag(8) ? BigInt(at) : BigInt(at - utf16Tag(8)) | BIT_63;
}

export function loadPointer(cx: AbiContext, at: number): number {
  return cx.pointer === 4 ? cx.memory.view.getUint32(at, true) : pointerFrom(cx.memory.view.getBigUint64(at, true));
}

export function storePointer(cx: AbiContext, at: number, value: number): void {
  if (cx.pointer === 4) cx.memory.view.setUint32(at, value, true);
  else cx.memory.view.setBigUint64(at, pointerTo(value, 8) as bigint, true);
}
