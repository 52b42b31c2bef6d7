// From what stands in a form to JSON, with every mistake and its place. The server reads the JSON by the type itself: what is found
// here is found sooner, and beside its field.

import type { Json } from "../../src/wit/json.ts";
import { draftOf, type Draft, type Mistake, type Row } from "./draft.ts";
import type { Shape, ShapeField } from "./shape.ts";

const FLOAT_WORDS: readonly string[] = ["NaN", "Infinity", "-Infinity", "-0"];

/** The JSON of a draft; it means nothing where there are mistakes. */
export function valueOf(shape: Shape, draft: Draft, path = "", mistakes: Mistake[] = []): Json {
  return new ValueReader(mistakes).read(shape, draft, path);
}

/** The JSON that a person wrote for a shape, in its exact form. */
export function valueOfText(shape: Shape, text: string, path: string, mistakes: Mistake[]): Json {
  let json: unknown;
  try {
    json = JSON.parse(text, exact);
  } catch (error) {
    mistakes.push({ path, message: `not JSON: ${error instanceof Error ? error.message : String(error)}` });
    return null;
  }
  return shape.kind === "raw" ? plain(json) : valueOf(shape, draftOf(shape, json, path, mistakes), path, mistakes);
}

/** Integers that a number does not hold stay as they were written. */
function exact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const { source } = context ?? {};
  const isLost = typeof value === "number" && source !== undefined && /^-?\d+$/.test(source) && !Number.isSafeInteger(value);
  return isLost ? source : value;
}

function plain(json: unknown): Json {
  const value: Json = JSON.parse(JSON.stringify(json));
  return value;
}

class ValueReader {
  readonly #mistakes: Mistake[];

  constructor(mistakes: Mistake[]) {
    this.#mistakes = mistakes;
  }

  // oxlint-disable-next-line complexity -- one case a kind
  read(shape: Shape, draft: Draft, path: string): Json {
    switch (shape.kind) {
      case "boolean":
        return draft.kind === "switch" && draft.isOn;
      case "integer":
        return this.#integer(shape, textOf(draft), path);
      case "float":
        return this.#float(shape, textOf(draft), path);
      case "text":
        return this.#text(shape, textOf(draft), path);
      case "enum":
        return textOf(draft);
      case "flags":
        return draft.kind === "labels" ? draft.on : [];
      case "record":
        return this.#record(shape.fields, partsOf(draft), path);
      case "tuple":
        return shape.items.map((item, i) => this.#part(item, partsOf(draft)[i], `${path}[${i}]`));
      case "list":
        return this.#list(shape, rowsOf(draft), path);
      case "map":
        return this.#map(shape.value, rowsOf(draft), path);
      case "bytes":
        return this.#bytes(shape, draft, path);
      case "option":
        return draft.kind === "option" && draft.isGiven ? this.read(shape.inner, draft.inner, path) : null;
      case "variant": {
        if (draft.kind !== "case") return null;
        const payload = shape.cases.find(({ name }) => name === draft.name)?.shape;
        return payload === undefined ? draft.name : { [draft.name]: this.#part(payload, draft.inner, `${path}.${draft.name}`) };
      }
      case "raw":
        return valueOfText(shape, textOf(draft), path, this.#mistakes);
    }
  }

  #wrong(path: string, message: string): null {
    this.#mistakes.push({ path, message });
    return null;
  }

  #part(shape: Shape, draft: Draft | undefined, path: string): Json {
    return draft === undefined ? null : this.read(shape, draft, path);
  }

  #integer({ min, max, isBig }: Shape & { kind: "integer" }, text: string, path: string): Json {
    const trimmed = text.trim();
    const number = Number(trimmed);
    const isIn = number >= (min ?? -Infinity) && number <= (max ?? Infinity);
    if (!/^[+-]?\d{1,64}$/.test(trimmed) || !isIn) return this.#wrong(path, `expected a whole number${rangeText(min, max)}`);
    if (Number.isSafeInteger(number)) return number + 0;
    return isBig ? String(BigInt(trimmed.replace(/^\+/, ""))) : number;
  }

  #float({ min, max }: Shape & { kind: "float" }, text: string, path: string): Json {
    const trimmed = text.trim();
    if (FLOAT_WORDS.includes(trimmed)) return trimmed;
    const number = Number(trimmed);
    const isIn = number >= (min ?? -Infinity) && number <= (max ?? Infinity);
    if (trimmed !== "" && Number.isFinite(number) && isIn) return number;
    return this.#wrong(
      path,
      `expected a number${rangeText(min, max)}${min === undefined ? ", or NaN, Infinity, -Infinity" : ""}`,
    );
  }

  #text({ min = 0, max = Infinity }: Shape & { kind: "text" }, text: string, path: string): Json {
    const length = max === Infinity && min <= 1 ? text.length : Array.from(text).length;
    if (length >= min && length <= max) return text;
    if (min === max) return this.#wrong(path, `expected exactly ${countOf(min, "character")}`);
    return length < min
      ? this.#wrong(path, min === 1 ? "needs a text" : `expected at least ${countOf(min, "character")}`)
      : this.#wrong(path, `expected at most ${countOf(max, "character")}, there are ${length}`);
  }

  #record(fields: readonly ShapeField[], parts: readonly Draft[], path: string): Json {
    const object: Record<string, Json> = {};
    fields.forEach(({ name, shape, isRequired }, i) => {
      const value = this.#part(shape, parts[i], `${path}.${name}`);
      if (value !== null || isRequired) setOwn(object, name, value);
    });
    return object;
  }

  #list({ item, min, max }: Shape & { kind: "list" }, rows: readonly Row[], path: string): Json {
    if (rows.length < min || rows.length > max) {
      const count = min === max ? `exactly ${min}` : rows.length < min ? `at least ${min}` : `at most ${max}`;
      this.#wrong(path, `expected ${count}, there ${rows.length === 1 ? "is" : "are"} ${rows.length}`);
    }
    return rows.map((row, i) => this.read(item, row.draft, `${path}[${i}]`));
  }

  /** An object, unless it would change the order of its keys, or where a key is there twice. */
  #map(shape: Shape, rows: readonly Row[], path: string): Json {
    const pairs = rows.map((row, i): [string, Json] => [row.key, this.read(shape, row.draft, `${path}[${i}]`)]);
    const object: Record<string, Json> = {};
    pairs.forEach(([key, value], i) => {
      if (Object.hasOwn(object, key)) this.#wrong(`${path}[${i}]`, `the key ${JSON.stringify(key)} is there twice`);
      setOwn(object, key, value);
    });
    const keys = Object.keys(object);
    return keys.every((key, i) => key === pairs[i]?.[0]) ? object : pairs;
  }

  #bytes({ length }: Shape & { kind: "bytes" }, draft: Draft, path: string): Json {
    if (draft.kind !== "file" && draft.kind !== "bytes") return "";
    let bytes: Uint8Array;
    try {
      if (draft.kind === "bytes" && draft.as === "text") bytes = new TextEncoder().encode(draft.text);
      else bytes = Uint8Array.fromBase64(draft.kind === "file" ? draft.base64 : draft.text);
    } catch {
      return this.#wrong(path, "this is not base64");
    }
    if (length !== undefined && bytes.length !== length)
      return this.#wrong(path, `expected exactly ${countOf(length, "byte")}, there are ${bytes.length}`);
    return bytes.toBase64();
  }
}

function rangeText(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  return min !== undefined ? ` of at least ${min}` : max !== undefined ? ` of at most ${max}` : "";
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function textOf(draft: Draft): string {
  return draft.kind === "text" ? draft.text : "";
}

function partsOf(draft: Draft): readonly Draft[] {
  return draft.kind === "parts" ? draft.parts : [];
}

function rowsOf(draft: Draft): readonly Row[] {
  return draft.kind === "rows" ? draft.rows : [];
}

function setOwn(object: object, key: string, value: Json): void {
  // A plain assignment to `__proto__` would change the prototype instead.
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
