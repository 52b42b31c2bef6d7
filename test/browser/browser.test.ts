// The runner in browsers, on a small part of what it is for: it must tell of tests what Node tells. `npm run test:browser` runs the rest.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { findChromium } from "./chromium.ts";
import { NODE_ONLY, testFiles } from "./files.ts";
import type { Report } from "./protocol.ts";
import { runInBrowser } from "./run.ts";
import { fileAt, folderAt, ROOT } from "./served.ts";

const program = findChromium();
const skip = program === undefined && "no Chromium on this machine: `npm run test:browser` says how it gets one";

/** Values, and components that wait on stacks of their own (JSPI). */
const SMALL_PART = ["src/wit/value.test.ts", "src/engine/async/async.test.ts"];

async function reportsOf(files: readonly string[]): Promise<Report[]> {
  const reports: Report[] = [];
  await runInBrowser(program ?? "", files, { browser: () => undefined, report: (report) => reports.push(report) });
  return reports;
}

/** A line for each test, as `fixtures/reporter.ts` writes them. */
function told(reports: readonly Report[], file: string): string[] {
  return reports
    .filter((report) => report.kind === "test")
    .filter((report) => report.file === file)
    .map(({ result }) => {
      const outcome = result.outcome === "skipped" ? `skipped: ${result.reason}` : result.outcome;
      return `${result.name.join(".")}: ${outcome}`;
    });
}

function toldByNode(file: string): string[] {
  const reporter = `--test-reporter=${join(import.meta.dirname, "fixtures/reporter.ts")}`;
  // Node runs no tests for a test, unless it does not know.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const { stdout } = spawnSync(process.execPath, ["--test", reporter, file], { cwd: ROOT, env, encoding: "utf8" });
  return stdout.trimEnd().split("\n");
}

test("tests of what runs everywhere pass in a browser: the same as in Node, and JSPI among them", { skip }, async () => {
  const reports = await reportsOf(SMALL_PART);
  for (const file of SMALL_PART) assert.deepEqual(told(reports, file), toldByNode(file), file);
  const failed = reports.filter((report) => report.kind === "test" && report.result.outcome === "failed");
  assert.deepEqual(failed, []);
});

test(
  "every outcome of a test is told as in Node: failed, thrown outside, late, skipped, within suites and hooks",
  { skip },
  async () => {
    const file = "test/browser/fixtures/outcomes.ts";
    const lines = told(await reportsOf([file]), file);
    assert.deepEqual(lines, toldByNode(file));
    assert.equal(lines.filter((line) => line.endsWith(": failed")).length, 7);
  },
);

test("a file that a browser cannot load fails, with the reason", { skip }, async () => {
  const reports = await reportsOf(["test/browser/fixtures/unloadable.ts"]);
  const reasons = reports.flatMap((report) => (report.kind === "test" ? [report.result.reason] : []));
  assert.equal(reasons.length, 1);
  assert.match(reasons[0] ?? "", /node:child_process/);
});

test("a browser that does not start is told", async () => {
  await assert.rejects(
    runInBrowser("/nowhere/chromium", SMALL_PART, { browser: () => undefined, report: () => undefined }),
    /\/nowhere\/chromium could not be started: .*ENOENT.*while running no test/,
  );
});

test("nothing is served but the checkout and the scripts beside it", () => {
  assert.ok(fileAt("/checkout/package.json", true) !== undefined);
  for (const address of [
    "/checkout/../package.json",
    "/checkout/../../etc/passwd",
    "/checkout//etc/passwd",
    "/etc/passwd",
    "/shared/x",
  ]) {
    assert.equal(fileAt(address, true), undefined, address);
    assert.equal(folderAt(address, false), undefined, address);
  }
  assert.equal(folderAt("/checkout/..", false), undefined);
});

test("sources are served without types, on the same lines, and without the globals of Node that tests get", () => {
  const serve = (file: string): string => String(fileAt(`/checkout/${file}`, false)?.body);
  const source = String(fileAt("/checkout/src/base/clock.ts", true)?.body);
  assert.match(source, /: Promise<void>/);
  assert.doesNotMatch(serve("src/base/clock.ts"), /Promise<void>/);
  assert.equal(serve("src/base/clock.ts").split("\n").length, source.split("\n").length);
  assert.match(serve("src/base/error-codes.test.ts"), /^import process from "node:process";import assert/);
  assert.doesNotMatch(serve("src/engine/engine.ts"), /node:/);
});

test("what runs in Node only is a file of the rows that run everywhere, and says why", () => {
  assert.ok(testFiles().includes("src/engine/engine.test.ts"));
  for (const [file, reason] of Object.entries(NODE_ONLY)) assert.ok(testFiles().includes(file) && reason.length > 10, file);
});
