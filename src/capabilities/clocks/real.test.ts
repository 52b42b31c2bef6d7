import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pollable } from "../io/poll.ts";
import type { Datetime } from "./interfaces.ts";
import { realClocks } from "./real.ts";

interface Clocks {
  "wasi:clocks/monotonic-clock@0.2.0": { now(): bigint; resolution(): bigint; subscribeDuration(ns: bigint): Pollable };
  "wasi:clocks/monotonic-clock@0.3.0": { now(): bigint; waitFor(ns: bigint): unknown; waitUntil(ns: bigint): unknown };
  "wasi:clocks/wall-clock@0.2.0": { now(): Datetime };
  "wasi:clocks/system-clock@0.3.0": { now(): Datetime; getResolution(): bigint };
}

function start(signal?: AbortSignal) {
  const binding = realClocks.configure("real")();
  const imports = binding.imports as unknown as Clocks;
  return { binding, imports, prepare: () => binding.prepare?.({ seed: 0, timestampMs: 0, signal }) };
}

test("before the first transaction the clocks stand still, in it they tell the machine's time", () => {
  const { imports, prepare } = start();
  const both = () => [imports["wasi:clocks/monotonic-clock@0.2.0"].now(), imports["wasi:clocks/wall-clock@0.2.0"].now().seconds];
  assert.deepEqual(both(), [1n, 0n]);
  const before = Date.now();
  prepare();
  const seconds = Number(imports["wasi:clocks/system-clock@0.3.0"].now().seconds);
  assert.ok(seconds >= Math.floor(before / 1000) && seconds <= Date.now() / 1000);
});

test("monotonic time never goes back, and waits last at least as long as was asked for", async () => {
  const { imports, prepare } = start();
  prepare();
  const clock = imports["wasi:clocks/monotonic-clock@0.3.0"];
  const from = clock.now();
  await clock.waitFor(3_000_000n);
  assert.ok(clock.now() >= from + 3_000_000n);
  const timer = imports["wasi:clocks/monotonic-clock@0.2.0"].subscribeDuration(2_000_000n);
  const asked = clock.now();
  assert.equal(timer.ready(), false);
  await timer.block();
  assert.ok(timer.ready() && clock.now() >= asked + 1_999_000n);
});

test("an instant in the past is not waited for", () => {
  const { imports, prepare } = start();
  prepare();
  assert.equal(imports["wasi:clocks/monotonic-clock@0.3.0"].waitUntil(1n), undefined);
  assert.equal(imports["wasi:clocks/monotonic-clock@0.2.0"].subscribeDuration(0n).block(), undefined);
});

test("waits end when the transaction is cancelled", async () => {
  const abort = new AbortController();
  const { imports, prepare } = start(abort.signal);
  prepare();
  const waits = [
    async () => imports["wasi:clocks/monotonic-clock@0.3.0"].waitFor(2n ** 63n),
    async () => imports["wasi:clocks/monotonic-clock@0.2.0"].subscribeDuration(2n ** 63n).block(),
  ].map((wait) => wait());
  abort.abort(new Error("cancelled"));
  for (const wait of waits) await assert.rejects(wait, /cancelled/);
});
