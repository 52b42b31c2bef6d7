// JSON -> JS values by WIT type: the reading half of the table in `json.ts`.

import { nearest } from "../base/diagnostics.ts";
import { assertNever, StarlaneError } from "../base/errors.ts";
import { Walk, preview, type ValueMistake } from "./mistakes.ts";
import {
  BIG_INTEGERS,
  BIGINT_ARRAYS,
  isBigInteger,
  isNumberArrayKind,
  NUMBER_ARRAYS,
  SMALL_INTEGERS,
  type BigIntegerKind,
  type SmallIntegerKind,
} from "./numeric.ts";
import { printType } from "./print-type.ts";
import { casesByName, fieldsOf, flagsOf, isNestedOption, labelsOf, type JsField, type TaggedType } from "./shape.ts";
import type { ValType } from "./types.ts";
import { isChar, shortList } from "./value.ts";

export interface JsonOptions {
  /** What paths start with: `$`, or the name of a port. */
  readonly path?: string | undefined;
}

/** Floats that JSON has no number for. */
export const FLOAT_WORDS: ReadonlyMap<string, number> = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["-0", -0],
]);

/** The JS value of some JSON and every mistake in it; `value` means nothing where there are mistakes. @throws StarlaneError `wit/no-json-form` */
export function readJson(
  type: ValType,
  json: unknown,
  options: JsonOptions = {},
): { readonly value: unknown; readonly mistakes: readonly ValueMistake[] } {
  const walk = new Walk(options.path);
  const value = read(walk, type, json);
  return { value, mistakes: walk.mistakes };
}

/** A type that JSON has nothing for. */
export function noJsonForm(type: ValType): StarlaneError {
  return new StarlaneError("wit/no-json-form", `a ${printType(type)} has no form in JSON`, {
    cure: "Connect it to another operation instead.",
  });
}

// oxlint-disable-next-line complexity -- one case a kind
function read(walk: Walk, type: ValType, json: unknown): unknown {
  switch (type.kind) {
    case "bool":
      return typeof json === "boolean" ? json : expected(walk, "true or false", json);
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return readSmallInteger(walk, type.kind, json);
    case "s64":
    case "u64":
      return readBigInteger(walk, type.kind, json);
    case "f32":
    case "f64":
      return readFloat(walk, type.kind, json);
    case "char":
      return isChar(json) ? json : expected(walk, "a text of one character", json);
    case "string":
      return readString(walk, json);
    case "record":
      return readRecord(walk, fieldsOf(type), json);
    case "tuple":
      return readTuple(walk, type.types, json);
    case "flags":
      return readFlags(walk, type, json);
    case "enum":
      return readEnum(walk, type, json);
    case "variant":
    case "result":
      return readTagged(walk, type, json);
    case "option":
      return readOption(walk, type.type, json);
    case "list":
      return readList(walk, type, json);
    case "map":
      return readMap(walk, type, json);
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

function expected(walk: Walk, what: string, json: unknown, cure?: string): undefined {
  return walk.wrong(`expected ${what}, got ${preview(json)}`, cure);
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isArray(json: unknown): json is readonly unknown[] {
  return Array.isArray(json);
}

function readSmallInteger(walk: Walk, kind: SmallIntegerKind, json: unknown): number | undefined {
  const { min, max } = SMALL_INTEGERS[kind];
  if (typeof json === "number" && Number.isInteger(json) && json >= min && json <= max) return json + 0;
  const cure = typeof json === "string" && /^-?\d+$/.test(json) ? "Write it without quotes." : undefined;
  return expected(walk, `a whole number from ${min} to ${max}`, json, cure);
}

const LONGEST_INTEGER_TEXT = 64;

function readBigInteger(walk: Walk, kind: BigIntegerKind, json: unknown): bigint | undefined {
  const { min, max } = BIG_INTEGERS[kind];
  if (typeof json === "number" && Number.isInteger(json) && !Number.isSafeInteger(json)) {
    return walk.wrong(
      `the number ${json} is beyond ±${Number.MAX_SAFE_INTEGER}, where JSON numbers are not exact`,
      `Write it as text: "${BigInt(json)}".`,
    );
  }
  const isText = typeof json === "string" && json.length <= LONGEST_INTEGER_TEXT && /^-?\d+$/.test(json);
  if (isText || (typeof json === "number" && Number.isInteger(json))) {
    const value = BigInt(json);
    if (value >= min && value <= max) return value;
  }
  return expected(walk, `a whole number from ${min} to ${max} (as a number or a decimal text)`, json);
}

function readFloat(walk: Walk, kind: "f32" | "f64", json: unknown): number | undefined {
  if (typeof json === "string") {
    return FLOAT_WORDS.get(json) ?? expected(walk, `a number, or one of ${shortList([...FLOAT_WORDS.keys()])}`, json);
  }
  if (typeof json !== "number") return expected(walk, "a number", json);
  if (kind === "f64" || !Number.isFinite(json)) return json;
  const rounded = Math.fround(json);
  return Number.isFinite(rounded) ? rounded : walk.wrong(`the number ${json} is too large for an f32`);
}

function readString(walk: Walk, json: unknown): string | undefined {
  if (typeof json !== "string") return expected(walk, "a text", json);
  if (json.isWellFormed()) return json;
  return walk.wrong("the text has a surrogate without its other half, which no WIT string can hold");
}

function readRecord(walk: Walk, fields: readonly JsField[], json: unknown): object | undefined {
  if (!isObject(json)) return expected(walk, `an object with ${shortList(fields.map((field) => field.name))}`, json);
  const meant = reportUnknownFields(walk, fields, json);
  const value: Record<string, unknown> = {};
  for (const { name, key, type } of fields) {
    if (!Object.hasOwn(json, name)) {
      if (type.kind === "option") value[key] = isNestedOption(type.type) ? { tag: "none" } : undefined;
      else if (!meant.has(name)) walk.at(name, () => walk.wrong("the field is missing"));
      continue;
    }
    walk.enter(name);
    value[key] = read(walk, type, json[name]);
    walk.leave();
  }
  return value;
}

/** The fields that were probably meant by the unknown ones: those are not also reported as missing. */
function reportUnknownFields(walk: Walk, fields: readonly JsField[], json: object): ReadonlySet<string> {
  const meant = new Set<string>();
  const known = new Set(fields.map((field) => field.name));
  for (const key of Object.keys(json)) {
    if (known.has(key)) continue;
    if (walk.full) break;
    const open = [...known].filter((name) => !Object.hasOwn(json, name));
    const guess = nearest(key, open);
    if (guess !== undefined) meant.add(guess);
    walk.at(key, () =>
      walk.wrong(
        "there is no field of that name",
        guess === undefined ? `Use one of ${shortList([...known])}.` : `Did you mean "${guess}"?`,
      ),
    );
  }
  return meant;
}

function readTuple(walk: Walk, types: readonly ValType[], json: unknown): unknown[] | undefined {
  if (!isArray(json) || json.length !== types.length) return expected(walk, `a list of exactly ${types.length}`, json);
  return types.map((type, i) => walk.at(i, () => read(walk, type, json[i])));
}

function readFlags(walk: Walk, type: ValType & { kind: "flags" }, json: unknown): object | undefined {
  if (!isArray(json)) return expected(walk, `a list of names out of ${shortList(type.labels)}`, json);
  const known = labelsOf(type);
  const set = new Set<unknown>();
  json.forEach((item, i) => {
    if (walk.full) return;
    if (typeof item !== "string" || !known.has(item)) walk.at(i, () => unknownLabel(walk, type.labels, item));
    else if (set.has(item)) walk.at(i, () => walk.wrong(`"${item}" is there twice`));
    set.add(item);
  });
  return Object.fromEntries(flagsOf(type).map(({ label, key }) => [key, set.has(label)]));
}

function readEnum(walk: Walk, type: ValType & { kind: "enum" }, json: unknown): string | undefined {
  return typeof json === "string" && labelsOf(type).has(json) ? json : unknownLabel(walk, type.labels, json);
}

function unknownLabel(walk: Walk, labels: readonly string[], json: unknown): undefined {
  const guess = typeof json === "string" ? nearest(json, labels) : undefined;
  return expected(walk, `one of ${shortList(labels)}`, json, guess === undefined ? undefined : `Did you mean "${guess}"?`);
}

interface Tagged {
  readonly tag: string;
  readonly val?: unknown;
}

function readTagged(walk: Walk, type: TaggedType, json: unknown): Tagged | undefined {
  const cases = casesByName(type);
  const keys = isObject(json) ? Object.keys(json) : [];
  const label = isObject(json) ? (keys.length === 1 ? keys[0] : undefined) : json;
  if (typeof label !== "string") {
    return expected(walk, `a text or an object with one key, out of ${shortList([...cases.keys()])}`, json);
  }
  const found = cases.get(label);
  if (found === undefined) return unknownLabel(walk, [...cases.keys()], label);
  const { name, tag, type: payload } = found;
  if (isObject(json) && payload !== undefined) return { tag, val: walk.at(name, () => read(walk, payload, json[name])) };
  if (!isObject(json) && payload === undefined) return { tag };
  return payload === undefined
    ? walk.wrong(`the case "${name}" has no payload`, `Write it as the text "${name}".`)
    : walk.wrong(`the case "${name}" needs its payload`, `Write it as {"${name}": …}.`);
}

function readOption(walk: Walk, payload: ValType, json: unknown): unknown {
  if (!isNestedOption(payload)) return json === null ? undefined : read(walk, payload, json);
  if (json === null) return { tag: "none" };
  if (isObject(json) && Object.hasOwn(json, "some") && Object.keys(json).length === 1) {
    return { tag: "some", val: walk.at("some", () => read(walk, payload, json.some)) };
  }
  return expected(walk, `null or {"some": …}`, json);
}

function readList(walk: Walk, type: ValType & { kind: "list" }, json: unknown): unknown {
  const list = typeof json === "string" && type.element.kind === "u8" ? readBase64(walk, json) : json;
  if (list === undefined && json !== undefined) return undefined;
  const length = isArray(list) || list instanceof Uint8Array ? list.length : undefined;
  if (length === undefined) return expected(walk, type.element.kind === "u8" ? "base64 text or a list of bytes" : "a list", json);
  if (type.length !== undefined && length !== type.length) {
    return walk.wrong(`expected exactly ${type.length} ${type.length === 1 ? "element" : "elements"}, got ${length}`);
  }
  return isArray(list) ? readElements(walk, type.element, list) : list;
}

function readBase64(walk: Walk, text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return expected(walk, "base64 text (or a list of bytes)", text);
  }
}

function readElements(walk: Walk, element: ValType, list: readonly unknown[]): unknown {
  const kind = element.kind;
  if (isNumberArrayKind(kind)) {
    const numbers = new NUMBER_ARRAYS[kind](list.length);
    eachElement(walk, element, list, (value, i) => (numbers[i] = Number(value)));
    return numbers;
  }
  if (isBigInteger(kind)) {
    const numbers = new BIGINT_ARRAYS[kind](list.length);
    eachElement(walk, element, list, (value, i) => (numbers[i] = typeof value === "bigint" ? value : 0n));
    return numbers;
  }
  const values: unknown[] = [];
  eachElement(walk, element, list, (value) => values.push(value));
  return values;
}

function eachElement(walk: Walk, element: ValType, list: readonly unknown[], take: (value: unknown, i: number) => void): void {
  for (let i = 0; i < list.length && !walk.full; i++) {
    walk.enter(i);
    take(read(walk, element, list[i]), i);
    walk.leave();
  }
}

function readMap(walk: Walk, type: ValType & { kind: "map" }, json: unknown): Map<unknown, unknown> | undefined {
  const value = new Map<unknown, unknown>();
  const add = (step: string | number, key: unknown, item: () => unknown): void => {
    if (walk.full) return;
    walk.enter(step);
    const result = item();
    if (value.has(key)) walk.wrong("the key is there twice");
    value.set(key, result);
    walk.leave();
  };
  if (isArray(json)) {
    json.forEach((pair, i) => {
      const entry = walk.full ? undefined : walk.at(i, () => readTuple(walk, [type.key, type.value], pair));
      if (entry !== undefined) add(i, entry[0], () => entry[1]);
    });
  } else if (isObject(json) && type.key.kind === "string") {
    for (const key of Object.keys(json)) {
      add(key, key, () => (readString(walk, key), read(walk, type.value, json[key])));
    }
  } else {
    return expected(walk, type.key.kind === "string" ? "an object" : "a list of [key, value] pairs", json);
  }
  return value;
}
