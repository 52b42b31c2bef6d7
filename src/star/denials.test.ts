import assert from "node:assert/strict";
import { test } from "node:test";
import { denialLines } from "./denials.ts";

test("a denial is one line with the grant that would allow it, told once for each component and grant", () => {
  const lines: string[] = [];
  const tell = denialLines((line) => lines.push(line));
  for (let i = 0; i < 3; i++) tell("shop", { target: `GET http://a.test/${i}`, grant: 'http: ["http://a.test"]' });
  tell("inner/cart", { target: 'the bucket "x"', grant: 'keyvalue: { "x": RESOURCE }' });
  assert.deepEqual(lines, [
    'shop asked for GET http://a.test/0; what would allow it: grants: { shop: { http: ["http://a.test"] } }',
    'inner/cart asked for the bucket "x"; what would allow it: grants: { cart: { keyvalue: { "x": RESOURCE } } } in the manifest of inner',
  ]);
});

test("a component that asks for ever new names, and for long ones, fills nothing", () => {
  const lines: string[] = [];
  const tell = denialLines((line) => lines.push(line));
  for (let i = 0; i < 10_000; i++) tell("shop", { target: `${i} ${"x".repeat(100_000)}`, grant: `${i} ${"y".repeat(100_000)}` });
  assert.equal(lines.length, 101);
  assert.equal(lines.at(-1), "components asked for more than is told here");
  assert.ok(lines.every((line) => line.length < 1000));
});
