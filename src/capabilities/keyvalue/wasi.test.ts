// Every function of `wasi:keyvalue`, called by a guest through the engine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import { jsGuest } from "../fixtures/js-guest.ts";
import { inertImports } from "../inert.ts";
import { overLimit } from "../resources/resource.ts";
import { type Fault, withFaults } from "../resources/faults.ts";
import type { Change, KeyValueStore } from "./keyvalue.ts";
import { memoryKeyValue } from "./memory.ts";
import { callWatcher, watcherDraft } from "./watcher.ts";
import { keyValueCapability } from "./wasi.ts";

const TRANSACTION = { seed: 1, timestampMs: 1_790_000_000_000 };

const guest = await jsGuest(
  "keyvalue",
  `
  import * as store from "wasi:keyvalue/store@0.2.0-draft2";
  import * as atomics from "wasi:keyvalue/atomics@0.2.0-draft2";
  import * as batch from "wasi:keyvalue/batch@0.2.0-draft2";
  let seen = [];
  const all = {
    basics() {
      const bucket = store.open("links");
      const absent = text(bucket.get("a"));
      bucket.set("a", bytes("one"));
      const found = [text(bucket.get("a")), bucket.exists("a"), bucket.exists("b")];
      bucket.delete("a");
      return [absent, ...found, bucket.exists("a")];
    },
    pages() {
      const bucket = store.open("links");
      let [cursor, keys, pages] = [undefined, 0, 0];
      do {
        const page = bucket.listKeys(cursor);
        keys += page.keys.length;
        pages++;
        cursor = page.cursor;
      } while (cursor !== undefined && cursor !== null);
      return { keys, pages };
    },
    atomics() {
      const bucket = store.open("links");
      const sums = [atomics.increment(bucket, "n", 5), atomics.increment(bucket, "n", -7)].map(String);
      const cas = atomics.Cas.new(bucket, "c");
      const current = text(cas.current());
      bucket.set("c", bytes("other"));
      let retried;
      try { atomics.swap(cas, bytes("mine")); retried = "swapped" } catch (error) {
        const fresh = error.payload.val;
        retried = [error.payload.tag, text(fresh.current())];
        atomics.swap(fresh, bytes("mine"));
      }
      return [...sums, current, retried, text(bucket.get("c"))];
    },
    batch() {
      const bucket = store.open("links");
      batch.setMany(bucket, [["x", bytes("1")], ["y", bytes("2")]]);
      const found = batch.getMany(bucket, ["y", "none", "x"]).map((pair) => pair && [pair[0], text(pair[1])]);
      batch.deleteMany(bucket, ["x", "none"]);
      return [found, bucket.exists("x"), bucket.exists("y")];
    },
    open: () => attempt(() => store.open("links").exists("a")),
    other: () => attempt(() => store.open("secrets")),
    limits() {
      const bucket = store.open("links");
      return [attempt(() => bucket.get("")), attempt(() => bucket.set("k".repeat(1025), bytes("")))];
    },
    get: () => attempt(() => text(store.open("links").get("a"))),
    seen: () => seen,
  };
  export const run = (input) => JSON.stringify(all[input]());
  export const watcher = {
    onSet(bucket, key, value) { seen.push(key + "=" + text(value) + " " + bucket.exists(key)) },
    onDelete(bucket, key) { seen.push("-" + key + " " + bucket.exists(key)) },
  };
  `,
);

async function link(store: KeyValueStore, signal?: AbortSignal) {
  const binding = keyValueCapability.configure(new Map([["links", store]]))();
  const instance = await guest.instantiate({ ...inertImports(TRANSACTION), ...binding.imports });
  const run = async (name: string): Promise<unknown> => JSON.parse(String(await instance.call("run", [name])));
  return { binding, instance, run, prepare: () => binding.prepare?.({ ...TRANSACTION, signal }) };
}

const slow = (store: KeyValueStore): KeyValueStore =>
  withFaults(
    store,
    () => ({ latencyMs: 1 }),
    (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  );

for (const [kind, open] of [
  ["that answers at once", () => memoryKeyValue()],
  ["that answers later", () => slow(memoryKeyValue())],
] as const) {
  test(`a guest reads, writes, lists, counts, swaps and batches in a store ${kind}`, async () => {
    const store = open();
    const { run, prepare } = await link(store);
    prepare();
    assert.deepEqual(await run("basics"), [null, "one", true, false, false]);
    assert.deepEqual(await run("atomics"), ["5", "-2", null, ["cas-failed", "other"], "mine"]);
    assert.deepEqual(await run("batch"), [[["y", "2"], null, ["x", "1"]], false, true]);
    await store.setMany(Array.from({ length: 900 }, (_, i) => [`p${i}`, new Uint8Array(1)] as const));
    await store.setMany(Array.from({ length: 900 }, (_, i) => [`q${i}`, new Uint8Array(1)] as const));
    assert.deepEqual(await run("pages"), { keys: 1803, pages: 2 });
  });
}

test("before the first transaction every bucket is denied; what is not granted does not exist", async () => {
  const { run, prepare } = await link(memoryKeyValue());
  assert.deepEqual(await run("open"), { tag: "access-denied" });
  prepare();
  assert.equal(await run("open"), false);
  assert.deepEqual(await run("other"), { tag: "no-such-store" });
});

test("limits are answered as errors that say what they are", async () => {
  const { run, prepare } = await link(memoryKeyValue());
  prepare();
  assert.deepEqual(await run("limits"), [
    { tag: "other", val: "a key has to have at least 1 character; the limit is 1" },
    { tag: "other", val: "a key has too many bytes; the limit is 1024" },
  ]);
});

test("a store that breaks tells the guest nothing of the host", async () => {
  const faults: (Fault | undefined)[] = [{ error: "disconnected" }, undefined, { error: overLimit("it is full", 7) }];
  const store = withFaults(
    memoryKeyValue(),
    (_, before) => faults[before],
    () => Promise.resolve(),
  );
  const { run, prepare } = await link(store);
  prepare();
  assert.deepEqual(await run("get"), { tag: "other", val: "the resource did not answer" });
  assert.equal(await run("get"), null);
  assert.deepEqual(await run("get"), { tag: "other", val: "it is full; the limit is 7" });
});

test("a guest that waits for a store ends with its transaction", async () => {
  const store = withFaults(
    memoryKeyValue(),
    () => ({ latencyMs: 1 }),
    () => new Promise<void>(() => undefined),
  );
  const cancelled = new AbortController();
  const { run, prepare } = await link(store, cancelled.signal);
  prepare();
  const answer = run("get");
  const reason = new StarlaneError("flow/cancelled", "enough");
  setImmediate(() => cancelled.abort(reason));
  await assert.rejects(answer, (error) => error === reason || (error instanceof Error && error.cause === reason));
});

test("a watching guest is told of changes, with the bucket that changed", async () => {
  const store = memoryKeyValue();
  const { binding, instance, run, prepare } = await link(store);
  prepare();
  const draft = watcherDraft(guest.functions.keys());
  assert.equal(draft, "draft2");
  const changes: Change[] = [];
  await store.watch((change) => changes.push(change));
  await store.set("a", new TextEncoder().encode("1"));
  for (const change of changes.splice(0)) await callWatcher(instance, binding, "draft2", "links", change);
  await store.delete("a");
  for (const change of changes.splice(0)) await callWatcher(instance, binding, "draft2", "links", change);
  assert.deepEqual(await run("seen"), ["a=1 true", "-a false"]);
});

test("the first draft has numbers as cursors and counts without a sign", async () => {
  const draft = await jsGuest(
    "keyvalue-draft",
    `
    import * as store from "wasi:keyvalue/store@0.2.0-draft";
    import * as atomics from "wasi:keyvalue/atomics@0.2.0-draft";
    import * as batch from "wasi:keyvalue/batch@0.2.0-draft";
    export function run() {
      const bucket = store.open("links");
      const first = bucket.listKeys(undefined);
      const second = bucket.listKeys(first.cursor);
      return JSON.stringify([
        first.keys.length, String(first.cursor), second.keys.length, second.cursor ?? null,
        attempt(() => bucket.listKeys(9)),
        attempt(() => atomics.increment(bucket, "up", 5)), attempt(() => atomics.increment(bucket, "down", 5)),
        batch.getMany(bucket, ["k1"]).length,
      ]);
    }
    `,
  );
  const store = memoryKeyValue();
  await store.setMany(Array.from({ length: 1000 }, (_, i) => [`k${i}`, new Uint8Array(1)] as const));
  await store.increment("down", -100n);
  const binding = keyValueCapability.configure(new Map([["links", store]]))();
  const instance = await draft.instantiate({ ...inertImports(TRANSACTION), ...binding.imports });
  binding.prepare?.(TRANSACTION);
  assert.deepEqual(JSON.parse(String(await instance.call("run", [""]))), [
    1000,
    "1",
    1,
    null,
    { tag: "other", val: "the cursor was not given out by this bucket" },
    5,
    { tag: "other", val: "the value is negative" },
    1,
  ]);
});
