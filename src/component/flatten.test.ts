import assert from "node:assert/strict";
import { test } from "node:test";
import { flattenFunc, flattenVal } from "./flatten.ts";
import { TypeFactory, type ValNode } from "./type-model.ts";

const factory = new TypeFactory();
const u8 = factory.primitive("u8");
const u64 = factory.primitive("u64");
const f32 = factory.primitive("f32");
const string = factory.primitive("string");

test("values flatten to core types; addresses follow the memory", () => {
  assert.deepEqual(flattenVal(u8, "i32"), ["i32"]);
  assert.deepEqual(flattenVal(string, "i32"), ["i32", "i32"]);
  assert.deepEqual(flattenVal(string, "i64"), ["i64", "i64"]);
  assert.deepEqual(flattenVal(factory.value({ kind: "tuple", types: [u8, u64, f32] }), "i32"), ["i32", "i64", "f32"]);
  assert.deepEqual(flattenVal(factory.value({ kind: "list", element: f32, length: 3 }), "i32"), ["f32", "f32", "f32"]);
});

test("the cases of a variant share their core types", () => {
  const of = (...types: ValNode[]): ValNode =>
    factory.value({ kind: "variant", cases: types.map((type, i) => ({ name: `c${i}`, type })) });
  assert.deepEqual(flattenVal(of(u8, f32), "i32"), ["i32", "i32"]);
  assert.deepEqual(flattenVal(of(f32, f32), "i32"), ["i32", "f32"]);
  assert.deepEqual(flattenVal(of(u64, f32), "i32"), ["i32", "i64"]);
  assert.deepEqual(flattenVal(of(u8, string), "i32"), ["i32", "i32", "i32"]);
});

test("a list that is cut off stays short, however long the value is", () => {
  const long = factory.value({ kind: "list", element: u8, length: 1_000_000 });
  assert.equal(flattenVal(long, "i32").length, 17);
});

test("too many parameters or results go through memory", () => {
  const params = (count: number): { name: string; type: ValNode }[] =>
    Array.from({ length: count }, (_, i) => ({ name: `p${i}`, type: u8 }));
  const sync = { async: false, callback: false, address: "i32" } as const;
  const async = { async: true, callback: true, address: "i32" } as const;
  assert.equal(flattenFunc({ params: params(16) }, "lift", sync).params.length, 16);
  assert.deepEqual(flattenFunc({ params: params(17) }, "lift", sync).params, ["i32"]);
  assert.deepEqual(flattenFunc({ params: [], result: string }, "lift", sync).results, ["i32"]);
  assert.deepEqual(flattenFunc({ params: [], result: string }, "lower", sync).params, ["i32"]);
  assert.deepEqual(flattenFunc({ params: params(5), result: u8 }, "lower", async).params, ["i32", "i32"]);
  assert.deepEqual(flattenFunc({ params: params(5), result: u8 }, "lift", async).results, ["i32"]);
});

test("layouts follow the canonical ABI with 64-bit addresses", () => {
  const layout = (node: ValNode): [number, number] => [node.info.bytes, node.info.alignment];
  assert.deepEqual(layout(factory.value({ kind: "tuple", types: [u8, u64, u8] })), [24, 8]);
  assert.deepEqual(layout(factory.value({ kind: "option", type: u64 })), [16, 8]);
  assert.deepEqual(layout(factory.value({ kind: "enum", labels: Array.from({ length: 257 }, (_, i) => `c${i}`) })), [2, 2]);
  assert.deepEqual(layout(factory.value({ kind: "flags", labels: Array.from({ length: 9 }, (_, i) => `f${i}`) })), [2, 2]);
  assert.deepEqual(layout(string), [16, 8]);
});
