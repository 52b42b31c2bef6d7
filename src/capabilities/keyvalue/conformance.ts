// What every key-value backend does, as tests: each gets a store of its own, empty.

import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import { type Change, type KeyValueStore, LARGEST_KEY_BYTES, LARGEST_VALUE_BYTES } from "./keyvalue.ts";

export interface KeyValueUnderTest {
  /** An empty store; the same name opens the same store again. */
  open(name: string, settings: { now: () => number; expireAfterMs?: number }): Promise<KeyValueStore>;
  /** Why the tests cannot run here. */
  readonly missing?: string | undefined;
  /** The store's own clock cannot be set: tests of expiry wait for it. */
  readonly expiresByItself?: boolean;
  /** What is in a store is gone when it is closed. */
  readonly volatile?: boolean;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);
const hasCode = (code: string) => (error: unknown) => error instanceof StarlaneError && error.code === code;

/** Every way of failing as a promise: backends may throw where they answer at once. */
async function answer<T>(work: () => T | Promise<T>): Promise<T> {
  return await work();
}

async function allKeys(store: KeyValueStore, limit: number): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.keys(cursor, limit);
    keys.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return [...new Set(keys)].toSorted();
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

export function keyValueConformance(backend: string, under: KeyValueUnderTest): void {
  let opened = 0;
  const cases = (name: string, run: (store: KeyValueStore, again: () => Promise<KeyValueStore>) => Promise<void>): void => {
    test(`${backend}: ${name}`, { skip: under.missing ?? false }, async () => {
      const settings = { now: Date.now };
      const bucket = `b${opened++}`;
      const store = await under.open(bucket, settings);
      try {
        await run(store, () => under.open(bucket, settings));
      } finally {
        await store.close();
      }
    });
  };

  cases("a value that was set is there until it is deleted", async (store) => {
    assert.equal(await store.get("a"), undefined);
    assert.equal(await store.exists("a"), false);
    await store.set("a", bytes("one"));
    assert.equal(text(await store.get("a")), "one");
    assert.equal(await store.exists("a"), true);
    await store.set("a", bytes("two"));
    assert.equal(text(await store.get("a")), "two");
    await store.delete("a");
    await store.delete("a");
    assert.equal(await store.get("a"), undefined);
    assert.equal(await store.exists("a"), false);
  });

  cases("any text is a key and any bytes are a value", async (store) => {
    const keys = ["a b", "a.b", ".", "*", ">", "a/b/", "=41", "ä€😀", "\0", "line\nfeed", "%41", "'; DROP", "Ab", "aB"];
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    for (const [i, key] of keys.entries()) await store.set(key, Uint8Array.of(i, ...all));
    for (const [i, key] of keys.entries()) assert.deepEqual([...((await store.get(key)) ?? [])], [i, ...all]);
    assert.deepEqual(await allKeys(store, 100), keys.toSorted());
    await store.set("empty", new Uint8Array(0));
    assert.equal((await store.get("empty"))?.length, 0);
    assert.equal(await store.exists("empty"), true);
  });

  cases("keys and values are as large as the contract says, and no larger", async (store) => {
    const key = "ä".repeat(LARGEST_KEY_BYTES / 2);
    const value = new Uint8Array(LARGEST_VALUE_BYTES).fill(7);
    await store.set(key, value);
    assert.equal(Buffer.compare((await store.get(key)) ?? bytes(""), value), 0);
    for (const work of [
      () => store.get(`${key}a`),
      () => store.set(`${key}a`, bytes("")),
      () => store.set("", bytes("")),
      () => store.delete(""),
      () => store.set("a", new Uint8Array(LARGEST_VALUE_BYTES + 1)),
      () => store.setMany([["a", new Uint8Array(LARGEST_VALUE_BYTES + 1)]]),
      () => store.getMany(Array.from({ length: 1001 }, (_, i) => `k${i}`)),
      () => store.deleteMany(["a", `${key}a`]),
      () => store.setMany(Array.from({ length: 20 }, (_, i) => [`k${i}`, value] as const)),
    ]) {
      await assert.rejects(answer<unknown>(work), hasCode("resource/limit"));
    }
    assert.deepEqual(await allKeys(store, 10), [key]);
  });

  cases("a batch of values whose sum is too large is refused without holding all of them", async (store) => {
    const value = new Uint8Array(LARGEST_VALUE_BYTES);
    for (let i = 0; i < 17; i++) await store.set(`k${i}`, value);
    const keys = Array.from({ length: 17 }, (_, i) => `k${i}`);
    await assert.rejects(
      answer(() => store.getMany(keys)),
      hasCode("resource/limit"),
    );
    assert.equal((await store.getMany(keys.slice(0, 16))).length, 16);
  });

  cases("batches keep their order, and what is absent is absent", async (store) => {
    await store.setMany([
      ["a", bytes("1")],
      ["b", bytes("2")],
      ["a", bytes("3")],
    ]);
    assert.deepEqual((await store.getMany(["b", "x", "a", "b"])).map(text), ["2", undefined, "3", "2"]);
    await store.deleteMany(["a", "x", "a"]);
    assert.deepEqual((await store.getMany(["a", "b"])).map(text), [undefined, "2"]);
    assert.deepEqual(await store.getMany([]), []);
    await store.setMany([]);
    await store.deleteMany([]);
  });

  cases("all pages together have every key", async (store) => {
    const keys = Array.from({ length: 250 }, (_, i) => `key-${i}`);
    await store.setMany(keys.map((key) => [key, bytes(key)]));
    await store.delete("key-7");
    assert.deepEqual(await allKeys(store, 40), keys.filter((key) => key !== "key-7").toSorted());
    assert.deepEqual((await store.keys("zzz", 10)).keys.length <= 10, true);
  });

  cases("increments count from nothing, through zero, and are not lost when they meet", async (store) => {
    assert.equal(await store.increment("n", 5n), 5n);
    assert.equal(await store.increment("n", -7n), -2n);
    assert.equal(text(await store.get("n")), "-2");
    await Promise.all(Array.from({ length: 20 }, () => answer(() => store.increment("n", 1n))));
    assert.equal(await store.increment("n", 0n), 18n);
    await store.set("m", bytes("9223372036854775806"));
    assert.equal(await store.increment("m", 1n), 9_223_372_036_854_775_807n);
  });

  cases("an increment of what is no integer, or past 64 bits, is rejected and changes nothing", async (store) => {
    const values = ["text", "1.5", "9223372036854775807", "9999999999999999999999", ""];
    for (const value of values) {
      await store.set("n", bytes(value));
      await assert.rejects(
        answer(() => store.increment("n", 1n)),
        hasCode("resource/rejected"),
      );
      assert.equal(text(await store.get("n")), value);
    }
  });

  cases("a swap happens only where nothing changed since the read", async (store) => {
    const absent = await store.read("a");
    assert.equal(absent.value, undefined);
    assert.equal(await store.swap("a", absent.version, bytes("1")), true);
    assert.equal(await store.swap("a", absent.version, bytes("2")), false);
    const first = await store.read("a");
    assert.equal(text(first.value), "1");
    await store.set("a", bytes("other"));
    assert.equal(await store.swap("a", first.version, bytes("2")), false);
    assert.equal(text(await store.get("a")), "other");
    const second = await store.read("a");
    await store.delete("a");
    assert.equal(await store.swap("a", second.version, bytes("3")), false);
    const gone = await store.read("a");
    assert.equal(gone.value, undefined);
    assert.equal(await store.swap("a", gone.version, bytes("4")), true);
    assert.equal(text(await store.get("a")), "4");
  });

  cases("of many swaps from the same read, one wins", async (store) => {
    const { version } = await store.read("a");
    const won = await Promise.all(Array.from({ length: 10 }, (_, i) => answer(() => store.swap("a", version, bytes(`${i}`)))));
    assert.equal(won.filter(Boolean).length, 1);
    assert.equal(text(await store.get("a")), String(won.indexOf(true)));
  });

  cases("two openings are one store", async (store, again) => {
    if (under.volatile === true) return;
    const other = await again();
    try {
      await store.set("a", bytes("1"));
      assert.equal(text(await other.get("a")), "1");
      await other.delete("a");
      assert.equal(await store.exists("a"), false);
    } finally {
      await other.close();
    }
  });

  cases("changes are told to who watches, until it stops", async (store) => {
    const seen: string[] = [];
    const stop = await store.watch((change: Change) => {
      seen.push(change.kind === "set" ? `${change.key}=${text(change.value)}` : `-${change.key}`);
    });
    await store.set("a", bytes("1"));
    await until(() => seen.length === 1);
    await store.delete("a");
    await until(() => seen.length === 2);
    await store.increment("n", 3n);
    await until(() => seen.length === 3);
    assert.deepEqual(seen, ["a=1", "-a", "n=3"]);
    await stop();
    await store.set("a", bytes("2"));
    assert.equal(seen.length, 3);
  });

  test(`${backend}: entries expire, as if they had never been`, { skip: under.missing ?? false }, async () => {
    const expireAfterMs = under.expiresByItself === true ? 150 : 60_000;
    let ahead = 0;
    const pass = (): void => void (ahead += expireAfterMs + 1);
    const store = await under.open("expiry", { now: () => Date.now() + ahead, expireAfterMs });
    try {
      await store.setMany([
        ["a", bytes("1")],
        ["b", bytes("2")],
      ]);
      const { version } = await store.read("a");
      pass();
      if (under.expiresByItself === true) await until(async () => !(await store.exists("a")) && !(await store.exists("b")));
      assert.equal(await store.get("a"), undefined);
      assert.equal(await store.exists("b"), false);
      assert.deepEqual(await allKeys(store, 10), []);
      assert.deepEqual(await store.getMany(["a", "b"]), [undefined, undefined]);
      assert.equal(await store.swap("a", version, bytes("late")), false);
      const gone = await store.read("a");
      assert.equal(gone.value, undefined);
      if (under.expiresByItself !== true) ahead = 0;
    } finally {
      await store.close();
    }
  });
}
