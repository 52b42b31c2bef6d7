// Numbers, booleans and characters. Source: Canonical ABI, `load`, `store`, `lift_flat`, `lower_flat` of primitive types.

import type { PrimitiveKind } from "../../wit/types.ts";
import { badValue } from "../bad-value.ts";
import { trap } from "../trap.ts";
import type { Codec } from "./codec.ts";
import type { CoreType } from "./layout.ts";

export type ScalarKind = Exclude<PrimitiveKind, "string" | "error-context">;

function integer(value: unknown, kind: string, min: number, max: number): number {
  if (typeof value === "number" && value >= min && value <= max && Number.isInteger(value)) return value;
  if (typeof value === "bigint" && value >= BigInt(min) && value <= BigInt(max)) return Number(value);
  return badValue(`${kind}: an integer from ${min} to ${max}`, value);
}

function wideInteger(value: unknown, kind: "s64" | "u64"): bigint {
  const wide = typeof value === "bigint" ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
  if (wide === undefined) return badValue(`${kind}: a bigint or a safe integer`, value);
  if ((kind === "s64" ? BigInt.asIntN(64, wide) : BigInt.asUintN(64, wide)) !== wide)
    return badValue(`${kind}: an integer of 64 bits`, value);
  return wide;
}

function float(value: unknown, kind: string): number {
  return typeof value === "number" ? value : badValue(`${kind}: a number`, value);
}

function charCode(value: unknown): number {
  const code = typeof value === "string" ? value.codePointAt(0) : undefined;
  if (code === undefined || (value as string).length !== (code > 0xffff ? 2 : 1) || isSurrogate(code)) {
    return badValue("char: one Unicode scalar value", value);
  }
  return code;
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

function charFrom(code: number): string {
  if (code > 0x10ffff || isSurrogate(code)) trap("converting integer to `char`: not a Unicode scalar value");
  return String.fromCodePoint(code);
}

function scalar(
  size: 1 | 2 | 4 | 8,
  core: CoreType,
  lift: (core: never) => unknown,
  lower: (value: unknown) => unknown,
  load: (view: DataView, at: number) => unknown,
  store: (view: DataView, at: number, value: unknown) => void,
): Codec {
  return {
    size,
    align: size,
    flat: [core],
    load: (cx, at) => load(cx.memory.view, at),
    store: (cx, at, value) => store(cx.memory.view, at, value),
    liftFlat: (_cx, flat, index) => lift(flat[index] as never),
    lowerFlat: (_cx, value, flat, index) => {
      flat[index] = lower(value);
    },
    scalar: { lift: lift as (core: unknown) => unknown, lower },
  };
}

const u8 = (value: unknown): number =>
  typeof value === "number" && (value & 0xff) === value ? value : integer(value, "u8", 0, 0xff);
const s8 = (value: unknown): number =>
  typeof value === "number" && (value << 24) >> 24 === value ? value : integer(value, "s8", -0x80, 0x7f);
const u16 = (value: unknown): number =>
  typeof value === "number" && (value & 0xffff) === value ? value : integer(value, "u16", 0, 0xffff);
const s16 = (value: unknown): number =>
  typeof value === "number" && (value << 16) >> 16 === value ? value : integer(value, "s16", -0x8000, 0x7fff);
const u32 = (value: unknown): number =>
  typeof value === "number" && value >>> 0 === value ? value : integer(value, "u32", 0, 0xffff_ffff);
const s32 = (value: unknown): number =>
  typeof value === "number" && (value | 0) === value ? value : integer(value, "s32", -0x8000_0000, 0x7fff_ffff);
const bool = (value: unknown): number => (typeof value === "boolean" ? Number(value) : badValue("bool: true or false", value));

const SCALARS: Record<ScalarKind, Codec> = {
  bool: scalar(
    1,
    "i32",
    (core: number) => core !== 0,
    bool,
    (view, at) => view.getUint8(at) !== 0,
    (view, at, value) => view.setUint8(at, bool(value)),
  ),
  u8: scalar(
    1,
    "i32",
    (core: number) => core & 0xff,
    u8,
    (view, at) => view.getUint8(at),
    (view, at, value) => view.setUint8(at, u8(value)),
  ),
  s8: scalar(
    1,
    "i32",
    (core: number) => (core << 24) >> 24,
    s8,
    (view, at) => view.getInt8(at),
    (view, at, value) => view.setInt8(at, s8(value)),
  ),
  u16: scalar(
    2,
    "i32",
    (core: number) => core & 0xffff,
    u16,
    (view, at) => view.getUint16(at, true),
    (view, at, value) => view.setUint16(at, u16(value), true),
  ),
  s16: scalar(
    2,
    "i32",
    (core: number) => (core << 16) >> 16,
    s16,
    (view, at) => view.getInt16(at, true),
    (view, at, value) => view.setInt16(at, s16(value), true),
  ),
  u32: scalar(
    4,
    "i32",
    (core: number) => core >>> 0,
    u32,
    (view, at) => view.getUint32(at, true),
    (view, at, value) => view.setUint32(at, u32(value), true),
  ),
  s32: scalar(
    4,
    "i32",
    (core: number) => core | 0,
    s32,
    (view, at) => view.getInt32(at, true),
    (view, at, value) => view.setInt32(at, s32(value), true),
  ),
  u64: scalar(
    8,
    "i64",
    (core: bigint) => BigInt.asUintN(64, core),
    (value) => wideInteger(value, "u64"),
    (view, at) => view.getBigUint64(at, true),
    (view, at, value) => view.setBigUint64(at, wideInteger(value, "u64"), true),
  ),
  s64: scalar(
    8,
    "i64",
    (core: bigint) => BigInt.asIntN(64, core),
    (value) => wideInteger(value, "s64"),
    (view, at) => view.getBigInt64(at, true),
    (view, at, value) => view.setBigInt64(at, wideInteger(value, "s64"), true),
  ),
  f32: scalar(
    4,
    "f32",
    (core: number) => core,
    (value) => Math.fround(float(value, "f32")),
    (view, at) => view.getFloat32(at, true),
    (view, at, value) => view.setFloat32(at, float(value, "f32"), true),
  ),
  f64: scalar(
    8,
    "f64",
    (core: number) => core,
    (value) => float(value, "f64"),
    (view, at) => view.getFloat64(at, true),
    (view, at, value) => view.setFloat64(at, float(value, "f64"), true),
  ),
  char: scalar(
    4,
    "i32",
    (core: number) => charFrom(core >>> 0),
    charCode,
    (view, at) => charFrom(view.getUint32(at, true)),
    (view, at, value) => view.setUint32(at, charCode(value), true),
  ),
};

export function scalarCodec(kind: ScalarKind): Codec {
  return SCALARS[kind];
}
