import assert from "node:assert/strict";
import { test } from "node:test";
import { renderDiagnostic } from "../base/diagnostics.ts";
import type { Given } from "./given.ts";
import { GOOD_MANIFESTS } from "./good-manifests.ts";
import { parseManifest } from "./parse.ts";
import { parseTestsFile } from "./tests-file.ts";

function givenOf(index: number): Given {
  const { manifest, diagnostics } = parseManifest({ file: "starlane.yaml", text: GOOD_MANIFESTS["given in tests"] ?? "" });
  assert.equal(diagnostics.map(renderDiagnostic).join("\n"), "");
  const given = manifest?.tests[index]?.given;
  assert(given !== undefined);
  return given;
}

test("scripted answers are read whole: short requests, matchers, bodies of every kind", () => {
  const { http } = givenOf(0);
  assert.deepEqual(
    http.map(({ request, respond, times }) => [request.method, request.url, respond.status, respond.body, times]),
    [
      ["GET", "https://api.example.com/today?x=1", 404, { kind: "text", text: "" }, 1],
      ["GET", "https://api.example.com/now", 200, { kind: "text", text: "5" }, 1],
      ["POST", { matches: "https://.*" }, 201, { kind: "text", text: '{"id":1}' }, 3],
      ["GET", "http://localhost:8080", 200, { kind: "base64", base64: "SGVsbG8=" }, 1],
    ],
  );
  assert.deepEqual(http[2]?.request.headers, { "x-key": { any: true } });
  assert.deepEqual(http[2]?.request.body, { name: "Ada", tags: { contains: "a" } });
  assert.deepEqual(http[2]?.respond.headers, [
    { name: "content-type", value: "application/json" },
    { name: "location", value: "/1" },
    { name: "retry-after", value: "3" },
  ]);
});

test("contents of stores are texts or bytes", () => {
  const { keyvalue, blobs, sql, files } = givenOf(0);
  assert.deepEqual(keyvalue[0]?.entries, [
    { key: "greeting", value: { kind: "text", text: "Hello" } },
    { key: "count", value: { kind: "text", text: "3" } },
    { key: "raw", value: { kind: "base64", base64: "AAE=" } },
    { key: "data", value: { kind: "text", text: '{"a":[1]}' } },
  ]);
  assert.deepEqual([blobs[0]?.name, blobs[0]?.entries[0]?.key], ["images", "a/b.svg"]);
  assert.deepEqual([sql[0]?.name, sql[0]?.statements[0]?.text], [undefined, "insert into links values ('a', 'b')"]);
  assert.equal(givenOf(1).sql[0]?.name, "main");
  assert.deepEqual([files[0]?.path, files[0]?.value], ["/data/names.txt", { kind: "text", text: "Ada" }]);
});

test("faults say where, when and what", () => {
  assert.deepEqual(
    givenOf(0).faults.map(({ capability, after, times, latencyMs, error, disconnect }) => ({
      capability,
      after,
      times,
      latencyMs,
      error,
      disconnect,
    })),
    [
      { capability: "keyvalue", after: 2, times: 1, latencyMs: 2000, error: "refused", disconnect: false },
      { capability: "sql", after: 0, times: undefined, latencyMs: undefined, error: undefined, disconnect: true },
    ],
  );
});

test("an empty `given` is one, and a tests file has it too", () => {
  assert.deepEqual(givenOf(2).http, []);
  const { tests, diagnostics } = parseTestsFile({ file: "t.yaml", text: "- { operation: a, given: { files: { /a: b } } }\n" });
  assert.deepEqual(diagnostics, []);
  assert.equal(tests[0]?.given?.files[0]?.path, "/a");
});
