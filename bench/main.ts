// npm run bench -- NAME [--json]: one file per question, peers measured in the same run.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type BenchRow, table } from "./measure.ts";

interface Bench {
  readonly peerName: string;
  run(): Promise<BenchRow[]>;
}

const NAMES = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && file !== "main.ts" && file !== "measure.ts")
  .map((file) => file.replace(/\.ts$/, ""));

const [name, ...flags] = process.argv.slice(2);
if (name === undefined || !NAMES.includes(name) || flags.some((flag) => flag !== "--json")) {
  console.error(`usage: npm run bench -- ${NAMES.join("|")} [--json]`);
  process.exit(2);
}
const bench = (await import(join(import.meta.dirname, `${name}.ts`))) as Bench;
const rows = await bench.run();
console.log(flags.includes("--json") ? JSON.stringify(rows, null, 1) : table(rows, bench.peerName));
