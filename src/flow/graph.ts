// The graph of a checked flow as plain data for drawing: nodes, and edges with the ports, types and literals that go over them. How it
// is drawn is decided by who draws it.

import { printType } from "../wit/type-text.ts";
import { toJson, type Json } from "../wit/json.ts";
import type { ValType } from "../wit/types.ts";
import type { Access, CheckedFlow, CheckedNode, CheckedSource } from "./checked.ts";

export interface FlowGraph {
  readonly operation: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** `input` and `output` are the two sides of the operation; `constant` is a literal or a setting that feeds a port. */
export type GraphNode =
  | { readonly kind: "input" | "output"; readonly id: string; readonly ports: readonly GraphPort[] }
  | { readonly kind: "constant"; readonly id: string; readonly value: string }
  | { readonly kind: "drop"; readonly id: string }
  | GraphOperation;

export interface GraphOperation {
  readonly kind: "operation";
  /** The node's id in the flow; the ids of the other kinds have a `:` in them, so none is the same. */
  readonly id: string;
  readonly component: string;
  readonly operation: string;
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** `timeout 500ms`, `retry 3`, `concurrency 4`. */
  readonly notes: readonly string[];
}

/** The name of an output that is one value without a name is "". */
export interface GraphPort {
  readonly name: string;
  readonly type: string;
}

export interface GraphEdge {
  /** Ids of nodes. */
  readonly from: string;
  readonly to: string;
  /** The port and the path behind it: `address.city`; "" for the whole value. */
  readonly fromPort: string;
  readonly toPort: string;
  readonly type: string;
  /** From the error output of a node. */
  readonly isError: boolean;
  /** The JSON behind `??`. */
  readonly fallback?: string | undefined;
}

const INPUT_ID = "<>:in";
const OUTPUT_ID = "<>:out";
const MAX_TEXT = 60;

/** Describes a flow; nodes are in the order they run, the two sides first and last. */
export function graphOf(flow: CheckedFlow): FlowGraph {
  const edges: GraphEdge[] = [];
  const constants: GraphNode[] = [];
  const connect = (source: CheckedSource, to: string, toPort: string, target: ValType | undefined): void => {
    const { from } = source;
    if (from.kind === "constant") {
      const id = `const:${constants.length}`;
      constants.push({ kind: "constant", id, value: shown(source.type, from.value) });
      edges.push({ from: id, to, fromPort: "", toPort, type: typeText(source.type), isError: false });
      return;
    }
    const [port, ...path] =
      from.kind === "input"
        ? [flow.inputs[from.index]?.name ?? "", ...source.path.map(stepText)]
        : ["", ...source.path.map(stepText)];
    edges.push({
      from: from.kind === "input" ? INPUT_ID : (flow.nodes[from.index]?.id ?? ""),
      to,
      fromPort: (port + path.join("")).replace(/^\./, ""),
      toPort,
      type: typeText(source.type),
      isError: from.kind === "error",
      fallback: source.fallback === undefined ? undefined : shown(target ?? source.type, source.fallback.value),
    });
  };
  for (const node of flow.nodes) {
    for (const [i, source] of node.args.entries()) {
      const param = node.signature.params[i];
      if (source !== undefined && param !== undefined) connect(source, node.id, param.name, param.type);
    }
  }
  const { result } = flow;
  if (result.kind === "value") connect(result.source, OUTPUT_ID, "", result.type);
  if (result.kind === "record") for (const { name, type, source } of result.ports) connect(source, OUTPUT_ID, name, type);
  const drops = flow.drops.map((source, i): GraphNode => {
    connect(source, `drop:${i}`, "", undefined);
    return { kind: "drop", id: `drop:${i}` };
  });
  const nodes = [inputSide(flow), ...constants, ...flow.nodes.map(operationNode), ...drops, outputSide(flow)];
  return { operation: flow.operation, nodes: nodes.filter((node) => node !== undefined), edges };
}

function inputSide({ inputs }: CheckedFlow): GraphNode | undefined {
  if (inputs.length === 0) return undefined;
  return { kind: "input", id: INPUT_ID, ports: inputs.map(({ name, type }) => ({ name, type: typeText(type) })) };
}

function outputSide({ signature, result }: CheckedFlow): GraphNode | undefined {
  return result.kind === "none" ? undefined : { kind: "output", id: OUTPUT_ID, ports: outputsOf(signature.result) };
}

function operationNode({ id, component, operation, signature, timeoutMs, retry, concurrency }: CheckedNode): GraphOperation {
  const notes: string[] = [];
  if (timeoutMs !== undefined) notes.push(`timeout ${timeoutMs}ms`);
  if (retry !== undefined) notes.push(`retry ${retry.attempts}`);
  if (concurrency !== undefined) notes.push(`concurrency ${concurrency}`);
  const inputs = signature.params.map(({ name, type }) => ({ name, type: typeText(type) }));
  return { kind: "operation", id, component, operation, inputs, outputs: outputsOf(signature.result), notes };
}

function outputsOf(result: ValType | undefined): readonly GraphPort[] {
  if (result === undefined) return [];
  if (result.kind !== "record") return [{ name: "", type: typeText(result) }];
  return result.fields.map(({ name, type }) => ({ name, type: typeText(type) }));
}

function stepText(step: Access): string {
  if (step.kind === "field") return `.${step.name}`;
  return step.kind === "route" ? `.${step.port}` : `[${step.index}]`;
}

function typeText(type: ValType): string {
  return printType(type, MAX_TEXT);
}

/** A constant as JSON, cut to fit a label. */
function shown(type: ValType, value: unknown): string {
  let json: Json;
  try {
    json = toJson(type, value);
  } catch {
    return "…";
  }
  const text = JSON.stringify(json);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
