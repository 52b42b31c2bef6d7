import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StarlaneError } from "../base/errors.ts";
import { Mistakes } from "../star/mistakes.ts";
import { readCommandLine } from "./command-line.ts";
import { starlane } from "./fixtures/command.ts";

const spec = {
  options: [
    { name: "seed", value: "N", summary: "" },
    { name: "json", summary: "" },
  ],
  maxPositionals: 2,
  takesPorts: true,
};

describe("reading a command line", () => {
  test("keeps words, options and ports apart", () => {
    const line = readCommandLine(["app", "--name", "Ada", "--seed=7", "greet", "--json"], spec);
    assert.deepEqual(line.positionals, ["app", "greet"]);
    assert.deepEqual(
      [...line.options],
      [
        ["seed", "7"],
        ["json", ""],
      ],
    );
    assert.deepEqual(line.ports, [{ name: "name", text: "Ada" }]);
  });

  test("takes negative numbers and texts with = as values", () => {
    const line = readCommandLine(["--count", "-3", "--formula=a=b", "--flag"], spec);
    assert.deepEqual(line.ports, [
      { name: "count", text: "-3" },
      { name: "formula", text: "a=b" },
      { name: "flag", text: undefined },
    ]);
  });

  test("takes everything behind -- as words", () => {
    assert.deepEqual(readCommandLine(["--", "--json", "-x"], spec).positionals, ["--json", "-x"]);
  });

  test("tells every mistake at once", () => {
    assert.throws(
      () => readCommandLine(["a", "b", "c=1", "--seed", "--json=1", "-q"], spec),
      (error) => error instanceof Mistakes && error.errors.length === 4 && error.errors.every((e) => e.code === "cli/usage"),
    );
  });

  test("tells a port with one dash once, with its value, and how it is written", () => {
    for (const words of [
      ["app", "-name", "Ada"],
      ["app", "-name=Ada"],
      ["app", "-seed", "7"],
      ["app", "-json", "greet"],
    ]) {
      const name = (words[1] ?? "").split("=")[0] ?? "";
      assert.throws(
        () => readCommandLine(words, { ...spec, maxPositionals: 2 }),
        (error) => error instanceof StarlaneError && !(error instanceof Mistakes) && error.cure === `did you mean -${name}?`,
        words.join(" "),
      );
    }
  });

  test("leaves words too many to who knows the ports", () => {
    const line = readCommandLine(["app", "greet", "Ada", "de"], spec);
    assert.deepEqual(line.positionals, ["app", "greet"]);
    assert.deepEqual(line.strays, ["Ada", "de"]);
    assert.throws(() => readCommandLine(["app", "greet", "Ada"], { ...spec, takesPorts: false }), /unexpected argument "Ada"/);
  });

  test("corrects a misspelt option where ports are not taken", () => {
    assert.throws(
      () => readCommandLine(["--jsno"], { ...spec, takesPorts: false }),
      (error) => error instanceof StarlaneError && error.cure === "did you mean --json?",
    );
  });
});

describe("the command itself", { concurrency: 2 }, () => {
  test("prints its help and version", async () => {
    const help = await starlane(["--help"]);
    assert.equal(help.status, 0);
    for (const command of ["check", "invoke", "test", "inspect"]) assert.match(help.stdout, new RegExp(`^  ${command} `, "m"));
    assert.deepEqual((await starlane([])).stdout, help.stdout);
    assert.match((await starlane(["--version"])).stdout, /^starlane \d+\.\d+\.\d+ \(Node 2\d\.\d+\.\d+\)\n$/);
  });

  test("has a help for every command", async () => {
    for (const command of ["check", "invoke", "test", "inspect"]) {
      const { status, stdout } = await starlane([command, "--help"]);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`usage: starlane ${command} TARGET`));
    }
  });

  test("corrects a misspelt command", async () => {
    const { status, stderr } = await starlane(["invok", "x"]);
    assert.equal(status, 2);
    assert.match(stderr, /did you mean: starlane invoke\?/);
  });

  test("says of planned commands that they are not supported yet", async () => {
    for (const command of ["star", "deploy", "bundle"]) {
      const { status, stderr } = await starlane([command]);
      assert.equal(status, 2);
      assert.match(stderr, /error\[cli\/not-supported-yet\]/);
    }
  });

  test("asks for a target", async () => {
    const { status, stderr } = await starlane(["check"]);
    assert.equal(status, 2);
    assert.match(stderr, /needs a TARGET/);
  });

  test("colours errors only where it is asked to", async () => {
    assert.ok(!(await starlane(["nope"])).stderr.includes("\u001b"));
    assert.ok((await starlane(["nope"], { env: { FORCE_COLOR: "1" } })).stderr.includes("\u001b[31m"));
    assert.ok(!(await starlane(["nope"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } })).stderr.includes("\u001b"));
  });
});
