// The JSON Schema (draft 2020-12) of manifests, for editors: completion, descriptions and the coarse mistakes. It accepts every good manifest; what
// it cannot say (types, flows, references, names that must exist) `starlane check` finds.

import {
  BUILD_KEYS,
  CLI_GRANT_KEYS,
  COMPONENT_KEYS,
  EXCHANGE_KEYS,
  FAULT_KEYS,
  FILES_GRANT_KEYS,
  GIVEN_KEYS,
  GIVEN_REQUEST_KEYS,
  GIVEN_RESPONSE_KEYS,
  GIVEN_VALUE_KEYS,
  GRANT_KEYS,
  INPUT_KEYS,
  LIMIT_KEYS,
  NODE_KEYS,
  OPERATION_KEYS,
  OUTPUT_KEYS,
  PARAMETER_KEYS,
  RESOURCE_KEYS,
  RETRY_KEYS,
  ROOT_KEYS,
  SOCKETS_GRANT_KEYS,
  TEST_KEYS,
} from "./keys.ts";
import {
  ANY,
  DURATION,
  LABEL,
  list,
  mapping,
  named,
  oneOf,
  PATH,
  SIZE,
  TEXT,
  TEXT_OR_NUMBER,
  type Schema,
} from "./schema-parts.ts";
import { TRIGGERS_SCHEMA } from "./trigger-schema.ts";

const WORD = "[a-z][a-z0-9]*(?:-[a-z0-9]+)*";

const parameter = oneOf(TEXT, mapping(PARAMETER_KEYS, { type: TEXT, default: ANY, description: TEXT }, ["type"]));
const build = oneOf(
  TEXT,
  mapping(BUILD_KEYS, {
    run: oneOf(TEXT, { type: "array", items: TEXT_OR_NUMBER, minItems: 1 }),
    in: PATH,
    typescript: PATH,
    wit: PATH,
    world: { type: "string", pattern: LABEL },
    watch: oneOf(PATH, list(PATH)),
  }),
);
const component = oneOf(PATH, mapping(COMPONENT_KEYS, { from: PATH, with: named(ANY), build }, ["from"]));
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
const retry = mapping(RETRY_KEYS, { attempts: { type: "integer", minimum: 1, maximum: 100 }, backoff: DURATION }, ["attempts"]);
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
const givenValue = oneOf(TEXT_OR_NUMBER, mapping(GIVEN_VALUE_KEYS, { json: ANY, base64: TEXT }));
const givenStores = named(named(givenValue, ""), "");
const exchange = mapping(
  EXCHANGE_KEYS,
  {
    request: oneOf(
      TEXT,
      mapping(
        GIVEN_REQUEST_KEYS,
        { method: TEXT, url: oneOf(TEXT, { type: "object" }), headers: { type: ["object", "null"] }, body: ANY },
        ["url"],
      ),
    ),
    respond: oneOf(
      { type: "integer", minimum: 200, maximum: 599 },
      mapping(GIVEN_RESPONSE_KEYS, {
        status: { type: "integer", minimum: 200, maximum: 599 },
        headers: named(TEXT_OR_NUMBER, ""),
        body: TEXT_OR_NUMBER,
        json: ANY,
        base64: TEXT,
      }),
    ),
    times: { type: "integer", minimum: 1 },
  },
  ["request", "respond"],
);
const fault = mapping(
  FAULT_KEYS,
  {
    capability: { enum: ["http", "keyvalue", "blobs", "sql", "files", "messaging", "sockets", "calls"] },
    after: { type: "integer", minimum: 0 },
    times: { type: "integer", minimum: 1 },
    latency: DURATION,
    error: TEXT,
    disconnect: { type: "boolean" },
  },
  ["capability"],
);
const given = mapping(GIVEN_KEYS, {
  http: list(exchange),
  keyvalue: givenStores,
  blobs: givenStores,
  sql: oneOf(list(TEXT), named(list(TEXT), "")),
  files: named(givenValue, "^/"),
  faults: list(fault),
});
const test = mapping(
  TEST_KEYS,
  {
    name: TEXT,
    operation: TEXT,
    input: { type: ["object", "null"] },
    expect: { type: "object" },
    seed: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    timestamp: oneOf({ type: "string", format: "date-time" }, { type: "integer" }),
    given,
    record: TEXT,
  },
  ["operation"],
);

const resource = mapping(RESOURCE_KEYS, {
  keyvalue: TEXT,
  blobs: TEXT,
  messaging: TEXT,
  sql: TEXT,
  files: TEXT,
  migrations: PATH,
  expire: DURATION,
});
const bound = named(TEXT, "");
const grants = oneOf(
  mapping(GRANT_KEYS, {
    cli: mapping(CLI_GRANT_KEYS, {
      args: list(TEXT_OR_NUMBER),
      env: oneOf(list(TEXT), named(TEXT_OR_NUMBER, "^[A-Za-z_][A-Za-z0-9_]*$")),
    }),
    clock: { enum: ["virtual", "real"] },
    random: { enum: ["seeded", "system"] },
    files: named(oneOf(TEXT, mapping(FILES_GRANT_KEYS, { from: TEXT, readonly: { type: "boolean" } }, ["from"])), "^/"),
    sockets: mapping(SOCKETS_GRANT_KEYS, { connect: list(TEXT), listen: list(TEXT_OR_NUMBER) }),
    http: list(TEXT),
    config: named(TEXT_OR_NUMBER, ""),
    keyvalue: bound,
    blobs: bound,
    messaging: bound,
    sql: bound,
    calls: bound,
  }),
  { type: "null" },
);
const limits = oneOf(mapping(LIMIT_KEYS, { memory: SIZE, time: DURATION, fuel: { type: "integer", minimum: 1 }, output: SIZE }), {
  type: "null",
});

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
      resources: named(resource),
      grants: named(grants),
      limits,
      triggers: TRIGGERS_SCHEMA,
      isolation: { enum: ["transaction", "shared"] },
    },
    ["starlane"],
  ),
};
