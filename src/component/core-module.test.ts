import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { StarlaneError } from "../base/errors.ts";
import { readCoreModule } from "./core-module.ts";

function failure(bytes: Uint8Array, base = 0): StarlaneError {
  try {
    readCoreModule(bytes, base);
  } catch (error) {
    assert.ok(error instanceof StarlaneError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "expected an error" });
}

test("imports and exports have their types, through all index spaces", async () => {
  const module = readCoreModule(
    await parse(`(module
      (import "env" "f" (func (param i32) (result i64)))
      (import "env" "m" (memory 1 4 shared))
      (tag $t (export "tag") (param f32))
      (table (export "t") 3 funcref)
      (table (export "t2") 1 (ref func) (ref.func $g))
      (memory (export "m64") i64 2)
      (global (export "g") (mut i32) (i32.add (i32.const 1) (i32.const -2)))
      (global (export "v") v128 (v128.const i64x2 1 2))
      (func $g (export "g2") (param i64))
      (export "again" (func 0)))`),
  );
  assert.deepEqual(
    module.imports.map(({ module: from, name, type }) => [from, name, type.kind]),
    [
      ["env", "f", "func"],
      ["env", "m", "memory"],
    ],
  );
  const types = new Map(module.exports.map(({ name, type }) => [name, type]));
  assert.deepEqual(types.get("again"), module.imports[0]?.type);
  assert.deepEqual(types.get("t"), {
    kind: "table",
    element: { nullable: true, heap: "func" },
    limits: { min: 3n, max: undefined, shared: false, addressType: "i32" },
  });
  assert.deepEqual(types.get("m64"), {
    kind: "memory",
    limits: { min: 2n, max: undefined, shared: false, addressType: "i64" },
    pageSizeLog2: undefined,
  });
  assert.deepEqual(types.get("g"), { kind: "global", type: "i32", mutable: true });
  assert.equal(types.get("tag")?.kind, "tag");
});

test("sections are given with the places of their header and content", async () => {
  const bytes = await parse(`(module (func (export "f")) (@custom "note" "hello"))`);
  const { sections } = readCoreModule(bytes);
  const note = sections.find((section) => section.name === "note");
  assert.ok(note !== undefined);
  assert.equal(new TextDecoder().decode(bytes.subarray(note.start, note.end)), "hello");
  for (const section of sections) assert.equal(bytes[section.header], section.id);
});

test("imports in the compact layouts are read like others", () => {
  const text = (value: string): number[] => [value.length, ...new TextEncoder().encode(value)];
  const module = (...imports: number[]): Uint8Array =>
    Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, imports.length + 1, 1, ...imports]);
  const names = (bytes: Uint8Array): string[] =>
    readCoreModule(bytes).imports.map((item) => `${item.module}.${item.name}:${item.type.kind}`);
  assert.deepEqual(names(module(...text("e"), 0, 0x7f, 2, ...text("a"), 0, 0, ...text("b"), 3, 0x7f, 0)), [
    "e.a:func",
    "e.b:global",
  ]);
  assert.deepEqual(names(module(...text("e"), 0, 0x7e, 0, 0, 2, ...text("a"), ...text("b"))), ["e.a:func", "e.b:func"]);
});

test("errors count offsets from the start of the file that the module lies in", () => {
  const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 14, 0]);
  assert.equal(failure(bytes).at, "byte 0x8");
  assert.equal(failure(bytes, 100).at, "byte 0x6c");
});

test("modules that cannot be linked are refused: sections out of order, exports of what is not there, unknown instructions", () => {
  const module = (...sections: number[]): Uint8Array => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections]);
  assert.match(failure(module(3, 1, 0, 1, 1, 0)).message, /out of order/);
  assert.match(failure(module(7, 5, 1, 1, 0x61, 0, 0)).message, /exports func 0, which it does not have/);
  assert.match(failure(module(6, 5, 1, 0x7f, 0, 0x10, 0x0b)).message, /instruction 0x10 is not constant/);
  assert.match(failure(module(3, 2, 1, 0)).message, /unknown core type 0/);
});

test("every prefix of a module is read or refused", async () => {
  const bytes = await parse(
    `(module (type (func)) (import "a" "b" (func)) (memory (export "m") 1) (global (export "g") i64 (i64.const 5)) (func))`,
  );
  for (let end = 0; end < bytes.length; end++) {
    try {
      readCoreModule(bytes.subarray(0, end));
    } catch (error) {
      assert.ok(error instanceof StarlaneError, String(error));
    }
  }
  assert.equal(readCoreModule(bytes).exports.length, 2);
});
