// The part of the JSON Schema of manifests that is about triggers: see `schema.ts`.

import { DURATION, LABEL, list, mapping, named, oneOf, SIZE, TEXT, type Schema } from "./schema-parts.ts";
import {
  AFTER_KEYS,
  ANSWER_KEYS,
  BEFORE_KEYS,
  BINDING_KEYS,
  BODY_KEYS,
  CLI_KEYS,
  LISTENER_KEYS,
  LISTENER_LIMIT_KEYS,
  ROUTE_KEYS,
  ROUTE_LIMIT_KEYS,
  SCHEDULE_KEYS,
  TLS_KEYS,
  TRIGGER_KEYS,
} from "./triggers/keys.ts";
import { REDIRECTS } from "./triggers/operation-route.ts";

const PORT = { type: "string", pattern: LABEL } as const;
const LISTEN_PORT = { type: "integer", minimum: 0, maximum: 65_535 } as const;
const COUNT = { type: "integer", minimum: 1, maximum: 1_000_000 } as const;

const binding = oneOf(PORT, mapping(BINDING_KEYS, { port: PORT, type: TEXT, default: {} }));
const bindings = named(binding, "");
const limitValues = { body: SIZE, time: DURATION, concurrency: COUNT, headers: SIZE, connections: COUNT, idle: DURATION };
const body = oneOf(
  PORT,
  { const: false },
  mapping(BODY_KEYS, { port: PORT, as: { enum: ["auto", "json", "text", "bytes"] }, types: list(TEXT), fields: bindings }),
);
const answer = oneOf(
  PORT,
  mapping(ANSWER_KEYS, {
    port: PORT,
    status: oneOf({ type: "integer", minimum: 200, maximum: 299 }, { enum: [...REDIRECTS] }),
    type: TEXT,
    headers: named(PORT, ""),
  }),
);
const errorCase = { type: "string", pattern: `^\\*$|${LABEL}` } as const;
const errors = named(oneOf(errorCase, list(errorCase)), "^[45][0-9][0-9]$");

const before = {
  type: "array",
  maxItems: 64,
  items: oneOf(
    TEXT,
    mapping(BEFORE_KEYS, {
      operation: TEXT,
      component: TEXT,
      query: bindings,
      headers: bindings,
      cookies: bindings,
      status: errors,
      redirect: named(TEXT, `^\\*$|${LABEL}`),
      as: PORT,
      set: named(PORT, ""),
    }),
  ),
} as const;
const after = {
  type: "array",
  maxItems: 64,
  items: oneOf(TEXT, mapping(AFTER_KEYS, { operation: TEXT, headers: bindings, as: PORT, set: named(PORT, "") }, ["operation"])),
} as const;

/** A route as a mapping; `/assets/* -> static: ./public` is a key of its own. */
const routeMapping: Schema = {
  ...mapping(
    { ...ROUTE_KEYS.operation, ...ROUTE_KEYS.static, ...ROUTE_KEYS.redirect, ...ROUTE_KEYS.websocket },
    {
      route: TEXT,
      before,
      after,
      limits: oneOf(mapping(ROUTE_LIMIT_KEYS, limitValues), { type: "null" }),
      query: bindings,
      headers: bindings,
      cookies: bindings,
      body,
      answer,
      description: TEXT,
      status: oneOf(errors, { enum: [...REDIRECTS] }),
      index: TEXT,
      fallback: TEXT,
      "max-age": DURATION,
      in: PORT,
      out: PORT,
    },
  ),
  patternProperties: { "\\s->(\\s|$)": TEXT },
};

const listener = oneOf(
  LISTEN_PORT,
  mapping(
    LISTENER_KEYS,
    {
      port: LISTEN_PORT,
      host: TEXT,
      tls: mapping(TLS_KEYS, { cert: TEXT, key: TEXT }, ["cert", "key"]),
      hostnames: list(TEXT),
      limits: oneOf(mapping(LISTENER_LIMIT_KEYS, limitValues), { type: "null" }),
    },
    ["port"],
  ),
);

const cli = oneOf(
  TEXT,
  mapping(CLI_KEYS, {
    operation: TEXT,
    component: TEXT,
    name: PORT,
    description: TEXT,
    arguments: list(PORT),
    short: named(PORT, "^[A-Za-z]$"),
    stdin: PORT,
  }),
);

const schedule = oneOf(
  { type: "string", pattern: "->" },
  mapping(
    SCHEDULE_KEYS,
    {
      cron: TEXT,
      zone: TEXT,
      operation: TEXT,
      input: named({}),
      missed: { enum: ["skip", "once", "all"] },
      overlap: { type: "boolean" },
    },
    ["cron", "operation"],
  ),
);

export const TRIGGERS_SCHEMA: Schema = {
  type: ["array", "null"],
  items: mapping(TRIGGER_KEYS, {
    http: listener,
    cli,
    schedule,
    routes: list(oneOf(TEXT, routeMapping)),
    before,
    after,
  }),
};
