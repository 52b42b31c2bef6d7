// Random flows: whatever their nodes' timing, they give what the same flow gives when every node is synchronous.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { virtualClock } from "../base/clock.ts";
import { FlowError } from "./failure.ts";
import type { Invoke } from "./flow.ts";
import { runFlow } from "./run.ts";
import { flowBody, invokeSample, operationsOf, planBody, SAMPLE, transaction } from "./sample.ts";

interface RandomNode {
  readonly operation: "length" | "words" | "half" | "merge";
  /** Which earlier values feed it. */
  readonly sources: readonly number[];
  readonly fallback: boolean;
  readonly caught: boolean;
  readonly delayMs: number;
}

const node: fc.Arbitrary<RandomNode> = fc.record({
  operation: fc.constantFrom("length", "words", "half", "half", "merge"),
  sources: fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
  fallback: fc.boolean(),
  caught: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  delayMs: fc.nat(50),
});

/** A flow over u32: `half` fails for odd numbers, `merge` chooses, `length` and `words` hand on by way of texts. */
function textOf(nodes: readonly RandomNode[]): string {
  const lines: string[] = [];
  const used = new Set<number>();
  const source = (i: number, pick: number, isFallback: boolean): string => {
    const from = pick % (i + 1);
    if (from === 0) return "<>.num";
    used.add(from - 1);
    return isFallback ? `n${from - 1} ?? ${pick}` : `n${from - 1}`;
  };
  for (const [i, { operation, sources, fallback, caught }] of nodes.entries()) {
    const [first = 0, second = 0] = sources;
    if (operation === "merge") for (const pick of sources) lines.push(`${source(i, pick, fallback)} -> core::merge[n${i}]`);
    else if (operation === "half") lines.push(`${source(i, first, fallback)} -> math::half[n${i}]`);
    else {
      lines.push(`${source(i, first, fallback)} -> num::add[n${i}].a`);
      lines.push(`${source(i, second, false)} -> n${i}.b`);
    }
    if (caught && operation !== "merge") lines.push(`n${i}! -> <>.error${i}`);
  }
  for (const [i, { fallback }] of nodes.entries())
    if (!used.has(i) || i % 3 === 0) lines.push(`n${i}${fallback ? " ?? 5" : ""} -> <>.out${i}`);
  lines.push("<>.num -> <>.same");
  return flowBody(...lines);
}

const invokeNumbers: Invoke = (target, args, inner) => {
  if (target.component === "num") return (Number(args[0]) + Number(args[1])) >>> 1;
  return invokeSample(target, args, inner);
};

async function outcomeOf(run: () => unknown): Promise<unknown> {
  try {
    return { result: await run() };
  } catch (error) {
    assert(error instanceof FlowError);
    return error.code === "flow/no-value" ? error.message.slice(0, 30) : "failed";
  }
}

test("a random flow gives the same outputs with synchronous nodes and with nodes that take random times", async () => {
  const operations = operationsOf({
    ...SAMPLE,
    "num::add": {
      signature: {
        params: ["a", "b"].map((name) => ({ name, type: { kind: "u32" }, optional: false })),
        result: { kind: "u32" },
        async: false,
      },
      run: () => 0,
    },
  });
  await fc.assert(
    fc.asyncProperty(fc.array(node, { minLength: 1, maxLength: 12 }), fc.nat(64), async (nodes, num) => {
      const plan = planBody(`input: { num: u32 }\n${textOf(nodes)}`, operations);
      const clock = virtualClock(0);
      const delays = new Map(nodes.map(({ delayMs }, i) => [`test/n${i}`, delayMs]));
      const invokeLater: Invoke = async (target, args, inner) => {
        await inner.clock.sleep(delays.get(target.path) ?? 0, inner.signal);
        return invokeNumbers(target, args, inner);
      };
      const mixed: Invoke = (target, args, inner) =>
        ((delays.get(target.path) ?? 0) % 2 === 0 ? invokeNumbers : invokeLater)(target, args, inner);
      const now = await outcomeOf(() => runFlow(plan, [num], transaction(), invokeNumbers));
      const observed = await outcomeOf(() => runFlow(plan, [num], transaction({ observe: () => {} }), invokeNumbers));
      const later = await outcomeOf(() => runFlow(plan, [num], transaction({ clock }), invokeLater));
      const both = await outcomeOf(() => runFlow(plan, [num], transaction({ clock: virtualClock(0) }), mixed));
      assert.deepEqual(observed, now);
      assert.deepEqual(later, now);
      assert.deepEqual(both, now);
    }),
    { numRuns: 150 },
  );
});
