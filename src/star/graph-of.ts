// A checked flow as a graph to draw.

import type { CheckedFlow, CheckedNode, CheckedSource } from "../flow/checked.ts";
import { printType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import type { Graph, GraphEdge, GraphNode } from "./graph.ts";

// No name in a flow has a blank in it, so these are nobody's.
const INPUT = "the input";
const OUTPUT = "the output";

/** The graph of a flow. A constant that feeds a node is a note of the node; one that feeds the output is a node of its own. */
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
  const connect = (source: CheckedSource | undefined, to: string, toPort: string | undefined): void => {
    if (source !== undefined) edges.push(edgeOf(flow, source, to, toPort, nodes));
  };
  for (const node of flow.nodes) {
    node.args.forEach((arg, i) => {
      if (arg?.from.kind !== "constant") connect(arg, node.id, node.signature.params[i]?.name);
    });
  }
  const { result } = flow;
  if (result.kind !== "none") {
    const ports = result.kind === "record" ? result.ports.map((p) => portOf(p.name, p.type)) : [];
    nodes.push({ id: OUTPUT, kind: "output", title: "output", inputs: ports, outputs: [], notes: [] });
    if (result.kind === "value") connect(result.source, OUTPUT, undefined);
    else for (const port of result.ports) connect(port.source, OUTPUT, port.name);
  }
  return { name: flow.operation, nodes, edges };
}

function nodeOf(node: CheckedNode): GraphNode {
  const notes = node.args.flatMap((arg, i) =>
    arg?.from.kind === "constant" ? [`${node.signature.params[i]?.name ?? ""}: ${shownConstant(arg.from.value)}`] : [],
  );
  if (node.timeoutMs !== undefined) notes.push(`timeout ${node.timeoutMs} ms`);
  if (node.retry !== undefined) notes.push(`up to ${node.retry.attempts} attempts`);
  if (node.concurrency !== undefined) notes.push(`at most ${node.concurrency} at once`);
  return {
    id: node.id,
    kind: node.component === "core" ? "core" : "operation",
    title: node.id,
    detail: `${node.component}::${node.operation.slice(node.operation.lastIndexOf("#") + 1)}`,
    inputs: node.signature.params.map((p) => portOf(p.name, p.type)),
    outputs: outputsOf(node.signature.result),
    notes,
  };
}

function outputsOf(result: ValType | undefined): readonly { readonly name: string; readonly type?: string }[] {
  if (result === undefined) return [];
  return result.kind === "record" ? result.fields.map((f) => portOf(f.name, f.type)) : [{ name: "", type: printType(result) }];
}

function portOf(name: string, type: ValType): { readonly name: string; readonly type: string } {
  return { name, type: printType(type) };
}

function edgeOf(flow: CheckedFlow, source: CheckedSource, to: string, toPort: string | undefined, nodes: GraphNode[]): GraphEdge {
  const { from } = source;
  const path = source.path.map((step) => (step.kind === "field" ? step.name : step.kind === "route" ? step.port : step.index));
  const fallback = source.fallback === undefined ? "" : " ?? …";
  if (from.kind === "constant") {
    const id = `constant ${nodes.length}`;
    nodes.push({ id, kind: "literal", title: shownConstant(from.value), inputs: [], outputs: [], notes: [] });
    return { from: id, to, toPort, kind: "value" };
  }
  if (from.kind === "input") {
    const label = path.map(pathText).join("") + fallback;
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
  const label = (isPort ? rest : path).map(pathText).join("") + fallback;
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

function shownConstant(value: unknown): string {
  const text = JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part)) ?? "none";
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
