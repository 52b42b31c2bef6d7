// From a declared operation to a checked flow: names resolved, every port and connection typed, nothing left hanging; or every mistake
// at once, each with its place in the manifest.
//
//   node named twice without an id   a mistake: it could be one node or two (`nodes.ts`)
//   a connection without a port      one choice, or ports of equal name (`shapes.ts`)
//   an input port without a type     what it feeds decides (`inputs.ts`)
//   outputs                          named ports give a record; one bare `<>` gives its value itself (`outputs.ts`)
//   an output of a node              each port goes somewhere; `node -> drop` takes all that is left (`unused.ts`)

import type { Diagnostic } from "../base/diagnostics.ts";
import type { OperationDeclaration } from "../manifest/manifest.ts";
import { readJson } from "../wit/read-json.ts";
import { printType, type TypeScope } from "../wit/type-text.ts";
import type { CheckedFlow, CheckedInput, CheckedNode, CheckedResult, CheckedSource } from "./checked.ts";
import { CORE, CORE_OPERATIONS } from "./core/core.ts";
import { Draft, type NodeDraft, type Operations } from "./draft.ts";
import { connectNode } from "./edges.ts";
import { constantSource, sourceFor, type Indices } from "./fits.ts";
import type { Signature, SignatureParam } from "./flow.ts";
import { misplacedIn, misplacedInResult } from "./holding.ts";
import { resolveInputs } from "./inputs.ts";
import { resolveNodes } from "./nodes.ts";
import { orderNodes } from "./order.ts";
import { connectOutputs } from "./outputs.ts";
import { defaultId, parseFlow } from "./parse.ts";
import { markSkippable } from "./skipping.ts";
import { reportUnused } from "./unused.ts";
import { listed, meant, named } from "../manifest/mistakes.ts";

export interface CheckResult {
  /** There where no diagnostic is an error. */
  readonly flow?: CheckedFlow | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether a flow has expressions: then call `loadExpressions` (`core/expression.ts`) before `checkFlow`. */
export function usesExpressions(declaration: OperationDeclaration): boolean {
  if (!declaration.flow.text.includes(`${CORE}::`) && !declaration.nodes.some(({ uses }) => uses.startsWith(`${CORE}::`)))
    return false;
  const computing = [...CORE_OPERATIONS.values()]
    .filter(({ computes }) => computes === true)
    .map(({ name }) => `${CORE}::${name}`);
  return computing.some((use) => declaration.flow.text.includes(use) || declaration.nodes.some(({ uses }) => uses === use));
}

/**
 * Checks an operation whose settings are filled in (no `${…}` left). `operations` are those that its nodes may use; `types` are the
 * named types of the manifest.
 */
export function checkFlow(declaration: OperationDeclaration, operations: Operations, types: TypeScope = new Map()): CheckResult {
  const parsed = parseFlow(declaration.flow);
  const draft = new Draft(declaration, operations, types, parsed.diagnostics.length > 0);
  draft.mistakes.addAll(parsed.diagnostics);
  if (parsed.lines.length === 0 && !draft.incomplete) {
    draft.mistakes.error(
      "flow/empty",
      declaration.flow.span,
      "this flow connects nothing",
      "Write one connection a line: `<>.name -> component::operation -> <>.result`.",
    );
    return { diagnostics: draft.mistakes.list() };
  }
  resolveNodes(draft, parsed.lines);
  refuseMisplaced(draft);
  const order = orderNodes(draft);
  resolveInputs(draft);
  for (const node of order) if (!draft.isHopeless) connectNode(draft, node);
  markSkippable(order);
  const indices: Indices = {
    nodes: new Map(order.map((node, i) => [node, i])),
    inputs: new Map([...draft.inputs.keys()].map((name, i) => [name, i])),
  };
  const nodes = order.map((node) => (draft.isHopeless ? undefined : checkedNode(draft, node, indices)));
  if (draft.isHopeless) return { diagnostics: draft.mistakes.list() };
  const { result, drops } = connectOutputs(draft, indices);
  if (!draft.incomplete) reportUnused(draft);
  const diagnostics = draft.mistakes.list();
  if (draft.mistakes.errorCount > 0) return { diagnostics };
  const inputs = checkedInputs(draft);
  const signature = signatureOf(declaration, draft, inputs, nodes, result);
  return {
    flow: { operation: declaration.name, signature, inputs, nodes: nodes.filter((node) => node !== undefined), result, drops },
    diagnostics,
  };
}

/** Futures, and streams inside other values, are known, and not run yet. */
function refuseMisplaced(draft: Draft): void {
  for (const node of draft.nodes.values()) {
    const { signature } = node;
    if (signature === undefined || !node.used) continue;
    const ports = signature.params.map(({ name, type }) => ({
      what: `its port \`${name}\``,
      type,
      found: misplacedIn(type, "in"),
    }));
    const { result } = signature;
    if (result !== undefined) ports.push({ what: "its result", type: result, found: misplacedInResult(result) });
    const wrong = ports.find(({ found }) => found !== undefined);
    if (wrong?.found === undefined) continue;
    node.signature = undefined;
    node.broken = true;
    const works = wrong.found.kind === "future" ? "works on futures" : "has streams inside other values";
    draft.mistakes.error(
      "flow/not-supported-yet",
      node.place(),
      `\`${node.id}\` ${works}, which flows do not support yet: ${wrong.what} is \`${printType(wrong.type, 120)}\``,
      wrong.found.kind === "future"
        ? "Use an operation that waits for the value itself."
        : "Use an operation whose ports and output ports are streams as a whole.",
    );
  }
}

function checkedNode(draft: Draft, node: NodeDraft, indices: Indices): CheckedNode | undefined {
  const { signature, declaration } = node;
  if (signature === undefined) return undefined;
  checkConstants(draft, node, signature);
  const args = signature.params.map(({ name, type }): CheckedSource | undefined => {
    const label = `${node.id}.${name}`;
    const edge = node.ports.get(name);
    if (edge !== undefined) return sourceFor(draft, edge, label, type, indices);
    const setting = node.constants.get(name);
    return setting === undefined ? undefined : constantSource(draft, setting, label, type);
  });
  checkPolicy(draft, node);
  return {
    id: node.id,
    component: node.component,
    operation: node.operation,
    signature,
    core: node.coreNode?.run,
    args,
    timeoutMs: declaration?.timeoutMs,
    retry: declaration?.retry,
    concurrency: declaration?.concurrency,
    mapped: node.mapped,
    caught: node.outgoing.some(({ source }) => source.kind === "error"),
  };
}

function checkConstants(draft: Draft, node: NodeDraft, { params }: Signature): void {
  const names = params.map(({ name }) => name);
  for (const { name, span } of node.constants.values()) {
    if (names.includes(name)) continue;
    const guess = meant(name, names);
    const cure =
      guess === undefined
        ? names.length === 0
          ? "It has no input."
          : `Its inputs: ${listed(names)}.`
        : `Did you mean ${named(guess)}?`;
    draft.mistakes.error(
      "flow/unknown-port",
      span,
      `\`${node.component}::${defaultId(node.operation)}\` has no input port ${named(name)}`,
      cure,
    );
  }
}

const MAX_ATTEMPTS = 1000;

/** Merging and racing are done by the run itself: there is no call to time, to make again or to count. */
function checkPolicy(draft: Draft, { coreNode, declaration, component, operation }: NodeDraft): void {
  if (declaration === undefined) return;
  const { timeoutMs, retry, concurrency, span } = declaration;
  const isCall = coreNode === undefined || coreNode.run.kind === "call";
  const policy =
    timeoutMs !== undefined ? "timeout" : retry !== undefined ? "retry" : concurrency !== undefined ? "concurrency" : undefined;
  if (!isCall && policy !== undefined) {
    draft.mistakes.error(
      "flow/bad-setting",
      span,
      `\`${component}::${operation}\` takes no \`${policy}\`: it only chooses between values`,
      "Give it to the nodes that make the values.",
    );
  }
  if (retry !== undefined && retry.attempts > MAX_ATTEMPTS) {
    draft.mistakes.error("flow/bad-setting", span, `a node is tried ${MAX_ATTEMPTS} times at most`, "Write fewer attempts.");
  }
}

function checkedInputs(draft: Draft): readonly CheckedInput[] {
  return [...draft.inputs.values()].flatMap(({ name, type, declared }): CheckedInput[] => {
    if (type === undefined) return [];
    if (declared?.default === undefined) return [{ name, type }];
    const { value, mistakes } = readJson(type, declared.default);
    return [{ name, type, default: mistakes.length === 0 ? { value } : undefined }];
  });
}

function signatureOf(
  declaration: OperationDeclaration,
  draft: Draft,
  inputs: readonly CheckedInput[],
  nodes: readonly (CheckedNode | undefined)[],
  result: CheckedResult,
): Signature {
  const params = inputs.map(({ name, type, default: value }): SignatureParam => {
    const description = draft.inputs.get(name)?.declared?.description;
    return { name, type, optional: value !== undefined || type.kind === "option", description };
  });
  return {
    params,
    result: resultType(result),
    async: nodes.some((node) => node?.signature.async === true),
    description: declaration.description,
  };
}

function resultType(result: CheckedResult): Signature["result"] {
  if (result.kind === "none") return undefined;
  if (result.kind === "record") return { kind: "record", fields: result.ports.map(({ name, type }) => ({ name, type })) };
  return result.type;
}
