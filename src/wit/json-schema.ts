// JSON Schema (2020-12) of the JSON that a type has by the table of `json.ts`. A type that occurs more than once goes into `$defs`, so
// the schema's size follows the number of different types. Not expressed: the range of 64-bit integers as text, the exact form of base64
// beyond its characters, f32 overflow, and that keys of pairs differ.

import { assertNever } from "../base/errors.ts";
import { BIG_INTEGERS, SMALL_INTEGERS, type BigIntegerKind } from "./numeric.ts";
import type { Json } from "./json.ts";
import { FLOAT_WORDS, noJsonForm } from "./read-json.ts";
import { partsOf } from "./type-size.ts";
import type { Case, ValType } from "./types.ts";

export type JsonSchema = { readonly [key: string]: Json };

export interface JsonSchemaOptions {
  /** The `$schema` line is left out: the schema becomes a part of a larger one that has it. */
  readonly embedded?: boolean | undefined;
  /** Where `$defs` stands from the root of the larger schema: `#/$defs/`. */
  readonly defsAt?: string | undefined;
}

/** The JSON Schema of a type. @throws StarlaneError `wit/no-json-form` */
export function jsonSchema(type: ValType, options: JsonSchemaOptions = {}): JsonSchema {
  const writer = new SchemaWriter(type, options.defsAt ?? "#/$defs/");
  const schema = writer.schema(type);
  return {
    ...(options.embedded === true ? {} : { $schema: "https://json-schema.org/draft/2020-12/schema" }),
    ...schema,
    ...(writer.defs.size === 0 ? {} : { $defs: Object.fromEntries(writer.defs) }),
  };
}

class SchemaWriter {
  readonly defs = new Map<string, JsonSchema>();
  readonly #shared: ReadonlySet<ValType>;
  readonly #defsAt: string;
  readonly #names = new Map<ValType, string>();

  constructor(type: ValType, defsAt: string) {
    this.#shared = sharedTypes(type);
    this.#defsAt = defsAt;
  }

  schema(type: ValType): JsonSchema {
    return this.#shared.has(type) ? { $ref: this.#defsAt + this.#define(type) } : this.#whole(type);
  }

  #define(type: ValType): string {
    const known = this.#names.get(type);
    if (known !== undefined) return known;
    const base = ("name" in type ? type.name : undefined) ?? type.kind;
    let name = base;
    for (let i = 2; this.defs.has(name); i++) name = `${base}-${i}`;
    this.#names.set(type, name);
    this.defs.set(name, {});
    this.defs.set(name, this.#whole(type));
    return name;
  }

  // oxlint-disable-next-line complexity -- one case a kind
  #whole(type: ValType): JsonSchema {
    switch (type.kind) {
      case "bool":
        return { type: "boolean" };
      case "s8":
      case "u8":
      case "s16":
      case "u16":
      case "s32":
      case "u32":
        return { type: "integer", minimum: SMALL_INTEGERS[type.kind].min, maximum: SMALL_INTEGERS[type.kind].max };
      case "s64":
      case "u64":
        return bigInteger(type.kind);
      case "f32":
      case "f64":
        return { anyOf: [{ type: "number" }, { enum: [...FLOAT_WORDS.keys()] }] };
      case "char":
        return { type: "string", minLength: 1, maxLength: 1 };
      case "string":
        return { type: "string" };
      case "record":
        return {
          type: "object",
          properties: Object.fromEntries(type.fields.map((field) => [field.name, this.schema(field.type)])),
          required: type.fields.filter((field) => field.type.kind !== "option").map((field) => field.name),
          additionalProperties: false,
        };
      case "tuple":
        return this.#tuple(type.types);
      case "flags":
        return { type: "array", items: { enum: type.labels }, uniqueItems: true };
      case "enum":
        return { enum: type.labels };
      case "variant":
        return this.#cases(type.cases);
      case "result":
        return this.#cases([
          { name: "ok", type: type.ok },
          { name: "error", type: type.error },
        ]);
      case "option":
        return {
          anyOf: [{ type: "null" }, type.type.kind === "option" ? this.#object("some", type.type) : this.schema(type.type)],
        };
      case "list":
        return this.#list(type);
      case "map":
        return this.#map(type);
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

  #object(name: string, type: ValType): JsonSchema {
    return { type: "object", properties: { [name]: this.schema(type) }, required: [name], additionalProperties: false };
  }

  #cases(cases: readonly Case[]): JsonSchema {
    const bare = cases.filter((item) => item.type === undefined).map((item) => item.name);
    const choices: JsonSchema[] = bare.length > 0 ? [{ enum: bare }] : [];
    for (const { name, type } of cases) if (type !== undefined) choices.push(this.#object(name, type));
    const [only, ...others] = choices;
    return only !== undefined && others.length === 0 ? only : { anyOf: choices };
  }

  #tuple(types: readonly ValType[]): JsonSchema {
    const { length } = types;
    return { type: "array", prefixItems: types.map((item) => this.schema(item)), items: false, minItems: length };
  }

  #list({ element, length }: ValType & { kind: "list" }): JsonSchema {
    const size = length === undefined ? {} : { minItems: length, maxItems: length };
    const array = { type: "array", items: this.schema(element), ...size };
    if (element.kind !== "u8") return array;
    return { anyOf: [{ type: "string", contentEncoding: "base64", pattern: "^[A-Za-z0-9+/=\\s]*$" }, array] };
  }

  #map({ key, value }: ValType & { kind: "map" }): JsonSchema {
    const pairs = { type: "array", items: this.#tuple([key, value]) };
    if (key.kind !== "string") return pairs;
    return { anyOf: [{ type: "object", additionalProperties: this.schema(value) }, pairs] };
  }
}

function bigInteger(kind: BigIntegerKind): JsonSchema {
  const minimum = BIG_INTEGERS[kind].min < 0n ? Number.MIN_SAFE_INTEGER : 0;
  const pattern = minimum < 0 ? "^-?[0-9]+$" : "^[0-9]+$";
  return {
    anyOf: [
      { type: "integer", minimum, maximum: Number.MAX_SAFE_INTEGER },
      { type: "string", pattern },
    ],
  };
}

/** Compound types that occur at more than one place: of a string or a bool the reference would be longer than the schema. */
function sharedTypes(root: ValType): ReadonlySet<ValType> {
  const seen = new Set<ValType>();
  const shared = new Set<ValType>();
  const visit = (type: ValType): void => {
    if (seen.has(type)) {
      if (partsOf(type).length > 0 || type.kind === "enum" || type.kind === "flags") shared.add(type);
      return;
    }
    seen.add(type);
    partsOf(type).forEach(visit);
  };
  visit(root);
  return shared;
}
