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
  /** Settings that change how it runs: `timeout 500ms`, `retry 3`. */
  readonly notes: readonly string[];
}

interface GraphPort {
  readonly name: string;
  /** Its type, as WIT text. */
  readonly type?: string | undefined;
}

export interface GraphEdge {
  readonly from: string;
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
