// What every SQL backend does, as tests, in the SQL that all of them understand.

import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import {
  type SqlDatabase,
  sqlProblem,
  type SqlProblem,
  type SqlRow,
  type SqlRows,
  type SqlSession,
  type SqlValue,
} from "./sql.ts";

export interface SqlUnderTest {
  /** An empty database; the same name opens the same one again. */
  open(name: string, migrations?: string): Promise<SqlDatabase>;
  readonly missing?: string | undefined;
  /** Gone when it is closed. */
  readonly volatile?: boolean;
  /** A folder for migrations. */
  readonly folder: string;
  /** Statements that reach out of the database or the transaction. */
  readonly escapes: readonly string[];
}

const integer = (val: number): SqlValue => ({ tag: "integer", val: BigInt(val) });
const text = (val: string): SqlValue => ({ tag: "text", val });

const failsWith = (problem: SqlProblem) => (error: unknown) => {
  assert.ok(error instanceof StarlaneError, String(error));
  assert.equal(sqlProblem(error), problem, error.message);
  return true;
};

async function allOf(rows: SqlRows, limit = 1000): Promise<SqlRow[]> {
  const all: SqlRow[] = [];
  for (;;) {
    const some = await rows.next(limit);
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Every value without its tag. */
const plain = (rows: readonly SqlRow[]): unknown[][] =>
  rows.map((row) =>
    row.map((value) => ("val" in value ? (typeof value.val === "bigint" ? Number(value.val) : value.val) : null)),
  );

async function query(session: SqlSession, sql: string, parameters: readonly SqlValue[] = []): Promise<unknown[][]> {
  return plain(await allOf(await session.query(sql, parameters)));
}

export function sqlConformance(backend: string, under: SqlUnderTest): void {
  let opened = 0;
  const options = { skip: under.missing ?? false };
  const cases = (name: string, run: (database: SqlDatabase) => Promise<void>): void => {
    test(`${backend}: ${name}`, options, async () => {
      const database = await under.open(`d${opened++}`);
      try {
        const session = database.session();
        await session.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, age INTEGER)", []);
        await session.end("commit");
        await run(database);
      } finally {
        await database.close();
      }
    });
  };
  const insert = async (session: SqlSession, id: number, name: string): Promise<bigint> =>
    await session.execute("INSERT INTO people (id, name) VALUES ($1, $2)", [integer(id), text(name)]);
  const names = async (database: SqlDatabase): Promise<unknown[]> => {
    const session = database.session();
    const rows = await query(session, "SELECT name FROM people ORDER BY id");
    await session.end("commit");
    return rows.flat();
  };

  cases("every type of value comes back as it was", async (database) => {
    const session = database.session();
    await session.execute(
      `CREATE TABLE kinds (b BOOLEAN, i BIGINT, f DOUBLE PRECISION, t TEXT, x ${backend === "Postgres" ? "BYTEA" : "BLOB"},
        d DATE, ts TIMESTAMP, n DECIMAL(20,3))`,
      [],
    );
    const values: SqlValue[] = [
      { tag: "boolean", val: true },
      { tag: "integer", val: -9_223_372_036_854_775_807n },
      { tag: "float", val: 0.1 },
      { tag: "text", val: "it's ä€😀 \\ ?" },
      { tag: "blob", val: Uint8Array.of(0, 255, 92, 39) },
      { tag: "date", val: "2026-11-21" },
      { tag: "timestamp", val: "2026-11-21T13:37:00.125" },
      { tag: "decimal", val: "12.345" },
    ];
    await session.execute("INSERT INTO kinds VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", values);
    await session.execute(
      "INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      values.map(() => ({ tag: "null" }) as const),
    );
    const rows = await session.query("SELECT * FROM kinds ORDER BY i IS NULL", []);
    assert.deepEqual(
      rows.columns.map((column) => column.name),
      ["b", "i", "f", "t", "x", "d", "ts", "n"],
    );
    const all = await allOf(rows);
    assert.deepEqual(all[0], values);
    assert.deepEqual(all[1], Array(8).fill({ tag: "null" }));
    await session.end("rollback");
  });

  cases("an answer without rows still has its columns", async (database) => {
    const session = database.session();
    const rows = await session.query("SELECT id, name FROM people", []);
    assert.deepEqual(
      rows.columns.map(({ name }) => name),
      ["id", "name"],
    );
    assert.deepEqual(await allOf(rows), []);
    await session.end("commit");
  });

  cases("changes are counted, and answers of changes are rows", async (database) => {
    const session = database.session();
    assert.equal(await insert(session, 1, "ada"), 1n);
    assert.equal(await insert(session, 2, "grace"), 1n);
    assert.equal(await session.execute("UPDATE people SET age = 36", []), 2n);
    assert.equal(await session.execute("UPDATE people SET age = 1 WHERE id = 9", []), 0n);
    assert.deepEqual(await query(session, "DELETE FROM people WHERE id = ? RETURNING name", [integer(2)]), [["grace"]]);
    assert.deepEqual(await query(session, "SELECT count(*) FROM people"), [[1]]);
    await session.end("commit");
    assert.deepEqual(await names(database), ["ada"]);
  });

  cases("what a session did is there after commit, and was never there after rollback", async (database) => {
    const kept = database.session();
    await insert(kept, 1, "ada");
    await kept.end("commit");
    const undone = database.session();
    await insert(undone, 2, "grace");
    await undone.execute("DELETE FROM people WHERE id = 1", []);
    await undone.execute("CREATE TABLE extra (a INTEGER)", []);
    assert.deepEqual(await query(undone, "SELECT name FROM people"), [["grace"]]);
    await undone.end("rollback");
    assert.deepEqual(await names(database), ["ada"]);
    const after = database.session();
    await assert.rejects(async () => await after.query("SELECT * FROM extra", []), failsWith("statement"));
    await after.end("commit");
    await assert.rejects(async () => await undone.query("SELECT 1", []), failsWith("statement"));
  });

  cases("nobody sees what another session has not committed", async (database) => {
    if (under.volatile === true) return;
    const writer = database.session();
    await insert(writer, 1, "ada");
    assert.deepEqual(await names(database), []);
    await writer.end("commit");
    assert.deepEqual(await names(database), ["ada"]);
  });

  cases("sessions that write the same wait for each other, and none is lost", async (database) => {
    const first = database.session();
    await insert(first, 1, "ada");
    await first.execute("UPDATE people SET age = 0", []);
    await first.end("commit");
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const session = database.session();
        await session.execute("UPDATE people SET age = age + 1 WHERE id = 1", []);
        await query(session, "SELECT age FROM people");
        await session.end("commit");
      }),
    );
    const session = database.session();
    assert.deepEqual(await query(session, "SELECT age FROM people"), [[8]]);
    await session.end("commit");
  });

  cases("a statement that fails changes nothing, says why, and the transaction goes on", async (database) => {
    const session = database.session();
    await insert(session, 1, "ada");
    await assert.rejects(() => insert(session, 2, "ada"), failsWith("constraint"));
    await assert.rejects(async () => await session.execute("INSERT INTO people (id) VALUES (3)", []), failsWith("constraint"));
    await assert.rejects(async () => await session.query("SELEKT 1", []), failsWith("statement"));
    await assert.rejects(async () => await session.query("SELECT * FROM nowhere", []), failsWith("statement"));
    await assert.rejects(async () => await session.query("SELECT $1", []), failsWith("statement"));
    await assert.rejects(async () => await session.query("SELECT 1", [integer(1)]), failsWith("statement"));
    await assert.rejects(async () => await session.query("", []), failsWith("statement"));
    await assert.rejects(async () => await session.execute("DELETE FROM people; DELETE FROM people", []), failsWith("statement"));
    await insert(session, 4, "grace");
    await session.end("commit");
    assert.deepEqual(await names(database), ["ada", "grace"]);
  });

  cases("parts of a transaction are undone alone, the innermost first", async (database) => {
    const session = database.session();
    await insert(session, 1, "ada");
    const outer = await session.begin();
    await insert(session, 2, "grace");
    const inner = await session.begin();
    await insert(session, 3, "edith");
    await assert.rejects(async () => await outer.commit(), failsWith("statement"));
    await inner.rollback();
    await inner.rollback();
    assert.deepEqual(await query(session, "SELECT count(*) FROM people"), [[2]]);
    await outer.commit();
    const lost = await session.begin();
    await session.execute("DELETE FROM people", []);
    await lost.rollback();
    await session.end("commit");
    assert.deepEqual(await names(database), ["ada", "grace"]);
  });

  cases("answers are read piece by piece, several at once, while other statements run", async (database) => {
    const session = database.session();
    for (let i = 0; i < 30; i++) {
      const values = Array.from({ length: 100 }, (_, j) => `(${i * 100 + j}, 'p${i * 100 + j}')`);
      await session.execute(`INSERT INTO people (id, name) VALUES ${values.join(", ")}`, []);
    }
    await session.end("commit");
    const reading = database.session();
    const [up, down] = [
      await reading.query("SELECT id FROM people ORDER BY id", []),
      await reading.query("SELECT id FROM people ORDER BY id DESC", []),
    ];
    const first = plain(await up.next(7));
    assert.deepEqual(
      first.flat(),
      Array.from({ length: 7 }, (_, i) => i),
    );
    assert.equal(plain(await down.next(1))[0]?.[0], 2999);
    await reading.execute("DELETE FROM people WHERE id = 0", []);
    assert.deepEqual(await query(reading, "SELECT count(*) FROM people"), [[2999]]);
    const rest = plain(await allOf(up, 250)).flat();
    assert.equal(rest.length, 2993);
    assert.equal(rest.at(-1), 2999);
    await down.close();
    await reading.end("rollback");
    assert.equal((await names(database)).length, 3000);
  });

  cases("too many open answers, long statements and large parameters pass a limit", async (database) => {
    const fill = database.session();
    for (let i = 0; i < 12; i++) {
      const values = Array.from({ length: 100 }, (_, j) => `(${i * 100 + j}, 'p${i * 100 + j}')`);
      await fill.execute(`INSERT INTO people (id, name) VALUES ${values.join(", ")}`, []);
    }
    await fill.end("commit");
    const session = database.session();
    const large = { tag: "blob", val: new Uint8Array((16 << 20) + 1) } as const;
    await assert.rejects(async () => await session.query("SELECT $1", [large]), failsWith("limit"));
    await assert.rejects(async () => await session.query(`SELECT '${"x".repeat(100_000)}'`, []), failsWith("limit"));
    await assert.rejects(async () => await session.query("SELECT 1", Array(1001).fill(integer(1))), failsWith("limit"));
    await session.end("commit");
  });

  cases("a statement neither ends the transaction nor leaves the database", async (database) => {
    const session = database.session();
    await insert(session, 1, "ada");
    for (const sql of under.escapes) {
      await assert.rejects(
        async () => await session.execute(sql, []),
        (error) => error instanceof StarlaneError && ["denied", "statement"].includes(sqlProblem(error)),
        sql,
      );
    }
    await session.end("rollback");
    assert.deepEqual(await names(database), []);
  });

  cases("who waits for a turn to write can give up, and the next one gets it", async (database) => {
    const [holding, waiting, next] = [database.session(), new AbortController(), database.session()];
    await insert(holding, 1, "ada");
    await holding.execute("UPDATE people SET age = 1 WHERE id = 1", []);
    const update = "UPDATE people SET age = 2 WHERE id = 1";
    const given = database.session(waiting.signal);
    const attempt = Promise.resolve(given.execute(update, []));
    attempt.catch(() => undefined);
    setImmediate(() => waiting.abort(new Error("enough")));
    await assert.rejects(attempt);
    await given.end("rollback");
    await holding.end("commit");
    assert.equal(await next.execute(update, []), 1n);
    await next.end("commit");
  });

  test(`${backend}: migrations are applied once, in order, by one of many who start at once`, options, async () => {
    const folder = join(under.folder, `migrations-${backend}`);
    mkdirSync(folder, { recursive: true });
    const write = (name: string, sql: string): void => writeFileSync(join(folder, name), sql);
    write("001-notes.sql", "CREATE TABLE notes (id INTEGER, body TEXT); INSERT INTO notes VALUES (1, 'a;b');");
    write("002_more.sql", "-- more\nINSERT INTO notes VALUES (2, 'c');");
    write("readme.txt", "no migration");
    const check = async (database: SqlDatabase, expected: unknown[]): Promise<void> => {
      const session = database.session();
      assert.deepEqual((await query(session, "SELECT body FROM notes ORDER BY id")).flat(), expected);
      await session.end("commit");
    };
    const databases = await Promise.all(Array.from({ length: 3 }, () => under.open("migrated", folder)));
    for (const database of databases) await check(database, ["a;b", "c"]);
    for (const database of databases) await database.close();
    if (under.volatile === true) return;

    const isMigrationError = (pattern: RegExp) => (error: unknown) =>
      error instanceof StarlaneError && error.code === "resource/migration" && pattern.test(error.message);
    write("003-broken.sql", "INSERT INTO notes VALUES (3, 'd'); INSERT INTO nowhere VALUES (1);");
    await assert.rejects(under.open("migrated", folder), isMigrationError(/003-broken\.sql failed.*nowhere/));
    write("003-broken.sql", "INSERT INTO notes VALUES (3, 'e');");
    const mended = await under.open("migrated", folder);
    await check(mended, ["a;b", "c", "e"]);
    await mended.close();
    write("002_more.sql", "INSERT INTO notes VALUES (2, 'changed');");
    await assert.rejects(under.open("migrated", folder), isMigrationError(/002_more\.sql was changed after it was applied/));
    rmSync(join(folder, "002_more.sql"));
    await assert.rejects(under.open("migrated", folder), isMigrationError(/002_more\.sql was applied, but its file is gone/));
    write("002_more.sql", "-- more\nINSERT INTO notes VALUES (2, 'c');");
    write("000-late.sql", "SELECT 1;");
    await assert.rejects(under.open("migrated", folder), isMigrationError(/000-late\.sql comes before others/));
    write("0-same.sql", "SELECT 1;");
    await assert.rejects(under.open("migrated", folder), isMigrationError(/have the same number/));
    rmSync(join(folder, "0-same.sql"));
    write("x.sql", "SELECT 1;");
    await assert.rejects(under.open("migrated", folder), isMigrationError(/x\.sql has no number in front/));
  });
}
