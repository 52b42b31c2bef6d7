// The graph of a flow for people: what is drawn, without how. Made from a checked operation by `graph-of.ts`.

export type GraphNodeKind = "input" | "output" | "operation" | "core" | "literal";

export interface GraphNode {
  /** Unique in the graph; of an operation's node its id in the flow. */
  readonly id: string;
  readonly kind: GraphNodeKind;
  readonly title: string;
  /** The operation it uses, or the value of a literal. */
  readonly detail?: string | undefined;
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** Settings that change how it runs: `timeout 500 ms`, `up to 3 attempts`. */
  readonly notes: readonly string[];
}

export interface GraphPort {
  readonly name: string;
  /** Its type, as WIT text. */
  readonly type?: string | undefined;
  /** What it always gets, where no edge leads to it: a short text. */
  readonly constant?: string | undefined;
}

export interface GraphEdge {
  readonly from: string;
  /** Undefined: the whole value. */
  readonly fromPort?: string | undefined;
  readonly to: string;
  readonly toPort?: string | undefined;
  /** `error`: what the node failed with. */
  readonly kind: "value" | "error";
  /** Fields taken out of the value (`.name[0]`), a fallback (`?? "none"`). */
  readonly label?: string | undefined;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** The constants and settings of a node, a line each. */
export function notesOf({ inputs, notes }: GraphNode): string[] {
  return [...inputs.flatMap(({ name, constant }) => (constant === undefined ? [] : [`${name}: ${constant}`])), ...notes];
}
