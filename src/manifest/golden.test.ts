// `golden/NAME.yaml` has mistakes; `golden/NAME.txt` is exactly what people are told. `NAME.app.yaml` is the app that NAME.yaml uses with settings;
// `NAME.tests.yaml` is read as a tests file of `tests-base.yaml`; NAME.yaml is started with the environment and secrets of `NAME.env`, if there is one. Run with UPDATE_GOLDEN=1 to write the texts anew, and read each as a user would.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { renderDiagnostic, type Diagnostic, type Source } from "../base/diagnostics.ts";
import { ERROR_CODES } from "../base/error-codes.ts";
import { parseManifest } from "./parse.ts";
import { substitute } from "./substitute.ts";
import { parseTestsFile } from "./tests-file.ts";

const FOLDER = new URL("./golden/", import.meta.url);
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yaml") || file.endsWith(".json"));
const names = files.filter((file) => !file.endsWith(".app.yaml") && file !== "tests-base.yaml");

function sourceOf(file: string): Source {
  return { file, text: readFileSync(new URL(file, FOLDER), "utf8") };
}

function diagnosticsOf(file: string): readonly Diagnostic[] {
  if (file.endsWith(".tests.yaml"))
    return parseTestsFile(sourceOf(file), parseManifest(sourceOf("tests-base.yaml")).manifest?.operations).diagnostics;
  const parsed = parseManifest(sourceOf(file));
  const app = file.replace(/\.(?:yaml|json)$/, ".app.yaml");
  const env = file.replace(/\.(?:yaml|json)$/, ".env");
  if (existsSync(new URL(env, FOLDER))) return startedDiagnostics(file, env);
  if (!existsSync(new URL(app, FOLDER))) return parsed.diagnostics;
  assert.deepEqual(parsed.diagnostics, []);
  const used = parseManifest(sourceOf(app)).manifest;
  assert(used !== undefined, `${app} is good`);
  return (parsed.manifest?.components ?? []).flatMap(
    (use) => substitute(used, { values: use.with, span: use.fromSpan }, { kind: "dependency" }).diagnostics,
  );
}

/** `secret.NAME` are secrets, other names are variables. */
function startedDiagnostics(file: string, env: string): readonly Diagnostic[] {
  const { manifest, diagnostics } = parseManifest(sourceOf(file));
  assert.deepEqual(diagnostics, []);
  assert(manifest !== undefined);
  const values = new Map(Object.entries<string>(JSON.parse(sourceOf(env).text)));
  const outside = {
    kind: "read" as const,
    env: (name: string) => values.get(name),
    secrets: (name: string) => values.get(`secret.${name}`),
  };
  const found = substitute(manifest, undefined, outside).diagnostics;
  assert(!JSON.stringify(found.map(({ message, cure }) => [message, cure])).includes("SHOWN"), "no value is shown");
  return found;
}

function goldenOf(file: string): URL {
  return new URL(file.replace(/\.(?:yaml|json)$/, ".txt"), FOLDER);
}

for (const file of names) {
  test(`the mistakes of ${file} are told as in its golden text`, () => {
    const diagnostics = diagnosticsOf(file);
    assert(diagnostics.length > 0, "a wrong manifest");
    const text = `${diagnostics.map(renderDiagnostic).join("\n\n")}\n`;
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(goldenOf(file), text);
    assert.equal(text, readFileSync(goldenOf(file), "utf8"));
    for (const { cure } of diagnostics) assert(cure !== undefined && /[.?]$/.test(cure), "every mistake has a cure");
  });
}

test("every code of manifests is shown by some golden text", () => {
  const shown = names.map((file) => readFileSync(goldenOf(file), "utf8")).join("\n");
  const codes = Object.keys(ERROR_CODES).filter((code) => code.startsWith("manifest/"));
  assert.deepEqual(
    codes.filter((code) => !shown.includes(`[${code}]`)),
    // A golden text of a hundred mistakes would be read by nobody.
    ["manifest/too-many"],
  );
});
