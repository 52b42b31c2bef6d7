// Reads `operations:`: ports with their types and rules, nodes with their settings, and the flow as a text that knows its place.

import type { Span } from "../base/diagnostics.ts";
import { INPUT_KEYS, NODE_KEYS, OPERATION_KEYS, OUTPUT_KEYS, RETRY_KEYS } from "./keys.ts";
import type { ComponentUse, FlowText, InputPort, NodeDeclaration, OperationDeclaration, OutputPort } from "./manifest.ts";
import { listed, named, quoted, type Mistakes } from "./mistakes.ts";
import { meantName, readPortType, type DeclaredTypes } from "./port-types.ts";
import {
  missingKey,
  readDescription,
  readDuration,
  readEntries,
  readInteger,
  readKnown,
  readNames,
  readText,
  wrongKind,
} from "./reading.ts";
import { checkReferences, checkTextReferences, flowStrings, type DeclaredParameters, type ReferenceScope } from "./references.ts";
import { checkPort, readRules } from "./rules.ts";
import { readSettings } from "./settings.ts";
import { isBroken, toJson, type Entry, type TextTree, type Tree } from "./tree.ts";

const MOST_ATTEMPTS = 100;
const MOST_CONCURRENCY = 10_000;
const RESERVED_NODES = {
  drop: "in a flow it means that a value is not used",
  true: "in a flow it is a literal",
  false: "in a flow it is a literal",
  null: "in a flow it is a literal",
};

/** What the parts of a manifest know of each other. */
export interface Surroundings {
  readonly types: DeclaredTypes;
  readonly parameters: DeclaredParameters;
  readonly components: readonly ComponentUse[];
  /** All names under `components:`, also of those that have mistakes. */
  readonly componentNames: readonly string[];
  readonly mistakes: Mistakes;
}

/** In operations every value has a type, so what comes from outside comes through parameters, which have one too. */
function insideOf({ parameters }: Surroundings): ReferenceScope {
  return { parameters, outside: undefined };
}

export function readOperations(tree: Tree, around: Surroundings): readonly OperationDeclaration[] {
  const example = 'operations: { greet: { flow: "<>.name -> text::greet -> <>.greeting" } }';
  const entries = readEntries(tree, "`operations`", example, around.mistakes);
  return readNames(entries, "operation", {}, around.mistakes).flatMap((entry) => {
    const operation = readOperation(entry, around);
    return operation === undefined ? [] : [operation];
  });
}

function readOperation(entry: Entry, around: Surroundings): OperationDeclaration | undefined {
  const { mistakes } = around;
  const what = `the operation \`${entry.key}\``;
  if (entry.value.kind !== "map")
    return wrongKind(entry.value, what, "a mapping", `${entry.key}: { flow: "<>.name -> text::greet -> <>.greeting" }`, mistakes);
  const keys = readKnown(entry.value, what, OPERATION_KEYS, mistakes);
  const [input, output, nodes, flow] = [keys.get("input"), keys.get("output"), keys.get("nodes"), keys.get("flow")];
  if (flow === undefined) missingKey("flow", what, entry.keySpan, 'flow: "<>.name -> text::greet -> <>.greeting"', mistakes);
  return {
    name: entry.key,
    description: readDescription(keys.get("description"), what, mistakes),
    input: input === undefined ? undefined : readInput(input.value, what, around),
    output: output === undefined ? undefined : readOutput(output.value, what, around),
    nodes: nodes === undefined ? [] : readNodes(nodes.value, what, around),
    flow: flow === undefined ? emptyFlow(entry.keySpan) : readFlow(flow.value, what, around),
    span: entry.keySpan,
  };
}

function readInput(tree: Tree, what: string, around: Surroundings): readonly InputPort[] {
  const entries = readEntries(tree, `\`input\` of ${what}`, "input: { name: string }", around.mistakes);
  return readNames(entries, "port", {}, around.mistakes).flatMap((entry) => {
    const port = readInputPort(entry, around);
    return port === undefined ? [] : [port];
  });
}

function readInputPort(entry: Entry, around: Surroundings): InputPort | undefined {
  const { mistakes } = around;
  const what = `the port \`${entry.key}\``;
  const { value } = entry;
  if (value.kind === "text") {
    const type = readPortType(value, what, around.types, mistakes);
    return { name: entry.key, type, rules: {}, span: entry.keySpan, keySpans: new Map([["type", value.span]]) };
  }
  if (value.kind !== "map")
    return wrongKind(
      value,
      what,
      "a type, or a mapping with type and rules",
      `${entry.key}: { type: string, max: 80 }`,
      mistakes,
    );
  const before = mistakes.errorCount;
  const keys = readKnown(value, what, INPUT_KEYS, mistakes);
  const [type, given] = [keys.get("type"), keys.get("default")];
  if (given !== undefined) checkReferences(given.value, insideOf(around), mistakes);
  const port: InputPort = {
    name: entry.key,
    type: type === undefined ? undefined : readPortType(type.value, what, around.types, mistakes),
    rules: readRules(keys, what, mistakes),
    default: given === undefined || isBroken(given.value) ? undefined : toJson(given.value),
    description: readDescription(keys.get("description"), what, mistakes),
    span: entry.keySpan,
    keySpans: spansOf(keys),
  };
  // A port with mistakes would only repeat them.
  if (port.type !== undefined && mistakes.errorCount === before) mistakes.addAll(checkPort(port, port.type, false));
  return port;
}

function readOutput(tree: Tree, what: string, around: Surroundings): readonly OutputPort[] {
  const entries = readEntries(tree, `\`output\` of ${what}`, "output: { greeting: string }", around.mistakes);
  return readNames(entries, "port", {}, around.mistakes).flatMap((entry) => {
    const port = readOutputPort(entry, around);
    return port === undefined ? [] : [port];
  });
}

function readOutputPort(entry: Entry, around: Surroundings): OutputPort | undefined {
  const { mistakes } = around;
  const what = `the port \`${entry.key}\``;
  const { value } = entry;
  if (value.kind === "text") {
    const type = readPortType(value, what, around.types, mistakes);
    return { name: entry.key, type, span: entry.keySpan, keySpans: new Map([["type", value.span]]) };
  }
  if (value.kind !== "map") return wrongKind(value, what, "a type", `${entry.key}: string`, mistakes);
  const keys = readKnown(value, `the output port \`${entry.key}\``, OUTPUT_KEYS, mistakes);
  const type = keys.get("type");
  return {
    name: entry.key,
    type: type === undefined ? undefined : readPortType(type.value, what, around.types, mistakes),
    description: readDescription(keys.get("description"), what, mistakes),
    span: entry.keySpan,
    keySpans: spansOf(keys),
  };
}

function spansOf(keys: ReadonlyMap<string, Entry>): ReadonlyMap<string, Span> {
  return new Map([...keys].map(([key, entry]) => [key, entry.value.span]));
}

function readNodes(tree: Tree, what: string, around: Surroundings): readonly NodeDeclaration[] {
  const entries = readEntries(tree, `\`nodes\` of ${what}`, 'nodes: { hi: { uses: "greeter::greet" } }', around.mistakes);
  return readNames(entries, "node", RESERVED_NODES, around.mistakes).flatMap((entry) => {
    const node = readNode(entry, around);
    return node === undefined ? [] : [node];
  });
}

function readNode(entry: Entry, around: Surroundings): NodeDeclaration | undefined {
  const { mistakes } = around;
  const what = `the node \`${entry.key}\``;
  const { value } = entry;
  if (value.kind !== "map") return wrongKind(value, what, "a mapping", `${entry.key}: { uses: "greeter::greet" }`, mistakes);
  const keys = readKnown(value, what, NODE_KEYS, mistakes);
  const [uses, settings, timeout, retry, concurrency] = ["uses", "with", "timeout", "retry", "concurrency"].map(
    (key) => keys.get(key)?.value,
  );
  if (uses === undefined) missingKey("uses", what, entry.keySpan, 'uses: "greeter::greet"', mistakes);
  const operation = uses === undefined ? undefined : readUses(uses, what, around);
  return {
    id: entry.key,
    uses: operation ?? "",
    with: settings === undefined ? [] : readSettings(settings, what, insideOf(around), mistakes),
    timeoutMs: timeout === undefined ? undefined : readDuration(timeout, `\`timeout\` of ${what}`, "timeout: 500ms", 1, mistakes),
    retry: retry === undefined ? undefined : readRetry(retry, what, mistakes),
    concurrency:
      concurrency === undefined
        ? undefined
        : readInteger(concurrency, `\`concurrency\` of ${what}`, 1, MOST_CONCURRENCY, "concurrency: 4", mistakes),
    span: entry.keySpan,
    usesSpan: uses?.span ?? entry.keySpan,
  };
}

const USES = /^([^:]*)::(?:([^#]*)#)?([^#]*)$/;

function readUses(tree: Tree, what: string, around: Surroundings): string | undefined {
  const { mistakes } = around;
  const text = readText(tree, `\`uses\` of ${what}`, 'uses: "greeter::greet"', mistakes);
  if (text === undefined) return undefined;
  const found = USES.exec(text.value);
  const [, component = "", iface, operation = ""] = found ?? [];
  const isName = (name: string): boolean => /^[A-Za-z][A-Za-z0-9-]*$/.test(name);
  if (
    found === null ||
    !isName(component) ||
    !isName(operation) ||
    (iface !== undefined && !/^[A-Za-z0-9:/@.+-]+$/.test(iface))
  ) {
    mistakes.error(
      "manifest/bad-uses",
      text.span,
      `${quoted(text.value)} names no operation of a component`,
      "Write `component::operation`, or `component::interface#operation` where the name alone is not clear.",
    );
    return undefined;
  }
  const names = [...around.componentNames, "core"];
  if (names.includes(component)) return text.value;
  const known =
    around.componentNames.length === 0
      ? "Name it under `components:`."
      : `The components are ${listed(around.componentNames)}; name others under \`components:\`.`;
  mistakes.error(
    "manifest/unknown-component",
    text.place(0, component.length),
    `there is no component ${named(component)}`,
    meantName(component, names, known),
  );
  return undefined;
}

function readRetry(tree: Tree, what: string, mistakes: Mistakes): NodeDeclaration["retry"] {
  if (tree.kind !== "map")
    return wrongKind(tree, `\`retry\` of ${what}`, "a mapping", "retry: { attempts: 3, backoff: 100ms }", mistakes);
  const keys = readKnown(tree, `\`retry\` of ${what}`, RETRY_KEYS, mistakes);
  const [attempts, backoff] = [keys.get("attempts")?.value, keys.get("backoff")?.value];
  if (attempts === undefined) missingKey("attempts", `\`retry\` of ${what}`, tree.span, "attempts: 3", mistakes);
  const count =
    attempts === undefined
      ? undefined
      : readInteger(attempts, `\`attempts\` of ${what}`, 1, MOST_ATTEMPTS, "attempts: 3", mistakes);
  const wait = backoff === undefined ? 0 : readDuration(backoff, `\`backoff\` of ${what}`, "backoff: 100ms", 0, mistakes);
  return count === undefined || wait === undefined ? undefined : { attempts: count, backoffMs: wait };
}

function readFlow(tree: Tree, what: string, around: Surroundings): FlowText {
  const text = readText(tree, `\`flow\` of ${what}`, 'flow: "<>.name -> text::greet -> <>.greeting"', around.mistakes);
  if (text === undefined) return emptyFlow(tree.span);
  for (const { start, end } of flowStrings(text.value)) checkTextReferences(text, start, end, insideOf(around), around.mistakes);
  return flowText(text);
}

function flowText(tree: TextTree): FlowText {
  return { text: tree.value, span: tree.span, place: (start, end) => tree.place(start, end) };
}

function emptyFlow(span: Span): FlowText {
  return { text: "", span, place: () => span };
}
