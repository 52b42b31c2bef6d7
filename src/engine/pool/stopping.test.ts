// Transactions that end before their guests do: cancelled, too late, out of fuel, trapped while other parts wait, or answered and then
// going on. Whatever was under way is stopped where it is, and the instance serves the next transaction as if nothing had been.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileWat } from "../../../test/wat.ts";
import type { HostStream } from "../async/host-streams.ts";
import { ComponentError, type Imports, type InstanceImports, type Pool } from "../engine.ts";
import { mayWait } from "../may-wait.ts";

/** A turn of the event loop. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Waits until nothing of any transaction goes on. */
async function allEnded(pool: Pool): Promise<void> {
  for (let i = 0; i < 1000 && pool.state.idle < pool.state.instances; i++) await nextTurn();
  assert.equal(pool.state.idle, pool.state.instances);
}

interface Watched {
  readonly pool: Pool;
  /** Instances that were made, and how transactions ended. */
  made: number;
  readonly ended: string[];
}

async function watched(wat: string, imports: Imports): Promise<Watched> {
  const component = await compileWat(wat);
  const watch: Omit<Watched, "pool"> = { made: -1, ended: [] };
  const source = (): InstanceImports<undefined> => {
    watch.made++;
    return { imports, finish: (outcome) => void watch.ended.push(outcome) };
  };
  return Object.assign(watch, { pool: await component.pool({ imports: source }) });
}

/** `wait` marks memory, calls the host, marks more, and tells the host; `look` tells both marks. */
const WAITS = `(component
  (import "wait" (func $wait (result u32)))
  (import "tell" (func $tell (param "n" u32)))
  (core func $wait' (canon lower (func $wait)))
  (core func $tell' (canon lower (func $tell)))
  (core module $M
    (import "" "wait" (func $wait (result i32)))
    (import "" "tell" (func $tell (param i32)))
    (memory 1)
    (func (export "wait") (result i32)
      (local $n i32)
      (i32.store (i32.const 40000) (i32.const 1))
      (local.set $n (call $wait))
      (i32.store (i32.const 50000) (i32.const 1))
      (call $tell (local.get $n))
      (local.get $n))
    (func (export "look") (result i32) (i32.add (i32.load (i32.const 40000)) (i32.load (i32.const 50000))))
    (func (export "spin") (i32.store (i32.const 40000) (i32.const 1)) (loop $more (br $more))))
  (core instance $m (instantiate $M (with "" (instance (export "wait" (func $wait')) (export "tell" (func $tell'))))))
  (func (export "wait") (result u32) (canon lift (core func $m "wait")))
  (func (export "look") (result u32) (canon lift (core func $m "look")))
  (func (export "spin") (canon lift (core func $m "spin"))))`;

function waiting(): { readonly imports: Imports; readonly told: number[]; answer: (n: number) => void } {
  const host = {
    told: [] as number[],
    answer: ((): void => undefined) as (n: number) => void,
    imports: {} as Imports,
  };
  host.imports = {
    wait: mayWait(() => new Promise<number>((resolve) => (host.answer = resolve))),
    tell: (n: number) => void host.told.push(n),
  };
  return host;
}

describe("a guest that is suspended in a call of the host", () => {
  test("is stopped by a signal, and its instance is used again", async () => {
    const host = waiting();
    const watch = await watched(WAITS, host.imports);
    const { pool } = watch;
    for (let i = 0; i < 3; i++) {
      const controller = new AbortController();
      const call = pool.call("wait", [], { signal: controller.signal });
      await nextTurn();
      controller.abort(new Error("enough"));
      await assert.rejects(call, /enough/);
      assert.equal(await pool.call("look"), 0);
    }
    assert.equal(watch.made, 1);
    assert.deepEqual(watch.ended, ["failed", "done", "failed", "done", "failed", "done"]);
    host.answer(7);
    await nextTurn();
    assert.deepEqual(host.told, [], "an answer that comes late is heard by nobody");
    assert.equal(await pool.call("look"), 0);
  });

  test("is stopped at its deadline", async () => {
    const watch = await watched(WAITS, waiting().imports);
    await assert.rejects(watch.pool.call("wait", [], { deadline: Date.now() + 20 }), { code: "engine/deadline" });
    assert.equal(await watch.pool.call("look"), 0);
    assert.equal(watch.made, 1);
  });

  test("hears the answer that comes in time, in its own transaction", async () => {
    const host = waiting();
    const watch = await watched(WAITS, host.imports);
    const call = watch.pool.call("wait");
    await nextTurn();
    host.answer(5);
    assert.equal(await call, 5);
    assert.deepEqual(host.told, [5]);
    assert.equal(await watch.pool.call("look"), 0);
  });

  test("is told of a failure of the host, and the next transaction knows nothing of it", async () => {
    const imports = { wait: mayWait(() => Promise.reject(new Error("no network"))), tell: () => undefined };
    const watch = await watched(WAITS, imports);
    for (let i = 0; i < 3; i++) {
      await assert.rejects(watch.pool.call("wait"), /no network/);
      assert.equal(await watch.pool.call("look"), 0);
    }
    assert.equal(watch.made, 1);
  });

  test("may be one of a thousand", async () => {
    const component = await compileWat(`(component
      (import "wait" (func $wait (result u32)))
      (core func $wait' (canon lower (func $wait)))
      (core module $M (import "" "wait" (func $wait (result i32))) (func (export "wait") (result i32) (call $wait)))
      (core instance $m (instantiate $M (with "" (instance (export "wait" (func $wait'))))))
      (func (export "wait") (result u32) (canon lift (core func $m "wait"))))`);
    const answers: (() => void)[] = [];
    const wait = mayWait(() => new Promise<number>((resolve) => answers.push(() => resolve(answers.length))));
    const pool = await component.pool({ imports: { wait } });
    const calls = Array.from({ length: 1000 }, () => pool.call("wait"));
    await nextTurn();
    assert.equal(answers.length, 1000);
    for (const answer of answers) answer();
    assert.deepEqual(new Set(await Promise.all(calls)), new Set([1000]));
    assert.deepEqual(pool.state, { instances: 1000, idle: 1000, waiting: 0, obstacle: undefined });
    pool.close();
  });

  test("leaves room for others: as many as there may be are suspended, the next one waits", async () => {
    const component = await compileWat(WAITS);
    const answers: ((n: number) => void)[] = [];
    const imports = {
      wait: mayWait(() => new Promise<number>((resolve) => answers.push(resolve))),
      tell: () => undefined,
    };
    const pool = await component.pool({ imports, maxInstances: 10 });
    const calls = Array.from({ length: 25 }, () => pool.call("wait"));
    await nextTurn();
    assert.equal(answers.length, 10);
    assert.deepEqual([pool.state.instances, pool.state.waiting], [10, 15]);
    for (let n = 0; n < 25; n++) {
      answers[n]?.(n);
      await nextTurn();
    }
    assert.deepEqual(
      await Promise.all(calls),
      Array.from({ length: 25 }, (_, n) => n),
    );
    assert.deepEqual([pool.state.instances, pool.state.waiting, pool.state.idle], [10, 0, 10]);
  });
});

const LIMITS = [1000, 3_000_000, 30_000_000];

describe("an endless loop", () => {
  for (const mode of ["stacks", "plain"] as const) {
    test(`ends at the deadline, by a signal and for want of fuel (${mode})`, async () => {
      const component = await compileWat(`(component
        (core module $M (memory 1)
          (func (export "spin") (i32.store (i32.const 40000) (i32.const 1)) (loop $more (br $more)))
          (func (export "look") (result i32) (i32.load (i32.const 40000))))
        (core instance $m (instantiate $M))
        (func (export "spin") (canon lift (core func $m "spin")))
        (func (export "look") (result u32) (canon lift (core func $m "look"))))`);
      const pool = await component.pool(mode === "stacks" ? { imports: {} } : {});
      await assert.rejects(pool.call("spin", [], { deadline: Date.now() + 20 }), { code: "engine/deadline" });
      assert.equal(await pool.call("look"), 0);
      const controller = new AbortController();
      const call = pool.call("spin", [], { signal: controller.signal });
      setTimeout(() => controller.abort(new Error("enough")), 20);
      await assert.rejects(call, /enough/);
      assert.equal(await pool.call("look"), 0);
      const used: number[] = [];
      for (const fuel of LIMITS) {
        const onUsage = (usage: { readonly fuel: number }): void => void used.push(usage.fuel);
        await assert.rejects(pool.call("spin", [], { fuel, onUsage }), { code: "engine/out-of-fuel" });
        assert.equal(await pool.call("look"), 0);
      }
      assert.ok(
        used.every((fuel, i) => fuel >= (LIMITS[i] ?? 0) && fuel <= (LIMITS[i] ?? 0) + 20_000),
        used.join(),
      );
      assert.ok(pool.state.instances <= 2, "no instance was lost");
      assert.equal(pool.state.instances, pool.state.idle);
    });
  }

  test("of a call whose time is over before it begins does not begin", async () => {
    const component = await compileWat(`(component
      (core module $M (func (export "spin") (loop $more (br $more))))
      (core instance $m (instantiate $M))
      (func (export "spin") (canon lift (core func $m "spin"))))`);
    const pool = await component.pool();
    await assert.rejects(pool.call("spin", [], { deadline: Date.now() - 1 }), { code: "engine/deadline" });
    await assert.rejects(pool.call("spin", [], { signal: AbortSignal.abort(new Error("no")) }), /no/);
    assert.equal(pool.state.instances, 0);
  });

  test("in a start function is stopped", async () => {
    const component = await compileWat(`(component
      (core module $M (func $spin (loop $more (br $more))) (start $spin) (func (export "f")))
      (core instance $m (instantiate $M))
      (func (export "f") (canon lift (core func $m "f"))))`);
    const now = Date.now;
    const pool = await component.pool();
    let passed = 0;
    // A clock of which each look costs ten seconds.
    Date.now = () => now() + 10_000 * passed++;
    try {
      await assert.rejects(pool.call("f"), { code: "engine/deadline" });
    } finally {
      Date.now = now;
    }
    assert.equal(pool.state.instances, 0);
  });

  for (const [where, lift] of [
    ["realloc", `(param "s" string) (canon lift (core func $m "take") (memory $mem) (realloc (core func $m "realloc")))`],
    ["post-return", `(result u32) (canon lift (core func $m "give") (post-return (core func $m "spin")))`],
  ] as const) {
    for (const mode of ["stacks", "plain"] as const) {
      test(`in ${where} is stopped (${mode})`, async () => {
        const component = await compileWat(`(component
          (core module $M
            (memory (export "mem") 1)
            (func $forever (loop $more (br $more)))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $forever) (i32.const 0))
            (func (export "take") (param i32 i32))
            (func (export "give") (result i32) (i32.store (i32.const 40000) (i32.const 1)) (i32.const 1))
            (func (export "spin") (param i32) (call $forever))
            (func (export "look") (result i32) (i32.load (i32.const 40000))))
          (core instance $m (instantiate $M))
          (alias core export $m "mem" (core memory $mem))
          (func (export "f") ${lift})
          (func (export "look") (result u32) (canon lift (core func $m "look"))))`);
        const pool = await component.pool(mode === "stacks" ? { imports: {} } : {});
        const args = where === "realloc" ? ["text"] : [];
        for (let i = 0; i < 2; i++) {
          await assert.rejects(pool.call("f", args), { code: "engine/out-of-fuel" });
          await assert.rejects(pool.call("f", args, { fuel: 1000 }), { code: "engine/out-of-fuel" });
          await assert.rejects(pool.call("f", args, { deadline: Date.now() + 10 }), (error: { code?: string }) =>
            ["engine/deadline", "engine/out-of-fuel"].includes(error.code ?? ""),
          );
          assert.equal(await pool.call("look"), 0);
        }
        assert.equal(pool.state.instances, pool.state.idle);
      });
    }
  }

  test("in a destructor is stopped", async () => {
    const component = await compileWat(`(component
      (core module $D (func (export "dtor") (param i32) (loop $more (br $more))))
      (core instance $d (instantiate $D))
      (type $R (resource (rep i32) (dtor (core func $d "dtor"))))
      (core func $new (canon resource.new $R)) (core func $drop (canon resource.drop $R))
      (core module $M
        (import "" "new" (func $new (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
        (func (export "f") (call $drop (call $new (i32.const 1)))))
      (core instance $m (instantiate $M (with "" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
      (func (export "f") (canon lift (core func $m "f"))))`);
    for (const pool of [await component.pool(), await component.pool({ imports: {} })]) {
      await assert.rejects(pool.call("f", [], { fuel: 10_000 }), { code: "engine/out-of-fuel" });
      await assert.rejects(pool.call("f"), { code: "engine/out-of-fuel" });
      assert.equal(pool.state.instances, pool.state.idle);
    }
  });

  test("that calls the host again and again is stopped", async () => {
    const component = await compileWat(`(component
      (import "f" (func $f (param "n" u32)))
      (core func $f' (canon lower (func $f)))
      (core module $M (import "" "f" (func $f (param i32))) (func (export "spin") (loop $more (call $f (i32.const 1)) (br $more))))
      (core instance $m (instantiate $M (with "" (instance (export "f" (func $f'))))))
      (func (export "spin") (canon lift (core func $m "spin"))))`);
    let calls = 0;
    const pool = await component.pool({ imports: { f: () => void calls++ } });
    await assert.rejects(pool.call("spin", [], { deadline: Date.now() + 30 }), { code: "engine/deadline" });
    const before = calls;
    await nextTurn();
    assert.equal(calls, before, "it is not called any more");
    await assert.rejects(pool.call("spin", [], { fuel: 100_000 }), { code: "engine/out-of-fuel" });
    assert.equal(pool.state.instances, 1);
  });
});

/** Async exports without a callback, that go on after their answer. */
const GOES_ON = `(component
  (import "later" (func $later async (result u32)))
  (core module $Libc (memory (export "mem") 1))
  (core instance $libc (instantiate $Libc))
  (alias core export $libc "mem" (core memory $mem))
  (type $S (stream u8))
  (core func $return (canon task.return (result u32)))
  (core func $return-stream (canon task.return (result $S)))
  (core func $new (canon stream.new $S))
  (core func $write (canon stream.write $S (memory $mem)))
  (core func $later' (canon lower (func $later)))
  (core func $set (canon waitable-set.new))
  (core func $wait (canon waitable-set.wait (memory $mem)))
  (core module $M
    (import "" "mem" (memory 1))
    (import "" "return" (func $return (param i32)))
    (import "" "return-stream" (func $return-stream (param i32)))
    (import "" "new" (func $new (result i64)))
    (import "" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "" "later" (func $later (result i32)))
    (import "" "set" (func $set (result i32)))
    (import "" "wait" (func $wait (param i32 i32) (result i32)))
    (func (export "work") (call $return (i32.const 1)) (drop (call $later)) (i32.store (i32.const 40000) (i32.const 1)))
    (func (export "spin") (call $return (i32.const 1)) (i32.store (i32.const 40000) (i32.const 1)) (loop $more (br $more)))
    (func (export "stuck") (call $return (i32.const 1)) (i32.store (i32.const 40000) (i32.const 1))
      (drop (call $wait (call $set) (i32.const 100))))
    (func (export "give") (local $ends i64)
      (local.set $ends (call $new))
      (call $return-stream (i32.wrap_i64 (local.get $ends)))
      (drop (call $write (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32))) (i32.const 0) (i32.const 10)))
      (i32.store (i32.const 40000) (i32.const 1)))
    (func (export "fail") (call $return (i32.const 1)) (drop (call $later)) unreachable)
    (func (export "look") (call $return (i32.load (i32.const 40000)))))
  (core instance $m (instantiate $M (with "" (instance
    (export "mem" (memory $mem)) (export "return" (func $return)) (export "return-stream" (func $return-stream))
    (export "new" (func $new)) (export "write" (func $write)) (export "later" (func $later')) (export "set" (func $set))
    (export "wait" (func $wait))))))
  (func (export "work") async (result u32) (canon lift (core func $m "work") async))
  (func (export "spin") async (result u32) (canon lift (core func $m "spin") async))
  (func (export "stuck") async (result u32) (canon lift (core func $m "stuck") async))
  (func (export "fail") async (result u32) (canon lift (core func $m "fail") async))
  (func (export "give") async (result $S) (canon lift (core func $m "give") async))
  (func (export "look") async (result u32) (canon lift (core func $m "look") async)))`;

describe("an async guest that goes on after its answer", () => {
  test("ends its transaction when it has ended", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const watch = await watched(GOES_ON, { later: () => promise });
    assert.equal(await watch.pool.call("work"), 1);
    assert.deepEqual(watch.ended, []);
    assert.equal(watch.pool.state.idle, 0);
    resolve(3);
    await allEnded(watch.pool);
    assert.deepEqual(watch.ended, ["done"]);
    assert.equal(await watch.pool.call("look"), 0);
    assert.equal(watch.made, 1);
  });

  test("is stopped at its deadline, and by its signal", async () => {
    const watch = await watched(GOES_ON, { later: () => new Promise(() => undefined) });
    assert.equal(await watch.pool.call("spin", [], { deadline: Date.now() + 20 }), 1);
    await allEnded(watch.pool);
    const controller = new AbortController();
    assert.equal(await watch.pool.call("work", [], { signal: controller.signal }), 1);
    controller.abort();
    await allEnded(watch.pool);
    assert.deepEqual(watch.ended, ["failed", "failed"]);
    assert.equal(await watch.pool.call("look"), 0);
    assert.equal(watch.made, 1);
  });

  test("ends when nothing can ever wake it", async () => {
    const watch = await watched(GOES_ON, { later: () => new Promise(() => undefined) });
    for (let i = 0; i < 3; i++) {
      assert.equal(await watch.pool.call("stuck"), 1);
      await allEnded(watch.pool);
      assert.equal(await watch.pool.call("look"), 0);
    }
    assert.equal(watch.made, 1);
    assert.equal(watch.ended[0], "failed");
  });

  test("may trap then: the caller has its answer, and the transaction failed", async () => {
    const watch = await watched(GOES_ON, { later: () => nextTurn().then(() => 1) });
    assert.equal(await watch.pool.call("fail"), 1);
    await allEnded(watch.pool);
    assert.deepEqual(watch.ended, ["failed"]);
    assert.equal(await watch.pool.call("look"), 0);
    assert.equal(watch.made, 1);
  });

  test("keeps its instance while the host reads the stream that it gave", async () => {
    const watch = await watched(GOES_ON, { later: () => 1 });
    const stream = (await watch.pool.call("give")) as HostStream;
    assert.equal(watch.pool.state.idle, 0);
    assert.equal(await watch.pool.call("look"), 0, "another instance serves meanwhile");
    const chunk = await stream.read();
    assert.equal(chunk?.length, 10);
    stream.drop();
    await allEnded(watch.pool);
    assert.equal(await stream.read(), undefined);
    assert.equal(watch.made, 2);
  });

  test("gives no stream that outlives its deadline", async () => {
    const watch = await watched(GOES_ON, { later: () => 1 });
    const stream = (await watch.pool.call("give", [], { deadline: Date.now() + 20 })) as HostStream;
    await allEnded(watch.pool);
    await assert.rejects(stream.read(), { code: "engine/cancelled" });
    stream.drop();
    assert.equal(await watch.pool.call("look"), 0);
    assert.equal(watch.made, 1);
  });
});

test("streams and futures of the host that a guest leaves unread are closed, and bring nothing into the next transaction", async () => {
  const component = await compileWat(`(component
    (type $S (stream u8)) (type $F (future u8))
    (core module $Libc (memory (export "mem") 1))
    (core instance $libc (instantiate $Libc))
    (alias core export $libc "mem" (core memory $mem))
    (core func $read (canon stream.read $S async (memory $mem)))
    (core func $read-future (canon future.read $F async (memory $mem)))
    (core module $M
      (import "" "mem" (memory 1))
      (import "" "read" (func $read (param i32 i32 i32) (result i32)))
      (import "" "read-future" (func $read-future (param i32 i32) (result i32)))
      (func (export "take") (param $s i32) (param $f i32) (result i32)
        (drop (call $read (local.get $s) (i32.const 40000) (i32.const 8)))
        (drop (call $read-future (local.get $f) (i32.const 40008)))
        (i32.const 1))
      (func (export "look") (result i32) (i32.add (i32.load (i32.const 40000)) (i32.load (i32.const 40008)))))
    (core instance $m (instantiate $M (with "" (instance
      (export "mem" (memory $mem)) (export "read" (func $read)) (export "read-future" (func $read-future))))))
    (func (export "take") async (param "s" $S) (param "f" $F) (result u32) (canon lift (core func $m "take")))
    (func (export "look") async (result u32) (canon lift (core func $m "look"))))`);
  const pool = await component.pool();
  const gate = Promise.withResolvers<void>();
  const future = Promise.withResolvers<number>();
  let isClosed = false;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      await gate.promise;
      yield Uint8Array.of(1, 2, 3, 4);
      yield Uint8Array.of(1, 2, 3, 4);
    } finally {
      isClosed = true;
    }
  }
  assert.equal(await pool.call("take", [chunks(), future.promise]), 1);
  assert.deepEqual([pool.state.instances, pool.state.idle], [1, 1]);
  const look = pool.call("look");
  gate.resolve();
  future.resolve(9);
  await nextTurn();
  assert.equal(await look, 0);
  assert.equal(await pool.call("look"), 0);
  assert.equal(isClosed, true);
});

test("a guest's resource is of no use after its transaction", async () => {
  const component = await compileWat(`(component
    (type $R' (resource (rep i32)))
    (export $R "r" (type $R'))
    (core func $new (canon resource.new $R'))
    (core module $M (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 7)))
      (func (export "use") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $R)) (canon lift (core func $m "make")))
    (func (export "use") (param "r" (borrow $R)) (result u32) (canon lift (core func $m "use"))))`);
  for (const pool of [await component.pool(), await component.pool({ imports: {} })]) {
    const resource = await pool.call("make");
    await assert.rejects(pool.call("use", [resource]), /its transaction has ended/);
    (resource as Disposable)[Symbol.dispose]();
    assert.equal(pool.state.instances, 1);
  }
});

test("a guest's resource is of no use either when its instance was thrown away: no destructor runs", async () => {
  const component = await compileWat(`(component
    (import "dropped" (func $dropped))
    (core func $dropped' (canon lower (func $dropped)))
    (core module $D (import "" "dropped" (func $dropped)) (memory (export "mem") 1)
      (func (export "dtor") (param i32) (call $dropped)))
    (core instance $d (instantiate $D (with "" (instance (export "dropped" (func $dropped'))))))
    (type $R' (resource (rep i32) (dtor (core func $d "dtor"))))
    (export $R "r" (type $R'))
    (core func $new (canon resource.new $R'))
    (core module $M (import "" "new" (func $new (param i32) (result i32))) (data $s "x") (memory 1)
      (func (export "make") (result i32) (data.drop $s) (call $new (i32.const 7))))
    (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $R)) (canon lift (core func $m "make"))))`);
  let dropped = 0;
  const pool = await component.pool({ imports: { dropped: () => void dropped++ } });
  const resource = await pool.call("make");
  assert.equal(pool.state.instances, 0);
  (resource as Disposable)[Symbol.dispose]();
  assert.equal(dropped, 0);
});

test("errors that a guest answers with are results: its instance is used again", async () => {
  const component = await compileWat(`(component
    (core module $M (func (export "f") (param i32) (result i32) (local.get 0)))
    (core instance $m (instantiate $M))
    (func (export "f") (param "n" u32) (result (result)) (canon lift (core func $m "f"))))`);
  const pool = await component.pool();
  await pool.call("f", [0]);
  await assert.rejects(pool.call("f", [1]), ComponentError);
  await assert.rejects(pool.call("f", ["no number"]), { code: "engine/bad-value" });
  await assert.rejects(pool.call("g"), { code: "engine/unknown-export" });
  assert.deepEqual([pool.state.instances, pool.state.idle], [1, 1]);
});
