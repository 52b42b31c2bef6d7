// Holds callers of any key-value store to the limits of the contract, before a backend sees what they give it.

import { type Maybe, then } from "../../engine/async/maybe.ts";
import { overLimit } from "../resources/resource.ts";
import {
  type Change,
  checkKey,
  checkValue,
  type Entry,
  type KeyPage,
  type KeyValueStore,
  LARGEST_BATCH_BYTES,
  LARGEST_BATCH_ENTRIES,
  LARGEST_PAGE_KEYS,
  type VersionedValue,
} from "./keyvalue.ts";

/** How many values a server is asked for at once: bounds what is in memory before the sum of a batch is known. */
const VALUES_AT_ONCE = 32;

export function boundedKeyValue(store: KeyValueStore): KeyValueStore {
  return new BoundedKeyValue(store);
}

class BoundedKeyValue implements KeyValueStore {
  readonly #store: KeyValueStore;
  readonly immediate: boolean;

  constructor(store: KeyValueStore) {
    this.#store = store;
    this.immediate = store.immediate;
  }

  get(key: string): Maybe<Uint8Array | undefined> {
    checkKey(key);
    return this.#store.get(key);
  }

  set(key: string, value: Uint8Array): Maybe<void> {
    checkKey(key);
    checkValue(value);
    return this.#store.set(key, value);
  }

  delete(key: string): Maybe<void> {
    checkKey(key);
    return this.#store.delete(key);
  }

  exists(key: string): Maybe<boolean> {
    checkKey(key);
    return this.#store.exists(key);
  }

  keys(cursor: string | undefined, limit: number): Maybe<KeyPage> {
    if (cursor !== undefined) checkKey(cursor);
    return this.#store.keys(cursor, Math.max(1, Math.min(limit, LARGEST_PAGE_KEYS)));
  }

  increment(key: string, delta: bigint): Maybe<bigint> {
    checkKey(key);
    return this.#store.increment(key, delta);
  }

  read(key: string): Maybe<VersionedValue> {
    checkKey(key);
    return this.#store.read(key);
  }

  swap(key: string, version: string, value: Uint8Array): Maybe<boolean> {
    checkKey(key);
    checkValue(value);
    return this.#store.swap(key, version, value);
  }

  getMany(keys: readonly string[]): Maybe<readonly (Uint8Array | undefined)[]> {
    checkCount(keys.length);
    keys.forEach(checkKey);
    return this.#collect(keys, [], 0);
  }

  #collect(keys: readonly string[], found: (Uint8Array | undefined)[], bytes: number): Maybe<(Uint8Array | undefined)[]> {
    if (found.length >= keys.length) return found;
    return then(this.#store.getMany(keys.slice(found.length, found.length + VALUES_AT_ONCE)), (values) => {
      const sum = bytes + sizeOf(values);
      checkBytes(sum);
      return this.#collect(keys, found.concat(values), sum);
    });
  }

  setMany(entries: readonly Entry[]): Maybe<void> {
    checkCount(entries.length);
    for (const [key, value] of entries) {
      checkKey(key);
      checkValue(value);
    }
    checkBytes(sizeOf(entries.map(([, value]) => value)));
    // The last of several values for one key is the one that stays, whatever order a server works in.
    return this.#store.setMany([...new Map(entries)]);
  }

  deleteMany(keys: readonly string[]): Maybe<void> {
    checkCount(keys.length);
    keys.forEach(checkKey);
    return this.#store.deleteMany([...new Set(keys)]);
  }

  watch(listener: (change: Change) => void): Maybe<() => Maybe<void>> {
    return this.#store.watch(listener);
  }

  close(): Maybe<void> {
    return this.#store.close();
  }
}

function sizeOf(values: readonly (Uint8Array | undefined)[]): number {
  return values.reduce((sum, value) => sum + (value?.length ?? 0), 0);
}

function checkCount(count: number): void {
  if (count > LARGEST_BATCH_ENTRIES) throw overLimit(`a batch has ${count} entries`, LARGEST_BATCH_ENTRIES);
}

function checkBytes(bytes: number): void {
  if (bytes > LARGEST_BATCH_BYTES) throw overLimit("the values of a batch together have too many bytes", LARGEST_BATCH_BYTES);
}
