// The numeric kinds: their ranges, and the typed array that a list of each is in JavaScript.

import type { ValKind, ValType } from "./types.ts";

interface IntegerRange {
  readonly min: number;
  readonly max: number;
}

/** The integers that are JS numbers. */
export const SMALL_INTEGERS = {
  s8: { min: -0x80, max: 0x7f },
  u8: { min: 0, max: 0xff },
  s16: { min: -0x8000, max: 0x7fff },
  u16: { min: 0, max: 0xffff },
  s32: { min: -0x8000_0000, max: 0x7fff_ffff },
  u32: { min: 0, max: 0xffff_ffff },
} as const satisfies Partial<Record<ValKind, IntegerRange>>;

/** The integers that are JS bigints. */
export const BIG_INTEGERS = {
  s64: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
  u64: { min: 0n, max: 2n ** 64n - 1n },
} as const;

export type SmallIntegerKind = keyof typeof SMALL_INTEGERS;
export type BigIntegerKind = keyof typeof BIG_INTEGERS;

export function isSmallInteger(kind: ValKind): kind is SmallIntegerKind {
  return Object.hasOwn(SMALL_INTEGERS, kind);
}

export function isBigInteger(kind: ValKind): kind is BigIntegerKind {
  return kind === "s64" || kind === "u64";
}

/** Whether every value of the integer type `from` is one of `to`. */
export function integerWidens(from: ValKind, to: ValKind): boolean {
  const [inner, outer] = [rangeOf(from), rangeOf(to)];
  return inner !== undefined && outer !== undefined && outer.min <= inner.min && inner.max <= outer.max;
}

function rangeOf(kind: ValKind): { readonly min: number | bigint; readonly max: number | bigint } | undefined {
  if (isSmallInteger(kind)) return SMALL_INTEGERS[kind];
  return isBigInteger(kind) ? BIG_INTEGERS[kind] : undefined;
}

export const NUMBER_ARRAYS = {
  s8: Int8Array,
  u8: Uint8Array,
  s16: Int16Array,
  u16: Uint16Array,
  s32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

export const BIGINT_ARRAYS = { s64: BigInt64Array, u64: BigUint64Array } as const;

type NumberArrayKind = keyof typeof NUMBER_ARRAYS;

export function isNumberArrayKind(kind: ValKind): kind is NumberArrayKind {
  return Object.hasOwn(NUMBER_ARRAYS, kind);
}

/** Whether `value` is the typed array that a list of `element` is. */
export function isTypedArrayOf(element: ValType, value: unknown): boolean {
  const kind = element.kind;
  if (isNumberArrayKind(kind)) return value instanceof NUMBER_ARRAYS[kind];
  return isBigInteger(kind) && value instanceof BIGINT_ARRAYS[kind];
}
