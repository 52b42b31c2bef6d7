// `wasi:random` 0.2 and 0.3 over three sources of bytes, one for each interface. Bounded: 16 MiB a call.

import type { Imports } from "../../engine/engine.ts";
import { exactly } from "../guest.ts";

const LARGEST_REQUEST = 16 << 20;

export interface RandomSource {
  bytes(length: number): Uint8Array;
  u64(): bigint;
}

export interface RandomSources {
  secure(): RandomSource;
  insecure(): RandomSource;
  /** The same pair however often it is asked for: WIT lets callers expect one value for the life of an instance. */
  insecureSeed(): [bigint, bigint];
}

/** The imports of one instance. */
export function randomImports(sources: RandomSources): Imports {
  const bytes = (source: RandomSource, length: bigint): Uint8Array =>
    source.bytes(exactly(length, LARGEST_REQUEST, "random bytes at once"));
  const random = {
    __proto__: null,
    getRandomBytes: (length: bigint): Uint8Array => bytes(sources.secure(), length),
    getRandomU64: (): bigint => sources.secure().u64(),
  };
  const insecure = {
    __proto__: null,
    getInsecureRandomBytes: (length: bigint): Uint8Array => bytes(sources.insecure(), length),
    getInsecureRandomU64: (): bigint => sources.insecure().u64(),
  };
  return {
    "wasi:random/random@0.2.0": random,
    "wasi:random/insecure@0.2.0": insecure,
    "wasi:random/insecure-seed@0.2.0": { __proto__: null, insecureSeed: () => sources.insecureSeed() },
    "wasi:random/random@0.3.0": random,
    "wasi:random/insecure@0.3.0": insecure,
    "wasi:random/insecure-seed@0.3.0": { __proto__: null, getInsecureSeed: () => sources.insecureSeed() },
  };
}
