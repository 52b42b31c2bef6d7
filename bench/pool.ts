// Transactions on recycled instances, beside a new instance for each: real guests of several languages. What a transaction costs must
// follow what it writes, not how large its memory is; and memory must not grow however many there are (told on standard error).

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { linkInert } from "../src/capabilities/inert.ts";
import type { CapabilityTransaction } from "../src/capabilities/capability.ts";
import { compile } from "../src/engine/compile.ts";
import type { CompiledComponent, InstanceImports, Pool } from "../src/engine/engine.ts";
import { type BenchRow, compare } from "./measure.ts";

export const peerName = "new instance";

const ROOT = join(import.meta.dirname, "..");
const GREET = "acme:greeting/greeter@1.0.0#greet";
const TRANSACTION: CapabilityTransaction = { seed: 1, timestampMs: 0 };
/** Of all guests together. */
const TRANSACTIONS = 1_000_000;

interface Guest {
  readonly name: string;
  readonly file: string;
  readonly call: string;
  readonly args: readonly unknown[];
}

const GUESTS: readonly Guest[] = [
  { name: "add", file: "guests/wat/bench.wasm", call: "add", args: [1, 2] },
  { name: "C", file: "guests/c/text.wasm", call: "upper", args: ["some text"] },
  { name: "Rust", file: "guests/rust/csv.wasm", call: "acme:csv/reader@1.0.0#parse", args: ["a,b\n1,2\n3,4\n"] },
  { name: "AssemblyScript", file: "guests/assemblyscript/greeter.wasm", call: GREET, args: ["Ada", "en"] },
  {
    name: "Go",
    file: ".cache/guests/go/words.wasm",
    call: "acme:words/words@1.0.0#frequencies",
    args: ["some words, some more", 3],
  },
  { name: "TypeScript (QuickJS)", file: ".cache/guests/typescript/greeter-qjs.wasm", call: GREET, args: ["Ada", "en"] },
  { name: "TypeScript (StarlingMonkey)", file: ".cache/guests/typescript/greeter-js.wasm", call: GREET, args: ["Ada", "en"] },
  { name: "Python", file: ".cache/guests/python/greeter.wasm", call: GREET, args: ["Ada", "en"] },
];

export async function run(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const guest of GUESTS) {
    const file = join(ROOT, guest.file);
    if (!existsSync(file)) {
      console.error(`${guest.name}: no ${guest.file}: npm run guests`);
      continue;
    }
    const component = await compile(readFileSync(file));
    const pool = await poolOf(component);
    const options = { transaction: TRANSACTION };
    const { call, args } = guest;
    const recycled = (): unknown => pool.callNow(call, args, options);
    await recycled();
    if (pool.state.obstacle !== undefined) console.error(`${guest.name}: cannot be recycled: ${pool.state.obstacle}`);
    rows.push(await compare(guest.name, "us", recycled, () => fresh(component, guest)));
    await watchMemory(guest.name, recycled, TRANSACTIONS / GUESTS.length);
    pool.close();
  }
  rows.push(await writes());
  return rows;
}

async function poolOf(component: CompiledComponent): Promise<Pool<CapabilityTransaction>> {
  return component.pool<CapabilityTransaction>({
    imports(): InstanceImports<CapabilityTransaction> {
      const { imports, prepare } = linkInert();
      return { imports, prepare, restart: () => undefined };
    },
  });
}

function fresh(component: CompiledComponent, { call, args }: Guest): unknown {
  const { imports, prepare } = linkInert();
  const instance = component.instantiateSync(imports);
  prepare(TRANSACTION);
  return instance.call(call, args);
}

/** Resident memory after a tenth, a half and all of the transactions; those that would take longer than some seconds are left out. */
async function watchMemory(name: string, transaction: () => unknown, count: number): Promise<void> {
  const started = performance.now();
  const seen: string[] = [];
  let done = 0;
  for (const share of [0.1, 0.5, 1]) {
    for (; done < share * count && performance.now() - started < 20_000; done++) {
      const answer = transaction();
      if (answer instanceof Promise) await answer;
      else if (done % 1000 === 0) await Promise.resolve();
    }
    globalThis.gc?.();
    seen.push(`${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`);
  }
  console.error(`${name}: ${done} transactions, resident: ${seen.join(", ")}`);
}

/** A guest of 17 pages that writes to eight of the 4 KiB in them. */
async function writes(): Promise<BenchRow> {
  const { parse } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  const stores = Array.from({ length: 8 }, (_, i) => `(i32.store (i32.const ${i * 100_000 + 50}) (i32.const 1))`).join(" ");
  const component = await compile(
    await parse(`(component
      (core module $M (memory 17) (data (i32.const 0) "begin") (func (export "f") ${stores}))
      (core instance $m (instantiate $M))
      (func (export "f") (canon lift (core func $m "f"))))`),
  );
  const pool = await component.pool();
  return compare(
    "17 pages, 8 written",
    "us",
    () => pool.callNow("f"),
    () => component.instantiateSync().function("f")(),
  );
}
