// `wasi:random` from the transaction's seed: ChaCha20 key streams (RFC 8439), one for each interface, keyed by SplitMix64 of the
// seed. The same seed gives the same bytes on every machine.

import type { Binding, Capability } from "../capability.ts";
import { ChaCha20Stream } from "./chacha20.ts";
import { randomImports, type RandomSources } from "./interfaces.ts";

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

/** Streams of random numbers that start over with each seed. */
export class SeededSources implements RandomSources {
  #seed = 0;
  // Made on first use: most guests ask for one of them, or none.
  readonly #streams: (ChaCha20Stream | undefined)[] = [];

  start(seed: number): void {
    this.#seed = seed;
    this.#streams.length = 0;
  }

  secure(): ChaCha20Stream {
    return this.#stream(SECURE);
  }

  insecure(): ChaCha20Stream {
    return this.#stream(INSECURE);
  }

  insecureSeed(): [bigint, bigint] {
    const source = new ChaCha20Stream(keyOf(this.#seed), INSECURE_SEED);
    return [source.u64(), source.u64()];
  }

  #stream(domain: number): ChaCha20Stream {
    return (this.#streams[domain] ??= new ChaCha20Stream(keyOf(this.#seed), domain));
  }
}

function bind(): Binding {
  const sources = new SeededSources();
  return {
    imports: randomImports(sources),
    prepare(transaction) {
      sources.start(transaction.seed);
    },
  };
}

/** Seeded randomness: what a component gets without a grant. */
export const seededRandom: Capability = {
  name: "random",
  packages: ["wasi:random"],
  configure: () => bind,
};
