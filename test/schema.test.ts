import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MANIFEST_SCHEMA } from "../src/manifest/schema.ts";

const FILE = join(import.meta.dirname, "../docs/starlane.schema.json");

test("docs/starlane.schema.json is the schema of manifests as built", () => {
  const text = `${JSON.stringify(MANIFEST_SCHEMA, null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(FILE, text);
  assert.equal(readFileSync(FILE, "utf8"), text);
});
