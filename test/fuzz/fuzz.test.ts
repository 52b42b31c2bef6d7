// A short run of every fuzz target with a fixed seed; `main.ts` runs them for longer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { caseSeed, Random } from "./random.ts";
import { runSession } from "./session.ts";
import { loadTarget, TARGET_NAMES } from "./targets.ts";

const SEED = 2;

/** How many cases, and what must have happened in some of them for the run to have meant anything. */
const RUNS: Readonly<Record<string, { readonly cases: number; readonly reached: readonly string[] }>> = {
  decode: { cases: 150, reached: ["decoded", "valid", "instantiated", "call answered", "call: engine/trap"] },
  values: { cases: 10, reached: ["lower: value", "lift: value", "lift: trap", "pass: value", "pass: trap"] },
  text: { cases: 500, reached: ["flow: good", "run: answered", "json: read", "pattern: good", "type text: good"] },
  rewrite: {
    cases: 120,
    reached: ["valid", "invalid", "fresh", "put back", "call: value", "call: trap", "call: stopped", "call: exception"],
  },
  calls: { cases: 25, reached: ["answered"] },
};

/** Runs cases in this process; whatever one throws is what it found. */
async function runHere(name: string, cases: number): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const run = await (await loadTarget(name)).prepare(true);
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  for (let i = 0; i < cases; i++) await run(caseSeed(SEED, i), { stage: () => undefined, sample: () => undefined, count });
  return counts;
}

/** In a process of its own, which can be stopped where guest code does not come to an end. */
async function runAside(name: string, cases: number): Promise<ReadonlyMap<string, number>> {
  const { done, counts, findings } = await runSession({ target: name, seed: SEED, cases, small: true });
  assert.deepEqual(findings, []);
  assert.equal(done, cases);
  return counts;
}

for (const name of TARGET_NAMES) {
  test(`a short run of ${name} finds nothing`, async () => {
    const { cases, reached } = RUNS[name] ?? { cases: 0, reached: [] };
    const counts = await (name === "decode" || name === "rewrite" ? runAside : runHere)(name, cases);
    assert.deepEqual(
      reached.filter((what) => !counts.has(what)),
      [],
    );
  });
}

test("the same seed makes the same choices", () => {
  const [a, b] = [new Random(7), new Random(7)];
  assert.deepEqual(
    Array.from({ length: 50 }, () => a.below(1000)),
    Array.from({ length: 50 }, () => b.below(1000)),
  );
});
