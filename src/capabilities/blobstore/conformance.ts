// What every blob store does, as tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import type { BlobBytes, BlobStore } from "./blobstore.ts";

export interface BlobsUnderTest {
  /** An empty container; the same name opens the same one again. */
  open(name: string): Promise<BlobStore>;
  readonly missing?: string | undefined;
  /** What is in a container is gone when it is closed. */
  readonly volatile?: boolean;
  /** Names that objects cannot have here. */
  readonly without?: readonly string[];
  /** Names that only the server of the test cannot hold. */
  readonly untested?: readonly string[];
}

const bytes = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];
const ALL = Number.MAX_SAFE_INTEGER;

async function collected(from: BlobBytes): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of from) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

async function text(store: BlobStore, name: string, start = 0, end = ALL): Promise<string | undefined> {
  const body = await store.read(name, start, end);
  if (body === undefined) return undefined;
  const read = await collected(body.bytes);
  assert.equal(read.length, body.sizeBytes);
  return new TextDecoder().decode(read);
}

async function allNames(store: BlobStore, limit: number): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(cursor, limit);
    assert.ok(page.names.length <= limit);
    names.push(...page.names);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return names.toSorted();
}

export function blobConformance(backend: string, under: BlobsUnderTest): void {
  let opened = 0;
  const cases = (name: string, run: (store: BlobStore, again: () => Promise<BlobStore>) => Promise<void>): void => {
    test(`${backend}: ${name}`, { skip: under.missing ?? false }, async () => {
      const container = `c${opened++}`;
      const store = await under.open(container);
      try {
        await run(store, () => under.open(container));
      } finally {
        await store.close();
      }
    });
  };

  cases("an object that was written is there until it is deleted", async (store) => {
    assert.equal(await store.info("a.txt"), undefined);
    assert.equal(await text(store, "a.txt"), undefined);
    const before = Date.now();
    await store.write("a.txt", bytes("one"));
    const info = await store.info("a.txt");
    assert.equal(info?.sizeBytes, 3);
    assert.ok(Math.abs((info?.createdMs ?? 0) - before) < 60_000);
    assert.equal(await text(store, "a.txt"), "one");
    await store.write("a.txt", bytes("another"));
    assert.equal(await text(store, "a.txt"), "another");
    await store.delete(["a.txt", "none"]);
    assert.equal(await store.info("a.txt"), undefined);
    assert.deepEqual(await allNames(store, 10), []);
    await store.write("empty", []);
    assert.equal((await store.info("empty"))?.sizeBytes, 0);
    assert.equal(await text(store, "empty"), "");
    assert.ok((await store.createdMs()) >= 0);
  });

  cases("a part of an object is read by where it starts and ends", async (store) => {
    await store.write("digits", bytes("0123456789"));
    assert.equal(await text(store, "digits", 2, 5), "234");
    assert.equal(await text(store, "digits", 0, 1), "0");
    assert.equal(await text(store, "digits", 8, 100), "89");
    assert.equal(await text(store, "digits", 10, 20), "");
    assert.equal(await text(store, "digits", 50, 60), "");
    assert.equal(await text(store, "digits", 5, 5), "");
  });

  cases("large objects of many pieces come back as they were", async (store) => {
    const piece = (i: number): Uint8Array => new Uint8Array(700_000).fill(i);
    await store.write(
      "large",
      (async function* () {
        for (let i = 0; i < 25; i++) yield piece(i);
      })(),
    );
    assert.equal((await store.info("large"))?.sizeBytes, 25 * 700_000);
    const body = await store.read("large", 700_000 * 3 - 2, 700_000 * 20 + 2);
    const read = await collected(body?.bytes ?? []);
    assert.equal(read.length, 17 * 700_000 + 4);
    assert.deepEqual([...read.subarray(0, 4)], [2, 2, 3, 3]);
    assert.deepEqual([...read.subarray(-4)], [19, 19, 20, 20]);
  });

  cases("what a reader leaves unread does no harm", async (store) => {
    await store.write("large", [new Uint8Array(3_000_000)]);
    const body = await store.read("large", 0, ALL);
    for await (const part of body?.bytes ?? []) {
      assert.ok(part.length > 0);
      break;
    }
    assert.equal((await collected((await store.read("large", 0, ALL))?.bytes ?? [])).length, 3_000_000);
  });

  cases("a read goes on with what it began with, whatever is written or deleted meanwhile", async (store) => {
    const old = new Uint8Array(300_000).fill(1);
    await store.write("a", [old]);
    const body = await store.read("a", 0, ALL);
    assert.ok(body !== undefined);
    const iterator = Symbol.asyncIterator in body.bytes ? body.bytes[Symbol.asyncIterator]() : body.bytes[Symbol.iterator]();
    const parts: Uint8Array[] = [];
    const first = await iterator.next();
    if (first.done !== true) parts.push(first.value);
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) parts.push(next.value);
    await store.delete(["a"]);
    assert.equal(Buffer.compare(Buffer.concat(parts), old), 0);
  });

  cases("an object whose bytes break off is not there, and what was there stays", async (store) => {
    const breaking = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(200_000);
      throw new Error("the writer went away");
    };
    await assert.rejects(store.write("a", breaking()), /went away/);
    assert.equal(await store.info("a"), undefined);
    await store.write("a", bytes("kept"));
    await assert.rejects(store.write("a", breaking()), /went away/);
    assert.equal(await text(store, "a"), "kept");
    const ended = new AbortController();
    const slow = async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      ended.abort(new Error("enough"));
      yield new Uint8Array(10);
    };
    await assert.rejects(store.write("a", slow(), ended.signal), /enough/);
    assert.equal(await text(store, "a"), "kept");
    assert.deepEqual(await allNames(store, 10), ["a"]);
  });

  cases("any text is a name, and none leads anywhere else", async (store) => {
    const names = [
      "a b",
      "b/c/d.txt",
      "../out",
      "x/../../y",
      ".",
      "z/..",
      "/absolute",
      "trailing/",
      "double//slash",
      "%2e%2e",
      "ä€😀",
      "q?x=1&y#z",
      "back\\slash",
      "C:\\x",
      ".starlane-x",
      "star*'()!~",
      "plus+space ",
      "\0nul",
      "<&>\"'",
    ].filter((name) => ![...(under.without ?? []), ...(under.untested ?? [])].includes(name));
    for (const [i, name] of names.entries()) await store.write(name, bytes(String(i)));
    for (const [i, name] of names.entries()) assert.equal(await text(store, name), String(i), name);
    assert.deepEqual(await allNames(store, 7), names.toSorted());
    for (const name of under.without ?? []) {
      await assert.rejects(
        store.write(name, bytes("x")),
        (error) => error instanceof StarlaneError && error.code === "resource/rejected",
        name,
      );
    }
    await store.delete(names);
    assert.deepEqual(await allNames(store, 10), []);
  });

  cases("names that are too long are refused", async (store) => {
    const isLimit = (error: unknown): boolean => error instanceof StarlaneError && error.code === "resource/limit";
    for (const name of ["", "x".repeat(1025), "ä".repeat(513)]) {
      await assert.rejects(async () => await store.write(name, bytes("x")), isLimit);
      await assert.rejects(async () => await store.read(name, 0, 1), isLimit);
      await assert.rejects(async () => await store.info(name), isLimit);
      await assert.rejects(async () => await store.delete([name]), isLimit);
    }
    const long = `${"x".repeat(200)}/${"y".repeat(200)}/${"z".repeat(200)}`;
    await store.write(long, bytes("x"));
    assert.deepEqual(await allNames(store, 10), [long]);
  });

  cases("two openings are one container", async (store, again) => {
    if (under.volatile === true) return;
    const other = await again();
    try {
      await store.write("a/b", bytes("1"));
      assert.equal(await text(other, "a/b"), "1");
      await other.delete(["a/b"]);
      assert.equal(await store.info("a/b"), undefined);
    } finally {
      await other.close();
    }
  });
}
