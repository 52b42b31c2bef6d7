// The order in which nodes can run: sources before what they feed, otherwise as they are written. Finds circles on the way.

import type { Draft, NodeDraft } from "./draft.ts";

/** More circles than this are not worth reading. */
const MAX_CYCLES = 10;
const MAX_SHOWN = 12;

/** All nodes in order. Connections that close a circle are reported, and ignored here. */
export function orderNodes(draft: Draft): readonly NodeDraft[] {
  const order: NodeDraft[] = [];
  const state = new Map<NodeDraft, "open" | "done">();
  let cycles = 0;
  for (const root of nodesAsWired(draft)) {
    if (state.has(root)) continue;
    // Depth first with a stack of its own: a flow may be a chain of thousands.
    const stack: { readonly node: NodeDraft; next: number }[] = [{ node: root, next: 0 }];
    state.set(root, "open");
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const connection = top.node.incoming[top.next++];
      if (connection === undefined) {
        state.set(top.node, "done");
        order.push(top.node);
        stack.pop();
        continue;
      }
      const { source } = connection;
      if (source.kind !== "node" && source.kind !== "error") continue;
      const seen = state.get(source.node);
      if (seen === undefined) {
        state.set(source.node, "open");
        stack.push({ node: source.node, next: 0 });
      } else if (seen === "open" && cycles++ < MAX_CYCLES) {
        const from = stack.findIndex(({ node }) => node === source.node);
        reportCycle(
          draft,
          stack.slice(from).map(({ node }) => node),
          connection.sink,
        );
      }
    }
  }
  return order;
}

function nodesAsWired(draft: Draft): ReadonlySet<NodeDraft> {
  const nodes = new Set<NodeDraft>();
  for (const { source, sink } of draft.connections) {
    if (source.kind === "node" || source.kind === "error") nodes.add(source.node);
    if (sink.kind === "node") nodes.add(sink.node);
  }
  for (const node of draft.nodes.values()) nodes.add(node);
  return nodes;
}

/** `circle`: each node is fed by the next one, the last by the first. */
function reportCycle(draft: Draft, circle: readonly NodeDraft[], at: { readonly start: number; readonly end: number }): void {
  for (const node of circle) node.broken = true;
  const ids = circle.map(({ id }) => id).toReversed();
  const shown = ids.length > MAX_SHOWN ? [...ids.slice(0, MAX_SHOWN), "…"] : ids;
  const [first] = ids;
  const message =
    ids.length === 1
      ? `\`${first}\` feeds itself`
      : `these nodes feed each other in a circle: ${[...shown, first].map((id) => `\`${id}\``).join(" -> ")}`;
  draft.wrong("flow/cycle", at, message, "Take one of these connections out: data flows one way.");
}
