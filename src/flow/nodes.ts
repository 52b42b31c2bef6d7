// Which nodes a flow has: those declared under `nodes`, and those named where they are wired. A node that is written
// `component::operation` has the operation's name as id; written again without `[id]` it could be the same node or another, so that
// is a mistake, and the cure says both ways.

import type { Span } from "../base/diagnostics.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import type { NodeDeclaration } from "../manifest/manifest.ts";
import { cutText, listed, meant, named } from "../manifest/mistakes.ts";
import { CORE, CORE_OPERATIONS } from "./core/core.ts";
import type { CoreOperation } from "./core/operation.ts";
import { Settings } from "./core/settings.ts";
import type { Draft, NodeDraft, SinkEnd, SourceEnd } from "./draft.ts";
import type { Signature } from "./flow.ts";
import { defaultId } from "./parse.ts";
import type { FlowLine, NodeSyntax, Range } from "./syntax.ts";

/** More nodes than this are refused. */
export const MAX_NODES = 10_000;

/** Finds every node of the flow, then every connection between them. */
export function resolveNodes(draft: Draft, lines: readonly FlowLine[]): void {
  for (const declaration of draft.declaration.nodes) declareNode(draft, declaration);
  const found = new Map<NodeSyntax, NodeDraft>();
  const nodes = lines.flatMap(nodesOf);
  for (const node of nodes) if (node.kind === "use" && !draft.isHopeless) wireNode(draft, node, found);
  for (const node of nodes) if (node.kind === "id" && !draft.isHopeless) referToNode(draft, node, found);
  for (const line of lines) connectLine(draft, line, found);
}

function nodesOf(line: FlowLine): NodeSyntax[] {
  const { source, sink } = line;
  const first = source.kind === "node" || source.kind === "error" ? [source.node] : [];
  return [...first, ...line.steps.map((step) => step.node), ...(sink.kind === "node" ? [sink.node] : [])];
}

function declareNode(draft: Draft, declaration: NodeDeclaration): void {
  const [component, operation] = splitUse(declaration.uses);
  addNode(draft, declaration.id, component, operation, declaration, () => declaration.usesSpan);
}

/** `component::operation`; the manifest proved that there is a `::`. */
function splitUse(uses: string): readonly [string, string] {
  const at = uses.indexOf("::");
  return at < 0 ? [uses, ""] : [uses.slice(0, at), uses.slice(at + 2)];
}

function wireNode(draft: Draft, node: NodeSyntax & { kind: "use" }, found: Map<NodeSyntax, NodeDraft>): void {
  const { component, operation } = node;
  const id = node.id?.name ?? defaultId(operation.name);
  const existing = draft.nodes.get(id);
  if (existing === undefined) {
    if (draft.nodes.size >= MAX_NODES)
      return draft.wrong("flow/too-large", node, `a flow has ${MAX_NODES} nodes at most`, "Split it into several operations.");
    const place = (): Span => draft.flow.place(node.start, node.end);
    found.set(node, addNode(draft, id, component.name, operation.name, undefined, place));
    return;
  }
  const isSame = existing.component === component.name && sameOperation(existing.operation, operation.name);
  if (isSame && node.id !== undefined) {
    found.set(node, existing);
    return;
  }
  // Which node it is cannot be told: what would follow from either guess is not reported.
  existing.broken = true;
  existing.used = true;
  const written = `${component.name}::${operation.name}`;
  const other = freeId(draft, id);
  if (isSame) {
    const cure = `Write \`${id}\` for the same node, or \`${written}[${other}]\` for another one.`;
    draft.wrong(
      "flow/ambiguous-node",
      node,
      `\`${written}\` is written again without an id: is it \`${id}\` or another node?`,
      cure,
    );
  } else {
    const message = `the id \`${id}\` stands for \`${existing.component}::${existing.operation}\` already`;
    draft.wrong("flow/ambiguous-node", node, message, `Give this node an id of its own: \`${written}[${other}]\`.`);
  }
}

function sameOperation(known: string, written: string): boolean {
  return known === written || matchesShort(known, written);
}

function freeId(draft: Draft, id: string): string {
  for (let i = 2; ; i++) if (!draft.nodes.has(`${id}-${i}`)) return `${id}-${i}`;
}

function referToNode(draft: Draft, node: NodeSyntax & { kind: "id" }, found: Map<NodeSyntax, NodeDraft>): void {
  const existing = draft.nodes.get(node.id);
  if (existing !== undefined) {
    found.set(node, existing);
    return;
  }
  // The line that names it may be one that could not be read.
  if (draft.incomplete) return;
  const guess = meant(node.id, draft.nodes.keys());
  const other = guess === undefined ? undefined : draft.nodes.get(guess);
  if (other !== undefined) other.meant = true;
  draft.wrong(
    "flow/unknown-node",
    node,
    `there is no node ${named(node.id)}`,
    guess === undefined ? nodeCure(draft, node.id) : `Did you mean ${named(guess)}?`,
  );
}

function nodeCure(draft: Draft, id: string): string {
  for (const component of draft.operations.components) {
    for (const operation of draft.operations.operationsOf(component) ?? []) {
      if (defaultId(operation) === id) return `Write \`${component}::${operation}\` where it is wired first.`;
    }
  }
  const nodes = draft.nodes.size === 0 ? "" : ` Nodes of this flow: ${listed(draft.nodes.keys())}.`;
  return `Name its operation where it is wired first: \`component::operation[${cutText(id, 60)}]\`.${nodes}`;
}

function addNode(
  draft: Draft,
  id: string,
  component: string,
  operation: string,
  declaration: NodeDeclaration | undefined,
  place: () => Span,
): NodeDraft {
  const wrong = (code: ErrorCode, message: string, cure?: string): void => draft.mistakes.error(code, place(), message, cure);
  const core = component === CORE ? findCore(operation, wrong) : undefined;
  const found = component === CORE ? undefined : findOperation(draft, component, operation, wrong);
  const node: NodeDraft = {
    id,
    component,
    operation: found?.operation ?? operation,
    declaration,
    place,
    signature: found?.signature,
    core,
    settings: core === undefined ? undefined : new Settings(core, declaration?.with ?? [], place, draft.mistakes),
    coreNode: undefined,
    broken: core === undefined && found === undefined,
    meant: false,
    used: false,
    incoming: [],
    outgoing: [],
    constants: new Map(core === undefined ? declaration?.with.map((setting) => [setting.name, setting]) : []),
    claimed: new Set(),
    ports: new Map(),
    taken: new Set(),
    mapped: false,
    given: undefined,
    skippable: false,
  };
  draft.nodes.set(id, node);
  return node;
}

type Wrong = (code: ErrorCode, message: string, cure: string) => void;

function findCore(operation: string, wrong: Wrong): CoreOperation | undefined {
  const found = CORE_OPERATIONS.get(operation);
  if (found !== undefined) return found;
  const guess = meant(operation, CORE_OPERATIONS.keys());
  wrong(
    "flow/unknown-operation",
    `\`core\` has no operation ${named(operation)}`,
    guess === undefined ? `It has ${listed(CORE_OPERATIONS.keys())}.` : `Did you mean \`core::${guess}\`?`,
  );
  return undefined;
}

interface Found {
  readonly operation: string;
  readonly signature: Signature;
}

function findOperation(draft: Draft, component: string, operation: string, wrong: Wrong): Found | undefined {
  const table = draft.operations.operationsOf(component);
  if (table === undefined) {
    const components = [...draft.operations.components, CORE];
    const guess = meant(component, components);
    const cure =
      guess === undefined ? `Components of this app: ${listed(components)}.` : `Did you mean \`${guess}::${operation}\`?`;
    wrong("flow/unknown-component", `there is no component ${named(component)}`, cure);
    return undefined;
  }
  const names = [...table];
  const candidates = names.includes(operation) ? [operation] : names.filter((name) => matchesShort(name, operation));
  if (candidates.length > 1) {
    wrong(
      "flow/ambiguous-operation",
      `\`${component}\` has several operations ${named(operation)}`,
      `Write which one: ${listed(candidates.map((name) => `${component}::${name}`))}.`,
    );
    return undefined;
  }
  const full = candidates[0] ?? operation;
  const signature = draft.operations.signatureOf(component, full);
  if (signature !== undefined) return { operation: full, signature };
  const guess = meant(operation, names) ?? names.find((name) => defaultId(name) === meant(operation, names.map(defaultId)));
  const cure =
    names.length === 0
      ? "It has none."
      : guess === undefined
        ? `It has ${listed(names)}.`
        : `Did you mean \`${component}::${guess}\`?`;
  wrong("flow/unknown-operation", `\`${component}\` has no operation ${named(operation)}`, cure);
  return undefined;
}

/** `upper` and `case#upper` are short for `acme:text/case@1.0.0#upper`. */
function matchesShort(full: string, written: string): boolean {
  const hash = full.indexOf("#");
  if (hash < 0) return false;
  const [prefix, name] = [full.slice(0, hash), full.slice(hash + 1)];
  if (written === name) return true;
  const at = prefix.indexOf("@");
  const unversioned = at < 0 ? prefix : prefix.slice(0, at);
  return written === `${unversioned}#${name}` || written === `${unversioned.slice(unversioned.lastIndexOf("/") + 1)}#${name}`;
}

function connectLine(draft: Draft, line: FlowLine, found: ReadonlyMap<NodeSyntax, NodeDraft>): void {
  let source = sourceOf(line, found);
  let fallback = line.fallback;
  if (fallback !== undefined) refuseFallback(draft, line);
  for (const sink of [...line.steps, line.sink]) {
    const end = sinkOf(sink, found);
    const connection = { source, fallback, sink: end };
    draft.connections.push(connection);
    if (source.kind === "node" || source.kind === "error") source.node.outgoing.push(connection);
    if (source.kind === "node" || source.kind === "error") source.node.used = true;
    if (end.kind === "node") {
      end.node.incoming.push(connection);
      end.node.used = true;
      if (end.port !== undefined) end.node.claimed.add(end.port.name);
      source = { kind: "node", node: end.node, path: [], start: sink.start, end: sink.end };
    } else source = { kind: "unknown", start: sink.start, end: sink.end };
    fallback = undefined;
  }
}

function sourceOf({ source }: FlowLine, found: ReadonlyMap<NodeSyntax, NodeDraft>): SourceEnd {
  if (source.kind === "boundary" || source.kind === "literal") return source;
  const node = found.get(source.node);
  if (node === undefined) return unknown(source);
  return source.kind === "error" ? { ...source, node } : { ...source, node };
}

function sinkOf(sink: FlowLine["sink"], found: ReadonlyMap<NodeSyntax, NodeDraft>): SinkEnd {
  if (sink.kind === "drop") return sink;
  if (sink.kind === "boundary") return { ...sink, port: sink.port };
  const node = found.get(sink.node);
  return node === undefined ? unknown(sink) : { kind: "node", node, port: sink.port, start: sink.start, end: sink.end };
}

function unknown({ start, end }: Range): Range & { readonly kind: "unknown" } {
  return { kind: "unknown", start, end };
}

function refuseFallback(draft: Draft, { source, fallback }: FlowLine): void {
  if (fallback === undefined || source.kind === "node") return;
  if (source.kind === "boundary") {
    if (source.path.some((part) => part.kind === "index")) return;
    const name = source.path[0]?.kind === "name" ? source.path[0].name : "name";
    draft.wrong(
      "flow/useless-fallback",
      fallback,
      "an input does not fail, so `??` never stands for it",
      `Give the input port a default: \`${name}: { default: … }\`.`,
    );
  } else {
    const what = source.kind === "literal" ? "a literal does not fail" : "an error output is skipped where nothing failed";
    draft.wrong("flow/useless-fallback", fallback, `${what}, so \`??\` never stands for it`, "Leave out the `??`.");
  }
}
