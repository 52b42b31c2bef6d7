// The same flow as text, a line each connection: for who cannot see the drawing, and for search in the page.

import type { JSX } from "react";
import type { Graph, GraphEdge } from "../../src/star/graph.ts";

export function FlowText({ graph }: { readonly graph: Graph }): JSX.Element {
  return (
    <details className="flow-text">
      <summary>As text</summary>
      <ul>
        {graph.edges.map((edge, i) => {
          const { from, to } = edgeText(graph, edge);
          return (
            <li key={i}>
              <code>
                {from} -&gt; {to}
              </code>
            </li>
          );
        })}
      </ul>
    </details>
  );
}

/** As in a manifest: `parse.rows`, `divide!`. */
export function edgeText(graph: Graph, edge: GraphEdge): { readonly from: string; readonly to: string } {
  const { from, fromPort, to, toPort, kind, label = "" } = edge;
  const title = (id: string): string => graph.nodes.find((node) => node.id === id)?.title ?? id;
  const port = (name: string | undefined): string => (name === undefined || name === "" ? "" : `.${name}`);
  const path = label === "" || label.startsWith(".") || label.startsWith("[") ? label : ` ${label}`;
  return { from: `${title(from)}${kind === "error" ? "!" : ""}${port(fromPort)}${path}`, to: `${title(to)}${port(toPort)}` };
}
