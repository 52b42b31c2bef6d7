// `--usage`: what a transaction used, on standard error.

import type { TransactionUsage } from "../star/call-guest.ts";

export function printUsage({ fuel, memoryBytes, calls }: TransactionUsage): void {
  const memory = `${(memoryBytes / 2 ** 20).toFixed(1)} MiB`;
  process.stderr.write(`used: ${fuel} fuel, ${memory} of memory at most, ${calls} call${calls === 1 ? "" : "s"} of components\n`);
}
