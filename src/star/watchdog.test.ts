import assert from "node:assert/strict";
import { test } from "node:test";
import { TimeOver, withTimeLimit } from "./watchdog.ts";

/** `(loop (br 0))` as a WebAssembly function. */
function endlessLoop(): () => void {
  const bytes = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, 9, 1, 7, 0, 3, 0x40, 0x0c, 0, 0x0b,
    0x0b,
  ];
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports;
  assert.ok(typeof f === "function");
  return () => void f();
}

test("an endless loop in WebAssembly is stopped", () => {
  assert.throws(() => withTimeLimit(20, endlessLoop()), TimeOver);
});

test("work that ends in time gives its value, and its errors go through", () => {
  let value = 0;
  withTimeLimit(10_000, () => void (value = 7));
  assert.equal(value, 7);
  assert.throws(() => withTimeLimit(10_000, () => assert.fail("own")), /own/);
});

test("limits inside limits hold each for themselves", () => {
  let inner: unknown;
  withTimeLimit(10_000, () => {
    try {
      withTimeLimit(20, endlessLoop());
    } catch (error) {
      inner = error;
    }
  });
  assert.ok(inner instanceof TimeOver);
});
