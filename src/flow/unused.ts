// What a flow leaves hanging: inputs of nodes without a source, outputs and input ports that go nowhere, nodes that nothing uses.

import { listed, named } from "../manifest/mistakes.ts";
import { printType } from "../wit/type-text.ts";
import type { Draft, NodeDraft } from "./draft.ts";
import { holds, isOwned } from "./holding.ts";
import { givenBy, givenPorts } from "./mapping.ts";

export function reportUnused(draft: Draft): void {
  for (const node of draft.nodes.values()) {
    if (node.meant) continue;
    if (!node.used) {
      const place = node.declaration?.span ?? node.place();
      draft.mistakes.error(
        "flow/unused-node",
        place,
        `node ${named(node.id)} is declared, and the flow does not use it`,
        "Wire it into the flow, or take it out.",
      );
      continue;
    }
    if (node.broken || node.signature === undefined) continue;
    if (node.core === undefined) reportUnconnected(draft, node);
    reportUnusedOutputs(draft, node);
    reportShared(draft, node);
  }
  for (const input of draft.inputs.values()) {
    if (input.used) continue;
    draft.mistakes.error(
      "flow/unused-input",
      input.place(),
      `input port ${named(input.name)} goes nowhere`,
      `Connect it, or write \`<>.${input.name} -> drop\`.`,
    );
  }
}

function reportUnconnected(draft: Draft, node: NodeDraft): void {
  for (const { name, type, optional } of node.signature?.params ?? []) {
    if (optional || node.ports.has(name) || node.constants.has(name)) continue;
    const message = `input port \`${name}\` of \`${node.id}\` has no source`;
    const cure = `It takes \`${printType(type, 80)}\`: connect it (\`… -> ${node.id}.${name}\`), or set it with \`with\`.`;
    draft.mistakes.error("flow/unconnected-input", node.place(), message, cure);
  }
}

function reportUnusedOutputs(draft: Draft, node: NodeDraft): void {
  const result = node.signature?.result;
  const taken = node.outgoing.filter(({ source }) => source.kind === "node");
  if (result === undefined || (taken.length === 0 && node.core?.mayEnd === true)) return;
  if (taken.length === 0) {
    const message = `\`${node.id}\` gives \`${printType(givenBy(node) ?? result, 120)}\`, and it goes nowhere`;
    draft.mistakes.error("flow/unused-output", node.place(), message, `Connect it, or write \`${node.id} -> drop\`.`);
    return;
  }
  const isOneValue = result.kind !== "record" || (node.core !== undefined && node.coreNode?.routes !== true);
  if (isOneValue || taken.some(({ sink }) => sink.kind === "unknown")) return;
  const left = unusedFields(
    node,
    result.fields.map(({ name }) => name),
  );
  if (left.length === 0) return;
  const message =
    left.length === 1
      ? `the output ${listed(left)} of \`${node.id}\` goes nowhere`
      : `the outputs ${listed(left)} of \`${node.id}\` go nowhere`;
  const cure =
    left.length === 1
      ? `Connect it, or write \`${node.id}.${left[0]} -> drop\`.`
      : `Connect them, or write \`${node.id} -> drop\` for all that is left.`;
  draft.mistakes.error("flow/unused-output", node.place(), message, cure);
}

function unusedFields(node: NodeDraft, fields: readonly string[]): readonly string[] {
  const left = new Set(fields);
  for (const { source, sink } of node.outgoing) {
    if (source.kind !== "node") continue;
    const [first] = source.path;
    if (first?.kind === "name") left.delete(first.name);
    else if (sink.kind === "drop" || first !== undefined) return [];
  }
  for (const name of node.taken) {
    if (name === undefined) return [];
    left.delete(name);
  }
  return [...left];
}

/** A resource has one owner: what gives one can feed one place. Of a stream every reader sees all elements. */
function reportShared(draft: Draft, node: NodeDraft): void {
  const result = givenBy(node);
  if (result === undefined || !holds(result, isOwned)) return;
  const ports = node.mapped ? undefined : givenPorts(node);
  const seen = new Set<string>();
  for (const { source, sink } of node.outgoing) {
    if (source.kind !== "node" || sink.kind === "drop") continue;
    const [first] = source.path;
    const port = ports === undefined || first?.kind !== "name" ? "" : first.name;
    const type = ports?.find(({ name }) => name === port)?.type ?? result;
    const shared = type.kind === "stream" ? type.element : type;
    if (shared === undefined || !holds(shared, isOwned)) continue;
    if (seen.has(port)) {
      draft.wrong(
        "flow/shared-resource",
        sink,
        `\`${node.id}\` gives \`${printType(type, 80)}\`, which only one place can own`,
        "Connect it to one place.",
      );
    }
    seen.add(port);
  }
}
