// Streams on the command line: standard input, files and words feed them; what comes out is a line for each element, as it comes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { MAIN, plainEnvironment, ROOT } from "../../test/printed.ts";
import { starlane, temporaryFolder } from "./fixtures/command.ts";

const folder = temporaryFolder();
const manifest = folder.file("starlane.yaml");

before(() => {
  for (const name of ["text", "faults"]) copyFileSync(join(ROOT, `guests/c/${name}.wasm`), folder.file(`${name}.wasm`));
  writeFileSync(
    manifest,
    `starlane: v1
components: { text: ./text.wasm, faults: ./faults.wasm }
operations:
  shout: { input: { lines: stream<string> }, flow: "<>.lines -> text::upper -> <>.loud" }
  parse: { input: { lines: stream<string> }, flow: "<>.lines -> faults::parse-number -> <>.numbers" }
  bytes: { input: { data: stream<u8> }, flow: "<>.data -> <>.data" }
  first:
    input: { lines: stream<string> }
    nodes: { one: { uses: "core::take", with: { count: 1 } } }
    flow: <>.lines -> one -> <>.line
  both:
    input: { lines: stream<string>, name: string }
    flow: |
      <>.name -> text::upper -> <>.name
      <>.lines -> text::length -> <>.lengths
      <>.lines -> <>.lines
  points:
    input: { points: "stream<record { x: u32, y: u32 }>" }
    flow: |
      <>.points.x -> <>.xs
      <>.points.y -> core::collect -> <>.ys
tests:
  - { operation: shout, input: { lines: [a, b] }, expect: { loud: [A, B] } }
  - { operation: shout, input: { lines: [a] }, expect: { loud: [B] } }
  - { operation: bytes, input: { data: "aGk=" }, expect: { data: "aGk=" } }
  - { operation: parse, input: { lines: ["1", x] }, expect: { error: { code: flow/node-failed, payload: { not-a-number: x } } } }
`,
  );
});
after(() => folder[Symbol.dispose]());

const invoke = (words: readonly string[], input?: string) =>
  starlane(["invoke", manifest, ...words], input === undefined ? {} : { input });

describe("streams on the command line", { concurrency: 2 }, () => {
  test("come from standard input, a line an element: JSON, or a text as it is", async () => {
    const ended = await invoke(["shout"], 'one\n"two \\u00e4"\n\n  three\r\n"not" json');
    assert.deepEqual(ended, { status: 0, stdout: '"ONE"\n"TWO Ä"\n"  THREE"\n"\\"NOT\\" JSON"\n', stderr: "" });
    const points = await invoke(["points"], '{"x":1,"y":2}\n{"x":3,"y":4}\n');
    assert.deepEqual(points, { status: 0, stdout: '{"ys":[2,4]}\n{"xs":1}\n{"xs":3}\n', stderr: "" });
  });

  test("come from a file, from words, and from JSON", async () => {
    writeFileSync(folder.file("lines.txt"), "a\nb\n");
    for (const words of [
      ["--lines", `@${folder.file("lines.txt")}`],
      ["--lines", "a", "--lines", "b"],
      ["--lines", '["a","b"]'],
      ["--input", '{"lines":["a","b"]}'],
    ]) {
      assert.deepEqual(await invoke(["shout", ...words]), { status: 0, stdout: '"A"\n"B"\n', stderr: "" }, words.join(" "));
    }
  });

  test("of bytes go through as they are", async () => {
    assert.deepEqual(await invoke(["bytes"], "any\nbytes"), { status: 0, stdout: "any\nbytes", stderr: "" });
  });

  test("beside other ports say which port each line is of", async () => {
    const { status, stdout } = await invoke(["both", "--name", "x"], "a\nbc\n");
    assert.equal(status, 0);
    const lines = stdout.trim().split("\n");
    assert.equal(lines[0], '{"name":"X"}');
    assert.deepEqual(
      new Set(lines),
      new Set(['{"name":"X"}', '{"lines":"a"}', '{"lines":"bc"}', '{"lengths":1}', '{"lengths":2}']),
    );
  });

  test("print what came before an element that failed", async () => {
    const { status, stdout, stderr } = await invoke(["parse"], "1\n2\nx\n3\n");
    assert.deepEqual({ status, stdout }, { status: 1, stdout: "1\n2\n" });
    assert.match(stderr, /not-a-number.*\n {2}--> parse\/parse-number\[2\]/);
    const wrong = await invoke(["points"], '{"x":1}\n');
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /points\[0\]\.y/);
  });

  test("that nobody feeds are missed, with how to feed them", async () => {
    const { status, stderr } = await invoke(["both", "--lines", "a"]);
    assert.equal(status, 2);
    assert.match(stderr, /needs a value for its port "name"/);
  });

  test("are printed as they come, and an operation that needs no more leaves the rest unread", async () => {
    const child = spawn(process.execPath, [MAIN, "invoke", manifest, "shout"], { env: plainEnvironment() });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    for (const word of ["one", "two"]) {
      child.stdin.write(`${word}\n`);
      assert.deepEqual(await lines.next(), { done: false, value: JSON.stringify(word.toUpperCase()) });
    }
    child.stdin.end();
    assert.deepEqual(await once(child, "exit"), [0, null]);
    const first = spawn(process.execPath, [MAIN, "invoke", manifest, "first"], { env: plainEnvironment() });
    const printed = createInterface(first.stdout)[Symbol.asyncIterator]();
    first.stdin.write("one\ntwo\n");
    assert.deepEqual(await printed.next(), { done: false, value: '"one"' });
    // Standard input is still open.
    assert.deepEqual(await once(first, "exit"), [0, null]);
  });

  test("are lists in tests, on both sides", async () => {
    const { status, stdout } = await starlane(["test", manifest]);
    assert.equal(status, 1);
    assert.match(stdout, /✔ shout #1/);
    assert.match(stdout, /✘ shout #2[^]*loud\[0\]/);
    assert.match(stdout, /✔ bytes #3/);
    assert.match(stdout, /✔ parse #4/);
  });

  test("are shown in the help and in the graph", async () => {
    const { stdout } = await starlane(["invoke", manifest, "shout", "--help"]);
    assert.match(stdout, /--lines {2}stream<string> {2}a line each: text/);
    assert.match(stdout, /standard input where it is not given/);
    for (const flag of ["--dot", "--svg"])
      assert.match((await starlane(["inspect", manifest, "--operation", "shout", flag])).stdout, /map: once per element/);
  });
});
