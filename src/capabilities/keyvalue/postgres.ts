// A key-value store in Postgres: one table for all buckets. Keys are kept as bytes: a text of Postgres holds no U+0000.

import type { Address } from "../resources/address.ts";
import { connectPostgres, type Postgres, sqlStateOf } from "../resources/postgres.ts";
import { reaching } from "../resources/resource.ts";
import { boundedKeyValue } from "./bounded.ts";
import {
  type Change,
  type Entry,
  type Expiry,
  expiryOf,
  type KeyPage,
  type KeyValueSettings,
  type KeyValueStore,
  notAnInteger,
  type VersionedValue,
} from "./keyvalue.ts";

const RESOURCE = "the key-value store in Postgres";
const CONNECTIONS = 4;
const ABSENT = "0";
const CHANNEL = "starlane_keyvalue";
/** Two processes that create the same table at once can fail each other, so they take turns by this lock. */
const SCHEMA_LOCK = 7_381_294_001;
/** Postgres, class 22 ("data exception"): the value is no integer, or too large. */
const DATA_EXCEPTION = /^22/;

const SCHEMA = `
SELECT pg_advisory_xact_lock(${SCHEMA_LOCK});
CREATE SEQUENCE IF NOT EXISTS starlane_keyvalue_version;
CREATE TABLE IF NOT EXISTS starlane_keyvalue (
  bucket text NOT NULL, key bytea NOT NULL, value bytea NOT NULL,
  version bigint NOT NULL DEFAULT nextval('starlane_keyvalue_version'), expires_ms bigint NOT NULL,
  PRIMARY KEY (bucket, key)
);`;

/** Installed only where somebody watches: a notification makes commits wait for each other. */
const NOTIFIER = `
SELECT pg_advisory_xact_lock(${SCHEMA_LOCK});
CREATE OR REPLACE FUNCTION starlane_keyvalue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE entry starlane_keyvalue := COALESCE(NEW, OLD);
BEGIN
  PERFORM pg_notify('${CHANNEL}', TG_OP || ' ' || entry.bucket || ' ' || encode(entry.key, 'hex'));
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER starlane_keyvalue_changed AFTER INSERT OR UPDATE OR DELETE ON starlane_keyvalue
  FOR EACH ROW EXECUTE FUNCTION starlane_keyvalue_changed();`;

/** @throws StarlaneError `resource/unavailable` (rejects) */
export async function postgresKeyValue(server: Address, bucket: string, settings: KeyValueSettings): Promise<KeyValueStore> {
  const pool = await connectPostgres(server, { connections: CONNECTIONS });
  try {
    await reaching(RESOURCE, () => pool.begin((sql) => sql.unsafe(SCHEMA)));
    return boundedKeyValue(new PostgresKeyValue(pool, bucket, expiryOf(settings)));
  } catch (error) {
    await pool.end({ timeout: 0 });
    throw error;
  }
}

class PostgresKeyValue implements KeyValueStore {
  readonly immediate = false;
  readonly #sql: Postgres;
  readonly #bucket: string;
  readonly #expiry: Expiry;

  constructor(sql: Postgres, bucket: string, expiry: Expiry) {
    this.#sql = sql;
    this.#bucket = bucket;
    this.#expiry = expiry;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.read(key)).value;
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    await this.setMany([[key, value]]);
  }

  async delete(key: string): Promise<void> {
    await this.deleteMany([key]);
  }

  async exists(key: string): Promise<boolean> {
    const rows = await reaching(
      RESOURCE,
      () => this.#sql`SELECT 1 FROM starlane_keyvalue
        WHERE bucket = ${this.#bucket} AND key = ${bytes(key)} AND expires_ms > ${this.#expiry.now()}`,
    );
    return rows.length > 0;
  }

  async keys(cursor: string | undefined, limit: number): Promise<KeyPage> {
    const rows = await reaching(
      RESOURCE,
      () => this.#sql<{ key: Uint8Array }[]>`SELECT key FROM starlane_keyvalue
        WHERE bucket = ${this.#bucket} AND key > ${bytes(cursor ?? "")} AND expires_ms > ${this.#expiry.now()}
        ORDER BY key LIMIT ${limit + 1}`,
    );
    const keys = rows.slice(0, limit).map((row) => new TextDecoder().decode(row.key));
    return { keys, cursor: rows.length > limit ? keys.at(-1) : undefined };
  }

  async increment(key: string, delta: bigint): Promise<bigint> {
    const [now, expires] = [this.#expiry.now(), this.#expiry.expiresMs()];
    return await reaching(RESOURCE, async () => {
      try {
        const [row] = await this.#sql<{ value: Uint8Array }[]>`
          INSERT INTO starlane_keyvalue AS old (bucket, key, value, expires_ms)
          VALUES (${this.#bucket}, ${bytes(key)}, convert_to(${delta.toString()}, 'UTF8'), ${expires})
          ON CONFLICT (bucket, key) DO UPDATE SET version = nextval('starlane_keyvalue_version'), expires_ms = excluded.expires_ms,
            value = convert_to(((CASE WHEN old.expires_ms > ${now} THEN convert_from(old.value, 'UTF8') ELSE '0' END)::bigint
              + ${delta.toString()}::bigint)::text, 'UTF8')
          RETURNING value`;
        return BigInt(new TextDecoder().decode(row?.value));
      } catch (error) {
        if (DATA_EXCEPTION.test(sqlStateOf(error) ?? "")) throw notAnInteger(error);
        throw error;
      }
    });
  }

  async read(key: string): Promise<VersionedValue> {
    const [row] = await reaching(
      RESOURCE,
      () => this.#sql<{ value: Uint8Array; version: string }[]>`SELECT value, version FROM starlane_keyvalue
        WHERE bucket = ${this.#bucket} AND key = ${bytes(key)} AND expires_ms > ${this.#expiry.now()}`,
    );
    return { value: row?.value, version: row?.version ?? ABSENT };
  }

  async swap(key: string, version: string, value: Uint8Array): Promise<boolean> {
    const [now, expires] = [this.#expiry.now(), this.#expiry.expiresMs()];
    const { count } = await reaching(RESOURCE, () =>
      version === ABSENT
        ? this.#sql`INSERT INTO starlane_keyvalue AS old (bucket, key, value, expires_ms)
            VALUES (${this.#bucket}, ${bytes(key)}, ${Buffer.from(value)}, ${expires})
            ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value, version = excluded.version,
              expires_ms = excluded.expires_ms WHERE old.expires_ms <= ${now}`
        : this.#sql`UPDATE starlane_keyvalue
            SET value = ${Buffer.from(value)}, version = nextval('starlane_keyvalue_version'), expires_ms = ${expires}
            WHERE bucket = ${this.#bucket} AND key = ${bytes(key)} AND version = ${version} AND expires_ms > ${now}`,
    );
    return count > 0;
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    const rows = await reaching(
      RESOURCE,
      () => this.#sql<{ key: Uint8Array; value: Uint8Array }[]>`SELECT key, value FROM starlane_keyvalue
        WHERE bucket = ${this.#bucket} AND key IN ${this.#sql(keys.map(bytes))} AND expires_ms > ${this.#expiry.now()}`,
    );
    const found = new Map(rows.map((row) => [new TextDecoder().decode(row.key), row.value]));
    return keys.map((key) => found.get(key));
  }

  async setMany(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const expires = this.#expiry.expiresMs();
    const rows = entries.map(([key, value]) => ({
      bucket: this.#bucket,
      key: bytes(key),
      value: Buffer.from(value),
      expires_ms: expires,
    }));
    await reaching(
      RESOURCE,
      () => this.#sql`INSERT INTO starlane_keyvalue ${this.#sql(rows, "bucket", "key", "value", "expires_ms")}
        ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value, version = excluded.version,
          expires_ms = excluded.expires_ms`,
    );
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await reaching(
      RESOURCE,
      () => this.#sql`DELETE FROM starlane_keyvalue WHERE bucket = ${this.#bucket} AND key IN ${this.#sql(keys.map(bytes))}`,
    );
  }

  async watch(listener: (change: Change) => void): Promise<() => Promise<void>> {
    await reaching(RESOURCE, () => this.#sql.begin((sql) => sql.unsafe(NOTIFIER)));
    const subscription = await reaching(RESOURCE, () =>
      this.#sql.listen(CHANNEL, (payload) => {
        const [kind, bucket, hex = ""] = payload.split(" ");
        if (bucket !== this.#bucket) return;
        const key = Buffer.from(hex, "hex").toString();
        if (kind === "DELETE") return listener({ kind: "delete", key });
        this.get(key).then(
          (value) => value !== undefined && listener({ kind: "set", key, value }),
          () => undefined,
        );
      }),
    );
    return async () => {
      await subscription.unlisten();
    };
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 5 });
  }
}

function bytes(key: string): Buffer {
  return Buffer.from(key);
}
