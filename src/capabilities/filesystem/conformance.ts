// What every filesystem behind `wasi:filesystem` does alike, as tests: each backend runs them through the resource that guests hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ComponentError } from "../../engine/engine.ts";
import type { InputStream, OutputStream } from "../io/streams.ts";
import type { Descriptor } from "./descriptor-0.2.ts";
import type { Descriptor as Descriptor03 } from "./descriptor-0.3.ts";
import type { Filesystem } from "./filesystem.ts";
import { grantedFiles } from "./granted.ts";
import type { DescriptorFlags, OpenFlags } from "./open-descriptor.ts";

export const FOLLOW = { symlinkFollow: true };
export const NO_FOLLOW = { symlinkFollow: false };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function flags(...names: (keyof DescriptorFlags)[]): DescriptorFlags {
  const is = (name: keyof DescriptorFlags): boolean => names.includes(name);
  return {
    read: is("read"),
    write: is("write"),
    fileIntegritySync: is("fileIntegritySync"),
    dataIntegritySync: is("dataIntegritySync"),
    requestedWriteSync: is("requestedWriteSync"),
    mutateDirectory: is("mutateDirectory"),
  };
}

export function how(...names: (keyof OpenFlags)[]): OpenFlags {
  const is = (name: keyof OpenFlags): boolean => names.includes(name);
  return { create: is("create"), directory: is("directory"), exclusive: is("exclusive"), truncate: is("truncate") };
}

/** What a guest has after it was granted a folder as `/`. */
export interface Mounted {
  readonly root: Descriptor;
  readonly root03: Descriptor03;
  readonly imports: Readonly<Record<string, unknown>>;
  readonly finish: () => Promise<void>;
}

interface Preopens<Handle> {
  getDirectories(): [Handle, string][];
}

/** Grants a filesystem to an instance, and starts a transaction of it. */
export function mount(backend: Filesystem, readonly = false): Mounted {
  const binding = grantedFiles.configure({ "/": { backend, readonly } })();
  const preopens = binding.imports["wasi:filesystem/preopens@0.2.0"] as Preopens<Descriptor>;
  const preopens03 = binding.imports["wasi:filesystem/preopens@0.3.0"] as Preopens<Descriptor03>;
  const [root, root03] = [preopens.getDirectories()[0]?.[0], preopens03.getDirectories()[0]?.[0]];
  assert.ok(root !== undefined && root03 !== undefined);
  binding.prepare?.({ seed: 0, timestampMs: 0 });
  return { root, root03, imports: binding.imports, finish: async () => binding.finish?.("done") };
}

/** Whether it is refused, and how. */
export async function codeFrom(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof ComponentError)) throw error;
    return typeof error.payload === "string" ? error.payload : (error.payload as { tag: string }).tag;
  }
}

export async function put(directory: Descriptor, path: string, text: string): Promise<void> {
  const file = await directory.openAt(NO_FOLLOW, path, how("create", "truncate"), flags("write"));
  await file.write(encoder.encode(text), 0n);
  file[Symbol.dispose]();
}

export async function get(directory: Descriptor, path: string): Promise<string> {
  const file = await directory.openAt(FOLLOW, path, how(), flags("read"));
  const [bytes] = await file.read(1n << 20n, 0n);
  file[Symbol.dispose]();
  return decoder.decode(bytes);
}

async function readAll(stream: InputStream, length: bigint): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  while ((await codeFrom(async () => parts.push(await stream.blockingRead(length)))) === undefined);
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

async function writeAll(stream: OutputStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 4096) await stream.blockingWriteAndFlush(bytes.subarray(at, at + 4096));
  stream[Symbol.dispose]();
}

async function names(directory: Descriptor): Promise<string[]> {
  const listing = await directory.readDirectory();
  const found: string[] = [];
  for (let entry = listing.readDirectoryEntry(); entry !== undefined; entry = listing.readDirectoryEntry())
    found.push(entry.name);
  return found.toSorted();
}

/** `make` gives an empty filesystem, and takes it away again. */
export function filesystemConformance(
  name: string,
  make: () => Promise<{ readonly filesystem: Filesystem; readonly remove: () => Promise<void> }>,
): void {
  const check = (what: string, work: (root: Descriptor, mounted: Mounted, filesystem: Filesystem) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const { filesystem, remove } = await make();
      const mounted = mount(filesystem);
      try {
        await work(mounted.root, mounted, filesystem);
      } finally {
        await mounted.finish();
        await remove();
      }
    });
  };

  check("what is written is read again, by offset and by stream", async (root) => {
    await put(root, "a.txt", "hello world");
    const file = await root.openAt(NO_FOLLOW, "a.txt", how(), flags("read", "write"));
    const [bytes, isEnd] = await file.read(5n, 6n);
    assert.deepEqual([decoder.decode(bytes), isEnd], ["world", false]);
    assert.equal((await file.read(5n, 11n))[1], true);
    assert.equal(decoder.decode(await readAll(file.readViaStream(6n), 3n)), "world");
    await writeAll(file.writeViaStream(6n), encoder.encode("there, all of you"));
    await writeAll(file.appendViaStream(), encoder.encode("!"));
    assert.equal(await get(root, "a.txt"), "hello there, all of you!");
  });

  check("a file of any length comes out of streams as it went in, whatever the lengths of reads and writes", async (root) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 300_000 }), fc.integer({ min: 1, max: 100_000 }), async (size, step) => {
        const contents = Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255);
        const file = await root.openAt(NO_FOLLOW, "f", how("create", "truncate"), flags("read", "write"));
        await writeAll(file.writeViaStream(0n), contents);
        assert.deepEqual(await readAll(file.readViaStream(0n), BigInt(step)), contents);
        file[Symbol.dispose]();
      }),
      { numRuns: 10 },
    );
  });

  check("a stream shows what the component itself wrote meanwhile, also where it had read ahead", async (root) => {
    await put(root, "f", "a".repeat(400_000));
    const file = await root.openAt(NO_FOLLOW, "f", how(), flags("read", "write"));
    const stream = file.readViaStream(0n);
    assert.equal((await stream.blockingRead(10n)).length, 10);
    await file.write(encoder.encode("b"), 10n);
    assert.equal(decoder.decode(await stream.blockingRead(2n)), "ba");
  });

  check("streams outlive the descriptor they come from", async (root) => {
    await put(root, "f", "abc");
    const file = await root.openAt(NO_FOLLOW, "f", how(), flags("read", "write"));
    const [input, output] = [file.readViaStream(0n), file.appendViaStream()];
    file[Symbol.dispose]();
    await output.blockingWriteAndFlush(encoder.encode("d"));
    assert.equal(decoder.decode(await readAll(input, 9n)), "abcd");
  });

  check("streams of WASI 0.3 read, write and append, and say how it ended", async (_root, { root03 }) => {
    const file = await root03.openAt(NO_FOLLOW, "f", how("create"), flags("read", "write"));
    async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
      for (const text of texts) yield encoder.encode(text);
    }
    assert.deepEqual(await file.writeViaStream(chunks("one ", "two"), 0n), { tag: "ok" });
    assert.deepEqual(await file.appendViaStream(chunks(" three")), { tag: "ok" });
    const [bytes, end] = file.readViaStream(4n);
    let text = "";
    for await (const chunk of bytes) text += decoder.decode(chunk);
    assert.equal(text, "two three");
    assert.deepEqual(await end, { tag: "ok" });
    const [nothing, failure] = file.readViaStream(2n ** 64n - 1n);
    for await (const _ of nothing) assert.fail("there is nothing");
    assert.deepEqual(await failure, { tag: "err", val: { tag: "invalid" } });
    const [entries] = root03.readDirectory();
    const found: unknown[] = [];
    for await (const entry of entries) found.push(entry);
    assert.deepEqual(found, [{ name: "f", type: { tag: "regular-file" } }]);
  });

  check("files are created, opened, cut off and refused by their open flags", async (root) => {
    const open = (path: string, open: OpenFlags, flag: DescriptorFlags) =>
      codeFrom(() => root.openAt(NO_FOLLOW, path, open, flag));
    assert.equal(await open("new", how(), flags("read")), "no-entry");
    assert.equal(await open("new", how("create", "exclusive"), flags("write")), undefined);
    assert.equal(await open("new", how("create", "exclusive"), flags("write")), "exist");
    assert.equal(await open("new", how("create"), flags("write")), undefined);
    assert.equal(await open("new", how("directory"), flags("read")), "not-directory");
    assert.equal(await open("new/", how(), flags("read")), "not-directory");
    assert.equal(await open("new", how("create", "directory"), flags("read")), "invalid");
    assert.equal(await open(".", how(), flags("write")), "is-directory");
    await put(root, "full", "text");
    assert.equal(await open("full", how("truncate"), flags("write")), undefined);
    assert.equal(await get(root, "full"), "");
  });

  check("a descriptor does what its flags allow", async (root) => {
    await put(root, "f", "text");
    const reader = await root.openAt(NO_FOLLOW, "f", how(), flags("read"));
    const writer = await root.openAt(NO_FOLLOW, "f", how(), flags("write"));
    assert.equal(await codeFrom(() => reader.write(encoder.encode("x"), 0n)), "bad-descriptor");
    assert.equal(await codeFrom(() => reader.setSize(0n)), "bad-descriptor");
    assert.equal(await codeFrom(() => reader.appendViaStream()), "bad-descriptor");
    assert.equal(await codeFrom(() => writer.read(1n, 0n)), "bad-descriptor");
    assert.equal(await codeFrom(() => writer.readViaStream(0n)), "bad-descriptor");
    assert.equal(await codeFrom(() => root.readViaStream(0n)), "is-directory");
    assert.equal(await codeFrom(() => reader.statAt(NO_FOLLOW, "x")), "not-directory");
    assert.deepEqual(reader.getFlags(), flags("read"));
    assert.deepEqual([reader.getType(), root.getType()], ["regular-file", "directory"]);
  });

  check("sizes are set and seen, and impossible ones refused", async (root) => {
    const file = await root.openAt(NO_FOLLOW, "f", how("create"), flags("read", "write"));
    await file.write(encoder.encode("abcdef"), 0n);
    await file.setSize(3n);
    await file.setSize(5n);
    assert.equal(new TextDecoder("latin1").decode((await file.read(9n, 0n))[0]), "abc\0\0");
    assert.equal((await file.stat()).size, 5n);
    for (const size of [2n ** 64n - 1n, 2n ** 63n]) assert.equal(await codeFrom(() => file.setSize(size)), "invalid");
    assert.equal(await codeFrom(() => file.write(encoder.encode("x"), 2n ** 63n - 1n)), "file-too-large");
    assert.equal((await file.read(9n, 2n ** 63n - 1n))[1], true);
    assert.equal((await file.stat()).size, 5n);
  });

  check("directories are made, listed and removed", async (root) => {
    await root.createDirectoryAt("d");
    await root.createDirectoryAt("d/e/");
    await put(root, "d/f", "");
    assert.equal(await codeFrom(() => root.createDirectoryAt("d")), "exist");
    const directory = await root.openAt(NO_FOLLOW, "d", how("directory"), flags("read", "mutateDirectory"));
    assert.deepEqual(await names(directory), ["e", "f"]);
    assert.equal(await codeFrom(() => root.removeDirectoryAt("d")), "not-empty");
    assert.equal(await codeFrom(() => root.unlinkFileAt("d")), "is-directory");
    assert.equal(await codeFrom(() => root.removeDirectoryAt("d/f")), "not-directory");
    assert.equal(await codeFrom(() => root.unlinkFileAt("d/f/")), "not-directory");
    await root.unlinkFileAt("d/f");
    await root.removeDirectoryAt("d/e");
    await root.removeDirectoryAt("d");
    assert.deepEqual(await names(root), []);
    assert.equal(await codeFrom(() => directory.createDirectoryAt("x")), "no-entry");
  });

  check("a file that was removed can be used for as long as it is open", async (root) => {
    const file = await root.openAt(NO_FOLLOW, "f", how("create"), flags("read", "write"));
    await root.unlinkFileAt("f");
    await file.write(encoder.encode("still"), 0n);
    assert.equal(decoder.decode((await file.read(9n, 0n))[0]), "still");
    assert.equal(await codeFrom(() => get(root, "f")), "no-entry");
  });

  check("files are renamed within and between directories, over others too", async (root) => {
    await root.createDirectoryAt("d");
    await put(root, "a", "a");
    await put(root, "b", "b");
    const directory = await root.openAt(NO_FOLLOW, "d", how("directory"), flags("read", "mutateDirectory"));
    await root.renameAt("a", directory, "c");
    await root.renameAt("b", root, "d/c");
    assert.equal(await get(root, "d/c"), "b");
    assert.equal(await codeFrom(() => root.renameAt("a", root, "x")), "no-entry");
    assert.equal(await codeFrom(() => root.renameAt("d", directory, "inside")), "invalid");
    assert.equal(await codeFrom(() => root.renameAt(".", root, "x")), "busy");
    assert.equal(await codeFrom(() => root.renameAt("d/c/", root, "x")), "not-directory");
    await root.renameAt("d/c", root, "d/c");
    assert.equal(await get(root, "d/c"), "b");
  });

  check("hard links share a file", async (root) => {
    await put(root, "a", "text");
    await root.linkAt(NO_FOLLOW, "a", root, "b");
    const [a, b] = [
      await root.openAt(NO_FOLLOW, "a", how(), flags("write")),
      await root.openAt(NO_FOLLOW, "b", how(), flags("read")),
    ];
    await a.write(encoder.encode("T"), 0n);
    assert.equal(await get(root, "b"), "Text");
    assert.equal((await b.stat()).linkCount, 2n);
    assert.equal(await a.isSameObject(b), true);
    assert.equal(await a.isSameObject(root), false);
    assert.deepEqual(await a.metadataHash(), await root.metadataHashAt(NO_FOLLOW, "b"));
    assert.equal(await codeFrom(() => root.linkAt(NO_FOLLOW, "a", root, "b")), "exist");
    await root.createDirectoryAt("d");
    assert.equal(await codeFrom(() => root.linkAt(NO_FOLLOW, "d", root, "e")), "not-permitted");
  });

  check("links are followed where that is asked for, also to what is not there yet", async (root) => {
    await root.createDirectoryAt("d");
    await put(root, "d/f", "found");
    await root.symlinkAt("d/f", "link");
    await root.symlinkAt("../d", "d/here");
    await root.symlinkAt("made", "dangling");
    await root.symlinkAt("loop", "loop");
    assert.equal(await get(root, "link"), "found");
    assert.equal(await get(root, "d/here/here/f"), "found");
    assert.equal(await root.readlinkAt("link"), "d/f");
    assert.equal((await root.statAt(NO_FOLLOW, "link")).type, "symbolic-link");
    assert.equal((await root.statAt(FOLLOW, "link")).type, "regular-file");
    assert.equal(await codeFrom(() => root.openAt(NO_FOLLOW, "link", how(), flags("read"))), "loop");
    assert.equal(await codeFrom(() => get(root, "loop")), "loop");
    assert.equal(await codeFrom(() => root.statAt(FOLLOW, "loop/x")), "loop");
    assert.equal(await codeFrom(() => root.readlinkAt("d/f")), "invalid");
    await root.openAt(FOLLOW, "dangling", how("create"), flags("write"));
    assert.equal(await get(root, "made"), "");
    assert.equal(await codeFrom(() => root.openAt(FOLLOW, "dangling", how("create", "exclusive"), flags("write"))), "exist");
    await root.unlinkFileAt("link");
    assert.equal(await get(root, "d/f"), "found");
  });

  check("times are set, kept and read", async (root) => {
    await put(root, "f", "");
    const at = (seconds: bigint) => ({ tag: "timestamp" as const, val: { seconds, nanoseconds: 0 } });
    await root.setTimesAt(NO_FOLLOW, "f", at(42n), at(69n));
    const file = await root.openAt(NO_FOLLOW, "f", how(), flags("read"));
    await file.setTimes({ tag: "no-change" }, at(70n));
    const stat = await file.stat();
    assert.deepEqual(stat.dataAccessTimestamp, { seconds: 42n, nanoseconds: 0 });
    assert.deepEqual(stat.dataModificationTimestamp, { seconds: 70n, nanoseconds: 0 });
    const far = { tag: "timestamp" as const, val: { seconds: 2n ** 63n, nanoseconds: 0 } };
    assert.equal(await codeFrom(() => file.setTimes(far, far)), "invalid");
  });

  check("everything of a read-only grant is refused that would change something", async (root, _mounted, filesystem) => {
    await put(root, "f", "text");
    await root.symlinkAt("f", "l");
    await root.createDirectoryAt("d");
    const { root: readonly, finish } = mount(filesystem, true);
    const now = { tag: "now" as const };
    const directory = await readonly.openAt(NO_FOLLOW, "d", how("directory"), flags("read"));
    const file = await readonly.openAt(NO_FOLLOW, "f", how(), flags("read"));
    const attempts: (() => unknown)[] = [
      () => readonly.openAt(NO_FOLLOW, "f", how(), flags("write")),
      () => readonly.openAt(NO_FOLLOW, "f", how("truncate"), flags("read")),
      () => readonly.openAt(NO_FOLLOW, "new", how("create"), flags("read")),
      () => readonly.openAt(NO_FOLLOW, "d", how(), flags("mutateDirectory")),
      () => directory.openAt(NO_FOLLOW, "new", how("create"), flags("write")),
      () => readonly.createDirectoryAt("x"),
      () => directory.createDirectoryAt("x"),
      () => readonly.removeDirectoryAt("d"),
      () => readonly.unlinkFileAt("f"),
      () => readonly.renameAt("f", readonly, "g"),
      () => readonly.renameAt("f", root, "g"),
      () => root.renameAt("f", readonly, "g"),
      () => readonly.linkAt(NO_FOLLOW, "f", readonly, "g"),
      () => readonly.linkAt(NO_FOLLOW, "f", root, "g"),
      () => root.linkAt(NO_FOLLOW, "f", readonly, "g"),
      () => readonly.symlinkAt("f", "g"),
      () => readonly.setTimesAt(NO_FOLLOW, "f", now, now),
      () => readonly.setTimes(now, now),
      () => file.setTimes(now, now),
    ];
    for (const attempt of attempts) assert.equal(await codeFrom(attempt), "read-only", attempt.toString());
    assert.deepEqual(await names(root), ["d", "f", "l"]);
    assert.equal(await get(readonly, "l"), "text");
    await finish();
  });

  check("nothing can be opened outside of a transaction, and its end closes what was open", async (root, mounted, filesystem) => {
    const file = await root.openAt(NO_FOLLOW, "f", how("create"), flags("read", "write"));
    const output = file.writeViaStream(0n);
    assert.ok(output.checkWrite() > 3n);
    output.write(encoder.encode("late"));
    await mounted.finish();
    const { root: other, finish } = mount(filesystem);
    assert.equal(await get(other, "f"), "late", "what was written before the end arrived");
    await finish();
    assert.equal(await codeFrom(() => root.openAt(NO_FOLLOW, "f", how(), flags("read"))), "not-permitted");
  });

  check("a component cannot have more than 1024 things open", async (root) => {
    await put(root, "f", "");
    const open: Descriptor[] = [];
    const one = async () => open.push(await root.openAt(NO_FOLLOW, "f", how(), flags("read")));
    for (let i = 0; i < 1024; i++) await one();
    assert.equal(await codeFrom(one), "quota");
    open.pop()?.[Symbol.dispose]();
    await one();
  });
}
