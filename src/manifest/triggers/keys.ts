// The keys of triggers and routes, with what each means: see `../keys.ts`.

import type { Keys } from "../keys.ts";

/** One item of `triggers:`; exactly one of the first kinds is there. */
export const TRIGGER_KEYS = {
  http: { means: "A port to serve routes at, or a mapping of the listener's settings." },
  cli: { means: "What `starlane run` starts: an operation, or a mapping." },
  schedule: { means: "Times at which an operation is started." },
  queue: {
    means: "Jobs of a queue that start an operation.",
    later: "Remove it, and take the work as requests of an `http` trigger until queues are built.",
  },
  message: {
    means: "Messages of a topic that start an operation.",
    later: "Remove it, and take the messages as requests of an `http` trigger until messages are built.",
  },
  routes: { means: "Of an http trigger: which requests go where." },
  before: { means: "Of an http trigger: what sees the requests of all routes first." },
  after: { means: "Of an http trigger: what sees the answers of all routes." },
} as const satisfies Keys;

export const LISTENER_KEYS = {
  port: { means: "The port to listen at; 0 for any that is free." },
  host: { means: "The address to listen at; 127.0.0.1 where it is left out." },
  tls: { means: "The certificate and key, for https." },
  hostnames: { means: "The names that requests must be for; any where it is left out." },
  limits: { means: "Bounds of all requests together." },
} as const satisfies Keys;

export const TLS_KEYS = {
  cert: { means: "The file of the certificate chain (PEM)." },
  key: { means: "The file of the private key (PEM)." },
} as const satisfies Keys;

export const ROUTE_LIMIT_KEYS = {
  body: { means: "Of a request's body, or of one message of a websocket." },
  time: { means: "From the head of a request to the head of its answer." },
  concurrency: { means: "Requests that run at once." },
} as const satisfies Keys;

export const LISTENER_LIMIT_KEYS = {
  ...ROUTE_LIMIT_KEYS,
  headers: { means: "Of all headers of a request." },
  connections: { means: "Open connections." },
  idle: { means: "How long a connection may be open without a request." },
} as const satisfies Keys;

/** What every route written as a mapping may have. */
const ANY_ROUTE_KEYS = {
  route: { means: "The route: METHOD /path -> target." },
  before: { means: "Operations that see the request first, or wasi:http middleware components around it." },
  after: { means: "Operations that see the answer." },
  limits: { means: "Bounds of the requests of this route." },
} as const satisfies Keys;

const REQUEST_KEYS = {
  query: { means: "Query parameters, and the input ports that they go to." },
  headers: { means: "Headers, and the input ports that they go to." },
  cookies: { means: "Cookies, and the input ports that they go to." },
} as const satisfies Keys;

export const ROUTE_KEYS = {
  operation: {
    ...ANY_ROUTE_KEYS,
    ...REQUEST_KEYS,
    body: { means: "The input port that the body goes to, how it is read, or false." },
    answer: { means: "The output port that is the body of the answer, and its status, type and headers." },
    status: { means: "The status of error results, by the name of their case." },
    description: { means: "What the route does, for people and OpenAPI." },
  },
  component: ANY_ROUTE_KEYS,
  static: {
    ...ANY_ROUTE_KEYS,
    index: { means: "The file for a folder; index.html where it is left out." },
    fallback: { means: "The file for what is not there." },
    "max-age": { means: "How long browsers may keep a file without asking." },
  },
  proxy: ANY_ROUTE_KEYS,
  redirect: { ...ANY_ROUTE_KEYS, status: { means: "301, 302, 303, 307 or 308; 308 where it is left out." } },
  websocket: {
    ...ANY_ROUTE_KEYS,
    ...REQUEST_KEYS,
    in: { means: "The input port that takes the messages." },
    out: { means: "The output port that is sent." },
  },
} as const satisfies Readonly<Record<string, Keys>>;

export const BINDING_KEYS = {
  port: { means: "The input port." },
  type: { means: "The type, in WIT; that of the port where it is left out." },
  default: { means: "The value for a request without it." },
} as const satisfies Keys;

export const BODY_KEYS = {
  port: { means: "The input port that the whole body goes to." },
  as: { means: "How it is read: auto, json, text or bytes." },
  types: { means: "The content types that are taken." },
  fields: { means: "Fields of a JSON object or form, and the input ports that they go to." },
} as const satisfies Keys;

export const ANSWER_KEYS = {
  port: { means: "The output port that is the body." },
  status: { means: "The status of success." },
  type: { means: "The content type of the body." },
  headers: { means: "Headers that come from output ports." },
} as const satisfies Keys;

export const BEFORE_KEYS = {
  operation: { means: "The operation that looks at requests." },
  component: { means: "In place of an operation: a wasi:http middleware component." },
  ...REQUEST_KEYS,
  status: { means: "The status of error results, by the name of their case." },
  redirect: { means: "Where browsers are sent for error results, by the name of their case." },
  as: { means: "The name of a result that has no ports with names." },
  set: { means: "Headers of the request that come from output ports, in place of what the client sent." },
} as const satisfies Keys;

export const AFTER_KEYS = {
  operation: { means: "The operation that looks at answers." },
  headers: { means: "Headers of the answer, and the input ports that they go to." },
  as: { means: "The name of a result that has no ports with names." },
  set: { means: "Headers of the answer that come from output ports." },
} as const satisfies Keys;

export const CLI_KEYS = {
  operation: { means: "The operation that is run." },
  component: { means: "The wasi:cli command component that is run." },
  name: { means: "The subcommand, where the app has several." },
  description: { means: "What it does, for people." },
  arguments: { means: "Ports that are given by position, in this order; the others are flags." },
  short: { means: "One letter for the flag of a port." },
  stdin: { means: "The port that takes standard input." },
} as const satisfies Keys;

export const SCHEDULE_KEYS = {
  cron: { means: "When: five or six fields, from seconds or minutes to days of the week." },
  zone: { means: "The time zone; UTC where it is left out." },
  operation: { means: "The operation that is run." },
  input: { means: "A value for each input port." },
  missed: { means: "What is done about times that were missed: skip, once or all." },
  overlap: { means: "Whether a run may start while the one before goes on." },
} as const satisfies Keys;
