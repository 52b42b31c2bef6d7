// What a form needs to know of a type, read from the JSON Schema of its JSON. What a schema says in a way that is not known here, and
// what is too large for a form, becomes `raw`: people write the JSON themselves. Bounds: DEEPEST levels, MOST_PARTS parts.

import type { JsonSchema } from "../../src/wit/json-schema.ts";

export interface ShapeField {
  readonly name: string;
  readonly shape: Shape;
  /** One that is not may be left out where it is nothing. */
  readonly isRequired: boolean;
}

export interface ShapeCase {
  readonly name: string;
  readonly shape: Shape | undefined;
}

export type Shape =
  | { readonly kind: "boolean" }
  /** `isBig`: what JSON numbers do not hold exactly is written as decimal text. */
  | { readonly kind: "integer"; readonly min?: number | undefined; readonly max?: number | undefined; readonly isBig: boolean }
  | { readonly kind: "float"; readonly min?: number | undefined; readonly max?: number | undefined }
  | { readonly kind: "text"; readonly min?: number | undefined; readonly max?: number | undefined }
  | { readonly kind: "enum"; readonly labels: readonly string[] }
  | { readonly kind: "flags"; readonly labels: readonly string[] }
  | { readonly kind: "record"; readonly fields: readonly ShapeField[] }
  | { readonly kind: "tuple"; readonly items: readonly Shape[] }
  | { readonly kind: "list"; readonly item: Shape; readonly min: number; readonly max: number }
  /** Of text keys. */
  | { readonly kind: "map"; readonly value: Shape }
  /** As base64 text; `length` in bytes. */
  | { readonly kind: "bytes"; readonly length?: number | undefined }
  | { readonly kind: "option"; readonly inner: Shape }
  | { readonly kind: "variant"; readonly cases: readonly ShapeCase[] }
  | { readonly kind: "raw" };

const DEEPEST = 16;
const MOST_PARTS = 400;
const MOST_ROWS = 100;
const RAW: Shape = { kind: "raw" };

type Schema = Readonly<Record<string, unknown>>;

/** The shape of what a schema describes. */
export function shapeOf(schema: JsonSchema): Shape {
  try {
    return new ShapeReader(schema).read(schema, 0);
  } catch (error) {
    if (error instanceof TooLarge) return RAW;
    throw error;
  }
}

class TooLarge extends Error {}

class ShapeReader {
  readonly #root: Schema;
  #left = MOST_PARTS;

  constructor(root: Schema) {
    this.#root = root;
  }

  read(schema: unknown, depth: number): Shape {
    if (depth > DEEPEST || --this.#left < 0) throw new TooLarge();
    if (!isSchema(schema)) return RAW;
    const { $ref, anyOf } = schema;
    if (typeof $ref === "string") return this.read(this.#definition($ref), depth + 1);
    const labels = labelsOf(schema);
    if (labels !== undefined) return { kind: "enum", labels };
    if (Array.isArray(anyOf)) return this.#oneOf(anyOf, depth);
    return this.#single(schema, depth);
  }

  #definition(reference: string): unknown {
    const { $defs } = this.#root;
    const name = reference.replace(/^#\/\$defs\//, "");
    return isSchema($defs) && Object.hasOwn($defs, name) ? $defs[name] : undefined;
  }

  #single(schema: Schema, depth: number): Shape {
    const { minimum: min, maximum: max } = schema;
    switch (schema["type"]) {
      case "boolean":
        return { kind: "boolean" };
      case "integer":
        return { kind: "integer", min: numberOf(min), max: numberOf(max), isBig: false };
      case "number":
        return { kind: "float", min: numberOf(min), max: numberOf(max) };
      case "string":
        return schema["contentEncoding"] === "base64"
          ? { kind: "bytes" }
          : { kind: "text", min: numberOf(schema["minLength"]), max: numberOf(schema["maxLength"]) };
      case "array":
        return this.#array(schema, depth);
      case "object":
        return this.#object(schema, depth);
      default:
        return RAW;
    }
  }

  #array(schema: Schema, depth: number): Shape {
    const { items, prefixItems } = schema;
    if (Array.isArray(prefixItems)) return { kind: "tuple", items: prefixItems.map((item) => this.read(item, depth + 1)) };
    const labels = isSchema(items) && schema["uniqueItems"] === true ? labelsOf(items) : undefined;
    if (labels !== undefined) return { kind: "flags", labels };
    const min = numberOf(schema["minItems"]) ?? 0;
    if (min > MOST_ROWS) return RAW;
    return { kind: "list", item: this.read(items, depth + 1), min, max: numberOf(schema["maxItems"]) ?? Infinity };
  }

  #object(schema: Schema, depth: number): Shape {
    const { properties, additionalProperties, required } = schema;
    if (isSchema(additionalProperties)) return { kind: "map", value: this.read(additionalProperties, depth + 1) };
    if (!isSchema(properties)) return RAW;
    const needed = new Set(Array.isArray(required) ? required : []);
    return {
      kind: "record",
      fields: Object.entries(properties).map(([name, field]) => ({
        name,
        shape: this.read(field, depth + 1),
        isRequired: needed.has(name),
      })),
    };
  }

  /** The unions that `wit/json-schema.ts` writes. */
  #oneOf(choices: readonly unknown[], depth: number): Shape {
    const schemas = choices.filter(isSchema);
    const others = schemas.filter(({ type }) => type !== "null");
    const [first, second] = others;
    if (others.length === 1 && others.length < schemas.length) return { kind: "option", inner: this.read(first, depth + 1) };
    if (first === undefined || second === undefined || others.length < schemas.length) return RAW;
    if (others.length === 2) {
      const shape = this.#twoForms(first, second, depth);
      if (shape !== undefined) return shape;
    }
    const cases: ShapeCase[] = [];
    for (const schema of others) {
      const found = this.#casesOf(schema, depth);
      if (found === undefined) return RAW;
      cases.push(...found);
    }
    return { kind: "variant", cases };
  }

  /** Values that have two forms in JSON: big integers, floats, bytes, maps. */
  #twoForms(first: Schema, second: Schema, depth: number): Shape | undefined {
    const { minimum: min, maximum: max } = first;
    if (first["type"] === "integer" && second["type"] === "string") {
      // The bounds of exact numbers are no bounds of the type.
      const exact = (bound: unknown): number | undefined => (Number.isSafeInteger(bound) ? numberOf(bound) : undefined);
      const limit = Number.MAX_SAFE_INTEGER;
      return {
        kind: "integer",
        min: min === -limit ? undefined : exact(min),
        max: max === limit ? undefined : exact(max),
        isBig: true,
      };
    }
    if (first["type"] === "number" && Array.isArray(second["enum"]))
      return { kind: "float", min: numberOf(min), max: numberOf(max) };
    if (first["contentEncoding"] === "base64" && second["type"] === "array") {
      const length = numberOf(second["minItems"]);
      return { kind: "bytes", length: length === second["maxItems"] ? length : undefined };
    }
    if (isSchema(first["additionalProperties"]) && second["type"] === "array") return this.#object(first, depth);
    return undefined;
  }

  #casesOf(schema: Schema, depth: number): readonly ShapeCase[] | undefined {
    const labels = labelsOf(schema);
    if (labels !== undefined) return labels.map((name) => ({ name, shape: undefined }));
    const { properties } = schema;
    const [entry, ...more] = isSchema(properties) ? Object.entries(properties) : [];
    if (schema["type"] !== "object" || entry === undefined || more.length > 0) return undefined;
    return [{ name: entry[0], shape: this.read(entry[1], depth + 1) }];
  }
}

function labelsOf({ enum: labels }: Schema): readonly string[] | undefined {
  if (!Array.isArray(labels) || labels.length === 0) return undefined;
  const texts = labels.filter((label) => typeof label === "string");
  return texts.length === labels.length ? texts : undefined;
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
