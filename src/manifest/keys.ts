// The keys of a manifest, place by place: what each means, for messages and for the JSON Schema of editors. Keys of parts that are designed but not
// built yet are known too: they answer with what to do until then.

export interface KeyInfo {
  readonly means: string;
  /** Set where the key is known but not built yet: what to do instead, one sentence. */
  readonly later?: string;
}

export type Keys = Readonly<Record<string, KeyInfo>>;

export const ROOT_KEYS = {
  starlane: { means: "The version of the manifest format: v1." },
  name: { means: "The app's name, as space/app." },
  version: { means: "The app's version, as semantic versioning has it: 1.4.0." },
  description: { means: "What the app does, for people." },
  parameters: { means: "Settings that whoever uses the app gives; read as ${config.NAME}." },
  components: { means: "A local name for each thing the app is made of." },
  types: { means: "Named types in WIT, usable in the types of ports and parameters." },
  operations: { means: "What the app offers: each operation is a flow." },
  tests: { means: "What operations must answer, or files that say so." },
  resources: { means: "Real things outside that capabilities are bound to: stores, databases, folders." },
  grants: { means: "What each component may reach; it reaches nothing else." },
  limits: { means: "Bounds of every transaction: memory, time, fuel and output." },
  triggers: { means: "What starts transactions: HTTP, the command line, a schedule." },
  lanes: {
    means: "How calls cross from one component to another.",
    later: "Remove it: every component runs in one process for now.",
  },
  isolation: { means: "What transactions share of a component: nothing (transaction), or one instance (shared)." },
} as const satisfies Keys;

export const PARAMETER_KEYS = {
  type: { means: "The type, in WIT." },
  default: { means: "The value where none is given." },
  description: { means: "What it sets, for people." },
} as const satisfies Keys;

export const COMPONENT_KEYS = {
  from: { means: "The path of a component binary, a manifest, or a folder." },
  with: { means: "Values for the parameters of an app." },
  build: { means: "How `from` is made from its sources, by `starlane build`." },
  http: {
    means: "The address of an external service.",
    later: "Use a local component (`from: ./…`): services over HTTP cannot be components yet.",
  },
  nats: {
    means: "The subject of a service on NATS.",
    later: "Use a local component (`from: ./…`): services on NATS cannot be components yet.",
  },
} as const satisfies Keys;

export const BUILD_KEYS = {
  run: { means: "What makes it: a line for the shell, or a program and its arguments as a list." },
  in: { means: "The folder that `run` works in; the manifest's where it is left out." },
  typescript: { means: "The TypeScript or JavaScript file that is made into a component, instead of `run`." },
  wit: { means: "Of `typescript`: the WIT, a file or a folder." },
  world: { means: "Of `typescript`: the world of the WIT; needed only where it has several." },
  watch: { means: "Files and folders that it is made from; where they change it is built again." },
} as const satisfies Keys;

export const OPERATION_KEYS = {
  description: { means: "What the operation does, for people." },
  input: { means: "The input ports: a type, or a type with rules." },
  output: { means: "The output ports and their types." },
  nodes: { means: "Nodes of the flow that need settings." },
  flow: { means: "How operations are wired, in the flow language." },
} as const satisfies Keys;

export const RULE_KEYS = {
  trim: { means: "Removes white space at both ends of a text." },
  lowercase: { means: "Makes a text lower case." },
  uppercase: { means: "Makes a text upper case." },
  normalize: { means: "Brings a text into a Unicode normalization form." },
  min: { means: "The least number, or the least length of a text (in characters) or list." },
  max: { means: "The greatest number, or the greatest length of a text (in characters) or list." },
  pattern: { means: "A regular expression that the whole text must match." },
  format: { means: "What a text must be." },
  "one-of": { means: "The only values that are allowed." },
} as const satisfies Keys;

export const INPUT_KEYS = {
  type: { means: "The type, in WIT; inferred from the flow where it is left out." },
  ...RULE_KEYS,
  default: { means: "The value where none is given." },
  description: { means: "What it is, for people." },
} as const satisfies Keys;

export const OUTPUT_KEYS = {
  type: { means: "The type, in WIT; inferred from the flow where it is left out." },
  description: { means: "What it is, for people." },
} as const satisfies Keys;

export const NODE_KEYS = {
  uses: { means: "The operation that the node runs, as component::operation." },
  with: { means: "Constant values for input ports." },
  timeout: { means: "The longest time that one attempt may take." },
  retry: { means: "How often to try again after a failure." },
  concurrency: { means: "How many runs of the node may go on at once." },
} as const satisfies Keys;

export const RETRY_KEYS = {
  attempts: { means: "How often to try, the first time included." },
  backoff: { means: "How long to wait before trying again." },
} as const satisfies Keys;

export const TEST_KEYS = {
  name: { means: "What the test shows, for people." },
  operation: { means: "The operation that is run." },
  input: { means: "A value for each input port." },
  expect: { means: "What each output port must be: values and matchers; or the error." },
  seed: { means: "The seed of the transaction." },
  timestamp: { means: "The time of the transaction: RFC 3339, or milliseconds since 1970." },
  given: { means: "What capabilities answer, hold and fail with in the test." },
  record: { means: "A record that is replayed; relative to the manifest's folder." },
} as const satisfies Keys;

export const GIVEN_KEYS = {
  http: { means: "Requests that the app may send, and what they are answered." },
  keyvalue: { means: "What is in key-value buckets at first." },
  blobs: { means: "What is in blob containers at first." },
  sql: { means: "Statements that are run first." },
  files: { means: "Files that are there at first, by the path that the component sees." },
  faults: { means: "What goes wrong." },
} as const satisfies Keys;

export const EXCHANGE_KEYS = {
  request: { means: "The request that is answered." },
  respond: { means: "The answer." },
  times: { means: "How many requests it answers; 1 where it is left out." },
} as const satisfies Keys;

export const GIVEN_REQUEST_KEYS = {
  method: { means: "The method; GET where it is left out." },
  url: { means: "The whole URL, or a matcher." },
  headers: { means: "Headers that must be there: values or matchers." },
  body: { means: "What the body must be: a text, JSON, or matchers." },
} as const satisfies Keys;

export const GIVEN_RESPONSE_KEYS = {
  status: { means: "The status; 200 where it is left out." },
  headers: { means: "The headers of the answer." },
  body: { means: "The body, as text." },
  json: { means: "The body, as JSON." },
  base64: { means: "The body, as bytes in base64." },
} as const satisfies Keys;

export const GIVEN_VALUE_KEYS = {
  json: { means: "The value, as JSON." },
  base64: { means: "The value, as bytes in base64." },
} as const satisfies Keys;

export const FAULT_KEYS = {
  capability: { means: "The capability that it happens to." },
  after: { means: "How many calls go well first." },
  times: { means: "How many calls it happens to; all that follow where it is left out." },
  latency: { means: "How long the call takes, in virtual time." },
  error: { means: "The call fails, with this text." },
  disconnect: { means: "The connection breaks." },
} as const satisfies Keys;

export const TESTS_FILE_KEYS = {
  tests: { means: "What operations must answer." },
} as const satisfies Keys;

export const LIMIT_KEYS = {
  memory: { means: "Of each memory of a component." },
  time: { means: "The longest time that a transaction may take." },
  fuel: { means: "Units that all calls of a transaction may use together, about one an instruction." },
  output: { means: "What a transaction may answer and print." },
} as const satisfies Keys;

export const RESOURCE_KEYS = {
  keyvalue: { means: "The address of a key-value store." },
  blobs: { means: "The address of a store of blobs." },
  messaging: { means: "The address of a message broker." },
  sql: { means: "The address of a database." },
  files: { means: "A folder, relative to the manifest, or memory:." },
  migrations: { means: "Of a database: a folder of numbered .sql files." },
  expire: { means: "Of a key-value store: how long after it was written an entry is gone." },
} as const satisfies Keys;

export const GRANT_KEYS = {
  cli: { means: "Arguments and variables of the environment." },
  clock: { means: "virtual: starts at the transaction's timestamp and moves only by sleeping; real." },
  random: { means: "seeded by the transaction; or from the system." },
  files: { means: "Folders, by the path that the component sees." },
  sockets: { means: "Addresses to connect to, ports to listen at." },
  http: { means: "Where requests may be sent." },
  config: { means: "Values of wasi:config." },
  keyvalue: { means: "Key-value buckets: a name, and the resource behind it." },
  blobs: { means: "Blob containers: a name, and the resource behind it." },
  messaging: { means: "Topics: a name, and the resource behind it." },
  sql: { means: "Databases: a name, and the resource behind it." },
  calls: { means: "Interfaces that another component of the app answers." },
} as const satisfies Keys;

export const CLI_GRANT_KEYS = {
  args: { means: "The arguments." },
  env: { means: "Names of variables that are passed on, or names with values." },
  stdout: {
    means: "Where standard output goes.",
    later: "Remove it: standard output belongs to the transaction.",
  },
} as const satisfies Keys;

export const FILES_GRANT_KEYS = {
  from: { means: "The resource." },
  readonly: { means: "Whether nothing can be written there." },
} as const satisfies Keys;

export const SOCKETS_GRANT_KEYS = {
  connect: { means: "Addresses that connections may lead to: host:port." },
  listen: { means: "Ports to listen at." },
} as const satisfies Keys;

/** Other words for keys, from neighbouring formats. */
export const SYNONYMS: Readonly<Record<string, string>> = {
  inputs: "input",
  outputs: "output",
  params: "parameters",
  config: "parameters",
  imports: "components",
  steps: "nodes",
  enum: "one-of",
  choices: "one-of",
  values: "one-of",
  regex: "pattern",
  regexp: "pattern",
  matches: "pattern",
  minimum: "min",
  maximum: "max",
  "min-length": "min",
  "max-length": "max",
  length: "max",
  lower: "lowercase",
  upper: "uppercase",
  strip: "trim",
  title: "name",
  summary: "description",
  args: "input",
  expected: "expect",
  output: "expect",
  op: "operation",
  component: "uses",
  settings: "with",
  retries: "retry",
  delay: "backoff",
  tries: "attempts",
  "max-attempts": "attempts",
  path: "from",
  source: "from",
  url: "http",
  time: "timestamp",
  "api-version": "starlane",
  kv: "keyvalue",
  "key-value": "keyvalue",
  database: "sql",
  db: "sql",
  blobstore: "blobs",
  buckets: "blobs",
  folder: "files",
  filesystem: "files",
  dirs: "files",
  volumes: "files",
  topics: "messaging",
  environment: "env",
  arguments: "args",
  argv: "args",
  clocks: "clock",
  "read-only": "readonly",
  ro: "readonly",
  timeout: "time",
  cpu: "fuel",
  gas: "fuel",
  permissions: "grants",
  capabilities: "grants",
  response: "respond",
  answer: "respond",
  cookie: "cookies",
  header: "headers",
  timezone: "zone",
  tz: "zone",
  host: "hostnames",
  hosts: "hostnames",
  domains: "hostnames",
  certificate: "cert",
  middleware: "before",
  text: "body",
  on: "capability",
  "body-size": "body",
  positional: "arguments",
  command: "run",
  cmd: "run",
  script: "run",
  exec: "run",
  cwd: "in",
  dir: "in",
  "working-dir": "in",
  directory: "in",
  sources: "watch",
  javascript: "typescript",
  ts: "typescript",
  js: "typescript",
  entry: "typescript",
};
