// From a checked flow to what a run needs and nothing more: a slot for every value, the arguments of every node as slots with
// compiled accessors, who waits for whom, where a failure goes. Made once per operation, shared by all its transactions; only the
// gates of `concurrency` hold state.

import { camelCase, type ValType } from "../wit/types.ts";
import { accessorOf, splitPath, type Accessor } from "./access.ts";
import type { CheckedFlow, CheckedNode, CheckedSource, StreamUse } from "./checked.ts";
import type { CoreCall, CoreRun } from "./core/operation.ts";
import type { OperationTarget, Signature } from "./flow.ts";
import { Gate } from "./gate.ts";
import { Reading, type Branch, type PlannedStream } from "./reading.ts";
import type { Part } from "./streams/part.ts";

export interface Plan {
  readonly operation: string;
  readonly signature: Signature;
  readonly inputCount: number;
  /** By input; undefined where none of them has a default. */
  readonly defaults: readonly ({ readonly value: unknown } | undefined)[] | undefined;
  /** Values as a run starts with them: inputs, then one slot a node, then constants. */
  readonly template: readonly unknown[];
  readonly nodes: readonly PlanNode[];
  /** How many nodes each node waits for. */
  readonly waits: Int32Array;
  readonly result: PlanResult;
  /** By id. */
  readonly streams: readonly PlannedStream[];
  /** The result is, or has, a stream. */
  readonly givesStreams: boolean;
  /** Some connection is of streams. */
  readonly hasStreams: boolean;
  /** No stream, switch, merge, race, `!`, list index, timeout, retry or concurrency: if nothing fails and nobody is asynchronous, running is a loop. */
  readonly plain: boolean;
}

type PlanResult =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly port: PlanOutput }
  | { readonly kind: "record"; readonly ports: readonly PlanOutput[] };

export interface PlanOutput {
  readonly name: string;
  readonly key: string;
  readonly arg: PlanArg;
  /** What stands where the value was skipped; undefined: the transaction fails. */
  readonly whenSkipped?: { readonly value: unknown } | undefined;
}

export interface PlanNode {
  readonly index: number;
  readonly id: string;
  /** `operation/node`. */
  readonly path: string;
  readonly target: OperationTarget;
  readonly kind: "call" | "merge" | "race";
  /** It runs once per element of its streams, so many at a time. */
  readonly mapped: { readonly limit: number } | undefined;
  /** It makes one stream of those that are there. */
  readonly join: Extract<CoreRun, { kind: "join" }>["join"] | undefined;
  /** Undefined: `invoke` runs it. */
  readonly call: CoreCall | undefined;
  readonly args: readonly PlanArg[];
  readonly policy: Policy | undefined;
  readonly caught: boolean;
  readonly ownError: ValType | undefined;
  /** A failure of it reaches an output, a `drop` or the end of the flow without a `??` between. */
  readonly escapes: boolean;
  readonly consumers: readonly Consumer[];
  /** Nodes that exist only for this race, with the ports (by argument) that each of them feeds. */
  readonly racers: readonly { readonly node: number; readonly ports: ReadonlySet<number> }[];
  /** It may be cancelled alone, because it only feeds a race. */
  readonly cancellable: boolean;
}

/** `needs`: at least one of the connections has no `??`, so a failure goes over. */
interface Consumer {
  readonly node: number;
  readonly needs: boolean;
}

export interface Policy {
  readonly timeoutMs: number | undefined;
  /** Calls in all; 1: no retry. */
  readonly attempts: number;
  readonly backoffMs: number;
  readonly gate: Gate | undefined;
}

export interface PlanArg {
  readonly slot: number;
  /** The node that the value comes from; -1: an input or a constant. */
  readonly node: number;
  /** The node's error output, not its value. */
  readonly error: boolean;
  readonly get: Accessor | undefined;
  readonly fallback: { readonly value: unknown } | undefined;
  readonly stream: PlanStream | undefined;
}

/** How an argument takes part of a stream; `get` and `fallback` of the argument itself then lead only to the stream. */
export interface PlanStream {
  readonly use: StreamUse["use"];
  readonly part: Part;
  /** Undefined: it is made of one value. */
  readonly branch: Branch | undefined;
}

/** Plans a checked flow; linear in its connections. */
export function planFlow(flow: CheckedFlow): Plan {
  const layout = new Layout(flow);
  const args = flow.nodes.map((node) => node.args.map((source, i) => layout.arg(source, node.signature.params[i]?.type)));
  const result = planResult(flow, layout);
  const consumers = consumersOf(args);
  const escapes = escapesOf(flow, result, consumers, layout);
  const racers = flow.nodes.map((node, i) =>
    node.core?.kind === "race" ? racersOf(i, args[i] ?? [], consumers, escapes, flow.nodes) : [],
  );
  const cancellable = new Set(racers.flatMap((list) => list.map(({ node }) => node)));
  const nodes = flow.nodes.map((node, index): PlanNode => ({
    index,
    id: node.id,
    path: `${flow.operation}/${node.id}`,
    target: { component: node.component, operation: node.operation, path: `${flow.operation}/${node.id}` },
    kind: node.core?.kind === "merge" || node.core?.kind === "race" ? node.core.kind : "call",
    mapped: node.mapped ? { limit: node.concurrency ?? 1 } : undefined,
    join: node.core?.kind === "join" ? node.core.join : undefined,
    call: node.core?.kind === "call" ? node.core.call : undefined,
    args: args[index] ?? [],
    policy: policyOf(node),
    caught: node.caught,
    ownError: node.signature.error,
    escapes: escapes[index] === true,
    consumers: consumers[index] ?? [],
    racers: racers[index] ?? [],
    cancellable: cancellable.has(index),
  }));
  const givesStreams = portsOf(result).some(({ arg }) => arg.stream !== undefined);
  const hasStreams =
    givesStreams || layout.streams.length > 0 || args.some((list) => list.some((arg) => arg.stream !== undefined));
  return {
    operation: flow.operation,
    signature: flow.signature,
    inputCount: flow.inputs.length,
    defaults: flow.inputs.some((input) => input.default !== undefined) ? flow.inputs.map((input) => input.default) : undefined,
    template: layout.template(),
    nodes,
    waits: Int32Array.from(args, (list) => new Set(list.filter((arg) => arg.node >= 0).map((arg) => arg.node)).size),
    result,
    streams: layout.streams,
    givesStreams,
    hasStreams,
    plain:
      !hasStreams &&
      nodes.every((node) => node.kind === "call" && node.policy === undefined && !node.caught) &&
      !layout.mayBeAbsent,
  };
}

class Layout {
  /** Some accessor may find no value. */
  mayBeAbsent = false;
  readonly streams: readonly PlannedStream[];
  private readonly flow: CheckedFlow;
  private readonly reading: Reading;
  private readonly constants: unknown[] = [];

  constructor(flow: CheckedFlow) {
    this.flow = flow;
    this.reading = new Reading(flow);
    this.streams = this.reading.streams;
  }

  /** The argument for a source; an unconnected optional port is the constant none. */
  arg(source: CheckedSource | undefined, type: ValType | undefined): PlanArg {
    if (source === undefined) return this.constant(noneOf(type));
    const { from } = source;
    if (from.kind === "constant") return this.constant(from.value, this.streamOf(source));
    const stream = this.streamOf(source);
    if (source.path.some((step) => step.kind === "element" || step.kind === "route")) this.mayBeAbsent = true;
    const node = from.kind === "input" ? -1 : from.index;
    const slot = from.kind === "input" ? from.index : this.flow.inputs.length + from.index;
    return {
      slot,
      node,
      error: from.kind === "error",
      get: stream === undefined || stream.use === "one" ? accessorOf(splitPath(source.path).outer, source.conversion) : undefined,
      fallback: source.fallback,
      stream,
    };
  }

  private streamOf(source: CheckedSource): PlanStream | undefined {
    const { from, stream, path, conversion, fallback } = source;
    if (stream === undefined) return undefined;
    if (stream.use === "one")
      return { use: "one", part: { get: undefined, fallback: undefined, failures: "pass" }, branch: undefined };
    const isCaught = from.kind === "node" && this.flow.nodes[from.index]?.caught === true;
    const failures = from.kind === "error" ? "only" : isCaught ? "skip" : "pass";
    const get = accessorOf(splitPath(path).inner, conversion);
    return { use: stream.use, part: { get, fallback, failures }, branch: this.reading.branchOf(source) };
  }

  template(): readonly unknown[] {
    const template: unknown[] = [];
    for (let i = 0; i < this.flow.inputs.length + this.flow.nodes.length; i++) template.push(undefined);
    return [...template, ...this.constants];
  }

  private constant(value: unknown, stream?: PlanStream): PlanArg {
    const slot = this.flow.inputs.length + this.flow.nodes.length + this.constants.length;
    this.constants.push(value);
    return { slot, node: -1, error: false, get: undefined, fallback: undefined, stream };
  }
}

/** The JS value of "none" for a type: an option of an option is tagged. */
function noneOf(type: ValType | undefined): unknown {
  return type?.kind === "option" && type.type.kind === "option" ? { tag: "none" } : undefined;
}

function planResult(flow: CheckedFlow, layout: Layout): PlanResult {
  const { result } = flow;
  if (result.kind === "none") return result;
  if (result.kind === "value")
    return { kind: "value", port: { name: "", key: "", ...planOutput(result.source, flow.signature.result, layout) } };
  const ports = result.ports.map(({ name, type, source }) => ({
    name,
    key: camelCase(name),
    ...planOutput(source, type, layout),
  }));
  return { kind: "record", ports };
}

function planOutput(source: CheckedSource, type: ValType | undefined, layout: Layout): Pick<PlanOutput, "arg" | "whenSkipped"> {
  return { arg: layout.arg(source, type), whenSkipped: type?.kind === "option" ? { value: noneOf(type) } : undefined };
}

function consumersOf(args: readonly (readonly PlanArg[])[]): readonly (readonly Consumer[])[] {
  const consumers: Consumer[][] = args.map(() => []);
  for (const [index, list] of args.entries()) {
    const needs = new Map<number, boolean>();
    for (const arg of list) {
      if (arg.node >= 0) needs.set(arg.node, (needs.get(arg.node) ?? false) || (!arg.error && arg.fallback === undefined));
    }
    for (const [source, needed] of needs) consumers[source]?.push({ node: index, needs: needed });
  }
  return consumers;
}

/** By node: whether its own failure, uncaught, leaves the flow directly: through an output, a `drop`, or because nobody takes its value. */
function escapesOf(
  flow: CheckedFlow,
  result: PlanResult,
  consumers: readonly (readonly Consumer[])[],
  layout: Layout,
): readonly boolean[] {
  const escapes = consumers.map(() => false);
  const used = consumers.map((list) => list.length > 0);
  const leaves = (arg: PlanArg): void => {
    if (arg.node < 0) return;
    used[arg.node] = true;
    if (!arg.error && arg.fallback === undefined) escapes[arg.node] = true;
  };
  for (const port of portsOf(result)) leaves(port.arg);
  for (const source of flow.drops) leaves(layout.arg(source, undefined));
  return escapes.map((escaping, i) => escaping || used[i] !== true);
}

function portsOf(result: PlanResult): readonly PlanOutput[] {
  if (result.kind === "none") return [];
  return result.kind === "value" ? [result.port] : result.ports;
}

/** The nodes that run only for race `race`: everything they give ends there. */
function racersOf(
  race: number,
  args: readonly PlanArg[],
  consumers: readonly (readonly Consumer[])[],
  escapes: readonly boolean[],
  nodes: readonly CheckedNode[],
): PlanNode["racers"] {
  const feeds = new Map<number, Set<number>>();
  for (const [port, arg] of args.entries()) {
    if (arg.node >= 0) feeds.set(arg.node, (feeds.get(arg.node) ?? new Set()).add(port));
  }
  const racers = new Map<number, Set<number>>();
  for (let i = race - 1; i >= 0; i--) {
    const users = consumers[i] ?? [];
    if (escapes[i] === true || nodes[i]?.caught === true || users.length === 0) continue;
    if (!users.every(({ node }) => node === race || racers.has(node))) continue;
    const ports = new Set(feeds.get(i));
    for (const { node } of users) for (const port of racers.get(node) ?? []) ports.add(port);
    racers.set(i, ports);
  }
  return [...racers].map(([node, ports]) => ({ node, ports })).toReversed();
}

function policyOf(node: CheckedNode): Policy | undefined {
  if (node.timeoutMs === undefined && node.retry === undefined && node.concurrency === undefined) return undefined;
  return {
    timeoutMs: node.timeoutMs,
    attempts: node.retry?.attempts ?? 1,
    backoffMs: node.retry?.backoffMs ?? 0,
    gate: node.concurrency === undefined ? undefined : new Gate(node.concurrency),
  };
}
