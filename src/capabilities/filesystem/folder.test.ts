import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { anyMayWait } from "../../engine/may-wait.ts";
import { codeFrom, filesystemConformance, flags, FOLLOW, get, how, mount, NO_FOLLOW, put } from "./conformance.ts";
import type { Descriptor } from "./descriptor-0.2.ts";
import { openFolder, type Folder } from "./folder.ts";

const MAKE_PIPE = "mkfifo";
const isLinux = process.platform === "linux";
/** Both ways of holding a directory: by descriptor, where the system has it, and by path. */
const WAYS = isLinux ? [true, false] : [false];

interface World {
  /** What is granted: `folder` in `outside`. */
  readonly folder: string;
  readonly outside: string;
  readonly filesystem: Folder;
  readonly root: Descriptor;
  readonly end: () => Promise<void>;
}

async function world(anchored: boolean): Promise<World> {
  const outside = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "starlane-folder-")));
  const folder = join(outside, "folder");
  fs.mkdirSync(folder);
  fs.writeFileSync(join(outside, "secret"), "secret");
  fs.mkdirSync(join(outside, "sibling"));
  fs.writeFileSync(join(outside, "sibling/secret"), "secret");
  const filesystem = await openFolder(folder, { anchored });
  const { root, finish } = mount(filesystem);
  const end = async (): Promise<void> => {
    await finish();
    await filesystem.close();
    fs.rmSync(outside, { recursive: true, force: true });
  };
  return { folder, outside, filesystem, root, end };
}

for (const anchored of WAYS) {
  const name = anchored ? "a folder by descriptors" : "a folder by paths";

  filesystemConformance(name, async () => {
    const { filesystem, end } = await world(anchored);
    return { filesystem, remove: end };
  });

  test(`${name}: no path, link or kind of file leads out of it, for any operation`, async () => {
    const { folder, outside, root, end } = await world(anchored);
    fs.mkdirSync(join(folder, "deep/er"), { recursive: true });
    fs.symlinkSync("/", join(folder, "to-root"));
    fs.symlinkSync(outside, join(folder, "to-outside"));
    fs.symlinkSync(join(outside, "secret"), join(folder, "to-secret"));
    fs.symlinkSync(folder, join(folder, "absolute-inside"));
    fs.symlinkSync("..", join(folder, "up"));
    fs.symlinkSync("../secret", join(folder, "up-to-secret"));
    fs.symlinkSync("../../secret", join(folder, "deep/up"));
    fs.symlinkSync("deep/../../secret", join(folder, "through"));
    fs.symlinkSync("up", join(folder, "up-again"));
    fs.symlinkSync("../folder/../secret", join(folder, "out-and-in"));
    fs.symlinkSync("../new-by-link", join(folder, "to-new"));
    fs.symlinkSync("/proc/self/fd", join(folder, "to-descriptors"));
    fs.symlinkSync("../folder-beside", join(folder, "to-beside"));
    fs.mkdirSync(join(outside, "folder-beside"));
    fs.writeFileSync(join(outside, "folder-beside/secret"), "secret");

    const secrets = [
      "../secret",
      "./../secret",
      "../sibling/secret",
      "deep/../../secret",
      "deep/er/../../../secret",
      "deep/./er/.././../../secret",
      "..//secret",
      "deep//..//..//secret",
      "/secret",
      join(outside, "secret"),
      join(folder, "../secret"),
      "//secret",
      "/proc/self/environ",
      "/dev/null",
      "to-root/etc/passwd",
      "to-outside/secret",
      "to-secret",
      "absolute-inside/deep",
      "up/secret",
      "up-to-secret",
      "deep/up",
      "through",
      "up-again/secret",
      "up/folder/../secret",
      "out-and-in",
      "to-descriptors/0",
      "to-beside/secret",
      "deep/../up/secret",
      "deep/er/../../up/sibling/secret",
      "../folder-beside/secret",
      "../folder",
      "../folder/deep",
      "up/folder/deep",
      "..",
      "deep/../..",
      "../",
      "up/",
      "to-root/",
    ];
    assert.ok(secrets.length > 30);
    const inner = await root.openAt(NO_FOLLOW, "deep", how("directory"), flags("read", "mutateDirectory"));
    const now = { tag: "now" as const };
    await put(root, "mine", "mine");
    for (const path of secrets) {
      const attempts: Record<string, () => unknown> = {
        open: () => root.openAt(FOLLOW, path, how(), flags("read")),
        write: () => root.openAt(FOLLOW, path, how(), flags("write")),
        create: () => root.openAt(FOLLOW, path, how("create"), flags("write")),
        truncate: () => root.openAt(FOLLOW, path, how("truncate"), flags("write")),
        directory: () => root.openAt(FOLLOW, path, how("directory"), flags("read")),
        stat: () => root.statAt(FOLLOW, path),
        times: () => root.setTimesAt(FOLLOW, path, now, now),
        hash: () => root.metadataHashAt(FOLLOW, path),
        "link of it": () => root.linkAt(FOLLOW, path, root, "stolen"),
      };
      for (const [operation, attempt] of Object.entries(attempts)) {
        assert.ok((await codeFrom(attempt)) !== undefined, `${operation} of ${path} was refused`);
      }
      const isLink =
        fs.lstatSync(join(folder, path), { throwIfNoEntry: false })?.isSymbolicLink() === true && !path.includes("..");
      if (isLink && !path.endsWith("/")) continue;
      const onNames: Record<string, () => unknown> = {
        mkdir: () => root.createDirectoryAt(`${path}/made`),
        "mkdir in its place": () => root.createDirectoryAt(path),
        rmdir: () => root.removeDirectoryAt(path),
        unlink: () => root.unlinkFileAt(path),
        readlink: () => root.readlinkAt(path),
        "rename away": () => root.renameAt(path, root, "stolen"),
        "rename to": () => root.renameAt("mine", root, path),
        "link to": () => root.linkAt(NO_FOLLOW, "mine", root, path),
        "symlink at": () => root.symlinkAt("mine", path),
      };
      for (const [operation, attempt] of Object.entries(onNames)) {
        assert.ok((await codeFrom(attempt)) !== undefined, `${operation} of ${path} was refused`);
      }
    }
    assert.equal(await codeFrom(() => inner.statAt(FOLLOW, "../mine")), "not-permitted", "not even above the descriptor itself");
    for (const link of ["to-root", "to-secret", "absolute-inside"]) {
      assert.equal(await codeFrom(() => root.readlinkAt(link)), "not-permitted", `${link} does not tell where it leads`);
    }
    assert.equal(await codeFrom(() => root.symlinkAt("/etc/passwd", "l")), "not-permitted");
    assert.deepEqual(fs.readdirSync(outside).toSorted(), ["folder", "folder-beside", "secret", "sibling"]);
    assert.equal(fs.readFileSync(join(outside, "secret"), "utf8"), "secret");
    assert.equal(fs.existsSync(join(folder, "stolen")), false);
    await end();
  });

  test(
    `${name}: pipes, sockets and devices are seen, never opened, and nothing hangs`,
    { skip: isLinux ? false : "made with mkfifo" },
    async () => {
      const { folder, root, end } = await world(anchored);
      execFileSync(MAKE_PIPE, [join(folder, "pipe")]);
      assert.equal((await root.statAt(NO_FOLLOW, "pipe")).type, "fifo");
      for (const flag of ["read", "write"] as const) {
        assert.equal(await codeFrom(() => root.openAt(NO_FOLLOW, "pipe", how(), flags(flag))), "access");
        assert.equal(await codeFrom(() => root.openAt(FOLLOW, "pipe", how("create"), flags(flag))), "access");
      }
      const listing = await root.readDirectory();
      assert.deepEqual(listing.readDirectoryEntry(), { name: "pipe", type: "fifo" });
      await end();
    },
  );

  test(`${name}: errors tell nothing of the host`, async () => {
    const { outside, root, end } = await world(anchored);
    for (const path of ["missing", "../secret", "x/y"]) {
      await assert.rejects(
        async () => root.openAt(FOLLOW, path, how(), flags("read")),
        (error: Error & { payload?: unknown }) => !`${error.message}${JSON.stringify(error.payload)}`.includes(outside),
      );
    }
    await end();
  });
}

test(
  "a directory that is swapped for a link all the time never leads out",
  { skip: isLinux ? false : "by paths, the swapper could win" },
  async () => {
    const { folder, outside, root, end } = await world(true);
    fs.mkdirSync(join(folder, "real"));
    fs.writeFileSync(join(folder, "real/secret"), "inside");
    fs.symlinkSync(join(outside, "sibling"), join(folder, "link"));
    fs.renameSync(join(folder, "real"), join(folder, "door"));
    let swaps = 0;
    let isDirectory = true;
    const swap = (): void => {
      swaps++;
      fs.renameSync(join(folder, "door"), join(folder, isDirectory ? "real" : "link"));
      fs.renameSync(join(folder, isDirectory ? "link" : "real"), join(folder, "door"));
      isDirectory = !isDirectory;
    };
    let read = 0;
    const swapper = setInterval(swap, 0);
    for (let round = 0; round < 300; round++) {
      const results = await Promise.allSettled([
        (async () => get(root, "door/secret"))(),
        (async () => get(root, "door/../door/secret"))(),
        (async () => put(root, "door/written", "x"))(),
        (async () => swap())(),
      ]);
      for (const result of results.slice(0, 2)) {
        if (result.status !== "fulfilled") continue;
        assert.equal(result.value, "inside");
        read++;
      }
    }
    clearInterval(swapper);
    assert.ok(swaps > 300 && read > 0, `${read} reads between ${swaps} swaps`);
    assert.deepEqual(fs.readdirSync(join(outside, "sibling")), ["secret"]);
    await end();
  },
);

test("names and paths are bounded, and such that are none are refused", async () => {
  const { root, end } = await world(WAYS[0] === true);
  const code = (path: string) => codeFrom(() => root.openAt(FOLLOW, path, how(), flags("read")));
  assert.equal(await code("x".repeat(256)), "name-too-long");
  assert.equal(await code("ä".repeat(128)), "name-too-long");
  assert.equal(await code("x".repeat(255)), "no-entry");
  assert.equal(await code("d/".repeat(3000)), "name-too-long");
  assert.equal(await code("./".repeat(3000)), "name-too-long");
  assert.equal(await code(""), "no-entry");
  assert.equal(await code("a\0b"), "invalid");
  assert.equal(await code("./".repeat(2000)), undefined);
  let path = "";
  for (let depth = 0; depth < 200; depth++) {
    path += "d/";
    if ((await codeFrom(() => root.createDirectoryAt(path))) !== undefined) break;
  }
  assert.equal(await code(`${path}x`), "name-too-long", "too deep");
  await end();
});

test(
  "names that are no Unicode text are left out of listings",
  { skip: isLinux ? false : "other systems have no such names" },
  async () => {
    const { folder, root, end } = await world(true);
    fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.of(0xff)]), "");
    await put(root, "good-ä", "");
    const listing = await root.readDirectory();
    assert.equal(listing.readDirectoryEntry()?.name, "good-ä");
    assert.equal(listing.readDirectoryEntry(), undefined);
    await end();
  },
);

test(
  "a folder that was moved away is still the one that was granted",
  { skip: isLinux ? false : "directories are held by paths here" },
  async () => {
    const { folder, outside, root, end } = await world(true);
    await put(root, "f", "mine");
    fs.renameSync(folder, join(outside, "moved"));
    fs.symlinkSync(join(outside, "sibling"), folder);
    assert.equal(await get(root, "f"), "mine");
    assert.equal(await codeFrom(() => get(root, "secret")), "no-entry");
    await end();
  },
);

test("a folder by paths that was swapped for another is refused", async () => {
  const { folder, outside, root, end } = await world(false);
  fs.renameSync(folder, join(outside, "moved"));
  fs.symlinkSync(join(outside, "sibling"), folder);
  assert.equal(await codeFrom(() => get(root, "secret")), "access");
  await end();
});

test(
  "no descriptor of the process is left open when a transaction has ended",
  { skip: isLinux ? false : "counts /proc/self/fd" },
  async () => {
    const count = (): number => fs.readdirSync("/proc/self/fd").length;
    const { root, filesystem, end } = await world(true);
    await root.createDirectoryAt("d");
    await put(root, "d/f", "text");
    await codeFrom(() => get(root, "d/missing"));
    const before = count();
    for (let i = 0; i < 5; i++) {
      const { root: again, finish } = mount(filesystem);
      for (let n = 0; n < 20; n++) {
        const file = await again.openAt(NO_FOLLOW, "d/f", how(), flags("read", "write"));
        await file.readViaStream(0n).blockingRead(2n);
        await file.appendViaStream().blockingWriteAndFlush(Uint8Array.of(1));
        await again.openAt(NO_FOLLOW, "d", how("directory"), flags("read"));
        await codeFrom(() => again.openAt(FOLLOW, "d/f/x", how(), flags("read")));
      }
      await finish();
    }
    assert.equal(count(), before);
    await end();
  },
);

test("a cancelled transaction ends what waits for a folder, and the guest with it", async () => {
  const { filesystem, end } = await world(WAYS[0] === true);
  const { grantedFiles } = await import("./granted.ts");
  const binding = grantedFiles.configure({ "/": { backend: filesystem } })();
  const preopens = binding.imports["wasi:filesystem/preopens@0.2.0"] as { getDirectories(): [Descriptor, string][] };
  const root = preopens.getDirectories()[0]?.[0];
  assert.ok(root !== undefined);
  const abort = new AbortController();
  binding.prepare?.({ seed: 0, timestampMs: 0, signal: abort.signal });
  const waiting = (async () => root.statAt(NO_FOLLOW, "missing"))();
  abort.abort(new Error("cancelled"));
  await assert.rejects(waiting, /cancelled/);
  await binding.finish?.("failed");
  await end();
});

test("a folder that does not exist, or is a file, is a mistake of the grant", async () => {
  const { outside, end } = await world(WAYS[0] === true);
  for (const path of [join(outside, "missing"), join(outside, "secret")]) {
    await assert.rejects(openFolder(path), { code: "grant/bad-value" });
  }
  await end();
});

test("calls of a folder may wait, so components that use it run on stacks that can be suspended", async () => {
  const { filesystem, end } = await world(WAYS[0] === true);
  assert.equal(anyMayWait(mount(filesystem).imports), true);
  await end();
});
