// What the JSON Schema of manifests is put together from.

import type { Keys } from "./keys.ts";
import type { Json } from "./manifest.ts";

export type Schema = { readonly [key: string]: Json };

export const LABEL = "^(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*$";
export const PATH = { type: "string", pattern: "^\\.\\.?(?:/|$)" } as const;
export const DURATION = {
  type: ["string", "integer"],
  pattern: "^(?:0|[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h|d))$",
  minimum: 0,
  maximum: 0,
} as const;
export const SIZE = {
  type: ["string", "integer"],
  pattern: "^(?:0|[0-9]+(?:\\.[0-9]+)?(?:B|KiB|MiB|GiB|TiB))$",
  minimum: 0,
  maximum: 0,
} as const;
export const TEXT = { type: "string" } as const;
/** Where a text is meant, and a number or truth value is taken as it is written. */
export const TEXT_OR_NUMBER = { type: ["string", "number", "boolean"] } as const;
export const ANY: Schema = {};

/** A mapping with the built keys of a table, each with its meaning; `values` are the schemas of what they hold. */
export function mapping(keys: Keys, values: { readonly [key: string]: Schema }, required: readonly string[] = []): Schema {
  const built = Object.entries(keys).filter(([, info]) => info.later === undefined);
  return {
    type: "object",
    properties: Object.fromEntries(built.map(([key, info]) => [key, { description: info.means, ...values[key] }])),
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  };
}

/** A mapping of names to what `value` says; nothing at all is an empty one. */
export function named(value: Schema, names = LABEL): Schema {
  return { type: ["object", "null"], propertyNames: { pattern: names }, additionalProperties: value };
}

export function oneOf(...schemas: readonly Schema[]): Schema {
  return { anyOf: schemas };
}

/** A list; nothing at all is an empty one. */
export function list(items: Schema): Schema {
  return { type: ["array", "null"], items };
}
