// The process that runs the cases of one target, one after another; told what to do by the first message it gets.

import { openSync, writeFileSync, writeSync } from "node:fs";
import type { FromRunner, Work } from "./protocol.ts";
import { caseSeed } from "./random.ts";
import { Finding, type Report, type RunCase, type Sample, STAGES } from "./target.ts";
import { loadTarget } from "./targets.ts";

const TELL_EVERY = 10;

process.once("message", (work: Work) => void run(work));

async function run(work: Work): Promise<void> {
  const state = openSync(work.stateFile, "r+");
  const runCase = await (await loadTarget(work.target)).prepare(work.small);
  const bytes = new Int32Array(2);
  let counts: Record<string, number> = {};
  let index = work.from;
  let done = 0;
  let sample: Sample | undefined;
  const report: Report = {
    stage(stage) {
      bytes.set([index, STAGES.indexOf(stage)]);
      writeSync(state, new Uint8Array(bytes.buffer), 0, 8, 0);
    },
    sample(one) {
      sample = one;
      writeFileSync(work.sampleFile, one.content);
    },
    count(what) {
      counts[what] = (counts[what] ?? 0) + 1;
    },
  };
  const flush = (): void => {
    tell({ kind: "counts", counts });
    counts = {};
    done = 0;
  };
  process.on("unhandledRejection", (error) => {
    tellFinding(
      index,
      new Finding(`a rejection that nobody handles (of this case or one before): ${stackOf(error)}`, sample),
      work,
    );
  });
  for (; index < work.to; index++) {
    sample = undefined;
    await runOne(runCase, report, index, work);
    report.stage("idle");
    if (++done >= TELL_EVERY) flush();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  flush();
  tell({ kind: "end" });
  process.disconnect?.();
}

async function runOne(runCase: RunCase, report: Report, index: number, work: Work): Promise<void> {
  try {
    await runCase(caseSeed(work.seed, index), report);
  } catch (error) {
    tellFinding(index, error, work);
  }
}

function tellFinding(index: number, error: unknown, work: Work): void {
  const sample = error instanceof Finding ? error.sample : undefined;
  if (sample !== undefined) writeFileSync(work.sampleFile.replace(/sample$/, `${index}.sample`), sample.content);
  const message = error instanceof Finding ? error.message : stackOf(error);
  tell({ kind: "finding", index, message, extension: sample?.extension });
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function tell(message: FromRunner): void {
  process.send?.(message);
}
