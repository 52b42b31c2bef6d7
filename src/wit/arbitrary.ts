// Test support: random WIT types and random JS values of a type, for property tests here and in other folders.

import fc, { type Arbitrary } from "fast-check";
import { BIG_INTEGERS, BIGINT_ARRAYS, isBigInteger, isNumberArrayKind, NUMBER_ARRAYS, SMALL_INTEGERS } from "./numeric.ts";
import { casesOf, fieldsOf, flagsOf, isNestedOption } from "./shape.ts";
import { camelCase, type PrimitiveKind, type ValType } from "./types.ts";

export interface TypeOptions {
  /** How deep types nest at most (3). */
  readonly depth?: number | undefined;
  /** Kinds that are left out, for example `map`, or fixed-length lists as `fixed-list`. */
  readonly without?: readonly (ValType["kind"] | "fixed-list")[] | undefined;
}

/** Labels that are easy to get wrong: keywords, names that every object has, acronyms, digits. */
const ODD_LABELS = ["constructor", "to-string", "value-of", "has-own-property", "proto", "record", "list", "then", "length", "URL", "is-XML", "a1-2-3"]; // prettier-ignore

const PRIMITIVES: readonly PrimitiveKind[] = [
  "bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string",
]; // prettier-ignore

const KEYS: readonly PrimitiveKind[] = ["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "char", "string"];

const label = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,2}$/) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_LABELS) },
);

function labels(maxLength: number): Arbitrary<string[]> {
  return fc.uniqueArray(label, { minLength: 1, maxLength, selector: (name) => camelCase(name).toLowerCase() });
}

/** A random type whose values have a JSON form: no handles, streams, futures or error contexts. */
export function arbitraryType(options: TypeOptions = {}): Arbitrary<ValType> {
  return typeOf(options.depth ?? 3, new Set<string>(options.without ?? []));
}

function typeOf(depth: number, without: ReadonlySet<string>): Arbitrary<ValType> {
  const keep = (kind: string, arbitrary: () => Arbitrary<ValType>): Arbitrary<ValType>[] =>
    without.has(kind) ? [] : [arbitrary()];
  const primitive = fc.constantFrom(...PRIMITIVES.filter((kind) => !without.has(kind))).map((kind): ValType => ({ kind }));
  const simple = [
    primitive,
    ...keep("enum", () => labels(5).map((names): ValType => ({ kind: "enum", labels: names }))),
    ...keep("flags", () => labels(9).map((names): ValType => ({ kind: "flags", labels: names }))),
  ];
  if (depth <= 0) return fc.oneof(...simple);
  const part = typeOf(depth - 1, without);
  const maybe = fc.option(part, { nil: undefined });
  const key = fc.constantFrom(...KEYS.filter((kind) => !without.has(kind))).map((kind): ValType => ({ kind }));
  return fc.oneof(
    ...simple,
    ...keep("list", () => part.map((element): ValType => ({ kind: "list", element }))),
    ...keep("list", () => primitive.map((element): ValType => ({ kind: "list", element }))),
    ...(without.has("list") ? [] : keep("fixed-list", () => fixedList(part))),
    ...keep("option", () => part.map((type): ValType => ({ kind: "option", type }))),
    ...keep("tuple", () => fc.array(part, { minLength: 1, maxLength: 4 }).map((types): ValType => ({ kind: "tuple", types }))),
    ...keep("record", () => record(part)),
    ...keep("variant", () => variant(maybe)),
    ...keep("result", () => fc.tuple(maybe, maybe).map(([ok, error]): ValType => ({ kind: "result", ok, error }))),
    ...keep("map", () => fc.tuple(key, part).map(([k, value]): ValType => ({ kind: "map", key: k, value }))),
  );
}

function fixedList(part: Arbitrary<ValType>): Arbitrary<ValType> {
  return fc.tuple(part, fc.integer({ min: 1, max: 4 })).map(([element, length]): ValType => ({ kind: "list", element, length }));
}

function record(part: Arbitrary<ValType>): Arbitrary<ValType> {
  return labels(5).chain((names) =>
    fc.tuple(...names.map((name) => part.map((type) => ({ name, type })))).map((fields): ValType => ({ kind: "record", fields })),
  );
}

function variant(maybe: Arbitrary<ValType | undefined>): Arbitrary<ValType> {
  return labels(4).chain((names) =>
    fc
      .tuple(...names.map((name) => maybe.map((type) => (type === undefined ? { name } : { name, type }))))
      .map((cases): ValType => ({ kind: "variant", cases })),
  );
}

const latin1 = fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code));

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 12 }) },
  // The encodings of guests change their ways at these two bounds.
  { weight: 2, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 40 }) },
  { weight: 2, arbitrary: fc.string({ unit: latin1, maxLength: 40 }) },
  { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "", "7", "0", "\u0000", "\ufeff", "\u{10ffff}", "null") },
);

const scalar = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

/** A random JS value of a type, in the form that the engine lifts: typed arrays for numeric lists, every flag present. */
export function arbitraryValue(type: ValType): Arbitrary<unknown> {
  switch (type.kind) {
    case "bool":
      return fc.boolean();
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return fc.integer(SMALL_INTEGERS[type.kind]);
    case "s64":
    case "u64":
      return fc.oneof(fc.bigInt(BIG_INTEGERS[type.kind]), fc.maxSafeNat().map(BigInt));
    case "f32":
      return fc.oneof(fc.float(), fc.constantFrom(-0, NaN, Infinity, -Infinity));
    case "f64":
      return fc.oneof(fc.double(), fc.constantFrom(-0, NaN, Infinity, -Infinity));
    case "char":
      return scalar;
    case "string":
      return text;
    case "enum":
      return fc.constantFrom(...type.labels);
    case "flags":
      return objectOf(flagsOf(type).map(({ key }) => [key, fc.boolean()]));
    case "record":
      return objectOf(fieldsOf(type).map((field) => [field.key, arbitraryValue(field.type)]));
    case "tuple":
      return fc.tuple(...type.types.map(arbitraryValue));
    case "option":
      return isNestedOption(type.type) ? taggedValue(type) : fc.option(arbitraryValue(type.type), { nil: undefined });
    case "variant":
    case "result":
      return taggedValue(type);
    case "list":
      return listValue(type);
    case "map":
      return mapValue(type);
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      throw new TypeError(`no random value of kind ${type.kind}`);
    default:
      return type;
  }
}

/** A random type and a random value of it. */
export function arbitraryTyped(options: TypeOptions = {}): Arbitrary<{ readonly type: ValType; readonly value: unknown }> {
  return arbitraryType(options).chain((type) => arbitraryValue(type).map((value) => ({ type, value })));
}

function objectOf(entries: readonly (readonly [string, Arbitrary<unknown>])[]): Arbitrary<unknown> {
  return fc
    .tuple(...entries.map(([, value]) => value))
    .map((values) => Object.fromEntries(entries.map(([key], i) => [key, values[i]])));
}

function taggedValue(type: ValType & { kind: "variant" | "result" | "option" }): Arbitrary<unknown> {
  return fc.oneof(
    ...Array.from(casesOf(type).values(), ({ tag, type: payload }) =>
      payload === undefined ? fc.constant({ tag }) : arbitraryValue(payload).map((val) => ({ tag, val })),
    ),
  );
}

function listValue({ element, length }: ValType & { kind: "list" }): Arbitrary<unknown> {
  const { kind } = element;
  const items = fc.array(
    arbitraryValue(element),
    length === undefined ? { maxLength: 6 } : { minLength: length, maxLength: length },
  );
  if (isNumberArrayKind(kind)) return items.map((list) => NUMBER_ARRAYS[kind].from(list.map(Number)));
  if (isBigInteger(kind)) return items.map((list) => BIGINT_ARRAYS[kind].from(list.filter((item) => typeof item === "bigint")));
  return items;
}

function mapValue(type: ValType & { kind: "map" }): Arbitrary<unknown> {
  return fc
    .array(fc.tuple(arbitraryValue(type.key), arbitraryValue(type.value)), { maxLength: 5 })
    .map((pairs) => new Map(pairs));
}
