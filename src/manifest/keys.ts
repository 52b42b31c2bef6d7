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
  resources: {
    means: "Real things outside that capabilities are bound to.",
    later: "Remove it: components have no storage yet, so nothing can be bound.",
  },
  grants: {
    means: "What each component may reach.",
    later:
      "Remove it: components run closed for now, with a virtual clock, seeded randomness and an empty environment; give them what they need as inputs.",
  },
  limits: {
    means: "Bounds on memory, time, fuel and output.",
    later: "Remove it; the time of one node is bounded by its `timeout`.",
  },
  triggers: {
    means: "What starts transactions: HTTP, CLI, schedule, queue, message.",
    later: "Remove it and start operations with `starlane invoke`.",
  },
  lanes: {
    means: "How calls cross from one component to another.",
    later: "Remove it: every component runs in one process for now.",
  },
  isolation: {
    means: "What transactions share of a component.",
    later: "Remove it: every transaction has components of its own.",
  },
} as const satisfies Keys;

export const PARAMETER_KEYS = {
  type: { means: "The type, in WIT." },
  default: { means: "The value where none is given." },
  description: { means: "What it sets, for people." },
} as const satisfies Keys;

export const COMPONENT_KEYS = {
  from: { means: "The path of a component binary, a manifest, or a folder." },
  with: { means: "Values for the parameters of an app." },
  http: {
    means: "The address of an external service.",
    later: "Use a local component (`from: ./…`): services over HTTP cannot be components yet.",
  },
  nats: {
    means: "The subject of a service on NATS.",
    later: "Use a local component (`from: ./…`): services on NATS cannot be components yet.",
  },
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
  given: {
    means: "Scripted answers of capabilities.",
    later: "Remove it: components reach nothing outside yet, so there is nothing to script.",
  },
} as const satisfies Keys;

export const TESTS_FILE_KEYS = {
  tests: { means: "What operations must answer." },
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
};
