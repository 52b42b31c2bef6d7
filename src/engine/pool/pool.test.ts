// Calls of a pool: who gets an instance, who waits, what a transaction begins and ends with.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileWat } from "../../../test/wat.ts";
import type { InstanceImports } from "../engine.ts";
import { mayWait } from "../may-wait.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** `f` asks the host and answers what that says; `g` needs nobody. */
const ASKS = `(component
  (import "ask" (func $ask (param "n" u32) (result u32)))
  (core func $ask' (canon lower (func $ask)))
  (core module $M (import "" "ask" (func $ask (param i32) (result i32))) (memory 1)
    (func (export "f") (param i32) (result i32) (call $ask (local.get 0)))
    (func (export "g") (param i32) (result i32) (local.get 0)))
  (core instance $m (instantiate $M (with "" (instance (export "ask" (func $ask'))))))
  (func (export "f") (param "n" u32) (result u32) (canon lift (core func $m "f")))
  (func (export "g") (param "n" u32) (result u32) (canon lift (core func $m "g"))))`;

const EMPTY: InstanceImports<undefined> = { imports: { ask: (n: number) => n + 1 } };

describe("a transaction", () => {
  test("answers at once where nothing waits", async () => {
    const component = await compileWat(ASKS);
    const pool = await component.pool({ imports: EMPTY.imports });
    assert.equal(pool.callNow("f", [1]), 2);
    assert.equal(await pool.call("f", [1]), 2);
  });

  test("is prepared and finished once, whatever becomes of it", async () => {
    const component = await compileWat(ASKS);
    const events: string[] = [];
    const pool = await component.pool<number>({
      imports: () => ({
        imports: {
          ask: (n: number) => {
            if (n > 1) throw new Error("no");
            return n;
          },
        },
        prepare: (id) => void events.push(`prepare ${id}`),
        finish: (outcome) => void events.push(outcome),
      }),
    });
    await pool.call("f", [1], { transaction: 1 });
    await assert.rejects(pool.call("f", [2], { transaction: 2 }), /no/);
    await assert.rejects(pool.call("f", ["x"], { transaction: 3 }), { code: "engine/bad-value" });
    assert.deepEqual(events, ["prepare 1", "done", "prepare 2", "failed", "prepare 3", "failed"]);
    assert.equal(pool.state.instances, 1);
  });

  test("whose preparation fails does not run", async () => {
    const component = await compileWat(ASKS);
    const outcomes: string[] = [];
    let asked = 0;
    const pool = await component.pool<boolean>({
      imports: () => ({
        imports: { ask: () => ++asked },
        prepare(isBad) {
          if (isBad) throw new Error("not prepared");
        },
        finish: (outcome) => void outcomes.push(outcome),
      }),
    });
    await assert.rejects(pool.call("f", [1], { transaction: true }), /not prepared/);
    assert.equal(asked, 0);
    assert.equal(await pool.call("f", [1], { transaction: false }), 1);
    assert.deepEqual(outcomes, ["failed", "done"]);
  });

  test("that cannot be finished fails, and its instance is thrown away", async () => {
    const component = await compileWat(ASKS);
    let made = 0;
    for (const finish of [
      () => {
        throw new Error("not written");
      },
      () => Promise.reject(new Error("not written")),
    ]) {
      made = 0;
      const pool = await component.pool({ imports: () => ({ ...EMPTY, finish: made++ === 1 ? finish : undefined }) });
      await assert.rejects(pool.call("f", [1]), /not written/);
      assert.equal(pool.state.instances, 0);
      assert.equal(await pool.call("f", [1]), 2);
    }
  });

  test("is answered when it was finished", async () => {
    const component = await compileWat(ASKS);
    const gate = Promise.withResolvers<void>();
    const pool = await component.pool({ imports: () => ({ ...EMPTY, finish: () => gate.promise }) });
    let answer: unknown;
    const call = pool.call("f", [1]).then((value) => (answer = value));
    await nextTurn();
    assert.equal(answer, undefined);
    assert.equal(pool.state.idle, 0);
    gate.resolve();
    assert.equal(await call, 2);
  });
});

describe("calls that wait for an instance", () => {
  async function oneAtATime(maxWaiting?: number) {
    const component = await compileWat(ASKS);
    const answers: (() => void)[] = [];
    const ask = mayWait((n: number) => new Promise<number>((resolve) => answers.push(() => resolve(n))));
    const pool = await component.pool({ imports: { ask }, maxInstances: 1, maxWaiting });
    return { pool, answer: () => answers.shift()?.() };
  }

  test("get it in the order they came", async () => {
    const { pool, answer } = await oneAtATime();
    const order: unknown[] = [];
    const calls = [1, 2, 3].map((n) => pool.call("f", [n]).then((value) => order.push(value)));
    for (let i = 0; i < 3; i++) {
      await nextTurn();
      answer();
    }
    await Promise.all(calls);
    assert.deepEqual(order, [1, 2, 3]);
    assert.deepEqual(pool.state, { instances: 1, idle: 1, waiting: 0, obstacle: undefined });
  });

  test("leave at their deadline, by their signal, and when there are too many", async () => {
    const { pool, answer } = await oneAtATime(2);
    const first = pool.call("f", [1]);
    const controller = new AbortController();
    const second = pool.call("f", [2], { signal: controller.signal });
    const third = pool.call("f", [3], { deadline: Date.now() + 20 });
    await assert.rejects(pool.call("f", [4]), { code: "engine/busy" });
    controller.abort(new Error("enough"));
    await assert.rejects(second, /enough/);
    await assert.rejects(third, { code: "engine/deadline" });
    assert.equal(pool.state.waiting, 0);
    await nextTurn();
    answer();
    assert.equal(await first, 1);
    assert.equal(await pool.call("g", [5]), 5);
  });

  test("get a new instance where the one before them is thrown away", async () => {
    const component = await compileWat(ASKS);
    const pool = await component.pool({
      imports: () => ({
        imports: { ask: mayWait((n: number) => nextTurn().then(() => n)) },
        finish: () => Promise.reject(new Error("not written")),
      }),
      maxInstances: 2,
    });
    const calls = Array.from({ length: 20 }, (_, n) => pool.call("f", [n]));
    const outcomes = await Promise.allSettled(calls);
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
    assert.deepEqual([pool.state.instances, pool.state.waiting], [0, 0]);
  });

  test("are sent away when the pool closes; those that run end", async () => {
    const { pool, answer } = await oneAtATime();
    const first = pool.call("f", [1]);
    const second = pool.call("f", [2]);
    await nextTurn();
    pool.close();
    await assert.rejects(second, { code: "engine/busy" });
    await assert.rejects(pool.call("f", [3]), { code: "engine/busy" });
    answer();
    assert.equal(await first, 1);
    assert.equal(pool.state.instances, 0);
  });

  test("are told why no instance can be made", async () => {
    const component = await compileWat(ASKS);
    let made = 0;
    const imports = (): InstanceImports<undefined> => {
      if (made++ > 1) throw new Error("no more of them");
      return { ...EMPTY, finish: () => nextTurn().then(() => Promise.reject(new Error("not written"))) };
    };
    const pool = await component.pool({ imports, maxInstances: 1 });
    const outcomes = await Promise.allSettled([1, 2, 3].map((n) => pool.call("g", [n])));
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === "rejected" ? (outcome.reason as Error).message : "")),
      ["not written", "no more of them", "no more of them"],
    );
  });
});

test("an instance that holds an object of the host that belongs to one transaction is not used again", async () => {
  const component = await compileWat(`(component
    (import "host" (instance $host
      (export "thing" (type $T (sub resource)))
      (export "get" (func (result (own $T))))))
    (alias export $host "get" (func $get))
    (core func $get' (canon lower (func $get)))
    (core module $M (import "" "get" (func $get (result i32)))
      (global $thing (mut i32) (i32.const 0))
      (func $start (global.set $thing (call $get))) (start $start)
      (func (export "f") (result i32) (global.get $thing)))
    (core instance $m (instantiate $M (with "" (instance (export "get" (func $get'))))))
    (func (export "f") (result u32) (canon lift (core func $m "f"))))`);
  class Thing {}
  const pool = await component.pool({ imports: { host: { Thing, get: () => new Thing() } } });
  assert.equal(await pool.call("f"), 1);
  assert.match(pool.state.obstacle ?? "", /object of the host/);
  assert.equal(pool.state.instances, 0);
});

test("one instance serves all transactions where they share it, and keeps its memory until it fails", async () => {
  const component = await compileWat(`(component
    (core module $M (global $n (mut i32) (i32.const 0))
      (func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
      (func (export "fail") unreachable))
    (core instance $m (instantiate $M))
    (func (export "next") (result u32) (canon lift (core func $m "next")))
    (func (export "fail") (canon lift (core func $m "fail"))))`);
  const pool = await component.pool({ isolation: "shared" });
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => pool.call("next"))), [1, 2, 3]);
  await assert.rejects(pool.call("fail"), { code: "engine/trap" });
  assert.equal(await pool.call("next"), 1);
});

test("a hundred thousand calls wait for ten instances, and all are answered", async () => {
  const component = await compileWat(ASKS);
  const ask = mayWait((n: number) => (n % 1000 === 0 ? nextTurn() : Promise.resolve()).then(() => n));
  const pool = await component.pool({ imports: { ask }, maxInstances: 10 });
  const COUNT = 100_000;
  let sum = 0;
  const calls = Array.from({ length: COUNT }, (_, n) => pool.call("f", [n]).then((value) => (sum += Number(value))));
  assert.equal(pool.state.waiting, COUNT - 10);
  await Promise.all(calls);
  assert.equal(sum, (COUNT * (COUNT - 1)) / 2);
  assert.deepEqual(pool.state, { instances: 10, idle: 10, waiting: 0, obstacle: undefined });
});
