// A thousand random programs on recycled instances and on new ones: the same results, the same fuel, and nothing left.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../../test/fuzz/random.ts";
import { randomComponent } from "../../../test/random-module.ts";
import { compileWat } from "../../../test/wat.ts";
import { StarlaneError } from "../../base/errors.ts";
import type { Pool, PoolOptions, Usage } from "../engine.ts";

const MODULES = 40;
const FUNCTIONS = 25;

/** What a call answered, or the code of how it failed. */
async function outcome(call: () => unknown): Promise<string> {
  try {
    return String(await call());
  } catch (error) {
    if (error instanceof StarlaneError) return error.code;
    throw error;
  }
}

interface Told {
  readonly result: string;
  readonly usage: Usage | undefined;
}

async function run(pool: Pool, name: string, args: readonly unknown[]): Promise<Told> {
  let usage: Usage | undefined;
  const result = await outcome(() => pool.call(name, args, { onUsage: (told) => (usage = told) }));
  return { result, usage };
}

const KINDS: readonly PoolOptions[] = [{}, { imports: {} }];

test(`${MODULES * FUNCTIONS} random programs do the same on recycled instances as on new ones`, async () => {
  let traps = 0;
  let made = 0;
  for (let seed = 0; seed < MODULES; seed++) {
    const random = new Random(seed);
    const component = await compileWat(randomComponent(random, FUNCTIONS));
    const recycling = await Promise.all(KINDS.map((options) => component.pool(options)));
    const once = await component.pool({ reuse: false });
    const clean = await outcome(() => component.instantiateSync().call("dump"));
    const cleanTold = await run(once, "dump", []);
    assert.equal(cleanTold.result, clean);
    for (let i = 0; i < FUNCTIONS; i++) {
      const name = `f${i}`;
      const args = [random.below(2 ** 32), BigInt(random.below(2 ** 32)) * 0x1_0000_0001n];
      const expected = await outcome(() => component.instantiateSync().call(name, args));
      const told = await run(once, name, args);
      const where = `${name} of module ${seed}`;
      assert.equal(told.result, expected, `new and rewritten: ${where}`);
      if (expected === "engine/trap") traps++;
      for (const pool of recycling) {
        assert.deepEqual(await run(pool, name, args), told, `recycled: ${where}`);
        assert.deepEqual(await run(pool, "dump", []), cleanTold, `left by ${where}`);
      }
    }
    made += recycling.reduce((sum, { state }) => sum + state.instances, 0);
    for (const pool of [...recycling, once]) pool.close();
  }
  assert.equal(made, MODULES * KINDS.length, "one instance of each kind served all calls, or replaced one that could not");
  const all = MODULES * FUNCTIONS;
  assert.ok(traps > all / 50 && traps < all / 2, `${traps} of ${all} programs trap`);
});
