// What a flow costs beyond its calls: a chain of ten synchronous nodes beside the bare calls, and checking and planning a flow of a
// thousand nodes beside `JSON.parse` of as much text, which is about the least that reading it could take.

import { realClock } from "../src/base/clock.ts";
import type { OperationDeclaration } from "../src/manifest/manifest.ts";
import { checkFlow } from "../src/flow/check.ts";
import type { Operations } from "../src/flow/draft.ts";
import type { Invoke, Signature, Transaction } from "../src/flow/flow.ts";
import { planFlow, type Plan } from "../src/flow/plan.ts";
import { runFlow } from "../src/flow/run.ts";
import { type BenchRow, compare } from "./measure.ts";

export const peerName = "floor";

const CHAIN = 10;
const NODES = 1000;

const STRING = { kind: "string" } as const;
const SIGNATURE: Signature = { params: [{ name: "s", type: STRING, optional: false }], result: STRING, async: false };
const JOIN: Signature = {
  params: [
    { name: "a", type: STRING, optional: false },
    { name: "b", type: STRING, optional: false },
  ],
  result: STRING,
  async: false,
};

const OPERATIONS: Operations = {
  components: ["text"],
  operationsOf: (component) => (component === "text" ? ["step", "join"] : undefined),
  signatureOf: (_component, operation) => (operation === "step" ? SIGNATURE : operation === "join" ? JOIN : undefined),
};

function declarationOf(text: string): OperationDeclaration {
  const source = { file: "bench.yaml", text };
  const span = { source, start: 0, end: text.length };
  return { name: "bench", nodes: [], flow: { text, span, place: (start, end) => ({ source, start, end }) }, span };
}

function planOf(text: string): Plan {
  const { flow, diagnostics } = checkFlow(declarationOf(text), OPERATIONS);
  if (flow === undefined) throw new Error(diagnostics[0]?.message);
  return planFlow(flow);
}

async function chain(): Promise<BenchRow> {
  const plan = planOf(`<>.s -> ${Array.from({ length: CHAIN }, (_, i) => `text::step[n${i}]`).join(" -> ")} -> <>.s`);
  const step = (args: readonly unknown[]): unknown => args[0];
  const invoke: Invoke = (_target, args) => step(args);
  const transaction: Transaction = {
    id: "bench",
    seed: 1,
    timestampMs: 0,
    signal: new AbortController().signal,
    clock: realClock,
  };
  const bare = (): unknown => {
    let value: unknown = "s";
    for (const { target } of plan.nodes) value = invoke(target, [value], transaction);
    return { s: value };
  };
  const whole = await compare(
    `chain of ${CHAIN} synchronous nodes, an edge`,
    "ns",
    () => runFlow(plan, ["s"], transaction, invoke),
    bare,
  );
  // Ten nodes have eleven edges: one into the chain, one out of it.
  return { ...whole, ours: whole.ours / (CHAIN + 1), peer: whole.peer / (CHAIN + 1) };
}

function checkAndPlan(): Promise<BenchRow> {
  const lines: string[] = ["<>.s -> text::step[n0]"];
  for (let i = 1; i < NODES; i++) {
    if (i % 3 === 0) lines.push(`n${i - 1} -> text::join[n${i}].a`, `n${Math.max(0, i - 7)} -> n${i}.b`);
    else lines.push(`n${i - 1} ?? "fallback" -> text::step[n${i}]`);
  }
  lines.push(`n${NODES - 1} -> <>.s`);
  const text = lines.join("\n");
  const json = JSON.stringify(lines);
  return compare(
    `check and plan of ${NODES} nodes`,
    "ms",
    () => planOf(text),
    () => JSON.parse(json),
  );
}

export async function run(): Promise<BenchRow[]> {
  return [await chain(), await checkAndPlan()];
}
