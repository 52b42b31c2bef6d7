// Who reads which stream of a flow: found once per plan. A stream with one reader goes to it straight; several readers share it; one that
// nobody reads is read to its end where a node makes it element by element (its calls are what was wanted), else it is let go.

import { camelCase, type ValType } from "../wit/types.ts";
import { accessorOf, splitPath, type Accessor } from "./access.ts";
import type { CheckedFlow, CheckedNode, CheckedSource, ValueAccess } from "./checked.ts";

/** What stands for the reader that is an output of the flow. */
export const OUTPUT = -1;

/** A stream of a flow by where it comes from. */
export interface PlannedStream {
  readonly id: number;
  /** The node that gives it; -1: an input of the flow. */
  readonly node: number;
  /** Of the input or node. */
  readonly slot: number;
  /** From the value in the slot to the stream. */
  readonly get: Accessor | undefined;
  readonly element: ValType | undefined;
  /** For people: `lines`, `lines.header`, `<>.text`. */
  readonly label: string;
  readonly readers: readonly Reader[];
  /** Its node makes its elements inside the run, when they are read. */
  readonly isMade: boolean;
}

export interface Reader {
  /** The node, or OUTPUT. */
  readonly node: number;
  /** For people: `node.port`, `<>.port`. */
  readonly label: string;
  /** Nodes that take this stream in step with others. */
  readonly zips: ReadonlySet<number>;
  /** Who asks for its elements in the end: nodes that take a whole stream, and OUTPUT. */
  readonly drivers: ReadonlySet<number>;
}

/** Which branch of which stream a source reads. */
export interface Branch {
  readonly stream: number;
  readonly branch: number;
}

interface StreamDraft {
  readonly id: number;
  readonly node: number;
  readonly slot: number;
  readonly path: readonly ValueAccess[];
  readonly element: ValType | undefined;
  readonly readers: { readonly node: number; readonly label: string }[];
}

export class Reading {
  readonly streams: readonly PlannedStream[];
  private readonly branches: ReadonlyMap<CheckedSource, Branch>;

  constructor(flow: CheckedFlow) {
    const drafts = new Map<string, StreamDraft>();
    const branches = new Map<CheckedSource, Branch>();
    const add = (source: CheckedSource | undefined, node: number, label: string): void => {
      if (source?.stream === undefined || source.stream.use === "one" || source.from.kind === "constant") return;
      const { outer } = splitPath(source.path);
      const draft = draftOf(drafts, flow, source.from, outer, source.stream.element);
      branches.set(source, { stream: draft.id, branch: draft.readers.length });
      draft.readers.push({ node, label });
    };
    for (const [index, node] of flow.nodes.entries()) {
      for (const [i, source] of node.args.entries()) add(source, index, `\`${node.id}.${node.signature.params[i]?.name ?? i}\``);
    }
    if (flow.result.kind === "value") add(flow.result.source, OUTPUT, "`<>`");
    if (flow.result.kind === "record") for (const { name, source } of flow.result.ports) add(source, OUTPUT, `\`<>.${name}\``);
    addUnread(drafts, flow);
    const ends = new Ends(flow, [...drafts.values()]);
    this.branches = branches;
    this.streams = [...drafts.values()].map(({ id, node, slot, path, element, readers }) => ({
      id,
      node,
      slot,
      get: accessorOf(path, undefined),
      element,
      label: labelOf(flow, node, slot, path),
      readers: readers.map((reader) => ({ ...reader, ...ends.of(reader.node) })),
      isMade: handsOn(flow.nodes[node]),
    }));
  }

  branchOf(source: CheckedSource): Branch | undefined {
    return this.branches.get(source);
  }
}

function draftOf(
  drafts: Map<string, StreamDraft>,
  { inputs }: CheckedFlow,
  from: Exclude<CheckedSource["from"], { kind: "constant" }>,
  path: readonly ValueAccess[],
  element: ValType | undefined,
): StreamDraft {
  const slot = from.kind === "input" ? from.index : inputs.length + from.index;
  const key = JSON.stringify([slot, path]);
  let draft = drafts.get(key);
  if (draft === undefined) {
    draft = { id: drafts.size, node: from.kind === "input" ? -1 : from.index, slot, path, element, readers: [] };
    drafts.set(key, draft);
  }
  return draft;
}

/** Streams that no connection leads on. */
function addUnread(drafts: Map<string, StreamDraft>, flow: CheckedFlow): void {
  for (const [index, { type }] of flow.inputs.entries())
    if (type.kind === "stream") draftOf(drafts, flow, { kind: "input", index }, [], type.element);
  for (const [index, node] of flow.nodes.entries()) {
    const { result } = node.signature;
    const from = { kind: "node", index } as const;
    if (node.mapped) draftOf(drafts, flow, from, [], result);
    else if (result?.kind === "stream") draftOf(drafts, flow, from, [], result.element);
    else if (result?.kind === "record") {
      for (const { name, type } of result.fields) {
        const [field] = fieldPath(name);
        if (type.kind === "stream" && field !== undefined) draftOf(drafts, flow, from, [field], type.element);
      }
    }
  }
}

function fieldPath(name: string): readonly ValueAccess[] {
  return [{ kind: "field", name, key: camelCase(name) }];
}

function labelOf({ inputs, nodes }: CheckedFlow, node: number, slot: number, path: readonly ValueAccess[]): string {
  const steps = path.map((step) =>
    step.kind === "field" ? `.${step.name}` : step.kind === "route" ? `.${step.port}` : `[${step.index}]`,
  );
  return node < 0 ? `<>.${inputs[slot]?.name ?? ""}${steps.join("")}` : `${nodes[node]?.id ?? ""}${steps.join("")}`;
}

/** Where the elements of a stream go in the end, through nodes that run once per element. */
class Ends {
  private readonly nodes: readonly CheckedNode[];
  /** By node that gives streams: the nodes that read them. */
  private readonly readers = new Map<number, number[]>();
  private readonly known = new Map<number, Pick<Reader, "zips" | "drivers">>();

  constructor({ nodes }: CheckedFlow, streams: readonly StreamDraft[]) {
    this.nodes = nodes;
    for (const { node, readers } of streams) {
      const list = this.readers.get(node) ?? [];
      list.push(...readers.map((reader) => reader.node));
      this.readers.set(node, list);
    }
    // Readers come behind what they read.
    for (let index = nodes.length - 1; index >= 0; index--) this.known.set(index, this.find(index));
  }

  of(index: number): Pick<Reader, "zips" | "drivers"> {
    return this.known.get(index) ?? { zips: new Set(), drivers: new Set([index]) };
  }

  private find(index: number): Pick<Reader, "zips" | "drivers"> {
    const zips = new Set<number>();
    const node = this.nodes[index];
    const next = this.readers.get(index) ?? [];
    if (node === undefined || !handsOn(node) || next.length === 0) return { zips, drivers: new Set([index]) };
    if (node.mapped && node.args.filter((arg) => arg?.stream?.use === "each").length > 1) zips.add(index);
    const drivers = new Set<number>();
    for (const reader of next) {
      const found = this.of(reader);
      for (const zip of found.zips) zips.add(zip);
      for (const driver of found.drivers) drivers.add(driver);
    }
    return { zips, drivers };
  }
}

/** Whether it is pulled by who reads from it: it does not settle by reading. */
function handsOn(node: CheckedNode | undefined): boolean {
  return node !== undefined && (node.mapped || (node.core !== undefined && node.signature.result?.kind === "stream"));
}
