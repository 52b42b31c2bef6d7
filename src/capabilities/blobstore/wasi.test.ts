// Every function of `wasi:blobstore`, called by a guest through the engine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { jsGuest } from "../fixtures/js-guest.ts";
import { inertImports } from "../inert.ts";
import { type Fault, withFaults } from "../resources/faults.ts";
import type { BlobStore } from "./blobstore.ts";
import { memoryBlobs } from "./memory.ts";
import { blobstoreCapability } from "./wasi.ts";

const TRANSACTION = { seed: 1, timestampMs: 1_790_000_000_000 };

const guest = await jsGuest(
  "blobstore",
  `
  import * as blobstore from "wasi:blobstore/blobstore@0.2.0-draft";
  import { OutgoingValue, IncomingValue } from "wasi:blobstore/types@0.2.0-draft";
  const END = Number.MAX_SAFE_INTEGER;
  const open = () => blobstore.getContainer("pictures");
  function put(container, name, contents, first) {
    const value = OutgoingValue.newOutgoingValue();
    const body = value.outgoingValueWriteBody();
    if (first) container.writeData(name, value);
    for (let at = 0; at < contents.length; at += 4096) body.blockingWriteAndFlush(contents.subarray(at, at + 4096));
    if (!first) container.writeData(name, value);
    body[Symbol.dispose]?.();
    OutgoingValue.finish(value);
  }
  const read = (container, name, start = 0, end = END) =>
    text(IncomingValue.incomingValueConsumeSync(container.getData(name, start, end)));
  const all = {
    basics() {
      const container = open();
      put(container, "a", bytes("one"), true);
      put(container, "b/c", bytes("0123456789"), false);
      const stream = IncomingValue.incomingValueConsumeAsync(container.getData("b/c", 2, 4));
      const streamed = text(stream.blockingRead(100));
      const ended = attempt(() => stream.blockingRead(1)).tag;
      const info = container.objectInfo("b/c");
      return [
        container.name(), container.info().name, read(container, "a"), read(container, "b/c", 7, END), streamed, ended,
        Number(container.getData("a", 0, END).size()), container.hasObject("a"), container.hasObject("z"),
        [info.name, info.container, Number(info.size), Number(info.createdAt) > 0],
      ];
    },
    listing() {
      const container = open();
      for (const name of ["a", "b", "c", "d", "e"]) put(container, name, bytes(name), true);
      const names = container.listObjects();
      const first = names.readStreamObjectNames(2);
      const skipped = names.skipStreamObjectNames(2).map((one) => typeof one === "boolean" ? one : Number(one));
      const rest = names.readStreamObjectNames(10);
      container.deleteObject("a");
      container.deleteObjects(["b", "none"]);
      const left = container.listObjects().readStreamObjectNames(10)[0];
      container.clear();
      return [first, skipped, rest, left, container.listObjects().readStreamObjectNames(10)];
    },
    containers: () => [
      blobstore.containerExists("pictures"), blobstore.containerExists("secrets"),
      attempt(() => blobstore.getContainer("secrets")), attempt(() => blobstore.createContainer("secrets")),
      blobstore.createContainer("pictures").name(), attempt(() => blobstore.deleteContainer("pictures")),
    ],
    move() {
      const container = open();
      put(container, "a", bytes("moving"), true);
      blobstore.copyObject({ container: "pictures", object: "a" }, { container: "backup", object: "b" });
      blobstore.moveObject({ container: "pictures", object: "a" }, { container: "pictures", object: "c" });
      blobstore.moveObject({ container: "pictures", object: "c" }, { container: "pictures", object: "c" });
      return [
        container.hasObject("a"), read(container, "c"), read(blobstore.getContainer("backup"), "b"),
        attempt(() => blobstore.copyObject({ container: "pictures", object: "c" }, { container: "other", object: "c" })),
        attempt(() => blobstore.copyObject({ container: "pictures", object: "none" }, { container: "pictures", object: "c" })),
      ];
    },
    missing: () => [attempt(() => open().getData("none", 0, 1)), attempt(() => open().objectInfo("none")), attempt(() => open().hasObject(""))],
    large(first) {
      const container = open();
      put(container, "large", new Uint8Array(3000000).fill(7), first === "first");
      const stream = IncomingValue.incomingValueConsumeAsync(container.getData("large", 0, END));
      let count = 0;
      for (;;) {
        const part = attempt(() => stream.blockingRead(1 << 16));
        if (!(part instanceof Uint8Array)) return [count, part.tag];
        count += part.length;
      }
    },
    unfinished() {
      const container = open();
      const value = OutgoingValue.newOutgoingValue();
      const body = value.outgoingValueWriteBody();
      container.writeData("half", value);
      body.blockingWriteAndFlush(bytes("half of it"));
      globalThis.kept = [value, body];
      return [typeof attempt(() => value.outgoingValueWriteBody()) === "string"];
    },
    finish: () => attempt(() => put(open(), "a", bytes("x"), true)) ?? null,
    open: () => attempt(() => open()),
  };
  export const run = (input) => { const [name, ...args] = input.split(" "); return JSON.stringify(all[name](...args)) };
  `,
);

async function link(pictures: BlobStore, backup = memoryBlobs()) {
  const grant = new Map([
    ["pictures", pictures],
    ["backup", backup],
  ]);
  const binding = blobstoreCapability.configure(grant)();
  // The guest knows the streams of WASI by another name: see `fixtures/wit/deps/io`.
  const io = ["error", "poll", "streams"].map((name) => [`fixtures:io/${name}@0.2.0`, binding.imports[`wasi:io/${name}@0.2.0`]]);
  const instance = await guest.instantiate({ ...inertImports(TRANSACTION), ...binding.imports, ...Object.fromEntries(io) });
  const run = async (input: string): Promise<unknown> => JSON.parse(String(await instance.call("run", [input])));
  return { binding, run };
}

test("a guest writes, reads and asks for objects, at once and as streams", async () => {
  const { binding, run } = await link(memoryBlobs());
  assert.equal(await run("open"), "there is no such container");
  binding.prepare?.(TRANSACTION);
  assert.deepEqual(await run("basics"), [
    "pictures",
    "pictures",
    "one",
    "789",
    "234",
    "closed",
    3,
    true,
    false,
    ["b/c", "pictures", 10, true],
  ]);
  await binding.finish?.("done");
});

test("listings are read and skipped page by page, and containers are emptied", async () => {
  const { binding, run } = await link(memoryBlobs());
  binding.prepare?.(TRANSACTION);
  assert.deepEqual(await run("listing"), [
    [["a", "b"], false],
    [2, false],
    [["e"], true],
    ["c", "d", "e"],
    [[], true],
  ]);
});

test("containers that are granted are there for good, others are not", async () => {
  const { binding, run } = await link(memoryBlobs());
  binding.prepare?.(TRANSACTION);
  assert.deepEqual(await run("containers"), [
    true,
    false,
    "there is no such container",
    "there is no such container",
    "pictures",
    "containers are granted by the manifest and cannot be deleted",
  ]);
});

test("objects are copied and moved, within granted containers", async () => {
  const { binding, run } = await link(memoryBlobs());
  binding.prepare?.(TRANSACTION);
  assert.deepEqual(await run("move"), [false, "moving", "moving", "there is no such container", "there is no such object"]);
  assert.deepEqual(await run("missing"), [
    "there is no such object",
    "there is no such object",
    "the name of an object has to have at least 1 character; the limit is 1",
  ]);
});

test("large objects go through streams, whether write-data comes first or last, also to a slow store", async () => {
  const slow = withFaults(
    memoryBlobs(),
    () => ({ latencyMs: 1 }),
    (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  );
  for (const store of [memoryBlobs(), slow]) {
    const { binding, run } = await link(store);
    binding.prepare?.(TRANSACTION);
    assert.deepEqual(await run("large first"), [3_000_000, "closed"]);
    assert.deepEqual(await run("large last"), [3_000_000, "closed"]);
    await binding.finish?.("done");
  }
});

test("what a guest did not finish is not kept when its transaction ends", async () => {
  const store = memoryBlobs();
  const { binding, run } = await link(store);
  binding.prepare?.(TRANSACTION);
  assert.deepEqual(await run("unfinished"), [true]);
  await binding.finish?.("done");
  assert.deepEqual((await store.list(undefined, 10)).names, []);
});

test("a store that breaks while an object is written tells the guest so, and nothing of the host", async () => {
  const fault: Fault = { error: "disconnected" };
  const store = withFaults(
    memoryBlobs(),
    (method) => (method === "write" ? fault : undefined),
    () => Promise.resolve(),
  );
  const { binding, run } = await link(store);
  binding.prepare?.(TRANSACTION);
  const answer = await run("finish");
  assert.ok(
    answer === "the resource did not answer" || JSON.stringify(answer).includes("last-operation-failed"),
    JSON.stringify(answer),
  );
});
