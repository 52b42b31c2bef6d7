// JSON <-> JS values by WIT type: the one table that the command line, HTTP, queues and tests use. Round trips are exact, also through
// JSON text. Bounds: at most 50 mistakes are kept, types nest at most 256 levels, the work follows the size of the value.
//
//   bool true | u8…s32 number | s64 u64 number where exact, else decimal text (both are read)
//   f32 f64 number, or "NaN" "Infinity" "-Infinity" "-0" | char string text
//   record object with WIT's own names; a field that is an option may be left out | tuple array | flags list of names | enum its name
//   variant "case" or { "case": payload } | result "ok" "error" or { "ok": … } { "error": … }
//   option null or the value; where the payload is an option itself, null or { "some": … }
//   list array; list<u8> base64 text (an array is read too)
//   map array of [key, value]; with text keys an object, unless an object would change their order (both are read)
//   own, borrow, stream, future, error-context: no JSON form

import { assertNever, StarlaneError } from "../base/errors.ts";
import { valueError } from "./mistakes.ts";
import { noJsonForm, readJson, type JsonOptions } from "./read-json.ts";
import { casesOf, fieldsOf, flagsOf, isNestedOption, property, type TaggedType } from "./shape.ts";
import type { ValType } from "./types.ts";
import { checkValue, isRereadable } from "./value.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * The JSON of a JS value.
 * @throws StarlaneError `wit/bad-value` (every mistake of the value in `data.mistakes`), `wit/no-json-form`
 */
export function toJson(type: ValType, value: unknown, options: JsonOptions = {}): Json {
  const mistakes = checkValue(type, value, options.path);
  if (mistakes.length > 0) throw valueError(mistakes);
  return write(type, value);
}

/**
 * The JS value of some JSON.
 * @throws StarlaneError `wit/bad-value` (every mistake of the JSON in `data.mistakes`), `wit/no-json-form`
 */
export function fromJson(type: ValType, json: unknown, options: JsonOptions = {}): unknown {
  const result = readJson(type, json, options);
  if (result.mistakes.length > 0) throw valueError(result.mistakes);
  return result.value;
}

// oxlint-disable-next-line complexity -- one case a kind
function write(type: ValType, value: unknown): Json {
  switch (type.kind) {
    case "bool":
    case "char":
    case "string":
    case "enum":
      return typeof value === "boolean" || typeof value === "string" ? value : unchecked();
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return typeof value === "number" ? value + 0 : unchecked(); // -0 becomes 0
    case "s64":
    case "u64":
      return typeof value === "bigint" ? writeBigInteger(value) : unchecked();
    case "f32":
      return typeof value === "number" ? writeFloat(Math.fround(value)) : unchecked();
    case "f64":
      return typeof value === "number" ? writeFloat(value) : unchecked();
    case "record":
      return writeRecord(type, objectOf(value));
    case "tuple":
      return type.types.map((item, i) => write(item, Reflect.get(objectOf(value), i)));
    case "flags":
      return writeFlags(type, objectOf(value));
    case "variant":
    case "result":
      return writeTagged(type, objectOf(value));
    case "option":
      if (!isNestedOption(type.type)) return value === undefined ? null : write(type.type, value);
      return property(objectOf(value), "tag") === "none" ? null : { some: write(type.type, property(objectOf(value), "val")) };
    case "list":
      return writeList(type.element, value);
    case "map":
      return writeMap(type, value);
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      throw noJsonForm(type);
    default:
      return assertNever(type);
  }
}

function unchecked(): never {
  throw new StarlaneError("starlane/internal", "a value was written as JSON before it was checked");
}

function objectOf(value: unknown): object {
  return typeof value === "object" && value !== null ? value : unchecked();
}

function itemsOf(value: unknown): Iterable<unknown> {
  return isRereadable(value) ? value : unchecked();
}

function writeBigInteger(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function writeFloat(value: number): Json {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  return Object.is(value, -0) ? "-0" : String(value);
}

function writeRecord(type: ValType & { kind: "record" }, value: object): Json {
  const json: Record<string, Json> = {};
  for (const field of fieldsOf(type)) json[field.name] = write(field.type, property(value, field.key));
  return json;
}

function writeFlags(type: ValType & { kind: "flags" }, value: object): Json {
  return flagsOf(type)
    .filter(({ key }) => property(value, key) === true)
    .map(({ label }) => label);
}

function writeTagged(type: TaggedType, value: object): Json {
  const { name, type: payload } = casesOf(type).get(String(property(value, "tag"))) ?? unchecked();
  return payload === undefined ? name : { [name]: write(payload, property(value, "val")) };
}

function writeList(element: ValType, value: unknown): Json {
  if (element.kind === "u8") return (value instanceof Uint8Array ? value : bytesOf(value)).toBase64();
  if (element.kind === "string" && Array.isArray(value)) return value.slice();
  return Array.from(itemsOf(value), (item) => write(element, item));
}

function bytesOf(value: unknown): Uint8Array {
  return Uint8Array.from(Array.from(itemsOf(value), Number));
}

function writeMap(type: ValType & { kind: "map" }, value: unknown): Json {
  const pairs = Array.from(itemsOf(value), (entry): [Json, Json] => [
    write(type.key, Reflect.get(objectOf(entry), 0)),
    write(type.value, Reflect.get(objectOf(entry), 1)),
  ]);
  return (type.key.kind === "string" ? writeObject(pairs) : undefined) ?? pairs;
}

/** An object of text keys in their order; undefined where an object would change it: keys like `7` come first in every JS object. */
function writeObject(pairs: readonly (readonly [Json, Json])[]): Json | undefined {
  const object: Record<string, Json> = {};
  for (const [key, value] of pairs) if (typeof key === "string") setOwn(object, key, value);
  const keys = Object.keys(object);
  return keys.length === pairs.length && keys.every((key, i) => key === pairs[i]?.[0]) ? object : undefined;
}

function setOwn(object: object, key: string, value: unknown): void {
  // A plain assignment to `__proto__` would change the prototype instead.
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
