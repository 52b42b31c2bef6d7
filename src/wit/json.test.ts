import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StarlaneError } from "../base/errors.ts";
import { arbitraryTyped } from "./arbitrary.ts";
import { fromJson, toJson } from "./json.ts";
import { readJson } from "./read-json.ts";
import { parseType, parseTypeBlock } from "./type-text.ts";
import type { ValType } from "./types.ts";
import { checkValue, equalValues } from "./value.ts";

function type(text: string, declarations = ""): ValType {
  const { types, problems: first } = parseTypeBlock(declarations);
  const { type: result, problems } = parseType(text, types);
  assert.deepEqual([...first, ...problems], []);
  assert.ok(result !== undefined);
  return result;
}

function mistakes(of: ValType, json: unknown): string[] {
  return readJson(of, json).mistakes.map(
    ({ path, message, cure }) => `${path}: ${message}${cure === undefined ? "" : ` (${cure})`}`,
  );
}

test("a value of any type survives JSON text exactly, and its JSON is stable", () => {
  fc.assert(
    fc.property(arbitraryTyped({ depth: 4 }), ({ type: of, value }) => {
      const json = toJson(of, value);
      const text = JSON.stringify(json);
      const back = fromJson(of, JSON.parse(text));
      assert.ok(equalValues(of, back, value), text);
      assert.deepEqual(checkValue(of, back), []);
      assert.equal(JSON.stringify(toJson(of, back)), text);
    }),
    { numRuns: 1000 },
  );
});

test("what is read back has the same form, not only the same meaning", () => {
  fc.assert(
    fc.property(arbitraryTyped(), ({ type: of, value }) => {
      const back = fromJson(of, JSON.parse(JSON.stringify(toJson(of, value))));
      assert.deepStrictEqual(back, value);
    }),
    { numRuns: 500 },
  );
});

test("every kind of type has the JSON that the table says", () => {
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ["bool", true, true],
    ["u8", 255, 255],
    ["s64", 42n, 42],
    ["s64", 2n ** 53n, "9007199254740992"],
    ["u64", 2n ** 64n - 1n, "18446744073709551615"],
    ["f64", 0.1, 0.1],
    ["f64", NaN, "NaN"],
    ["f64", -Infinity, "-Infinity"],
    ["f32", -0, "-0"],
    ["char", "\u{1f600}", "\u{1f600}"],
    ["record { first-name: string, age: option<u8> }", { firstName: "Ada", age: undefined }, { "first-name": "Ada", age: null }],
    ["tuple<u8, string>", [1, "a"], [1, "a"]],
    ["flags { read-only, hidden, old }", { readOnly: true, hidden: false, old: true }, ["read-only", "old"]],
    ["enum { red, green }", "green", "green"],
    ["variant { none, some(u8) }", { tag: "none" }, "none"],
    ["variant { none, some(u8) }", { tag: "some", val: 1 }, { some: 1 }],
    ["result<u8, string>", { tag: "ok", val: 1 }, { ok: 1 }],
    ["result<_, string>", { tag: "ok" }, "ok"],
    ["result<u8>", { tag: "err" }, "error"],
    ["option<u8>", undefined, null],
    ["option<option<u8>>", { tag: "none" }, null],
    ["option<option<u8>>", { tag: "some", val: undefined }, { some: null }],
    ["option<option<u8>>", { tag: "some", val: 3 }, { some: 3 }],
    ["list<u8>", Uint8Array.of(1, 2, 255), "AQL/"],
    ["list<u8, 2>", Uint8Array.of(1, 2), "AQI="],
    ["list<u16>", Uint16Array.of(1, 2), [1, 2]],
    ["list<u64>", BigUint64Array.of(1n, 2n ** 60n), [1, "1152921504606846976"]],
    ["list<f64>", Float64Array.of(1, NaN), [1, "NaN"]],
    ["list<string>", ["a"], ["a"]],
    ["map<string, u8>", new Map([["b", 1], ["a", 2]]), { b: 1, a: 2 }], // prettier-ignore
    ["map<string, u8>", new Map([["b", 1], ["7", 2]]), [["b", 1], ["7", 2]]], // prettier-ignore
    ["map<u8, string>", new Map([[1, "a"]]), [[1, "a"]]],
  ];
  for (const [text, value, json] of cases) {
    assert.deepEqual(toJson(type(text), value), json, text);
    assert.deepStrictEqual(fromJson(type(text), json), value, text);
  }
});

test("other forms that people write are read too", () => {
  assert.deepEqual(fromJson(type("list<u8>"), [1, 2]), Uint8Array.of(1, 2));
  assert.equal(fromJson(type("u64"), "7"), 7n);
  assert.equal(Object.is(fromJson(type("f64"), -0), -0), true);
  assert.deepEqual(fromJson(type("map<string, u8>"), [["a", 1]]), new Map([["a", 1]]));
  assert.deepEqual(fromJson(type("record { a: option<u8>, b: option<option<u8>> }"), {}), { a: undefined, b: { tag: "none" } });
  assert.equal(fromJson(type("f32"), 0.1), Math.fround(0.1));
});

test("a map with the key __proto__ stays a map with that key, and changes no prototype", () => {
  const map = type("map<string, u8>");
  const json = JSON.parse('{"__proto__": 1, "constructor": 2}');
  const value = fromJson(map, json);
  assert.deepEqual(value, new Map([["__proto__", 1], ["constructor", 2]])); // prettier-ignore
  assert.equal(JSON.stringify(toJson(map, value)), '{"__proto__":1,"constructor":2}');
  assert.equal(Object.getPrototypeOf(toJson(map, value)), Object.prototype);
});

test("names that every object inherits are no fields", () => {
  const record = type("record { constructor: option<string>, to-string: string }");
  assert.deepEqual(mistakes(record, {}), ["$.to-string: the field is missing"]);
  assert.deepEqual(mistakes(record, JSON.parse('{"__proto__": 1, "to-string": "x"}')), [
    '$.__proto__: there is no field of that name (Use one of "constructor", "to-string".)',
  ]);
  assert.throws(() => toJson(record, {}), /the field is missing/);
  assert.deepEqual(toJson(record, { toString: "x" }), { constructor: null, "to-string": "x" });
});

test("every mistake of a value is reported, with its path and what was probably meant", () => {
  const order = type(
    "record { id: u32, items: list<item>, state: state }",
    "record item { name: string, count: u8 } enum state { open, closed }",
  );
  assert.deepEqual(
    mistakes(order, { id: -1, items: [{ name: "a", count: 1 }, { nmae: 3, count: 256 }, 7], state: "opne", extra: 1 }),
    [
      '$.extra: there is no field of that name (Use one of "id", "items", "state".)',
      "$.id: expected a whole number from 0 to 4294967295, got -1",
      '$.items[1].nmae: there is no field of that name (Did you mean "name"?)',
      "$.items[1].count: expected a whole number from 0 to 255, got 256",
      '$.items[2]: expected an object with "name", "count", got 7',
      '$.state: expected one of "open", "closed", got "opne" (Did you mean "open"?)',
    ],
  );
});

test("values that only look right are refused", () => {
  const refused: readonly (readonly [string, unknown, string])[] = [
    ["u8", 1.5, "$: expected a whole number from 0 to 255, got 1.5"],
    ["u8", "3", '$: expected a whole number from 0 to 255, got "3" (Write it without quotes.)'],
    ["u8", true, "$: expected a whole number from 0 to 255, got true"],
    ["s64", 2 ** 53, '$: the number 9007199254740992 is beyond ±9007199254740991, where JSON numbers are not exact (Write it as text: "9007199254740992".)'],
    ["u64", "-1", '$: expected a whole number from 0 to 18446744073709551615 (as a number or a decimal text), got "-1"'],
    ["u64", "0x10", '$: expected a whole number from 0 to 18446744073709551615 (as a number or a decimal text), got "0x10"'],
    ["f32", 1e300, "$: the number 1e+300 is too large for an f32"],
    ["f64", "1", '$: expected a number, or one of "NaN", "Infinity", "-Infinity", "-0", got "1"'],
    ["f64", null, "$: expected a number, got null"],
    ["char", "ab", '$: expected a text of one character, got "ab"'],
    ["char", "\ud800", '$: expected a text of one character, got "\\ud800"'],
    ["string", "a\udc00", "$: the text has a surrogate without its other half, which no WIT string can hold"],
    ["string", 3, "$: expected a text, got 3"],
    ["bool", "true", '$: expected true or false, got "true"'],
    ["list<u8>", "§", '$: expected base64 text (or a list of bytes), got "§"'],
    ["list<u8, 2>", "AQ==", "$: expected exactly 2 elements, got 1"],
    ["list<u16>", "AQ==", '$: expected a list, got "AQ=="'],
    ["tuple<u8, u8>", [1], "$: expected a list of exactly 2, got a list of 1"],
    ["flags { a, b }", ["a", "a"], '$[1]: "a" is there twice'],
    ["variant { a, b(u8) }", { a: null }, '$: the case "a" has no payload (Write it as the text "a".)'],
    ["variant { a, b(u8) }", "b", '$: the case "b" needs its payload (Write it as {"b": …}.)'],
    ["variant { a, b(u8) }", { a: 1, b: 2 }, '$: expected a text or an object with one key, out of "a", "b", got an object with a, b'],
    ["option<option<u8>>", 3, '$: expected null or {"some": …}, got 3'],
    ["map<u8, u8>", [[1, 1], [1, 2]], "$[1]: the key is there twice"],
    ["map<u8, u8>", { 1: 2 }, "$: expected a list of [key, value] pairs, got an object with 1"],
  ]; // prettier-ignore
  for (const [text, json, message] of refused) assert.deepEqual(mistakes(type(text), json), [message], text);
});

test("the number of mistakes that are kept is bounded, and the error has them all as data", () => {
  const list = type("list<u8>");
  assert.throws(
    () =>
      fromJson(
        list,
        Array.from({ length: 100_000 }, () => -1),
        { path: "--data" },
      ),
    (error) => {
      assert.ok(error instanceof StarlaneError);
      assert.equal(error.code, "wit/bad-value");
      assert.equal(error.at, "--data[0]");
      assert.equal(error.data?.["mistakes"] instanceof Array && error.data["mistakes"].length, 50);
      return true;
    },
  );
});

test("a value that is not of its type is never written", () => {
  assert.throws(() => toJson(type("string"), "\ud800"), { code: "wit/bad-value" });
  assert.throws(() => toJson(type("u8"), 256), { code: "wit/bad-value" });
  assert.throws(() => toJson(type("s64"), 1), { code: "wit/bad-value" });
});

test("handles and streams have no JSON form and say so", () => {
  assert.throws(() => fromJson(type("stream<u8>"), []), {
    code: "wit/no-json-form",
    message: "a stream<u8> has no form in JSON",
  });
  assert.throws(() => toJson({ kind: "own", resource: { kind: "resource", name: "file" } }, {}), { code: "wit/no-json-form" });
});

test("ten megabytes of bytes go both ways as base64", () => {
  const bytes = new Uint8Array(10_000_000).map((_, i) => i);
  const json = toJson(type("list<u8>"), bytes);
  assert.ok(equalValues(type("list<u8>"), fromJson(type("list<u8>"), json), bytes));
});
