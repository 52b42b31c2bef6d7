import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  buildComponents,
  type BuildEvent,
  type BuildOptions,
  type BuildOutcome,
  buildPlans,
  isInput,
  watchedPaths,
} from "./build.ts";

const TEXT = fileURLToPath(new URL("../../../guests/c/text.wasm", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "starlane-build-"));
const cache = process.env["STARLANE_CACHE"];
before(() => {
  process.env["STARLANE_CACHE"] = join(folder, "cache");
});
after(() => {
  if (cache === undefined) delete process.env["STARLANE_CACHE"];
  else process.env["STARLANE_CACHE"] = cache;
  rmSync(folder, { recursive: true, force: true });
});

/** A tool: appends a line to `log`, and copies a component to where it is told. */
const COPY = `const fs = require("fs"); fs.appendFileSync("log", "built\\n"); fs.copyFileSync(process.argv[1], process.argv[2]);`;

function write(name: string, files: Readonly<Record<string, string>>): string {
  const app = join(folder, name);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(app, file)), { recursive: true });
    writeFileSync(join(app, file), text);
  }
  return app;
}

/** A manifest whose component `text` is built so; `build` is JSON, which is YAML. */
function manifest(build: unknown, from = "./out/text.wasm"): string {
  return `starlane: v1\ncomponents:\n  text: ${JSON.stringify({ from, build })}\n`;
}

function node(script: string, ...args: string[]): readonly string[] {
  return [process.execPath, "-e", script, ...args];
}

async function build(app: string, options: BuildOptions = {}): Promise<BuildOutcome> {
  const [outcome] = await buildComponents(buildPlans(app), options);
  assert(outcome !== undefined);
  return outcome;
}

async function failure(app: string, options?: BuildOptions): Promise<Extract<BuildOutcome, { kind: "failed" }>> {
  const outcome = await build(app, options);
  assert(outcome.kind === "failed", outcome.kind);
  return outcome;
}

const builds = (app: string): number => readFileSync(join(app, "log"), "utf8").split("\n").length - 1;

test("a component is built by its own tool, and what came out is told", async () => {
  const app = write("plain", { "starlane.yaml": manifest({ run: node(COPY, TEXT, "out/text.wasm") }), "text.c": "" });
  const outcome = await build(app);
  assert(outcome.kind === "built");
  assert.equal(outcome.sizeBytes, readFileSync(TEXT).length);
  assert(outcome.world.exports.some(({ name }) => name === "upper"));
});

test("a component is built again where an input, its build or what came out has changed, and else not", async () => {
  const run = node(COPY, TEXT, "../out/text.wasm");
  const app = write("stale", {
    "starlane.yaml": manifest({ run, in: "./text", watch: ["./text/src", "./wit"] }),
    "text/src/text.c": "1",
    "text/README.md": "1",
    "wit/text.wit": "1",
  });
  const log = join(app, "text");
  const kinds: string[] = [];
  const step = async (change: () => void, options: BuildOptions = {}): Promise<void> => {
    change();
    kinds.push(`${(await build(app, options)).kind} ${builds(log)}`);
  };
  await step(() => undefined);
  await step(() => undefined);
  await step(() => writeFileSync(join(app, "text/README.md"), "2"));
  await step(() => writeFileSync(join(app, "text/src/text.c"), "longer"));
  await step(() => writeFileSync(join(app, "text/src/new.c"), ""));
  await step(() => rmSync(join(app, "text/src/new.c")));
  await step(() => utimesSync(join(app, "wit/text.wit"), 1, 1));
  await step(() => rmSync(join(app, "out/text.wasm")));
  await step(() => writeFileSync(join(app, "out/text.wasm"), "something else"));
  await step(() =>
    writeFileSync(join(app, "starlane.yaml"), manifest({ run: [...run, "more"], in: "./text", watch: ["./wit"] })),
  );
  await step(() => writeFileSync(join(app, "text/src/text.c"), "nobody watches"));
  await step(() => undefined, { force: true });
  assert.deepEqual(kinds, [
    "built 1",
    "fresh 1",
    "fresh 1",
    "built 2",
    "built 3",
    "built 4",
    "built 5",
    "built 6",
    "built 7",
    "built 8",
    "fresh 8",
    "built 9",
  ]);
});

test("a line is run by the shell, with what npm installed for the folder and those above it", async () => {
  const app = write("shell", {
    "starlane.yaml": manifest({ run: "first-tool && second-tool", in: "./a/b" }),
    "a/b/text.c": "",
    "node_modules/.bin/first-tool": "#!/bin/sh\necho first\n",
    "a/node_modules/.bin/second-tool": `#!/bin/sh\necho second >&2\ncp ${TEXT} ../../out/text.wasm\n`,
  });
  for (const tool of ["node_modules/.bin/first-tool", "a/node_modules/.bin/second-tool"]) chmodSync(join(app, tool), 0o755);
  const events: BuildEvent[] = [];
  const outcome = await build(app, { onEvent: (event) => events.push(event) });
  assert.equal(outcome.kind, "built");
  const printed = events.flatMap((event) => (event.kind === "printed" ? [event.text.trim()] : []));
  assert.deepEqual(printed.toSorted(), ["first", "second"]);
  assert.deepEqual([events[0]?.kind, events.at(-1)?.kind], ["started", "ended"]);
});

test("a tool that fails is told with what it printed", async () => {
  const script = 'console.error("text.c:3: expected ;"); process.exit(7);';
  const { error, output } = await failure(write("fails", { "starlane.yaml": manifest({ run: node(script) }) }));
  assert.equal(error.code, "build/failed");
  assert.match(error.message, /^the build of text failed: `.*` ended with status 7$/);
  assert.equal(output, "text.c:3: expected ;\n");
});

test("a tool that is missing is named, with what to install", async () => {
  const missing = [
    [
      "cargo-wasm-nowhere --release",
      /built with cargo-wasm-nowhere, which is not installed/,
      /put the folder that it is in on PATH/,
    ],
    [["componentize-py", "-w", "text"], /built with componentize-py, which/, /pip install componentize-py/],
    ["wit-bindgen c wit && clang", /built with wit-bindgen, which/, /cargo install --locked wit-bindgen-cli/],
  ] as const;
  const path = process.env["PATH"];
  // Only what a shell itself needs.
  process.env["PATH"] = ["/bin", "/usr/bin"].join(delimiter);
  try {
    for (const [i, [run, message, cure]] of missing.entries()) {
      const { error } = await failure(write(`missing-${i}`, { "starlane.yaml": manifest({ run }) }));
      assert.equal(error.code, "build/no-tool");
      assert.match(error.message, message);
      assert.match(error.cure ?? "", cure);
    }
  } finally {
    process.env["PATH"] = path;
  }
});

test("a build that writes nothing, or no component, has failed", async () => {
  const nothing = await failure(write("nothing", { "starlane.yaml": manifest({ run: node("") }) }));
  assert.equal(nothing.error.code, "build/bad-output");
  assert.match(nothing.error.message, /^text was built, but there is no .*out\/text\.wasm$/);
  const core = 'fs.writeFileSync("out/text.wasm", Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]))';
  const module = await failure(write("core", { "starlane.yaml": manifest({ run: node(core) }) }));
  assert.equal(module.error.code, "build/bad-output");
  assert.match(module.error.message, /what the build of text wrote is no component: .*core WebAssembly module/);
  assert.notEqual((await build(join(folder, "core"))).kind, "fresh", "what failed is built again");
});

test("a folder to build in must be there", async () => {
  const { error } = await failure(write("no-folder", { "starlane.yaml": manifest({ run: "true", in: "./text" }) }));
  assert.equal(error.code, "star/file");
  assert.match(error.message, /^text is built in the folder .*text, which is not there$/);
});

/** Writes its process id, and that of a process that it starts, to `pids`, and never ends. */
const ENDLESS = `const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
require("fs").writeFileSync("pids.new", process.pid + " " + child.pid); require("fs").renameSync("pids.new", "pids");
setInterval(() => {}, 1000);`;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that ended and was not waited for is still listed.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function ended(app: string): Promise<void> {
  const pids = readFileSync(join(app, "pids"), "utf8").split(" ").map(Number);
  while (pids.some(isRunning)) await new Promise(setImmediate);
}

const HAS_PROC = existsSync("/proc/self/status") ? false : "there is no /proc here to see whether processes have ended";

test("a build that takes too long is stopped, with all it started", { skip: HAS_PROC }, async () => {
  const app = write("endless", { "starlane.yaml": manifest({ run: node(ENDLESS) }) });
  const { error } = await failure(app, { timeoutMs: 3000 });
  assert.equal(error.code, "build/timeout");
  assert.match(error.message, /took longer than 3 s and was stopped/);
  await ended(app);
});

test("builds can be stopped, also those that have not begun", { skip: HAS_PROC }, async () => {
  const app = write("stopped", {
    "starlane.yaml": `starlane: v1\ncomponents:\n  a: ${JSON.stringify({ from: "./out/a.wasm", build: { run: node(ENDLESS), watch: "./src" } })}
  b: ${JSON.stringify({ from: "./out/b.wasm", build: { run: node(ENDLESS) } })}\n`,
  });
  const controller = new AbortController();
  const building = buildComponents(buildPlans(app), { signal: controller.signal, concurrency: 1 });
  while (!existsSync(join(app, "pids"))) await new Promise(setImmediate);
  controller.abort();
  const outcomes = await building;
  assert.deepEqual(
    outcomes.map((outcome) => outcome.kind === "failed" && outcome.error.code),
    ["build/cancelled", "build/cancelled"],
  );
  await ended(app);
});

test("components are built side by side", async () => {
  // Each waits until the other one has begun.
  const script = (own: string, other: string): string =>
    `fs.writeFileSync("${own}", ""); while (!fs.existsSync("${other}")); fs.copyFileSync("${TEXT}", "out/${own}.wasm");`;
  const use = (own: string, other: string): string =>
    JSON.stringify({ from: `./out/${own}.wasm`, build: { run: node(script(own, other)), watch: "./starlane.yaml" } });
  const app = write("parallel", { "starlane.yaml": `starlane: v1\ncomponents:\n  a: ${use("a", "b")}\n  b: ${use("b", "a")}\n` });
  const outcomes = await buildComponents(buildPlans(app), { concurrency: 2, timeoutMs: 60_000 });
  assert.deepEqual(
    outcomes.map(({ kind, plan }) => `${plan.component} ${kind}`),
    ["a built", "b built"],
  );
});

test("components of apps inside an app are built too, and chosen by their names", async () => {
  const copy = (to: string): unknown => ({ from: to, build: { run: node(COPY, TEXT, to) } });
  const app = write("outer", {
    "starlane.yaml": `starlane: v1\ncomponents:\n  own: ${JSON.stringify(copy("./own.wasm"))}\n  shop: ./shop\n  again: ./shop\n`,
    "shop/starlane.yaml": `starlane: v1\ncomponents:\n  text: ${JSON.stringify(copy("./text.wasm"))}\n  outer: ..\n`,
  });
  const plans = buildPlans(app);
  assert.deepEqual(
    plans.map(({ component }) => component),
    ["own", "shop/text"],
  );
  const outcomes = await buildComponents(plans, { only: ["shop/text"] });
  assert.deepEqual(
    outcomes.map(({ plan }) => plan.component),
    ["shop/text"],
  );
  assert(existsSync(join(app, "shop/text.wasm")) && !existsSync(join(app, "own.wasm")));
});

test("what is watched are the inputs, without what tools and editors write", () => {
  const app = write("watched", {
    "starlane.yaml": `starlane: v1
components:
  rust: { from: ./rust/target/release/rust.wasm, build: { run: cargo build, in: ./rust } }
  all: { from: ./build/all.wasm, build: make all }
  ts: { from: ./build/ts.wasm, build: { typescript: ./ts/src/ts.ts, wit: ./ts/wit } }
`,
  });
  const plans = buildPlans(app);
  const [rust, all, ts] = plans;
  assert(rust !== undefined && all !== undefined && ts !== undefined);
  assert.deepEqual(watchedPaths([rust, ts]), [join(app, "rust"), join(app, "ts/src"), join(app, "ts/wit")]);
  assert.deepEqual(watchedPaths(plans), [app]);
  const inputs = (plan: typeof rust, ...paths: string[]): string[] => paths.filter((path) => isInput(plan, join(app, path)));
  assert.deepEqual(
    inputs(rust, "rust/src/lib.rs", "rust/target/release/rust.wasm", "rust/target/x.d", "rust/.git/HEAD", "ts/src/ts.ts", "rust"),
    ["rust/src/lib.rs", "rust"],
  );
  assert.deepEqual(
    inputs(all, "starlane.yaml", "src/a.c", "src/a.c~", "src/.a.c.swp", "build/all.wasm", "build/a.o", "node_modules/x/x.js"),
    ["starlane.yaml", "src/a.c"],
  );
  assert.deepEqual(inputs(ts, "ts/src/deep/a.ts", "ts/wit/deps/io.wit", "ts/README.md"), [
    "ts/src/deep/a.ts",
    "ts/wit/deps/io.wit",
  ]);
});

test("where nothing can be remembered everything is built", async () => {
  const app = write("forgetful", { "starlane.yaml": manifest({ run: node(COPY, TEXT, "out/text.wasm"), watch: "./src" }) });
  const known = process.env["STARLANE_CACHE"];
  process.env["STARLANE_CACHE"] = "off";
  try {
    assert.deepEqual([(await build(app)).kind, (await build(app)).kind], ["built", "built"]);
  } finally {
    process.env["STARLANE_CACHE"] = known;
  }
});
