import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryType } from "./arbitrary.ts";
import { equalTypes } from "./equal-types.ts";
import { parseType, printTypeWhole } from "./type-text.ts";
import type { ValType } from "./types.ts";

test("types are equal exactly when they are written the same", () => {
  const types = arbitraryType({ depth: 2 });
  fc.assert(
    fc.property(types, types, (a, b) => {
      assert.equal(equalTypes(a, b), printTypeWhole(a, Infinity) === printTypeWhole(b, Infinity));
      assert.equal(equalTypes(a, structuredClone(a)), true);
    }),
  );
});

test("a small difference anywhere makes types unequal, a name does not", () => {
  const pairs = [
    ["record { a: u8, b: u8 }", "record { b: u8, a: u8 }"],
    ["variant { a, b(u8) }", "variant { a(u8), b }"],
    ["result<u8>", "result<_, u8>"],
    ["list<u8, 2>", "list<u8, 3>"],
    ["stream", "stream<u8>"],
    ["flags { a, b }", "flags { a }"],
  ] as const;
  for (const [a, b] of pairs) {
    const [x, y] = [parseType(a).type, parseType(b).type];
    assert.ok(x !== undefined && y !== undefined);
    assert.equal(equalTypes(x, y), false, `${a} = ${b}`);
  }
  const plain: ValType = { kind: "enum", labels: ["a"] };
  assert.equal(equalTypes(plain, { ...plain, name: "letter" }), true);
});
