// Guests that compute for long take turns with everything else on their thread.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileWat } from "../../../test/wat.ts";
import type { CompiledComponent } from "../engine.ts";
import { canSuspend } from "./out-of-fuel.ts";

const COMPUTES = `(component
  (core module $M
    (func (export "spin") (loop $more (br $more)))
    (func (export "count") (param $n i32) (result i32)
      (local $i i32)
      (loop $more
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (local.get $n))))
      (local.get $i)))
  (core instance $m (instantiate $M))
  (func (export "spin") (canon lift (core func $m "spin")))
  (func (export "count") (param "n" u32) (result u32) (canon lift (core func $m "count"))))`;

const skip = canSuspend ? false : "stacks cannot be suspended here";

async function computing(): Promise<CompiledComponent> {
  return compileWat(COMPUTES);
}

test("a guest in an endless loop lets timers and other calls through", { skip }, async () => {
  const pool = await (await computing()).pool();
  const controller = new AbortController();
  let isOver = false;
  const loop = pool.call("spin", [], { signal: controller.signal }).catch(() => (isOver = true));
  for (let i = 0; i < 20; i++) {
    assert.equal(await pool.call("count", [1000]), 1000);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.equal(isOver, false);
  controller.abort();
  await loop;
  assert.equal(isOver, true);
});

test("a short call is answered before a long one that began earlier, and that before a longer one", { skip }, async () => {
  const component = await computing();
  const pools = await Promise.all([component.pool(), component.pool(), component.pool()]);
  const order: number[] = [];
  const calls = [60_000_000, 12_000_000, 1000].map(async (n, i) => {
    await pools[i]?.call("count", [n]);
    order.push(n);
  });
  await Promise.all(calls);
  assert.deepEqual(order, [1000, 12_000_000, 60_000_000]);
});

test("guests that compute at the same time get on together", { skip }, async () => {
  const pool = await (await computing()).pool();
  const LOOPS = 5;
  const used: number[] = [];
  const deadline = Date.now() + 300;
  const calls = Array.from({ length: LOOPS }, () =>
    pool.call("spin", [], { deadline, onUsage: ({ fuel }) => used.push(fuel) }).catch((error: { code: string }) => error.code),
  );
  assert.deepEqual(await Promise.all(calls), Array(LOOPS).fill("engine/deadline"));
  const [least, most] = [Math.min(...used), Math.max(...used)];
  assert.ok(least > 0 && most < 50 * least, used.join());
  assert.equal(pool.state.instances, pool.state.idle);
});
