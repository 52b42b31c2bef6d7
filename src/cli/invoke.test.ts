import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { starlane, temporaryFolder } from "./fixtures/command.ts";
import { interfaceComponent, textComponent } from "./fixtures/components.ts";

const folder = temporaryFolder();
const text = folder.file("text.wasm");
const iface = folder.file("iface.wasm");

before(async () => {
  writeFileSync(text, await textComponent());
  writeFileSync(iface, await interfaceComponent());
});
after(() => folder[Symbol.dispose]());

describe("invoke on a component binary", { concurrency: 2 }, () => {
  test("prints exactly one JSON value on standard output and nothing on standard error", async () => {
    const ended = await starlane(["invoke", text, "upper", "--s", "straße"]);
    assert.deepEqual(ended, { status: 0, stdout: '"STRAßE"\n', stderr: "" });
  });

  test("reads numbers typed by people", async () => {
    assert.deepEqual(await starlane(["invoke", text, "add", "--a", "3", "--b=4"]), { status: 0, stdout: "7\n", stderr: "" });
  });

  test("takes all ports as JSON, written on the line, from a file, or from standard input", async () => {
    const input = '{"name":"Ada"}';
    writeFileSync(folder.file("in.json"), input);
    const ways = [
      await starlane(["invoke", text, "greet", "--input", input]),
      await starlane(["invoke", text, "greet", "--input", `@${folder.file("in.json")}`]),
      await starlane(["invoke", text, "greet", "--input", "-"], { input }),
    ];
    for (const ended of ways) assert.deepEqual(ended, { status: 0, stdout: '"Hello, Ada"\n', stderr: "" });
  });

  test("lets a flag win over --input", async () => {
    const { stdout } = await starlane(["invoke", text, "greet", "--input", '{"name":"Ada"}', "--name", "Bob"]);
    assert.equal(stdout, '"Hello, Bob"\n');
  });

  test("says which ports there are and which one was probably meant", async () => {
    const { status, stdout, stderr } = await starlane(["invoke", text, "greet", "--nmae", "Ada"]);
    assert.deepEqual({ status, stdout }, { status: 2, stdout: "" });
    assert.match(stderr, /error\[cli\/unknown-port\]: greet has no port "nmae"/);
    assert.match(stderr, /did you mean --name\? the ports of greet are: --name/);
    assert.doesNotMatch(stderr, /missing-input/);
  });

  test("takes a word too many for the port that is missing", async () => {
    const curesOf = async (...words: readonly string[]): Promise<string[]> => {
      const { status, stderr } = await starlane(["invoke", text, ...words]);
      assert.equal(status, 2);
      return Array.from(stderr.matchAll(/^ {2}= (.*)$/gm), ([, cure = ""]) => cure);
    };
    assert.deepEqual(await curesOf("greet", "Ada L."), ["did you mean --name 'Ada L.'?"]);
    assert.deepEqual(await curesOf("greet", "name=Ada"), ["did you mean --name Ada?"]);
    assert.deepEqual(await curesOf("add", "3", "4"), ["did you mean --a 3?", "did you mean --b 4?"]);
    assert.deepEqual(await curesOf("add", "3", "--a", "4"), ["did you mean --b 3?"]);
    assert.deepEqual(await curesOf("add", "3"), ["values are given as --PORT VALUE; the ports of add are: --a, --b"]);
    assert.deepEqual(await curesOf("count", "3"), ["values are given as --PORT VALUE; count takes no input"]);
  });

  test("tells a port with one dash once", async () => {
    const { stderr } = await starlane(["invoke", text, "greet", "-name", "Ada"]);
    assert.equal(stderr, "error[cli/usage]: unknown option -name\n  = did you mean --name?\n");
  });

  test("gives a port what is in a file, or what standard input gives", async () => {
    writeFileSync(folder.file("name.txt"), "\ufeffAda\nLovelace\n");
    writeFileSync(folder.file("number.txt"), "3\n");
    const greeted = await starlane(["invoke", text, "greet", "--name", "@name.txt"], { cwd: folder.path });
    assert.deepEqual(greeted, { status: 0, stdout: '"Hello, Ada\\nLovelace\\n"\n', stderr: "" });
    const added = await starlane(["invoke", text, "add", "--a=@number.txt", "--b", "@-"], { cwd: folder.path, input: " 4\n" });
    assert.deepEqual(added, { status: 0, stdout: "7\n", stderr: "" });
  });

  test("takes a text that starts with @ where it is written with two, and a lone dash as it is", async () => {
    assert.equal((await starlane(["invoke", text, "greet", "--name", "@@ada"])).stdout, '"Hello, @ada"\n');
    assert.equal((await starlane(["invoke", text, "greet", "--name", "@@@ada"])).stdout, '"Hello, @@ada"\n');
    assert.equal((await starlane(["invoke", text, "greet", "--name", "-"], { input: "x" })).stdout, '"Hello, -"\n');
    assert.equal((await starlane(["invoke", text, "greet", "--input", '{"name":"@ada"}'])).stdout, '"Hello, @ada"\n');
  });

  test("says what is there in place of a file that cannot be read", async () => {
    writeFileSync(folder.file("latin.txt"), Uint8Array.of(0xe9));
    const cwd = folder.path;
    const named = await starlane(["invoke", text, "greet", "--input", "@nme.json"], { cwd });
    assert.match(named.stderr, /^error\[cli\/bad-input\]: there is no nme\.json\n {2}= in this folder there is: /);
    assert.doesNotMatch(named.stderr, /ENOENT/);
    const port = await starlane(["invoke", text, "greet", "--name", "@nam.txt"], { cwd });
    assert.match(
      port.stderr,
      /there is no nam\.txt\n {2}--> --name\n {2}= .*; for the text @nam\.txt itself write --name @@nam\.txt\n$/,
    );
    const whole = await starlane(["invoke", text, "greet", "--input", "@."], { cwd });
    assert.match(whole.stderr, /error\[cli\/bad-input\]: \. is a folder, not a file/);
    const bytes = await starlane(["invoke", text, "greet", "--name", "@latin.txt"], { cwd });
    assert.match(bytes.stderr, /error\[cli\/bad-input\]: latin\.txt is not UTF-8 text/);
    const both = await starlane(["invoke", text, "add", "--a", "@none.txt", "--b", "@", "--c", "1"], { cwd });
    for (const part of [/there is no none\.txt/, /there is no name of a file behind @/, /has no port "c"/])
      assert.match(both.stderr, part);
    for (const { status } of [named, port, whole, bytes, both]) assert.equal(status, 2);
  });

  test("reads standard input for one thing only", async () => {
    const { status, stderr } = await starlane(["invoke", text, "add", "--a", "@-", "--input", "-"], { input: "1" });
    assert.equal(status, 2);
    assert.match(stderr, /error\[cli\/usage\]: standard input can be read once, not for --input - and --a @-/);
  });

  test("tells all mistakes of a line at once", async () => {
    const { status, stderr } = await starlane(["invoke", text, "add", "--a", "x", "--c", "3"]);
    assert.equal(status, 2);
    assert.match(stderr, /--> --a/);
    assert.match(stderr, /has no port "c"/);
    assert.match(stderr, /needs a value for its port "b"/);
  });

  test("lists the operations where it is not clear which one is meant", async () => {
    const { status, stderr } = await starlane(["invoke", text]);
    assert.equal(status, 2);
    assert.match(stderr, /offers 8 operations: which one\?/);
    assert.match(stderr, /upper, greet, fail, add/);
  });

  test("corrects a misspelt operation", async () => {
    const { status, stderr } = await starlane(["invoke", text, "uper"]);
    assert.equal(status, 2);
    assert.match(stderr, /did you mean upper\?/);
  });

  test("finds a function of an interface by its short name where only one fits", async () => {
    assert.equal((await starlane(["invoke", iface, "upper", "--s", "a"])).stdout, '"A"\n');
    assert.equal((await starlane(["invoke", iface, "case#greet", "--name", "a"])).stdout, '"Hello, a"\n');
    assert.equal((await starlane(["invoke", iface, "acme:text/case@1.2.0#upper", "--s", "a"])).stdout, '"A"\n');
    const { status, stderr } = await starlane(["invoke", iface, "greet", "--name", "a"]);
    assert.equal(status, 2);
    assert.match(stderr, /write which: acme:text\/case@1\.2\.0#greet, acme:text\/other@1\.2\.0#greet/);
  });

  test("gives every call memory of its own", async () => {
    assert.equal((await starlane(["invoke", text, "count"])).stdout, "1\n");
    assert.equal((await starlane(["invoke", text, "count"])).stdout, "1\n");
  });

  test("ends with 1 and the error value when the operation answers with one", async () => {
    const { status, stdout, stderr } = await starlane(["invoke", text, "fail", "--why", "no luck"]);
    assert.deepEqual({ status, stdout }, { status: 1, stdout: "" });
    assert.match(stderr, /error\[star\/operation-failed\]: fail answered with an error: no luck/);
  });

  test("ends with 1 at a trap, and shows a stack trace only with --verbose", async () => {
    const quiet = await starlane(["invoke", text, "trap", "--s", "x"]);
    assert.equal(quiet.status, 1);
    assert.match(quiet.stderr, /error\[engine\/trap\]: unreachable/);
    assert.doesNotMatch(quiet.stderr, /\bat .*:\d+:\d+/);
    const loud = await starlane(["invoke", text, "trap", "--s", "x", "--verbose"]);
    assert.match(loud.stderr, /\bat .*:\d+:\d+/);
  });

  test("survives endless recursion of a guest", async () => {
    const { status, stderr } = await starlane(["invoke", text, "deep"]);
    assert.equal(status, 1);
    assert.match(stderr, /error\[engine\/trap\]: call stack exhausted/);
  });

  test("stops an endless loop at its timeout with status 3", async () => {
    const { status, stdout, stderr } = await starlane(["invoke", text, "spin", "--timeout", "100ms"]);
    assert.deepEqual({ status, stdout }, { status: 3, stdout: "" });
    assert.match(stderr, /error\[flow\/deadline\]: text::spin was stopped/);
  });

  test("prints errors as JSON with --json", async () => {
    const { stdout, stderr } = await starlane(["invoke", text, "fail", "--why", "no", "--json"]);
    assert.equal(stdout, "");
    assert.deepEqual(JSON.parse(stderr).error.data, { payload: "no" });
  });

  test("explains every wrong option", async () => {
    const { status, stderr } = await starlane([
      "invoke",
      text,
      "spin",
      "--seed",
      "-1",
      "--timestamp",
      "yesterday",
      "--timeout",
      "soon",
    ]);
    assert.equal(status, 2);
    for (const part of [/--seed -1 is no whole number/, /--timestamp yesterday is no time/, /--timeout/])
      assert.match(stderr, part);
  });

  test("shows the ports of an operation in its help", async () => {
    const { status, stdout } = await starlane(["invoke", text, "add", "--help"]);
    assert.equal(status, 0);
    assert.match(stdout, /--a +u32/);
    assert.match(stdout, /starlane invoke .*text\.wasm add --a 1 --b 1/);
  });

  test("takes the only port's value as bare JSON", async () => {
    assert.equal((await starlane(["invoke", text, "upper", "--input", '"a"'])).stdout, '"A"\n');
  });

  test("refuses input that is no JSON, not there, or not UTF-8", async () => {
    const bad = [
      await starlane(["invoke", text, "upper", "--input", "{nope"]),
      await starlane(["invoke", text, "upper", "--input", "@/nowhere/at-all.json"]),
      await starlane(["invoke", text, "upper", "--input", "-"], { input: Uint8Array.of(0x22, 0xff, 0x22) }),
      await starlane(["invoke", text, "upper", "--input", "-"]),
    ];
    for (const { status, stderr } of bad) {
      assert.equal(status, 2);
      assert.match(stderr, /error\[cli\/bad-input\]/);
    }
  });

  test("refuses values out of range and lone surrogates", async () => {
    const range = await starlane(["invoke", text, "add", "--a", "4294967296", "--b", "-1"]);
    assert.equal(range.status, 2);
    assert.match(range.stderr, /--> --a[\s\S]*--> --b/);
    const surrogate = await starlane(["invoke", text, "upper", "--input", '{"s":"\\ud800"}']);
    assert.equal(surrogate.status, 2);
    assert.match(surrogate.stderr, /error\[wit\/bad-value\]/);
  });

  test("carries a text of many megabytes", async () => {
    const { status, stdout } = await starlane(["invoke", text, "upper", "--input", "-"], {
      input: JSON.stringify("x".repeat(8 << 20)),
    });
    assert.equal(status, 0);
    assert.equal(stdout.length, (8 << 20) + 3);
  });
});
