// The graph of a flow for Graphviz.

import { notesOf, type Graph, type GraphNode } from "../star/graph.ts";

/** DOT text; names of any shape are quoted. */
export function graphToDot(graph: Graph): string {
  const lines = [
    `digraph ${quote(graph.name)} {`,
    "  rankdir=LR;",
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...graph.nodes.map((node) => `  ${quote(node.id)} [${attributesOf(node)}];`),
    ...graph.edges.map((edge) => {
      const label =
        [edge.fromPort, edge.label].filter((part) => part !== undefined).join(edge.label?.startsWith("??") === true ? " " : "") +
        (edge.toPort === undefined ? "" : ` → ${edge.toPort}`);
      const style = edge.kind === "error" ? ", style=dashed, color=firebrick" : "";
      return `  ${quote(edge.from)} -> ${quote(edge.to)} [label=${quote(label.trim())}${style}];`;
    }),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

function attributesOf(node: GraphNode): string {
  const lines = [node.title, ...(node.detail === undefined || node.detail === node.title ? [] : [node.detail]), ...notesOf(node)];
  const shape = {
    input: ", shape=cds",
    output: ", shape=cds",
    literal: ", shape=note",
    core: ', style="rounded,filled", fillcolor=lightyellow',
    operation: "",
  };
  return `label=${quote(lines.join("\n"))}${shape[node.kind]}`;
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "")}"`;
}
