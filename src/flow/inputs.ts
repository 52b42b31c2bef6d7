// The input ports of the operation: declared, or made by the lines that use them; their types written, or inferred from what they
// feed (through operations of `core::` that hand their value on), from their default, or from rules that only texts have.

import { listed, meant, named } from "../manifest/mistakes.ts";
import { checkPort } from "../manifest/rules.ts";
import { assignable } from "../wit/assignable.ts";
import type { ValType } from "../wit/types.ts";
import { literalType } from "./core/types.ts";
import type { Connection, Draft, InputDraft, NodeDraft, SinkEnd } from "./draft.ts";
import { portsOfNode, type SinkPort } from "./shapes.ts";
import type { PathPart, Range } from "./syntax.ts";

const MAX_INPUTS = 1000;

/** Finds the input ports and their types; reports unknown ports and types that cannot be told. */
export function resolveInputs(draft: Draft): void {
  const { input } = draft.declaration;
  for (const port of input ?? []) {
    draft.inputs.set(port.name, { name: port.name, declared: port, type: port.type, used: false, place: () => port.span });
  }
  const candidates = new Map<InputDraft, ValType[]>();
  const misled = new Set<InputDraft>();
  for (const connection of draft.connections) {
    if (connection.source.kind !== "boundary" || draft.isHopeless) continue;
    for (const { name, port, at, isWhole } of inputsOf(draft, connection)) {
      const found = draft.inputs.get(name) ?? (input === undefined ? addInput(draft, name, at) : undefined);
      if (found !== undefined && connection.source.path.length > 0) found.used = true;
      if (found === undefined || found.type !== undefined) continue;
      if (isMisled(connection.sink, port)) misled.add(found);
      if (!isWhole) continue;
      const list = candidates.get(found) ?? [];
      list.push(...(port === undefined ? expectedTypes(draft, connection) : port.type === undefined ? [] : [port.type]));
      candidates.set(found, list);
    }
  }
  for (const found of draft.inputs.values()) {
    if (found.type === undefined) inferType(draft, found, candidates.get(found) ?? [], misled.has(found));
  }
}

/** It goes to a node or port that is wrong itself, which is reported. */
function isMisled(sink: SinkEnd, port: SinkPort | undefined): boolean {
  if (sink.kind === "node") return port === undefined && (sink.node.core === undefined || sink.node.broken);
  return sink.kind === "unknown";
}

/** The input port that a path names, reported where there is none. */
export function findInput(draft: Draft, path: readonly PathPart[], at: Range): InputDraft | undefined {
  const [first] = path;
  const names = [...draft.inputs.keys()];
  if (first?.kind !== "name") {
    draft.wrong(
      "flow/unknown-port",
      first ?? at,
      "an index belongs behind a port: `<>.port[0]`",
      names.length === 0 ? "Declare it under `input`." : `Input ports: ${listed(names)}.`,
    );
    return undefined;
  }
  const found = draft.inputs.get(first.name);
  if (found !== undefined) return found;
  if (draft.declaration.input === undefined && draft.inputs.size >= MAX_INPUTS) return undefined;
  const guess = meant(first.name, names);
  const cure =
    guess === undefined
      ? `Declare it under \`input\`; there ${names.length === 0 ? "is nothing" : `are ${listed(names)}`}.`
      : `Did you mean \`<>.${guess}\`?`;
  draft.wrong("flow/unknown-port", first, `this operation has no input port ${named(first.name)}`, cure);
  return undefined;
}

interface InputUse {
  readonly name: string;
  /** The port of a node that it feeds, where that needs no types to tell. */
  readonly port: SinkPort | undefined;
  readonly at: Range;
  /** Not only a part of its value is used. */
  readonly isWhole: boolean;
}

/** The input ports that a connection uses: the one it names; for a bare `<>` that is not declared, those that the node still needs. */
function inputsOf(draft: Draft, { source, sink }: Connection): readonly InputUse[] {
  if (source.kind !== "boundary") return [];
  const [first] = source.path;
  if (first?.kind === "name") {
    const use = { name: first.name, at: first, isWhole: source.path.length === 1 };
    if (sink.kind !== "node" || sink.node.signature === undefined) return [{ ...use, port: undefined }];
    return [{ ...use, port: portFor(sink.node, sink.port?.name, first.name) }];
  }
  if (first !== undefined) return [];
  if (sink.kind === "node" && sink.node.signature !== undefined) {
    const { all, left } = portsOfNode(sink.node);
    const ports = sink.port === undefined ? left : all.filter(({ name }) => name === sink.port?.name);
    const known = draft.declaration.input === undefined ? ports : ports.filter(({ name }) => draft.inputs.has(name));
    return known.map((port) => ({ name: port.name, port, at: source, isWhole: true }));
  }
  return [];
}

/** The same choice that `joinUnnamed` makes for one value with a name. */
function portFor(node: NodeDraft, port: string | undefined, name: string): SinkPort | undefined {
  const { all, left } = portsOfNode(node);
  if (port !== undefined) return all.find((candidate) => candidate.name === port);
  if (left.length === 1) return left[0];
  const needed = left.filter(({ optional }) => !optional);
  return left.find((candidate) => candidate.name === name) ?? (needed.length === 1 ? needed[0] : undefined);
}

function addInput(draft: Draft, name: string, at: Range): InputDraft | undefined {
  if (draft.inputs.size >= MAX_INPUTS) {
    draft.wrong("flow/too-large", at, `an operation has ${MAX_INPUTS} input ports at most`, "Put them into a record.");
    return undefined;
  }
  const input: InputDraft = {
    name,
    declared: undefined,
    type: undefined,
    used: false,
    place: () => draft.flow.place(at.start, at.end),
  };
  draft.inputs.set(name, input);
  return input;
}

/** The types expected at the end of a connection, seen through generic nodes that hand their value on. */
function expectedTypes(draft: Draft, connection: Connection, seen = new Set<NodeDraft>()): ValType[] {
  const { sink } = connection;
  if (sink.kind === "boundary") {
    const outputs = draft.declaration.output ?? [];
    const port =
      sink.port === undefined && outputs.length === 1 ? outputs[0] : outputs.find(({ name }) => name === sink.port?.name);
    return port?.type === undefined ? [] : [port.type];
  }
  if (sink.kind !== "node") return [];
  const { node } = sink;
  if (node.signature !== undefined) {
    const port = portFor(node, sink.port?.name, "");
    return port?.type === undefined ? [] : [port.type];
  }
  if (node.core === undefined || !HANDS_ON.has(node.core.name) || seen.has(node)) return [];
  seen.add(node);
  const behind = node.outgoing.filter(({ source }) => source.kind === "node" && source.path.length === 0);
  return behind.flatMap((next) => expectedTypes(draft, next, seen));
}

const HANDS_ON = new Set(["assert", "delay", "log", "merge", "race"]);

function inferType(draft: Draft, input: InputDraft, candidates: readonly ValType[], isMisled: boolean): void {
  const { declared, name } = input;
  // Of several types, the one that fits all; where none does, the connections that do not fit the first are reported.
  input.type =
    candidates.find((type) => candidates.every((other) => other === type || assignable(type, other) !== undefined)) ??
    candidates[0];
  if (input.type === undefined && declared !== undefined) {
    const { default: value, rules } = declared;
    if (value !== undefined) input.type = literalType(value);
    else if (rules.trim === true || rules.pattern !== undefined || rules.format !== undefined || rules.normalize !== undefined)
      input.type = { kind: "string" };
  }
  if (input.type === undefined) {
    if (isMisled) return;
    draft.mistakes.error(
      "flow/unknown-type",
      input.place(),
      `the type of input port ${named(name)} cannot be told from what it feeds`,
      `Declare it: \`input: { ${name}: string }\`, or whatever type it has.`,
    );
  } else if (declared !== undefined) draft.mistakes.addAll(checkPort(declared, input.type));
}
