// Key-value storage through a guest beside the bare library: in memory a Map, in SQLite the statements alone. The guest is a loop in
// WebAssembly, so what is measured is one host call each.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openKeyValue } from "../src/capabilities/keyvalue/open.ts";
import type { KeyValueStore } from "../src/capabilities/keyvalue/keyvalue.ts";
import { keyValueCapability } from "../src/capabilities/keyvalue/wasi.ts";
import { compileWat } from "../test/wat.ts";
import { type BenchRow, compare } from "./measure.ts";

export const peerName = "bare";

const CALLS = 1000;
/** Changed before each set: SQLite does not write a row that stays as it is. */
const VALUE = new Uint32Array(16).fill(7);
const BYTES = new Uint8Array(VALUE.buffer);

/** Opens the bucket `b` once, and gets or sets its key `key` so many times. */
const GUEST = `(component
  (type $store (instance
    (export "bucket" (type $bucket (sub resource)))
    (type $variant (variant (case "no-such-store") (case "access-denied") (case "other" string)))
    (export "error" (type $error (eq $variant)))
    (export "open" (func (param "identifier" string) (result (result (own $bucket) (error $error)))))
    (export "[method]bucket.get" (func (param "self" (borrow $bucket)) (param "key" string)
      (result (result (option (list u8)) (error $error)))))
    (export "[method]bucket.set" (func (param "self" (borrow $bucket)) (param "key" string) (param "value" (list u8))
      (result (result (error $error)))))))
  (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store (type $store)))
  (alias export $store "bucket" (type $bucket))
  (core module $memory
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.const 65536))
      (global.get $next))
    (data (i32.const 0) "b")
    (data (i32.const 16) "key"))
  (core instance $m (instantiate $memory))
  (alias core export $m "memory" (core memory $mem))
  (alias core export $m "realloc" (core func $realloc))
  (core func $open (canon lower (func $store "open") (memory $mem) (realloc $realloc)))
  (core func $get (canon lower (func $store "[method]bucket.get") (memory $mem) (realloc $realloc)))
  (core func $set (canon lower (func $store "[method]bucket.set") (memory $mem) (realloc $realloc)))
  (core func $drop (canon resource.drop $bucket))
  (core module $main
    (import "" "memory" (memory 2))
    (import "" "open" (func $open (param i32 i32 i32)))
    (import "" "get" (func $get (param i32 i32 i32 i32)))
    (import "" "set" (func $set (param i32 i32 i32 i32 i32 i32)))
    (import "" "drop" (func $drop (param i32)))
    (func $bucket (result i32)
      (call $open (i32.const 0) (i32.const 1) (i32.const 128))
      (if (i32.load8_u (i32.const 128)) (then unreachable))
      (i32.load (i32.const 132)))
    (func (export "get") (param $n i32)
      (local $bucket i32)
      (local.set $bucket (call $bucket))
      (loop $again
        (call $get (local.get $bucket) (i32.const 16) (i32.const 3) (i32.const 128))
        (if (i32.load8_u (i32.const 128)) (then unreachable))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (call $drop (local.get $bucket)))
    (func (export "set") (param $n i32)
      (local $bucket i32)
      (local.set $bucket (call $bucket))
      (loop $again
        (i32.store (i32.const 1024) (local.get $n))
        (call $set (local.get $bucket) (i32.const 16) (i32.const 3) (i32.const 1024) (i32.const 64) (i32.const 128))
        (if (i32.load8_u (i32.const 128)) (then unreachable))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (call $drop (local.get $bucket))))
  (core instance $i (instantiate $main (with "" (instance
    (export "memory" (memory $mem))
    (export "open" (func $open)) (export "get" (func $get)) (export "set" (func $set)) (export "drop" (func $drop))))))
  (func (export "get") (param "n" u32) (canon lift (core func $i "get")))
  (func (export "set") (param "n" u32) (canon lift (core func $i "set"))))`;

export async function run(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "starlane-bench-"));
  try {
    const component = await compileWat(GUEST);
    const guestOn = async (store: KeyValueStore) => {
      const binding = keyValueCapability.configure(new Map([["b", store]]))();
      const instance = await component.instantiate(binding.imports);
      binding.prepare?.({ seed: 1, timestampMs: 0 });
      const [get, set] = [instance.function("get"), instance.function("set")];
      return { get: () => get(CALLS), set: () => set(CALLS) };
    };
    const memory = await guestOn(await openKeyValue("memory:", { folder }));
    const sqliteStore = await openKeyValue("sqlite:./ours.db", { folder });
    const sqlite = await guestOn(sqliteStore);
    const [map, bare] = [bareMap(), bareSqlite(join(folder, "bare.db"))];
    for (const one of [memory, sqlite, map, bare]) one.set();
    const rows = [
      await compare(`${CALLS} x set, in memory (a Map)`, "us", memory.set, map.set),
      await compare(`${CALLS} x get, in memory (a Map)`, "us", memory.get, map.get),
      await compare(`${CALLS} x get, SQLite (node:sqlite)`, "us", sqlite.get, bare.get),
      await compare(`${CALLS} x set, SQLite (node:sqlite)`, "ms", sqlite.set, bare.set, 5),
    ];
    await sqliteStore.close();
    bare.close();
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bareMap() {
  const map = new Map<string, Uint8Array>();
  return {
    set: () => {
      for (let i = 0; i < CALLS; i++) {
        VALUE[0] = i;
        map.set("key", BYTES.slice());
      }
    },
    get: () => {
      let found = 0;
      for (let i = 0; i < CALLS; i++) found += map.get("key")?.slice().length ?? 0;
      return found;
    },
  };
}

function bareSqlite(file: string) {
  const database = new DatabaseSync(file);
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB) STRICT",
  );
  const set = database.prepare("INSERT INTO kv VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
  const get = database.prepare("SELECT value FROM kv WHERE key = ?");
  return {
    set: () => {
      for (let i = 0; i < CALLS; i++) {
        VALUE[0] = i;
        set.run("key", BYTES);
      }
    },
    get: () => {
      for (let i = 0; i < CALLS; i++) get.get("key");
    },
    close: () => database.close(),
  };
}
