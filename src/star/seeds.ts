// Seeds for transactions that were given none: from the system's randomness, many at a time because asking for it is slow.

import { randomFillSync } from "node:crypto";

const AT_ONCE = 1024;
const seeds = new Uint32Array(AT_ONCE);
let next = AT_ONCE;

export function randomSeed(): number {
  if (next === AT_ONCE) {
    randomFillSync(seeds);
    next = 0;
  }
  return seeds[next++] ?? 0;
}
