// Every SQL backend through the conformance suite; Postgres is a real one.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import postgres from "postgres";
import { startPostgres } from "../../../test/services.ts";
import { sqlConformance } from "./conformance.ts";
import { openSql } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-sql-"));
after(() => rmSync(folder, { recursive: true }));

const TRANSACTIONS = ["BEGIN", "COMMIT", "ROLLBACK", "END", "SAVEPOINT a", "RELEASE part1", "/* x */ commit", "-- x\nCOMMIT"];

const SQLITE_ESCAPES = [
  ...TRANSACTIONS,
  `ATTACH '${folder}/other.db' AS other`,
  "ATTACH ':memory:' AS other",
  "DETACH main",
  `VACUUM INTO '${folder}/copy.db'`,
  "VACUUM",
  "PRAGMA journal_mode = DELETE",
  "PRAGMA writable_schema = 1",
  "PRAGMA user_version = 7",
  "SELECT load_extension('x')",
  "SELECT * FROM pragma_database_list()",
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
  "CREATE VIRTUAL TABLE x USING dbstat",
  "UPDATE sqlite_schema SET sql = ''",
  "DELETE FROM people; COMMIT",
];

sqlConformance("SQLite", {
  folder,
  escapes: SQLITE_ESCAPES,
  open: (name, migrations) => openSql(`sqlite:./deep/${name}.db`, { folder, migrations }),
});

sqlConformance("SQLite in memory", {
  folder,
  escapes: SQLITE_ESCAPES,
  volatile: true,
  open: (_name, migrations) => openSql("memory:", { folder, migrations }),
});

const server = await startPostgres();
const address = `postgres://postgres@127.0.0.1:${server.port}`;
sqlConformance("Postgres", {
  folder,
  missing: server.missing,
  escapes: [
    ...TRANSACTIONS,
    "ABORT",
    "START TRANSACTION",
    "PREPARE TRANSACTION 'x'",
    "SET ROLE postgres",
    "RESET ALL",
    "DISCARD ALL",
    "LISTEN x",
    "COPY people TO '/tmp/people'",
    "COPY people TO PROGRAM 'true'",
    "LOAD 'x'",
    "DO $$ BEGIN COMMIT; END $$",
    "DELETE FROM people; COMMIT",
    "SELECT 1; SELECT 2",
  ],
  open: async (name, migrations) => {
    await createDatabase(name);
    return await openSql(`${address}/${name}`, { folder, migrations });
  },
});

async function createDatabase(name: string): Promise<void> {
  const admin = postgres(`${address}/postgres`, { max: 1 });
  try {
    await admin.unsafe(`CREATE DATABASE ${name}`);
  } catch (error) {
    // Those that open the same one at once, or again.
    if (!(error instanceof postgres.PostgresError) || !/^(42P04|23505)$/.test(error.code)) throw error;
  } finally {
    await admin.end();
  }
}

const skip = server.missing ?? false;

test("Postgres: a statement that runs is stopped on the server when its transaction is cancelled", { skip }, async () => {
  const database = await openSql(`${address}/postgres`, { folder });
  const cancelled = new AbortController();
  const session = database.session(cancelled.signal);
  const running = Promise.resolve(session.query("SELECT pg_sleep(3600)", []));
  setTimeout(() => cancelled.abort(new Error("enough")), 50);
  await assert.rejects(running);
  await session.end("rollback");
  const after = database.session();
  const rows = await after.query(
    "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%3600%' AND pid <> pg_backend_pid()",
    [],
  );
  assert.deepEqual(await rows.next(1), [[{ tag: "integer", val: 0n }]]);
  await after.end("commit");
  await database.close();
});

test("Postgres: what one session sets for itself is not there for the next", { skip }, async () => {
  const database = await openSql(`${address}/postgres`, { folder });
  const answer = async (sql: string): Promise<unknown> => {
    const session = database.session();
    const rows = await (await session.query(sql, [])).next(10);
    await session.end("commit");
    return rows[0]?.[0];
  };
  const name = "current_setting('application_name')";
  const set = "set_config('application_name', 'mine', false)";
  for (let i = 0; i < 20; i++) {
    assert.deepEqual(await answer(`SELECT ${set}, pg_advisory_lock(7)`), { tag: "text", val: "mine" });
    assert.deepEqual(await answer(`SELECT ${name}`), { tag: "text", val: "starlane" });
  }
  await database.close();
});
