import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { renderDiagnostic, DiagnosticsError } from "../base/diagnostics.ts";
import { writeApp } from "./record/fixtures/app.ts";
import { loadTarget } from "./star.ts";

const grants = (bound: string): string => `grants: { outside: { keyvalue: { default: cache }, ${bound} } }`;

/** What `check` says of an app with these resources, without the folder's own name. */
async function told(resources: string, bound: string, prepare: (folder: string) => void = () => undefined): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "starlane-test-"));
  try {
    writeApp(
      folder,
      `starlane: v1
components: { outside: ./outside.wasm }
resources:
  cache: { keyvalue: "memory:" }
${resources}
${grants(bound)}
operations: { run: { flow: <>.script -> outside::run -> <>.heard } }
`,
    );
    prepare(folder);
    const { warnings, close } = await loadTarget(folder, { use: "check" });
    await close();
    assert.deepEqual(
      warnings.map(({ code }) => code).filter((code) => code !== "grant/unused"),
      [],
    );
    return [];
  } catch (error) {
    if (!(error instanceof DiagnosticsError)) throw error;
    const errors = error.diagnostics.filter(({ severity }) => severity === "error");
    return errors.map((one) => renderDiagnostic(one).replaceAll(/\S*starlane-test-\w+/g, "APP"));
  } finally {
    assert.ok(!existsSync(join(folder, "made")), "nothing was made");
    rmSync(folder, { recursive: true });
  }
}

test("check says which granted folder is not there, where it is named, and what is there instead", async () => {
  const [problem = "", ...others] = await told("  data: { files: ./texts }", 'files: { "/data": data }', (folder) =>
    mkdirSync(join(folder, "text")),
  );
  assert.deepEqual(others, []);
  assert.match(
    problem,
    /^error\[resource\/missing\]: the resource `data`: there is no APP\/texts\n --> APP\/starlane\.yaml:5:18\n/,
  );
  assert.match(problem, /did you mean text\?/);
  assert.match(
    (await told("  data: { files: ./outside.wasm }", 'files: { "/data": data }')).join(""),
    /the resource `data`: APP\/outside\.wasm is no folder/,
  );
});

test("check reads migrations: their folder, their numbers", async () => {
  const resource = '  db: { sql: "memory:", migrations: ./migrations }';
  const missing = await told(resource, "sql: { main: db }");
  assert.match(
    missing.join(""),
    /^error\[resource\/missing\]: the resource `db`: there is no APP\/migrations\n --> APP\/starlane\.yaml:5:37\n/,
  );
  const broken = await told(resource, "sql: { main: db }", (folder) => {
    mkdirSync(join(folder, "migrations"));
    writeFileSync(join(folder, "migrations", "first.sql"), "");
  });
  assert.match(
    broken.join(""),
    /^error\[resource\/migration\]: the resource `db`: the migration first\.sql has no number in front/,
  );
  const good = await told(resource, "sql: { main: db }", (folder) => {
    mkdirSync(join(folder, "migrations"));
    writeFileSync(join(folder, "migrations", "001-first.sql"), "CREATE TABLE a (b TEXT)");
  });
  assert.deepEqual(good, []);
});

test("check takes it well when a database, its folders or a folder of blobs have still to be made", async () => {
  const resources = `  db: { sql: "sqlite:./made/by/starlane.db" }
  pictures: { blobs: "folder:./made/pictures" }
  queue: { messaging: "sqlite:./made/queue.db?name=q" }`;
  assert.deepEqual(await told(resources, "sql: { main: db }, blobs: { p: pictures }, messaging: { t: queue }"), []);
});

test("check says where a database or a folder of blobs could not be made", async () => {
  const resources = `  db: { sql: "sqlite:./outside.wasm/app.db" }
  other: { keyvalue: "sqlite:." }
  pictures: { blobs: "folder:./outside.wasm" }`;
  const bound = "sql: { main: db }, blobs: { p: pictures }";
  const problems = await told(resources, bound);
  assert.match(
    problems[0] ?? "",
    /the resource `db`: APP\/outside\.wasm\/app\.db cannot be made: APP\/outside\.wasm is no folder/,
  );
  assert.match(problems[1] ?? "", /the resource `other`: APP is a folder, not a file/);
  assert.match(problems[2] ?? "", /the resource `pictures`: APP\/outside\.wasm is no folder/);
  assert.equal(problems.length, 3);
});

test("check looks for nothing where an address comes from the environment", async () => {
  assert.deepEqual(await told('  data: { files: "${env.DATA_FOLDER}" }', 'files: { "/data": data }'), []);
});
