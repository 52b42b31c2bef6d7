// What rewriting core modules costs: kernels with fuel and with the write barrier beside the kernels as they were, round by round in one
// run (the ratio is the median of the rounds' ratios), and how long rewriting takes beside V8's compiler.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { instrument, type InstrumentOptions } from "../src/component/instrument/instrument.ts";
import { type BenchRow, median, row } from "./measure.ts";

export const peerName = "as it was";

const ROUNDS = 31;
const ROUND_MS = 6;
const WARM_UP_MS = 200;
const ROOT = join(import.meta.dirname, "..");

/** The kernels that targets are set for; stores and nothing else are the worst case of the barrier. */
const COMPUTE = ["matrix", "sha256", "json_parse", "sort"];
const WRITING = ["matrix", "sha256", "json_write", "json_parse", "sort", "store_random"];
const WORST = ["store_sequential", "store_bytes"];

const LARGE = [
  "node_modules/@bytecodealliance/jco-transpile/vendor/wasm-tools.core.wasm",
  "node_modules/@bytecodealliance/componentize-js/lib/starlingmonkey_embedding_weval.wasm",
];

type Kernels = Readonly<Record<string, (argument: number) => unknown>>;

export async function run(): Promise<BenchRow[]> {
  const bytes = new Uint8Array(readFileSync(join(import.meta.dirname, "kernels/kernels.wasm")));
  const peer = kernelsOf(bytes, {});
  const [fuel, barrier, both] = [{ fuel: true }, { barrier: true }, { fuel: true, barrier: true }].map((options) =>
    kernelsOf(bytes, options),
  );
  return [
    ...overheads("fuel", COMPUTE, fuel, peer),
    ...overheads("barrier", WRITING, barrier, peer),
    ...WORST.map((name) => overhead(`barrier, worst case: ${name}`, name, barrier, peer)),
    ...overheads("both", COMPUTE, both, peer),
    ...LARGE.map((path) => join(ROOT, path))
      .filter((path) => existsSync(path))
      .flatMap(rewritingSpeed),
  ];
}

function kernelsOf(bytes: Uint8Array, options: InstrumentOptions): Kernels {
  const made = instrument(bytes, options);
  const fuel = new WebAssembly.Global({ value: "i64", mutable: true }, 0n);
  const outOfFuel = (): void => void (fuel.value += 10_000_000n);
  const module = new WebAssembly.Module(made.bytes as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(module, { [made.module]: { fuel, "out-of-fuel": outOfFuel } });
  const kernels = exports as Record<string, (argument: number) => unknown>;
  kernels["json_write"]?.(0);
  return kernels;
}

/** A row for each kernel, and their median as what a millisecond of the original takes. */
function overheads(what: string, names: readonly string[], ours: Kernels | undefined, peer: Kernels): BenchRow[] {
  const rows = names.map((name) => overhead(`${what}: ${name}`, name, ours, peer));
  const ratio = middle(rows.map((one) => one.ratio));
  return [...rows, { name: `${what}: the median`, unit: "ms", ours: 1 / ratio, peer: 1, ratio }];
}

/** The median, which for an even number lies between two. */
function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = NaN, high = NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}

function overhead(title: string, name: string, ours: Kernels | undefined, peer: Kernels): BenchRow {
  const [one, other] = [ours?.[name], peer[name]];
  if (one === undefined || other === undefined) throw new Error(`there is no kernel ${name}`);
  if (one(1) !== other(1)) throw new Error(`${name} gives another result when it is rewritten`);
  warmUp(one);
  warmUp(other);
  const count = Math.max(1, Math.round(ROUND_MS / timed(other, 1)));
  const rounds = Array.from({ length: ROUNDS }, () => ({ ours: timed(one, count), peer: timed(other, count) }));
  const medians = row(title, "ms", median(rounds.map((round) => round.ours)), median(rounds.map((round) => round.peer)));
  return { ...medians, ratio: median(rounds.map((round) => round.peer / round.ours)) };
}

function warmUp(kernel: (argument: number) => unknown): void {
  const end = performance.now() + WARM_UP_MS;
  while (performance.now() < end) kernel(1);
}

function timed(kernel: (argument: number) => unknown, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) kernel(1);
  return (performance.now() - start) / count;
}

/** Rewriting beside compiling, which V8 does at once when it is asked synchronously. */
function rewritingSpeed(path: string): BenchRow[] {
  const bytes = new Uint8Array(readFileSync(path));
  const megabytes = bytes.length / 1e6;
  const compiled = once(() => void new WebAssembly.Module(bytes));
  return [
    ["fuel", { fuel: true }],
    ["everything", { fuel: true, expose: true, barrier: true, shrink: true }],
  ].map(([name, options]) => {
    const times = Array.from({ length: 5 }, () => once(() => void instrument(bytes, options as InstrumentOptions)));
    const speed = Math.round(megabytes / (median(times) / 1000));
    return row(
      `rewrite ${megabytes.toFixed(1)} MB, ${name as string} (${speed} MB/s; beside compiling)`,
      "ms",
      median(times),
      compiled,
    );
  });
}

function once(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
