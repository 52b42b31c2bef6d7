// WIT values as they stand in records: like `wit/json.ts`, and also what has an identity: resources, streams and futures are `#1`, `#2` …,
// numbered as they are met. list<u8> is text where it is UTF-8, else `{ "base64": … }`. 64-bit integers are decimal text.

import { StarlaneError } from "../../base/errors.ts";
import type { Json } from "../../wit/json.ts";
import { casesByName, casesOf, fieldsOf, flagsOf, isNestedOption, property } from "../../wit/shape.ts";
import type { ValType } from "../../wit/types.ts";

/** A value on its way to a record: bytes are as they are until it is known what of them is secret. */
export type Encoded = null | boolean | number | string | Uint8Array | readonly Encoded[] | { readonly [key: string]: Encoded };

/** An event as `record.ts` has it, with bytes still as bytes. */
export type DraftEvent = { readonly [key: string]: Encoded };

/** The numbers of the objects of one call, and of those made while its component was initialized. */
export class Numbering {
  #before: Numbering | undefined;
  readonly #ids = new WeakMap<object, number>();
  readonly #objects = new Map<number, object>();
  #last: number;

  constructor(before?: Numbering) {
    this.#before = before;
    this.#last = before?.last ?? 0;
  }

  get last(): number {
    return this.#last;
  }

  /** Goes on behind the objects of another numbering; what was numbered here already comes behind those. */
  continue(before: Numbering): void {
    this.#before = before;
    this.#last = Math.max(this.#last, before.last);
  }

  /** `#7`; an object that was not met before gets the next number. */
  idOf(object: object): string {
    const known = this.#known(object);
    if (known !== undefined) return `#${known}`;
    const id = ++this.#last;
    this.#ids.set(object, id);
    this.#objects.set(id, object);
    return `#${id}`;
  }

  /** The object of an id, or what `make` makes for one that was not met before. */
  objectOf(id: string, make: () => object): object {
    const number = Number(id.slice(1));
    const known = this.#objectAt(number);
    if (known !== undefined) return known;
    const made = make();
    this.#last = Math.max(this.#last, number);
    this.#ids.set(made, number);
    this.#objects.set(number, made);
    return made;
  }

  #known(object: object): number | undefined {
    return this.#ids.get(object) ?? (this.#before === undefined ? undefined : this.#before.#known(object));
  }

  #objectAt(number: number): object | undefined {
    return this.#objects.get(number) ?? (this.#before === undefined ? undefined : this.#before.#objectAt(number));
  }
}

// oxlint-disable-next-line complexity -- one case a kind
export function encode(type: ValType, value: unknown, numbers: Numbering): Encoded {
  switch (type.kind) {
    case "bool":
    case "char":
    case "string":
    case "enum":
      return typeof value === "boolean" ? value : String(value);
    case "s64":
    case "u64":
      return String(value);
    case "f32":
    case "f64":
      return typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : Object.is(value, -0)
          ? "-0"
          : String(value);
    case "record":
      return Object.fromEntries(
        fieldsOf(type).map((field) => [field.name, encode(field.type, member(value, field.key), numbers)]),
      );
    case "tuple":
      return type.types.map((item, i) => encode(item, member(value, String(i)), numbers));
    case "flags":
      return flagsOf(type).flatMap(({ label, key }) => (member(value, key) === true ? [label] : []));
    case "variant":
    case "result":
      return encodeCase(type, value, numbers);
    case "option":
      if (isNestedOption(type.type)) return encodeCase(type, value, numbers);
      return value === undefined ? null : { some: encode(type.type, value, numbers) };
    case "list":
      return encodeList(type.element, value, numbers);
    case "map":
      return Array.from(iterable(value), (entry) => [
        encode(type.key, member(entry, "0"), numbers),
        encode(type.value, member(entry, "1"), numbers),
      ]);
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return typeof value === "object" && value !== null ? numbers.idOf(value) : null;
    default:
      return Number(value);
  }
}

function encodeCase(
  type: Extract<ValType, { kind: "variant" | "result" | "option" }>,
  value: unknown,
  numbers: Numbering,
): Encoded {
  const found = casesOf(type).get(String(member(value, "tag")));
  if (found === undefined) return null;
  return { [found.name]: found.type === undefined ? null : encode(found.type, member(value, "val"), numbers) };
}

function encodeList(element: ValType, value: unknown, numbers: Numbering): Encoded {
  // A copy: the bytes may be used again when this is written.
  if (element.kind === "u8") return value instanceof Uint8Array ? value.slice() : Uint8Array.from(iterable(value), Number);
  return Array.from(iterable(value), (item) => encode(element, item, numbers));
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? property(value, key) : undefined;
}

function iterable(value: unknown): Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value ? (value as Iterable<unknown>) : [];
}

/** What stands in the file; `text` is what the bytes mean, undefined where they are no text. */
export function bytesAsJson(bytes: Uint8Array): Json {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { base64: bytes.toBase64() };
  }
}

export function asJson(value: Encoded): Json {
  if (value instanceof Uint8Array) return bytesAsJson(value);
  if (typeof value !== "object" || value === null) return value;
  if (isList(value)) return value.map(asJson);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, asJson(part)]));
}

function isList<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}

/** About how many bytes it takes in the file. */
export function sizeOf(value: Encoded): number {
  if (value instanceof Uint8Array) return value.length + 8;
  if (typeof value === "string") return value.length + 3;
  if (typeof value !== "object" || value === null) return 6;
  if (isList(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), 2);
  return Object.entries(value).reduce((sum, [key, part]) => sum + key.length + 4 + sizeOf(part), 2);
}

/** Makes the objects that stand for resources, streams and futures. */
export type MakeObject = (type: ValType, id: string) => object;

/** @throws StarlaneError `replay/bad-record` */
// oxlint-disable-next-line complexity -- one case a kind
export function decode(type: ValType, json: Json | undefined, make: MakeObject): unknown {
  switch (type.kind) {
    case "bool":
      return typeof json === "boolean" ? json : bad(type);
    case "char":
    case "string":
      return typeof json === "string" ? json : bad(type);
    case "enum":
      return typeof json === "string" && type.labels.includes(json) ? json : bad(type);
    case "s64":
    case "u64":
      return typeof json === "string" && /^-?\d{1,20}$/.test(json) ? BigInt(json) : bad(type);
    case "f32":
    case "f64":
      return typeof json === "number" || typeof json === "string" ? Number(json) : bad(type);
    case "record":
      return Object.fromEntries(fieldsOf(type).map((field) => [field.key, decode(field.type, part(json, field.name), make)]));
    case "tuple":
      return type.types.map((item, i) => decode(item, listOf(json, type)[i], make));
    case "flags": {
      const names = listOf(json, type);
      return Object.fromEntries(flagsOf(type).map(({ label, key }) => [key, names.includes(label)]));
    }
    case "variant":
    case "result":
      return decodeCase(type, json, make);
    case "option":
      if (isNestedOption(type.type)) return decodeCase(type, json, make);
      return json === null ? undefined : decode(type.type, part(json, "some"), make);
    case "list":
      return decodeList(type.element, json, make);
    case "map":
      return new Map(
        listOf(json, type).map((entry) => [
          decode(type.key, listOf(entry, type)[0], make),
          decode(type.value, listOf(entry, type)[1], make),
        ]),
      );
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return typeof json === "string" && /^#\d{1,15}$/.test(json) ? make(type, json) : bad(type);
    default:
      return typeof json === "number" ? json : bad(type);
  }
}

function decodeCase(
  type: Extract<ValType, { kind: "variant" | "result" | "option" }>,
  json: Json | undefined,
  make: MakeObject,
): unknown {
  const [name = ""] = isObject(json) ? Object.keys(json) : [];
  const found = casesByName(type).get(name) ?? bad(type);
  return found.type === undefined ? { tag: found.tag } : { tag: found.tag, val: decode(found.type, part(json, name), make) };
}

function decodeList(element: ValType, json: Json | undefined, make: MakeObject): unknown {
  if (element.kind === "u8") return bytesOf(json) ?? bad({ kind: "list", element });
  return listOf(json, { kind: "list", element }).map((item) => decode(element, item, make));
}

/** The bytes of what `bytesAsJson` wrote. */
export function bytesOf(json: Json | undefined): Uint8Array | undefined {
  if (typeof json === "string") return new TextEncoder().encode(json);
  const base64 = isObject(json) ? json["base64"] : undefined;
  if (typeof base64 !== "string") return undefined;
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return undefined;
  }
}

function part(json: Json | undefined, key: string): Json | undefined {
  return isObject(json) && Object.hasOwn(json, key) ? json[key] : undefined;
}

function listOf(json: Json | undefined, type: ValType): readonly Json[] {
  return json !== undefined && json !== null && typeof json === "object" && isList(json) ? json : bad(type);
}

export function isObject(json: Json | undefined): json is { readonly [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function bad(type: ValType): never {
  throw new StarlaneError("replay/bad-record", `the record has a value that is no ${type.kind}`, {
    cure: "The function has another type than when the record was made, or the file was changed.",
  });
}

/** Whether a value of the type can hold a stream or a future. */
export function holdsStreams(type: ValType): boolean {
  return holds(type, STREAMS);
}

export function holdsResources(type: ValType): boolean {
  return holds(type, RESOURCES);
}

const STREAMS: ReadonlySet<ValType["kind"]> = new Set(["stream", "future"]);
const RESOURCES: ReadonlySet<ValType["kind"]> = new Set(["own", "borrow"]);

function holds(type: ValType, kinds: ReadonlySet<ValType["kind"]>): boolean {
  if (kinds.has(type.kind)) return true;
  const inner = (part: ValType | undefined): boolean => part !== undefined && holds(part, kinds);
  switch (type.kind) {
    case "record":
      return type.fields.some((field) => inner(field.type));
    case "tuple":
      return type.types.some(inner);
    case "list":
      return inner(type.element);
    case "map":
      return inner(type.key) || inner(type.value);
    case "option":
      return inner(type.type);
    case "variant":
      return type.cases.some((item) => inner(item.type));
    case "result":
      return inner(type.ok) || inner(type.error);
    default:
      return false;
  }
}

type StreamType = Extract<ValType, { kind: "stream" | "future" }>;

/** The value with every stream and future in it replaced. */
export function replaceStreams(type: ValType, value: unknown, replace: (type: StreamType, value: object) => object): unknown {
  if (!holdsStreams(type)) return value;
  const inner = (of: ValType | undefined, part: unknown): unknown =>
    of === undefined ? part : replaceStreams(of, part, replace);
  switch (type.kind) {
    case "stream":
    case "future":
      return typeof value === "object" && value !== null ? replace(type, value) : value;
    case "record":
      return Object.fromEntries(fieldsOf(type).map((field) => [field.key, inner(field.type, member(value, field.key))]));
    case "tuple":
      return type.types.map((item, i) => inner(item, member(value, String(i))));
    case "list":
      return Array.from(iterable(value), (item) => inner(type.element, item));
    case "option":
      if (!isNestedOption(type.type)) return value === undefined ? undefined : inner(type.type, value);
      return inCase(type, value, inner);
    case "variant":
    case "result":
      return inCase(type, value, inner);
    default:
      return value;
  }
}

function inCase(
  type: Extract<ValType, { kind: "variant" | "result" | "option" }>,
  value: unknown,
  inner: (of: ValType | undefined, part: unknown) => unknown,
): unknown {
  const found = casesOf(type).get(String(member(value, "tag")));
  return found?.type === undefined ? value : { tag: found.tag, val: inner(found.type, member(value, "val")) };
}

const CHUNKED = new Set(["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"]);

/** What a host's stream gives at a time: several numbers, or one element of another type. */
export function chunkType(element: ValType): ValType {
  return CHUNKED.has(element.kind) ? { kind: "list", element } : element;
}

/** A chunk as a value of `chunkType`. */
export function asChunk(element: ValType, chunk: unknown): unknown {
  return !CHUNKED.has(element.kind) || ArrayBuffer.isView(chunk) || Array.isArray(chunk) ? chunk : [chunk];
}
