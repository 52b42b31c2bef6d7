import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import type { Pollable } from "../io/poll.ts";
import { virtualClocks, type Datetime } from "./virtual.ts";

const U64_MAX = 2n ** 64n - 1n;

interface Monotonic {
  now(): bigint;
  resolution(): bigint;
  subscribeInstant(when: bigint): Pollable;
  subscribeDuration(duration: bigint): Pollable;
}

function clocksAt(timestampMs: number) {
  const binding = virtualClocks.configure(undefined)();
  binding.prepare?.({ seed: 0, timestampMs });
  return {
    binding,
    monotonic: binding.imports["wasi:clocks/monotonic-clock@0.2.0"] as Monotonic,
    wall: binding.imports["wasi:clocks/wall-clock@0.2.0"] as { now(): Datetime; resolution(): Datetime },
  };
}

test("both clocks start at the transaction's timestamp and stand still while the guest computes", () => {
  const { monotonic, wall } = clocksAt(1_790_000_000_123);
  assert.deepEqual(wall.now(), { seconds: 1_790_000_000n, nanoseconds: 123_000_000 });
  assert.equal(monotonic.now(), 1_790_000_000_123_000_000n);
  assert.equal(monotonic.now(), monotonic.now());
  assert.equal(monotonic.resolution(), 1n);
  assert.deepEqual(wall.resolution(), { seconds: 0n, nanoseconds: 1 });
});

test("sleeping moves both clocks by exactly that long", () => {
  const { monotonic, wall } = clocksAt(1000);
  const timer = monotonic.subscribeDuration(2_500_000_001n);
  assert.equal(timer.ready(), false);
  timer.block();
  assert.equal(timer.ready(), true);
  assert.deepEqual(wall.now(), { seconds: 3n, nanoseconds: 500_000_001 });
  monotonic.subscribeInstant(7n).block();
  assert.equal(monotonic.now(), 3_500_000_001n, "an instant in the past does not turn time back");
});

test("a sleep past the end of time ends at the last instant a u64 holds", () => {
  const { monotonic, wall } = clocksAt(5);
  monotonic.subscribeDuration(U64_MAX).block();
  assert.equal(monotonic.now(), U64_MAX);
  assert.deepEqual(wall.now(), { seconds: 18_446_744_073n, nanoseconds: 709_551_615 });
  assert.throws(() => monotonic.subscribeInstant(U64_MAX + 1n), StarlaneError);
});

test("a new transaction starts at its own timestamp, wherever the one before had slept to", () => {
  const { binding, monotonic } = clocksAt(1);
  monotonic.subscribeDuration(10n ** 12n).block();
  binding.prepare?.({ seed: 0, timestampMs: 2 });
  assert.equal(monotonic.now(), 2_000_000n);
});

test("timestamps that no u64 holds are moved to the nearest that one does", () => {
  assert.equal(clocksAt(-5).monotonic.now(), 0n);
  assert.equal(clocksAt(Number.NaN).monotonic.now(), 0n);
  assert.equal(clocksAt(1.9).monotonic.now(), 1_000_000n);
  assert.ok(clocksAt(Number.MAX_VALUE).monotonic.now() <= U64_MAX);
});
