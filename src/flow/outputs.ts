// The output ports of the operation: declared, or made by the lines that end in `<>.port`. One line that ends in a bare `<>` where no
// port is declared gives its value as the result itself. A port whose type is inferred is an option where its value may be skipped.

import { listed, meant, named } from "../manifest/mistakes.ts";
import type { ValType } from "../wit/types.ts";
import type { CheckedOutput, CheckedResult, CheckedSource } from "./checked.ts";
import { literalType } from "./core/types.ts";
import type { Connection, Draft, Edge } from "./draft.ts";
import { edgeOf, shapeOf } from "./edges.ts";
import { sourceFor, type Indices } from "./fits.ts";
import { mayBeSkipped } from "./skipping.ts";
import { joinNamed, joinUnnamed, sinkPortsOf, type Shape, type SinkPort } from "./shapes.ts";

const MAX_OUTPUTS = 1000;

/** What the operation gives, and the sources that are dropped. */
interface Outputs {
  readonly result: CheckedResult;
  readonly drops: readonly CheckedSource[];
}

/** Connects the lines that leave the flow; every node is typed. */
export function connectOutputs(draft: Draft, indices: Indices): Outputs {
  const ends = draft.connections.filter(({ sink }) => sink.kind === "boundary");
  const { output } = draft.declaration;
  const result = output === undefined ? inferredResult(draft, ends, indices) : declaredResult(draft, ends, indices);
  return { result, drops: dropped(draft, indices) };
}

function declaredResult(draft: Draft, ends: readonly Connection[], indices: Indices): CheckedResult {
  const all = (draft.declaration.output ?? []).map(({ name, type }): SinkPort => ({ name, type, optional: false }));
  const named = new Set(
    ends.flatMap(({ sink }) => (sink.kind === "boundary" && sink.port !== undefined ? [sink.port.name] : [])),
  );
  const ports = sinkPortsOf("`<>`", all, (name) => named.has(name));
  const edges = new Map<string, Edge>();
  let uncertain = draft.incomplete;
  for (const connection of ends) {
    const shape = shapeOf(draft, connection.source);
    if (shape === undefined || connection.sink.kind !== "boundary") {
      uncertain = true;
      continue;
    }
    const { port } = connection.sink;
    const found = all.find(({ name }) => name === port?.name);
    const join = found === undefined ? undefined : joinNamed(draft, shape, found, connection.source);
    if (port !== undefined && found === undefined) {
      unknownOutput(draft, port, all);
      uncertain = true;
    }
    const joins = port === undefined ? joinUnnamed(draft, shape, ports, connection.sink) : join === undefined ? [] : [join];
    for (const item of joins) addOutput(draft, edges, edgeOf(draft, connection, shape, item));
  }
  if (!uncertain) {
    for (const { name, span } of draft.declaration.output ?? []) {
      if (!edges.has(name))
        draft.mistakes.error(
          "flow/unconnected-output",
          span,
          `output port \`${name}\` has no source`,
          `Connect it: \`… -> <>.${name}\`.`,
        );
    }
  }
  const checked = all.flatMap(({ name, type }) => outputOf(draft, edges.get(name), name, type, indices));
  return checked.length === 0 ? { kind: "none" } : { kind: "record", ports: checked };
}

function unknownOutput(
  draft: Draft,
  port: { readonly name: string; readonly start: number; readonly end: number },
  all: readonly SinkPort[],
): void {
  const names = all.map(({ name }) => name);
  const guess = meant(port.name, names);
  const cure =
    guess === undefined
      ? `Declare it under \`output\`; there ${names.length === 0 ? "is nothing" : `are ${listed(names)}`}.`
      : `Did you mean \`<>.${guess}\`?`;
  draft.wrong("flow/unknown-port", port, `this operation has no output port ${named(port.name)}`, cure);
}

function addOutput(draft: Draft, edges: Map<string, Edge>, edge: Edge): void {
  if (!edges.has(edge.port)) {
    edges.set(edge.port, edge);
    return;
  }
  draft.wrong(
    "flow/duplicate-source",
    edge.connection.sink,
    `output port \`${edge.port}\` has a source already`,
    "Leave out one of the two, or join them with `core::merge`.",
  );
}

function outputOf(
  draft: Draft,
  edge: Edge | undefined,
  name: string,
  type: ValType | undefined,
  indices: Indices,
): readonly CheckedOutput[] {
  if (edge === undefined) return [];
  const { source } = edge.connection;
  const target = type ?? (source.kind === "literal" ? literalOutput(draft, edge) : inferredType(edge));
  const checked = sourceFor(draft, edge, `<>.${name}`, target, indices);
  return checked === undefined || target === undefined ? [] : [{ name, type: target, source: checked }];
}

/** The type of what comes; an option of it where it may be skipped. */
function inferredType(edge: Edge): ValType | undefined {
  const { type } = edge;
  // A stream that is skipped is an empty one.
  return type === undefined || type.kind === "option" || type.kind === "stream" || !mayBeSkipped(edge)
    ? type
    : { kind: "option", type };
}

function literalOutput(draft: Draft, { connection, port }: Edge): ValType | undefined {
  const { source } = connection;
  const type = source.kind === "literal" ? literalType(source.value) : undefined;
  if (type === undefined)
    draft.wrong(
      "flow/unknown-type",
      source,
      "the type of this literal cannot be told from where it goes",
      `Declare the port: \`output: { ${port}: string }\`, or whatever type it has.`,
    );
  return type;
}

function inferredResult(draft: Draft, ends: readonly Connection[], indices: Indices): CheckedResult {
  const [only, more] = ends;
  if (only === undefined) return { kind: "none" };
  if (more === undefined && only.sink.kind === "boundary" && only.sink.port === undefined)
    return bareResult(draft, only, indices);
  return recordResult(draft, ends, indices);
}

function recordResult(draft: Draft, ends: readonly Connection[], indices: Indices): CheckedResult {
  const edges = new Map<string, Edge>();
  for (const connection of ends) {
    const shape = shapeOf(draft, connection.source);
    if (shape === undefined || connection.sink.kind !== "boundary") continue;
    if (edges.size >= MAX_OUTPUTS) {
      draft.wrong(
        "flow/too-large",
        connection.sink,
        `an operation has ${MAX_OUTPUTS} output ports at most`,
        "Put them into a record.",
      );
      break;
    }
    const { port } = connection.sink;
    if (port !== undefined) {
      const join = joinNamed(draft, shape, { name: port.name, type: undefined, optional: false }, connection.source);
      if (join !== undefined) addOutput(draft, edges, edgeOf(draft, connection, shape, join));
    } else joinAll(draft, edges, connection, shape);
  }
  const ports = [...edges.values()].flatMap((edge) => outputOf(draft, edge, edge.port, undefined, indices));
  return { kind: "record", ports };
}

/** All ports of a source, by their names, beside other outputs. */
function joinAll(draft: Draft, edges: Map<string, Edge>, connection: Connection, shape: Shape): void {
  if (shape.ports === undefined) {
    draft.wrong("flow/ambiguous-port", connection.sink, "there are other outputs: this one needs a name", "Write `<>.name`.");
    return;
  }
  for (const { name } of shape.ports) addOutput(draft, edges, edgeOf(draft, connection, shape, { port: name, field: name }));
}

function bareResult(draft: Draft, connection: Connection, indices: Indices): CheckedResult {
  const shape = shapeOf(draft, connection.source);
  if (shape === undefined) return { kind: "none" };
  if (shape.ports !== undefined && shape.whole === undefined) {
    draft.wrong(
      "flow/ambiguous-port",
      connection.source,
      `${shape.label} has several outputs: which one is the result?`,
      `Name one of ${listed(shape.ports.map(({ name }) => name))}, or name output ports: \`<>.name\`.`,
    );
    return { kind: "none" };
  }
  const { whole } = shape;
  if (whole?.kind === "record" && whole.fields.some(({ type }) => type.kind === "stream"))
    return recordResult(draft, [connection], indices);
  const edge = edgeOf(draft, connection, shape, { port: "result", field: undefined });
  const [output] = outputOf(draft, edge, "result", undefined, indices);
  return output === undefined ? { kind: "none" } : { kind: "value", type: output.type, source: output.source };
}

function dropped(draft: Draft, indices: Indices): readonly CheckedSource[] {
  return draft.connections.flatMap((connection) => {
    if (connection.sink.kind !== "drop") return [];
    const shape = shapeOf(draft, connection.source);
    if (shape === undefined || connection.source.kind === "literal") return [];
    if (connection.source.kind === "boundary") {
      if (connection.source.path.length === 0) for (const input of draft.inputs.values()) input.used = true;
      return [];
    }
    const { source } = connection;
    // `drop` ends whatever comes: only where the value is from matters, for the failures that come with it.
    const index = source.kind === "node" || source.kind === "error" ? indices.nodes.get(source.node) : undefined;
    if (index === undefined || source.kind === "unknown") return [];
    const fallback = connection.fallback === undefined ? undefined : { value: undefined };
    return [
      {
        from: { kind: source.kind === "error" ? "error" : "node", index },
        path: [],
        type: shape.whole ?? { kind: "bool" },
        fallback,
      },
    ];
  });
}
