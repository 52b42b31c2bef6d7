// The JSON Schema (draft 2020-12) of manifests, for editors: completion, descriptions and the coarse mistakes. It accepts every good manifest; what
// it cannot say (types, flows, references, names that must exist) `starlane check` finds.

import {
  COMPONENT_KEYS,
  INPUT_KEYS,
  NODE_KEYS,
  OPERATION_KEYS,
  OUTPUT_KEYS,
  PARAMETER_KEYS,
  RETRY_KEYS,
  ROOT_KEYS,
  TEST_KEYS,
  type Keys,
} from "./keys.ts";
import type { Json } from "./manifest.ts";

type Schema = { readonly [key: string]: Json };

const LABEL = "^(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*$";
const WORD = "[a-z][a-z0-9]*(?:-[a-z0-9]+)*";
const PATH = { type: "string", pattern: "^\\.\\.?(?:/|$)" } as const;
const DURATION = { type: "string", pattern: "^(?:0|[0-9]+(?:\\.[0-9]+)?(?:ms|s|m|h|d))$" } as const;
const TEXT = { type: "string" } as const;
const ANY: Schema = {};

/** A mapping with the built keys of a table, each with its meaning; `values` are the schemas of what they hold. */
function mapping(keys: Keys, values: { readonly [key: string]: Schema }, required: readonly string[] = []): Schema {
  const built = Object.entries(keys).filter(([, info]) => info.later === undefined);
  return {
    type: "object",
    properties: Object.fromEntries(built.map(([key, info]) => [key, { description: info.means, ...values[key] }])),
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  };
}

/** A mapping of names to what `value` says; nothing at all is an empty one. */
function named(value: Schema, names = LABEL): Schema {
  return { type: ["object", "null"], propertyNames: { pattern: names }, additionalProperties: value };
}

function oneOf(...schemas: readonly Schema[]): Schema {
  return { anyOf: schemas };
}

const parameter = oneOf(TEXT, mapping(PARAMETER_KEYS, { type: TEXT, default: ANY, description: TEXT }, ["type"]));
const component = oneOf(PATH, mapping(COMPONENT_KEYS, { from: PATH, with: named(ANY) }, ["from"]));
const inputPort = oneOf(
  TEXT,
  mapping(INPUT_KEYS, {
    type: TEXT,
    trim: { type: "boolean" },
    lowercase: { type: "boolean" },
    uppercase: { type: "boolean" },
    normalize: { enum: ["NFC", "NFD", "NFKC", "NFKD"] },
    min: { type: "number" },
    max: { type: "number" },
    pattern: { type: "string", maxLength: 1000 },
    format: { enum: ["email", "uri", "uuid", "date-time", "hostname", "ip"] },
    "one-of": { type: "array", minItems: 1, maxItems: 1000 },
    default: ANY,
    description: TEXT,
  }),
);
const outputPort = oneOf(TEXT, mapping(OUTPUT_KEYS, { type: TEXT, description: TEXT }));
const retry = mapping(
  RETRY_KEYS,
  { attempts: { type: "integer", minimum: 1, maximum: 100 }, backoff: oneOf(DURATION, { const: 0 }) },
  ["attempts"],
);
const node = mapping(
  NODE_KEYS,
  {
    uses: { type: "string", pattern: "^[A-Za-z][A-Za-z0-9-]*::(?:[A-Za-z0-9:/@.+-]+#)?[A-Za-z][A-Za-z0-9-]*$" },
    with: named(ANY),
    timeout: DURATION,
    retry,
    concurrency: { type: "integer", minimum: 1, maximum: 10_000 },
  },
  ["uses"],
);
const operation = mapping(
  OPERATION_KEYS,
  { description: TEXT, input: named(inputPort), output: named(outputPort), nodes: named(node), flow: TEXT },
  ["flow"],
);
const test = mapping(
  TEST_KEYS,
  {
    name: TEXT,
    operation: TEXT,
    input: { type: ["object", "null"] },
    expect: { type: "object" },
    seed: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    timestamp: oneOf({ type: "string", format: "date-time" }, { type: "integer" }),
  },
  ["operation"],
);

/** Plain data: write it to a file and name it in an editor, or in `# yaml-language-server: $schema=…`. */
export const MANIFEST_SCHEMA: Schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Starlane manifest",
  ...mapping(
    ROOT_KEYS,
    {
      starlane: { const: "v1" },
      name: { type: "string", pattern: `^${WORD}/${WORD}$` },
      version: { type: "string" },
      description: TEXT,
      parameters: named(parameter),
      components: named(component, `^(?!core$)${LABEL.slice(1)}`),
      types: { type: ["string", "null"] },
      operations: named(operation),
      tests: oneOf(PATH, { type: "array", items: oneOf(PATH, test) }, { type: "null" }),
    },
    ["starlane"],
  ),
};
