import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { wat } from "../../test/wat.ts";
import { StarlaneError } from "../base/errors.ts";
import { compile } from "../engine/compile.ts";
import { cacheFolder } from "./cache-folder.ts";
import { CodeCache, openCodeCache } from "./code-cache.ts";

const temporary = mkdtempSync(join(tmpdir(), "starlane-test-"));
after(() => rmSync(temporary, { recursive: true, force: true }));

let count = 0;
const newPath = (): string => join(temporary, String(++count));
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);
const bytesOf = (value: string): Uint8Array => new TextEncoder().encode(value);

interface Filled {
  readonly folder: string;
  readonly cache: CodeCache;
  /** The file of the entry `name`, which holds "contents". */
  readonly file: string;
}

async function filled(): Promise<Filled> {
  const folder = newPath();
  const cache = new CodeCache(folder, "1");
  await cache.store("name", [bytesOf("con"), bytesOf("tents")]);
  return { folder, cache, file: join(folder, entriesIn(folder)[0] ?? "") };
}

const entriesIn = (folder: string): string[] => readdirSync(folder).filter((name) => /^[0-9a-f]{64}$/.test(name));
const load = async ({ cache }: Filled): Promise<string | undefined> => text(await cache.load("name"));

describe("an entry", () => {
  test("is given back to every process of the same version, and to no other", async () => {
    const { folder, cache } = await filled();
    assert.equal(text(await cache.load("name")), "contents");
    assert.equal(text(await new CodeCache(folder, "1").load("name")), "contents");
    assert.equal(text(cache.loadNow("name")), "contents");
    assert.equal(await cache.load("other"), undefined);
    assert.equal(await new CodeCache(folder, "2").load("name"), undefined);
  });

  test("is replaced by a newer one of the same name", async () => {
    const there = await filled();
    await there.cache.store("name", [bytesOf("new")]);
    assert.equal(await load(there), "new");
    assert.equal(entriesIn(there.folder).length, 1);
  });

  test("with any bit changed is not used, and replaced", async () => {
    const there = await filled();
    const good = readFileSync(there.file);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(there.file, bad);
      assert.equal(await load(there), undefined, `bit ${bit}`);
    }
    await there.cache.store("name", [bytesOf("again")]);
    assert.equal(await load(there), "again");
  });

  test("that is cut off or longer is not used", async () => {
    const there = await filled();
    const good = readFileSync(there.file);
    for (let length = good.length - 1; length >= 0; length--) {
      truncateSync(there.file, length);
      assert.equal(await load(there), undefined, `${length} bytes`);
    }
    writeFileSync(there.file, Buffer.concat([good, Buffer.alloc(1)]));
    assert.equal(await load(there), undefined);
  });

  test("of another name or folder is not used in its place", async () => {
    const [one, two] = [await filled(), await filled()];
    cpSync(two.file, one.file);
    assert.equal(await load(one), undefined, "another secret");
    await one.cache.store("other", [bytesOf("other")]);
    const other = entriesIn(one.folder).find((name) => join(one.folder, name) !== one.file) ?? "";
    renameSync(join(one.folder, other), one.file);
    assert.equal(await load(one), undefined, "another name");
  });

  test("is of no use without the secret, and a new secret makes new entries", async () => {
    const there = await filled();
    rmSync(join(there.folder, "secret"));
    assert.equal(await load(there), undefined);
    await there.cache.store("name", [bytesOf("new")]);
    assert.equal(await load(there), "new");
    for (const wrong of ["", "short", "x".repeat(33)]) {
      writeFileSync(join(there.folder, "secret"), wrong);
      assert.equal(await load(there), undefined);
      await there.cache.store("name", [bytesOf(wrong)]);
      assert.equal(await load(there), wrong);
    }
  });
});

const noModes = process.platform === "win32" ? { skip: "Windows has no such modes" } : {};

describe("what others could have written", noModes, () => {
  test("is not used: a folder or file that they can write to, a secret that they can read", async () => {
    for (const mode of [0o770, 0o707, 0o777]) {
      const there = await filled();
      chmodSync(there.folder, mode);
      assert.equal(await load(there), undefined);
      await there.cache.store("name", [bytesOf("new")]);
      assert.equal(await load(there), undefined);
    }
    for (const mode of [0o620, 0o602]) {
      const there = await filled();
      chmodSync(there.file, mode);
      assert.equal(await load(there), undefined);
      await there.cache.store("name", [bytesOf("new")]);
      assert.equal(await load(there), "new");
    }
    for (const mode of [0o640, 0o604, 0o620]) {
      const there = await filled();
      const secret = readFileSync(join(there.folder, "secret"));
      chmodSync(join(there.folder, "secret"), mode);
      assert.equal(await load(there), undefined);
      await there.cache.store("name", [bytesOf("new")]);
      assert.equal(await load(there), "new");
      assert.notDeepEqual(readFileSync(join(there.folder, "secret")), secret);
    }
  });

  test("is not reached through symbolic links", async () => {
    const there = await filled();
    const away = newPath();
    renameSync(there.file, away);
    symlinkSync(away, there.file);
    assert.equal(await load(there), undefined, "the entry");
    await there.cache.store("name", [bytesOf("new")]);
    assert.equal(await load(there), "new");
    assert.ok(readFileSync(away).includes("contents"), "what the link named was not written to");

    const link = newPath();
    symlinkSync(there.folder, link);
    assert.equal(await new CodeCache(link, "1").load("name"), undefined, "the folder");

    const secret = join(there.folder, "secret");
    renameSync(secret, `${away}-secret`);
    symlinkSync(`${away}-secret`, secret);
    assert.equal(await load(there), undefined, "the secret");
  });

  const notRoot = process.getuid?.() === 0 ? {} : { skip: "only root can give files away" };

  test("is not used where it belongs to somebody else", notRoot, async () => {
    for (const part of ["", "secret", "entry"]) {
      const there = await filled();
      chownSync(part === "entry" ? there.file : join(there.folder, part), 65_534, 65_534);
      assert.equal(await load(there), undefined, part);
    }
  });

  test("does not hold up who looks for an entry: pipes and folders in its place", async () => {
    const there = await filled();
    rmSync(there.file);
    execFileSync("sh", ["-c", `mkfifo -m 600 "$0"`, there.file]);
    assert.equal(await load(there), undefined);
    rmSync(there.file);
    mkdirSync(there.file);
    assert.equal(await load(there), undefined);
    await there.cache.store("name", [bytesOf("new")]);
    assert.equal(await load(there), undefined);
    assert.deepEqual(
      readdirSync(there.folder).filter((name) => name.endsWith(".tmp")),
      [],
    );
  });
});

describe("a folder", () => {
  test("that cannot be made or written to is no error", async () => {
    const file = newPath();
    writeFileSync(file, "a file");
    for (const folder of [file, join(file, "below"), "/proc/nowhere", "\0"]) {
      const cache = new CodeCache(folder, "1");
      await cache.store("name", [bytesOf("contents")]);
      assert.equal(await cache.load("name"), undefined);
    }
  });

  test("is made for its owner alone, and so is what is in it", noModes, async () => {
    const { folder, file } = await filled();
    assert.deepEqual(
      [folder, file, join(folder, "secret")].map((path) => statSync(path).mode & 0o777),
      [0o700, 0o600, 0o600],
    );
  });

  test("does not grow beyond its bound: what was not used for longest goes", async () => {
    const folder = newPath();
    const cache = new CodeCache(folder, "1", 10_000);
    const contents = new Uint8Array(2500);
    for (const [age, name] of [
      [3, "a"],
      [2, "b"],
      [1, "c"],
    ] as const) {
      const before = new Set(existsSync(folder) ? entriesIn(folder) : []);
      await cache.store(name, [contents]);
      const [added = ""] = entriesIn(folder).filter((entry) => !before.has(entry));
      const time = Date.now() / 1000 - age * 7200;
      utimesSync(join(folder, added), time, time);
    }
    assert.ok((await cache.load("a")) !== undefined, "which marks it as used");
    await cache.store("d", [contents]);
    const kept = await Promise.all(["a", "b", "c", "d"].map(async (name) => (await cache.load(name)) !== undefined));
    assert.deepEqual(kept, [true, false, true, true]);
    await cache.store("huge", [new Uint8Array(6000)]);
    assert.equal(await cache.load("huge"), undefined);
  });

  test("is cleared of files that were never finished, when they are old", async () => {
    const there = await filled();
    const files = ["old", "new"].map((name) => join(there.folder, `${name}.tmp`));
    for (const file of files) writeFileSync(file, "");
    utimesSync(files[0] ?? "", 1, 1);
    await there.cache.store("other", []);
    assert.deepEqual(
      readdirSync(there.folder).filter((name) => name.endsWith(".tmp")),
      ["new.tmp"],
    );
  });

  test("can be used by many processes at once: each reads whole entries or none", async () => {
    const folder = newPath();
    const script = `
      import { CodeCache } from ${JSON.stringify(new URL("code-cache.ts", import.meta.url).href)};
      const cache = new CodeCache(${JSON.stringify(folder)}, "1");
      const counts = { read: 0, none: 0, wrong: 0 };
      for (let i = 0; i < 60; i++) {
        const name = "entry " + (i % 3);
        const entry = await cache.load(name);
        if (entry === undefined) counts.none++;
        else if (entry.length === 300_000 && entry.every((byte) => byte === entry[0])) counts.read++;
        else counts.wrong++;
        if (i % 2 === 0) await cache.store(name, [new Uint8Array(300_000).fill(i)]);
      }
      console.log(JSON.stringify(counts));`;
    const run = promisify(execFile);
    const all = await Promise.all(
      Array.from({ length: 4 }, () => run(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" })),
    );
    for (const { stdout } of all) {
      const { read, wrong } = JSON.parse(stdout) as { read: number; wrong: number };
      assert.equal(wrong, 0);
      assert.ok(read >= 40, `${read} of 60 were read`);
    }
    assert.deepEqual(readdirSync(folder).toSorted(), [...entriesIn(folder).toSorted(), "secret"]);
    assert.equal(entriesIn(folder).length, 3);
  });
});

describe("the cache of a file", () => {
  test("reads ahead what the file needed last, and gives it for that alone", async () => {
    const { cache } = await filled();
    const path = newPath();
    writeFileSync(path, "a component");
    const first = cache.forFile(path);
    first.readAhead();
    assert.equal(await first.load("mine"), undefined);
    await first.store("mine", [bytesOf("my modules")]);
    const second = cache.forFile(path);
    second.readAhead();
    assert.equal(text(await second.load("name")), "contents");
    const third = cache.forFile(path);
    third.readAhead();
    assert.equal(text(await third.load("mine")), "my modules");
    assert.equal(text(await third.load("mine")), "my modules");
    const none = cache.forFile(newPath());
    none.readAhead();
    assert.equal(text(await none.load("mine")), "my modules");
  });
});

test("the place of the cache is the one that was asked for, or the system's", () => {
  const place = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform = "linux"): string | undefined => cacheFolder(env, platform);
  assert.equal(place({ HOME: "/home/a" }), "/home/a/.cache/starlane");
  assert.equal(place({ HOME: "/home/a", XDG_CACHE_HOME: "/var/cache" }), "/var/cache/starlane");
  assert.equal(place({ HOME: "/home/a", XDG_CACHE_HOME: "" }), "/home/a/.cache/starlane");
  assert.equal(place({ HOME: "/Users/a" }, "darwin"), "/Users/a/Library/Caches/starlane");
  assert.equal(place({ HOME: "/home/a", STARLANE_CACHE: "/data/cache" }), "/data/cache");
  for (const off of ["", "0", "off", "OFF", "none", "false", "relative/path"]) {
    assert.equal(place({ HOME: "/home/a", STARLANE_CACHE: off }), undefined, off);
  }
  assert.equal(place({ XDG_CACHE_HOME: "relative" }), undefined);
  assert.equal(openCodeCache({ STARLANE_CACHE: "off" }), undefined);
});

describe("a component", () => {
  const padding = `(memory 10) (data (i32.const 0) "${"x".repeat(300_000)}")`;
  const component = (body: string): string => `(component
    (core module $M ${padding} (func (export "f") (param i32) (result i32) ${body}))
    (core instance $m (instantiate $M))
    (func (export "f") (param "n" u32) (result u32) (canon lift (core func $m "f"))))`;
  const GOOD = component("(i32.mul (local.get 0) (i32.const 3))");

  async function answer(bytes: Uint8Array, folder: string): Promise<unknown> {
    const cache = openCodeCache({ STARLANE_CACHE: folder });
    assert.ok(cache !== undefined);
    const pool = await (await compile(bytes, { cache, onlyPools: true })).pool();
    const result = await pool.call("f", [14]);
    pool.close();
    return result;
  }

  const settled = async (folder: string): Promise<string> => {
    for (;;) {
      const [entry] = entriesIn(join(folder, "code"));
      if (entry !== undefined) return join(folder, "code", entry);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  test("does the same from the cache, without it, and whatever became of the cache", async () => {
    const bytes = await wat(GOOD);
    const folder = newPath();
    mkdirSync(join(folder), { recursive: true });
    mkdirSync(join(folder, "code"), { mode: 0o700 });
    assert.equal(await answer(bytes, folder), 42);
    const file = await settled(folder);
    const good = readFileSync(file);
    assert.ok(good.length > 300_000);
    assert.equal(await answer(bytes, folder), 42);
    for (let i = 0; i < 40; i++) {
      const bad = Buffer.from(good);
      const at = Math.floor((good.length * i) / 40);
      bad[at] = (bad[at] ?? 0) ^ (1 << (i % 8));
      writeFileSync(file, i % 4 === 0 ? bad.subarray(0, at) : bad, { mode: 0o600 });
      assert.equal(await answer(bytes, folder), 42, `byte ${at}`);
    }
  });

  test("that is invalid is refused, with V8's reason, also while functions are validated when they first run", async () => {
    const bytes = await wat(component("(i32.const 3)"));
    const bad = Uint8Array.from(bytes);
    const [i64Const, place] = [0x42, findCode(bad)];
    bad[place] = i64Const;
    const cache = openCodeCache({ STARLANE_CACHE: newPath() });
    for (const given of [cache, undefined]) {
      const isReason = (error: unknown): boolean =>
        error instanceof StarlaneError &&
        error.code === "component/invalid" &&
        /is invalid: .*expected i32, got i64/.test(error.message);
      await assert.rejects(compile(bad, { cache: given }), isReason);
      await assert.rejects(async () => (await compile(bad, { cache: given, onlyPools: true })).pool(), isReason);
    }
  });

  /** Where the body of the only function begins: no locals, `i32.const 3`, end. */
  function findCode(bytes: Uint8Array): number {
    for (let at = 0; at < bytes.length - 4; at++) {
      if (bytes[at] === 0 && bytes[at + 1] === 0x41 && bytes[at + 2] === 3 && bytes[at + 3] === 0x0b) return at + 1;
    }
    throw new Error("no code");
  }
});
