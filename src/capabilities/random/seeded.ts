// `wasi:random` from the transaction's seed: ChaCha20 key streams (RFC 8439), one for each interface, keyed by SplitMix64 of the
// seed. The same seed gives the same bytes on every machine. Bounded: 16 MiB a call.

import type { Binding, Capability } from "../capability.ts";
import { exactly } from "../guest.ts";
import { ChaCha20Stream } from "./chacha20.ts";

const LARGEST_REQUEST = 16 << 20;

const SECURE = 0;
const INSECURE = 1;
const INSECURE_SEED = 2;

/** 256 bits from any number: SplitMix64 from the bits of the double. */
export function keyOf(seed: number): Uint32Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setFloat64(0, seed, true);
  let state = view.getBigUint64(0, true);
  for (let offset = 0; offset < 32; offset += 8) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let mixed = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    view.setBigUint64(offset, mixed ^ (mixed >> 31n), true);
  }
  return Uint32Array.from({ length: 8 }, (_, i) => view.getUint32(i * 4, true));
}

function bind(): Binding {
  let seed = 0;
  // Made on first use: most guests ask for one of them, or none.
  const streams: (ChaCha20Stream | undefined)[] = [];
  const stream = (domain: number): ChaCha20Stream => (streams[domain] ??= new ChaCha20Stream(keyOf(seed), domain));
  const bytes = (domain: number, length: bigint): Uint8Array =>
    stream(domain).bytes(exactly(length, LARGEST_REQUEST, "random bytes at once"));
  return {
    imports: {
      "wasi:random/random@0.2.0": {
        __proto__: null,
        getRandomBytes: (length: bigint): Uint8Array => bytes(SECURE, length),
        getRandomU64: (): bigint => stream(SECURE).u64(),
      },
      "wasi:random/insecure@0.2.0": {
        __proto__: null,
        getInsecureRandomBytes: (length: bigint): Uint8Array => bytes(INSECURE, length),
        getInsecureRandomU64: (): bigint => stream(INSECURE).u64(),
      },
      "wasi:random/insecure-seed@0.2.0": {
        __proto__: null,
        // The same pair however often it is asked for: WIT lets callers expect one value for the life of an instance.
        insecureSeed: (): [bigint, bigint] => {
          const source = new ChaCha20Stream(keyOf(seed), INSECURE_SEED);
          return [source.u64(), source.u64()];
        },
      },
    },
    prepare(transaction) {
      seed = transaction.seed;
      streams.length = 0;
    },
  };
}

/** Seeded randomness: what a component gets without a grant. */
export const seededRandom: Capability = {
  name: "random",
  packages: ["wasi:random"],
  configure: () => bind,
};
