import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryType, arbitraryTyped } from "./arbitrary.ts";
import { assignable, convert, explainMismatch, identity, needsStreams } from "./assignable.ts";
import { parseType } from "./type-text.ts";
import type { ValType } from "./types.ts";
import { checkValue } from "./value.ts";

function type(text: string): ValType {
  const result = parseType(text).type;
  assert.ok(result !== undefined, text);
  return result;
}

function converted(from: string, to: string, value: unknown): unknown {
  const conversion = assignable(type(from), type(to));
  assert.ok(conversion !== undefined, `${from} -> ${to}`);
  assert.deepEqual(checkValue(type(from), value), []);
  const result = convert(conversion)(value);
  assert.deepEqual(checkValue(type(to), result), [], `${from} -> ${to}`);
  return result;
}

function why(from: string, to: string): string {
  const mismatch = explainMismatch(type(from), type(to));
  assert.ok(mismatch !== undefined, `${from} -> ${to}`);
  assert.equal(assignable(type(from), type(to)), undefined);
  return `${mismatch.path}| ${mismatch.message}${mismatch.cure === undefined ? "" : ` (${mismatch.cure})`}`;
}

test("equal types need nothing, and the runner can see it", () => {
  fc.assert(
    fc.property(arbitraryType({ depth: 4 }), (of) => {
      const copy: ValType = structuredClone(of);
      const conversion = assignable(of, copy);
      assert.deepEqual(conversion, { kind: "same" });
      assert.equal(convert({ kind: "same" }), identity);
    }),
  );
});

test("a value becomes an option, nested or not", () => {
  assert.deepEqual(converted("u8", "option<u8>", 1), 1);
  assert.equal(convert(assignable(type("u8"), type("option<u8>")) ?? { kind: "same" }), identity);
  assert.deepEqual(converted("u8", "option<option<u8>>", 1), { tag: "some", val: 1 });
  assert.deepEqual(converted("option<u8>", "option<option<u8>>", undefined), { tag: "some", val: undefined });
  assert.deepEqual(converted("option<option<u8>>", "option<option<u64>>", { tag: "some", val: 1 }), { tag: "some", val: 1n });
  assert.deepEqual(converted("option<option<u8>>", "option<option<u64>>", { tag: "none" }), { tag: "none" });
  assert.deepEqual(converted("option<u8>", "option<u64>", undefined), undefined);
});

test("integers widen and never narrow", () => {
  const kinds = ["s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64"] as const;
  const wider = kinds.map((from) => kinds.filter((to) => assignable({ kind: from }, { kind: to }) !== undefined).join(" "));
  assert.deepEqual(wider, [
    "s8 s16 s32 s64",
    "u8 s16 u16 s32 u32 s64 u64",
    "s16 s32 s64",
    "u16 s32 u32 s64 u64",
    "s32 s64",
    "u32 s64 u64",
    "s64",
    "u64",
  ]);
  assert.equal(converted("u8", "u32", 7), 7);
  assert.equal(converted("u8", "s64", 7), 7n);
  assert.equal(why("u32", "u8"), "| `u32` does not fit `u8`: not every u32 is a u8");
  assert.equal(why("u8", "f64"), "| `u8` does not fit `f64`");
});

test("lists change into the array that the wider element has", () => {
  assert.deepEqual(converted("list<u8>", "list<u16>", Uint8Array.of(1, 2)), Uint16Array.of(1, 2));
  assert.deepEqual(converted("list<u8>", "list<u64>", [1, 2]), BigUint64Array.of(1n, 2n));
  assert.deepEqual(converted("list<u8>", "list<option<u8>>", Uint8Array.of(1)), [1]);
  assert.deepEqual(converted("list<u32, 2>", "list<u32>", Uint32Array.of(1, 2)), Uint32Array.of(1, 2));
  assert.equal(why("list<u8>", "list<u8, 2>"), "| `list<u8>` does not fit `list<u8, 2>`: a list of any length is not one of 2");
});

test("a record goes where fewer fields are needed; missing options are none", () => {
  const from = "record { name: string, age: u8, extra: string }";
  const to = "record { age: u64, name: option<string>, note: option<string>, deep: option<option<u8>> }";
  assert.deepEqual(converted(from, to, { name: "Ada", age: 3, extra: "x" }), {
    age: 3n,
    name: "Ada",
    note: undefined,
    deep: { tag: "none" },
  });
  assert.deepEqual(assignable(type("record { a: u8, b: u8 }"), type("record { b: u8, a: u8 }")), { kind: "same" });
});

test("tuples, results, variants, enums, flags and maps change inside", () => {
  assert.deepEqual(converted("tuple<u8, u8>", "tuple<u8, u64>", [1, 2]), [1, 2n]);
  assert.deepEqual(converted("result<u8, u8>", "result<u64, u8>", { tag: "ok", val: 1 }), { tag: "ok", val: 1n });
  assert.deepEqual(converted("result<u8, u8>", "result<u64, u8>", { tag: "err", val: 1 }), { tag: "err", val: 1 });
  assert.deepEqual(converted("variant { a, b(u8) }", "variant { c, b(u64), a }", { tag: "b", val: 1 }), { tag: "b", val: 1n });
  assert.deepEqual(converted("enum { a, b }", "enum { b, c, a }", "a"), "a");
  assert.deepEqual(converted("flags { a }", "flags { b, a }", { a: true }), { a: true, b: false });
  assert.deepEqual(converted("map<u8, u8>", "map<u64, u8>", new Map([[1, 2]])), new Map([[1n, 2]]));
});

test("streams are reported, not converted as a whole", () => {
  const kinds = [
    ["u8", "stream<u64>", "to-stream"],
    ["stream<u8>", "u64", "each"],
    ["stream<u8>", "stream<u64>", "stream"],
    ["stream<u8>", "stream<u8>", "same"],
    ["stream<u8>", "option<u8>", "each"],
  ] as const;
  for (const [from, to, kind] of kinds) {
    const conversion = assignable(type(from), type(to));
    assert.equal(conversion?.kind, kind);
    assert.equal(conversion !== undefined && needsStreams(conversion), kind !== "same");
    if (conversion !== undefined && kind !== "same") assert.throws(() => convert(conversion), { code: "starlane/internal" });
  }
  assert.equal(why("list<stream<u8>>", "list<u8>"), "[]| `stream<u8>` does not fit `u8`");
  assert.equal(why("future<u8>", "stream<u8>"), "| `future<u8>` does not fit `stream<u8>`");
});

test("a mismatch is explained with its place", () => {
  assert.equal(why("string", "u8"), "| `string` does not fit `u8`");
  assert.equal(why("option<u8>", "u8"), "| `option<u8>` does not fit `u8`");
  assert.equal(
    why("record { items: list<record { agee: u8 }> }", "record { items: list<record { age: u8 }> }"),
    ".items[].age| the field is missing (There is a field `agee`.)",
  );
  assert.equal(why("result<u8, string>", "result<u8, bool>"), ".error| `string` does not fit `bool`");
  assert.equal(why("variant { a, blue }", "variant { a, bleu }"), "| the case `blue` is not known there (Did you mean `bleu`?)");
  assert.equal(why("variant { a(u8), b }", "variant { a, b }"), ".a| the case `a` must have no payload");
  assert.equal(why("tuple<u8, u8>", "tuple<u8>"), "| `tuple<u8, u8>` does not fit `tuple<u8>`: a tuple of 2 is not one of 1");
  const [mine, theirs]: ValType[] = [
    { kind: "enum", labels: ["a"], name: "color" },
    { kind: "variant", cases: [{ name: "a" }], name: "color" },
  ];
  assert.ok(mine !== undefined && theirs !== undefined);
  assert.equal(explainMismatch(mine, theirs)?.message, "`enum { a }` does not fit `variant { a }`");
});

test("resources are the same only when they are the same object", () => {
  const file = { kind: "resource", name: "file" } as const;
  assert.deepEqual(assignable({ kind: "own", resource: file }, { kind: "own", resource: file }), { kind: "same" });
  assert.equal(assignable({ kind: "own", resource: file }, { kind: "own", resource: { ...file } }), undefined);
  assert.equal(assignable({ kind: "own", resource: file }, { kind: "borrow", resource: file }), undefined);
});

test("whatever is assignable converts every value into one of the other type", () => {
  const pair = arbitraryTyped().chain((typed) => wider(typed.type).map((to) => ({ ...typed, to })));
  fc.assert(
    fc.property(pair, ({ type: from, value, to }) => {
      const conversion = assignable(from, to);
      assert.ok(conversion !== undefined, JSON.stringify(explainMismatch(from, to)));
      assert.deepEqual(checkValue(to, convert(conversion)(value)), []);
    }),
    { numRuns: 500 },
  );
});

/** A random type that every value of `from` may be given to. */
function wider(from: ValType): fc.Arbitrary<ValType> {
  const maybeOption = inside(from).chain((to) => fc.constantFrom<ValType>(to, { kind: "option", type: to }));
  return fc.oneof(fc.constant(from), inside(from), maybeOption);
}

function inside(from: ValType): fc.Arbitrary<ValType> {
  if (from.kind === "u8" || from.kind === "u16") return fc.constantFrom<ValType>(from, { kind: "u32" }, { kind: "s64" });
  if (from.kind === "option") return inside(from.type).map((type): ValType => ({ kind: "option", type }));
  if (from.kind === "list") return wider(from.element).map((element): ValType => ({ kind: "list", element }));
  if (from.kind === "tuple") return fc.tuple(...from.types.map(wider)).map((types): ValType => ({ kind: "tuple", types }));
  if (from.kind !== "record") return fc.constant(from);
  return fc
    .tuple(...from.fields.map(({ name, type }) => wider(type).map((to) => ({ name, type: to }))))
    .map((fields): ValType => ({ kind: "record", fields: fields.toReversed() }));
}

test("types that would take forever written out are compared part by part", () => {
  const deep = (leaf: ValType): ValType => {
    let result = leaf;
    for (let i = 0; i < 90; i++) result = { kind: "tuple", types: [result, result] };
    return result;
  };
  assert.equal(assignable(deep({ kind: "u8" }), deep({ kind: "u8" }))?.kind, "same");
  assert.equal(assignable(deep({ kind: "u8" }), deep({ kind: "u64" }))?.kind, "tuple");
  assert.match(explainMismatch(deep({ kind: "u8" }), deep({ kind: "bool" }))?.message ?? "", /u8.*bool/);
});
