// Statements of SQLite that do not end, and what happens to the others.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { openSql } from "./open.ts";
import { Lookups } from "./sqlite-lookups.ts";
import { SqliteDatabase } from "./sqlite.ts";
import type { SqlDatabase } from "./sql.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-endless-"));
after(() => rmSync(folder, { recursive: true }));

/** Longer than anybody waits: no row comes of it. */
const ENDLESS = "SELECT count(*) FROM n a, n b, n c, n d WHERE a.i + b.i + c.i + d.i < 0";

async function withNumbers(address: string): Promise<SqlDatabase> {
  const database = await openSql(address, { folder });
  const session = database.session();
  await session.execute("CREATE TABLE n (i INTEGER PRIMARY KEY, t TEXT)", []);
  const rows = Array.from({ length: 500 }, (_, i) => `(${i}, 'row ${i}')`);
  await session.execute(`INSERT INTO n VALUES ${rows.join(",")}`, []);
  await session.end("commit");
  return database;
}

async function count(database: SqlDatabase): Promise<bigint> {
  const session = database.session();
  const rows = await session.query("SELECT count(*) FROM n", []);
  const [row] = await rows.next(1);
  await session.end("commit");
  const value = row?.[0];
  return value?.tag === "integer" ? value.val : -1n;
}

for (const address of ["sqlite:./endless.db", "memory:"]) {
  describe(`a statement that does not end, in ${address}`, () => {
    test("is stopped when its transaction is cancelled, and what that did is undone", async () => {
      const database = await withNumbers(address.replace("endless", "cancelled"));
      const cancelled = new AbortController();
      const session = database.session(cancelled.signal);
      await session.execute("DELETE FROM n", []);
      const running = Promise.resolve(session.query(`WITH n(i) AS (VALUES ${"(1),".repeat(200)}(1)) ${ENDLESS}`, []));
      let turns = 0;
      const ticking = setInterval(() => turns++, 5);
      await new Promise((resolve) => setTimeout(resolve, 200));
      clearInterval(ticking);
      assert.ok(turns > 5, "this thread goes on meanwhile");
      cancelled.abort(new Error("enough"));
      await assert.rejects(running, /enough/);
      await session.end("rollback");
      assert.equal(await count(database), 500n);
      await database.close();
    });

    test("is stopped when its transaction ends, and the next one does not wait for it", async () => {
      const database = await withNumbers(address.replace("endless", "ended"));
      const session = database.session();
      const running = Promise.resolve(session.query(ENDLESS, []));
      const other = count(database);
      await session.end("rollback");
      await assert.rejects(running, { code: "resource/unavailable" });
      assert.equal(await other, 500n, "what waited goes to another process");
      await database.close();
    });
  });
}

test("whoever had something open there is told, and loses only what was not committed", async () => {
  const database = await withNumbers("sqlite:./others.db");
  const writer = database.session();
  await writer.execute("INSERT INTO n VALUES (1000, 'lost')", []);
  const hostile = database.session();
  const running = Promise.resolve(hostile.query(ENDLESS, []));
  await hostile.end("rollback");
  await assert.rejects(running);
  await assert.rejects(async () => await writer.execute("INSERT INTO n VALUES (1001, 'lost')", []), {
    code: "resource/unavailable",
  });
  await assert.rejects(async () => await writer.end("commit"), { code: "resource/unavailable" });
  assert.equal(await count(database), 500n);
  const again = database.session();
  await again.execute("INSERT INTO n VALUES (1000, 'kept')", []);
  await again.end("commit");
  assert.equal(await count(database), 501n);
  await database.close();
});

test("a database in memory leaves nothing behind", async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("starlane-sql-"));
  const database = await withNumbers("memory:");
  await database.close();
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith("starlane-sql-") && !before.includes(name));
  assert.deepEqual(left, []);
});

test("the process ends with the one that started it, also in the middle of a statement", async () => {
  const script = `
    import { openSql } from ${JSON.stringify(join(import.meta.dirname, "open.ts"))};
    const database = await openSql("sqlite:./orphan.db", { folder: ${JSON.stringify(folder)} });
    console.log(database.host.processId);
    await database.session().query("WITH n(i) AS (VALUES ${"(1),".repeat(200)}(1)) ${ENDLESS}", []);
  `;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [said]: unknown[] = await once(parent.stdout, "data");
  const id = Number(String(said));
  assert.ok(id > 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  parent.kill("SIGKILL");
  while (existsSync(`/proc/${id}/cmdline`) || isAlive(id)) await new Promise((resolve) => setTimeout(resolve, 50));
});

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch {
    return false;
  }
}

test("only reads of one row by a whole key are done without the process", async () => {
  const database = await withNumbers("sqlite:./lookups.db");
  const session = database.session();
  await session.execute("CREATE TABLE two (a INT, b INT, c TEXT, UNIQUE (a, b))", []);
  await session.execute("CREATE INDEX by_c ON two (c)", []);
  await session.execute("CREATE VIEW seen AS SELECT * FROM n", []);
  await session.execute("INSERT INTO two VALUES (1, 2, 'x')", []);
  await session.end("commit");
  assert.ok(database instanceof SqliteDatabase);
  const one = { tag: "integer", val: 1n } as const;
  const lookups = new Lookups(join(folder, "lookups.db"));
  const isLookup = (sql: string, ...parameters: (typeof one)[]): boolean => lookups.find(sql, parameters) !== undefined;
  assert.deepEqual(lookups.find("SELECT t FROM n WHERE i = ?", [one])?.rows, [[{ tag: "text", val: "row 1" }]]);
  assert.deepEqual(lookups.find("select * from n where i = $1", [{ tag: "integer", val: -1n }])?.rows, []);
  assert.ok(isLookup("SELECT c FROM two WHERE a = ? AND b = ?", one, one));
  for (const sql of [
    "SELECT * FROM n",
    "SELECT t FROM n WHERE t = ?",
    "SELECT c FROM two WHERE a = ?",
    "SELECT a FROM two WHERE c = ?",
    "SELECT t FROM seen WHERE i = ?",
    "SELECT x.t FROM n x, n y WHERE x.i = ?",
    "SELECT x.t FROM n x JOIN n y WHERE x.i = ?",
    "SELECT t FROM n WHERE i = ? AND t LIKE t",
    "SELECT hex(t) FROM n WHERE i = ?",
    "SELECT t FROM n WHERE i = ? UNION SELECT t FROM n WHERE i = ?",
    "DELETE FROM n WHERE i = ?",
    "SELECT t FROM n WHERE i = ?; DELETE FROM n",
    "SELECT t FROM nowhere WHERE i = ?",
  ])
    assert.ok(
      !isLookup(
        sql,
        ...sql
          .split("?")
          .slice(1)
          .map(() => one),
      ),
      sql,
    );
  const change = database.session();
  await change.execute("DROP TABLE two", []);
  await change.execute("CREATE TABLE two (a INT, b INT, c TEXT)", []);
  await change.end("commit");
  assert.ok(!isLookup("SELECT c FROM two WHERE a = ? AND b = ?", one, one), "it is a search of all rows now");
  lookups.close();
  await database.close();
});
