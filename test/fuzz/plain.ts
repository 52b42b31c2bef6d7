// Between the JS values that the engine gives and takes and the plain data of the oracle.

import type { ValType } from "../../src/wit/types.ts";
import { camelCase } from "../../src/wit/types.ts";
import type { Plain } from "./oracle.ts";
import type { Encoding } from "./oracle-side.ts";
import { encodeUtf16, encodeUtf8, type PlainText } from "./oracle-strings.ts";

/** A host's text, as the sender whose encoding is the receiver's own: so the host lowers without converting. */
function textFor(encoding: Encoding, text: string): PlainText {
  const points = Array.from(text, (char) => char.codePointAt(0) ?? 0);
  const wide = encoding === "latin1+utf16" && points.some((point) => point >= 0x100);
  const units =
    encoding === "utf8"
      ? encodeUtf8(points).length
      : encoding === "utf16" || wide
        ? encodeUtf16(points).length / 2
        : points.length;
  return { points, encoding, units, wide };
}

/** A JS value that the engine takes for `type`, as plain data. */
// oxlint-disable-next-line complexity -- one case a kind
export function plainOf(type: ValType, value: unknown, encoding: Encoding): Plain {
  const inner = (part: ValType, one: unknown): Plain => plainOf(part, one, encoding);
  switch (type.kind) {
    case "bool":
      return { kind: "bool", value: value === true };
    case "f32":
    case "f64":
      return { kind: "float", value: Number(value) };
    case "char":
      return { kind: "char", point: String(value).codePointAt(0) ?? 0 };
    case "string":
      return { kind: "text", text: textFor(encoding, String(value)) };
    case "flags":
      return { kind: "flags", set: type.labels.map((label) => property(value, camelCase(label)) === true) };
    case "enum":
      return { kind: "case", index: type.labels.indexOf(String(value)) };
    case "list":
      return { kind: "items", items: Array.from(value as Iterable<unknown>, (one) => inner(type.element, one)) };
    case "map":
      return {
        kind: "items",
        items: Array.from(value as Map<unknown, unknown>, ([key, one]) => ({
          kind: "items",
          items: [inner(type.key, key), inner(type.value, one)],
        })),
      };
    case "record":
      return { kind: "items", items: type.fields.map((field) => inner(field.type, property(value, camelCase(field.name)))) };
    case "tuple":
      return { kind: "items", items: type.types.map((part, i) => inner(part, (value as readonly unknown[])[i])) };
    case "variant": {
      const index = type.cases.findIndex((one) => one.name === property(value, "tag"));
      return caseOf(index, type.cases[index]?.type, property(value, "val"), inner);
    }
    case "result": {
      const index = property(value, "tag") === "ok" ? 0 : 1;
      return caseOf(index, index === 0 ? type.ok : type.error, property(value, "val"), inner);
    }
    case "option": {
      if (type.type.kind === "option") {
        const some = property(value, "tag") === "some";
        return caseOf(some ? 1 : 0, some ? type.type : undefined, property(value, "val"), inner);
      }
      return caseOf(value === undefined ? 0 : 1, value === undefined ? undefined : type.type, value, inner);
    }
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      throw new TypeError("the oracle has no handles");
    default:
      return { kind: "int", value: BigInt(value as number | bigint) };
  }
}

function property(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function caseOf(
  index: number,
  type: ValType | undefined,
  payload: unknown,
  inner: (type: ValType, value: unknown) => Plain,
): Plain {
  return { kind: "case", index, payload: type === undefined ? undefined : inner(type, payload) };
}

/** Equal values; how a text was encoded is not part of its value. */
export function samePlain(a: Plain, b: Plain): boolean {
  if (a.kind === "float" && b.kind === "float") return Object.is(a.value, b.value);
  if (a.kind === "text" && b.kind === "text") return String(a.text.points) === String(b.text.points);
  if (a.kind === "items" && b.kind === "items") return sameItems(a.items, b.items, samePlain);
  if (a.kind === "flags" && b.kind === "flags") return sameItems(a.set, b.set, Object.is);
  if (a.kind === "case" && b.kind === "case") {
    if (a.index !== b.index) return false;
    return a.payload === undefined || b.payload === undefined ? a.payload === b.payload : samePlain(a.payload, b.payload);
  }
  if (a.kind === "bool" || a.kind === "int") return b.kind === a.kind && a.value === b.value;
  if (a.kind === "char" && b.kind === "char") return a.point === b.point;
  return a.kind === "handle" && b.kind === "handle" && a.index === b.index;
}

function sameItems<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((item, i) => same(item, b[i] as T));
}

/** As a host sees it: of several entries of a map with one key the last one counts, in the place of the first. */
export function forHost(type: ValType, value: Plain): Plain {
  if (value.kind === "case" && value.payload !== undefined) {
    const payload = payloadType(type, value.index);
    return payload === undefined ? value : { ...value, payload: forHost(payload, value.payload) };
  }
  if (value.kind !== "items") return value;
  switch (type.kind) {
    case "list":
      return { kind: "items", items: value.items.map((item) => forHost(type.element, item)) };
    case "record":
      return { kind: "items", items: value.items.map((item, i) => forHost(type.fields[i]?.type ?? type, item)) };
    case "tuple":
      return { kind: "items", items: value.items.map((item, i) => forHost(type.types[i] ?? type, item)) };
    case "map":
      return {
        kind: "items",
        items: lastOfEachKey(value.items.map((pair) => forHost({ kind: "tuple", types: [type.key, type.value] }, pair))),
      };
    default:
      return value;
  }
}

function lastOfEachKey(pairs: readonly Plain[]): readonly Plain[] {
  const kept: Plain[] = [];
  for (const pair of pairs) {
    const at = kept.findIndex((one) => samePlain(keyOf(one), keyOf(pair)));
    if (at < 0) kept.push(pair);
    else kept[at] = { kind: "items", items: [keyOf(kept[at] as Plain), valueOf(pair)] };
  }
  return kept;
}

const keyOf = (pair: Plain): Plain => (pair.kind === "items" ? (pair.items[0] ?? pair) : pair);
const valueOf = (pair: Plain): Plain => (pair.kind === "items" ? (pair.items[1] ?? pair) : pair);

function payloadType(type: ValType, index: number): ValType | undefined {
  switch (type.kind) {
    case "variant":
      return type.cases[index]?.type;
    case "option":
      return type.type;
    case "result":
      return index === 0 ? type.ok : type.error;
    default:
      return undefined;
  }
}
