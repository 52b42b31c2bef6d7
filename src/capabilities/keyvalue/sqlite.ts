// A key-value store in a SQLite file: one table for all buckets. Answers at once. Changes of other processes are seen when they
// are read, not by `watch`.

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { reachingNow } from "../resources/resource.ts";
import { inTransaction, openSqlite } from "../resources/sqlite.ts";
import { boundedKeyValue } from "./bounded.ts";
import {
  type Change,
  type Entry,
  type Expiry,
  expiryOf,
  incremented,
  integerBytes,
  type KeyPage,
  type KeyValueSettings,
  type KeyValueStore,
  type VersionedValue,
} from "./keyvalue.ts";

const RESOURCE = "the key-value store in SQLite";
const ABSENT = "";
/** After so many writes what has expired is removed. */
const WRITES_BETWEEN_CLEANINGS = 1000;

const SCHEMA = `CREATE TABLE IF NOT EXISTS starlane_keyvalue (
  bucket TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL, expires_ms INTEGER NOT NULL,
  PRIMARY KEY (bucket, key)
) STRICT;
CREATE INDEX IF NOT EXISTS starlane_keyvalue_expiry ON starlane_keyvalue (expires_ms) WHERE expires_ms < ${Number.MAX_SAFE_INTEGER}`;

const LIVE = "bucket = ? AND key = ? AND expires_ms > ?";

/** @throws StarlaneError `resource/unavailable` */
export function sqliteKeyValue(path: string, bucket: string, settings: KeyValueSettings): KeyValueStore {
  const database = openSqlite(path, { folder: settings.folder, durability: "normal" });
  return boundedKeyValue(reachingNow(RESOURCE, () => new SqliteKeyValue(database, bucket, expiryOf(settings))));
}

class SqliteKeyValue implements KeyValueStore {
  readonly immediate = true;
  readonly #database: DatabaseSync;
  readonly #bucket: string;
  readonly #expiry: Expiry;
  readonly #statements: Record<"get" | "read" | "set" | "insert" | "update" | "delete" | "keys" | "clean", StatementSync>;
  readonly #listeners = new Set<(change: Change) => void>();
  #writes = 0;

  constructor(database: DatabaseSync, bucket: string, expiry: Expiry) {
    this.#database = database;
    this.#bucket = bucket;
    this.#expiry = expiry;
    database.exec(SCHEMA);
    const insert = "INSERT INTO starlane_keyvalue (bucket, key, value, version, expires_ms) VALUES (?, ?, ?, ?, ?)";
    const replace =
      "ON CONFLICT DO UPDATE SET value = excluded.value, version = excluded.version, expires_ms = excluded.expires_ms";
    this.#statements = {
      get: database.prepare(`SELECT value FROM starlane_keyvalue WHERE ${LIVE}`),
      read: database.prepare(`SELECT value, version FROM starlane_keyvalue WHERE ${LIVE}`),
      set: database.prepare(`${insert} ${replace}`),
      insert: database.prepare(`${insert} ${replace} WHERE starlane_keyvalue.expires_ms <= ?`),
      update: database.prepare(
        `UPDATE starlane_keyvalue SET value = ?, version = ?, expires_ms = ? WHERE ${LIVE} AND version = ?`,
      ),
      delete: database.prepare("DELETE FROM starlane_keyvalue WHERE bucket = ? AND key = ?"),
      keys: database.prepare(
        "SELECT key FROM starlane_keyvalue WHERE bucket = ? AND key > ? AND expires_ms > ? ORDER BY key LIMIT ?",
      ),
      clean: database.prepare("DELETE FROM starlane_keyvalue WHERE expires_ms <= ?"),
    };
    for (const statement of Object.values(this.#statements)) statement.setReturnArrays(true);
  }

  get(key: string): Uint8Array | undefined {
    return reachingNow(RESOURCE, () => bytesIn(this.#statements.get.get(this.#bucket, key, this.#expiry.now())));
  }

  set(key: string, value: Uint8Array): void {
    reachingNow(RESOURCE, () => {
      this.#statements.set.run(this.#bucket, key, value, newVersion(), this.#expiry.expiresMs());
      this.#cleanNowAndThen();
    });
    this.#tell({ kind: "set", key, value });
  }

  delete(key: string): void {
    const removed = reachingNow(RESOURCE, () => this.#statements.delete.run(this.#bucket, key));
    if (removed.changes !== 0) this.#tell({ kind: "delete", key });
  }

  exists(key: string): boolean {
    return this.get(key) !== undefined;
  }

  keys(cursor: string | undefined, limit: number): KeyPage {
    const rows = reachingNow(RESOURCE, () =>
      this.#statements.keys.all(this.#bucket, cursor ?? "", this.#expiry.now(), limit + 1),
    );
    const keys = rows.slice(0, limit).map((row) => String(cell(row, 0)));
    return { keys, cursor: rows.length > limit ? keys.at(-1) : undefined };
  }

  increment(key: string, delta: bigint): bigint {
    return this.#together(() => {
      const sum = incremented(this.get(key), delta);
      this.set(key, integerBytes(sum));
      return sum;
    });
  }

  read(key: string): VersionedValue {
    const row = reachingNow(RESOURCE, () => this.#statements.read.get(this.#bucket, key, this.#expiry.now()));
    return row === undefined ? { value: undefined, version: ABSENT } : { value: bytesIn(row), version: String(cell(row, 1)) };
  }

  swap(key: string, version: string, value: Uint8Array): boolean {
    const { insert, update } = this.#statements;
    const [now, expires] = [this.#expiry.now(), this.#expiry.expiresMs()];
    const { changes } = reachingNow(RESOURCE, () =>
      version === ABSENT
        ? insert.run(this.#bucket, key, value, newVersion(), expires, now)
        : update.run(value, newVersion(), expires, this.#bucket, key, now, Number(version)),
    );
    if (changes === 0) return false;
    this.#tell({ kind: "set", key, value });
    return true;
  }

  getMany(keys: readonly string[]): (Uint8Array | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  setMany(entries: readonly Entry[]): void {
    this.#together(() => {
      for (const [key, value] of entries) this.set(key, value);
    });
  }

  deleteMany(keys: readonly string[]): void {
    this.#together(() => {
      for (const key of keys) this.delete(key);
    });
  }

  watch(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #together<T>(work: () => T): T {
    return reachingNow(RESOURCE, () => inTransaction(this.#database, work));
  }

  #cleanNowAndThen(): void {
    if (++this.#writes % WRITES_BETWEEN_CLEANINGS === 0) this.#statements.clean.run(this.#expiry.now());
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** Not a count: a key that was deleted and set again must not get a version that it had before. */
function newVersion(): number {
  return Math.floor(Math.random() * 2 ** 52);
}

function cell(row: unknown, index: number): unknown {
  return Array.isArray(row) ? (row as unknown[])[index] : undefined;
}

function bytesIn(row: unknown): Uint8Array | undefined {
  const value = cell(row, 0);
  return value instanceof Uint8Array ? value : undefined;
}
