// Guests of ordinary toolchains, run by the engine on the inert imports. Their sources are in `fixtures/`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { StarlaneError } from "../base/errors.ts";
import { compile } from "../engine/compile.ts";
import type { CompiledComponent } from "../engine/engine.ts";
import { missingImports } from "./catalog.ts";
import { inertImports } from "./inert.ts";

const TRANSACTION = { seed: 1, timestampMs: 1_790_000_000_123 };

const compiled = {
  c: await compile(readFileSync(new URL("fixtures/probe-c.wasm", import.meta.url))),
  rust: await compile(readFileSync(new URL("fixtures/probe-rust.wasm", import.meta.url))),
};

async function run(component: CompiledComponent, seed = TRANSACTION.seed) {
  const printed = { stdout: "", stderr: "", log: "" };
  const imports = inertImports({
    ...TRANSACTION,
    seed,
    output: (stream, bytes) => void (printed[stream] += new TextDecoder().decode(bytes)),
  });
  const instance = await component.instantiate(imports);
  const report = String(await instance.call("report"));
  return { instance, report, printed };
}

test("a C program on wasi-libc prints, allocates, sleeps and reads, and finds nothing of the machine", async () => {
  const { report, printed } = await run(compiled.c);
  assert.deepEqual(report.split("\n"), [
    "heap 22020096",
    "wall 1790000000123000000",
    "slept 1500000000",
    "random 240e3d45716632a0",
    "home none",
    "input -1",
    "file Capabilities insufficient",
    "",
  ]);
  assert.deepEqual(printed, { stdout: "printed by C: 42 3.142 text\n", stderr: "warned by C\n", log: "" });
});

test("a Rust program on std uses a map with random keys, clocks and threads' sleep, and finds nothing of the machine", async () => {
  const { report, printed } = await run(compiled.rust);
  assert.deepEqual(report.split("\n").slice(1), [
    "wall 1790000000123000000",
    "slept 1500000000",
    "environment 0",
    "arguments 0",
    "input 0",
    "file Uncategorized",
    "",
  ]);
  assert.deepEqual(printed, { stdout: "printed by Rust: 42 3.142 text\n", stderr: "warned by Rust\n", log: "" });
});

for (const [language, component] of Object.entries(compiled)) {
  test(`the same seed gives a guest in ${language} the same result and output, another seed another result`, async () => {
    const [first, second, other] = [await run(component), await run(component), await run(component, 2)];
    assert.equal(second.report, first.report);
    assert.deepEqual(second.printed, first.printed);
    assert.notEqual(other.report, first.report);
  });

  test(`exit in ${language} ends the call with a typed error, whatever the guest would do after it`, async () => {
    const { instance } = await run(component);
    const isExit = (error: unknown) => error instanceof StarlaneError && error.code === "capability/exit";
    await assert.rejects(instance.call("finish", [3]), isExit);
  });

  test(`everything that a guest in ${language} imports is in the catalog, with the right shape`, () => {
    assert.ok(component.type.imports.length > 10);
    assert.deepEqual(missingImports(component.type.imports), []);
  });
}
