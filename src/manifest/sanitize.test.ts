import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryType, arbitraryValue } from "../wit/arbitrary.ts";
import { parseType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import { checkValue, equalValues } from "../wit/value.ts";
import type { InputPort, Json, SanitizationRules } from "./manifest.ts";
import { LONGEST_MATCHED_TEXT, sanitizer } from "./sanitize.ts";

function typeOf(text: string): ValType {
  const { type } = parseType(text);
  assert(type !== undefined, text);
  return type;
}

function port(rules: SanitizationRules, given?: Json): InputPort {
  const source = { file: "m.yaml", text: "" };
  return { name: "name", rules, default: given, span: { source, start: 0, end: 0 }, keySpans: new Map() };
}

function clean(type: string, rules: SanitizationRules, value: unknown, given?: Json): unknown {
  const result = sanitizer(port(rules, given), typeOf(type))(value);
  assert("value" in result, "no violations");
  return result.value;
}

function broken(type: string, rules: SanitizationRules, value: unknown): readonly (readonly [string, string])[] {
  const result = sanitizer(port(rules), typeOf(type))(value);
  assert("violations" in result, "violations");
  for (const { message } of result.violations) assert(message.length > 0 && message.length < 500);
  return result.violations.map(({ path, rule }) => [path, rule]);
}

test("texts are trimmed, changed in case and normalized before they are checked", () => {
  assert.equal(clean("string", { trim: true, max: 3 }, "  Ada \n"), "Ada");
  assert.equal(clean("string", { lowercase: true, pattern: "[a-z]+" }, "ADA"), "ada");
  assert.equal(clean("string", { uppercase: true }, "straße"), "STRASSE");
  assert.equal(clean("string", { normalize: "NFC", max: 1 }, "e\u0301"), "é");
});

test("lengths of texts are counted in code points", () => {
  assert.equal(clean("string", { max: 2 }, "😀😀"), "😀😀");
  assert.deepEqual(broken("string", { max: 2 }, "😀😀😀"), [["name", "max"]]);
  assert.deepEqual(broken("string", { trim: true, min: 1 }, "   "), [["name", "min"]]);
});

test("bounds of numbers hold for every numeric type, and NaN breaks them", () => {
  assert.equal(clean("u8", { min: 1, max: 5 }, 5), 5);
  assert.deepEqual(broken("u8", { min: 1, max: 5 }, 6), [["name", "max"]]);
  assert.deepEqual(broken("s64", { min: 0 }, -1n), [["name", "min"]]);
  assert.equal(clean("u64", { max: 9007199254740991 }, 9007199254740991n), 9007199254740991n);
  assert.deepEqual(broken("u64", { max: 9007199254740991 }, 9007199254740992n), [["name", "max"]]);
  assert.deepEqual(broken("f64", { min: 0, max: 1 }, NaN), [["name", "min"], ["name", "max"]]); // prettier-ignore
});

test("rules about texts reach into options and lists, each violation with its path", () => {
  assert.deepEqual(clean("list<string>", { trim: true, max: 2 }, [" a ", "b"]), ["a", "b"]);
  assert.deepEqual(broken("list<string>", { pattern: "[a-z]+", max: 2 }, ["a", "B", "c", "D"]), [
    ["name", "max"],
    ["name[1]", "pattern"],
    ["name[3]", "pattern"],
  ]);
  assert.deepEqual(broken("option<list<list<string>>>", { format: "email" }, [["a@b.co"], ["x"]]), [["name[1][0]", "format"]]);
  assert.equal(clean("option<string>", { min: 5 }, undefined), undefined);
  assert.deepEqual(clean("option<option<string>>", { trim: true }, { tag: "some", val: " a " }), { tag: "some", val: "a" });
});

test("a value must be one of the choices, by the meaning of its type", () => {
  assert.equal(clean("u64", { oneOf: ["18446744073709551615", 1] }, 18446744073709551615n), 18446744073709551615n);
  assert.deepEqual(broken("string", { oneOf: ["de", "en"], lowercase: true }, "FR"), [["name", "one-of"]]);
  assert.equal(clean("string", { oneOf: ["de", "en"], lowercase: true }, "DE"), "de");
  assert.deepEqual(broken("list<u8>", { oneOf: [1, 2] }, new Uint8Array([1, 3])), [["name[1]", "one-of"]]);
});

test("nothing becomes the default; without one it is a violation, except for options", () => {
  assert.equal(clean("string", { trim: true }, undefined, " en "), "en");
  assert.equal(clean("u64", {}, undefined, "5"), 5n);
  assert.deepEqual(broken("string", {}, undefined), [["name", "required"]]);
  assert.deepEqual(broken("string", { max: 3 }, undefined), [["name", "required"]]);
  assert.equal(clean("option<string>", {}, undefined), undefined);
});

test("a value of another type never slips through a rule", () => {
  assert.deepEqual(broken("string", { max: 3 }, 12345), [["name", "type"]]);
  assert.deepEqual(broken("string", { pattern: "[a-z]*" }, ["a"]), [["name", "type"]]);
  assert.deepEqual(broken("list<string>", { trim: true }, "abc"), [["name", "type"]]);
});

test("hostile texts take no more time than long ones, and violations are bounded", () => {
  assert.deepEqual(broken("string", { pattern: "(a+)+b" }, "a".repeat(LONGEST_MATCHED_TEXT)), [["name", "pattern"]]);
  assert.deepEqual(broken("string", { pattern: "a*" }, "a".repeat(LONGEST_MATCHED_TEXT + 1)), [["name", "pattern"]]);
  assert.equal(
    broken(
      "list<string>",
      { format: "uuid" },
      Array.from({ length: 5000 }, () => "x"),
    ).length,
    50,
  );
});

test("without rules any value of any type passes as it is", () => {
  fc.assert(
    fc.property(
      arbitraryType({ depth: 2 }).chain((type) => arbitraryValue(type).map((value) => ({ type, value }))),
      ({ type, value }) => {
        fc.pre(value !== undefined);
        const result = sanitizer(port({}), type)(value);
        assert("value" in result && Object.is(result.value, value));
      },
    ),
  );
});

test("what comes out of text rules is of the type, and cleaning it again changes nothing", () => {
  const types = ["string", "option<string>", "list<string>", "option<list<option<string>>>", "list<list<string>>"].map(typeOf);
  fc.assert(
    fc.property(
      fc.constantFrom(...types).chain((type) => arbitraryValue(type).map((value) => ({ type, value }))),
      fc.record({ trim: fc.boolean(), lowercase: fc.boolean(), normalize: fc.constantFrom("NFC" as const, "NFKD" as const) }),
      ({ type, value }, rules) => {
        fc.pre(value !== undefined);
        const sanitize = sanitizer(port(rules), type);
        const once = sanitize(value);
        assert("value" in once);
        assert.deepEqual(checkValue(type, once.value), []);
        // Lower case and normalization can disagree on a few letters, so only the settled form is asked.
        const twice = sanitize(once.value);
        assert("value" in twice);
        const again = sanitize(twice.value);
        assert("value" in again && equalValues(type, twice.value, again.value));
      },
    ),
  );
});
