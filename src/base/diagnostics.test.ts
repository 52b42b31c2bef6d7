import assert from "node:assert/strict";
import { test } from "node:test";
import { renderDiagnostic } from "./diagnostics.ts";

test("a long line is cut between characters, never inside one", () => {
  for (const before of [200, 201]) {
    const text = "\u{1f600}".repeat(100) + "x".repeat(before - 200) + "!" + "\u{1f600}".repeat(200);
    const span = { source: { file: "f", text }, start: before, end: before + 1 };
    const shown = renderDiagnostic({ code: "flow/syntax", severity: "error", message: "wrong", span });
    assert.ok(shown.isWellFormed(), JSON.stringify(shown));
  }
});
