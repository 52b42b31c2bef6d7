import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import type { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { HELLO, writeFiles } from "./fixtures/apps.ts";
import { starlane, temporaryFolder } from "./fixtures/command.ts";
import { effectComponent } from "./fixtures/components.ts";

const folder = temporaryFolder();
const cwd = folder.path;

const ECHO_PARTS = `starlane: v1
parameters:
  greeting: { type: string, default: Hi }
components: { text: ./text.wasm }
operations:
  say:
    input: { name: string }
    flow: |
      "\${config.greeting}" -> words.greeting
      <>.name -> words.name
      words -> <>.words
    nodes:
      words: { uses: "core::expr", with: { expr: "greeting + ', ' + name" } }
`;

before(async () => {
  await writeFiles(cwd, { "hello/starlane.yaml": HELLO, "parts/starlane.yaml": ECHO_PARTS });
});
after(() => folder[Symbol.dispose]());

describe("an app", { concurrency: 2 }, () => {
  test("is checked whole, with what was checked", async () => {
    assert.deepEqual(await starlane(["check", "hello"], { cwd }), {
      status: 0,
      stdout: "hello/starlane.yaml: no mistakes in 1 component, 1 operation, 1 node, 2 tests\n",
      stderr: "",
    });
    const { stdout } = await starlane(["check", "hello/starlane.yaml", "--json"], { cwd });
    assert.deepEqual(JSON.parse(stdout), { ok: true, components: 1, operations: 1, nodes: 1, tests: 2, diagnostics: [] });
  });

  test("runs its only operation, with its inputs sanitized first", async () => {
    const ended = { status: 0, stdout: '{"greeting":"Hello, Ada"}\n', stderr: "" };
    assert.deepEqual(await starlane(["invoke", "hello", "greet", "--name", "  Ada "], { cwd }), ended);
    assert.deepEqual(await starlane(["invoke", "hello", "--name", "Ada"], { cwd }), ended);
    assert.deepEqual(await starlane(["invoke", "hello", "greet", "--input", "-"], { cwd, input: '{"name":"Ada"}' }), ended);
  });

  test("refuses an input that breaks a rule, with its path", async () => {
    const { status, stdout, stderr } = await starlane(["invoke", "hello", "greet", "--name", "x".repeat(21)], { cwd });
    assert.deepEqual({ status, stdout }, { status: 2, stdout: "" });
    assert.match(stderr, /error\[star\/invalid-input\]: the input is not accepted: name: it has 21 characters/);
  });

  test("has a help with the words of its manifest", async () => {
    const { stdout } = await starlane(["invoke", "hello", "greet", "--help"], { cwd });
    assert.match(stdout, /^Greets somebody by name\.$/m);
    assert.match(stdout, /--name +string +Who to greet\./);
    assert.match(stdout, /starlane invoke hello greet --name text/);
  });

  test("is inspected as text, JSON, WIT, DOT and SVG", async () => {
    const told = await starlane(["inspect", "hello"], { cwd });
    assert.match(told.stdout, /acme\/hello 1\.0\.0/);
    assert.match(told.stdout, /│ text::greet │/);
    const json = JSON.parse((await starlane(["inspect", "hello", "--json"], { cwd })).stdout);
    assert.deepEqual(json.operations[0].inputs, [{ name: "name", type: "string", optional: false }]);
    assert.equal(json.operations[0].graph.edges.length, 2);
    const wit = await starlane(["inspect", "hello", "--wit"], { cwd });
    assert.match(wit.stdout, /package acme:hello;[\s\S]*export greet: func\(name: string\)/);
    const dot = await starlane(["inspect", "hello", "--dot"], { cwd });
    assert.match(dot.stdout, /^digraph "greet" \{[\s\S]*"the input" -> "greet" \[label="name → name"\];/);
    const svg = await starlane(["inspect", "hello", "--svg"], { cwd });
    assert.match(svg.stdout, /^<svg xmlns[\s\S]*text::greet[\s\S]*<\/svg>\n$/);
    assert.match(svg.stdout, /prefers-color-scheme: dark/);
  });

  test("draws one flow of several only when it is told which", async () => {
    const { status, stderr } = await starlane(["inspect", "hello", "--dot", "--svg"], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /--dot and --svg do not go together/);
    await writeFiles(cwd, {
      "two/starlane.yaml": "starlane: v1\noperations:\n  a: { flow: '1 -> <>' }\n  b: { flow: '2 -> <>' }\n",
    });
    const unclear = await starlane(["inspect", "two", "--dot"], { cwd });
    assert.match(unclear.stderr, /add --operation NAME: a, b/);
    assert.match((await starlane(["inspect", "two", "--dot", "--operation", "b"], { cwd })).stdout, /digraph "b"/);
  });

  test("reads links, and settings for apps in apps", async () => {
    symlinkSync(folder.file("parts"), folder.file("linked"));
    await writeFiles(cwd, {
      "both/starlane.yaml": `starlane: v1
components:
  one: ../linked
  two: { from: ../parts, with: { greeting: Hey } }
operations:
  say:
    input: { name: string }
    flow: |
      <>.name -> one::say[a].name
      <>.name -> two::say[b].name
      a -> <>.first
      b -> <>.second
`,
    });
    const ended = await starlane(["invoke", "both", "say", "--name", "Ada"], { cwd });
    assert.deepEqual(ended, { status: 0, stdout: '{"first":"Hi, Ada","second":"Hey, Ada"}\n', stderr: "" });
  });

  test("fails with the path of the node that failed", async () => {
    await writeFiles(cwd, {
      "fails/starlane.yaml": `starlane: v1
components: { text: ./text.wasm }
operations:
  bad: { input: { why: string }, flow: "<>.why -> text::fail" }
  broken: { flow: '"x" -> text::trap -> <>' }
  caught: { input: { why: string }, flow: "<>.why -> text::fail[f]; f! -> <>.problem" }
  slow: { nodes: { s: { uses: "text::spin", timeout: 50ms } }, flow: "s! -> <>.problem" }
tests:
  - { operation: bad, input: { why: luck }, expect: { error: { payload: luck } } }
`,
    });
    const bad = await starlane(["invoke", "fails", "bad", "--why", "luck"], { cwd });
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /--> bad\/fail/);
    assert.match(bad.stderr, /luck/);
    const caught = await starlane(["invoke", "fails", "caught", "--why", "luck"], { cwd });
    assert.equal(caught.status, 0);
    assert.equal(JSON.parse(caught.stdout).problem.payload, "luck");
    const slow = await starlane(["invoke", "fails", "slow"], { cwd });
    assert.equal(JSON.parse(slow.stdout).problem.code, "flow/timeout");
    assert.equal((await starlane(["test", "fails"], { cwd })).status, 0);
  });
});

test("what core::log says goes to standard error, with --verbose every node too", async () => {
  await writeFiles(cwd, {
    "chatty/starlane.yaml": `starlane: v1
components: { hello: ../hello }
operations:
  chat:
    input: { name: string }
    nodes: { note: { uses: "core::log", with: { message: greeting } } }
    flow: "<>.name -> hello::greet -> note -> <>"
`,
  });
  const quiet = await starlane(["invoke", "chatty", "--name", "Ada"], { cwd });
  assert.deepEqual(quiet, {
    status: 0,
    stdout: '"Hello, Ada"\n',
    stderr: 'info chat/note greeting "Hello, Ada"\n',
  });
  const loud = await starlane(["invoke", "chatty", "--name", "Ada", "--verbose"], { cwd });
  assert.equal(loud.stdout, quiet.stdout);
  assert.match(loud.stderr, /ms {2}start +chat\/greet\/greet\/greet\n.*ms {2}done +chat\/greet\/greet\/greet\n/);
});

describe("effects of guests", { concurrency: 2 }, () => {
  const app = `starlane: v1
components: { effect: ./effect.wasm }
operations:
  twice: { flow: "effect::draw[a] -> <>.a; effect::draw[b] -> <>.b; effect::now -> <>.now" }
tests:
  - { operation: twice, seed: 7, timestamp: "2001-09-09T01:46:40Z", expect: { a: { any: true }, b: { any: true }, now: 1000000000 } }
`;
  before(async () => writeFiles(cwd, { "effects/starlane.yaml": app, "effects/effect.wasm": await effectComponent() }));

  test("follow seed and timestamp: the same ones give the same output, node by node", async () => {
    const words = ["invoke", "effects", "--timestamp", "2001-09-09T01:46:40Z", "--seed"];
    const [one, same, other] = [
      await starlane([...words, "7"], { cwd }),
      await starlane([...words, "7"], { cwd }),
      await starlane([...words, "8"], { cwd }),
    ];
    const { a, b, now } = JSON.parse(one.stdout);
    assert.notEqual(a, b);
    assert.equal(now, 1_000_000_000);
    assert.deepEqual(same, one);
    assert.notEqual(other.stdout, one.stdout);
  });

  test("are others each time that a node is tried again", async () => {
    const flaky = readFileSync(new URL("../../guests/c/flaky.wasm", import.meta.url));
    const node = (retry: string): string => `{ uses: "flaky::deliver", with: { text: x, percent: 70 }${retry} }`;
    const manifest = `starlane: v1
components: { flaky: ./flaky.wasm }
operations:
  once: { nodes: { d: ${node("")} }, flow: "d -> <>" }
  often: { nodes: { d: ${node(", retry: { attempts: 40, backoff: 1ms }")} }, flow: "d -> <>" }
`;
    await writeFiles(cwd, { "tries/starlane.yaml": manifest, "tries/flaky.wasm": flaky });
    const statuses = async (operation: string): Promise<(number | null)[]> => {
      const ended = await Promise.all(
        ["1", "2", "3", "4"].map((seed) => starlane(["invoke", "tries", operation, "--seed", seed], { cwd })),
      );
      return ended.map(({ status }) => status);
    };
    assert.deepEqual(await statuses("often"), [0, 0, 0, 0]);
    assert.ok((await statuses("once")).includes(1));
  });

  test("are fixed in tests", async () => {
    assert.equal((await starlane(["test", "effects"], { cwd })).status, 0);
  });
});

describe("test", { concurrency: 2 }, () => {
  const failing = HELLO.replace('greeting: "Hello, Ada"', 'greeting: "Hello, Bob"');

  test("passes with 0", async () => {
    const { status, stdout } = await starlane(["test", "hello"], { cwd });
    assert.equal(status, 0);
    assert.match(stdout, /✔ greets[\s\S]*✔ refuses nobody[\s\S]*2 passed/);
  });

  test("fails with 1, the place of the test, and what differs", async () => {
    await writeFiles(cwd, { "failing/starlane.yaml": failing });
    const { status, stdout } = await starlane(["test", "failing"], { cwd });
    assert.equal(status, 1);
    assert.match(stdout, /✘ greets/);
    assert.match(stdout, /--> failing\/starlane\.yaml:16:5/);
    assert.match(stdout, /- expected "Hello, Bob"\n +\+ came +"Hello, Ada"/);
    assert.match(stdout, /1 passed, 1 failed/);
  });

  test("prints TAP and JUnit", async () => {
    await writeFiles(cwd, { "failing2/starlane.yaml": failing });
    const tap = await starlane(["test", "failing2", "--tap"], { cwd });
    assert.equal(tap.status, 1);
    assert.match(tap.stdout, /^TAP version 14\n1\.\.2\nnot ok 1 - greets\n[\s\S]*\nok 2 - refuses nobody\n/);
    const junit = await starlane(["test", "failing2", "--junit"], { cwd });
    assert.match(junit.stdout, /<testsuite name="acme\/hello" tests="2" failures="1"/);
    assert.match(junit.stdout, /<failure message="\$\.greeting: /);
  });

  test("runs only the tests of a name", async () => {
    const { stdout } = await starlane(["test", "hello", "nobody"], { cwd });
    assert.match(stdout, /✔ refuses nobody[\s\S]*1 passed/);
    const none = await starlane(["test", "hello", "zebra"], { cwd });
    assert.equal(none.status, 2);
    assert.match(none.stderr, /the tests are: greets, refuses nobody/);
  });

  test("says that there are no tests", async () => {
    await writeFiles(cwd, { "untested/starlane.yaml": "starlane: v1\noperations:\n  one: { flow: '1 -> <>' }\n" });
    const { status, stderr } = await starlane(["test", "untested"], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /error\[cli\/no-tests\]/);
  });

  test("reads tests from files of their own", async () => {
    await writeFiles(cwd, {
      "files/starlane.yaml": HELLO.replace(/tests:[\s\S]*/, "tests: [ ./more.yaml ]\n"),
      "files/more.yaml":
        "- { name: from a file, operation: greet, input: { name: Bo }, expect: { greeting: { matches: 'Hello, ..' } } }\n",
    });
    const { status, stdout } = await starlane(["test", "files"], { cwd });
    assert.equal(status, 0);
    assert.match(stdout, /✔ from a file/);
  });
});

describe("test --watch", () => {
  test("runs again when a file changes, also after a mistake", async () => {
    await writeFiles(cwd, { "watched/starlane.yaml": HELLO });
    const child = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url)), "test", "watched", "--watch"], {
      cwd,
      stdio: "pipe",
    });
    try {
      const seen = reader(child.stdout);
      const waiting = reader(child.stderr);
      await seen(/2 passed/);
      await waiting(/waiting for changes/);
      await writeFiles(cwd, { "watched/starlane.yaml": "starlane: v2\n" });
      await waiting(/manifest\/bad-version[\s\S]*waiting for changes/);
      await writeFiles(cwd, { "watched/starlane.yaml": HELLO.replace("refuses nobody", "refuses no one") });
      await seen(/refuses no one/);
    } finally {
      child.kill();
    }
  });
});

/** Waits until what a stream says, since the last match, matches. */
function reader(stream: Readable): (pattern: RegExp) => Promise<void> {
  let text = "";
  let check = (): void => {};
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    check();
  });
  return (pattern) =>
    new Promise((resolve) => {
      check = () => {
        const found = pattern.exec(text);
        if (found === null) return;
        text = text.slice(found.index + found[0].length);
        check = () => {};
        resolve();
      };
      check();
    });
}
