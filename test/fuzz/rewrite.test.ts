// The core modules of guests and of the component model's scripts, rewritten: valid where they were valid, and doing the same as before.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { StarlaneError } from "../../src/base/errors.ts";
import { scriptNames, whyAbsent } from "../conformance/scripts.ts";
import { Random } from "./random.ts";
import { runModule } from "./rewrite.ts";
import { ALL_OPTIONS, isValid, Rewritten } from "../instrumented.ts";
import type { Component } from "../../src/component/component.ts";
import { decode, isComponent, isCoreModule } from "../../src/component/decode.ts";
import { instrument } from "../../src/component/instrument/instrument.ts";

const ROOT = join(import.meta.dirname, "../..");
const RUNS = 3;

function coreModules(component: Component): Uint8Array[] {
  return component.definitions.flatMap((definition) => {
    if (definition.kind === "core-module") return [definition.bytes];
    return definition.kind === "component" ? coreModules(definition.component) : [];
  });
}

function modulesOf(bytes: Uint8Array): Uint8Array[] {
  if (isCoreModule(bytes)) return [bytes];
  try {
    return coreModules(decode(bytes));
  } catch (error) {
    // Scripts hold components that are meant to be wrong.
    if (error instanceof StarlaneError) return [];
    throw error;
  }
}

const COMMITTED = globSync("{guests,examples,src,bench}/**/*.wasm", { cwd: ROOT }).toSorted();
const INSTALLED = ["node_modules/@bytecodealliance/jco-transpile/vendor/wasm-tools.core.wasm"];

function modulesAt(path: string): Uint8Array[] {
  return modulesOf(new Uint8Array(readFileSync(join(ROOT, path))));
}

test("the core modules of all guests stay valid, whatever is switched on", () => {
  const modules = COMMITTED.flatMap((path) => modulesAt(path).map((bytes, i) => [`${path} module ${i}`, bytes] as const));
  assert.ok(modules.length >= 30, `${modules.length} modules were found`);
  for (const [name, bytes] of modules)
    for (const options of ALL_OPTIONS)
      for (const limits of [undefined, { memoryPages: 2_000, tableElements: 100_000 }]) {
        const made = instrument(bytes, { ...options, limits });
        assert.ok(isValid(made.bytes), `${name} with ${JSON.stringify({ ...options, limits })}`);
      }
});

test("a module of megabytes stays valid with everything switched on", () => {
  for (const path of INSTALLED)
    for (const bytes of modulesAt(path)) {
      const made = instrument(bytes, { fuel: true, expose: true, barrier: true, shrink: true });
      assert.ok(isValid(made.bytes), path);
    }
});

test("what was rewritten can be rewritten again", () => {
  const everything = { fuel: true, expose: true, barrier: true, shrink: true };
  const once = instrument(modulesAt("bench/kernels/kernels.wasm")[0] ?? new Uint8Array(), everything);
  const twice = instrument(once.bytes, everything);
  assert.ok(isValid(twice.bytes));
  assert.notEqual(twice.module, once.module);
});

test("the kernels give the same results with everything switched on", () => {
  const [bytes] = modulesAt("bench/kernels/kernels.wasm");
  assert.ok(bytes !== undefined);
  const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)).exports;
  const ours = new Rewritten(bytes, { fuel: true, expose: true, barrier: true, shrink: true });
  const names = Object.keys(plain).filter((name) => typeof plain[name] === "function");
  assert.ok(names.includes("sha256") && names.includes("json_parse"), names.join(", "));
  for (const name of names) assert.equal(ours.call(name, 1), (plain[name] as (n: number) => unknown)(1), name);
  assert.ok(ours.used > 1_000_000n);
});

/** Counts what happened; throws where the two differ. */
function differential(bytes: Uint8Array): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  for (let seed = 0; seed < RUNS; seed++)
    runModule(new Random(seed), bytes, { stage: () => undefined, sample: () => undefined, count });
  return counts;
}

test("guests do the same when they are rewritten", () => {
  const small = globSync("{guests,src,bench}/**/*.wasm", { cwd: ROOT })
    .toSorted()
    .map((path) => new Uint8Array(readFileSync(join(ROOT, path))))
    .filter((bytes) => bytes.length < 60_000);
  const modules = small.flatMap((bytes) => (isComponent(bytes) || isCoreModule(bytes) ? modulesOf(bytes) : []));
  assert.ok(modules.length > 20);
  let answered = 0;
  for (const bytes of modules) answered += differential(bytes).get("call: value") ?? 0;
  assert.ok(answered > 100, `${answered} calls were answered`);
});

interface Unit {
  readonly binary?: Uint8Array;
  readonly module?: Unit;
}

interface Reader {
  readScript(text: string, parse: (wat: string) => Promise<Uint8Array>): Promise<{ commands: readonly Unit[] }>;
}

const absent = whyAbsent();

test(
  "the core modules of the component model's scripts do the same when they are rewritten",
  { skip: absent ?? false },
  async (t) => {
    const shared = process.env["STARLANE_CONFORMANCE"] ?? join(ROOT, "../shared");
    const { readScript } = (await import(pathToFileURL(join(shared, "tools/wast.mjs")).href)) as Reader;
    const seen = new Set<string>();
    let answered = 0;
    for (const name of scriptNames()) {
      const { commands } = await readScript(readFileSync(join(shared, "conformance", name), "utf8"), parse);
      for (const bytes of commands.flatMap(({ binary, module }) => modulesOf(binary ?? module?.binary ?? new Uint8Array()))) {
        const content = Buffer.from(bytes).toString("base64");
        if (seen.has(content)) continue;
        seen.add(content);
        const valid = isValid(bytes);
        if (valid) for (const options of ALL_OPTIONS) assert.ok(isValid(instrument(bytes, options).bytes), name);
        try {
          answered += differential(bytes).get("call: value") ?? 0;
        } catch (error) {
          throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
        }
      }
    }
    assert.ok(seen.size > 200 && answered > 200, `${seen.size} modules, ${answered} calls were answered`);
    t.diagnostic(`${seen.size} core modules, ${answered} calls answered`);
  },
);
