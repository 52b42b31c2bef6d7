import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration, parseSize } from "./quantity.ts";

test("durations are milliseconds", () => {
  assert.deepEqual(["500ms", "2s", "1m", "1h", "1d", "1.5s", "0", "0s"].map(parseDuration), [
    { value: 500 },
    { value: 2000 },
    { value: 60_000 },
    { value: 3_600_000 },
    { value: 86_400_000 },
    { value: 1500 },
    { value: 0 },
    { value: 0 },
  ]);
});

test("sizes are bytes, in powers of 1024", () => {
  assert.deepEqual(["64MiB", "1KiB", "12B", "1.5KiB", "2GiB"].map(parseSize), [
    { value: 67_108_864 },
    { value: 1024 },
    { value: 12 },
    { value: 1536 },
    { value: 2_147_483_648 },
  ]);
});

function problem(quantity: ReturnType<typeof parseSize>): string {
  assert("message" in quantity);
  return `${quantity.message}. ${quantity.cure}`;
}

test("a mistake says which unit was meant", () => {
  assert.match(problem(parseDuration("2sec")), /`sec` is no unit of a duration. Write `2s`./);
  assert.match(problem(parseDuration("2S")), /Write `2s`/);
  assert.match(problem(parseDuration("2 s")), /Write `2s`/);
  assert.match(problem(parseDuration("1,5s")), /Write `1.5s`/);
  assert.match(problem(parseSize("64MB")), /Write `64MiB`: units of size are powers of 1024/);
  assert.match(problem(parseSize("64parsec")), /The units are `B`/);
});

test("a number alone has no unit", () => {
  assert.match(problem(parseDuration(500)), /`500` has no unit/);
  assert.match(problem(parseSize("64")), /`64` has no unit/);
});

test("what is no quantity, or out of range, is refused", () => {
  for (const text of ["", "s", "soon", "-2s", "+2s", "1h30m", "1e3s", "25d", "9".repeat(40), "Infinity", "NaN", "2s\n3s"])
    problem(parseDuration(text));
  for (const text of ["1.5B", "99999TiB", "0.3KiB"]) problem(parseSize(text));
});
