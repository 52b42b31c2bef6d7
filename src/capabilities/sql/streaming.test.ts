// `starlane:sql/streaming`, called by a guest with the asynchronous ABI, which hands the stream and the future on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileWat } from "../../../test/wat.ts";
import { ComponentError } from "../../engine/engine.ts";
import { openSql } from "./open.ts";
import { sqlCapability } from "./wasi.ts";

const ERROR = `(type $error-cases (variant (case "no-such-database") (case "access-denied" string) (case "statement" string)
      (case "constraint" string) (case "busy") (case "limit" string) (case "unavailable")))
    (export "error" (type $error (eq $error-cases)))`;

const guest = await compileWat(`(component
  (import "starlane:sql/database@0.1.0" (instance $database
    (export "database" (type $d (sub resource)))
    ${ERROR}
    (export "[static]database.open" (func (param "name" string) (result (result (own $d) (error $error)))))))
  (alias export $database "database" (type $db))
  (import "starlane:sql/streaming@0.1.0" (instance $streaming
    (type $value-cases (variant (case "null") (case "boolean" bool) (case "integer" s64) (case "float" f64) (case "text" string)
      (case "blob" (list u8)) (case "decimal" string) (case "date" string) (case "time" string) (case "timestamp" string)))
    (export "value" (type $value (eq $value-cases)))
    (type $column-fields (record (field "name" string) (field "type" string)))
    (export "column" (type $column (eq $column-fields)))
    ${ERROR}
    (alias outer 1 $db (type $d))
    (export "database" (type $database (eq $d)))
    (type $row (list $value))
    (type $rows (stream $row))
    (type $end (future (result (error $error))))
    (export "query" (func async (param "database" (borrow $database)) (param "statement" string) (param "parameters" (list $value))
      (result (result (tuple (list $column) $rows $end) (error $error)))))))
  (alias export $streaming "value" (type $value))
  (alias export $streaming "column" (type $column))
  (alias export $streaming "error" (type $error))
  (type $row (list $value))
  (type $rows (stream $row))
  (type $end (future (result (error $error))))
  (core module $Memory
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3))))
    (data (i32.const 0) "main"))
  (core instance $m (instantiate $Memory))
  (alias core export $m "memory" (core memory $mem))
  (alias core export $m "realloc" (core func $realloc))
  (core func $open (canon lower (func $database "[static]database.open") (memory $mem) (realloc $realloc)))
  (core func $query (canon lower (func $streaming "query") (memory $mem) (realloc $realloc)))
  (core func $drop (canon resource.drop $db))
  (core module $Main
    (import "" "memory" (memory 1))
    (import "" "open" (func $open (param i32 i32 i32)))
    (import "" "query" (func $query (param i32 i32 i32 i32 i32 i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "query") (param $sql i32) (param $length i32) (result i32)
      (call $open (i32.const 0) (i32.const 4) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then unreachable))
      (call $query (i32.load (i32.const 68)) (local.get $sql) (local.get $length) (i32.const 0) (i32.const 0) (i32.const 128))
      (call $drop (i32.load (i32.const 68)))
      (i32.const 128)))
  (core instance $main (instantiate $Main (with "" (instance (export "memory" (memory $mem))
    (export "open" (func $open)) (export "query" (func $query)) (export "drop" (func $drop))))))
  (func (export "query") async (param "sql" string) (result (result (tuple (list $column) $rows $end) (error $error)))
    (canon lift (core func $main "query") (memory $mem) (realloc $realloc))))`);

async function link() {
  const database = await openSql("memory:", { folder: "/" });
  const filling = database.session();
  await filling.execute("CREATE TABLE numbers (n INTEGER, square TEXT)", []);
  const values = Array.from({ length: 1000 }, (_, i) => `(${i}, '${i * i}')`);
  await filling.execute(`INSERT INTO numbers VALUES ${values.join(", ")}`, []);
  await filling.end("commit");
  const binding = sqlCapability.configure(new Map([["main", database]]))();
  const instance = await guest.instantiate(binding.imports);
  binding.prepare?.({ seed: 1, timestampMs: 0 });
  const end = async (): Promise<void> => {
    await binding.finish?.("done");
    await database.close();
  };
  return { instance, end };
}

test("an answer is a stream of rows, and a future that tells whether all of them came", async () => {
  const { instance, end } = await link();
  const answer = await instance.call("query", ["SELECT n, square FROM numbers ORDER BY n"]);
  assert.ok(Array.isArray(answer));
  const [columns, rows, complete] = answer as [unknown, AsyncIterable<readonly unknown[]>, Promise<unknown>];
  assert.deepEqual(columns, [
    { name: "n", type: "INTEGER" },
    { name: "square", type: "TEXT" },
  ]);
  const all: unknown[] = [];
  for await (const chunk of rows) all.push(...chunk);
  assert.equal(all.length, 1000);
  assert.deepEqual(all[30], [
    { tag: "integer", val: 30n },
    { tag: "text", val: "900" },
  ]);
  assert.deepEqual(await complete, { tag: "ok" });
  await end();
});

test("a statement that fails is an error before there is a stream", async () => {
  const { instance, end } = await link();
  await assert.rejects(instance.call("query", ["SELECT * FROM nowhere"]), (error) => {
    assert.ok(error instanceof ComponentError);
    assert.deepEqual(error.payload, { tag: "statement", val: "no such table: nowhere" });
    return true;
  });
  await end();
});
