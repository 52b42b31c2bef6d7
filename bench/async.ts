// What the async ABI costs, beside the least that V8 and memory allow: a call on a stack of its own, a copy of the bytes.

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { compile } from "../src/engine/compile.ts";
import type { Instance } from "../src/engine/engine.ts";
import { type BenchRow, compare } from "./measure.ts";

export const peerName = "by hand";

const SMALL = 16;
const LARGE = 65_536;
const CHUNKS = 1000;

const GUEST = `(component
  (type $S (stream u8))
  (core module $Libc (memory (export "mem") 3))
  (core instance $libc (instantiate $Libc))
  (alias core export $libc "mem" (core memory $mem))
  (core func $read (canon stream.read $S (memory $mem)))
  (core func $drop (canon stream.drop-readable $S))
  (core module $M
    (import "" "mem" (memory 1))
    (import "" "read" (func $read (param i32 i32 i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "nothing"))
    (func (export "count") (param $s i32) (result i32)
      (local $r i32) (local $total i32)
      (loop $more
        (local.set $r (call $read (local.get $s) (i32.const 1024) (i32.const ${LARGE})))
        (local.set $total (i32.add (local.get $total) (i32.shr_u (local.get $r) (i32.const 4))))
        (br_if $more (i32.eqz (i32.and (local.get $r) (i32.const 0xf)))))
      (call $drop (local.get $s))
      (local.get $total)))
  (core instance $m (instantiate $M (with "" (instance
    (export "mem" (memory $mem)) (export "read" (func $read)) (export "drop" (func $drop))))))
  (func (export "nothing") async (canon lift (core func $m "nothing")))
  (func (export "count") async (param "s" $S) (result u32) (canon lift (core func $m "count"))))`;

/** (module (func (export "f"))) */
const NOTHING = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  4,
  1,
  96,
  0,
  0,
  3,
  2,
  1,
  0,
  7,
  5,
  1,
  1,
  102,
  0,
  0,
  10,
  4,
  1,
  2,
  0,
  11,
);

export async function run(): Promise<BenchRow[]> {
  const component = await compile(await parse(GUEST));
  const instance = await component.instantiate();
  const pool = await component.pool();
  const { promising } = WebAssembly as unknown as { promising(f: unknown): () => Promise<unknown> };
  const byHand = promising(new WebAssembly.Instance(new WebAssembly.Module(NOTHING)).exports.f);
  const nothing = instance.function("nothing");
  // Warm: otherwise the first rounds measure compilers.
  for (let i = 0; i < 5000; i++) for (const work of [nothing, byHand, () => pool.callNow("nothing")]) await work();
  return [
    await compare("async call that does not wait", "us", () => nothing(), byHand),
    await compare("the same in a pool", "us", () => pool.callNow("nothing"), byHand),
    each(
      await compare(
        "a chunk of 16 B through a stream",
        "us",
        () => send(instance, SMALL),
        () => copy(SMALL),
      ),
    ),
    each(
      await compare(
        "a chunk of 64 KB through a stream",
        "us",
        () => send(instance, LARGE),
        () => copy(LARGE),
      ),
    ),
  ];
}

async function send(instance: Instance, size: number): Promise<void> {
  const chunk = new Uint8Array(size);
  function* chunks(): Generator<Uint8Array> {
    for (let i = 0; i < CHUNKS; i++) yield chunk;
  }
  const total = await instance.call("count", [chunks()]);
  if (total !== CHUNKS * size) throw new Error(`${String(total)} bytes came through`);
}

const target = new Uint8Array(LARGE);

function copy(size: number): void {
  const chunk = new Uint8Array(size);
  for (let i = 0; i < CHUNKS; i++) target.set(chunk);
}

/** The time of one chunk. */
function each(row: BenchRow): BenchRow {
  return { ...row, ours: row.ours / CHUNKS, peer: row.peer / CHUNKS };
}
