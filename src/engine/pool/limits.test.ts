// What bounds a transaction: each limit ends in a clear error, and the instance serves the next one.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileWat } from "../../../test/wat.ts";
import type { Limits, Pool, PoolOptions, Usage } from "../engine.ts";

const MODES: Readonly<Record<string, PoolOptions>> = { plain: {}, stacks: { imports: {} }, once: { reuse: false } };

const GUEST = `(component
  (core module $M
    (memory (export "mem") 1)
    (table $t 1 funcref)
    (global $heap (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $at) (local.get 3)))
      (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
        (then (drop (memory.grow (i32.const 16)))))
      (local.get $at))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "grow-table") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))
    (func $deep (export "deep") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0))))
    (func (export "long") (param i32) (result i32)
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (local.get 0)) (i32.const 0))
    (func (export "many") (param i32) (result i32)
      (local $i i32)
      (local.set $i (i32.const 16))
      (loop $more
        (i32.store (local.get $i) (i32.const 0)) (i32.store offset=4 (local.get $i) (i32.const 60000))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br_if $more (i32.lt_u (local.get $i) (i32.const 8016))))
      (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (local.get 0)) (i32.const 0))
    (func (export "count") (param i32 i32) (result i32) (local.get 1)))
  (core instance $m (instantiate $M))
  (alias core export $m "mem" (core memory $mem))
  (alias core export $m "realloc" (core func $realloc))
  (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $m "grow")))
  (func (export "grow-table") (param "by" u32) (result s32) (canon lift (core func $m "grow-table")))
  (func (export "deep") (param "n" u32) (result u32) (canon lift (core func $m "deep")))
  (func (export "long") (param "n" u32) (result string) (canon lift (core func $m "long") (memory $mem)))
  (func (export "many") (param "n" u32) (result (list string)) (canon lift (core func $m "many") (memory $mem)))
  (func (export "count") (param "text" string) (result u32)
    (canon lift (core func $m "count") (memory $mem) (realloc $realloc))))`;

async function poolWith(mode: string, limits: Limits, wat = GUEST): Promise<Pool> {
  const component = await compileWat(wat);
  return component.pool({ ...MODES[mode], limits });
}

async function usageOf(pool: Pool, name: string, args: readonly unknown[]): Promise<Usage> {
  const told: Usage[] = [];
  await pool.call(name, args, { onUsage: (usage) => told.push(usage) });
  const [usage] = told;
  assert.equal(told.length, 1);
  assert.ok(usage !== undefined);
  return usage;
}

for (const mode of Object.keys(MODES)) {
  describe(`limits (${mode})`, () => {
    test("memory grows up to its limit, and the guest is told that it cannot grow more", async () => {
      const pool = await poolWith(mode, { memoryBytes: 4 * 65_536 });
      assert.equal(await pool.call("grow", [3]), 1);
      assert.equal(await pool.call("grow", [4]), -1);
      assert.equal((await usageOf(pool, "grow", [2])).memoryBytes, 3 * 65_536);
      assert.equal((await usageOf(pool, "grow", [0])).memoryBytes, 65_536);
    });

    test("a component that begins with more memory than it may have is refused", async () => {
      const pool = await poolWith(mode, { memoryBytes: 65_535 });
      await assert.rejects(pool.call("grow", [0]), { code: "engine/limit" });
      assert.equal(pool.state.instances, 0);
    });

    test("a table grows up to its limit", async () => {
      const pool = await poolWith(mode, { tableElements: 10 });
      assert.equal(await pool.call("grow-table", [9]), 1);
      assert.equal(await pool.call("grow-table", [10]), -1);
    });

    test("values may take only so much memory of the host", async () => {
      const pool = await poolWith(mode, { valueBytes: 10_000 });
      assert.equal(((await pool.call("long", [9000])) as string).length, 9000);
      await assert.rejects(pool.call("long", [11_000]), { code: "engine/trap" });
      await assert.rejects(pool.call("many", [1000]), /a value of more than 10000 bytes/);
      assert.equal(await pool.call("grow", [0]), 1);
    });

    test("recursion ends in a trap, and the instance serves the next call", async () => {
      const pool = await poolWith(mode, {});
      for (let i = 0; i < 3; i++) {
        await assert.rejects(pool.call("deep", [100_000_000]), { code: "engine/trap", message: /call stack exhausted/ });
        assert.equal(await pool.call("deep", [1000]), 1000);
      }
      if (mode !== "once") assert.equal(pool.state.instances, pool.state.idle);
    });

    test("arguments are paid for with fuel, and memory for them is counted", async () => {
      const pool = await poolWith(mode, {});
      const small = await usageOf(pool, "count", ["a"]);
      const large = await usageOf(pool, "count", ["a".repeat(200_000)]);
      assert.ok(large.fuel > small.fuel);
      assert.equal(large.memoryBytes, 17 * 65_536);
      assert.deepEqual(await usageOf(pool, "count", ["b"]), small);
    });
  });
}

test("fuel is the same in every run, on stacks and without, on new instances and on those that were put back", async () => {
  const pools = await Promise.all(Object.keys(MODES).map((mode) => poolWith(mode, {})));
  const calls: [string, unknown[]][] = [
    ["deep", [3000]],
    ["count", ["some text"]],
    ["long", [8]],
    ["grow", [20]],
  ];
  for (const [name, args] of calls) {
    const used = new Set<number>();
    for (const pool of pools) for (let i = 0; i < 3; i++) used.add((await usageOf(pool, name, args)).fuel);
    assert.equal(used.size, 1, `${name}: ${[...used].join()}`);
  }
});

test("fuel is this number, on every machine", async () => {
  const pool = await poolWith(
    "plain",
    {},
    `(component
    (core module $M
      (func (export "sum") (param $n i32) (result i32)
        (local $sum i32)
        (loop $more
          (local.set $sum (i32.add (local.get $sum) (local.get $n)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $more (local.get $n)))
        (local.get $sum)))
    (core instance $m (instantiate $M))
    (func (export "sum") (param "n" u32) (result u32) (canon lift (core func $m "sum"))))`,
  );
  const { fuel } = await usageOf(pool, "sum", [1000]);
  const { fuel: more } = await usageOf(pool, "sum", [2000]);
  // Ten instructions a round.
  assert.equal(more - fuel, 10_000);
  // Long enough to be begun again on a stack: that makes no difference to what it used.
  assert.equal((await usageOf(pool, "sum", [2_001_000])).fuel - fuel, 20_000_000);
  assert.equal(pool.state.instances, 2);
});

test("a call that was begun again is paid for once, and told to undo what it did", async () => {
  const component = await compileWat(`(component
    (import "f" (func $f))
    (core func $f' (canon lower (func $f)))
    (core module $M (import "" "f" (func $f))
      (func (export "work") (param $n i32) (call $f)
        (loop $more (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br_if $more (local.get $n)))
        (call $f)))
    (core instance $m (instantiate $M (with "" (instance (export "f" (func $f'))))))
    (func (export "work") (param "n" u32) (canon lift (core func $m "work"))))`);
  const events: string[] = [];
  const pool = await component.pool<string>({
    imports: () => ({
      imports: { f: () => void events.push("f") },
      prepare: (name) => void events.push(`prepare ${name}`),
      restart: () => void events.push("restart"),
      finish: (outcome) => void events.push(outcome),
    }),
  });
  await pool.call("work", [10], { transaction: "short" });
  assert.deepEqual(events.splice(0), ["prepare short", "f", "f", "done"]);
  await pool.call("work", [10_000_000], { transaction: "long" });
  assert.deepEqual(events.splice(0), ["prepare long", "f", "restart", "prepare long", "f", "f", "done"]);
});

test("open handles are limited", async () => {
  const component = await compileWat(`(component
    (type $R (resource (rep i32)))
    (core func $new (canon resource.new $R))
    (core module $M (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (param $n i32)
        (loop $more (drop (call $new (i32.const 1))) (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $more (local.get $n)))))
    (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
    (func (export "make") (param "n" u32) (canon lift (core func $m "make"))))`);
  const pool = await component.pool({ limits: { handles: 100 } });
  for (let i = 0; i < 2; i++) {
    await pool.call("make", [100]);
    await assert.rejects(pool.call("make", [101]), /handle table is full/);
  }
  assert.equal(pool.state.instances, 1);
});

test("a guest with structs is looked at more often, uses the same fuel, and is stopped where there is no room", async () => {
  const component = await compileWat(`(component
    (core module $M
      (type $node (struct (field (ref null $node))))
      (func (export "chain") (param $n i32) (result i32)
        (local $list (ref null $node))
        (loop $more
          (local.set $list (struct.new $node (local.get $list)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br_if $more (local.get $n)))
        (ref.is_null (local.get $list))))
    (core instance $m (instantiate $M))
    (func (export "chain") (param "n" u32) (result u32) (canon lift (core func $m "chain"))))`);
  const asked: number[] = [];
  const fuel = async (options: PoolOptions, n: number): Promise<number> => {
    const pool = await component.pool(options);
    return (await usageOf(pool, "chain", [n])).fuel;
  };
  const looked = await fuel({ mayAllocate: (bytes) => asked.push(bytes) > 0 }, 100_000);
  assert.equal(looked, await fuel({}, 100_000));
  assert.ok(asked.length >= 3 && asked.every((bytes) => bytes > 1_000_000 && bytes < 100_000_000), String(asked));
  let left = 5;
  const pool = await component.pool({ mayAllocate: () => left-- > 0 });
  await assert.rejects(pool.call("chain", [10_000_000]), { code: "engine/limit" });
  assert.equal(await pool.call("chain", [10]), 0);
});
