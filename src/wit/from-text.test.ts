import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryTyped } from "./arbitrary.ts";
import { describeJson } from "./describe-json.ts";
import { fromText } from "./from-text.ts";
import { toJson } from "./json.ts";
import { parseType } from "./type-text.ts";
import type { ValType } from "./types.ts";
import { equalValues } from "./value.ts";

function type(text: string): ValType {
  const result = parseType(text).type;
  assert.ok(result !== undefined, text);
  return result;
}

test("what people type on a command line is read by type", () => {
  const cases: readonly (readonly [string, string, unknown])[] = [
    ["string", "Ada", "Ada"],
    ["string", ' "quoted" ', ' "quoted" '],
    ["string", "null", "null"],
    ["option<string>", "null", "null"],
    ["option<u8>", "null", undefined],
    ["option<u8>", "7", 7],
    ["u32", "3", 3],
    ["s8", " -3 ", -3],
    ["u64", "18446744073709551615", 2n ** 64n - 1n],
    ["f64", "1e3", 1000],
    ["f64", ".5", 0.5],
    ["f64", "-Infinity", -Infinity],
    ["bool", "true", true],
    ["char", " ", " "],
    ["enum { red, green }", "red", "red"],
    ["enum { red, green }", '"red"', "red"],
    ["flags { a, b, c }", "a,c", { a: true, b: false, c: true }],
    ["flags { a, b, c }", "", { a: false, b: false, c: false }],
    ["flags { a, b, c }", '["b"]', { a: false, b: true, c: false }],
    ["variant { a, b(u8) }", "a", { tag: "a" }],
    ["variant { a, b(u8) }", '{"b": 3}', { tag: "b", val: 3 }],
    ["result<u8>", "error", { tag: "err" }],
    ["list<u8>", "AQI=", Uint8Array.of(1, 2)],
    ["list<u8>", "[1, 2]", Uint8Array.of(1, 2)],
    ["list<string>", '["a"]', ["a"]],
    ["record { name: string }", '{"name": "Ada"}', { name: "Ada" }],
  ];
  for (const [text, typed, value] of cases) assert.deepStrictEqual(fromText(type(text), typed), value, `${text}: ${typed}`);
});

test("the JSON text of a compound value is always read", () => {
  fc.assert(
    fc.property(arbitraryTyped(), ({ type: of, value }) => {
      if (["string", "char", "option"].includes(of.kind)) return;
      assert.ok(equalValues(of, fromText(of, textOf(toJson(of, value))), value));
    }),
  );
});

/** As a person would type it: numbers that are texts in JSON without quotes. */
function textOf(json: unknown): string {
  return typeof json === "string" ? json : JSON.stringify(json);
}

test("a text that does not fit says what would", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["u8", "300", "expected a whole number from 0 to 255, got 300"],
    ["u8", "three", 'expected a whole number from 0 to 255, got "three"'],
    ["u8", "", 'expected a whole number from 0 to 255, got ""'],
    ["f64", "1,5", 'expected a number, or one of "NaN", "Infinity", "-Infinity", "-0", got "1,5"'],
    ["bool", "yes", 'expected true or false, got "yes"'],
    ["enum { red, green }", "gren", 'expected one of "red", "green", got "gren"'],
    ["flags { a, b }", "a,x", 'expected one of "a", "b", got "x"'],
    ["list<string>", "a,b", 'expected JSON, got "a,b"'],
  ];
  for (const [text, typed, message] of cases) {
    assert.throws(() => fromText(type(text), typed, { path: "--x" }), { code: "wit/bad-value", message }, text);
  }
  assert.throws(() => fromText(type("record { name: string, size: option<u8> }"), "Ada", { path: "--x" }), {
    at: "--x",
    cure: 'Write { "name": text, "size": 0 to 255 or null }.',
  });
});

test("the JSON of a type is described in one short line", () => {
  assert.equal(describeJson(type("list<tuple<string, f64>>")), "[[text, number], …]");
  assert.equal(describeJson(type("variant { a, b(bool) }")), '"a" or { "b": true or false }');
  assert.equal(describeJson(type("map<string, list<u8>>")), "{ text: base64 text, … }");
  assert.equal(describeJson(type("enum { a, b }")), '"a" or "b"');
  let endless: ValType = { kind: "u8" };
  for (let i = 0; i < 90; i++) endless = { kind: "tuple", types: [endless, endless] };
  assert.ok(describeJson(endless).length < 2000);
});
