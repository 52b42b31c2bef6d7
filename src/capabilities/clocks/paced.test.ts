import assert from "node:assert/strict";
import { test } from "node:test";
import { pacedClocks } from "./paced.ts";

interface Monotonic {
  now(): bigint;
  waitFor(howLong: bigint): Promise<void> | undefined;
}

function clockAt(timestampMs: number, signal?: AbortSignal): Monotonic {
  const binding = pacedClocks.configure(undefined)();
  binding.prepare?.({ seed: 0, timestampMs, signal });
  return binding.imports["wasi:clocks/monotonic-clock@0.3.0"] as Monotonic;
}

test("sleeping takes at least its real time, and moves the clock by exactly that long", async () => {
  const clock = clockAt(1000);
  const started = performance.now();
  await clock.waitFor(3_000_001n);
  assert.ok(performance.now() - started >= 3);
  assert.equal(clock.now(), 1_003_000_001n);
});

test("who sleeps shorter wakes first, at its time", async () => {
  const clock = clockAt(0);
  const ends: bigint[] = [];
  const sleep = async (ns: bigint): Promise<void> => {
    await clock.waitFor(ns);
    ends.push(clock.now());
  };
  await Promise.all([sleep(20_000_000n), sleep(2_000_000n)]);
  assert.deepEqual(ends, [2_000_000n, 20_000_000n]);
});

test("something outside that arrives first finds the clock where it was", async () => {
  const abort = new AbortController();
  const clock = clockAt(7, abort.signal);
  const timeout = (async () => clock.waitFor(3_600_000_000_000n))();
  const winner = await Promise.race([timeout, new Promise((resolve) => setImmediate(() => resolve("the answer")))]);
  assert.equal(winner, "the answer");
  assert.equal(clock.now(), 7_000_000n);
  abort.abort(new Error("cancelled"));
  await assert.rejects(timeout, /cancelled/);
});
