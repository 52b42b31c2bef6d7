import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryType, arbitraryTyped, arbitraryValue } from "./arbitrary.ts";
import { parseType } from "./type-text.ts";
import type { ValType } from "./types.ts";
import { checkValue, equalValues } from "./value.ts";

function type(text: string): ValType {
  const result = parseType(text).type;
  assert.ok(result !== undefined, text);
  return result;
}

function mistakes(text: string, value: unknown): string[] {
  return checkValue(type(text), value).map(({ path, message }) => `${path}: ${message}`);
}

test("every value that is made for a type is of that type", () => {
  fc.assert(fc.property(arbitraryTyped(), ({ type: of, value }) => assert.deepEqual(checkValue(of, value), [])));
});

test("a value of another type is found out, wherever its JSON form differs", () => {
  fc.assert(
    fc.property(
      arbitraryType(),
      fc.constantFrom(Symbol("no"), () => 1),
      (of, bad) => {
        assert.notDeepEqual(checkValue({ kind: "record", fields: [{ name: "x", type: of }] }, { x: bad }), []);
      },
    ),
  );
});

test("mistakes of a host's answer come with the places of its properties", () => {
  const record = "record { first-name: string, tags: list<string>, size: option<u64>, at: variant { now, then(u32) } }";
  assert.deepEqual(mistakes(record, { firstName: "a", tags: ["b"], at: { tag: "now" }, more: 1 }), []);
  assert.deepEqual(mistakes(record, { firstName: 1, tags: ["b", 2], size: 3, at: { tag: "then", val: -1 } }), [
    "$.firstName: expected a string, got 1",
    "$.tags[1]: expected a string, got 2",
    "$.size: expected a bigint from 0 to 18446744073709551615, got 3",
    "$.at.val: expected an integer from 0 to 4294967295, got -1",
  ]);
  assert.deepEqual(mistakes(record, {}), [
    "$.firstName: the field is missing",
    "$.tags: the field is missing",
    "$.at: the field is missing",
  ]);
  assert.deepEqual(mistakes("variant { a, b }", { tag: "a", val: 1 }), ['$.val: the case "a" has no payload, got 1']);
  assert.deepEqual(mistakes("variant { a, b }", { tag: "toString" }), ['$.tag: expected one of "a", "b", got "toString"']);
});

test("any list that can be read twice will do, but no text and no generator", () => {
  assert.deepEqual(mistakes("list<u16>", new Set([1, 2])), []);
  assert.deepEqual(mistakes("list<u16>", Uint8Array.of(1)), []);
  assert.deepEqual(mistakes("list<string>", "abc"), ['$: expected an array, got "abc"']);
  assert.deepEqual(mistakes("list<u8>", [1, 2][Symbol.iterator]()), ["$: expected an array, got an empty object"]);
  assert.deepEqual(mistakes("list<u8, 3>", [1, 2]), ["$: expected a list of exactly 3, got a list of 2"]);
});

test("equality is what a component could tell apart", () => {
  assert.equal(equalValues(type("f64"), NaN, NaN), true);
  assert.equal(equalValues(type("f64"), 0, -0), false);
  assert.equal(equalValues(type("f32"), 0.1, Math.fround(0.1)), true);
  assert.equal(equalValues(type("list<u8>"), Uint8Array.of(1), [1]), true);
  assert.equal(equalValues(type("list<u8>"), [1], [1, 2]), false);
  assert.equal(equalValues(type("list<u8>"), [1, 2], [1]), false);
  assert.equal(equalValues(type("flags { a }"), {}, { a: false }), true);
  assert.equal(equalValues(type("map<u8, u8>"), new Map([[1, 1], [2, 2]]), new Map([[2, 2], [1, 1]])), false); // prettier-ignore
  assert.equal(equalValues(type("result"), { tag: "ok" }, { tag: "ok", val: undefined }), true);
  assert.equal(equalValues(type("option<u8>"), undefined, 0), false);
});

test("equality is reflexive, and holds between copies", () => {
  fc.assert(
    fc.property(arbitraryTyped(), ({ type: of, value }) => {
      assert.equal(equalValues(of, value, value), true);
      assert.equal(equalValues(of, value, structuredClone(value)), true);
    }),
  );
});

test("equality and the deep equality of JavaScript agree on values of the lifted form", () => {
  const pair = arbitraryType().chain((of) => fc.tuple(fc.constant(of), arbitraryValue(of), arbitraryValue(of)));
  fc.assert(
    fc.property(pair, ([of, a, b]) => {
      const deep = (() => {
        try {
          assert.deepStrictEqual(a, b);
          return true;
        } catch {
          return false;
        }
      })();
      if (equalValues(of, a, b)) assert.equal(deep, true);
    }),
  );
});
