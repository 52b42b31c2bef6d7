import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { INPUT_KEYS, ROOT_KEYS } from "./keys.ts";
import { GOOD_MANIFESTS } from "./good-manifests.ts";
import { isObject } from "./expect.ts";
import type { Json } from "./manifest.ts";
import { Mistakes } from "./mistakes.ts";
import { MANIFEST_SCHEMA } from "./schema.ts";
import { toJson } from "./tree.ts";
import { readYaml } from "./yaml.ts";

/** Where a value breaks a schema, for the keywords that the manifest's schema uses; others fail, so that none is forgotten. */
function violations(schema: Json, value: Json, path: string): readonly string[] {
  assert(isObject(schema));
  return Object.entries(schema).flatMap(([keyword, rule]) => keywordViolations(keyword, rule, schema, value, path));
}

function keywordViolations(keyword: string, rule: Json, schema: Json, value: Json, path: string): readonly string[] {
  const fail = (isGood: boolean): readonly string[] => (isGood ? [] : [`${path}: ${keyword} ${JSON.stringify(rule)}`]);
  const entries = isObject(value) ? Object.entries(value) : [];
  const rules = isObject(rule) ? rule : {};
  switch (keyword) {
    case "$schema":
    case "title":
    case "description":
    case "format":
      return [];
    case "type":
      return fail([rule].flat().some((kind) => kind === typeOf(value) || (kind === "integer" && Number.isInteger(value))));
    case "const":
      return fail(value === rule);
    case "enum":
      return fail(Array.isArray(rule) && rule.includes(value));
    case "pattern":
      return fail(typeof value !== "string" || new RegExp(typeof rule === "string" ? rule : "(", "u").test(value));
    case "maxLength":
      return fail(typeof value !== "string" || value.length <= Number(rule));
    case "minimum":
      return fail(typeof value !== "number" || value >= Number(rule));
    case "maximum":
      return fail(typeof value !== "number" || value <= Number(rule));
    case "minItems":
      return fail(!Array.isArray(value) || value.length >= Number(rule));
    case "maxItems":
      return fail(!Array.isArray(value) || value.length <= Number(rule));
    case "items":
      return Array.isArray(value) ? value.flatMap((item: Json, i) => violations(rule, item, `${path}[${i}]`)) : [];
    case "required":
      return fail(
        !isObject(value) || (Array.isArray(rule) && rule.every((key) => typeof key === "string" && Object.hasOwn(value, key))),
      );
    case "properties":
      return entries.flatMap(([key, item]) =>
        Object.hasOwn(rules, key) ? violations(rules[key] ?? {}, item, `${path}.${key}`) : [],
      );
    case "patternProperties":
      return Object.entries(rules).flatMap(([pattern, inner]) =>
        entries.flatMap(([key, item]) => (new RegExp(pattern, "u").test(key) ? violations(inner, item, `${path}.${key}`) : [])),
      );
    case "propertyNames":
      return entries.flatMap(([key]) => violations(rule, key, `${path}.${key}`));
    case "additionalProperties": {
      const known = isObject(schema) && isObject(schema["properties"]) ? schema["properties"] : {};
      const patterns = isObject(schema) && isObject(schema["patternProperties"]) ? Object.keys(schema["patternProperties"]) : [];
      const others = entries.filter(
        ([key]) => !Object.hasOwn(known, key) && !patterns.some((pattern) => new RegExp(pattern, "u").test(key)),
      );
      return rule === false
        ? fail(others.length === 0)
        : others.flatMap(([key, item]) => violations(rule, item, `${path}.${key}`));
    }
    case "anyOf":
      return fail(Array.isArray(rule) && rule.some((option: Json) => violations(option, value, path).length === 0));
    default:
      throw new Error(`the keyword ${keyword} is not understood by this test`);
  }
}

function typeOf(value: Json): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

function jsonOf(text: string): Json {
  const mistakes = new Mistakes();
  const tree = readYaml({ file: "t.yaml", text }, mistakes);
  assert(tree !== undefined && mistakes.list().length === 0);
  return toJson(tree);
}

for (const [name, text] of Object.entries(GOOD_MANIFESTS)) {
  test(`the schema accepts the good manifest: ${name}`, () => {
    assert.deepEqual(violations(MANIFEST_SCHEMA, jsonOf(text), "$"), []);
  });
}

test("the schema finds coarse mistakes", () => {
  const folder = new URL("./golden/", import.meta.url);
  const names = [
    "unknown-root-keys",
    "format-unknown",
    "bad-app-name",
    "component-kinds",
    "component-names",
    "operation-shape",
    "rules-kinds",
    "node-settings",
    "limits",
    "isolation",
    "resources-list",
    "resources-kind",
    "grants-unknown",
    "grants-files",
    "triggers-kind",
    "http-port",
    "http-tls",
    "route-answer",
    "cli-trigger",
    "schedule",
    "given-http",
    "given-faults",
  ];
  const files = readdirSync(folder);
  for (const name of names) {
    assert(files.includes(`${name}.yaml`));
    const json = jsonOf(readFileSync(new URL(`${name}.yaml`, folder), "utf8"));
    assert.notEqual(violations(MANIFEST_SCHEMA, json, "$").length, 0, name);
  }
});

test("keys that are planned are no part of the schema, and every built key is explained", () => {
  const properties = MANIFEST_SCHEMA["properties"];
  assert(isObject(properties));
  const built = Object.entries(ROOT_KEYS).filter(([, info]) => !("later" in info));
  assert.deepEqual(
    Object.keys(properties),
    built.map(([key]) => key),
  );
  for (const schema of Object.values(properties)) assert(isObject(schema) && typeof schema["description"] === "string");
  assert(Object.keys(INPUT_KEYS).length > 10);
});
