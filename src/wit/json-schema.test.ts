import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryType, arbitraryTyped } from "./arbitrary.ts";
import { jsonSchema } from "./json-schema.ts";
import { toJson } from "./json.ts";
import { readJson } from "./read-json.ts";
import { parseType, parseTypeBlock } from "./type-text.ts";
import type { ValType } from "./types.ts";

test("schemas are small and say what the table says", () => {
  const record = parseType("record { name: string, age: option<u8> }").type;
  assert.ok(record !== undefined);
  assert.deepEqual(jsonSchema(record), {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: { name: { type: "string" }, age: { anyOf: [{ type: "null" }, { type: "integer", minimum: 0, maximum: 255 }] } },
    required: ["name"],
    additionalProperties: false,
  });
});

test("a type that occurs twice is written once, under its name", () => {
  const { types } = parseTypeBlock("record point { x: f64, y: f64 } record line { from: point, to: point }");
  const line = types.get("line");
  assert.ok(line !== undefined);
  const schema = jsonSchema(line, { embedded: true });
  assert.deepEqual(schema.properties, { from: { $ref: "#/$defs/point" }, to: { $ref: "#/$defs/point" } });
  assert.ok("$defs" in schema && "$schema" in schema === false);
  let doubling: ValType = line;
  for (let i = 0; i < 60; i++) doubling = { kind: "tuple", types: [doubling, doubling] };
  assert.ok(JSON.stringify(jsonSchema(doubling)).length < 20_000);
});

test("the JSON of every value is valid by the schema of its type", () => {
  fc.assert(
    fc.property(arbitraryTyped(), ({ type, value }) => {
      const json: unknown = JSON.parse(JSON.stringify(toJson(type, value)));
      const schema = jsonSchema(type);
      assert.ok(valid(schema, schema, json), JSON.stringify({ schema, json }));
    }),
    { numRuns: 500 },
  );
});

test("JSON of another type is refused by the schema where reading refuses it", () => {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(null, true, -1, 1.5, 300, "ok", "no", "", [], [1], ["a", "a"], {}, { ok: 1 }, { some: null }, [
      ["a", 1],
    ]),
    arbitraryTyped({ depth: 1 }).map(({ type, value }): unknown => toJson(type, value)),
  );
  fc.assert(
    fc.property(arbitraryType({ depth: 2, without: ["u64", "s64", "f32", "list", "map"] }), odd, (type, json) => {
      const schema = jsonSchema(type);
      assert.equal(valid(schema, schema, json), readJson(type, json).mistakes.length === 0, JSON.stringify({ schema, json }));
    }),
    { numRuns: 2000 },
  );
});

test("types without JSON have no schema", () => {
  assert.throws(() => jsonSchema({ kind: "stream", element: { kind: "u8" } }), { code: "wit/no-json-form" });
});

/** A validator of the keywords that `jsonSchema` uses; an unknown keyword is a mistake. */
function valid(root: unknown, schema: unknown, json: unknown): boolean {
  assert.ok(isObject(schema));
  return Object.entries(schema).every(([keyword, rule]) => holds(root, schema, keyword, rule, json));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value));
  return value;
}

function holds(root: unknown, schema: Record<string, unknown>, keyword: string, rule: unknown, json: unknown): boolean {
  switch (keyword) {
    case "$schema":
    case "$defs":
    case "contentEncoding":
      return true;
    case "$ref": {
      assert.ok(isObject(root) && isObject(root.$defs) && typeof rule === "string");
      return valid(root, root.$defs[rule.slice("#/$defs/".length)], json);
    }
    case "type":
      return rule === (rule === "integer" && Number.isInteger(json) ? "integer" : typeName(json));
    case "enum":
      return list(rule).includes(json);
    case "anyOf":
      return list(rule).some((part) => valid(root, part, json));
    case "minimum":
      return typeof json !== "number" || json >= Number(rule);
    case "maximum":
      return typeof json !== "number" || json <= Number(rule);
    case "minLength":
      return typeof json !== "string" || Array.from(json).length >= Number(rule);
    case "maxLength":
      return typeof json !== "string" || Array.from(json).length <= Number(rule);
    case "pattern":
      return typeof json !== "string" || new RegExp(String(rule), "u").test(json);
    case "properties":
      return (
        !isObject(json) ||
        Object.entries(isObject(rule) ? rule : {}).every(
          ([key, part]) => !Object.hasOwn(json, key) || valid(root, part, json[key]),
        )
      );
    case "required":
      return !isObject(json) || list(rule).every((key) => Object.hasOwn(json, String(key)));
    case "additionalProperties": {
      const known = isObject(schema.properties) ? schema.properties : {};
      return (
        !isObject(json) ||
        Object.keys(json).every((key) => Object.hasOwn(known, key) || (rule !== false && valid(root, rule, json[key])))
      );
    }
    case "prefixItems":
      return !Array.isArray(json) || list(rule).every((part, i) => i >= json.length || valid(root, part, json[i]));
    case "items": {
      const from = Array.isArray(schema.prefixItems) ? schema.prefixItems.length : 0;
      return !Array.isArray(json) || json.slice(from).every((item) => rule !== false && valid(root, rule, item));
    }
    case "minItems":
      return !Array.isArray(json) || json.length >= Number(rule);
    case "maxItems":
      return !Array.isArray(json) || json.length <= Number(rule);
    case "uniqueItems":
      return !Array.isArray(json) || new Set(json).size === json.length;
    default:
      return assert.fail(`the schema uses ${keyword}`);
  }
}

function typeName(json: unknown): string {
  if (json === null) return "null";
  return Array.isArray(json) ? "array" : typeof json;
}
