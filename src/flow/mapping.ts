// Which nodes run once per element: those that get a stream where they take a value. All streams of such a node are taken element by
// element, its other inputs stay the same for every call, and what it gives is a stream of its answers.

import { printType } from "../wit/type-text.ts";
import { takesStream } from "../wit/streams.ts";
import type { ValType } from "../wit/types.ts";
import type { Draft, NodeDraft } from "./draft.ts";
import { errorRecordType } from "./failure.ts";
import { holds, isLater, isOwned } from "./holding.ts";

/** Whether a source of type `from` is gone through element by element at a port of type `to`. */
export function goesThrough(from: ValType, to: ValType): boolean {
  return from.kind === "stream" && from.element !== undefined && !takesStream(to) && to.kind !== "future";
}

/** What a node gives: its result, or a stream of results. */
export function givenBy(node: NodeDraft): ValType | undefined {
  const result = node.signature?.result;
  if (!node.mapped || result === undefined) return result;
  return (node.given ??= { kind: "stream", element: result });
}

/** What `node!` gives. */
export function errorsOf(node: NodeDraft): ValType {
  const record = errorRecordType(node.signature?.error);
  return node.mapped ? { kind: "stream", element: record } : record;
}

/** The ports of a result that is a record, as a mapped node gives them: a stream each. */
export function givenPorts(node: NodeDraft): readonly { readonly name: string; readonly type: ValType }[] | undefined {
  const result = node.signature?.result;
  if (result?.kind !== "record") return undefined;
  return result.fields.map(({ name, type }) => ({ name, type: node.mapped ? { kind: "stream", element: type } : type }));
}

/** Marks a node whose sources are known, where one of them is a stream and its port takes a value. */
export function markMapped(draft: Draft, node: NodeDraft): void {
  const { signature } = node;
  if (signature === undefined) return;
  const streams = signature.params.flatMap(({ name, type }) => {
    const edge = node.ports.get(name);
    return edge?.type !== undefined && goesThrough(edge.type, type) ? [{ name, type: edge.type }] : [];
  });
  const [first] = streams;
  if (first === undefined) return;
  node.mapped = true;
  refuseOnce(draft, node, first.name);
  const { result } = signature;
  if (result === undefined || !holds(result, isLater)) return;
  node.broken = true;
  draft.mistakes.error(
    "flow/not-supported-yet",
    node.place(),
    `\`${node.id}\` runs once per element of \`${node.id}.${first.name}\`, and gives \`${printType(result, 80)}\` each time: streams of streams are not supported yet`,
    "Give it one value, or gather its input with `core::collect`.",
  );
}

/** What can be given away once cannot be an input that stays the same for all elements. */
function refuseOnce(draft: Draft, node: NodeDraft, each: string): void {
  for (const { name, type } of node.signature?.params ?? []) {
    const edge = node.ports.get(name);
    if (edge?.type === undefined || goesThrough(edge.type, type)) continue;
    if (!takesStream(type) && !holds(type, isOwned)) continue;
    node.broken = true;
    draft.wrong(
      "flow/shared-resource",
      edge.connection.sink,
      `\`${node.id}\` runs once per element of \`${node.id}.${each}\`, and \`${node.id}.${name}\` takes \`${printType(type, 80)}\`, which can be given away only once`,
      "Give it one value, or gather its input with `core::collect`.",
    );
  }
}
