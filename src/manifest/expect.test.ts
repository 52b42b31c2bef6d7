import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compare, compareOutcome, MATCHERS, readPath } from "./expect.ts";
import type { Json } from "./manifest.ts";

function paths(expected: Json, actual: Json): readonly string[] {
  return compare(expected, actual).map((mismatch) => mismatch.path);
}

function value(expected: Json, actual: Json): readonly string[] {
  return paths({ out: expected }, { out: actual });
}

test("plain values are exact, at every depth", () => {
  assert.deepEqual(paths({ a: 1, b: { c: [1, "x", null] } }, { a: 1, b: { c: [1, "x", null] } }), []);
  assert.deepEqual(paths({ a: 1, b: { c: [1, "x"] } }, { a: "1", b: { c: [1, "y"] } }), ["$.a", "$.b.c[1]"]);
});

test("further and missing outputs, fields and elements fail", () => {
  assert.deepEqual(paths({ a: 1 }, { a: 1, b: 2 }), ["$.b"]);
  assert.deepEqual(paths({ a: 1, b: 2 }, { a: 1 }), ["$.b"]);
  assert.deepEqual(value({ x: 1 }, { x: 1, "odd key": 2 }), ['$.out["odd key"]']);
  assert.deepEqual(value([1, 2], [1, 2, 3]), ["$.out"]);
  assert.deepEqual(value([1, 2, 3], [1, 2]), ["$.out"]);
  assert.deepEqual(paths({}, {}), []);
});

test("a mismatch says what came and what was expected", () => {
  const [first] = compare({ out: "Hello" }, { out: "Hallo" });
  assert.equal(first?.message, '$.out: it is "Hallo", but "Hello" was expected');
  assert.equal(first.expected, "Hello");
  assert.equal(first.actual, "Hallo");
});

test("each matcher holds for what it says and fails for the rest", () => {
  const cases: readonly (readonly [Json, readonly Json[], readonly Json[]])[] = [
    [{ matches: "Hello .*" }, ["Hello Ada"], ["Say Hello Ada", 5, null]],
    [{ "at-least": 3 }, [3, 4.5, "9007199254740993"], [2, "x", null, "2"]],
    [{ "at-most": "9007199254740993" }, [3, "9007199254740993"], ["9007199254740994"]],
    [{ "at-least": 1, "at-most": 2 }, [1, 2], [0, 3]],
    [{ contains: "da" }, ["Ada"], ["Bob", 5]],
    [{ contains: ["A", "d"] }, ["Ada"], ["A"]],
    [{ contains: { id: 1 } }, [[{ id: 1 }, { id: 2 }], { id: { id: 1 } }].slice(0, 1), [[{ id: 1, more: 2 }], []]],
    [{ contains: { id: { any: true } } }, [{ id: 5, more: 1 }], [{ more: 1 }]],
    [{ contains: [{ matches: "a.*" }, "b"] }, [["b", "ab"]], [["b"], ["ab"]]],
    [{ length: 2 }, ["😀😀", [1, 2], { a: 1, b: 2 }], ["a", 2, null]],
    [{ length: { "at-least": 1 } }, ["a", [1]], ["", []]],
    [{ any: true }, [null, 0, {}], []],
    [{ exactly: { any: true } }, [{ any: true }], [5, { any: false }, { any: true, b: 1 }]],
    [{ exactly: [{ matches: "x" }] }, [[{ matches: "x" }]], [["x"]]],
  ];
  for (const [matcher, good, bad] of cases) {
    for (const one of good) assert.deepEqual(value(matcher, one), [], `${JSON.stringify(matcher)} takes ${JSON.stringify(one)}`);
    for (const one of bad)
      assert.notEqual(value(matcher, one).length, 0, `${JSON.stringify(matcher)} refuses ${JSON.stringify(one)}`);
  }
});

test("a matcher that is asked for something that is not there fails", () => {
  for (const name of Object.keys(MATCHERS))
    assert.deepEqual(paths({ a: { [name]: name === "any" ? true : "1" } }, {}), ["$.a"], name);
});

test("a mapping with any other key is a plain value", () => {
  assert.deepEqual(value({ any: true, name: "x" }, { any: true, name: "x" }), []);
  assert.deepEqual(value({ any: true, name: "x" }, "y"), ["$.out"]);
  assert.deepEqual(value({}, {}), []);
});

test("the names of output ports are never matchers", () => {
  assert.deepEqual(paths({ length: 3, any: 1 }, { length: 3, any: 1 }), []);
  assert.deepEqual(paths({ "$.error": "x" }, { error: "x" }), []);
});

test("paths lead into the outputs, and the port they enter counts as named", () => {
  const actual = { rows: [{ name: "Ada" }, { name: "Bob" }], count: 2 };
  assert.deepEqual(paths({ "$.rows[0].name": "Ada", "$.rows[-1].name": "Bob", count: 2 }, actual), []);
  assert.deepEqual(paths({ '$["rows"][1]["name"]': "Eve", count: 2 }, actual), ['$["rows"][1]["name"]']);
  assert.deepEqual(paths({ "$.rows[0].name": "Ada" }, actual), ["$.count"]);
  assert.deepEqual(paths({ "$.rows[7].name": { any: true }, count: 2 }, actual), ["$.rows[7].name"]);
  assert.deepEqual(paths({ $: { contains: { count: 2 } } }, actual), []);
  assert.equal(readPath("$.a["), undefined);
  assert.equal(readPath("rows"), undefined);
  assert.deepEqual(readPath('$.a-b[2]["x y"]'), ["a-b", 2, "x y"]);
});

test("an expected error is met by its code, by a part of its message, or by matchers", () => {
  const failed = {
    kind: "failed",
    code: "engine/trap",
    message: "the component trapped: unreachable",
    payload: { reason: "empty" },
  } as const;
  const met: readonly Json[] = ["engine/trap", "trapped", true, { any: true }, { matches: "the .* unreachable" }, { code: "engine/trap", message: "trapped" }, { payload: { reason: { contains: "emp" } } }]; // prettier-ignore
  const unmet: readonly Json[] = [
    "trap/engine",
    { matches: "trapped" },
    { code: "x" },
    { payload: { reason: "full" } },
    { payload: { any: true }, code: "y" },
    { other: 1 },
  ];
  for (const error of met) assert.deepEqual(compareOutcome({ error }, failed), [], JSON.stringify(error));
  for (const error of unmet) assert.notEqual(compareOutcome({ error }, failed).length, 0, JSON.stringify(error));
});

test("success where an error is expected, and an error where none is, are mismatches", () => {
  assert.equal(compareOutcome({ error: "x" }, { kind: "done", output: { a: 1 } })[0]?.path, "$error");
  assert.equal(
    compareOutcome({ a: 1 }, { kind: "failed", code: "c", message: "m" })[0]?.message,
    "$error: it failed: m [c]".replace("$error: ", ""),
  );
  assert.deepEqual(compareOutcome(undefined, { kind: "done", output: { a: 1 } }), []);
  assert.equal(compareOutcome(undefined, { kind: "failed", code: "c", message: "m" }).length, 1);
});

const jsons: fc.Arbitrary<Json> = fc
  .jsonValue({ depthSize: "small", noUnicodeString: false })
  .map((json): Json => JSON.parse(JSON.stringify(json)));

test("any value is exactly itself, and without matchers and paths equality is the only way to pass", () => {
  fc.assert(
    fc.property(jsons, jsons, (a, b) => {
      assert.deepEqual(value({ exactly: a }, a), []);
      const isSame = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
      assert.equal(value({ exactly: a }, b).length === 0, isSame);
    }),
  );
});

function sorted(json: Json): Json {
  if (Array.isArray(json)) return json.map(sorted);
  if (typeof json !== "object" || json === null) return Object.is(json, -0) ? 0 : json;
  return Object.fromEntries(
    Object.entries(json)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, sorted(part)]),
  );
}

test("differences without end are cut", () => {
  assert.equal(compare({}, Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`k${i}`, i]))).length, 100);
});
