import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { StarlaneError } from "../base/errors.ts";
import { bytesOf, compileModules, type ModuleSource } from "./compiled-modules.ts";
import { decodeEntry, encodeEntry, type ModuleCache, type Preparation } from "./module-cache.ts";

const u32 = (value: number): number[] => {
  const bytes: number[] = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return bytes;
};
const section = (id: number, content: readonly number[]): number[] => [id, ...u32(content.length), ...content];

/** A module that exports `f`, which gives `answer`, and carries so much data that it is worth caching. */
function module(answer: number, { body = [0x41, answer, 0x0b], dataBytes = 300_000 } = {}): Uint8Array<ArrayBuffer> {
  const preamble = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const segment = [1, 0, 0x41, 0, 0x0b, ...u32(dataBytes)];
  const start = [
    ...preamble,
    ...section(1, [1, 0x60, 0, 1, 0x7f]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 16]),
    ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, ...u32(body.length + 1), 0, ...body]),
    11,
    ...u32(segment.length + dataBytes),
    ...segment,
  ];
  const bytes = new Uint8Array(start.length + dataBytes);
  bytes.set(start);
  return bytes;
}

const sourcesOf = (...modules: Uint8Array[]): ModuleSource[] => modules.map((bytes, i) => ({ bytes, offset: i * 100 }));

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    all.set(part, end);
    end += part.length;
  }
  return all;
}

class MemoryCache implements ModuleCache {
  readonly entries = new Map<string, Uint8Array<ArrayBuffer>>();
  // oxlint-disable-next-line require-await -- the contract
  async load(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.entries.get(name);
  }
  // oxlint-disable-next-line require-await -- the contract
  async store(name: string, parts: readonly Uint8Array[]): Promise<void> {
    this.entries.set(name, joined(parts));
  }
}

/** Gives each module another answer, and counts. */
function changing(): Preparation<{ readonly was: number }> & { count: number } {
  return {
    name: "test",
    count: 0,
    prepare(bytes) {
      this.count++;
      const at = bytes.indexOf(0x0b, bytes.indexOf(10)) - 1;
      const changed = Uint8Array.from(bytes);
      changed[at] = (bytes[at] ?? 0) + 1;
      return { bytes: changed, facts: { was: bytes[at] ?? 0 } };
    },
    readFacts: (value) =>
      typeof value === "object" && value !== null && "was" in value && typeof value.was === "number"
        ? { was: value.was }
        : undefined,
  };
}

const answerOf = (compiled: WebAssembly.Module): unknown => (new WebAssembly.Instance(compiled).exports.f as () => unknown)();

describe("core modules from a cache", () => {
  test("are those that were made ready before, with their facts, and are not made ready again", async () => {
    const cache = new MemoryCache();
    const preparation = changing();
    const sources = sourcesOf(module(1), module(5, { dataBytes: 10 }));
    for (const round of [1, 2, 3]) {
      const compiled = await compileModules(sources, preparation, { cache, digest: "d" });
      assert.deepEqual(
        compiled.map(({ module: made, facts, source }) => [answerOf(made), facts, sources.indexOf(source as ModuleSource)]),
        [
          [2, { was: 1 }, 0],
          [6, { was: 5 }, 1],
        ],
        `round ${round}`,
      );
    }
    assert.equal(preparation.count, 2);
  });

  test("are looked for under the digest of their component and the name of their preparation", async () => {
    const cache = new MemoryCache();
    const preparation = changing();
    const sources = sourcesOf(module(1));
    await compileModules(sources, preparation, { cache, digest: "a" });
    await compileModules(sources, preparation, { cache, digest: "b" });
    await compileModules(sources, { ...preparation, name: "other" }, { cache, digest: "a" });
    assert.deepEqual([...cache.entries.keys()], ["test-a", "test-b", "other-a"]);
  });

  test("are not kept when they are small, or where one of them is invalid", async () => {
    const cache = new MemoryCache();
    await compileModules(sourcesOf(module(1, { dataBytes: 10 })), changing(), { cache, digest: "small" });
    const invalid = compileModules(sourcesOf(module(1), module(1, { body: [0x0b] })), changing(), { cache, digest: "invalid" });
    await assert.rejects(invalid, (error) => error instanceof StarlaneError && error.code === "component/invalid");
    assert.equal(cache.entries.size, 0);
  });

  test("are made ready anew whatever else the cache gives", async () => {
    const cache = new MemoryCache();
    const sources = sourcesOf(module(1));
    await compileModules(sources, changing(), { cache, digest: "d" });
    const good = cache.entries.get("test-d") ?? new Uint8Array();
    const others = [
      new Uint8Array(),
      good.subarray(0, 3),
      good.subarray(0, good.length - 1),
      joined([good, Uint8Array.of(0)]),
      new Uint8Array(good.length).fill(0xff),
      Uint8Array.from(good).fill(0, 60),
    ];
    for (const other of others) {
      cache.entries.set("test-d", Uint8Array.from(other));
      const preparation = changing();
      const [compiled] = await compileModules(sources, preparation, { cache, digest: "d" });
      assert.equal(compiled && answerOf(compiled.module), 2);
      assert.equal(preparation.count, 1);
      assert.deepEqual(cache.entries.get("test-d"), good, "replaced");
    }
  });
});

test("an invalid module is refused in its own terms, whatever its preparation makes of it", async () => {
  const breaking: Preparation<true> = {
    name: "breaking",
    prepare: () => {
      throw new Error("cannot be changed");
    },
    readFacts: () => true,
  };
  const bad = sourcesOf(module(1, { body: [0x0b] }));
  await assert.rejects(
    compileModules(bad, breaking, { cache: undefined, digest: "" }),
    /byte 0x0 is invalid: .*expected 1 elements/,
  );
  await assert.rejects(compileModules(sourcesOf(module(1)), breaking, { cache: undefined, digest: "" }), /cannot be changed/);
});

test("what is remembered of a compiled module tells its type and nothing else", async () => {
  const [compiled] = await compileModules(sourcesOf(module(1)), changing(), { cache: undefined, digest: "" });
  const bytes = compiled === undefined ? undefined : bytesOf(compiled.module);
  assert.ok(bytes !== undefined && bytes.length < 100 && bytes.buffer.byteLength === bytes.length);
  assert.equal(new TextDecoder("latin1").decode(bytes).includes("f\0"), true);
});

describe("entries", () => {
  const readNumber = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
  const bytes = fc.uint8Array({ maxLength: 50 });

  test("give back what was put in", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(bytes, fc.option(bytes), fc.integer())), (modules) => {
        const originals = modules.map(([original]) => Uint8Array.from(original));
        const ready = modules.map(([, changed, facts], i) => ({
          bytes: changed === null ? (originals[i] ?? new Uint8Array()) : Uint8Array.from(changed),
          facts,
        }));
        const entry = joined(encodeEntry(ready, originals));
        assert.deepEqual(decodeEntry(entry, originals, readNumber), ready);
      }),
    );
  });

  test("that are something else are none, and never an error", () => {
    const whole = [{ bytes: Uint8Array.of(1, 2, 3), facts: 7 }];
    const entry = joined(encodeEntry(whole, [new Uint8Array()]));
    fc.assert(
      fc.property(fc.nat(entry.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(entry.length), (at, byte, length) => {
        const changed = Uint8Array.from(entry);
        changed[at] = byte;
        decodeEntry(changed, [new Uint8Array()], readNumber);
        if (length < entry.length)
          assert.equal(decodeEntry(entry.subarray(0, length), [new Uint8Array()], readNumber), undefined);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array(), (random) => decodeEntry(Uint8Array.from(random), [], readNumber) === undefined || true),
    );
    assert.equal(decodeEntry(entry, [], readNumber), undefined);
    assert.equal(
      decodeEntry(entry, [new Uint8Array()], () => undefined),
      undefined,
    );
  });
});
