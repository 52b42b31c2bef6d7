// Reads `limits:` and `isolation:`: the bounds of every transaction of the app, and what transactions share.

import { LIMIT_KEYS } from "./keys.ts";
import type { Isolation, LimitsDeclaration } from "./manifest.ts";
import type { Mistakes } from "./mistakes.ts";
import { readChoice, readDuration, readInteger, readKnown, readSize, wrongKind } from "./reading.ts";
import type { Tree } from "./tree.ts";

const EXAMPLE = "limits: { memory: 64MiB, time: 2s, fuel: 2000000000, output: 1MiB }";

export function readLimits(tree: Tree | undefined, mistakes: Mistakes): LimitsDeclaration {
  if (tree === undefined || tree.kind === "null") return {};
  if (tree.kind !== "map") {
    wrongKind(tree, "`limits`", "a mapping", EXAMPLE, mistakes);
    return {};
  }
  const keys = readKnown(tree, "`limits`", LIMIT_KEYS, mistakes);
  const [memory, time, fuel, output] = ["memory", "time", "fuel", "output"].map((key) => keys.get(key)?.value);
  return {
    // A page of WebAssembly is the least that a memory has; 16 GiB is what engines give a 64-bit one.
    memoryBytes:
      memory === undefined ? undefined : readSize(memory, "`memory` of `limits`", "memory: 64MiB", "64KiB", "16GiB", mistakes),
    timeMs: time === undefined ? undefined : readDuration(time, "`time` of `limits`", "time: 2s", 1, mistakes),
    fuel:
      fuel === undefined
        ? undefined
        : readInteger(fuel, "`fuel` of `limits`", 1, Number.MAX_SAFE_INTEGER, "fuel: 2000000000", mistakes),
    outputBytes:
      output === undefined ? undefined : readSize(output, "`output` of `limits`", "output: 1MiB", "1B", "1GiB", mistakes),
  };
}

const ISOLATIONS: readonly Isolation[] = ["transaction", "shared"];
const ISOLATION_SYNONYMS: Readonly<Record<string, Isolation>> = {
  full: "transaction",
  strict: "transaction",
  request: "transaction",
  isolated: "transaction",
  "per-transaction": "transaction",
  none: "shared",
  instance: "shared",
  singleton: "shared",
  share: "shared",
};

export function readIsolation(tree: Tree | undefined, mistakes: Mistakes): Isolation {
  if (tree === undefined) return "transaction";
  return readChoice(tree, "`isolation`", ISOLATIONS, ISOLATION_SYNONYMS, mistakes) ?? "transaction";
}
