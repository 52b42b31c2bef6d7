// Which values may be missing in a run that succeeds: the ways of a switch, the two outputs of a node with `!`, and what needs them.

import type { Edge, NodeDraft } from "./draft.ts";

/** Marks every node that may be skipped; `order`: sources before what they feed. */
export function markSkippable(order: readonly NodeDraft[]): void {
  for (const node of order) {
    // Merge and race are what joins the ways again.
    const joins = node.coreNode !== undefined && node.coreNode.run.kind !== "call";
    node.skippable = !joins && [...node.ports.values()].some(mayBeSkipped);
  }
}

/** Whether a run may succeed without a value on this edge. */
export function mayBeSkipped({ connection, path, fallback }: Edge): boolean {
  const { source } = connection;
  if (fallback !== undefined) return false;
  if (source.kind === "error") return true;
  if (source.kind !== "node") return false;
  const { node } = source;
  const isCaught = node.outgoing.some((other) => other.source.kind === "error");
  return node.skippable || isCaught || (node.coreNode?.routes === true && path.length > 0);
}
