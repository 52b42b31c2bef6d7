// Transactions that give streams: they end with the last of them, and so does what they did in a database.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { FlowError } from "../flow/failure.ts";
import { CHUNKED } from "../wit/streams.ts";
import { findOperation } from "./operations.ts";
import { type Loaded, loadTarget } from "./star.ts";
import { runTransaction, type TransactionSettings } from "./transaction.ts";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "starlane-streams-"));
const open: Loaded[] = [];
after(async () => {
  for (const loaded of open) await loaded.close();
  rmSync(folder, { recursive: true, force: true });
});

const MANIFEST = `starlane: v1
name: acme/bulk
components: { links: ./shortener.wasm, text: ./text.wasm, faults: ./faults.wasm }
resources: { db: { sql: "sqlite:./NAME.db", migrations: ./migrations } }
grants: { links: { sql: { links: db } } }
operations:
  import:
    input: { urls: { type: stream<string>, max: 60 } }
    flow: |
      <>.urls -> links::shorten.url
      shorten.slug -> <>.slugs
      shorten -> drop
  count: { flow: <> -> links::popular -> <>.links }
  upper: { input: { lines: stream<string> }, flow: "<>.lines -> text::upper -> <>.lines" }
  slow: { input: { rounds: stream<u64> }, flow: "<>.rounds -> faults::slow -> <>.numbers" }
limits: { fuel: 50000000 }
`;

let made = 0;

/** An app with a database of its own. */
async function app() {
  const name = `app-${made++}`;
  const here = join(folder, name);
  for (const guest of ["rust/shortener.wasm", "c/text.wasm", "c/faults.wasm"])
    cpSync(join(ROOT, "guests", guest), join(here, guest.split("/")[1] ?? ""));
  cpSync(join(ROOT, "examples/shortener/migrations"), join(here, "migrations"), { recursive: true });
  writeFileSync(join(here, "starlane.yaml"), MANIFEST.replace("NAME", name));
  const loaded = await loadTarget(here, { use: "run" });
  open.push(loaded);
  const file = join(here, `${name}.db`);
  const links = (): number => {
    const database = new DatabaseSync(file, { readOnly: true });
    const row = database.prepare("select count(*) as links from links").get();
    database.close();
    return Number(row?.["links"]);
  };
  const run = async (
    operation: string,
    args: readonly unknown[],
    settings: Partial<TransactionSettings> = {},
  ): Promise<unknown> => runTransaction(findOperation(loaded.target, operation), args, { seed: 1, timestampMs: 0, ...settings });
  return { links, run };
}

type Items = AsyncIterable<ArrayLike<unknown>> & AsyncDisposable;

function streamOf(result: unknown): Items {
  const [stream]: unknown[] = Object.values(result as object);
  return stream as Items;
}

async function elementsOf(stream: Items): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const chunk of stream) all.push(...Array.from(chunk));
  return all;
}

/** Addresses one by one, each when the one before was dealt with. */
async function* addresses(count: number, bad = -1): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) {
    yield i === bad ? "no address" : `https://example.com/${i}`;
    await Promise.resolve();
  }
}

test("what a stream did in a database is committed when it has ended, and not before", async () => {
  const { links, run } = await app();
  const slugs = streamOf(await run("import", [addresses(5)]));
  const iterator = slugs[Symbol.asyncIterator]();
  await iterator.next();
  await iterator.next();
  assert.equal(links(), 0);
  let rest = 2;
  while ((await iterator.next()).done !== true) rest++;
  assert.equal(rest, 5);
  assert.equal(links(), 5);
});

test("a stream that fails takes back what it did", async () => {
  const { links, run } = await app();
  await assert.rejects(
    async () => elementsOf(streamOf(await run("import", [addresses(5, 3)]))),
    (error: unknown) => {
      assert(error instanceof FlowError);
      assert.equal(error.path, "import/shorten[3]");
      return true;
    },
  );
  assert.equal(links(), 0);
});

test("an element that breaks a rule of its port fails the stream, with its place", async () => {
  const { links, run } = await app();
  const long = [`https://example.com/`, `https://example.com/${"x".repeat(60)}`];
  await assert.rejects(async () => elementsOf(streamOf(await run("import", [long]))), {
    code: "star/invalid-input",
    message: "the input is not accepted: urls[1]: it has 80 characters, and must have at most 60",
  });
  assert.equal(links(), 0);
});

test("who needs no more of a stream ends the transaction, and keeps what it did", async () => {
  const { links, run } = await app();
  const slugs = streamOf(await run("import", [addresses(1000)]));
  for await (const _ of slugs) break;
  const kept = links();
  assert(kept >= 1 && kept < 1000, `${kept} links`);
});

test("an abort takes back what a stream did, whether or not somebody reads it", async () => {
  const { links, run } = await app();
  const abort = new AbortController();
  const slugs = streamOf(await run("import", [addresses(1000)], { signal: abort.signal }));
  const iterator = slugs[Symbol.asyncIterator]();
  await iterator.next();
  abort.abort(new Error("gone"));
  await assert.rejects(async () => iterator.next());
  assert.equal(links(), 0);
  assert.equal((await elementsOf(streamOf(await run("import", [addresses(1)])))).length, 1, "the database is free for others");
});

test("usage is told once, when the last stream has ended, and fuel bounds all elements together", async () => {
  const { run } = await app();
  const told: number[] = [];
  const onUsage = ({ calls }: { readonly calls: number }): void => void told.push(calls);
  const lines = streamOf(await run("upper", [["a", "b", "c"]], { onUsage }));
  assert.deepEqual(told, []);
  assert.deepEqual(await elementsOf(lines), ["A", "B", "C"]);
  assert.deepEqual(told, [3]);
  const endless = {
    [CHUNKED]: true,
    *[Symbol.iterator]() {
      for (;;) yield [100_000n];
    },
  };
  await assert.rejects(async () => elementsOf(streamOf(await run("slow", [endless]))), { code: "engine/out-of-fuel" });
});

test("the deadline of a transaction holds for its streams", async () => {
  const { run } = await app();
  const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
  await assert.rejects(async () => elementsOf(streamOf(await run("upper", [silent], { timeoutMs: 30 }))), {
    code: "flow/deadline",
  });
});
