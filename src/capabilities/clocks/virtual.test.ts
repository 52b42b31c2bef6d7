import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import type { Pollable } from "../io/poll.ts";
import type { Datetime } from "./interfaces.ts";
import { virtualClocks } from "./virtual.ts";

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
  assert.equal(timer.block(), undefined, "virtual time jumps: nothing waits");
  assert.equal(timer.ready(), true);
  assert.deepEqual(wall.now(), { seconds: 3n, nanoseconds: 500_000_001 });
  assert.equal(monotonic.subscribeInstant(7n).block(), undefined);
  assert.equal(monotonic.now(), 3_500_000_001n, "an instant in the past does not turn time back");
});

test("a sleep past the end of time ends at the last instant a u64 holds", () => {
  const { monotonic, wall } = clocksAt(5);
  assert.equal(monotonic.subscribeDuration(U64_MAX).block(), undefined);
  assert.equal(monotonic.now(), U64_MAX);
  assert.deepEqual(wall.now(), { seconds: 18_446_744_073n, nanoseconds: 709_551_615 });
  assert.throws(() => monotonic.subscribeInstant(U64_MAX + 1n), StarlaneError);
});

test("a new transaction starts at its own timestamp, wherever the one before had slept to", () => {
  const { binding, monotonic } = clocksAt(1);
  assert.equal(monotonic.subscribeDuration(10n ** 12n).block(), undefined);
  binding.prepare?.({ seed: 0, timestampMs: 2 });
  assert.equal(monotonic.now(), 2_000_000n);
});

test("timestamps that no u64 holds are moved to the nearest that one does", () => {
  assert.equal(clocksAt(-5).monotonic.now(), 0n);
  assert.equal(clocksAt(Number.NaN).monotonic.now(), 0n);
  assert.equal(clocksAt(1.9).monotonic.now(), 1_000_000n);
  assert.ok(clocksAt(Number.MAX_VALUE).monotonic.now() <= U64_MAX);
});

interface Monotonic03 {
  now(): bigint;
  waitFor(howLong: bigint): Promise<void> | undefined;
  waitUntil(when: bigint): Promise<void> | undefined;
}

test("async waits of WASI 0.3 end in the order of their times, each at exactly its time", async () => {
  const { binding } = clocksAt(0);
  const clock = binding.imports["wasi:clocks/monotonic-clock@0.3.0"] as Monotonic03;
  const ends: [string, bigint][] = [];
  const wait = async (name: string, waiting: Promise<void> | undefined): Promise<void> => {
    await waiting;
    ends.push([name, clock.now()]);
  };
  await Promise.all([
    wait("hour", clock.waitFor(3_600_000_000_000n)),
    wait("second", clock.waitFor(1_000_000_000n)),
    wait("past", clock.waitUntil(0n)),
    wait("second again", clock.waitUntil(1_000_000_000n)),
    wait("nanosecond", clock.waitFor(1n)),
  ]);
  assert.deepEqual(ends, [
    ["past", 0n],
    ["nanosecond", 1n],
    ["second", 1_000_000_000n],
    ["second again", 1_000_000_000n],
    ["hour", 3_600_000_000_000n],
  ]);
});

test("time zones are UTC, in both generations of WASI", () => {
  const { binding } = clocksAt(0);
  const older = binding.imports["wasi:clocks/timezone@0.2.0"] as { utcOffset(when: Datetime): number };
  const newer = binding.imports["wasi:clocks/timezone@0.3.0"] as { ianaId(): string; utcOffset(when: Datetime): bigint };
  const now = { seconds: 0n, nanoseconds: 0 };
  assert.deepEqual([older.utcOffset(now), newer.utcOffset(now), newer.ianaId()], [0, 0n, "UTC"]);
});
