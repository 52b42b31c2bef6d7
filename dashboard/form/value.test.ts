import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryTyped } from "../../src/wit/arbitrary.ts";
import { jsonSchema } from "../../src/wit/json-schema.ts";
import { toJson } from "../../src/wit/json.ts";
import { readJson } from "../../src/wit/read-json.ts";
import { parseType } from "../../src/wit/type-text.ts";
import type { ValType } from "../../src/wit/types.ts";
import { draftOf, type Draft, type Mistake } from "./draft.ts";
import { shapeOf, type Shape } from "./shape.ts";
import { valueOf, valueOfText } from "./value.ts";

function wit(text: string): ValType {
  const { type, problems } = parseType(text);
  assert.ok(type, JSON.stringify(problems));
  return type;
}

function shape(text: string): Shape {
  return shapeOf(jsonSchema(wit(text)));
}

const text = (value: string): Draft => ({ kind: "text", text: value });

test("each type has a form of its own", () => {
  const kinds: readonly (readonly [string, Shape["kind"]])[] = [
    ["bool", "boolean"],
    ["u8", "integer"],
    ["s64", "integer"],
    ["f32", "float"],
    ["char", "text"],
    ["string", "text"],
    ["enum { a, b }", "enum"],
    ["flags { a, b }", "flags"],
    ["record { a: u8 }", "record"],
    ["tuple<u8, string>", "tuple"],
    ["list<string>", "list"],
    ["list<u8>", "bytes"],
    ["list<u8, 4>", "bytes"],
    ["list<u16, 4>", "list"],
    ["map<string, u8>", "map"],
    ["map<u8, string>", "list"],
    ["option<u8>", "option"],
    ["option<option<u8>>", "option"],
    ["variant { a, b(u8), c(string) }", "variant"],
    ["result<u8, string>", "variant"],
    ["result", "enum"],
    ["list<u16, 4000>", "raw"],
  ];
  for (const [type, kind] of kinds) assert.equal(shape(type).kind, kind, type);
});

test("a form that starts with the JSON of a value gives that value again", () => {
  fc.assert(
    fc.property(arbitraryTyped({ depth: 3 }), ({ type, value }) => {
      const json = toJson(type, value);
      const form = shapeOf(jsonSchema(type));
      const mistakes: Mistake[] = [];
      const again = valueOf(form, draftOf(form, json, "", mistakes), "", mistakes);
      assert.deepEqual(mistakes, []);
      assert.deepEqual(toJson(type, readJson(type, again).value), json);
      // People may write the same as JSON themselves.
      assert.deepEqual(valueOfText(form, JSON.stringify(json), "", mistakes), again);
      assert.deepEqual(mistakes, []);
    }),
    { numRuns: 500 },
  );
});

test("an untouched form gives a value of the type, or says what is missing", () => {
  fc.assert(
    fc.property(arbitraryTyped({ depth: 3 }), ({ type }) => {
      const form = shapeOf(jsonSchema(type));
      const mistakes: Mistake[] = [];
      const json = valueOf(form, draftOf(form, undefined), "", mistakes);
      // A char has no empty value, a fixed list of bytes no short one, and what is too large for a form starts as nothing.
      if (mistakes.length === 0 && form.kind !== "raw") assert.deepEqual(readJson(type, json).mistakes, []);
    }),
    { numRuns: 300 },
  );
});

test("what stands in a field becomes JSON, or a mistake that says what is expected", () => {
  const rows: readonly (readonly [string, Draft, unknown])[] = [
    ["u8", text(" 7 "), 7],
    ["u8", text("256"), "expected a whole number from 0 to 255"],
    ["u8", text(""), "expected a whole number from 0 to 255"],
    ["s8", text("1.5"), "expected a whole number from -128 to 127"],
    ["u64", text("18446744073709551615"), "18446744073709551615"],
    ["u64", text("-1"), "expected a whole number of at least 0"],
    ["s64", text("-9007199254740993"), "-9007199254740993"],
    ["f64", text("1e3"), 1000],
    ["f64", text("-Infinity"), "-Infinity"],
    ["f64", text("many"), "expected a number, or NaN, Infinity, -Infinity"],
    ["char", text("\u{1f600}"), "\u{1f600}"],
    ["char", text("ab"), "expected exactly 1 character"],
    ["bool", { kind: "switch", isOn: true }, true],
    ["option<u8>", { kind: "option", isGiven: false, inner: text("never looked at") }, null],
    ["list<u8>", { kind: "bytes", as: "text", text: "é" }, "w6k="],
    ["list<u8>", { kind: "bytes", as: "base64", text: "w6k=" }, "w6k="],
    ["list<u8>", { kind: "bytes", as: "base64", text: "%" }, "this is not base64"],
    ["list<u8, 4>", { kind: "bytes", as: "text", text: "abc" }, "expected exactly 4 bytes, there are 3"],
    ["list<u8>", { kind: "file", name: "a.bin", base64: "AAE=", size: 2 }, "AAE="],
    ["variant { a, b(u8) }", { kind: "case", name: "b", inner: text("3") }, { b: 3 }],
    ["variant { a, b(u8) }", { kind: "case", name: "a", inner: undefined }, "a"],
    ["flags { a, b }", { kind: "labels", on: ["b"] }, ["b"]],
  ];
  for (const [type, draft, expected] of rows) {
    const mistakes: Mistake[] = [];
    const json = valueOf(shape(type), draft, "p", mistakes);
    assert.deepEqual(mistakes[0]?.message ?? json, expected, `${type} ${JSON.stringify(draft)}`);
  }
});

test("mistakes have the place of their field", () => {
  const form = shape("record { lines: list<record { sku: string, count: u8 }>, note: option<string> }");
  const draft = draftOf(form, {
    lines: [
      { sku: "a", count: 1 },
      { sku: "b", count: 700 },
    ],
  });
  const mistakes: Mistake[] = [];
  valueOf(form, draft, "order", mistakes);
  assert.deepEqual(
    mistakes.map(({ path }) => path),
    ["order.lines[1].count"],
  );
});

test("JSON that people write is held against the type, and integers stay exact", () => {
  const mistakes: Mistake[] = [];
  assert.deepEqual(valueOfText(shape("list<u64>"), "[18446744073709551615, 1]", "p", mistakes), ["18446744073709551615", 1]);
  assert.deepEqual(mistakes, []);
  for (const [type, wrong, message] of [
    ["u8", "{", /^not JSON: /],
    ["u8", '["a"]', /^expected a number/],
    ["record { a: u8 }", '{ "b": 1 }', /no field of that name/],
    ["list<string>", "[1]", /^expected a text/],
    ["variant { a, b(u8) }", '"b"', /^expected one of a, b/],
    ["enum { a, b }", '"c"', /^expected one of a, b/],
  ] as const) {
    const found: Mistake[] = [];
    valueOfText(shape(type), wrong, "p", found);
    assert.match(found[0]?.message ?? "", message, `${type} ${wrong}`);
  }
});

test("a map keeps the order of its keys, and a key that is there twice is a mistake", () => {
  const form = shape("map<string, u8>");
  const rows = (...keys: readonly string[]): Draft => ({
    kind: "rows",
    rows: keys.map((key, id) => ({ id, key, draft: text("1") })),
  });
  assert.deepEqual(valueOf(form, rows("b", "a")), { b: 1, a: 1 });
  assert.deepEqual(valueOf(form, rows("b", "7")), [
    ["b", 1],
    ["7", 1],
  ]);
  const mistakes: Mistake[] = [];
  valueOf(form, rows("a", "a"), "p", mistakes);
  assert.deepEqual(mistakes, [{ path: "p[1]", message: 'the key "a" is there twice' }]);
});

test("schemas that are hostile or unknown become raw JSON in bounded time", () => {
  const endless = { $ref: "#/$defs/a", $defs: { a: { anyOf: [{ type: "null" }, { $ref: "#/$defs/a" }] } } };
  assert.deepEqual(shapeOf(endless), { kind: "raw" });
  const wide = { type: "object", properties: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, {}])) };
  assert.deepEqual(shapeOf(wide), { kind: "raw" });
  for (const schema of [{}, { type: "what" }, { anyOf: [] }, { anyOf: [{ type: "array" }, { type: "string" }, {}] }]) {
    assert.deepEqual(shapeOf(schema), { kind: "raw" });
  }
  const mistakes: Mistake[] = [];
  assert.deepEqual(valueOf({ kind: "raw" }, text('{ "a": [1] }'), "p", mistakes), { a: [1] });
  assert.deepEqual(mistakes, []);
});
