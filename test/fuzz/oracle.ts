// Canonical ABI, slow and direct: loading, storing, and lifting and lowering of core values, one value at a time.
// Values are plain data: see `Plain`. Bounds: `spend` of a side ends what would take too long to compare.

import type { ValType } from "../../src/wit/types.ts";
import {
  alignmentOf,
  alignUp,
  type Core,
  despecialize,
  discriminantBytes,
  flatten,
  joined,
  payloadAlignment,
  type Pointer,
  sizeOf,
} from "./oracle-layout.ts";
import { OracleTrap, type Side } from "./oracle-side.ts";
import { loadText, type PlainText, reallocate, storeText } from "./oracle-strings.ts";

/** Integers, floats, characters as numbers, flags as booleans; lists, records and tuples by position; a variant by its case. */
export type Plain =
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "char"; readonly point: number }
  | { readonly kind: "text"; readonly text: PlainText }
  | { readonly kind: "flags"; readonly set: readonly boolean[] }
  | { readonly kind: "items"; readonly items: readonly Plain[] }
  | { readonly kind: "case"; readonly index: number; readonly payload?: Plain | undefined }
  | { readonly kind: "handle"; readonly index: number };

/** A core value; integers unsigned. `nan`: these bits are a NaN of that type, which may have any payload. */
export type Flat =
  | { readonly core: "i32" | "i64"; readonly bits: bigint; readonly nan?: "f32" | "f64" | undefined }
  | { readonly core: "f32" | "f64"; readonly float: number };

function loadInteger(side: Side, at: number, bytes: number, signed = false): bigint {
  let value = 0n;
  for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(side.memory()[at + i] ?? 0);
  return signed ? BigInt.asIntN(8 * bytes, value) : value;
}

function storeInteger(side: Side, at: number, bytes: number, value: bigint): void {
  for (let i = 0; i < bytes; i++) side.memory()[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

const scratch = new DataView(new ArrayBuffer(8));

export function floatFrom(bits: bigint, bytes: 4 | 8): number {
  if (bytes === 4) scratch.setUint32(0, Number(BigInt.asUintN(32, bits)));
  else scratch.setBigUint64(0, bits);
  return bytes === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0);
}

export function bitsOf(float: number, bytes: 4 | 8): bigint {
  if (bytes === 4) scratch.setFloat32(0, float);
  else scratch.setFloat64(0, float);
  return bytes === 4 ? BigInt(scratch.getUint32(0)) : scratch.getBigUint64(0);
}

function charFrom(code: bigint): Plain {
  if (code >= 0x110000n || (code >= 0xd800n && code <= 0xdfffn)) throw new OracleTrap("not a character");
  return { kind: "char", point: Number(code) };
}

function flagsFrom(bits: bigint, count: number): Plain {
  return { kind: "flags", set: Array.from({ length: count }, (_, i) => ((bits >> BigInt(i)) & 1n) === 1n) };
}

function bitsOfFlags(set: readonly boolean[]): bigint {
  return set.reduce((bits, one, i) => bits | (one ? 1n << BigInt(i) : 0n), 0n);
}

export function load(side: Side, at: number, type: ValType): Plain {
  const plain = despecialize(type);
  const size = sizeOf(type, side.pointer);
  side.spend(1);
  switch (plain.kind) {
    case "bool":
      return { kind: "bool", value: loadInteger(side, at, 1) !== 0n };
    case "int":
      return { kind: "int", value: loadInteger(side, at, plain.bytes, plain.signed) };
    case "float":
      return { kind: "float", value: floatFrom(loadInteger(side, at, plain.bytes), plain.bytes) };
    case "char":
      return charFrom(loadInteger(side, at, 4));
    case "string":
      return {
        kind: "text",
        text: loadText(side, loadInteger(side, at, side.pointer), loadInteger(side, at + side.pointer, side.pointer)),
      };
    case "flags":
      return flagsFrom(loadInteger(side, at, size), plain.count);
    case "handle":
      return { kind: "handle", index: Number(loadInteger(side, at, 4)) };
    case "list":
      if (plain.length !== undefined) return { kind: "items", items: loadElements(side, at, plain.length, plain.element) };
      return loadList(
        side,
        loadInteger(side, at, side.pointer),
        loadInteger(side, at + side.pointer, side.pointer),
        plain.element,
      );
    case "record":
      return {
        kind: "items",
        items: places(at, plain.fields, side.pointer).map((place, i) => load(side, place, plain.fields[i] as ValType)),
      };
    case "variant": {
      const tagBytes = discriminantBytes(plain.cases.length);
      const index = loadInteger(side, at, tagBytes);
      if (index >= plain.cases.length) throw new OracleTrap("no such case");
      const payload = plain.cases[Number(index)];
      const place = alignUp(at + tagBytes, payloadAlignment(plain.cases, side.pointer));
      return { kind: "case", index: Number(index), payload: payload === undefined ? undefined : load(side, place, payload) };
    }
  }
}

/** Where the fields of a record that starts at `at` lie. */
function places(at: number, fields: readonly ValType[], pointer: Pointer): number[] {
  let next = at;
  return fields.map((field) => {
    const place = alignUp(next, alignmentOf(field, pointer));
    next = place + sizeOf(field, pointer);
    return place;
  });
}

const LONGEST_LIST = 2 ** 28 - 1;

function loadList(side: Side, begin: bigint, length: bigint, element: ValType): Plain {
  const bytes = length * BigInt(sizeOf(element, side.pointer));
  if (bytes > BigInt(LONGEST_LIST)) throw new OracleTrap("list too long");
  if (begin % BigInt(alignmentOf(element, side.pointer)) !== 0n) throw new OracleTrap("list not aligned");
  if (begin + bytes > BigInt(side.memory().length)) throw new OracleTrap("list out of bounds");
  return { kind: "items", items: loadElements(side, Number(begin), Number(length), element) };
}

function loadElements(side: Side, begin: number, length: number, element: ValType): Plain[] {
  const size = sizeOf(element, side.pointer);
  const items: Plain[] = [];
  for (let i = 0; i < length; i++) items.push(load(side, begin + i * size, element));
  return items;
}

export function store(side: Side, value: Plain, type: ValType, at: number): void {
  const plain = despecialize(type);
  const size = sizeOf(type, side.pointer);
  switch (plain.kind) {
    case "bool":
      return storeInteger(side, at, 1, as(value, "bool").value ? 1n : 0n);
    case "int":
      return storeInteger(side, at, size, as(value, "int").value);
    case "float": {
      const float = as(value, "float").value;
      if (Number.isNaN(float)) side.nans.push({ at, bytes: plain.bytes });
      return storeInteger(side, at, size, bitsOf(float, plain.bytes));
    }
    case "char":
      return storeInteger(side, at, 4, BigInt(as(value, "char").point));
    case "flags":
      return storeInteger(side, at, size, bitsOfFlags(as(value, "flags").set));
    case "handle":
      return storeInteger(side, at, 4, BigInt(as(value, "handle").index));
    case "string": {
      const { begin, tagged } = storeText(side, as(value, "text").text);
      return storePair(side, at, BigInt(begin), tagged);
    }
    case "list": {
      const { items } = as(value, "items");
      if (plain.length !== undefined) return storeElements(side, items, plain.element, at);
      return storePair(side, at, BigInt(storeList(side, items, plain.element)), BigInt(items.length));
    }
    case "record": {
      const { items } = as(value, "items");
      places(at, plain.fields, side.pointer).forEach((place, i) =>
        store(side, items[i] as Plain, plain.fields[i] as ValType, place),
      );
      return;
    }
    case "variant": {
      const { index, payload } = as(value, "case");
      const tagBytes = discriminantBytes(plain.cases.length);
      storeInteger(side, at, tagBytes, BigInt(index));
      const place = alignUp(at + tagBytes, payloadAlignment(plain.cases, side.pointer));
      const type = plain.cases[index];
      if (type !== undefined) store(side, payload as Plain, type, place);
    }
  }
}

function storePair(side: Side, at: number, begin: bigint, length: bigint): void {
  storeInteger(side, at, side.pointer, begin);
  storeInteger(side, at + side.pointer, side.pointer, length);
}

function storeList(side: Side, items: readonly Plain[], element: ValType): number {
  const begin = reallocate(side, 0, 0, alignmentOf(element, side.pointer), items.length * sizeOf(element, side.pointer));
  storeElements(side, items, element, begin);
  return begin;
}

function storeElements(side: Side, items: readonly Plain[], element: ValType, begin: number): void {
  const size = sizeOf(element, side.pointer);
  items.forEach((item, i) => store(side, item, element, begin + i * size));
}

function as<K extends Plain["kind"]>(value: Plain, kind: K): Extract<Plain, { kind: K }> {
  if (value.kind !== kind) throw new Error(`the oracle was given a ${value.kind} for a ${kind}`);
  return value as Extract<Plain, { kind: K }>;
}

/** Core values one after another, each asked for with the type it must have. */
type Next = (want: Core) => Flat;

export function reader(flats: readonly Flat[]): Next {
  let i = 0;
  return (want) => {
    const flat = flats[i++];
    if (flat?.core !== want) throw new Error(`core value ${i - 1} is ${flat?.core ?? "missing"}, not ${want}`);
    return flat;
  };
}

function bits(flat: Flat): bigint {
  if (!("bits" in flat)) throw new Error("a float where an integer was expected");
  return flat.bits;
}

function wordOf(side: Side): Core {
  return side.pointer === 4 ? "i32" : "i64";
}

export function liftFlat(side: Side, next: Next, type: ValType): Plain {
  const plain = despecialize(type);
  side.spend(1);
  switch (plain.kind) {
    case "bool":
      return { kind: "bool", value: bits(next("i32")) !== 0n };
    case "int": {
      const whole = bits(next(plain.bytes === 8 ? "i64" : "i32"));
      const width = 8 * plain.bytes;
      return { kind: "int", value: plain.signed ? BigInt.asIntN(width, whole) : BigInt.asUintN(width, whole) };
    }
    case "float": {
      const flat = next(plain.bytes === 8 ? "f64" : "f32");
      return { kind: "float", value: "float" in flat ? flat.float : NaN };
    }
    case "char":
      return charFrom(bits(next("i32")));
    case "flags":
      return flagsFrom(bits(next("i32")), plain.count);
    case "handle":
      return { kind: "handle", index: Number(bits(next("i32"))) };
    case "string": {
      const begin = bits(next(wordOf(side)));
      return { kind: "text", text: loadText(side, begin, bits(next(wordOf(side)))) };
    }
    case "list": {
      if (plain.length !== undefined) {
        const { element, length } = plain;
        return { kind: "items", items: Array.from({ length }, () => liftFlat(side, next, element)) };
      }
      const begin = bits(next(wordOf(side)));
      return loadList(side, begin, bits(next(wordOf(side))), plain.element);
    }
    case "record":
      return { kind: "items", items: plain.fields.map((field) => liftFlat(side, next, field)) };
    case "variant": {
      const slots = joined(plain.cases, side.pointer);
      const index = bits(next("i32"));
      if (index >= plain.cases.length) throw new OracleTrap("no such case");
      const type = plain.cases[Number(index)];
      let used = 0;
      const narrowed: Next = (want) => narrow(next(slots[used++] as Core), want);
      const payload = type === undefined ? undefined : liftFlat(side, narrowed, type);
      for (const rest of slots.slice(used)) next(rest);
      return { kind: "case", index: Number(index), payload };
    }
  }
}

/** A core value out of the slot that it shares with other cases. */
function narrow(flat: Flat, want: Core): Flat {
  if (flat.core === want) return flat;
  const low = BigInt.asUintN(32, bits(flat));
  if (want === "i32") return { core: "i32", bits: low };
  return want === "f32" ? { core: "f32", float: floatFrom(low, 4) } : { core: "f64", float: floatFrom(bits(flat), 8) };
}

export function lowerFlat(side: Side, value: Plain, type: ValType): Flat[] {
  const plain = despecialize(type);
  switch (plain.kind) {
    case "bool":
      return [{ core: "i32", bits: as(value, "bool").value ? 1n : 0n }];
    case "int": {
      const width = plain.bytes === 8 ? 64 : 32;
      return [{ core: width === 64 ? "i64" : "i32", bits: BigInt.asUintN(width, as(value, "int").value) }];
    }
    case "float":
      return [{ core: plain.bytes === 8 ? "f64" : "f32", float: as(value, "float").value }];
    case "char":
      return [{ core: "i32", bits: BigInt(as(value, "char").point) }];
    case "flags":
      return [{ core: "i32", bits: bitsOfFlags(as(value, "flags").set) }];
    case "handle":
      return [{ core: "i32", bits: BigInt(as(value, "handle").index) }];
    case "string": {
      const { begin, tagged } = storeText(side, as(value, "text").text);
      return pair(side, BigInt(begin), tagged);
    }
    case "list": {
      const { items } = as(value, "items");
      if (plain.length !== undefined) return items.flatMap((item) => lowerFlat(side, item, plain.element));
      return pair(side, BigInt(storeList(side, items, plain.element)), BigInt(items.length));
    }
    case "record": {
      const { items } = as(value, "items");
      return plain.fields.flatMap((field, i) => lowerFlat(side, items[i] as Plain, field));
    }
    case "variant": {
      const { index, payload } = as(value, "case");
      const slots = joined(plain.cases, side.pointer);
      const type = plain.cases[index];
      const own = type === undefined ? [] : lowerFlat(side, payload as Plain, type);
      const tag: Flat = { core: "i32", bits: BigInt(index) };
      return [tag, ...slots.map((slot, i) => (own[i] === undefined ? zero(slot) : widen(own[i], slot)))];
    }
  }
}

function pair(side: Side, begin: bigint, length: bigint): Flat[] {
  const core = side.pointer === 4 ? "i32" : "i64";
  return [
    { core, bits: begin },
    { core, bits: length },
  ];
}

function zero(slot: Core): Flat {
  return slot === "i32" || slot === "i64" ? { core: slot, bits: 0n } : { core: slot, float: 0 };
}

function widen(flat: Flat, slot: Core): Flat {
  if (flat.core === slot) return flat;
  if (slot === "f32" || slot === "f64") throw new Error(`a ${flat.core} in a slot for ${slot}`);
  if ("bits" in flat) return { core: slot, bits: flat.bits, nan: flat.nan };
  const nan = Number.isNaN(flat.float) ? flat.core : undefined;
  return { core: slot, bits: bitsOf(flat.float, flat.core === "f32" ? 4 : 8), nan };
}

/** The values of parameters or results: flat, or in memory where there are more than `most` core values. */
export function liftValues(side: Side, most: number, next: Next, types: readonly ValType[]): readonly Plain[] {
  if (types.flatMap((type) => flatten(type, side.pointer)).length <= most) return types.map((type) => liftFlat(side, next, type));
  const tuple: ValType = { kind: "tuple", types };
  return as(load(side, checked(side, bits(next(wordOf(side))), tuple), tuple), "items").items;
}

function checked(side: Side, at: bigint, type: ValType): number {
  if (at % BigInt(alignmentOf(type, side.pointer)) !== 0n) throw new OracleTrap("values not aligned");
  if (at + BigInt(sizeOf(type, side.pointer)) > BigInt(side.memory().length)) throw new OracleTrap("values out of bounds");
  return Number(at);
}

/** `place`: where the caller wants results that do not travel flat. */
export function lowerValues(
  side: Side,
  most: number,
  values: readonly Plain[],
  types: readonly ValType[],
  place?: bigint,
): Flat[] {
  if (types.flatMap((type) => flatten(type, side.pointer)).length <= most) {
    return types.flatMap((type, i) => lowerFlat(side, values[i] as Plain, type));
  }
  const tuple: ValType = { kind: "tuple", types };
  const { pointer } = side;
  const at = place ?? BigInt(side.realloc(0, 0, alignmentOf(tuple, pointer), sizeOf(tuple, pointer)));
  store(side, { kind: "items", items: values }, tuple, checked(side, at, tuple));
  return place === undefined ? [{ core: pointer === 4 ? "i32" : "i64", bits: at }] : [];
}
