// Whether a component has to be built again: a stamp of how it is built and of every file that it is made from, kept in the cache of the user
// with the stamp of what came out. Where there is no cache, or too many files, it is always built.

import { hash, randomUUID } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, renameSync, writeFileSync, type Stats } from "node:fs";
import { join, relative } from "node:path";
import { cacheFolder, makePrivateFolder } from "../cache-folder.ts";
import type { BuildPlan } from "./build.ts";
import { isLeftOut } from "./plans.ts";

const MOST_FILES = 50_000;

/** Changes whenever the inputs do, or how they are built; undefined where that cannot be told. */
export function stampOf(plan: BuildPlan, quick: boolean): string | undefined {
  const files: string[] = [];
  for (const input of plan.inputs) {
    if (!stampFiles(plan, input, input, files)) return undefined;
  }
  return hash("sha256", JSON.stringify([plan.how, quick, files]));
}

/** Adds a line for each file; whether there were not too many. */
function stampFiles(plan: BuildPlan, root: string, path: string, into: string[]): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return true;
  if (into.length >= MOST_FILES) return false;
  if (!stats.isDirectory()) {
    into.push(`${relative(root, path)} ${fileStamp(stats)}`);
    return true;
  }
  const names = readdirSync(path).toSorted();
  return names.every((name) => {
    const inner = join(path, name);
    return isLeftOut(plan, root, inner) || stampFiles(plan, root, inner, into);
  });
}

function fileStamp({ size, mtimeMs }: Stats): string {
  return `${size} ${mtimeMs}`;
}

/** Whether what lies there was built from what the stamp is of. */
export function isFresh(plan: BuildPlan, stamp: string | undefined): boolean {
  const stats = lstatSync(plan.output, { throwIfNoEntry: false });
  const file = recordFile(plan);
  if (stamp === undefined || stats === undefined || file === undefined) return false;
  try {
    return readFileSync(file, "utf8") === recordOf(stamp, stats);
  } catch {
    return false;
  }
}

/** Keeps that what lies there now was built from what the stamp is of. */
export function remember(plan: BuildPlan, stamp: string | undefined): void {
  const stats = lstatSync(plan.output, { throwIfNoEntry: false });
  const file = recordFile(plan);
  if (stamp === undefined || stats === undefined || file === undefined) return;
  const temporary = `${file}.${randomUUID()}`;
  try {
    writeFileSync(temporary, recordOf(stamp, stats), { flag: "wx", mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    // Then it is built once more.
  }
}

function recordOf(stamp: string, output: Stats): string {
  return `${stamp}\n${fileStamp(output)}\n`;
}

function recordFile({ output }: BuildPlan): string | undefined {
  const caches = cacheFolder(process.env);
  if (caches === undefined) return undefined;
  const folder = join(caches, "builds");
  try {
    return makePrivateFolder(folder) ? join(folder, hash("sha256", output)) : undefined;
  } catch {
    return undefined;
  }
}
