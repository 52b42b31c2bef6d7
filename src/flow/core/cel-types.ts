// WIT types and values as CEL sees them: all integers are `int`, floats `double`, records types of their own with their fields, so
// that a wrong field is found before anything runs. Enums are texts, flags lists of texts, an option its value or null, a variant or
// result `{ tag, val }`.

import type * as cel from "@marcbachmann/cel-js";
import type { Json } from "../../wit/json.ts";
import { fieldsOf, flagsOf, isNestedOption, property } from "../../wit/shape.ts";
import { isRereadable } from "../../wit/value.ts";
import { ERROR_TAG, type ValType } from "../../wit/types.ts";

/** `first-name` -> `first_name`. */
export function celName(name: string): string {
  return name.replaceAll("-", "_");
}

type ToCel = (value: unknown) => unknown;

interface CelType {
  /** As the library writes it: `int`, `list<string>`. */
  readonly celType: string;
  readonly toCel: ToCel;
}

const PLAIN: ToCel = (value) => value;
const INTEGER: ToCel = (value) => (typeof value === "number" ? BigInt(value) : value);
const DYNAMIC = "dyn";

/** The types of one expression; records are registered with its environment. */
export class CelTypes {
  /** The longest list that was converted since this was set to 0. */
  largest = 0;
  private readonly environment: cel.Environment;
  private readonly known = new Map<ValType, CelType>();
  private readonly names = new Set<string>();

  constructor(environment: cel.Environment) {
    this.environment = environment;
  }

  of(type: ValType): CelType {
    let known = this.known.get(type);
    if (known === undefined) {
      known = this.make(type);
      this.known.set(type, known);
    }
    return known;
  }

  private make(type: ValType): CelType {
    switch (type.kind) {
      case "bool":
        return { celType: "bool", toCel: PLAIN };
      case "string":
      case "char":
      case "enum":
        return { celType: "string", toCel: PLAIN };
      case "f32":
      case "f64":
        return { celType: "double", toCel: PLAIN };
      case "s8":
      case "u8":
      case "s16":
      case "u16":
      case "s32":
      case "u32":
      case "s64":
      case "u64":
        return { celType: "int", toCel: INTEGER };
      case "record":
        return this.record(type);
      case "list":
        return this.list(type.element);
      case "tuple":
        return { celType: "list", toCel: this.tuple(type.types.map((item) => this.of(item).toCel)) };
      case "flags": {
        const flags = flagsOf(type);
        const toCel: ToCel = (value) => flags.filter(({ key }) => part(value, key) === true).map(({ label }) => label);
        return { celType: "list<string>", toCel };
      }
      case "option":
        return this.option(type.type);
      case "map":
        return this.map(type.key, type.value);
      case "variant":
        return { celType: DYNAMIC, toCel: tagged(new Map(type.cases.map((item) => [item.name, this.payload(item.type)]))) };
      case "result": {
        const cases = [["ok", this.payload(type.ok)] as const, [ERROR_TAG, this.payload(type.error)] as const];
        return { celType: DYNAMIC, toCel: tagged(new Map(cases)) };
      }
      default:
        return { celType: DYNAMIC, toCel: () => null };
    }
  }

  private payload(type: ValType | undefined): ToCel {
    return type === undefined ? () => null : this.of(type).toCel;
  }

  /** A record becomes an instance of a class of its own, by which the library knows its type. */
  private record(type: ValType & { kind: "record" }): CelType {
    const fields = fieldsOf(type).map(({ name, key, type: inner }) => ({ name: celName(name), key, ...this.of(inner) }));
    const name = this.freshName(type.name ?? "record");
    class CelRecord {}
    this.environment.registerType(name, {
      ctor: CelRecord,
      fields: Object.fromEntries(fields.map((field) => [field.name, field.celType])),
    });
    const toCel: ToCel = (value) => {
      const record = new CelRecord();
      for (const field of fields) Reflect.set(record, field.name, field.toCel(part(value, field.key)));
      return record;
    };
    return { celType: name, toCel };
  }

  private list(element: ValType): CelType {
    if (element.kind === "u8") return { celType: "bytes", toCel: PLAIN };
    const { celType, toCel } = this.of(element);
    const convert: ToCel = (value) => {
      const list = isRereadable(value) ? Array.from<unknown, unknown>(value, toCel) : [];
      this.largest = Math.max(this.largest, list.length);
      return list;
    };
    return { celType: `list<${celType}>`, toCel: convert };
  }

  private tuple(items: readonly ToCel[]): ToCel {
    return (value) => items.map((item, i) => item(part(value, i)));
  }

  private option(payload: ValType): CelType {
    const { toCel } = this.of(payload);
    if (!isNestedOption(payload)) return { celType: DYNAMIC, toCel: (value) => (value === undefined ? null : toCel(value)) };
    return { celType: DYNAMIC, toCel: (value) => (part(value, "tag") === "some" ? { some: toCel(part(value, "val")) } : null) };
  }

  private map(key: ValType, value: ValType): CelType {
    const [keys, values] = [this.of(key), this.of(value)];
    const toCel: ToCel = (map) => {
      if (!(map instanceof Map)) return new Map();
      this.largest = Math.max(this.largest, map.size);
      return new Map(Array.from(map, ([k, v]): [unknown, unknown] => [keys.toCel(k), values.toCel(v)]));
    };
    return { celType: `map<${keys.celType}, ${values.celType}>`, toCel };
  }

  private freshName(name: string): string {
    const base = celName(name).replaceAll(/\W/g, "");
    let fresh = /^[A-Za-z]/.test(base) && !CEL_WORDS.has(base) ? base : `${base}_type`;
    for (let i = 2; this.names.has(fresh); i++) fresh = `${base}_${i}`;
    this.names.add(fresh);
    return fresh;
  }

  /** The WIT type of a CEL type, where there is exactly one that it stands for. */
  witType(celType: string): ValType | undefined {
    const plain = PLAIN_TYPES.get(celType);
    if (plain !== undefined) return plain;
    for (const [type, known] of this.known) {
      if (type.kind === "record" && known.celType === celType) return type;
    }
    const element = /^list<(.+)>$/.exec(celType)?.[1];
    if (element === undefined) return undefined;
    const inner = this.witType(element);
    return inner === undefined ? undefined : { kind: "list", element: inner };
  }
}

/** Names that CEL itself gives a meaning: no port of an expression can have one. */
export const CEL_WORDS: ReadonlySet<string> = new Set([
  "int",
  "uint",
  "double",
  "bool",
  "string",
  "bytes",
  "list",
  "map",
  "type",
  "dyn",
  "null_type",
  "timestamp",
  "duration",
  "optional",
  "cel",
]);

const PLAIN_TYPES = new Map<string, ValType>([
  ["bool", { kind: "bool" }],
  ["string", { kind: "string" }],
  ["int", { kind: "s64" }],
  ["double", { kind: "f64" }],
  ["bytes", { kind: "list", element: { kind: "u8" } }],
]);

/** The value of an expression as JSON that `readJson` types; integers that numbers cannot hold become texts. */
export function celToJson(type: ValType, value: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) return null;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === "number")
    return Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (value === null || value === undefined) return null;
  if (type.kind === "option") {
    const inner = celToJson(type.type, isNestedOption(type.type) ? part(value, "some") : value, depth + 1);
    return isNestedOption(type.type) ? { some: inner } : inner;
  }
  if (type.kind === "record") {
    const record: Record<string, Json> = {};
    const names = new Map(type.fields.map((field) => [celName(field.name), field]));
    for (const [key, item] of entriesOf(value)) {
      const field = names.get(celName(key));
      record[field?.name ?? key] = celToJson(field?.type ?? type, item, depth + 1);
    }
    return record;
  }
  if (isRereadable(value) && !(value instanceof Map)) return listToJson(type, value, depth);
  if (type.kind === "variant" || type.kind === "result") return caseToJson(type, value, depth);
  return Object.fromEntries(entriesOf(value).map(([key, item]) => [key, celToJson(caseType(type, key), item, depth + 1)]));
}

const MAX_DEPTH = 64;

function listToJson(type: ValType, value: Iterable<unknown>, depth: number): Json {
  return Array.from(value, (item, i) => {
    const element = type.kind === "list" ? type.element : type.kind === "tuple" ? (type.types[i] ?? type) : type;
    return celToJson(element, item, depth + 1);
  });
}

/** `{ tag, val }`, as a variant came in, or JSON's own `{ case: payload }`. */
function caseToJson(type: ValType, value: unknown, depth: number): Json {
  const entries = new Map(entriesOf(value));
  const tag = entries.get("tag");
  if (typeof tag !== "string" || entries.size !== 2) {
    return Object.fromEntries(Array.from(entries, ([key, item]) => [key, celToJson(caseType(type, key), item, depth + 1)]));
  }
  const payload = entries.get("val");
  const name = type.kind === "result" && tag === ERROR_TAG ? "error" : tag;
  return payload === null || payload === undefined ? name : { [name]: celToJson(caseType(type, name), payload, depth + 1) };
}

function caseType(type: ValType, key: string): ValType {
  if (type.kind === "map") return type.value;
  if (type.kind === "variant") return type.cases.find(({ name }) => name === key)?.type ?? type;
  if (type.kind === "result") return (key === "ok" ? type.ok : type.error) ?? type;
  return type;
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  if (value instanceof Map) return Array.from(value, ([key, item]): [string, unknown] => [String(key), item]);
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

function part(value: unknown, key: string | number): unknown {
  return typeof value === "object" && value !== null ? property(value, String(key)) : undefined;
}

function tagged(cases: ReadonlyMap<string, ToCel>): ToCel {
  return (value) => {
    const tag = part(value, "tag");
    const payload = typeof tag === "string" ? cases.get(tag) : undefined;
    return new Map<string, unknown>([
      ["tag", tag],
      ["val", payload?.(part(value, "val")) ?? null],
    ]);
  };
}
