import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Watcher, type WatchedPaths } from "./watcher.ts";

/** A folder, a watcher of parts of it, and the changes it tells, in turn. */
class Bench implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "starlane-watch-")));
  readonly told: string[][] = [];
  readonly #waiting: (() => void)[] = [];
  readonly watcher = new Watcher((paths) => {
    this.told.push([...paths].map((path) => path.slice(this.folder.length + 1)).toSorted());
    for (const then of this.#waiting.splice(0)) then();
  });

  at(path: string): string {
    return join(this.folder, path);
  }

  write(path: string, text = "x"): void {
    mkdirSync(join(this.at(path), ".."), { recursive: true });
    writeFileSync(this.at(path), text);
  }

  watch({ files = [], folders = [] }: { readonly files?: string[]; readonly folders?: string[] }): void {
    const paths: WatchedPaths = { files: files.map((path) => this.at(path)), folders: folders.map((path) => this.at(path)) };
    this.watcher.watch(paths);
  }

  /** What is told of a change, up to the mention of a path. */
  async until(path: string, change: () => void): Promise<void> {
    const from = this.told.length;
    change();
    while (!this.told.slice(from).flat().includes(path)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  [Symbol.dispose](): void {
    this.watcher.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test("a file that is written, replaced by another, deleted, and made again is told each time", async () => {
  using bench = new Bench();
  bench.write("a.txt");
  bench.watch({ files: ["a.txt"] });
  await bench.until("a.txt", () => bench.write("a.txt", "y"));
  await bench.until("a.txt", () => {
    bench.write("a.txt.tmp");
    renameSync(bench.at("a.txt.tmp"), bench.at("a.txt"));
  });
  await bench.until("a.txt", () => rmSync(bench.at("a.txt")));
  await bench.until("a.txt", () => bench.write("a.txt"));
  assert.deepEqual(new Set(bench.told.flat()), new Set(["a.txt"]), "nothing is told of its neighbours");
});

test("a burst of changes is told once", async () => {
  using bench = new Bench();
  bench.watch({ folders: ["."] });
  await bench.until("9.txt", () => {
    for (let i = 0; i < 10; i++) bench.write(`${i}.txt`);
  });
  assert.equal(bench.told.length, 1);
  assert.equal(bench.told[0]?.length, 10);
});

test("a file in a folder that is not there yet is told when it comes, and after the folder was deleted and made again", async () => {
  using bench = new Bench();
  bench.watch({ files: ["deep/er/a.txt"] });
  for (let i = 0; i < 3; i++) {
    // Its folders come one by one; what is watched follows.
    await bench.until("deep", () => bench.write("deep/er/a.txt"));
    await bench.until("deep/er/a.txt", () => bench.write("deep/er/a.txt", `${i}`));
    await bench.until("deep/er/a.txt", () => rmSync(bench.at("deep"), { recursive: true }));
  }
});

test("folders are watched with those in them, those that come later too; what tools fill is left out", async () => {
  using bench = new Bench();
  for (const path of ["src/a/b.ts", "src/node_modules/x/y.js", "src/.git/HEAD"]) bench.write(path);
  bench.watch({ folders: ["src"] });
  await bench.until("src/a/b.ts", () => bench.write("src/a/b.ts", "2"));
  await bench.until("src/new", () => mkdirSync(bench.at("src/new")));
  await bench.until("src/new/c.ts", () => bench.write("src/new/c.ts"));
  bench.write("src/node_modules/x/y.js", "2");
  bench.write("src/.git/HEAD", "2");
  await bench.until("src/a/b.ts", () => bench.write("src/a/b.ts", "3"));
  assert.ok(bench.told.flat().every((path) => !path.includes("node_modules") && !path.includes(".git")));
});
