// Every function of `starlane:sql` and `wasi:sql`, called by a guest through the engine.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransactionOutcome, WholeTransaction } from "../capability.ts";
import { jsGuest } from "../fixtures/js-guest.ts";
import { inertImports } from "../inert.ts";
import { openSql } from "./open.ts";
import type { SqlDatabase } from "./sql.ts";
import { sqlCapability } from "./wasi.ts";

const TRANSACTION = { seed: 1, timestampMs: 1_790_000_000_000 };

const guest = await jsGuest(
  "sql",
  `
  import { Database, Transaction } from "starlane:sql/database@0.1.0";
  import { Connection, Statement } from "wasi:sql/types@0.2.0-draft";
  import { query, exec } from "wasi:sql/readwrite@0.2.0-draft";
  const plain = (row) => row.map(({ val }) => val === undefined ? null : val instanceof Uint8Array ? [...val] : val);
  const traced = (f) => { try { return f() } catch (error) { return error.payload?.trace() ?? String(error) } };
  const names = (database) => {
    const rows = database.query("SELECT name FROM people ORDER BY name", []);
    return rows.next(1000).map((row) => row[0].val);
  };
  const all = {
    create() {
      const database = Database.open("main");
      database.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE, picture BLOB, ok BOOLEAN)", []);
      const rows = database.query("INSERT INTO people VALUES ($1, $2, $3, $4) RETURNING id, name, picture, ok", [
        { tag: "integer", val: 7 }, { tag: "text", val: "ada" }, { tag: "blob", val: new Uint8Array([1, 2]) }, { tag: "null" },
      ]);
      return [rows.columns(), plain(rows.next(10)[0]), rows.next(10)];
    },
    insert: (name) => Number(Database.open("main").execute("INSERT INTO people (name) VALUES (?)", [{ tag: "text", val: name }])),
    fail(name) { all.insert(name); throw new Error("the guest gives up") },
    names: () => names(Database.open("main")),
    parts() {
      const database = Database.open("main");
      const kept = database.begin();
      all.insert("kept");
      Transaction.commit(kept);
      const undone = database.begin();
      all.insert("undone");
      Transaction.rollback(undone);
      return names(database);
    },
    errors: () => [
      attempt(() => Database.open("other")),
      attempt(() => Database.open("main").query("SELEKT", [])),
      attempt(() => Database.open("main").execute("INSERT INTO people (name) VALUES ('ada')", [])),
      attempt(() => Database.open("main").execute("COMMIT", [])),
      attempt(() => Database.open("main").query("SELECT ?", [])),
    ],
    open: () => attempt(() => Database.open("main").execute("SELECT 1", [])),
    draft() {
      const connection = Connection.open("main");
      const changed = exec(connection, Statement.prepare("INSERT INTO people (id, name) VALUES (?, ?)", ["9", "grace"]));
      const cells = query(connection, Statement.prepare("SELECT id, name, ok FROM people WHERE name = ?", ["grace"]));
      return [
        changed, cells,
        traced(() => Connection.open("other")),
        traced(() => exec(connection, Statement.prepare("DROP TABLE nowhere", []))),
      ];
    },
  };
  export const run = (input) => { const [name, ...args] = input.split(" "); return JSON.stringify(all[name](...args)) };
  `,
);

async function link(database: SqlDatabase) {
  const binding = sqlCapability.configure(new Map([["main", database]]))();
  const instance = await guest.instantiate({ ...inertImports(TRANSACTION), ...binding.imports });
  const run = async (input: string): Promise<unknown> => JSON.parse(String(await instance.call("run", [input])));
  const transaction = async (...inputs: string[]): Promise<unknown> => {
    binding.prepare?.(TRANSACTION);
    const answers: unknown[] = [];
    for (const input of inputs) answers.push(await run(input));
    await binding.finish?.("done");
    return answers.at(-1);
  };
  return { binding, run, transaction };
}

test("a guest writes and reads rows of typed values, in parts that it commits and undoes", async () => {
  const database = await openSql("memory:", { folder: "/" });
  const { transaction } = await link(database);
  assert.deepEqual(await transaction("create"), [
    [
      { name: "id", type: "INTEGER" },
      { name: "name", type: "TEXT" },
      { name: "picture", type: "BLOB" },
      { name: "ok", type: "BOOLEAN" },
    ],
    [7, "ada", [1, 2], null],
    [],
  ]);
  assert.deepEqual(await transaction("parts"), ["ada", "kept"]);
  await database.close();
});

test("what a failed transaction did is undone, in a database that others use", async () => {
  const database = await openSql("memory:", { folder: "/" });
  const [first, second] = [await link(database), await link(database)];
  await first.transaction("create");
  first.binding.prepare?.(TRANSACTION);
  await first.run("insert grace");
  await assert.rejects(first.run("fail edith"));
  await first.binding.finish?.("failed");
  assert.deepEqual(await second.transaction("names"), ["ada"]);
  await database.close();
});

test("components of one transaction share what they did, and it ends for all of them at once", async () => {
  const database = await openSql("memory:", { folder: "/" });
  await (await link(database)).transaction("create");
  for (const outcome of ["failed", "done"] as const) {
    const ends: ((outcome: TransactionOutcome) => void | Promise<void>)[] = [];
    const whole: WholeTransaction = { kept: new Map(), onEnd: (run) => void ends.push(run) };
    const [first, second] = [await link(database), await link(database)];
    first.binding.prepare?.({ ...TRANSACTION, whole });
    await first.run("insert grace");
    await first.binding.finish?.("done");
    second.binding.prepare?.({ ...TRANSACTION, whole });
    assert.deepEqual(await second.run("names"), ["ada", "grace"]);
    await second.binding.finish?.("done");
    for (const end of ends) await end(outcome);
    assert.deepEqual(await (await link(database)).transaction("names"), outcome === "done" ? ["ada", "grace"] : ["ada"]);
  }
  await database.close();
});

test("errors are of the interface's own type, and nothing is granted before the first transaction", async () => {
  const database = await openSql("memory:", { folder: "/" });
  const { run, transaction } = await link(database);
  assert.deepEqual(await run("open"), { tag: "access-denied", val: "there is no transaction yet" });
  await transaction("create");
  assert.deepEqual(await transaction("errors"), [
    { tag: "no-such-database" },
    { tag: "statement", val: 'near "SELEKT": syntax error' },
    { tag: "constraint", val: "UNIQUE constraint failed: people.name" },
    { tag: "access-denied", val: "transactions begin and end with the component's own" },
    { tag: "statement", val: "the statement has 1 parameters, but 0 were given" },
  ]);
  await database.close();
});

test("the draft of WASI gets cells and changes by texts", async () => {
  const database = await openSql("memory:", { folder: "/" });
  const { transaction } = await link(database);
  assert.deepEqual(await transaction("create", "draft"), [
    1,
    [
      { fieldName: "id", value: { tag: "int64", val: 9 } },
      { fieldName: "name", value: { tag: "str", val: "grace" } },
      { fieldName: "ok", value: { tag: "null" } },
    ],
    "no such database",
    "no such table: nowhere",
  ]);
  await database.close();
});
