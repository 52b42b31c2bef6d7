// What a flow costs beyond its calls: a chain of ten synchronous nodes beside the bare calls; streams, by element, beside an async
// generator that hands the same chunks on, and a node that runs once per element beside the bare calls of its pool; and checking and planning a
// flow of a thousand nodes beside `JSON.parse` of as much text, which is about the least that reading it could take.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { realClock } from "../src/base/clock.ts";
import { compile } from "../src/engine/compile.ts";
import type { OperationDeclaration } from "../src/manifest/manifest.ts";
import { parseManifest } from "../src/manifest/parse.ts";
import { CHUNKED } from "../src/wit/streams.ts";
import { checkFlow } from "../src/flow/check.ts";
import { loadExpressions } from "../src/flow/core/expression.ts";
import type { Operations } from "../src/flow/draft.ts";
import type { Invoke, Signature, Transaction } from "../src/flow/flow.ts";
import { planFlow, type Plan } from "../src/flow/plan.ts";
import { runFlow } from "../src/flow/run.ts";
import { type BenchRow, compare } from "./measure.ts";

export const peerName = "bare calls, generator, JSON.parse";

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

const U32 = { kind: "u32" } as const;
const ADD: Signature = { params: [{ name: "n", type: U32, optional: false }], result: U32, async: false };

const OPERATIONS: Operations = {
  components: ["text"],
  operationsOf: (component) => (component === "text" ? ["step", "join", "add"] : undefined),
  signatureOf: (_component, operation) =>
    operation === "step" ? SIGNATURE : operation === "join" ? JOIN : operation === "add" ? ADD : undefined,
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

const ELEMENTS = 100_000;
const CHUNK = 1000;

/** Numbers as a trigger or component would give them, a chunk at a time. */
function numbers(): AsyncIterable<Uint32Array> & { readonly [CHUNKED]: true } {
  async function* make(): AsyncGenerator<Uint32Array> {
    for (let i = 0; i < ELEMENTS; i += CHUNK) yield Uint32Array.from({ length: CHUNK }, (_, k) => i + k);
  }
  return Object.assign(make(), { [CHUNKED]: true } as const);
}

async function readAll(stream: unknown): Promise<number> {
  let count = 0;
  for await (const chunk of stream as AsyncIterable<ArrayLike<unknown>>) count += chunk.length;
  return count;
}

/** An element of a stream through a flow, and through `peer`. */
async function stream(
  what: string,
  body: string,
  invoke: Invoke,
  peer: (stream: AsyncIterable<Uint32Array>) => AsyncIterable<unknown>,
): Promise<BenchRow> {
  const { manifest, diagnostics: mistakes } = parseManifest({
    file: "bench.yaml",
    text: `starlane: v1\ncomponents: { text: ./text.wasm }\n${body}`,
  });
  const [declaration] = manifest?.operations ?? [];
  if (declaration === undefined) throw new Error(mistakes[0]?.message);
  await loadExpressions();
  const { flow, diagnostics } = checkFlow(declaration, OPERATIONS);
  if (flow === undefined) throw new Error(diagnostics[0]?.message);
  const plan = planFlow(flow);
  const transaction = { id: "bench", seed: 1, timestampMs: 0, signal: new AbortController().signal, clock: realClock };
  const ours = (): unknown => readAll(runFlow(plan, [numbers()], transaction, invoke));
  const whole = await compare(`${what}, an element`, "ns", ours, () => readAll(peer(numbers())));
  return { ...whole, ours: whole.ours / ELEMENTS, peer: whole.peer / ELEMENTS };
}

async function* handOn(chunks: AsyncIterable<Uint32Array>): AsyncGenerator<Uint32Array> {
  yield* chunks;
}

/** A node that adds one to every element, each time on fresh memory, beside its calls alone. */
async function streamThroughWasm(): Promise<BenchRow> {
  const component = await compile(readFileSync(join(import.meta.dirname, "../guests/wat/bench.wasm")));
  const pool = await component.pool();
  const add = (value: unknown): unknown => pool.callNow("add", [value, 1]);
  async function* bare(chunks: AsyncIterable<Uint32Array>): AsyncGenerator<unknown[]> {
    for await (const chunk of chunks) yield Array.from(chunk, add);
  }
  const body = `operations:\n  bench:\n    input: { values: "stream<u32>" }\n    flow: <>.values -> text::add -> <>\n`;
  return await stream("stream through an isolated wasm node", body, (_target, [value]) => add(value), bare);
}

async function streamThroughCore(): Promise<BenchRow> {
  const body = `operations:
  bench:
    input: { values: "stream<u32>" }
    nodes:
      first: { uses: "core::take", with: { count: 1000000 } }
      lists: { uses: "core::batch", with: { size: 100 } }
    flow: <>.values -> first -> lists -> core::spread -> core::zip -> <>
`;
  return await stream("stream through four core nodes", body, () => undefined, handOn);
}

async function streamThroughExpression(): Promise<BenchRow> {
  const body = `operations:
  bench:
    input: { values: "stream<u32>" }
    nodes: { more: { uses: "core::expr", with: { expr: "n + 1" } } }
    flow: |
      <>.values -> more.n
      more -> <>
`;
  return await stream("stream through core::expr", body, () => undefined, handOn);
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
    await streamThroughWasm(),
    await streamThroughCore(),
    await streamThroughExpression(),
    await checkAndPlan(),
  ];
}
