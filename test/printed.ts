// Runs the real command and gives what it printed, for tests that compare all of it. Times differ from run to run: they are masked.

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import assert from "node:assert/strict";

export const ROOT = join(import.meta.dirname, "..");
export const MAIN = join(ROOT, "src/cli/main.ts");

/** Long enough for a loaded machine; a test that reaches it fails. */
const LONGEST_RUN_MS = 120_000;

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** Colours and settings of the person who runs the tests must not show; compiled code is kept, or every start would compile it again. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1", LC_ALL: "C.UTF-8", NODE_COMPILE_CACHE: join(ROOT, ".cache/compile") };
}

export function runStarlane(words: readonly string[], input = ""): Promise<Printed> {
  return run(process.execPath, [MAIN, ...words], { cwd: ROOT, env: plainEnvironment(), input });
}

export interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly input?: string;
}

export async function run(program: string, words: readonly string[], { cwd, env, input = "" }: RunOptions): Promise<Printed> {
  const child = spawn(program, words, { cwd, env, timeout: LONGEST_RUN_MS });
  // Whoever does not read its input closes it: not a mistake.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const status = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr, status: await status };
}

/** `(14.8 ms)` -> `(… ms)`: how long something took. */
export function withoutTimes(printed: string): string {
  return printed.replaceAll(/\(\d+(?:\.\d+)?(?= ms\))/g, "(…");
}

/** Compares a text with a file of the repository; UPDATE_GOLDEN=1 writes the file anew. */
export function assertFile(printed: string, file: string): void {
  const path = join(ROOT, file);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, printed);
  assert.equal(printed, readFileSync(path, "utf8"), `${file} differs; UPDATE_GOLDEN=1 writes it anew`);
}
