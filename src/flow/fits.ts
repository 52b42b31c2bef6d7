// Whether what goes over a connection fits the port it ends at: types by assignability, literals and constants by reading them as JSON
// of that type.

import type { Span } from "../base/diagnostics.ts";
import type { Setting, Json } from "../manifest/manifest.ts";
import { written } from "../manifest/mistakes.ts";
import { assignable, explainMismatch, needsStreams, type Conversion } from "../wit/assignable.ts";
import { describeJson } from "../wit/describe-json.ts";
import { readJson } from "../wit/read-json.ts";
import { partsOf } from "../wit/type-size.ts";
import { printType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import type { Access, CheckedSource } from "./checked.ts";
import type { Draft, Edge, NodeDraft } from "./draft.ts";
import { errorRecordType } from "./failure.ts";
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
  const conversion = fit(draft, edge, edge.type, label, target);
  const fallback = edge.fallback === undefined ? undefined : readLiteral(draft, edge.fallback, label, target);
  const from = fromOf(edge, indices);
  if (conversion === undefined || from === undefined || (edge.fallback !== undefined && fallback === undefined)) return undefined;
  return { from, path: accessOf(draft, edge), type: edge.type, conversion, fallback };
}

const SAME: Conversion = { kind: "same" };

function fit(draft: Draft, edge: Edge, from: ValType, label: string, to: ValType): Conversion | undefined {
  if (from === to) return SAME;
  const { source, sink } = edge.connection;
  const conversion = assignable(from, to);
  const what = `\`${sourceLabel(draft, edge)}\``;
  if (conversion !== undefined && !needsStreams(conversion)) return conversion;
  if (conversion !== undefined) {
    draft.wrong(
      "flow/not-supported-yet",
      sink,
      `${what} gives \`${printType(from, 120)}\` and \`${label}\` takes \`${printType(to, 120)}\`: streams are not supported yet`,
      "Use operations that take and give lists.",
    );
    return undefined;
  }
  const mismatch = explainMismatch(from, to);
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
  const read = readLiteral(draft, literal, label, type);
  return read === undefined ? undefined : { from: { kind: "constant", value: read.value }, path: [], type };
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
  const read = readAs(draft, setting.value, setting.valueSpan, label, type);
  return read === undefined ? undefined : { from: { kind: "constant", value: read.value }, path: [], type };
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

function isHandle({ kind }: ValType): boolean {
  return kind === "own" || kind === "borrow" || kind === "stream" || kind === "future" || kind === "error-context";
}

export function isStream({ kind }: ValType): boolean {
  return kind === "stream" || kind === "future";
}

export function isOwned({ kind }: ValType): boolean {
  return kind === "own" || kind === "stream" || kind === "future";
}

const known = new WeakMap<ValType, Map<(type: ValType) => boolean, boolean>>();

/** Whether a type is or contains one that `wanted` asks for; each type is looked at once. */
export function holds(type: ValType, wanted: (type: ValType) => boolean): boolean {
  const answers = known.get(type) ?? new Map<(type: ValType) => boolean, boolean>();
  known.set(type, answers);
  let answer = answers.get(wanted);
  if (answer === undefined) {
    answer = wanted(type) || partsOf(type).some((part) => holds(part, wanted));
    answers.set(wanted, answer);
  }
  return answer;
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
  if (source.kind === "error") return stepsOf(errorRecordType(source.node.signature?.error), path);
  if (source.kind !== "node") return [];
  const { node } = source;
  const [first, ...rest] = path;
  const result = node.signature?.result;
  if (node.coreNode?.routes !== true || first?.kind !== "name" || result?.kind !== "record") return stepsOf(result, path);
  const way = result.fields.find(({ name }) => name === first.name);
  return [{ kind: "route", port: first.name }, ...stepsOf(way?.type, rest)];
}

function stepsOf(type: ValType | undefined, path: readonly PathPart[]): readonly Access[] {
  if (type === undefined) return [];
  const found = typeOfPath(type, path);
  return "problem" in found ? [] : found.path;
}
