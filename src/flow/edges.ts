// Types every connection, node by node in their order: which port it starts and ends at, what type goes over it, whether that fits.

import { positionOf } from "../base/diagnostics.ts";
import type { Json } from "../manifest/manifest.ts";
import { listed, meant, named } from "../manifest/mistakes.ts";
import { printType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import { CEL_WORDS } from "./core/cel-types.ts";
import { literalType } from "./core/types.ts";
import type { Connection, Draft, Edge, InputDraft, NodeDraft, SourceEnd } from "./draft.ts";
import { errorRecordType } from "./failure.ts";
import { errorsOf, givenBy, goesThrough, markMapped } from "./mapping.ts";
import { findInput } from "./inputs.ts";
import { typeOfPath } from "./paths.ts";
import {
  joinNamed,
  joinUnnamed,
  portsOfNode,
  shapeOfNode,
  type Join,
  type Shape,
  type SinkPort,
  type SinkPorts,
} from "./shapes.ts";
import type { LiteralSyntax, PathPart } from "./syntax.ts";

/** How many inputs `merge`, `race` and `zip` take. */
const MAX_OPEN_PORTS = 100;

/** Connects everything that ends at a node; its sources were typed before. */
export function connectNode(draft: Draft, node: NodeDraft): void {
  if (node.core === undefined) connectTyped(draft, node);
  else connectGeneric(draft, node);
}

function connectTyped(draft: Draft, node: NodeDraft): void {
  const ports = node.signature === undefined ? undefined : portsOfNode(node);
  const byName = new Map(ports?.all.map((port) => [port.name, port]));
  for (const connection of node.incoming) {
    const shape = shapeOf(draft, connection.source);
    if (shape === undefined || ports === undefined) {
      if (ports !== undefined) checkPortName(draft, connection, ports);
      node.broken = true;
      continue;
    }
    const joins = joinsTo(draft, connection, shape, ports, byName);
    if (joins.length === 0) giveUp(draft, node, connection);
    for (const join of joins) {
      addEdge(
        draft,
        node.ports,
        `${node.id}.${join.port}`,
        edgeOf(draft, connection, shape, join),
        node.constants.has(join.port),
      );
    }
  }
  markMapped(draft, node);
}

function streamOf(element: ValType): ValType {
  return { kind: "stream", element };
}

/** A connection that is wrong: what it leaves unconnected and unused is not reported too. */
function giveUp(draft: Draft, node: NodeDraft, { source }: Connection): void {
  node.broken = true;
  markUsed(draft, source, undefined);
}

function joinsTo(
  draft: Draft,
  connection: Connection,
  shape: Shape,
  ports: SinkPorts,
  byName: ReadonlyMap<string, SinkPort>,
): readonly Join[] {
  const { sink } = connection;
  if (sink.kind === "drop" || sink.kind === "unknown") return [];
  if (sink.port === undefined) return joinUnnamed(draft, shape, ports, sink);
  const port = byName.get(sink.port.name);
  if (port === undefined) {
    if (sink.kind === "node" && sink.node.core?.takes === "variables" && CEL_WORDS.has(sink.port.name)) {
      draft.wrong(
        "flow/unknown-port",
        sink.port,
        `\`${sink.port.name}\` is a word of CEL, and no variable`,
        "Choose another name in the expression and here.",
      );
    } else unknownPort(draft, sink.port, ports.label, [...byName.keys()], "input");
    return [];
  }
  const join = joinNamed(draft, shape, port, connection.source);
  return join === undefined ? [] : [join];
}

/** The port may be wrong although nothing is known of the source. */
function checkPortName(draft: Draft, { sink }: Connection, ports: SinkPorts): void {
  if (sink.kind !== "node" || sink.port === undefined) return;
  const names = ports.all.map(({ name }) => name);
  if (!names.includes(sink.port.name)) unknownPort(draft, sink.port, ports.label, names, "input");
}

function unknownPort(
  draft: Draft,
  at: { readonly name: string; readonly start: number; readonly end: number },
  label: string,
  names: readonly string[],
  side: "input" | "output",
): void {
  const guess = meant(at.name, names);
  const cure =
    guess === undefined
      ? names.length === 0
        ? `It has no ${side}.`
        : `Its ${side}s: ${listed(names)}.`
      : `Did you mean ${named(guess)}?`;
  draft.wrong("flow/unknown-port", at, `${label} has no ${side} port ${named(at.name)}`, cure);
}

function addEdge(draft: Draft, ports: Map<string, Edge>, label: string, edge: Edge, isConstant: boolean): void {
  const existing = ports.get(edge.port);
  if (existing === undefined && !isConstant) {
    ports.set(edge.port, edge);
    return;
  }
  const { sink } = edge.connection;
  if (existing === undefined) {
    draft.wrong("flow/duplicate-source", sink, `\`${label}\` is set by \`with\` already`, "Leave out one of the two.");
    return;
  }
  const first = draft.flow.place(existing.connection.sink.start, existing.connection.sink.end);
  const { line } = positionOf(first.source, first.start);
  draft.wrong(
    "flow/duplicate-source",
    sink,
    `\`${label}\` has a source already, in line ${line}`,
    "Leave out one of the two, or join them with `core::merge`.",
  );
}

/** A `core::` operation: its ports follow from what is connected, then its types. */
function connectGeneric(draft: Draft, node: NodeDraft): void {
  const { core, settings } = node;
  if (core === undefined || settings === undefined) return;
  const names = core.takes === "value" ? ["value"] : core.takes === "variables" ? core.ports?.(settings) : [];
  if (names === undefined) node.broken = true;
  const all = (names ?? []).map((name): SinkPort => ({ name, type: undefined, optional: false }));
  const ports: SinkPorts = { label: `\`${node.id}\``, all, left: all.filter(({ name }) => !node.claimed.has(name)) };
  const byName = new Map(all.map((port) => [port.name, port]));
  for (const connection of node.incoming) {
    const shape = shapeOf(draft, connection.source);
    if (shape === undefined || names === undefined) {
      node.broken = true;
      continue;
    }
    const joins =
      core.takes === "open" ? openJoins(draft, node, connection, shape) : joinsTo(draft, connection, shape, ports, byName);
    if (joins.length === 0) giveUp(draft, node, connection);
    for (const join of joins)
      addEdge(draft, node.ports, `${node.id}.${join.port}`, edgeOf(draft, connection, shape, join), false);
  }
  if (!node.broken) typeGeneric(draft, node, all);
}

/** An open node takes a port by any name; without one, the next number. */
function openJoins(draft: Draft, node: NodeDraft, connection: Connection, shape: Shape): readonly Join[] {
  const { sink } = connection;
  if (sink.kind !== "node") return [];
  if (node.ports.size >= MAX_OPEN_PORTS) {
    draft.wrong("flow/too-large", sink, `\`${node.id}\` takes ${MAX_OPEN_PORTS} inputs at most`, "Join some of them first.");
    return [];
  }
  const name = sink.port?.name ?? String(node.ports.size + 1);
  const join = joinNamed(draft, shape, { name, type: undefined, optional: false }, connection.source);
  if (join === undefined) node.broken = true;
  return join === undefined ? [] : [join];
}

/** Stands for the type of a generic port: any but a stream. */
const NO_TYPE: ValType = { kind: "bool" };

function typeGeneric(draft: Draft, node: NodeDraft, ports: readonly SinkPort[]): void {
  const { core, settings } = node;
  if (core === undefined || settings === undefined) return;
  for (const { name } of ports) {
    if (node.ports.has(name)) continue;
    node.broken = true;
    if (!draft.incomplete && !node.meant)
      draft.mistakes.error(
        "flow/unconnected-input",
        node.place(),
        `input port \`${name}\` of \`${node.id}\` has no source`,
        `Connect it: \`… -> ${node.id}.${name}\`.`,
      );
  }
  const order = core.takes === "open" ? [...node.ports.keys()] : ports.map(({ name }) => name);
  const inputs = order.flatMap((name) => {
    const edge = node.ports.get(name);
    const literal = edge?.connection.source.kind === "literal" ? edge.connection.source : undefined;
    const type = literal === undefined ? edge?.type : literalType(literal.value);
    if (literal !== undefined && type === undefined) {
      draft.wrong(
        "flow/unknown-type",
        literal,
        "the type of this literal cannot be told from where it goes",
        "Connect it to a port with a type.",
      );
    }
    if (type === undefined) return [];
    // What takes no streams is given their elements, and runs once for each.
    const isEach = core.streams !== true && goesThrough(type, NO_TYPE);
    if (isEach) node.mapped = true;
    return [{ name, type: isEach && type.kind === "stream" ? (type.element ?? type) : type, literal: literal !== undefined }];
  });
  if (inputs.length < order.length) node.broken = true;
  if (node.broken) return;
  const before = draft.mistakes.errorCount;
  node.coreNode = core.check({
    settings,
    inputs,
    types: draft.types,
    wrong: (code, message, cure) => {
      if (code === "flow/unconnected-input" && node.meant) return;
      draft.mistakes.error(code, node.place(), `\`${node.id}\`: ${message}`, cure);
    },
  });
  node.signature = node.coreNode?.signature;
  if (node.coreNode === undefined || draft.mistakes.errorCount > before) node.broken = true;
}

/** What a source offers; undefined where that is not known because of a mistake that was reported. */
export function shapeOf(draft: Draft, source: SourceEnd): Shape | undefined {
  switch (source.kind) {
    case "boundary":
      return shapeOfBoundary(draft, source);
    case "node":
      return shapeOfNodePath(draft, source);
    case "error": {
      const { node } = source;
      if (node.signature === undefined) return undefined;
      const whole = errorsOf(node);
      const { mapped } = node;
      const record = errorRecordType(node.signature.error);
      const fields = record.kind === "record" ? record.fields : [];
      const ports = fields.map(({ name, type }) => ({ name, type: mapped ? streamOf(type) : type }));
      return { label: `\`${node.id}!\``, ports, whole };
    }
    case "literal":
      return { label: "the literal" };
    default:
      return undefined;
  }
}

function shapeOfBoundary(draft: Draft, source: SourceEnd & { kind: "boundary" }): Shape | undefined {
  const { path } = source;
  if (path.length > 0) {
    const input = findInput(draft, path, source);
    if (input === undefined) return undefined;
    const type = typedPath(draft, `<>.${input.name}`, input.type, path.slice(1));
    const isUnknown = input.type === undefined && path.length === 1;
    return type === undefined && !isUnknown
      ? undefined
      : { label: `\`${draft.text(source)}\``, name: lastName(path), whole: type };
  }
  const inputs = [...draft.inputs.values()];
  if (inputs.length === 0) {
    draft.wrong(
      "flow/unknown-port",
      source,
      "this operation has no input",
      "Name the port that the value comes from: `<>.port`.",
    );
    return undefined;
  }
  return { label: "`<>`", ports: inputs.map(({ name, type }) => ({ name, type })), isPorts: true };
}

function shapeOfNodePath(draft: Draft, source: SourceEnd & { kind: "node" }): Shape | undefined {
  const { node, path } = source;
  if (node.signature === undefined) return undefined;
  if (node.signature.result === undefined) {
    draft.wrong(
      "flow/unknown-port",
      source,
      `\`${node.id}\` gives no value`,
      "Its line ends with it: take out what comes behind.",
    );
    return undefined;
  }
  const shape = shapeOfNode(node);
  const [first, ...rest] = path;
  if (first === undefined) return shape;
  if (first.kind === "name" && shape.ports !== undefined) {
    const port = shape.ports.find(({ name }) => name === first.name);
    if (port === undefined) {
      unknownPort(
        draft,
        first,
        shape.label,
        shape.ports.map(({ name }) => name),
        "output",
      );
      node.taken.add(undefined);
      return undefined;
    }
    const type = typedPath(draft, `${node.id}.${first.name}`, port.type, rest);
    return type === undefined ? undefined : { label: `\`${draft.text(source)}\``, name: lastName(path), whole: type };
  }
  if (shape.ports === undefined && first.kind === "name") {
    const message = `\`${node.id}\` gives one value, \`${printType(givenBy(node) ?? node.signature.result, 120)}\`, which has no port ${named(first.name)}`;
    draft.wrong("flow/unknown-port", first, message, `Write \`${node.id}\` alone.`);
    node.taken.add(undefined);
    return undefined;
  }
  const type = typedPath(draft, node.id, givenBy(node), path);
  return type === undefined ? undefined : { label: `\`${draft.text(source)}\``, name: lastName(path), whole: type };
}

function lastName(path: readonly PathPart[]): string | undefined {
  const last = path.at(-1);
  return last?.kind === "name" ? last.name : undefined;
}

function typedPath(draft: Draft, label: string, from: ValType | undefined, path: readonly PathPart[]): ValType | undefined {
  if (from === undefined) return undefined;
  const found = typeOfPath(from, path);
  if (!("problem" in found)) return found.type;
  draft.wrong("flow/unknown-field", found.part, `\`${label}\`: ${found.problem}`, found.cure);
  return undefined;
}

/** The edge of a join: its whole path from the source, and the part of the fallback that belongs to it. */
export function edgeOf(draft: Draft, connection: Connection, shape: Shape, join: Join): Edge {
  const { source } = connection;
  const at = { start: source.start, end: source.end };
  const path: PathPart[] = source.kind === "boundary" || source.kind === "node" ? [...source.path] : [];
  if (join.field !== undefined) path.push({ kind: "name", name: join.field, ...at });
  const type = join.field === undefined ? shape.whole : shape.ports?.find(({ name }) => name === join.field)?.type;
  markUsed(draft, source, join.field);
  return { connection, port: join.port, path, type, fallback: fallbackOf(draft, connection, shape, join) };
}

/** What a source without a path gives away: an input of the operation, a port of a node or all of it. */
function markUsed(draft: Draft, source: SourceEnd, field: string | undefined): void {
  if (source.kind === "node" && source.path.length === 0) source.node.taken.add(field);
  if (source.kind !== "boundary" || field === undefined) return;
  const input: InputDraft | undefined = draft.inputs.get(field);
  if (input !== undefined) input.used = true;
}

/** Of a connection that joins several ports by name, `??` has a field for each. */
function fallbackOf(draft: Draft, { fallback, sink }: Connection, shape: Shape, join: Join): LiteralSyntax | undefined {
  const isOneOfSeveral =
    join.field !== undefined &&
    sink.kind !== "drop" &&
    sink.kind !== "unknown" &&
    sink.port === undefined &&
    (shape.ports?.length ?? 0) > 1;
  if (fallback === undefined || !isOneOfSeveral) return fallback;
  const { value } = fallback;
  const part = ownField(value, join.port);
  if (part !== undefined) return { ...fallback, value: part };
  draft.wrong(
    "flow/bad-literal",
    fallback,
    `this \`??\` stands for several ports, and has no value for \`${join.port}\``,
    `Write an object with a key for each port: \`?? { "${join.port}": … }\`.`,
  );
  return undefined;
}

function ownField(value: Json, key: string): Json | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}
