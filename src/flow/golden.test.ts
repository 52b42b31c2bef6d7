// `golden/NAME.yaml` has one operation with mistakes in its flow; `golden/NAME.txt` is exactly what people are told. The components are
// those of `sample.ts`. Run with UPDATE_GOLDEN=1 to write the texts anew, and read each as a user would.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { renderDiagnostic } from "../base/diagnostics.ts";
import { ERROR_CODES } from "../base/error-codes.ts";
import { loadExpressions } from "./core/expression.ts";
import { checkManifest } from "./sample.ts";

const FOLDER = new URL("./golden/", import.meta.url);
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".yaml"));

await loadExpressions();

function goldenOf(file: string): URL {
  return new URL(file.replace(/\.yaml$/, ".txt"), FOLDER);
}

for (const file of files) {
  test(`the mistakes of ${file} are told as in its golden text`, () => {
    const { flow, diagnostics } = checkManifest(file, readFileSync(new URL(file, FOLDER), "utf8"));
    assert(diagnostics.length > 0 && flow === undefined, "a wrong flow");
    const text = `${diagnostics.map(renderDiagnostic).join("\n\n")}\n`;
    if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(goldenOf(file), text);
    assert.equal(text, readFileSync(goldenOf(file), "utf8"));
    for (const { cure, message } of diagnostics) assert(cure !== undefined && /[.?]$/.test(cure), `a cure for: ${message}`);
  });
}

test("every code that checking a flow can give is shown by some golden text", () => {
  const shown = files.map((file) => readFileSync(goldenOf(file), "utf8")).join("\n");
  const codes = Object.entries(ERROR_CODES).filter(([code, { exit }]) => code.startsWith("flow/") && exit === 2);
  assert.deepEqual(
    codes.map(([code]) => code).filter((code) => !shown.includes(`[${code}]`)),
    // Texts of a megabyte are made by `parse.test.ts`.
    ["flow/too-large"],
  );
});
