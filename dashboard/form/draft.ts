// What stands in the fields of a form, which need not be a value yet: `12a` in a field for a number. Made from JSON by shape, and
// back by `value.ts`.

import type { Shape } from "./shape.ts";

export type Draft =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "switch"; readonly isOn: boolean }
  | { readonly kind: "labels"; readonly on: readonly string[] }
  | { readonly kind: "parts"; readonly parts: readonly Draft[] }
  | { readonly kind: "rows"; readonly rows: readonly Row[] }
  | { readonly kind: "option"; readonly isGiven: boolean; readonly inner: Draft }
  | { readonly kind: "case"; readonly name: string; readonly inner: Draft | undefined }
  | { readonly kind: "bytes"; readonly as: "text" | "base64"; readonly text: string }
  | { readonly kind: "file"; readonly name: string; readonly base64: string; readonly size: number };

/** Of a list or a map; `id` tells rows apart while they are moved and removed. */
export interface Row {
  readonly id: number;
  readonly key: string;
  readonly draft: Draft;
}

export interface Mistake {
  /** `tags[2].name`. */
  readonly path: string;
  readonly message: string;
}

/** What JSON starts a form with, and where it does not fit the shape; undefined: something simple. */
export function draftOf(shape: Shape, json: unknown, path = "", mistakes: Mistake[] = []): Draft {
  return new DraftReader(mistakes).read(shape, json, path);
}

let lastId = 0;

export function newRow(shape: Shape, key = "", json?: unknown): Row {
  return { id: ++lastId, key, draft: draftOf(shape, json) };
}

class DraftReader {
  readonly #mistakes: Mistake[];

  constructor(mistakes: Mistake[]) {
    this.#mistakes = mistakes;
  }

  // oxlint-disable-next-line complexity -- one case a kind
  read(shape: Shape, json: unknown, path: string): Draft {
    switch (shape.kind) {
      case "boolean":
        if (json !== undefined && typeof json !== "boolean") this.#wrong(path, "expected true or false");
        return { kind: "switch", isOn: json === true };
      case "integer":
      case "float":
        return { kind: "text", text: this.#number(shape, json, path) };
      case "text":
        if (json !== undefined && typeof json !== "string") this.#wrong(path, "expected a text");
        return { kind: "text", text: typeof json === "string" ? json : "" };
      case "enum":
        return { kind: "text", text: this.#label(shape.labels, json, path) };
      case "flags":
        return { kind: "labels", on: this.#labels(shape.labels, json, path) };
      case "record":
        return { kind: "parts", parts: this.#fields(shape, json, path) };
      case "tuple":
        return { kind: "parts", parts: this.#items(shape, json, path) };
      case "list":
        return { kind: "rows", rows: this.#rows(shape, json, path) };
      case "map":
        return { kind: "rows", rows: this.#entries(shape.value, json, path) };
      case "bytes":
        return { kind: "bytes", ...this.#bytes(json, path) };
      case "option": {
        const isGiven = json !== undefined && json !== null;
        return { kind: "option", isGiven, inner: this.read(shape.inner, isGiven ? json : undefined, path) };
      }
      case "variant":
        return this.#case(shape, json, path);
      case "raw":
        return { kind: "text", text: JSON.stringify(json, undefined, 2) ?? "null" };
    }
  }

  #wrong(path: string, message: string): void {
    this.#mistakes.push({ path, message });
  }

  #number(shape: Shape & { kind: "integer" | "float" }, json: unknown, path: string): string {
    if (json === undefined) return String(Math.min(Math.max(0, shape.min ?? 0), shape.max ?? 0));
    if (typeof json === "number" || typeof json === "string") return String(json);
    this.#wrong(path, "expected a number");
    return "";
  }

  #label(labels: readonly string[], json: unknown, path: string): string {
    if (typeof json === "string" && labels.includes(json)) return json;
    if (json !== undefined) this.#wrong(path, `expected one of ${labels.join(", ")}`);
    return labels[0] ?? "";
  }

  #labels(labels: readonly string[], json: unknown, path: string): readonly string[] {
    if (json === undefined) return [];
    if (!Array.isArray(json)) {
      this.#wrong(path, "expected a list of names");
      return [];
    }
    json.forEach((item, i) => {
      if (!labels.includes(item)) this.#wrong(`${path}[${i}]`, `expected one of ${labels.join(", ")}`);
    });
    return labels.filter((label) => json.includes(label));
  }

  #fields({ fields }: Shape & { kind: "record" }, json: unknown, path: string): readonly Draft[] {
    if (json !== undefined && !isObject(json)) this.#wrong(path, `expected an object with ${namesOf(fields)}`);
    const object = isObject(json) ? json : {};
    for (const key of Object.keys(object)) {
      if (!fields.some(({ name }) => name === key)) this.#wrong(`${path}.${key}`, "there is no field of that name");
    }
    return fields.map(({ name, shape, isRequired }) => {
      const has = Object.hasOwn(object, name);
      if (!has && isObject(json) && isRequired) this.#wrong(`${path}.${name}`, "the field is missing");
      return this.read(shape, has ? object[name] : undefined, `${path}.${name}`);
    });
  }

  #items({ items }: Shape & { kind: "tuple" }, json: unknown, path: string): readonly Draft[] {
    if (json !== undefined && (!Array.isArray(json) || json.length !== items.length))
      this.#wrong(path, `expected a list of exactly ${items.length}`);
    return items.map((item, i) => this.read(item, Array.isArray(json) ? json[i] : undefined, `${path}[${i}]`));
  }

  #rows({ item, min }: Shape & { kind: "list" }, json: unknown, path: string): readonly Row[] {
    if (Array.isArray(json)) return json.map((value, i) => this.#row("", item, value, `${path}[${i}]`));
    if (json !== undefined) this.#wrong(path, "expected a list");
    return Array.from({ length: min }, () => newRow(item));
  }

  #entries(shape: Shape, json: unknown, path: string): readonly Row[] {
    if (json === undefined) return [];
    if (isObject(json)) return Object.entries(json).map(([key, value]) => this.#row(key, shape, value, `${path}.${key}`));
    if (!Array.isArray(json)) this.#wrong(path, "expected an object");
    const pairs: readonly unknown[] = Array.isArray(json) ? json : [];
    return pairs.flatMap((pair, i) => {
      const [key, value]: readonly unknown[] = Array.isArray(pair) ? pair : [];
      if (typeof key === "string") return [this.#row(key, shape, value, `${path}[${i}]`)];
      this.#wrong(`${path}[${i}]`, "expected a key and a value");
      return [];
    });
  }

  #row(key: string, shape: Shape, json: unknown, path: string): Row {
    return { id: ++lastId, key, draft: this.read(shape, json === undefined ? null : json, path) };
  }

  #bytes(json: unknown, path: string): { readonly as: "text" | "base64"; readonly text: string } {
    const text = Array.isArray(json) ? base64Of(json) : (json ?? "");
    if (text === "") return { as: "text", text };
    if (typeof text === "string") return { as: "base64", text };
    this.#wrong(path, "expected base64 text or a list of numbers from 0 to 255");
    return { as: "base64", text: "" };
  }

  #case({ cases }: Shape & { kind: "variant" }, json: unknown, path: string): Draft {
    const [key] = isObject(json) ? Object.keys(json) : [json];
    const found = cases.find(({ name, shape }) => name === key && (shape !== undefined) === isObject(json));
    if (found === undefined && json !== undefined) this.#wrong(path, `expected one of ${namesOf(cases)}`);
    const { name, shape } = found ?? cases[0] ?? { name: "", shape: undefined };
    const payload = found !== undefined && isObject(json) ? json[name] : undefined;
    return { kind: "case", name, inner: shape && this.read(shape, payload, `${path}.${name}`) };
  }
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function namesOf(items: readonly { readonly name: string }[]): string {
  return items.map(({ name }) => name).join(", ");
}

function base64Of(items: readonly unknown[]): string | undefined {
  const isByte = (item: unknown): item is number =>
    typeof item === "number" && Number.isInteger(item) && item >= 0 && item <= 255;
  return items.every(isByte) ? Uint8Array.from(items).toBase64() : undefined;
}
