// Whether what goes over a connection fits the port it ends at: types by assignability, literals and constants by reading them as JSON
// of that type.

import type { Span } from "../base/diagnostics.ts";
import type { Setting, Json } from "../manifest/manifest.ts";
import { written } from "../manifest/mistakes.ts";
import { assignable, explainMismatch, type Conversion, type Mismatch } from "../wit/assignable.ts";
import { describeJson } from "../wit/describe-json.ts";
import { readJson } from "../wit/read-json.ts";
import { printType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import type { Access, CheckedSource, StreamUse } from "./checked.ts";
import type { Draft, Edge, NodeDraft } from "./draft.ts";
import { holds, isHandle } from "./holding.ts";
import { errorsOf, givenBy } from "./mapping.ts";
import { typeOfPath } from "./paths.ts";
import type { LiteralSyntax, PathPart } from "./syntax.ts";

/** The places of nodes and input ports in the plan. */
export interface Indices {
  readonly nodes: ReadonlyMap<NodeDraft, number>;
  readonly inputs: ReadonlyMap<string, number>;
}

/** An edge as a source for a port of `type` (undefined: whatever comes); undefined where it does not fit, which is reported. */
export function sourceFor(
  draft: Draft,
  edge: Edge,
  label: string,
  type: ValType | undefined,
  indices: Indices,
): CheckedSource | undefined {
  const { source } = edge.connection;
  if (source.kind === "literal") return type === undefined ? undefined : literalSource(draft, source, label, type);
  if (edge.type === undefined) return undefined;
  const target = type ?? edge.type;
  const whole = fit(draft, edge, edge.type, label, target);
  const fallback = edge.fallback === undefined ? undefined : readLiteral(draft, edge.fallback, label, elementIn(target));
  const from = fromOf(edge, indices);
  if (whole === undefined || from === undefined || (edge.fallback !== undefined && fallback === undefined)) return undefined;
  const { conversion, stream } = withStreams(edge.type, whole);
  return { from, path: accessOf(draft, edge), type: edge.type, conversion, fallback, stream };
}

/** The conversion of what goes over, and whether it goes element by element. */
function withStreams(
  from: ValType,
  conversion: Conversion,
): { readonly conversion: Conversion; readonly stream: StreamUse | undefined } {
  const element = from.kind === "stream" ? from.element : undefined;
  switch (conversion.kind) {
    case "each":
      return { conversion: conversion.element, stream: { use: "each", element } };
    case "stream":
      return { conversion: conversion.element, stream: { use: "whole", element } };
    case "to-stream":
      return { conversion: conversion.element, stream: { use: "one", element } };
    default:
      return { conversion, stream: from.kind === "stream" ? { use: "whole", element } : undefined };
  }
}

/** What a literal stands for at a port: of a stream, for one element. */
function elementIn(type: ValType): ValType {
  const inside = type.kind === "option" && type.type.kind === "stream" ? type.type : type;
  return inside.kind === "stream" ? (inside.element ?? inside) : type;
}

const SAME: Conversion = { kind: "same" };

/** An output has no operation that could run once per element. */
const STREAM_AT_OUTPUT: Mismatch = {
  path: "",
  message: "",
  cure: "Declare the output as a stream, or gather the elements into a list with `core::collect`.",
};

function fit(draft: Draft, edge: Edge, from: ValType, label: string, to: ValType): Conversion | undefined {
  if (from === to) return SAME;
  const { source, sink } = edge.connection;
  const conversion = assignable(from, to.kind === "option" && to.type.kind === "stream" ? to.type : to);
  const what = `\`${sourceLabel(draft, edge)}\``;
  const isAtOutput = conversion?.kind === "each" && sink.kind === "boundary";
  if (conversion !== undefined && !isAtOutput) return conversion;
  const mismatch = isAtOutput ? STREAM_AT_OUTPUT : explainMismatch(from, to);
  const where =
    mismatch === undefined || mismatch.path === "" ? reason(mismatch?.message) : `; at \`${mismatch.path}\`: ${mismatch.message}`;
  const message = `${what} gives \`${printType(from, 120)}\`, but \`${label}\` takes \`${printType(to, 120)}\`${where}`;
  draft.wrong(
    "flow/type-mismatch",
    { start: source.start, end: sink.end },
    message,
    mismatch?.cure ?? cureFor(source.kind, from, to),
  );
  return undefined;
}

/** What the explanation adds to the two types, which are shown already. */
function reason(message: string | undefined): string {
  const at = message?.indexOf("`: ") ?? -1;
  return message === undefined || at < 0 ? "" : `: ${message.slice(at + 3)}`;
}

function cureFor(source: string, from: ValType, to: ValType): string {
  if (source === "error") return "Take one field of the error with `core::pick`, `with: { path: message }`.";
  if (from.kind === "option" && assignable(from.type, to) !== undefined)
    return "It may be none: part the two ways with `core::switch`.";
  if (
    to.kind === "stream" &&
    from.kind === "list" &&
    to.element !== undefined &&
    assignable(from.element, to.element) !== undefined
  )
    return "Make a stream of the list with `core::spread`.";
  if (to.kind === "list" && from.kind === "stream") return "Gather the stream into a list with `core::collect`.";
  if (from.kind === "record" && to.kind !== "record") return "Name one of its fields behind a `.`.";
  if (from.kind === "list" && assignable(from.element, to) !== undefined)
    return "Take one element: write `[0]` behind the source.";
  return "Convert it on the way, for example with `core::expr`.";
}

function sourceLabel(draft: Draft, edge: Edge): string {
  const { source } = edge.connection;
  if (source.kind === "literal" || source.kind === "unknown") return draft.text(source);
  const name = source.kind === "boundary" ? "<>" : source.kind === "error" ? `${source.node.id}!` : source.node.id;
  return name + edge.path.map((part) => (part.kind === "name" ? `.${part.name}` : `[${part.index}]`)).join("");
}

function literalSource(draft: Draft, literal: LiteralSyntax, label: string, type: ValType): CheckedSource | undefined {
  return constantOf(type, readLiteral(draft, literal, label, elementIn(type)));
}

/** A literal as a value of the type of the port it goes to. */
export function readLiteral(
  draft: Draft,
  literal: LiteralSyntax,
  label: string,
  type: ValType,
): { readonly value: unknown } | undefined {
  return readAs(draft, literal.value, draft.flow.place(literal.start, literal.end), label, type);
}

/** A constant of `with` as the source of a port. */
export function constantSource(draft: Draft, setting: Setting, label: string, type: ValType): CheckedSource | undefined {
  return constantOf(type, readAs(draft, setting.value, setting.valueSpan, label, elementIn(type)));
}

/** What is written for a stream is its one element. */
function constantOf(type: ValType, read: { readonly value: unknown } | undefined): CheckedSource | undefined {
  if (read === undefined) return undefined;
  const stream: StreamUse | undefined = elementIn(type) === type ? undefined : { use: "one", element: undefined };
  return { from: { kind: "constant", value: read.value }, path: [], type, stream };
}

function readAs(draft: Draft, json: Json, span: Span, label: string, type: ValType): { readonly value: unknown } | undefined {
  if (holds(type, isHandle)) {
    draft.mistakes.error(
      "flow/bad-literal",
      span,
      `\`${label}\` takes \`${printType(type, 120)}\`, which cannot be written as JSON`,
      "Connect it to an operation that gives one.",
    );
    return undefined;
  }
  const { value, mistakes } = readJson(type, json);
  for (const { path, message, cure } of mistakes.slice(0, 5)) {
    const where = path !== "$" ? ` at \`${path}\`: ${message}` : message.startsWith("expected") ? "" : `: ${message}`;
    const help = cure ?? `Write JSON of that type: ${describeJson(type, 120)}.`;
    draft.mistakes.error(
      "flow/bad-literal",
      span,
      `\`${label}\` takes \`${printType(type, 120)}\`, not ${written(json)}${where}`,
      help,
    );
  }
  return mistakes.length === 0 ? { value } : undefined;
}

function fromOf({ connection, path }: Edge, indices: Indices): CheckedSource["from"] | undefined {
  const { source } = connection;
  if (source.kind === "node" || source.kind === "error") {
    const index = indices.nodes.get(source.node);
    return index === undefined ? undefined : { kind: source.kind, index };
  }
  const [port] = path;
  const index = source.kind === "boundary" && port?.kind === "name" ? indices.inputs.get(port.name) : undefined;
  return index === undefined ? undefined : { kind: "input", index };
}

/** The steps from the source's value to what goes over the edge. */
function accessOf(draft: Draft, edge: Edge): readonly Access[] {
  const { source } = edge.connection;
  const { path } = edge;
  if (source.kind === "boundary") {
    const [first, ...rest] = path;
    const input = first?.kind === "name" ? draft.inputs.get(first.name) : undefined;
    return stepsOf(input?.type, rest);
  }
  if (source.kind === "error") return stepsOf(errorsOf(source.node), path);
  if (source.kind !== "node") return [];
  const { node } = source;
  const [first, ...rest] = path;
  const result = node.signature?.result;
  if (node.coreNode?.routes !== true || first?.kind !== "name" || result?.kind !== "record") return stepsOf(givenBy(node), path);
  const way = result.fields.find(({ name }) => name === first.name);
  const route: readonly Access[] = [{ kind: "route", port: first.name }, ...stepsOf(way?.type, rest)];
  return node.mapped ? [{ kind: "elements" }, ...route] : route;
}

function stepsOf(type: ValType | undefined, path: readonly PathPart[]): readonly Access[] {
  if (type === undefined) return [];
  const found = typeOfPath(type, path);
  return "problem" in found ? [] : found.path;
}
