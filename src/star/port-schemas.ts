// What the rules of input ports mean in JSON Schema, for people who read the OpenAPI document: what is sent by it is accepted.

import type { InputPort, SanitizationRules } from "../manifest/manifest.ts";
import type { Json } from "../wit/json.ts";
import type { JsonSchema } from "../wit/json-schema.ts";
import type { ValType } from "../wit/types.ts";
import type { Operation } from "./app.ts";

/** Further keywords by port, beside those that the type gives. */
export function portSchemas(operation: Operation): ReadonlyMap<string, JsonSchema> {
  if (operation.kind !== "flow") return new Map();
  const ports = new Map(operation.declaration.input?.map((port) => [port.name, port]));
  return new Map(
    operation.signature.params.flatMap(({ name, type }) => {
      const port = ports.get(name);
      return port === undefined ? [] : [[name, keywordsOf(port, type)] as const];
    }),
  );
}

function keywordsOf({ rules, default: given }: InputPort, type: ValType): JsonSchema {
  return { ...sizeKeywords(rules, type), ...leafKeywords(rules, type), ...(given === undefined ? {} : { default: given }) };
}

const SIZES: Partial<Record<ValType["kind"], readonly [string, string]>> = {
  string: ["minLength", "maxLength"],
  list: ["minItems", "maxItems"],
  map: ["minItems", "maxItems"],
};

/** `min` and `max` are about the port's own value. */
function sizeKeywords({ min, max }: SanitizationRules, type: ValType): JsonSchema {
  const bare = type.kind === "option" ? type.type : type;
  // Bytes are base64 in JSON, which has another length.
  if (bare.kind === "list" && bare.element.kind === "u8") return {};
  const [least, most] = SIZES[bare.kind] ?? ["minimum", "maximum"];
  return { ...(min === undefined ? {} : { [least]: Number(min) }), ...(max === undefined ? {} : { [most]: Number(max) }) };
}

/** The others are about every element of a list. */
function leafKeywords(rules: SanitizationRules, type: ValType): JsonSchema {
  if (type.kind === "option") {
    const { enum: choices, ...others } = leafKeywords(rules, type.type);
    return { ...others, ...(Array.isArray(choices) ? { enum: [...choices, null] } : {}) };
  }
  if (type.kind === "list") {
    const leaf = leafKeywords(rules, type.element);
    return Object.keys(leaf).length === 0 ? {} : { items: { ...shapeOf(type.element), ...leaf } };
  }
  const { pattern, format, oneOf } = rules;
  return {
    ...(pattern === undefined ? {} : { pattern: `^(?:${pattern})$` }),
    ...(format === undefined || format === "ip" ? {} : { format }),
    ...(oneOf === undefined ? {} : { enum: [...oneOf] satisfies Json[] }),
  };
}

function shapeOf(type: ValType): JsonSchema {
  if (type.kind === "list") return { type: "array" };
  return type.kind === "string" ? { type: "string" } : {};
}
