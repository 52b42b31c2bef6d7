// A key-value store in a NATS KV bucket. Expiry is told from when an entry was written: older servers ignore the expiry of single
// keys silently. Keys are written as one token, so that any text can be a key.

import { jetstream } from "@nats-io/jetstream";
import { type KV, Kvm, type KvEntry } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectNats, subjectToken, textOfToken } from "../resources/nats.ts";
import { overLimit, reaching } from "../resources/resource.ts";
import type { Address } from "../resources/address.ts";
import { boundedKeyValue } from "./bounded.ts";
import {
  type Change,
  type Entry,
  incremented,
  integerBytes,
  type KeyPage,
  type KeyValueSettings,
  type KeyValueStore,
  type VersionedValue,
} from "./keyvalue.ts";

const RESOURCE = "the key-value store in NATS";
/** All keys are read to give one page of them. */
const LARGEST_BUCKET_KEYS = 200_000;
/** Before the revision of a marker that a deleted or expired entry left; 0 where there never was one. */
const GONE = "gone:";
const REQUESTS_AT_ONCE = 64;
const INCREMENT_ATTEMPTS = 100;
/** JetStream, "wrong last sequence": the entry changed since it was read. */
const WRONG_LAST_SEQUENCE = 10_071;

/** @throws StarlaneError `resource/unavailable` (rejects) */
export async function natsKeyValue(server: Address, bucket: string, settings: KeyValueSettings): Promise<KeyValueStore> {
  const connection = await connectNats(server);
  try {
    const store = await reaching(RESOURCE, () => openBucket(connection, bucket, settings.expireAfterMs));
    return boundedKeyValue(new NatsKeyValue(connection, store, settings));
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The bucket as it is, or a new one that drops by itself what has expired. */
async function openBucket(connection: NatsConnection, bucket: string, ttl: number | undefined): Promise<KV> {
  const buckets = new Kvm(jetstream(connection));
  for await (const known of buckets.list()) if (known.bucket === bucket) return await buckets.open(bucket);
  return await buckets.create(bucket, { history: 1, ...(ttl === undefined ? {} : { ttl }) });
}

class NatsKeyValue implements KeyValueStore {
  readonly immediate = false;
  readonly #connection: NatsConnection;
  readonly #store: KV;
  readonly #now: () => number;
  readonly #expireAfterMs: number | undefined;

  constructor(connection: NatsConnection, store: KV, { now = Date.now, expireAfterMs }: KeyValueSettings) {
    this.#connection = connection;
    this.#store = store;
    this.#now = now;
    this.#expireAfterMs = expireAfterMs;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return (await this.read(key)).value;
  }

  async set(key: string, value: Uint8Array): Promise<void> {
    await reaching(RESOURCE, () => this.#store.put(subjectToken(key), value));
  }

  async delete(key: string): Promise<void> {
    // Without this a marker would be left behind for a key that never was.
    if (!(await this.exists(key))) return;
    await reaching(RESOURCE, () => this.#store.delete(subjectToken(key)));
  }

  async exists(key: string): Promise<boolean> {
    return (await this.get(key)) !== undefined;
  }

  async keys(cursor: string | undefined, limit: number): Promise<KeyPage> {
    const all = await reaching(RESOURCE, () => this.#allKeys());
    const rest = all.toSorted().filter((key) => cursor === undefined || key > cursor);
    const keys = rest.slice(0, limit);
    return { keys, cursor: rest.length > limit ? keys.at(-1) : undefined };
  }

  async #allKeys(): Promise<string[]> {
    const keys: string[] = [];
    for await (const token of await this.#store.keys()) {
      const key = textOfToken(token);
      if (key !== undefined) keys.push(key);
      if (keys.length > LARGEST_BUCKET_KEYS) throw overLimit("the store has too many keys to list them", LARGEST_BUCKET_KEYS);
    }
    if (this.#expireAfterMs === undefined) return keys;
    const found = await this.getMany(keys);
    return keys.filter((_, i) => found[i] !== undefined);
  }

  async increment(key: string, delta: bigint): Promise<bigint> {
    for (let attempt = 0; attempt < INCREMENT_ATTEMPTS; attempt++) {
      const { value, version } = await this.read(key);
      const sum = incremented(value, delta);
      if (await this.swap(key, version, integerBytes(sum))) return sum;
    }
    throw overLimit("an increment met another writer in every attempt", INCREMENT_ATTEMPTS);
  }

  async read(key: string): Promise<VersionedValue> {
    const entry = await reaching(RESOURCE, () => this.#store.get(subjectToken(key)));
    const value = this.#liveValue(entry);
    return { value, version: `${value === undefined ? GONE : ""}${entry?.revision ?? 0}` };
  }

  async swap(key: string, version: string, value: Uint8Array): Promise<boolean> {
    // The server knows only revisions, and an entry that has expired since still has the one that was read.
    if (this.#expireAfterMs !== undefined && (await this.read(key)).version !== version) return false;
    const previousSeq = Number(version.replace(GONE, ""));
    return await reaching(RESOURCE, async () => {
      try {
        await this.#store.put(subjectToken(key), value, { previousSeq });
        return true;
      } catch (error) {
        if (isWrongSequence(error)) return false;
        throw error;
      }
    });
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return await inParts(keys, (key) => this.get(key));
  }

  async setMany(entries: readonly Entry[]): Promise<void> {
    await inParts(entries, ([key, value]) => this.set(key, value));
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    await inParts(keys, (key) => this.delete(key));
  }

  async watch(listener: (change: Change) => void): Promise<() => void> {
    const changes = await reaching(RESOURCE, () => this.#store.watch({ include: "updates" }));
    const listen = async (): Promise<void> => {
      for await (const entry of changes) {
        const key = textOfToken(entry.key);
        if (key === undefined) continue;
        listener(entry.operation === "PUT" ? { kind: "set", key, value: entry.value } : { kind: "delete", key });
      }
    };
    // A watch that breaks is renewed by the client until it is stopped or the connection is closed.
    listen().catch(() => undefined);
    return () => changes.stop();
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  #liveValue(entry: KvEntry | null): Uint8Array | undefined {
    if (entry === null || entry.operation !== "PUT") return undefined;
    const expired = this.#expireAfterMs !== undefined && entry.created.getTime() + this.#expireAfterMs <= this.#now();
    return expired ? undefined : entry.value;
  }
}

function isWrongSequence(error: unknown): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === WRONG_LAST_SEQUENCE;
}

/** `f` of every item, some of them at once. */
async function inParts<T, R>(items: readonly T[], f: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += REQUESTS_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(i, i + REQUESTS_AT_ONCE).map(f))));
  }
  return results;
}
