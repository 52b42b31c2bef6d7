import assert from "node:assert/strict";
import { test } from "node:test";
import { systemRandom } from "./system.ts";

interface Random {
  "wasi:random/random@0.2.0": { getRandomBytes(length: bigint): Uint8Array; getRandomU64(): bigint };
  "wasi:random/insecure@0.3.0": { getInsecureRandomU64(): bigint };
  "wasi:random/insecure-seed@0.2.0": { insecureSeed(): [bigint, bigint] };
  "wasi:random/insecure-seed@0.3.0": { getInsecureSeed(): [bigint, bigint] };
}

function start() {
  const binding = systemRandom.configure("system")();
  return { imports: binding.imports as unknown as Random, prepare: () => binding.prepare?.({ seed: 7, timestampMs: 0 }) };
}

test("before the first transaction the numbers are always the same, in it never", () => {
  const drawn = [start(), start()].map(({ imports, prepare }) => {
    const before = imports["wasi:random/random@0.2.0"].getRandomU64();
    prepare();
    return [
      before,
      imports["wasi:random/random@0.2.0"].getRandomU64(),
      imports["wasi:random/insecure@0.3.0"].getInsecureRandomU64(),
    ];
  });
  assert.equal(drawn[0]?.[0], drawn[1]?.[0]);
  assert.equal(new Set(drawn.flat()).size, 5);
});

test("as many bytes come as were asked for, more than the system gives at once too, and no more than 16 MiB", () => {
  const { imports, prepare } = start();
  prepare();
  const { getRandomBytes } = imports["wasi:random/random@0.2.0"];
  for (const length of [0, 1, 65_536, 200_001]) {
    const bytes = getRandomBytes(BigInt(length));
    assert.equal(bytes.length, length);
    if (length > 100)
      assert.ok(
        bytes.subarray(-50).some((byte) => byte !== 0),
        "the end was filled too",
      );
  }
  assert.throws(() => getRandomBytes((16n << 20n) + 1n), { code: "capability/limit" });
});

test("the insecure seed is one pair for a transaction, for both generations of WASI, and another for the next", () => {
  const { imports, prepare } = start();
  prepare();
  const pair = imports["wasi:random/insecure-seed@0.2.0"].insecureSeed();
  assert.deepEqual(imports["wasi:random/insecure-seed@0.3.0"].getInsecureSeed(), pair);
  prepare();
  assert.notDeepEqual(imports["wasi:random/insecure-seed@0.3.0"].getInsecureSeed(), pair);
});
