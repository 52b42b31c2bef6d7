// A key-value store in memory: gone when it is closed. Bounded: 256 MiB of keys and values.

import { overLimit } from "../resources/resource.ts";
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

const CAPACITY_BYTES = 256 << 20;
/** What an entry takes beside its key and value, about. */
const ENTRY_BYTES = 100;
const ABSENT = "";

interface Kept {
  readonly value: Uint8Array;
  readonly version: number;
  readonly expiresMs: number;
}

export function memoryKeyValue(settings: Pick<KeyValueSettings, "now" | "expireAfterMs"> = {}): KeyValueStore {
  return boundedKeyValue(new MemoryKeyValue(expiryOf(settings)));
}

class MemoryKeyValue implements KeyValueStore {
  readonly immediate = true;
  readonly #expiry: Expiry;
  readonly #entries = new Map<string, Kept>();
  readonly #listeners = new Set<(change: Change) => void>();
  /** Keys in order, kept while none comes or goes: so that reading all pages sorts once. */
  #sorted: string[] | undefined;
  #bytes = 0;
  #version = 0;

  constructor(expiry: Expiry) {
    this.#expiry = expiry;
  }

  get(key: string): Uint8Array | undefined {
    return this.#find(key)?.value;
  }

  set(key: string, value: Uint8Array): void {
    const before = this.#entries.get(key);
    const grows = value.length - (before === undefined ? -(key.length * 2 + ENTRY_BYTES) : before.value.length);
    if (this.#bytes + grows > CAPACITY_BYTES) throw overLimit("the store in memory is full", CAPACITY_BYTES);
    this.#bytes += grows;
    if (before === undefined) this.#sorted = undefined;
    this.#entries.set(key, { value: value.slice(), version: ++this.#version, expiresMs: this.#expiry.expiresMs() });
    this.#tell({ kind: "set", key, value });
  }

  delete(key: string): void {
    if (this.#remove(key)) this.#tell({ kind: "delete", key });
  }

  exists(key: string): boolean {
    return this.#find(key) !== undefined;
  }

  keys(cursor: string | undefined, limit: number): KeyPage {
    for (const key of this.#entries.keys()) this.#find(key);
    const sorted = (this.#sorted ??= [...this.#entries.keys()].toSorted());
    const start = cursor === undefined ? 0 : firstAfter(sorted, cursor);
    const keys = sorted.slice(start, start + limit);
    return { keys, cursor: start + limit < sorted.length ? keys.at(-1) : undefined };
  }

  increment(key: string, delta: bigint): bigint {
    const sum = incremented(this.get(key), delta);
    this.set(key, integerBytes(sum));
    return sum;
  }

  read(key: string): VersionedValue {
    const kept = this.#find(key);
    return { value: kept?.value, version: kept === undefined ? ABSENT : String(kept.version) };
  }

  swap(key: string, version: string, value: Uint8Array): boolean {
    if (this.read(key).version !== version) return false;
    this.set(key, value);
    return true;
  }

  getMany(keys: readonly string[]): (Uint8Array | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  setMany(entries: readonly Entry[]): void {
    for (const [key, value] of entries) this.set(key, value);
  }

  deleteMany(keys: readonly string[]): void {
    for (const key of keys) this.delete(key);
  }

  watch(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#entries.clear();
    this.#listeners.clear();
    this.#sorted = undefined;
    this.#bytes = 0;
  }

  #find(key: string): Kept | undefined {
    const kept = this.#entries.get(key);
    if (kept === undefined || kept.expiresMs > this.#expiry.now()) return kept;
    this.delete(key);
    return undefined;
  }

  #remove(key: string): boolean {
    const kept = this.#entries.get(key);
    if (kept === undefined) return false;
    this.#bytes -= kept.value.length + key.length * 2 + ENTRY_BYTES;
    this.#sorted = undefined;
    return this.#entries.delete(key);
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** Where the first text stands that is greater. */
function firstAfter(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") > text) high = middle;
    else low = middle + 1;
  }
  return low;
}
