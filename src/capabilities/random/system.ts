// `wasi:random` from the system's source of randomness, granted by `random: system`. Before the first transaction it answers from a
// fixed seed: what an instance drew then would come back in every transaction.

import type { Binding, Capability } from "../capability.ts";
import { randomImports, type RandomSource, type RandomSources } from "./interfaces.ts";
import { SeededSources } from "./seeded.ts";

/** How many bytes `crypto.getRandomValues` gives at once. */
const LARGEST_PART = 65_536;

const system: RandomSource = {
  bytes(length) {
    const all = new Uint8Array(length);
    for (let at = 0; at < length; at += LARGEST_PART) crypto.getRandomValues(all.subarray(at, at + LARGEST_PART));
    return all;
  },
  u64: () => crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n,
};

class SystemSources implements RandomSources {
  #seed: [bigint, bigint] | undefined;

  secure(): RandomSource {
    return system;
  }

  insecure(): RandomSource {
    return system;
  }

  insecureSeed(): [bigint, bigint] {
    return (this.#seed ??= [system.u64(), system.u64()]);
  }
}

function bind(): Binding {
  let sources: RandomSources = new SeededSources();
  return {
    imports: randomImports({
      secure: () => sources.secure(),
      insecure: () => sources.insecure(),
      insecureSeed: () => sources.insecureSeed(),
    }),
    prepare() {
      sources = new SystemSources();
    },
    restart: () => undefined,
  };
}

/** Random numbers that nobody can foresee. */
export const systemRandom: Capability<"system"> = {
  name: "random",
  packages: ["wasi:random"],
  configure: () => bind,
};
