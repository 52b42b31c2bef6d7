// A checked flow as a graph to draw.

import type { CheckedFlow, CheckedNode, CheckedSource } from "../flow/checked.ts";
import type { SignatureParam } from "../flow/flow.ts";
import { toJson } from "../wit/json.ts";
import { printType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import type { Graph, GraphEdge, GraphNode, GraphPort } from "./graph.ts";

// No name in a flow has a blank in it, so these are nobody's.
const INPUT = "the input";
const OUTPUT = "the output";

const LONGEST_VALUE = 24;

/** The graph of a flow. A constant that feeds a node is shown at its port; one that feeds the output is a node of its own. */
export function graphOf(flow: CheckedFlow): Graph {
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  if (flow.inputs.length > 0) {
    nodes.push({
      id: INPUT,
      kind: "input",
      title: "input",
      inputs: [],
      outputs: flow.inputs.map((p) => portOf(p.name, p.type)),
      notes: [],
    });
  }
  for (const node of flow.nodes) nodes.push(nodeOf(node));
  const connect = (source: CheckedSource | undefined, to: string, port: Target | undefined): void => {
    if (source !== undefined && port !== undefined) edges.push(edgeOf(flow, source, to, port, nodes));
  };
  for (const node of flow.nodes) {
    node.args.forEach((arg, i) => {
      if (arg?.from.kind !== "constant") connect(arg, node.id, node.signature.params[i]);
    });
  }
  const { result } = flow;
  if (result.kind !== "none") {
    const ports = result.kind === "record" ? result.ports.map((p) => portOf(p.name, p.type)) : [];
    nodes.push({ id: OUTPUT, kind: "output", title: "output", inputs: ports, outputs: [], notes: [] });
    if (result.kind === "value") connect(result.source, OUTPUT, { type: result.type });
    else for (const port of result.ports) connect(port.source, OUTPUT, port);
  }
  return { name: flow.operation, nodes, edges };
}

function nodeOf(node: CheckedNode): GraphNode {
  const notes: string[] = [];
  if (node.mapped) notes.push("map: once per element");
  if (node.timeoutMs !== undefined) notes.push(`timeout ${node.timeoutMs} ms`);
  if (node.retry !== undefined) notes.push(`up to ${node.retry.attempts} attempts`);
  if (node.concurrency !== undefined) notes.push(`at most ${node.concurrency} at once`);
  return {
    id: node.id,
    kind: node.component === "core" ? "core" : "operation",
    title: node.id,
    detail: `${node.component}::${node.operation.slice(node.operation.lastIndexOf("#") + 1)}`,
    inputs: node.signature.params.map((p, i) => inputOf(p, node.args[i])),
    outputs: outputsOf(node.signature.result, node.mapped),
    notes,
  };
}

function inputOf({ name, type }: SignatureParam, source: CheckedSource | undefined): GraphPort {
  const port = portOf(name, type);
  return source?.from.kind === "constant" ? { ...port, constant: shownValue(type, source.from.value) } : port;
}

function outputsOf(result: ValType | undefined, mapped: boolean): readonly GraphPort[] {
  if (result === undefined) return [];
  const given = (type: ValType): ValType => (mapped ? { kind: "stream", element: type } : type);
  return result.kind === "record"
    ? result.fields.map((f) => portOf(f.name, given(f.type)))
    : [{ name: "", type: printType(given(result)) }];
}

function portOf(name: string, type: ValType): GraphPort {
  return { name, type: printType(type) };
}

/** The port that an edge ends at; without a name: the one value of the operation. */
interface Target {
  readonly name?: string;
  readonly type: ValType;
}

function edgeOf(flow: CheckedFlow, source: CheckedSource, to: string, target: Target, nodes: GraphNode[]): GraphEdge {
  const { from } = source;
  const { name: toPort, type } = target;
  const path = source.path.flatMap((step) =>
    step.kind === "elements" ? [] : [step.kind === "field" ? step.name : step.kind === "route" ? step.port : step.index],
  );
  const fallback = source.fallback === undefined ? "" : ` ?? ${shownValue(type, source.fallback.value)}`;
  if (from.kind === "constant") {
    const id = `constant ${nodes.length}`;
    nodes.push({ id, kind: "literal", title: shownValue(type, from.value), inputs: [], outputs: [], notes: [] });
    return { from: id, to, toPort, kind: "value" };
  }
  if (from.kind === "input") {
    const label = (path.map(pathText).join("") + fallback).trimStart();
    return {
      from: INPUT,
      fromPort: flow.inputs[from.index]?.name,
      to,
      toPort,
      kind: "value",
      label: label === "" ? undefined : label,
    };
  }
  const node = flow.nodes[from.index];
  const [first, ...rest] = path;
  const isPort = from.kind === "node" && typeof first === "string";
  const label = ((isPort ? rest : path).map(pathText).join("") + fallback).trimStart();
  return {
    from: node?.id ?? "",
    fromPort: isPort ? first : undefined,
    to,
    toPort,
    kind: from.kind === "error" ? "error" : "value",
    label: label === "" ? undefined : label,
  };
}

function pathText(part: string | number): string {
  return typeof part === "number" ? `[${part}]` : `.${part}`;
}

/** As it is written in a manifest, cut where it is long. */
function shownValue(type: ValType, value: unknown): string {
  // What is written for a stream is one of its elements.
  const shown = type.kind === "stream" ? (type.element ?? type) : type;
  const text = JSON.stringify(toJson(shown, value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}
