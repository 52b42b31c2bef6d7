// What a flow costs beyond its calls: a chain of ten synchronous nodes beside the bare calls, and checking and planning a flow of a
// thousand nodes beside `JSON.parse` of as much text, which is about the least that reading it could take.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { realClock } from "../src/base/clock.ts";
import { compile } from "../src/engine/compile.ts";
import type { OperationDeclaration } from "../src/manifest/manifest.ts";
import { checkFlow } from "../src/flow/check.ts";
import type { Operations } from "../src/flow/draft.ts";
import type { Invoke, Signature, Transaction } from "../src/flow/flow.ts";
import { planFlow, type Plan } from "../src/flow/plan.ts";
import { runFlow } from "../src/flow/run.ts";
import { type BenchRow, compare } from "./measure.ts";

export const peerName = "bare calls, JSON.parse";

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

/** The same calls in a flow and bare; ten nodes have eleven edges, one into the chain and one out of it. */
async function chain(what: string, step: (value: unknown) => unknown): Promise<BenchRow> {
  const plan = planOf(`<>.s -> ${Array.from({ length: CHAIN }, (_, i) => `text::step[n${i}]`).join(" -> ")} -> <>.s`);
  const invoke: Invoke = (_target, [value]) => step(value);
  const transaction: Transaction = {
    id: "bench",
    seed: 1,
    timestampMs: 0,
    signal: new AbortController().signal,
    clock: realClock,
  };
  const bare = (): unknown => {
    let value: unknown = "s";
    for (let i = 0; i < CHAIN; i++) value = step(value);
    return { s: value };
  };
  const inFlow = (): unknown => runFlow(plan, ["s"], transaction, invoke);
  const whole = await compare(`chain of ${CHAIN} ${what}, an edge`, "ns", inFlow, bare);
  return { ...whole, ours: whole.ours / (CHAIN + 1), peer: whole.peer / (CHAIN + 1) };
}

/** A function of a component that gives back the text it was given. */
async function wasmStep(): Promise<(value: unknown) => unknown> {
  const component = await compile(readFileSync(join(import.meta.dirname, "../guests/wat/bench.wasm")));
  return (await component.instantiate()).function("echo");
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
  return [
    await chain("wasm nodes", await wasmStep()),
    await chain("nodes of plain functions", (value) => value),
    await checkAndPlan(),
  ];
}
