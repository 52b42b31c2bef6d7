// JS values by WIT type, in the convention of `types.ts`: whether a value is of a type, and whether two values are the same.
// Bounds: at most 50 mistakes are kept, and types nest at most 256 levels.

import { assertNever } from "../base/errors.ts";
import { preview, Walk, type ValueMistake } from "./mistakes.ts";
import { BIG_INTEGERS, isTypedArrayOf, SMALL_INTEGERS, type BigIntegerKind, type SmallIntegerKind } from "./numeric.ts";
import { casesOf, fieldsOf, flagsOf, isNestedOption, labelsOf, property, type TaggedType } from "./shape.ts";
import type { ValType } from "./types.ts";

/**
 * Every way in which `value` is not of `type`, with its place (`$.items[3].firstName`); empty where it is. Further properties of
 * an object are no mistake: hosts answer with objects of their own classes.
 */
export function checkValue(type: ValType, value: unknown, root = "$"): readonly ValueMistake[] {
  const walk = new Walk(root);
  check(walk, type, value);
  return walk.mistakes;
}

/** A list that can be read more than once: an array, a typed array, a Set… but no text and no generator. */
export function isRereadable(value: unknown): value is Iterable<unknown> {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) return true;
  const iterate: unknown = Reflect.get(value, Symbol.iterator);
  return typeof iterate === "function" && Reflect.apply(iterate, value, []) !== value;
}

// oxlint-disable-next-line complexity -- one case a kind
function check(walk: Walk, type: ValType, value: unknown): void {
  switch (type.kind) {
    case "bool":
      if (typeof value !== "boolean") expected(walk, "a boolean", value);
      return;
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return checkSmallInteger(walk, type.kind, value);
    case "s64":
    case "u64":
      return checkBigInteger(walk, type.kind, value);
    case "f32":
    case "f64":
      if (typeof value !== "number") expected(walk, "a number", value);
      return;
    case "char":
      if (!isChar(value)) expected(walk, "a string of one character", value);
      return;
    case "string":
      return checkString(walk, value);
    case "record":
      return checkRecord(walk, type, value);
    case "tuple":
      return checkTuple(walk, type.types, value);
    case "flags":
      return checkFlags(walk, type, value);
    case "enum":
      if (typeof value !== "string" || !labelsOf(type).has(value)) expected(walk, `one of ${shortList(type.labels)}`, value);
      return;
    case "variant":
    case "result":
      return checkTagged(walk, type, value);
    case "option":
      if (isNestedOption(type.type)) return checkTagged(walk, type, value);
      return value === undefined ? undefined : check(walk, type.type, value);
    case "list":
      return checkList(walk, type, value);
    case "map":
      return checkMap(walk, type, value);
    case "own":
    case "borrow":
      if (typeof value !== "object" || value === null) expected(walk, `a ${type.resource.name ?? "resource"} object`, value);
      return;
    case "stream":
    case "future":
    case "error-context":
      if (typeof value !== "object" || value === null) expected(walk, `a ${type.kind} object`, value);
      return;
    default:
      return assertNever(type);
  }
}

function expected(walk: Walk, what: string, value: unknown): undefined {
  return walk.wrong(`expected ${what}, got ${preview(value)}`);
}

/** Whether a value is a string of one Unicode scalar value. */
export function isChar(value: unknown): value is string {
  if (typeof value !== "string" || value.length === 0 || value.length > 2) return false;
  const code = value.codePointAt(0) ?? 0;
  return value.length === (code > 0xffff ? 2 : 1) && (code < 0xd800 || code > 0xdfff);
}

/** The first labels of a type, for messages. */
export function shortList(labels: readonly string[]): string {
  const shown = labels.slice(0, 8).map((label) => `"${label}"`);
  return labels.length > 8 ? `${shown.join(", ")}, … (${labels.length} in all)` : shown.join(", ");
}

function checkSmallInteger(walk: Walk, kind: SmallIntegerKind, value: unknown): void {
  const { min, max } = SMALL_INTEGERS[kind];
  const fits = typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
  if (!fits) expected(walk, `an integer from ${min} to ${max}`, value);
}

function checkBigInteger(walk: Walk, kind: BigIntegerKind, value: unknown): void {
  const { min, max } = BIG_INTEGERS[kind];
  if (typeof value !== "bigint" || value < min || value > max) expected(walk, `a bigint from ${min} to ${max}`, value);
}

function checkString(walk: Walk, value: unknown): void {
  if (typeof value !== "string") expected(walk, "a string", value);
  else if (!value.isWellFormed()) walk.wrong("the string has a surrogate without its other half, which no WIT string can hold");
}

function checkRecord(walk: Walk, type: ValType & { kind: "record" }, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return expected(walk, "an object", value);
  for (const field of fieldsOf(type)) {
    const item = property(value, field.key);
    walk.enter(field.key);
    if (item === undefined && field.type.kind !== "option") walk.wrong("the field is missing");
    else check(walk, field.type, item);
    walk.leave();
  }
}

function checkTuple(walk: Walk, types: readonly ValType[], value: unknown): void {
  if (!Array.isArray(value) || value.length !== types.length) return expected(walk, `an array of ${types.length}`, value);
  const items: readonly unknown[] = value;
  types.forEach((type, i) => walk.at(i, () => check(walk, type, items[i])));
}

function checkFlags(walk: Walk, type: ValType & { kind: "flags" }, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return expected(walk, "an object of booleans", value);
  for (const { key } of flagsOf(type)) {
    const flag = property(value, key);
    if (flag !== undefined && typeof flag !== "boolean") walk.at(key, () => expected(walk, "a boolean", flag));
  }
}

function checkTagged(walk: Walk, type: TaggedType, value: unknown): void {
  const tag = typeof value === "object" && value !== null ? property(value, "tag") : undefined;
  if (typeof value !== "object" || value === null || tag === undefined) return expected(walk, "an object { tag, val }", value);
  const cases = casesOf(type);
  const found = typeof tag === "string" ? cases.get(tag) : undefined;
  const payload = property(value, "val");
  if (found === undefined) {
    walk.at("tag", () => expected(walk, `one of ${shortList([...cases.keys()])}`, tag));
  } else if (found.type !== undefined) {
    walk.enter("val");
    check(walk, found.type, payload);
    walk.leave();
  } else if (payload !== undefined) {
    walk.at("val", () => walk.wrong(`the case "${found.name}" has no payload, got ${preview(payload)}`));
  }
}

function checkList(walk: Walk, type: ValType & { kind: "list" }, value: unknown): void {
  if (!isRereadable(value)) return expected(walk, "an array", value);
  const length = lengthOf(value);
  if (type.length !== undefined && length !== undefined && length !== type.length) {
    return expected(walk, `a list of exactly ${type.length}`, value);
  }
  if (isTypedArrayOf(type.element, value)) return;
  let count = 0;
  for (const item of value) {
    if (walk.full) return;
    walk.enter(count++);
    check(walk, type.element, item);
    walk.leave();
  }
  if (type.length !== undefined && count !== type.length) expected(walk, `a list of exactly ${type.length}`, value);
}

function lengthOf(value: Iterable<unknown>): number | undefined {
  return "length" in value && typeof value.length === "number" ? value.length : undefined;
}

function checkMap(walk: Walk, type: ValType & { kind: "map" }, value: unknown): void {
  if (!(value instanceof Map)) return expected(walk, "a Map", value);
  let i = 0;
  for (const entry of value) {
    if (walk.full) return;
    walk.enter(i++);
    checkTuple(walk, [type.key, type.value], entry);
    walk.leave();
  }
}

/**
 * Whether two values of a type are the same to a component that receives them: NaN equals NaN, 0 and -0 differ, the order of a
 * map counts, handles are equal when they are the same object. Both values must be of the type.
 */
// oxlint-disable-next-line complexity -- one case a kind
export function equalValues(type: ValType, a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  switch (type.kind) {
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return a === b; // an integer has one zero
    case "f32":
      return typeof a === "number" && typeof b === "number" && Object.is(Math.fround(a), Math.fround(b));
    case "record":
      return bothObjects(a, b, (x, y) =>
        fieldsOf(type).every((field) => equalValues(field.type, property(x, field.key), property(y, field.key))),
      );
    case "flags":
      return bothObjects(a, b, (x, y) =>
        flagsOf(type).every(({ key }) => (property(x, key) ?? false) === (property(y, key) ?? false)),
      );
    case "tuple":
      return bothObjects(a, b, (x, y) => type.types.every((item, i) => equalValues(item, Reflect.get(x, i), Reflect.get(y, i))));
    case "variant":
    case "result":
      return equalTagged(type, a, b);
    case "option":
      if (isNestedOption(type.type)) return equalTagged(type, a, b);
      return a !== undefined && b !== undefined && equalValues(type.type, a, b);
    case "list":
      return equalLists(type.element, a, b);
    case "map":
      return equalLists({ kind: "tuple", types: [type.key, type.value] }, a, b);
    case "bool":
    case "s64":
    case "u64":
    case "f64":
    case "char":
    case "string":
    case "enum":
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return false;
    default:
      return assertNever(type);
  }
}

function bothObjects(a: unknown, b: unknown, same: (a: object, b: object) => boolean): boolean {
  return typeof a === "object" && typeof b === "object" && a !== null && b !== null && same(a, b);
}

function equalTagged(type: TaggedType, a: unknown, b: unknown): boolean {
  return bothObjects(a, b, (x, y) => {
    const tag = property(x, "tag");
    if (typeof tag !== "string" || tag !== property(y, "tag")) return false;
    const payload = casesOf(type).get(tag)?.type;
    return payload === undefined || equalValues(payload, property(x, "val"), property(y, "val"));
  });
}

function equalLists(element: ValType, a: unknown, b: unknown): boolean {
  if (!isRereadable(a) || !isRereadable(b)) return false;
  if (a instanceof Uint8Array && b instanceof Uint8Array) return equalBytes(a, b);
  const others = b[Symbol.iterator]();
  for (const item of a) {
    const other = others.next();
    if (other.done === true || !equalValues(element, item, other.value)) return false;
  }
  return others.next().done === true;
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
