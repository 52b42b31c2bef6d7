import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StarlaneError } from "../../base/errors.ts";
import { ChaCha20Stream, chacha20Block } from "./chacha20.ts";
import { seededRandom } from "./seeded.ts";

interface Random {
  getRandomBytes(length: bigint): Uint8Array;
  getRandomU64(): bigint;
}

function randomOf(seed: number) {
  const binding = seededRandom.configure(undefined)();
  binding.prepare?.({ seed, timestampMs: 0 });
  const { imports } = binding;
  return {
    binding,
    random: imports["wasi:random/random@0.2.0"] as Random,
    insecure: imports["wasi:random/insecure@0.2.0"] as {
      getInsecureRandomBytes(length: bigint): Uint8Array;
      getInsecureRandomU64(): bigint;
    },
    seed: imports["wasi:random/insecure-seed@0.2.0"] as { insecureSeed(): [bigint, bigint] },
  };
}

test("the block function gives the test vector of RFC 8439, section 2.3.2", () => {
  const key = new Uint32Array(Uint8Array.from({ length: 32 }, (_, i) => i).buffer);
  const nonce = new Uint32Array(Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0).buffer);
  assert.equal(
    Uint8Array.from(chacha20Block(key, 1, nonce)).toHex(),
    "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e",
  );
});

test("a stream is the blocks from 0 on, however it is cut into requests", () => {
  const key = Uint32Array.from({ length: 8 }, (_, i) => i * 7);
  const whole = [0, 1, 2].flatMap((counter) => [...chacha20Block(key, counter, Uint32Array.of(0, 0, 5))]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 70 }), { maxLength: 8 }), (lengths) => {
      const stream = new ChaCha20Stream(key, 5);
      const got = lengths.flatMap((length) => [...stream.bytes(length)]).slice(0, whole.length);
      assert.deepEqual(got, whole.slice(0, got.length));
    }),
  );
});

test("the same seed gives the same bytes, and they never change between releases", () => {
  assert.deepEqual(randomOf(42).random.getRandomBytes(100n), randomOf(42).random.getRandomBytes(100n));
  assert.equal(Uint8Array.from(randomOf(42).random.getRandomBytes(16n)).toHex(), "81b15a397d495da997513f77a36def46");
});

test("other seeds give other bytes, near or far, negative or fractional", () => {
  const seeds = [0, -0, 1, -1, 2, 0.5, 2 ** 31, 2 ** 53, -(2 ** 53), Number.MAX_VALUE];
  const firsts = new Set(seeds.map((seed) => randomOf(seed).random.getRandomU64()));
  assert.equal(firsts.size, seeds.length);
});

test("the three interfaces draw from streams of their own", () => {
  const { random, insecure, seed } = randomOf(7);
  const values = new Set([random.getRandomU64(), insecure.getInsecureRandomU64(), ...seed.insecureSeed()]);
  assert.equal(values.size, 4);
  const other = randomOf(7);
  other.insecure.getInsecureRandomBytes(1000n);
  assert.equal(other.random.getRandomU64(), [...values][0]);
});

test("the insecure seed is one value for a whole transaction", () => {
  const { seed } = randomOf(7);
  assert.deepEqual(seed.insecureSeed(), seed.insecureSeed());
});

test("a new transaction starts its own streams, with nothing left of the one before", () => {
  const { binding, random } = randomOf(1);
  random.getRandomBytes(33n);
  binding.prepare?.({ seed: 2, timestampMs: 0 });
  assert.deepEqual(random.getRandomBytes(100n), randomOf(2).random.getRandomBytes(100n));
});

test("a request is answered whole or stops the guest: no length makes the host allocate without bound", () => {
  const { random, insecure } = randomOf(1);
  assert.equal(random.getRandomBytes(0n).length, 0);
  assert.equal(random.getRandomBytes(100_001n).length, 100_001);
  for (const length of [(16n << 20n) + 1n, 2n ** 40n, 2n ** 64n - 1n]) {
    const isLimit = (error: unknown) => error instanceof StarlaneError && error.code === "capability/limit" && error.exit === 3;
    assert.throws(() => random.getRandomBytes(length), isLimit);
    assert.throws(() => insecure.getInsecureRandomBytes(length), isLimit);
  }
});
