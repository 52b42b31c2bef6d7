// The contract of a key-value store: keys are texts, values are bytes, single entries change atomically. Bounded: keys, values,
// pages and batches have sizes that every backend keeps to, so that a component cannot tell one from another.

import type { StarlaneError } from "../../base/errors.ts";
import type { Maybe } from "../../engine/async/maybe.ts";
import { type Address, type AddressForm, badAddress, parseAddress, plainName } from "../resources/address.ts";
import { isLonger, type OpenSettings, overLimit, rejected } from "../resources/resource.ts";

/** In UTF-8. */
export const LARGEST_KEY_BYTES = 1024;
/** NATS carries at most 1 MiB in a message, headers included. */
export const LARGEST_VALUE_BYTES = 1_000_000;
export const LARGEST_PAGE_KEYS = 1000;
export const LARGEST_BATCH_ENTRIES = 1000;
/** Of the values of one batch together. */
export const LARGEST_BATCH_BYTES = 16 << 20;

/**
 * One bucket. Methods answer at once or with a promise and throw (or reject with) StarlaneError `resource/…`. Bytes that are given
 * out are not to be changed.
 */
export interface KeyValueStore {
  /** Whether every method answers at once, always. */
  readonly immediate: boolean;
  get(key: string): Maybe<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Maybe<void>;
  delete(key: string): Maybe<void>;
  exists(key: string): Maybe<boolean>;
  /** A page of keys, in no order that means anything; a key that changes meanwhile may be missing, or there twice. */
  keys(cursor: string | undefined, limit: number): Maybe<KeyPage>;
  /** Adds to a decimal text, 0 where there is none. @throws StarlaneError `resource/rejected` where it is no s64, or would not be */
  increment(key: string, delta: bigint): Maybe<bigint>;
  /** The value and what `swap` needs to know of it. */
  read(key: string): Maybe<VersionedValue>;
  /** Sets the value where nothing changed since `read`; false where something did. */
  swap(key: string, version: string, value: Uint8Array): Maybe<boolean>;
  getMany(keys: readonly string[]): Maybe<readonly (Uint8Array | undefined)[]>;
  setMany(entries: readonly Entry[]): Maybe<void>;
  deleteMany(keys: readonly string[]): Maybe<void>;
  /**
   * Hears of every change from now on; what several changes of one key left behind may be told once. Returns how to stop.
   * A store in memory or SQLite hears only of what was changed through this object.
   */
  watch(listener: (change: Change) => void): Maybe<() => Maybe<void>>;
  close(): Maybe<void>;
}

export type Entry = readonly [key: string, value: Uint8Array];

export interface KeyPage {
  readonly keys: readonly string[];
  /** For the next page; undefined after the last one. */
  readonly cursor: string | undefined;
}

export interface VersionedValue {
  readonly value: Uint8Array | undefined;
  readonly version: string;
}

export type Change =
  | { readonly kind: "set"; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: "delete"; readonly key: string };

export interface KeyValueSettings extends OpenSettings {
  /** Entries are gone this long after they were last written; they stay where this is left out. */
  readonly expireAfterMs?: number | undefined;
}

/** Where entries of a store are when they never expire: later than any time. */
export const NEVER_MS = Number.MAX_SAFE_INTEGER;

/** Reads the clock and tells when an entry that is written now expires. */
export interface Expiry {
  now(): number;
  expiresMs(): number;
}

export function expiryOf({ now = Date.now, expireAfterMs }: Pick<KeyValueSettings, "now" | "expireAfterMs">): Expiry {
  return { now, expiresMs: () => (expireAfterMs === undefined ? NEVER_MS : now() + expireAfterMs) };
}

export type KeyValueAddress =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly path: string; readonly bucket: string }
  | { readonly kind: "nats"; readonly server: Address; readonly bucket: string }
  | { readonly kind: "redis"; readonly server: Address; readonly database: number; readonly prefix: string }
  | { readonly kind: "postgres"; readonly server: Address; readonly bucket: string };

const WHAT = "a key-value store";

const FORMS: Readonly<Record<string, AddressForm>> = {
  memory: { kind: "bare", example: "memory:" },
  sqlite: { kind: "path", example: "sqlite:./data/app.db", options: ["bucket"] },
  nats: { kind: "server", example: "nats://HOST:4222/BUCKET", path: "required" },
  redis: { kind: "server", example: "redis://HOST:6379/0?prefix=links:", path: "optional", options: ["prefix"] },
  rediss: { kind: "server", example: "rediss://HOST:6379/0", path: "optional", options: ["prefix"] },
  postgres: { kind: "server", example: "postgres://USER@HOST:5432/DATABASE", path: "required", options: ["bucket", "ssl"] },
};

/** Checks an address without opening anything. @throws StarlaneError `resource/bad-address` */
export function parseKeyValueAddress(text: string): KeyValueAddress {
  const server = parseAddress(text, WHAT, FORMS);
  const bucket = plainName(server.options.get("bucket") ?? "default", WHAT);
  switch (server.scheme) {
    case "memory":
      return { kind: "memory" };
    case "sqlite":
      return { kind: "sqlite", path: server.path, bucket };
    case "nats":
      return { kind: "nats", server, bucket: plainName(server.path, WHAT) };
    case "postgres":
      return { kind: "postgres", server, bucket };
    default:
      return { kind: "redis", server, database: databaseNumber(server.path), prefix: server.options.get("prefix") ?? "" };
  }
}

function databaseNumber(path: string): number {
  if (/^\d{0,4}$/.test(path)) return Number(path);
  throw badAddress(WHAT, "has a path that is not the number of a Redis database", ["redis://HOST:6379/0"]);
}

/** @throws StarlaneError `resource/limit` */
export function checkKey(key: string): void {
  if (key === "") throw overLimit("a key has to have at least 1 character", 1);
  if (isLonger(key, LARGEST_KEY_BYTES)) throw overLimit("a key has too many bytes", LARGEST_KEY_BYTES);
}

/** @throws StarlaneError `resource/limit` */
export function checkValue(value: Uint8Array): void {
  if (value.length > LARGEST_VALUE_BYTES) throw overLimit(`a value has ${value.length} bytes`, LARGEST_VALUE_BYTES);
}

const S64_MAX = 2n ** 63n - 1n;
const S64_MIN = -(2n ** 63n);

/** What `increment` leaves behind. @throws StarlaneError `resource/rejected` */
export function incremented(value: Uint8Array | undefined, delta: bigint): bigint {
  const text = value === undefined ? "0" : value.length > 20 ? "" : new TextDecoder().decode(value);
  if (!/^-?\d{1,19}$/.test(text)) throw notAnInteger();
  const sum = BigInt(text) + delta;
  if (sum > S64_MAX || sum < S64_MIN) throw notAnInteger();
  return sum;
}

export function notAnInteger(cause?: unknown): StarlaneError {
  return rejected("the value is not an integer of 64 bits, or would not be one after the increment", cause);
}

export function integerBytes(value: bigint): Uint8Array {
  return new TextEncoder().encode(value.toString());
}
