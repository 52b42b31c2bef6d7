// A key-value store in Redis: plain string keys, so that other programs can share them. A swap compares contents, by their digest:
// Redis keeps no versions, and a value that changed and changed back is the value that was read.

import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import type { Address } from "../resources/address.ts";
import { reaching, unavailable } from "../resources/resource.ts";
import { boundedKeyValue } from "./bounded.ts";
import {
  type Change,
  type Entry,
  type KeyPage,
  type KeyValueSettings,
  type KeyValueStore,
  notAnInteger,
  type VersionedValue,
} from "./keyvalue.ts";

const RESOURCE = "the key-value store in Redis";
const DEFAULT_PORT = 6379;
const ANSWER_MS = 10_000;
const CONNECT_MS = 5000;
const ABSENT = "";

/** KEYS: the key; ARGV: digest of the value that was read ("" for none), new value, expiry in ms or 0. */
const SWAP = `
local now = redis.call('GET', KEYS[1])
if (now and redis.sha1hex(now) or '') ~= ARGV[1] then return 0 end
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) else redis.call('SET', KEYS[1], ARGV[2]) end
return 1`;

/** ARGV: delta, expiry in ms or 0. */
const INCREMENT = `
redis.call('INCRBY', KEYS[1], ARGV[1])
if tonumber(ARGV[2]) > 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])`;

export interface RedisPlace {
  readonly server: Address;
  readonly database: number;
  /** Stands before every key. */
  readonly prefix: string;
}

/** @throws StarlaneError `resource/unavailable` (rejects) */
export async function redisKeyValue(place: RedisPlace, settings: KeyValueSettings): Promise<KeyValueStore> {
  const client = await connectRedis(place);
  return boundedKeyValue(new RedisKeyValue(client, place, settings.expireAfterMs ?? 0));
}

async function connectRedis({ server, database }: RedisPlace): Promise<Redis> {
  const client = new Redis({
    host: server.host.replace(/^\[|\]$/g, ""),
    port: server.port ?? DEFAULT_PORT,
    db: database,
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    commandTimeout: ANSWER_MS,
    maxRetriesPerRequest: 2,
    retryStrategy: (times) => Math.min(times * 50, 1000),
    ...(server.scheme === "rediss" ? { tls: {} } : {}),
    ...(server.user === undefined || server.user === "" ? {} : { username: server.user }),
    ...(server.password === undefined ? {} : { password: server.password }),
  });
  // Each command that fails says so itself; without a listener the client would print.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw unavailable("the Redis server", error);
  }
}

class RedisKeyValue implements KeyValueStore {
  readonly immediate = false;
  readonly #client: Redis;
  readonly #place: RedisPlace;
  readonly #expireAfterMs: number;

  constructor(client: Redis, place: RedisPlace, expireAfterMs: number) {
    this.#client = client;
    this.#place = place;
    this.#expireAfterMs = expireAfterMs;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await reaching(RESOURCE, () => this.#client.getBuffer(this.#name(key)))) ?? undefined;
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    await this.setMany([[key, value]]);
  }

  async delete(key: string): Promise<void> {
    await reaching(RESOURCE, () => this.#client.del(this.#name(key)));
  }

  async exists(key: string): Promise<boolean> {
    return (await reaching(RESOURCE, () => this.#client.exists(this.#name(key)))) === 1;
  }

  async keys(cursor: string | undefined, limit: number): Promise<KeyPage> {
    const { prefix } = this.#place;
    const pattern = `${prefix.replace(/[\\*?[\]]/g, "\\$&")}*`;
    const keys: string[] = [];
    let at = /^\d{1,20}$/.test(cursor ?? "0") ? (cursor ?? "0") : "0";
    do {
      const start = at;
      const [next, found] = await reaching(RESOURCE, () =>
        this.#client.scan(start, "MATCH", pattern, "COUNT", limit, "TYPE", "string"),
      );
      keys.push(...found.map((name) => name.slice(prefix.length)));
      at = next;
    } while (at !== "0" && keys.length === 0);
    return { keys, cursor: at === "0" ? undefined : at };
  }

  async increment(key: string, delta: bigint): Promise<bigint> {
    return await reaching(RESOURCE, async () => {
      try {
        return BigInt(String(await this.#client.eval(INCREMENT, 1, this.#name(key), delta.toString(), this.#expireAfterMs)));
      } catch (error) {
        if (error instanceof Error && /not an integer|would overflow/.test(error.message)) throw notAnInteger(error);
        throw error;
      }
    });
  }

  async read(key: string): Promise<VersionedValue> {
    const value = await this.get(key);
    return { value, version: value === undefined ? ABSENT : createHash("sha1").update(value).digest("hex") };
  }

  async swap(key: string, version: string, value: Uint8Array): Promise<boolean> {
    const swapped = await reaching(RESOURCE, () =>
      this.#client.eval(SWAP, 1, this.#name(key), version, Buffer.from(value), this.#expireAfterMs),
    );
    return swapped === 1;
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    const values = await reaching(RESOURCE, () => this.#client.mgetBuffer(keys.map((key) => this.#name(key))));
    return values.map((value) => value ?? undefined);
  }

  async setMany(entries: readonly Entry[]): Promise<void> {
    await reaching(RESOURCE, async () => {
      const pipeline = this.#client.pipeline();
      for (const [key, value] of entries) {
        if (this.#expireAfterMs > 0) pipeline.set(this.#name(key), Buffer.from(value), "PX", this.#expireAfterMs);
        else pipeline.set(this.#name(key), Buffer.from(value));
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
    });
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await reaching(RESOURCE, () => this.#client.del(keys.map((key) => this.#name(key))));
  }

  /** Asks the server to tell of changes (`notify-keyspace-events`), which it does for all of its clients from then on. */
  async watch(listener: (change: Change) => void): Promise<() => Promise<void>> {
    const channels = `__keyspace@${this.#place.database}__:`;
    const subscriber = this.#client.duplicate();
    subscriber.on("error", () => undefined);
    subscriber.on("pmessage", (_pattern, channel, event) => {
      const name = channel.slice(channels.length);
      if (name.startsWith(this.#place.prefix)) this.#tell(name.slice(this.#place.prefix.length), event, listener);
    });
    await reaching(RESOURCE, async () => {
      const [, flags = ""] = (await this.#client.config("GET", "notify-keyspace-events")) as string[];
      const wanted = [...new Set(`${flags}Kg$x`)].join("");
      await this.#client.config("SET", "notify-keyspace-events", wanted);
      await subscriber.psubscribe(`${channels}${this.#place.prefix.replace(/[\\*?[\]]/g, "\\$&")}*`);
    });
    return async () => {
      await subscriber.quit().catch(() => undefined);
    };
  }

  #tell(key: string, event: string, listener: (change: Change) => void): void {
    if (event === "del" || event === "expired") return listener({ kind: "delete", key });
    if (event !== "set" && event !== "incrby") return;
    this.get(key).then(
      (value) => value !== undefined && listener({ kind: "set", key, value }),
      () => undefined,
    );
  }

  async close(): Promise<void> {
    await this.#client.quit().catch(() => this.#client.disconnect());
  }

  #name(key: string): string {
    return this.#place.prefix + key;
  }
}
