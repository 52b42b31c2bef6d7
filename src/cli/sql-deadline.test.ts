// A statement of SQL is stopped with its transaction, whatever it does.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { storesManifest, writeStoresApp } from "../star/doubles/fixtures/stores.ts";
import { starlane, temporaryFolder } from "./fixtures/command.ts";
import { serve } from "./fixtures/served.ts";

const NUMBERS = `CREATE TABLE n AS SELECT value AS i FROM json_each('[${Array.from({ length: 300 }, (_, i) => i).join(",")}]')`;
const ENDLESS = "SELECT count(*) FROM n a, n b, n c, n d WHERE a.i + b.i + c.i + d.i < 0";

test("a statement that does not end is stopped at the deadline of its transaction, and what that did is undone", async () => {
  using folder = temporaryFolder();
  await writeStoresApp(folder.path);
  const invoke = (script: unknown, ...more: string[]): ReturnType<typeof starlane> =>
    starlane(["invoke", ".", "run", "--script", JSON.stringify(script), ...more], {
      cwd: folder.path,
      env: { STARLANE_RECORDS: "off" },
    });
  assert.equal((await invoke([["sql", NUMBERS]])).status, 0);
  const late = await invoke(
    [
      ["sql", "DELETE FROM n WHERE i > 290"],
      ["sql", ENDLESS],
    ],
    "--timeout",
    "1500ms",
  );
  assert.equal(late.status, 3, late.stderr);
  assert.match(late.stderr, /^error\[flow\/deadline\]/);
  const database = new DatabaseSync(folder.file("data/app.db"), { readOnly: true });
  assert.equal(database.prepare("SELECT count(*) AS count FROM n").get()?.["count"], 300);
  database.close();
});

test("a server goes on while a statement does not end", async () => {
  using folder = temporaryFolder();
  await writeStoresApp(folder.path, storesManifest("limits: { time: 3s }\n"));
  await using served = await serve(["."], { cwd: folder.path, env: { STARLANE_RECORDS: "off" } });
  const run = (...commands: readonly (readonly string[])[]): ReturnType<typeof served.post> =>
    served.post("/run", { script: JSON.stringify(commands) });
  assert.equal((await run(["sql", NUMBERS])).status, 200);
  const endless = run(["sql", ENDLESS]);
  for (let i = 0; i < 5; i++) assert.equal((await run(["set", "default", "a", "1"])).status, 200);
  assert.equal((await endless).status, 504);
  assert.equal((await run(["rows", "SELECT count(*) FROM n"])).text, JSON.stringify({ heard: '[[["300"]]]' }));
});
