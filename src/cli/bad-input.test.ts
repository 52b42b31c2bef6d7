import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { HELLO, writeFiles } from "./fixtures/apps.ts";
import { starlane, temporaryFolder, type Ended } from "./fixtures/command.ts";
import { needyComponent, textComponent } from "./fixtures/components.ts";

const folder = temporaryFolder();
const cwd = folder.path;
let text: Uint8Array;

before(async () => {
  text = await textComponent();
});
after(() => folder[Symbol.dispose]());

/** One clear error with a code, nothing on standard output, and no stack trace. */
function assertRefused(ended: Ended, code: RegExp): void {
  assert.equal(ended.status, 2, ended.stderr);
  assert.equal(ended.stdout, "");
  assert.match(ended.stderr, new RegExp(`error\\[${code.source}\\]: `));
  assert.doesNotMatch(ended.stderr, /\n\s+at .*:\d+:\d+\)?$/m);
  assert.doesNotMatch(ended.stderr, /starlane\/internal/);
}

async function checkBytes(name: string, bytes: Uint8Array): Promise<Ended> {
  writeFileSync(folder.file(name), bytes);
  return starlane(["check", name], { cwd });
}

describe("hostile binaries", { concurrency: 2 }, () => {
  test("that end too early are refused at the offset where they end", async () => {
    for (const part of [0.1, 0.5, 0.9, 0.999]) {
      const ended = await checkBytes(`cut-${part}.wasm`, text.subarray(0, Math.floor(text.length * part)));
      assertRefused(ended, /component\/(malformed|invalid)/);
    }
  });

  test("that are random behind their header are refused", async () => {
    let state = 1;
    const random = Uint8Array.from({ length: 4096 }, () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16);
    random.set([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
    assertRefused(await checkBytes("random.wasm", random), /component\/malformed/);
  });

  test("that are empty, text, or a core module are told from components", async () => {
    assertRefused(await checkBytes("empty.wasm", new Uint8Array()), /component\/malformed/);
    assertRefused(await checkBytes("text-file.wasm", new TextEncoder().encode("hello")), /component\/malformed/);
    const core = await checkBytes("core.wasm", Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    assertRefused(core, /component\/malformed/);
    assert.match(core.stderr, /a core WebAssembly module, not a component/);
  });

  test("that claim four billion definitions are refused at once", async () => {
    const header = [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0];
    assertRefused(
      await checkBytes("huge.wasm", Uint8Array.from([...header, 7, 5, 0xff, 0xff, 0xff, 0xff, 0x0f])),
      /component\/malformed/,
    );
  });

  test("whose imports nothing provides are refused with all of them, and what would provide them", async () => {
    writeFileSync(folder.file("needy.wasm"), await needyComponent());
    const ended = await starlane(["invoke", "needy.wasm"], { cwd });
    assertRefused(ended, /engine\/missing-import/);
    for (const part of [
      /imports 3 things/,
      /acme:geo\/lookup@1\.0\.0: provided by another component/,
      /the capability keyvalue/,
      /plain: /,
    ])
      assert.match(ended.stderr, part);
    assert.equal((await starlane(["inspect", "needy.wasm"], { cwd })).status, 0);
  });
});

describe("hostile manifests", { concurrency: 2 }, () => {
  async function check(path: string, manifest: string): Promise<Ended> {
    await writeFiles(cwd, { [path]: manifest });
    return starlane(["check", path], { cwd });
  }

  test("with aliases that unfold to gigabytes are refused", async () => {
    const levels = Array.from(
      { length: 20 },
      (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 10 }, () => `*a${i}`).join(", ")}]`,
    );
    assertRefused(await check("bomb.yaml", `a0: &a0 x\n${levels.join("\n")}\n`), /manifest\/yaml-feature/);
  });

  test("of ten megabytes are refused", async () => {
    assertRefused(await check("large.yaml", `starlane: v1\n# ${"x".repeat(10 << 20)}\n`), /manifest\/too-large/);
  });

  test("that nest ten thousand levels are refused", async () => {
    assertRefused(await check("deep.yaml", "[".repeat(10_000)), /manifest\/(too-large|yaml)/);
  });

  test("with a key written twice are refused at the second one", async () => {
    const ended = await check("twice.yaml", "starlane: v1\ncomponents: {}\ncomponents: {}\n");
    assertRefused(ended, /manifest\/duplicate-key/);
    assert.match(ended.stderr, /twice\.yaml:3:1/);
  });

  test("that are binary or empty are refused", async () => {
    assertRefused(await check("nul.yaml", "\u0000\u0001\u0002"), /manifest\/[a-z-]+/);
    assertRefused(await check("empty.yaml", ""), /manifest\/wrong-kind/);
  });

  test("with thousands of mistakes show the first ones only", async () => {
    const ended = await check("many.yaml", `starlane: v1\n${Array.from({ length: 5000 }, (_, i) => `key${i}: 1`).join("\n")}\n`);
    assertRefused(ended, /manifest\/unknown-key/);
    assert.ok(ended.stderr.length < 50_000);
  });

  test("that hide control characters cannot talk to the terminal", async () => {
    const ended = await check("escape.yaml", 'starlane: v1\n"\\e[31mred": 1\n');
    assert.equal(ended.status, 2);
    assert.ok(!ended.stderr.includes("\u001b"));
  });
});

describe("apps that cannot be put together", { concurrency: 2 }, () => {
  const using = (path: string): string =>
    `starlane: v1\ncomponents: { other: ${path} }\noperations: { o: { flow: "1 -> <>" } }\n`;

  test("because a file is missing are told what is there instead", async () => {
    await writeFiles(cwd, { "lost/starlane.yaml": HELLO.replace("./text.wasm", "./txt.wasm"), "lost/text.wasm": text });
    const ended = await starlane(["check", "lost"], { cwd });
    assertRefused(ended, /star\/file/);
    assert.match(ended.stderr, /lost\/starlane\.yaml:6:9\n[\s\S]*\^+\n[\s\S]*did you mean text\.wasm\?/);
  });

  test("because they use each other in a circle are shown the circle", async () => {
    await writeFiles(cwd, {
      "self/starlane.yaml": using("."),
      "a/starlane.yaml": using("../b"),
      "b/starlane.yaml": using("../c"),
      "c/starlane.yaml": using("../a"),
    });
    const self = await starlane(["check", "self"], { cwd });
    assertRefused(self, /star\/cyclic-app/);
    assert.match(self.stderr, /this app uses itself/);
    const circle = await starlane(["check", "a"], { cwd });
    assertRefused(circle, /star\/cyclic-app/);
    assert.match(circle.stderr, /a\/starlane\.yaml -> b\/starlane\.yaml -> c\/starlane\.yaml -> a\/starlane\.yaml/);
  });

  test("because they are nested too deep are stopped", async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`deep/${i}/starlane.yaml`, using(`../${i + 1}`)]));
    await writeFiles(cwd, { ...files, "deep/40/starlane.yaml": "starlane: v1\noperations: { o: { flow: '1 -> <>' } }\n" });
    assertRefused(await starlane(["check", "deep/0"], { cwd }), /star\/too-large/);
  });

  test("because they unfold into too many apps are stopped", async () => {
    const level = (next: string): string => `starlane: v1
parameters: { p: { type: string, default: x } }
components:
${Array.from({ length: 10 }, (_, i) => `  c${i}: { from: ${next}, with: { p: "\${config.p}${i}" } }`).join("\n")}
operations: { o: { flow: "1 -> <>" } }
`;
    const files = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`wide/${i}/starlane.yaml`, level(`../${i + 1}`)]));
    await writeFiles(cwd, {
      ...files,
      "wide/8/starlane.yaml": "starlane: v1\nparameters: { p: string }\noperations: { o: { flow: '1 -> <>' } }\n",
    });
    assertRefused(await starlane(["check", "wide/0"], { cwd }), /star\/too-large/);
  });

  test("because a binary in them is broken are told at the line that names it", async () => {
    await writeFiles(cwd, {
      "broken/starlane.yaml": HELLO.replace("./text.wasm", "./cut.wasm"),
      "broken/cut.wasm": text.subarray(0, 300),
    });
    const ended = await starlane(["check", "broken"], { cwd });
    assertRefused(ended, /component\/(malformed|invalid)/);
    assert.match(ended.stderr, /broken\/starlane\.yaml:6:9/);
  });

  test("because of mistakes in several files are told all of them at once", async () => {
    await writeFiles(cwd, {
      "outer/starlane.yaml":
        "starlane: v1\ncomponents: { inner: ./inner, gone: ./gone.wasm }\noperations: { o: { flow: '1 -> <' } }\n",
      "outer/inner/starlane.yaml": "starlane: v1\noperation: {}\n",
    });
    const ended = await starlane(["check", "outer"], { cwd });
    assertRefused(ended, /star\/file/);
    for (const part of [/flow\/syntax/, /manifest\/unknown-key/, /outer\/inner\/starlane\.yaml:2:1/, /3 errors/])
      assert.match(ended.stderr, part);
    const json = await starlane(["check", "outer", "--json"], { cwd });
    assert.equal(json.status, 2);
    assert.equal(JSON.parse(json.stdout).diagnostics.length, 3);
  });
});

describe("targets", { concurrency: 2 }, () => {
  test("that are not there are told what is", async () => {
    await writeFiles(cwd, { "near/starlane.yaml": HELLO });
    const ended = await starlane(["check", "near/starlane.yml"], { cwd });
    assertRefused(ended, /star\/file/);
    assert.match(ended.stderr, /did you mean starlane\.yaml\?/);
  });

  test("that are folders without a manifest are told so", async () => {
    mkdirSync(folder.file("bare"));
    writeFileSync(folder.file("bare/app.yaml"), HELLO);
    const ended = await starlane(["check", "bare"], { cwd });
    assertRefused(ended, /star\/file/);
    assert.match(ended.stderr, /has no starlane\.yaml\n[\s\S]*app\.yaml/);
  });

  test("that are links in a circle, devices or other files are refused", async () => {
    symlinkSync("loop", folder.file("loop"));
    assertRefused(await starlane(["check", "loop"], { cwd }), /star\/file/);
    assertRefused(await starlane(["check", "/dev/null"], { cwd }), /star\/file/);
    writeFileSync(folder.file("notes.txt"), "hello");
    assertRefused(await starlane(["check", "notes.txt"], { cwd }), /star\/file/);
  });
});
