// npm run fuzz: runs the targets in turn for some seconds each, prints what came of it, and for each finding what makes it again.
//
//   --seconds N   in all (60)              --seed S    of the run (random)
//   --only NAME   one target               --case S    only the case of this seed, in this process, with the whole error

import { parseArgs } from "node:util";
import { runSession, type SessionResult } from "./session.ts";
import type { Report } from "./target.ts";
import { loadTarget, TARGET_NAMES } from "./targets.ts";

/** Findings that look alike are shown up to here. */
const MOST_ALIKE = 2;

const { values: flags } = parseArgs({
  options: { seconds: { type: "string" }, seed: { type: "string" }, only: { type: "string" }, case: { type: "string" } },
});

const names = flags.only === undefined ? TARGET_NAMES : [flags.only];
if (flags.case === undefined)
  await runAll(Number(flags.seconds ?? 60), Number(flags.seed ?? Math.trunc(Math.random() * 2 ** 31)));
else await runOne(Number(flags.case));

async function runAll(seconds: number, seed: number): Promise<void> {
  print(`seed ${seed}, ${seconds} seconds`);
  for (const target of names) {
    await loadTarget(target);
    const stop = AbortSignal.timeout((seconds * 1000) / names.length);
    const result = await runSession({ target, seed, cases: 2 ** 30, small: false, stop });
    show(target, result);
    if (result.findings.length > 0) process.exitCode = 1;
  }
}

function show(name: string, { done, counts, findings }: SessionResult): void {
  print(`\n${name}: ${done} cases, ${findings.length} findings`);
  for (const [what, count] of [...counts].toSorted(([a], [b]) => a.localeCompare(b)))
    print(`  ${String(count).padStart(8)}  ${what}`);
  const shown = new Map<string, number>();
  for (const { caseSeed, message, file } of findings) {
    const kind = likeness(message);
    shown.set(kind, (shown.get(kind) ?? 0) + 1);
    if ((shown.get(kind) ?? 0) > MOST_ALIKE) continue;
    print(`\n  FOUND ${message.slice(0, 2000).replaceAll("\n", "\n    ")}`);
    print(`    again: node test/fuzz/main.ts --only ${name} --case ${caseSeed}    saved: ${file}`);
  }
}

/** Where the error comes from, or what it says where that is not told. */
function likeness(message: string): string {
  const frames = message.split("\n").filter((line) => line.trimStart().startsWith("at "));
  return frames.length === 0 ? message.replaceAll(/\d+/g, "0").slice(0, 100) : frames.slice(0, 3).join("\n");
}

async function runOne(seed: number): Promise<void> {
  const counts = new Map<string, number>();
  const report: Report = {
    stage: (stage) => print(`stage ${stage}`),
    sample: ({ extension, content }) => print(`sample of ${content.length} (${extension})`),
    count: (what) => void counts.set(what, (counts.get(what) ?? 0) + 1),
  };
  for (const name of names) {
    const run = await (await loadTarget(name)).prepare(false);
    await run(seed, report);
  }
  for (const [what, count] of counts) print(`${String(count).padStart(8)}  ${what}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
