// Guests with grants: what was granted, exactly, and the rest as without a grant.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { StarlaneError } from "../base/errors.ts";
import { compile } from "../engine/compile.ts";
import type { CompiledComponent, Imports } from "../engine/engine.ts";
import type { Binding, CapabilityTransaction } from "./capability.ts";
import { grantedCli } from "./cli/granted.ts";
import { exitStatusOf } from "./cli/interfaces.ts";
import { openFolder } from "./filesystem/folder.ts";
import { grantedFiles } from "./filesystem/granted.ts";
import { memoryFilesystem } from "./filesystem/memory.ts";
import { linkInert } from "./inert.ts";

const fixture = (name: string): URL => new URL(`fixtures/${name}`, import.meta.url);
const probes = {
  c: await compile(readFileSync(fixture("probe-c.wasm"))),
  rust: await compile(readFileSync(fixture("probe-rust.wasm"))),
};
const reader = await compile(await parse(readFileSync(fixture("read-file.wat"), "utf8")));

/** An instance with these capabilities in the place of their inert forms. */
async function instantiate(component: CompiledComponent, ...granted: Binding[]) {
  const inert = linkInert();
  const imports = Object.assign({}, inert.imports, ...granted.map((binding) => binding.imports)) as Imports;
  const instance = await component.instantiate(imports);
  return {
    instance,
    prepare(more: Partial<CapabilityTransaction> = {}): void {
      const transaction = { seed: 1, timestampMs: 1_790_000_000_123, ...more };
      inert.prepare(transaction);
      for (const binding of granted) binding.prepare?.(transaction);
    },
    async finish(): Promise<void> {
      for (const binding of granted) await binding.finish?.("done");
    },
  };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

for (const [language, component] of Object.entries(probes)) {
  test(`a program in ${language} sees the variables, input and files that were granted, and suspends where it waits`, async () => {
    let stdout = "";
    let stderr = "";
    const slowly = (text: string): Promise<void> => new Promise((resolve) => setImmediate(() => resolve(void (stdout += text))));
    async function* input(): AsyncGenerator<Uint8Array> {
      await new Promise((resolve) => setImmediate(resolve));
      yield bytes("x");
    }
    const cli = grantedCli.configure({
      args: ["probe", "one"],
      env: { HOME: "/nowhere" },
      stdin: { bytes: input() },
      stdout: { write: (part) => slowly(new TextDecoder().decode(part)) },
      stderr: { write: (part) => void (stderr += new TextDecoder().decode(part)) },
    });
    const files = grantedFiles.configure({
      "/etc": { backend: memoryFilesystem({ files: { passwd: "none" } }), readonly: true },
    });
    const { instance, prepare, finish } = await instantiate(component, cli(), files());
    prepare();
    const report = String(await instance.call("report"));
    await finish();
    assert.match(
      report,
      language === "c" ? /^home \/nowhere\ninput 120\nfile open$/m : /^environment 1\narguments 2\ninput 1\nfile open$/m,
    );
    assert.match(report, /^slept 1500000000$/m);
    assert.match(stdout, /^printed by (C|Rust): 42/);
    assert.match(stderr, /^warned by (C|Rust)\n$/);
  });

  test(`a program in ${language} ends itself with its status, whatever it has open`, async () => {
    const cli = grantedCli.configure({ args: [], env: {}, stdin: { bytes: [] } });
    const { instance, prepare, finish } = await instantiate(component, cli());
    prepare();
    const status = await instance.call("finish", [0]).then(
      () => "it answered",
      (error: unknown) => exitStatusOf(error),
    );
    assert.equal(status, 0);
    await finish();
  });
}

test("a component reads a real file of several megabytes while its stack is suspended, in one transaction after the other", async () => {
  const folder = mkdtempSync(join(tmpdir(), "starlane-granted-"));
  writeFileSync(join(folder, "file"), Buffer.alloc(5_000_001, "abc"));
  const backend = await openFolder(folder);
  const { instance, prepare, finish } = await instantiate(reader, grantedFiles.configure({ "/data": { backend } })());
  for (let transaction = 0; transaction < 3; transaction++) {
    prepare();
    let others = 0;
    const counting = setInterval(() => others++, 0);
    const answer = instance.call("count", ["file"]);
    assert.equal(await answer, 5_000_001n);
    clearInterval(counting);
    assert.ok(others > 0, "the thread did other things meanwhile");
    await finish();
  }
  await backend.close();
  rmSync(folder, { recursive: true });
});

test("a component reads a file in memory at once, without a promise", async () => {
  const backend = memoryFilesystem({ files: { file: new Uint8Array(3_000_000) } });
  const { instance, prepare, finish } = await instantiate(reader, grantedFiles.configure({ "/data": { backend } })());
  prepare();
  assert.equal(instance.function("count")("file"), 3_000_000n);
  await finish();
});

test("a component that waits for input ends when its transaction is cancelled", async () => {
  const never: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) };
  const { instance, prepare, finish } = await instantiate(
    probes.c,
    grantedCli.configure({ args: [], env: {}, stdin: { bytes: never } })(),
  );
  const abort = new AbortController();
  prepare({ signal: abort.signal });
  const answer = instance.call("report");
  setImmediate(() => abort.abort(new StarlaneError("flow/cancelled", "cancelled by the test")));
  await assert.rejects(answer, { code: "flow/cancelled" });
  await finish();
});
