import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { provideProgram } from "../../test/services.ts";
import { writeFiles } from "./fixtures/apps.ts";
import { starlane, temporaryFolder, type Ended } from "./fixtures/command.ts";

const folder = temporaryFolder();
const cwd = folder.path;
after(() => folder[Symbol.dispose]());

const SAY = `starlane: v1
name: acme/say
description: Says things.
components: { text: ./text.wasm }
types: |
  enum tone { soft, loud }
  record place { town: string, zip: u32 }
operations:
  say:
    description: Says words to somebody.
    input:
      name: { type: string, trim: true, min: 1, max: 20, description: Who hears it. }
      words: list<string>
      tone: { type: tone, default: soft }
      twice: { type: bool, default: false }
      at: option<place>
      count: { type: s8, default: 1, min: -3, max: 3 }
    flow: |
      <>.name -> <>.name
      <>.words -> <>.words
      <>.tone -> <>.tone
      <>.twice -> <>.twice
      <>.at -> <>.at
      <>.count -> <>.count
  size:
    input: { text: string, raw: "option<list<u8>>" }
    flow: |
      <>.text -> <>.text
      <>.raw -> <>.raw
  bad: { input: { why: string }, flow: "<>.why -> text::fail" }
triggers:
  - cli: { operation: say, arguments: [ name, words ], short: { t: tone, c: count, w: twice } }
  - cli: { operation: size, stdin: text, description: Gives a text back. }
  - cli: { operation: bad, name: fail, arguments: [ why ] }
`;

const ONE = `starlane: v1
components: { text: ./text.wasm }
operations:
  greet: { input: { name: string }, output: { greeting: string }, flow: "<>.name -> text::greet -> <>.greeting" }
triggers: [ { cli: { operation: greet, arguments: [ name ] } } ]
`;

before(async () => {
  await writeFiles(cwd, { "say/starlane.yaml": SAY, "one/starlane.yaml": ONE, "bytes.bin": new Uint8Array([255, 0, 7]) });
});

const say = (...words: string[]): Promise<Ended> => starlane(["run", "say", "say", ...words], { cwd });
const PLAIN = { name: "Ada", words: ["x"], tone: "soft", twice: false, at: null, count: 1 };

async function gives(words: readonly string[], expected: object): Promise<void> {
  const { stdout, stderr, status } = await say(...words);
  assert.deepEqual({ status, stderr, value: JSON.parse(stdout) }, { status: 0, stderr: "", value: { ...PLAIN, ...expected } });
}

describe("an operation as a command", { concurrency: 2 }, () => {
  test("takes words by position, and flags with values, letters and switches", async () => {
    await gives(["Ada", "x"], {});
    await gives(["Ada", "x", "y", "--tone", "loud", "--twice"], { words: ["x", "y"], tone: "loud", twice: true });
    await gives(["-wt", "loud", "-c2", "Ada", "x"], { tone: "loud", twice: true, count: 2 });
    await gives(["--tone=loud", "--no-twice", "Ada", "x"], { tone: "loud" });
  });

  test("takes records as JSON, lists by repetition, and positions by their flags", async () => {
    await gives(["--at", '{"town":"Bonn","zip":53111}', "Ada", "x"], { at: { town: "Bonn", zip: 53111 } });
    await gives(["--words", "x", "Ada", "--words", "y"], { words: ["x", "y"] });
    await gives(["--name", "Ada", "x"], {});
  });

  test("tells values that look like flags from flags", async () => {
    await gives(["Ada", "x", "--count", "-2"], { count: -2 });
    await gives(["Ada", "x", "-c", "-2"], { count: -2 });
    await gives(["Ada", "--", "--tone", "-w"], { words: ["--tone", "-w"] });
    const { status, stderr } = await say("Ada", "x", "--count", "--twice");
    assert.equal(status, 2);
    assert.match(stderr, /--count needs a value: --count COUNT/);
  });

  test("tells every mistake at once, with near words", async () => {
    const { status, stderr } = await say("--nmae", "Ada", "--tone", "lod", "--count", "999", "-q");
    assert.equal(status, 2);
    assert.match(stderr, /say has no option --nmae\n {2}= did you mean --name\?/);
    assert.match(stderr, /say has no option -q/);
    assert.match(stderr, /expected one of "soft", "loud", got "lod"[^]*Did you mean "loud"\?/);
    assert.match(stderr, /got 999\n {2}--> --count/);
    assert.match(stderr, /say needs a value for its port "words"/);
    assert.doesNotMatch(stderr, /needs a value for its port "name"/);
  });

  test("refuses words too many, with the usage", async () => {
    const { status, stderr } = await starlane(["run", "one", "Ada", "Grace"], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /unexpected argument "Grace"\n {2}= greet \[options\] NAME; --help tells more/);
  });

  test("takes standard input for the port that is named for it, and bytes from files", async () => {
    const piped = await starlane(["run", "say", "size"], { cwd, input: "hi\n" });
    assert.equal(piped.stdout, '{"text":"hi\\n","raw":null}\n');
    const written = await starlane(["run", "say", "size", "--raw", "@bytes.bin", "--text", "-"], { cwd, input: "hi" });
    assert.equal(written.stdout, '{"text":"hi","raw":"/wAH"}\n');
    const given = await starlane(["run", "say", "size", "--text", "here"], { cwd, input: "not read" });
    assert.equal(given.stdout, '{"text":"here","raw":null}\n');
  });

  test("ends with the status of invoke", async () => {
    const failed = await starlane(["run", "say", "fail", "luck"], { cwd });
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /luck/);
    const refused = await say("", "x");
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /star\/invalid-input/);
  });

  test("has a help of its ports, rules and defaults, and of the commands there are", async () => {
    const all = await starlane(["run", "say", "--help"], { cwd });
    assert.match(
      all.stdout,
      /^Says things\.[^]*usage: starlane run say COMMAND …[^]*say +Says words[^]*size +Gives a text back\./,
    );
    const { stdout } = await say("-h");
    assert.match(stdout, /usage: starlane run say say \[options\] NAME WORDS…/);
    assert.match(stdout, /NAME +string +Who hears it; 1 to 20/);
    assert.match(stdout, /-t, --tone TONE +tone +soft, loud; else "soft"/);
    assert.match(stdout, /-w, --\[no-\]twice +else false/);
    assert.match(stdout, /--at AT +place .*may be left out/);
    const one = await starlane(["run", "one", "--help"], { cwd });
    assert.match(one.stdout, /usage: starlane run one \[options\] NAME/);
  });

  test("is named where there are several", async () => {
    const near = await starlane(["run", "say", "sya"], { cwd });
    assert.equal(near.status, 2);
    assert.match(near.stderr, /no command "sya"\n {2}= did you mean say\? There are: say, size, fail/);
    assert.match((await starlane(["run", "say"], { cwd })).stderr, /name one behind the target: say, size, fail/);
    assert.equal((await starlane(["run", "one", "--", "Ada"], { cwd })).stdout, '{"greeting":"Hello, Ada"}\n');
  });
});

describe("completion", { concurrency: 2 }, () => {
  const words = async (...typed: string[]): Promise<string[]> => {
    const { stdout } = await starlane(["run", "say", "--completion", "words", "--", ...typed], { cwd });
    return stdout.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")[0] ?? ""]));
  };

  test("knows commands, flags, and the words of enums", async () => {
    assert.deepEqual(await words("s"), ["say", "size"]);
    assert.deepEqual(await words("say", "--t"), ["--tone", "--twice"]);
    assert.deepEqual(await words("say", "--tone", ""), ["soft", "loud"]);
    assert.deepEqual(await words("say", "-t", "l"), ["loud"]);
    assert.deepEqual(await words("say", "--tone=l"), ["--tone=loud"]);
    assert.deepEqual(await words("size", "--raw", ""), ["@files"]);
    assert.deepEqual(await words("say", "Ada", "--", "--t"), []);
    assert.deepEqual(await words("nothing", ""), []);
  });

  test("has no script for a shell that is not known", async () => {
    const { status, stderr } = await starlane(["run", "say", "--completion", "tcsh"], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /the shells are: bash, zsh, fish/);
  });

  /** A shell with `starlane` on its path, where it is installed. */
  async function inShell(shell: string, words: readonly string[]): Promise<string> {
    const bin = join(cwd, "bin");
    await writeFiles(cwd, { "bin/empty": "" });
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    writeFileSync(join(bin, "starlane"), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
    chmodSync(join(bin, "starlane"), 0o755);
    const env = { ...process.env, PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}`, HOME: cwd, TERM: "dumb" };
    const { stdout } = await promisify(execFile)(shell, [...words], { cwd, env, timeout: 60_000 });
    return stdout;
  }

  function missing(shell: string): string | false {
    return provideProgram(shell) === undefined ? `${shell} is not installed` : false;
  }

  test("works in bash", { skip: missing("bash") }, async () => {
    const script = `source <(starlane run say --completion bash)
complete -p starlane
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _starlane_run; printf '%s\\n' "$*: \${COMPREPLY[*]}"; }
ask starlane run say s
ask starlane run say say --t
ask starlane run say say --tone = l
ask starlane run --env A say say --tone ''
ask starlane run say -- si
ask starlane ru`;
    assert.deepEqual((await inShell("bash", ["--norc", "-c", script])).split("\n"), [
      "complete -o default -F _starlane_run starlane",
      "starlane run say s: say size",
      "starlane run say say --t: --tone --twice",
      "starlane run say say --tone = l: loud",
      "starlane run --env A say say --tone : soft loud",
      "starlane run say -- si: size",
      "starlane ru: ",
      "",
    ]);
  });

  test("works in zsh", { skip: missing("zsh") }, async () => {
    // What zsh would be given: its completion system itself runs only in a terminal.
    const script = `compadd() { print -r -- "\${found[*]}" }
_files() { print files }
compdef() { print "$*" }
source <(starlane run say --completion zsh)
ask() { words=("$@"); CURRENT=$#; _starlane_run }
ask starlane run say s
ask starlane run say say --tone ''
ask starlane run say size --raw ''
ask starlane run sa`;
    assert.equal(await inShell("zsh", ["-f", "-c", script]), "_starlane_run starlane\nsay size\nsoft loud\nfiles\nfiles\n");
  });

  test("works in fish", { skip: missing("fish") }, async () => {
    const script = `starlane run say --completion fish | source
complete -C 'starlane run say s'
complete -C 'starlane run say say --tone '
complete -C 'starlane run --env A say say --tw'`;
    assert.equal(
      await inShell("fish", ["--no-config", "-c", script]),
      "say\tSays words to somebody.\nsize\tGives a text back.\nloud\nsoft\n--twice\n",
    );
  });
});
