import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { starlane, temporaryFolder } from "./fixtures/command.ts";

const TEXT = fileURLToPath(new URL("../../guests/c/text.wasm", import.meta.url));
const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const folder = temporaryFolder();
const cwd = folder.path;
const env = { STARLANE_CACHE: join(cwd, "cache"), NO_COLOR: "1" };
after(() => folder[Symbol.dispose]());

function write(name: string, text: string): void {
  mkdirSync(dirname(folder.file(name)), { recursive: true });
  writeFileSync(folder.file(name), text);
}

function component(build: unknown, from = "./text.wasm"): string {
  return JSON.stringify({ from, build });
}

const copyTo = (file: string): readonly string[] => [
  process.execPath,
  "-e",
  `fs.copyFileSync(${JSON.stringify(TEXT)}, "${file}")`,
];

test("what was built is told on standard output, progress on standard error", async () => {
  write("plain/starlane.yaml", `starlane: v1\ncomponents:\n  text: ${component({ run: copyTo("text.wasm") })}\n`);
  const built = await starlane(["build"], { cwd: folder.file("plain"), env });
  assert.equal(built.status, 0, built.stderr);
  assert.match(
    built.stdout,
    /^✔ text {2}text\.wasm, 9\.5 KiB \(\d+ ms\)\n {4}exports upper, lower, .*and \d+ more\n {4}imports nothing\n$/,
  );
  assert.equal(built.stderr, "building text …\n");
  const again = await starlane(["build", "plain", "text"], { cwd, env });
  assert.deepEqual([again.stdout, again.stderr], ["= text  nothing has changed\n", ""]);
  const asJson = await starlane(["build", "plain", "--force", "--json"], { cwd, env });
  const { components } = JSON.parse(asJson.stdout) as { components: readonly Record<string, unknown>[] };
  assert.deepEqual(
    components.map(({ component, file, outcome, sizeBytes }) => [component, file, outcome, sizeBytes]),
    [["text", "plain/text.wasm", "built", statSync(TEXT).size]],
  );
});

test("every failure is told with what its tool printed; what can be built is built", async () => {
  const wrong = [process.execPath, "-e", 'console.log("\\u001b[31mtext.c:1: nonsense"); process.exit(1)'];
  const builds = { a: wrong, b: ["no-such-tool"], c: copyTo("c.wasm") };
  const lines = Object.entries(builds).map(([name, run]) => `  ${name}: ${component({ run }, `./${name}.wasm`)}\n`);
  write("mixed/starlane.yaml", `starlane: v1\ncomponents:\n${lines.join("")}`);
  const { status, stdout, stderr } = await starlane(["build", "mixed"], { cwd, env });
  assert.equal(status, 2, "the highest status of them all");
  assert.match(stdout, /✘ a {2}failed \(/);
  assert.match(stdout, /✘ b {2}failed \(/);
  assert.match(stdout, /✔ c {2}mixed\/c\.wasm/);
  assert.match(stderr, /\n\\u\{1b\}\[31mtext\.c:1: nonsense\n\nerror\[build\/failed\]: the build of a failed: /);
  assert.match(
    stderr,
    /error\[build\/no-tool\]: b is built with no-such-tool, which is not installed\n {2}= install no-such-tool/,
  );
  const verbose = await starlane(["build", "mixed", "a", "--verbose"], { cwd, env });
  assert.match(verbose.stderr, /^a \| .*text\.c:1: nonsense$/m);
  assert.equal(verbose.stderr.match(/^.*text\.c:1: nonsense$/gm)?.length, 1, "only as it came");
});

test("targets, components and options that are not there are told", async () => {
  copyFileSync(TEXT, folder.file("text.wasm"));
  write("none/starlane.yaml", "starlane: v1\ncomponents: { text: ../text.wasm }\n");
  write(
    "broken/starlane.yaml",
    "starlane: v1\ncomponents:\n  text: { from: ./text.wasm, build: { comand: make, runn: make } }\n",
  );
  write("some/starlane.yaml", `starlane: v1\ncomponents:\n  greeter: ${component({ run: copyTo("text.wasm") })}\n`);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["none"], /error\[build\/nothing\]: no component of none says how it is built\n {2}= add a `build`/],
    [["text.wasm"], /error\[build\/nothing\]: no component of text\.wasm/],
    [["nowhere"], /error\[star\/file\]: there is no nowhere/],
    [["broken"], /error\[manifest\/unknown-key\]: `build` of the component `text` has no key `runn`/],
    [["some", "greter"], /error\[cli\/usage\]: some has no component "greter" that is built\n {2}= did you mean greeter\?/],
    [["some", "text"], /= those that are: greeter/],
    [["some", "--timeout", "5"], /error\[cli\/usage\]: --timeout: the duration `5` has no unit/],
    [["some", "--timeout", "0"], /error\[cli\/usage\]: --timeout: it must be longer than nothing/],
    [["some", "--forse"], /error\[cli\/usage\]: unknown option --forse\n {2}= did you mean --force\?/],
  ];
  for (const [words, expected] of cases) {
    const { status, stdout, stderr } = await starlane(["build", ...words], { cwd, env });
    assert.equal(status, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, expected);
  }
});

test("a component that was not built yet is told as that, wherever it is used", async () => {
  write("unbuilt/starlane.yaml", `starlane: v1\ncomponents:\n  text: ${component("make", "./out/text.wasm")}\n`);
  for (const command of ["check", "test", "serve"]) {
    const { status, stderr } = await starlane([command, "unbuilt"], { cwd, env });
    assert.equal(status, 2);
    assert.match(stderr, /error\[star\/file\]: unbuilt\/out\/text\.wasm was not built yet\n --> unbuilt\/starlane\.yaml:3:/);
    assert.match(stderr, /= run `starlane build unbuilt`/);
  }
});

test(
  "Ctrl-C ends the tool and then the command",
  { skip: process.platform === "win32" && "Windows has no such signal" },
  async () => {
    const run = [process.execPath, "-e", 'fs.writeFileSync("started", ""); setInterval(() => {}, 1000)'];
    write("endless/starlane.yaml", `starlane: v1\ncomponents:\n  text: ${component({ run })}\n`);
    const child = spawn(process.execPath, [MAIN, "build", "endless"], { cwd, env: { ...process.env, ...env } });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (piece: string) => (stderr += piece));
    const ended = once(child, "close");
    while (!existsSync(folder.file("endless/started"))) await new Promise(setImmediate);
    child.kill("SIGINT");
    const [status] = await ended;
    assert.equal(status, 1);
    assert.match(stderr, /error\[build\/cancelled\]: the build of text was stopped/);
  },
);
