// The assertions of the browser runs say what Node's say: otherwise a test could pass in one place and mean nothing in the other.

import nodeAssert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import assert from "./node/assert.ts";
import { isDeepStrictEqual as isEqualInBrowsers } from "./node/deep-equal.ts";

const anything = fc.anything({
  key: fc.constantFrom("a", "b", "__proto__"),
  values: [fc.constantFrom<unknown>(0, -0, 1, NaN, "", "a", true, undefined, null, 1n)],
  maxDepth: 3,
  maxKeys: 3,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

test("deep equality is Node's, for equal values and for others", () => {
  const pairs = fc.oneof(fc.clone(anything, 2), fc.tuple(anything, anything));
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(pairs, ([a, b]) => {
      const wanted = isDeepStrictEqual(a, b);
      seen[`${wanted}`]++;
      nodeAssert.equal(isEqualInBrowsers(a, b), wanted);
    }),
    { numRuns: 3000 },
  );
  nodeAssert.ok(seen.true > 500 && seen.false > 500, JSON.stringify(seen));
});

class Left {
  readonly x = 1;
}
class Right {
  readonly x = 1;
}
const cycle = (name: string): unknown => {
  const value: Record<string, unknown> = { name };
  value["self"] = value;
  return value;
};
const failure = (message: string, cause?: unknown): Error => new Error(message, cause === undefined ? {} : { cause });

const PAIRS: readonly (readonly [unknown, unknown])[] = [
  [new Left(), new Left()],
  [new Left(), new Right()],
  [new Left(), { x: 1 }],
  [cycle("a"), cycle("a")],
  [cycle("a"), cycle("b")],
  [failure("a"), failure("a")],
  [failure("a"), failure("b")],
  [failure("a"), new TypeError("a")],
  [failure("a", 1), failure("a", 1)],
  [failure("a", 1), failure("a", 2)],
  [Object.assign(failure("a"), { code: 1 }), Object.assign(failure("a"), { code: 2 })],
  [new AggregateError([1]), new AggregateError([2])],
  [/a/g, /a/g],
  [/a/g, /a/i],
  [new Map([[{ a: 1 }, [1]]]), new Map([[{ a: 1 }, [1]]])],
  [new Map([[{ a: 1 }, [1]]]), new Map([[{ a: 1 }, [2]]])],
  [new Set([[1], [2]]), new Set([[2], [1]])],
  [new Set([[1], [1]]), new Set([[1], [2]])],
  [new Set([undefined]), new Set([{}])],
  [Uint8Array.of(1).buffer, Uint8Array.of(1).buffer],
  [Uint8Array.of(1).buffer, Uint8Array.of(2).buffer],
  [new DataView(Uint8Array.of(1).buffer), new DataView(Uint8Array.of(1).buffer)],
  [Float32Array.of(-0), Float32Array.of(0)],
  [Uint8Array.of(1, 2).subarray(1), Uint8Array.of(2)],
  [{ [Symbol.iterator]: 1 }, { [Symbol.iterator]: 2 }],
  [{ a: undefined }, {}],
  [[undefined], Array(1)],
  [new URL("http://a/"), new URL("http://a/")],
  [new URL("http://a/"), new URL("http://b/")],
  [new WeakMap(), new WeakMap()],
  [new Date(NaN), new Date(NaN)],
  [() => 1, () => 1],
];

test("deep equality is Node's for classes, cycles, errors, patterns, buffers, symbols and holes", () => {
  for (const [a, b] of PAIRS) {
    nodeAssert.equal(isEqualInBrowsers(a, b), isDeepStrictEqual(a, b));
    nodeAssert.equal(isEqualInBrowsers(b, a), isDeepStrictEqual(b, a));
  }
});

const boom = Object.assign(new TypeError("boom"), { code: "test/boom", data: { n: [1] } });
const throwing = (): never => {
  throw boom;
};
const throwingText = (): never => {
  throw "boom";
};

/** Its messages may be left out, which the type of Node's assertions says too. */
type Assertions = typeof nodeAssert;
const IN_BROWSERS = assert as unknown as Assertions;

/** Calls that pass, calls that fail an assertion, and calls that let another error through. */
const CALLS: readonly ((on: Assertions) => unknown)[] = [
  (on) => on(1),
  (on) => on(0),
  (on) => on.ok(""),
  (on) => on.ok("", new RangeError("mine")),
  (on) => on.equal(NaN, NaN),
  (on) => on.equal(0, -0),
  (on) => on.equal("1", 1, "not loose"),
  (on) => on.notEqual(1, 1),
  (on) => on.notEqual(1, 2),
  (on) => on.deepEqual([1], [1]),
  (on) => on.deepEqual([1], ["1"]),
  (on) => on.notDeepEqual([1], [1]),
  (on) => on.match("abc", /b/),
  (on) => on.match("abc", /x/),
  (on) => on.doesNotMatch("abc", /b/),
  (on) => on.fail("why"),
  (on) => on.fail(boom),
  (on) => on.throws(() => undefined),
  (on) => on.throws(() => undefined, /x/, "told"),
  (on) => on.throws(throwing),
  (on) => on.throws(throwing, /boom/),
  (on) => on.throws(throwing, /bang/),
  (on) => on.throws(throwing, TypeError),
  (on) => on.throws(throwing, RangeError),
  (on) => on.throws(throwing, Left),
  (on) => on.throws(throwing, (error: unknown) => error === boom),
  (on) => on.throws(throwing, () => false),
  (on) => on.throws(throwing, { code: "test/boom", message: /^bo/ }),
  (on) => on.throws(throwing, { code: "test/boom", data: { n: [1] } }),
  (on) => on.throws(throwing, { data: { n: [2] } }),
  (on) => on.throws(throwing, { missing: undefined }),
  (on) => on.throws(throwing, new TypeError("boom")),
  (on) => on.throws(throwing, new TypeError("bang")),
  (on) => on.throws(throwing, "a message"),
  (on) => on.throws(throwingText, /boom/),
  (on) => on.rejects(Promise.reject(boom), { code: "test/boom" }),
  (on) => on.rejects(Promise.reject(boom), { code: "test/bang" }),
  (on) => on.rejects(async () => throwing(), TypeError),
  (on) => on.rejects(async () => throwing(), RangeError),
  (on) => on.rejects(throwing),
  (on) => on.rejects(Promise.resolve(1)),
];

async function outcomeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "passes";
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    return error.name === "AssertionError" ? "fails" : `${error.name}: ${error.message}`;
  }
}

test("each assertion passes, fails, or lets an error through where Node's does", async () => {
  const outcomes = new Set<string>();
  for (const call of CALLS) {
    const wanted = await outcomeOf(() => call(nodeAssert));
    outcomes.add(wanted);
    nodeAssert.equal(await outcomeOf(() => call(IN_BROWSERS)), wanted, String(call));
  }
  nodeAssert.deepEqual([...outcomes].toSorted(), [
    "RangeError: mine",
    "TypeError: Class constructor Left cannot be invoked without 'new'",
    "TypeError: boom",
    "fails",
    "passes",
  ]);
});

test("the message of a failed comparison shows both values", () => {
  const shown = { n: 1n, list: [-0, undefined], bytes: Uint8Array.of(7), at: new Map([["k", new Left()]]) };
  nodeAssert.throws(
    () => assert.deepEqual(shown, "x"),
    /actual: +\{ n: 1n, list: \[-0, undefined\], bytes: Uint8Array\[7\], at: Map\{\["k", Left \{ x: 1 \}\]\} \}\nexpected: "x"/,
  );
});
