import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StarlaneError } from "../../base/errors.ts";
import { ALL_OPTIONS, isValid, rewritten } from "../../../test/instrumented.ts";
import { generateCoreModule } from "../../../test/fuzz/generate-core.ts";
import { Random } from "../../../test/fuzz/random.ts";
import { wat } from "../../../test/wat.ts";
import { readCoreModule } from "../core-module.ts";
import { instrument } from "./instrument.ts";

const EVERYTHING = { fuel: true, expose: true, barrier: true, shrink: true };

test("everything that was added is named", async () => {
  const made = instrument(await wat('(module (memory 1) (func (export "f")))'), EVERYTHING);
  assert.equal(made.module, "starlane");
  assert.deepEqual(made.fuel, { global: "fuel", outOfFuel: "out-of-fuel" });
  assert.deepEqual(made.state, { save: "starlane:save", restore: "starlane:restore", obstacles: [] });
  assert.deepEqual(made.memories, [
    { imported: false, memory: "starlane:memory:0", dirty: "starlane:dirty:0", pages: "starlane:pages:0" },
  ]);
  const { imports, exports } = readCoreModule(made.bytes);
  assert.deepEqual(
    imports.map(({ module, name, type }) => `${module} ${name} ${type.kind}`),
    ["starlane out-of-fuel func", "starlane fuel global"],
  );
  assert.deepEqual(exports.map(({ name }) => name).toSorted(), [
    "f",
    "starlane:dirty:0",
    "starlane:memory:0",
    "starlane:pages:0",
    "starlane:restore",
    "starlane:save",
  ]);
});

test("nothing is added that was not asked for", async () => {
  const made = instrument(await wat('(module (memory 1) (func (export "f")))'), {});
  assert.deepEqual([made.fuel, made.state], [undefined, undefined]);
  assert.deepEqual(made.memories, [{ imported: false, memory: undefined, dirty: undefined, pages: undefined }]);
  const { imports, exports } = readCoreModule(made.bytes);
  assert.deepEqual([imports.length, exports.length], [0, 1]);
});

test("what is added has names that the module itself does not use", async () => {
  const module = async (fields: string): Promise<string> =>
    instrument(await wat(`(module (memory 1) ${fields})`), EVERYTHING).module;
  assert.equal(await module(`(export "starlane" (memory 0))`), "starlane-2");
  assert.equal(await module(`(export "starlane:save" (memory 0))`), "starlane-2");
  assert.equal(await module(`(export "starlanes" (memory 0))`), "starlane");
  assert.equal(await module(`(export "starlane" (memory 0)) (export "starlane-2:x" (memory 0))`), "starlane-3");
  const made = await rewritten(
    `(module (import "starlane" "fuel" (func $f)) (import "starlane-2" "x" (func)) (func (export "starlane-3:save")) (func (export "run") (call $f)))`,
    EVERYTHING,
    { imports: { starlane: { fuel: () => undefined }, "starlane-2": { x: () => undefined } } },
  );
  assert.equal(made.made.module, "starlane-4");
  made.save();
  made.call("run");
  assert.equal(made.restore(), true);
});

test("names made to take long are done soon", () => {
  const name = `starlane${"'".repeat(90_000)}`;
  const encoded = [...new TextEncoder().encode(name)];
  const length = [(name.length & 0x7f) | 0x80, ((name.length >> 7) & 0x7f) | 0x80, name.length >> 14];
  const size = encoded.length + 3 + 3;
  const section = [7, (size & 0x7f) | 0x80, ((size >> 7) & 0x7f) | 0x80, size >> 14, 1, ...length, ...encoded, 2, 0];
  const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, ...section]);
  assert.ok(isValid(bytes));
  assert.ok(isValid(instrument(bytes, EVERYTHING).bytes));
});

/** Modules that refer to things that only the rewritten module has; `%` is the first such index. */
const OUT_OF_BOUNDS: Readonly<Record<string, string>> = {
  "a call": "(func call %)",
  "a tail call": "(func return_call %)",
  "a function reference": "(func ref.func % drop)",
  "a global": "(func global.get % drop)",
  "a global that is set": "(func i64.const 1 global.set %)",
  "a memory": "(func i32.const 0 i32.load % drop)",
  "a memory that is stored to": "(func i32.const 0 i32.const 0 i32.store8 % offset=5)",
  "a memory that is filled": "(func i32.const 0 i32.const 0 i32.const 0 memory.fill %)",
  "a memory that is copied": "(func i32.const 0 i32.const 0 i32.const 0 memory.copy % 0)",
  "a memory that is initialized": `(data "") (func i32.const 0 i32.const 0 i32.const 0 memory.init % 0)`,
  "a memory that grows": "(func i32.const 0 memory.grow % drop)",
  "a lane of a memory": "(func i32.const 0 v128.const i64x2 0 0 v128.store8_lane % 0)",
  "an atomic memory": "(func i32.const 0 i32.atomic.load % drop)",
  "a table": "(func i32.const 0 table.get % drop)",
  "a table that is called": "(func i32.const 0 call_indirect % (type 0))",
  "a type": "(func unreachable call_ref %)",
  "a block type": "(func (block (type %)))",
  "a local": "(func local.get % drop)",
  "a local that is set": "(func i32.const 0 local.set 300)",
  "a label": "(func br 1)",
  "a label of a loop": "(func (loop (br 2)))",
  "a label of a handler": "(func (try_table (catch_all 1)))",
  "an export of a function": `(export "f" (func %))`,
  "an export of a global": `(export "g" (global %))`,
  "an export of a memory": `(export "m" (memory %))`,
  "an export of a table": `(export "t" (table %))`,
  "a start function": "(start %)",
  "an element": "(elem func %)",
  "an element as an expression": "(elem funcref (ref.func %))",
  "a global's value": "(global funcref (ref.func %))",
  "a global's value of a global": "(global i64 (global.get %))",
  "a data segment's memory": `(data (memory %) (i32.const 0) "x")`,
  "an element segment's table": `(elem (table %) (i32.const 0) func 0)`,
  "a type of an import": `(import "a" "b" (func (type %)))`,
  "a heap type of an import": `(import "a" "b" (table 1 (ref null %)))`,
  "a heap type of an imported global": `(import "a" "b" (global (ref null %)))`,
  "a heap type of a table": `(table 1 (ref null %))`,
  "a heap type of a global": `(global (mut (ref null %)) (ref.null %))`,
  "a heap type of a local": `(func (local (ref null %)))`,
  "a heap type of a cast": `(func ref.null any ref.test (ref %) drop)`,
  "a tag's type": "(tag (type %))",
  "a supertype": "(type (sub % (struct)))",
  "a field's type": "(type (struct (field (ref null %))))",
};

test("nothing of the module can name what was added", async () => {
  for (const [what, fields] of Object.entries(OUT_OF_BOUNDS))
    for (let index = 1; index < 12; index++) {
      const imports =
        what.includes("import") || what.includes("supertype") || what.includes("field")
          ? ""
          : `(func) (memory 1) (table 1 funcref) (global i64 (i64.const 0))`;
      const bytes = await wat(
        `(module ${what.includes("supertype") || what.includes("field") ? "" : "(type (func))"} ${fields.replaceAll("%", `${index}`)} ${imports})`,
      );
      // Some indices exist: the types and functions that the case itself has.
      if (isValid(bytes)) continue;
      for (const options of ALL_OPTIONS) {
        let valid = false;
        try {
          valid = isValid(instrument(bytes, options).bytes);
        } catch (error) {
          assert.ok(error instanceof StarlaneError && error.code === "component/malformed", `${what}: ${String(error)}`);
        }
        assert.ok(!valid, `${what} ${index} has become valid with ${JSON.stringify(options)}`);
      }
    }
});

test("sections that do not belong together are errors, or stay invalid", async () => {
  const whole = await wat(`(module (func (export "f")) (memory 1) (data "x") (elem func 0) (global i32 (i32.const 1)))`);
  const { sections } = readCoreModule(whole);
  for (const section of sections) {
    const without = new Uint8Array([...whole.subarray(0, section.header), ...whole.subarray(section.end)]);
    if (isValid(without)) continue;
    for (const options of ALL_OPTIONS) {
      try {
        assert.ok(!isValid(instrument(without, options).bytes), `section ${section.id} with ${JSON.stringify(options)}`);
      } catch (error) {
        assert.ok(error instanceof StarlaneError && error.code === "component/malformed", String(error));
      }
    }
  }
});

test("names of functions and what made the module are kept, what tells of places in the code is not", async () => {
  const text = `(module $m (func $first (export "f") (local $x i32) (nop)) (memory $heap 1) (global $sp (mut i32) (i32.const 1))
    (@custom "producers" "\\00") (@custom "sourceMappingURL" "x") (@custom ".debug_line" "y"))`;
  const { bytes } = instrument(await wat(text), EVERYTHING);
  const module = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  const custom = (name: string): number => WebAssembly.Module.customSections(module, name).length;
  assert.deepEqual([custom("name"), custom("producers"), custom("sourceMappingURL"), custom(".debug_line")], [1, 1, 0, 0]);
  const made = await rewritten(`(module (func $inner (unreachable)) (func $outer (export "f") (call $inner)))`, EVERYTHING);
  assert.throws(
    () => made.call("f"),
    (error: Error) => /inner[^]*outer/.test(error.stack ?? ""),
  );
});

test("limits are set where there are none or greater ones", async () => {
  const limits = { memoryPages: 10, tableElements: 20 };
  const made = instrument(
    await wat(`(module (memory 1) (memory 1 5) (memory 12) (table 1 funcref) (table 1 100 funcref) (table 1 5 funcref)
    (table 2 (ref func) (ref.func 0)) (func))`),
    { limits },
  );
  const { spaces } = readCoreModule(made.bytes);
  const maximum = (kind: "memory" | "table"): (bigint | undefined)[] =>
    spaces[kind].map((type) => (type.kind === "memory" || type.kind === "table" ? type.limits.max : undefined));
  assert.deepEqual(maximum("memory"), [10n, 5n, 12n]);
  assert.deepEqual(maximum("table"), [20n, 20n, 5n, 20n]);
  assert.ok(isValid(made.bytes));
});

test("bytes that were changed at random never do more than fail", async () => {
  const original = await wat(generateCoreModule(new Random(3)));
  const change = fc.record({ at: fc.nat(original.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
  const options = fc.constantFrom(...ALL_OPTIONS);
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 4 }),
      options,
      fc.option(fc.nat(original.length)),
      (changes, chosen, cut) => {
        const bytes = original.slice(0, cut ?? original.length);
        for (const { at, byte } of changes) bytes[at] = byte;
        const before = isValid(bytes);
        try {
          assert.equal(isValid(instrument(bytes, chosen).bytes), before);
        } catch (error) {
          assert.ok(error instanceof StarlaneError && error.code.startsWith("component/"), String(error));
          assert.ok(!before, `a valid module was refused: ${error.message}`);
        }
      },
    ),
    { numRuns: 300 },
  );
});
