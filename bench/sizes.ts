// What a thousand different components take when all are loaded in one process, and what a transaction costs with much memory; beside
// V8's own modules and instances of the same core modules. Each number of memory is of a process of its own: what it grew by.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { wat } from "../test/wat.ts";
import { compile } from "../src/engine/compile.ts";
import type { Pool } from "../src/engine/engine.ts";
import { type BenchRow, compare, row } from "./measure.ts";

export const peerName = "V8 modules";

const COMPONENTS = 1000;
const guests = fileURLToPath(new URL("../guests/", import.meta.url));

/** Functions that can be called with numbers or nothing, so that V8 alone can call them too. */
const GUESTS = [
  { file: "wat/bench.wasm", call: "add", args: [1, 2] },
  { file: "rust/csv.wasm" },
  { file: "rust/markdown.wasm" },
] as const;

export async function run(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const { file } of GUESTS) {
    const bytes = readFileSync(join(guests, file)).length;
    const [ours, peer] = [measured("pools", file), measured("modules", file)];
    const what = `${COMPONENTS} x ${file} (${(bytes / 1024).toFixed(0)} KB)`;
    rows.push(memoryRow(`${what}: memory of each, loaded`, ours, peer));
    rows.push(row(`${what}: time to load one`, "ms", ours.eachMs, peer.eachMs));
  }
  const [ours, peer] = [measured("calls", "wat/bench.wasm"), measured("instances", "wat/bench.wasm")];
  rows.push(memoryRow(`${COMPONENTS} x wat/bench.wasm: memory of each, called once`, ours, peer));
  return [...rows, ...(await transactions())];
}

interface Measured {
  readonly eachKb: number;
  readonly eachMs: number;
}

function memoryRow(name: string, ours: Measured, peer: Measured): BenchRow {
  return { name, unit: "KB", ours: ours.eachKb, peer: peer.eachKb, ratio: peer.eachKb / ours.eachKb };
}

type Mode = "pools" | "calls" | "modules" | "instances";

function measured(mode: Mode, file: string): Measured {
  const output = execFileSync(process.execPath, ["--expose-gc", import.meta.filename, mode, file], { encoding: "utf8" });
  return JSON.parse(output) as Measured;
}

async function measureHere(mode: Mode, file: string): Promise<Measured> {
  const guest = readFileSync(join(guests, file));
  const load = LOADERS[mode];
  // What the first one brings with it is not of each.
  const kept: unknown[] = [await load(differing(guest, COMPONENTS))];
  await settle();
  const before = process.memoryUsage.rss();
  let loadingMs = 0;
  for (let i = 0; i < COMPONENTS; i++) {
    const bytes = differing(guest, i);
    const start = performance.now();
    kept.push(await load(bytes));
    loadingMs += performance.now() - start;
  }
  await settle();
  const eachKb = (process.memoryUsage.rss() - before) / 1024 / COMPONENTS;
  if (kept.length !== COMPONENTS + 1) throw new Error("not all were kept");
  return { eachKb, eachMs: loadingMs / COMPONENTS };
}

const LOADERS: Readonly<Record<Mode, (bytes: Uint8Array) => unknown>> = {
  pools: makePool,
  async calls(bytes) {
    const pool = await makePool(bytes);
    await pool.call("add", [1, 2]);
    return pool;
  },
  modules: (bytes) => coreModules(bytes).map((core) => new WebAssembly.Module(core)),
  instances: (bytes) => coreModules(bytes).map((core) => new WebAssembly.Instance(new WebAssembly.Module(core))),
};

async function makePool(bytes: Uint8Array): Promise<Pool> {
  const component = await compile(bytes, { handOver: true, onlyPools: true });
  return component.pool();
}

async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await setImmediate();
  }
}

const CORE_MODULE = 1;

interface Section {
  readonly id: number;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** The sections of a component, by their header: an id and a length. */
function sectionsOf(bytes: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let at = 8; at < bytes.length;) {
    const id = bytes[at++] ?? 0;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    sections.push({ id, content: Uint8Array.from(bytes.subarray(at, at + size)) });
    at += size;
  }
  return sections;
}

function coreModules(bytes: Uint8Array): Uint8Array<ArrayBuffer>[] {
  return sectionsOf(bytes)
    .filter(({ id }) => id === CORE_MODULE)
    .map(({ content }) => content);
}

/** The same component with a custom section of its own in each core module: V8 compiles equal modules only once. */
function differing(guest: Uint8Array, i: number): Uint8Array {
  const custom = [0, 6, 1, 0x69, i & 0xff, (i >> 8) & 0xff, (i >> 16) & 0xff, 0];
  const parts = sectionsOf(guest).flatMap(({ id, content }) => {
    const all = id === CORE_MODULE ? Buffer.concat([content, Buffer.from(custom)]) : content;
    return [Buffer.from([id, ...leb(all.length)]), all];
  });
  return Uint8Array.from(Buffer.concat([guest.subarray(0, 8), ...parts]));
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

const LARGE = `(component
  (core module $M
    (memory (export "memory") 160)
    (func (export "write") (param $pages i32) (result i32) (local $at i32)
      (loop $next
        (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 65536)))
        (br_if $next (i32.lt_u (local.get $at) (i32.mul (local.get $pages) (i32.const 65536)))))
      (i32.load (i32.const 0))))
  (core instance $m (instantiate $M))
  (func (export "write") (param "pages" u32) (result u32) (canon lift (core func $m "write"))))`;

/** A transaction sees fresh memory: for V8 alone that takes a new instance. */
async function transactions(): Promise<BenchRow[]> {
  const bytes = await wat(LARGE);
  const pool = await makePool(bytes);
  const [core = new Uint8Array()] = coreModules(bytes);
  const module = new WebAssembly.Module(core);
  const rows: BenchRow[] = [];
  for (const pages of [1, 16, 160]) {
    const check = (answer: unknown): void => {
      if (answer !== 1) throw new Error(`memory was not fresh: ${String(answer)}`);
    };
    const ours = (): void => check(pool.callNow("write", [pages]));
    const peer = (): void => check((new WebAssembly.Instance(module).exports.write as (pages: number) => unknown)(pages));
    rows.push(await compare(`transaction, 10 MB of memory, writes to ${pages} of its 160 pages`, "us", ours, peer));
  }
  pool.close();
  return rows;
}

if (import.meta.main) {
  const [mode, file = ""] = process.argv.slice(2);
  if (mode === "pools" || mode === "calls" || mode === "modules" || mode === "instances") {
    console.log(JSON.stringify(await measureHere(mode, file)));
  }
}
