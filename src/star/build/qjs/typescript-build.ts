// Makes a component of a TypeScript file: in a process of its own, which is kept for the next build and ended when a build takes too long.

import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve as resolvePath } from "node:path";
import { fileURLToPath } from "node:url";
import { StarlaneError } from "../../../base/errors.ts";
import { shown } from "../../files.ts";
import type { BuildPlan, TypeScriptBuild } from "../build.ts";
import type { Ran } from "../run-command.ts";
import { findLibrary, type FoundLibrary, LIBRARY } from "./library.ts";
import type { QjsAnswer, QjsJob } from "./protocol.ts";

export interface TypeScriptOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly quick: boolean;
}

/** One build; its component is written to the output of the plan. @throws Error where that cannot be written */
export async function buildTypeScript(plan: BuildPlan, how: TypeScriptBuild, options: TypeScriptOptions): Promise<Ran> {
  const { component } = plan;
  const root = dirname(plan.manifest);
  if (!existsSync(how.entry)) {
    const error = new StarlaneError("star/file", `${component} is built from ${shown(how.entry)}, which is not there`);
    return { error, output: "" };
  }
  const library = findLibrary(root);
  if (library === undefined) {
    const error = new StarlaneError(
      "build/no-tool",
      `${component} is built with the package ${LIBRARY}, which is not installed`,
      {
        cure: `run \`npm install --save-dev ${LIBRARY}\` in the folder of the app`,
      },
    );
    return { error, output: "" };
  }
  const answer = await ask(jobOf(plan, how, library, options.quick ? "quick" : "whole"), options);
  switch (answer) {
    case "timeout": {
      const message = `the build of ${component} took longer than ${options.timeoutMs / 1000} s and was stopped`;
      const cure = "code outside of functions runs while it is built: let it end; or give it longer with --timeout";
      return { error: new StarlaneError("build/timeout", message, { cure }), output: "" };
    }
    case "cancelled":
      return { error: new StarlaneError("build/cancelled", `the build of ${component} was stopped`), output: "" };
    case "crashed":
      return { error: new StarlaneError("build/failed", `${LIBRARY} crashed while it built ${component}`), output: "" };
  }
  if (answer.kind === "prepared") throw new StarlaneError("starlane/internal", "a component was asked for, and none was made");
  if (answer.kind === "failed") {
    const error = new StarlaneError("build/source", `${component} could not be built: ${answer.message}`, {
      at: answer.at === undefined ? shown(how.entry) : shown(resolvePath(root, answer.at)),
      cure: answer.cure,
    });
    return { error, output: answer.output ?? "" };
  }
  writeWhole(plan.output, answer.component);
  return { output: "" };
}

function jobOf(plan: BuildPlan, how: TypeScriptBuild, library: FoundLibrary, kind: QjsJob["kind"]): QjsJob {
  const { entry, wit, world } = how;
  const { path, version } = library;
  return { kind, library: path, version, entry, root: dirname(plan.manifest), wit, world, output: plan.output };
}

const LONGEST_PREPARATION_MS = 60_000;
const warm = new Set<string>();

/** Makes sure, while nobody waits, that the next quick build of a component that is built already is quick. */
export function warmUp(plan: BuildPlan, how: TypeScriptBuild): void {
  const library = findLibrary(dirname(plan.manifest));
  if (library === undefined || warm.has(plan.output)) return;
  warm.add(plan.output);
  const options = { signal: undefined, timeoutMs: LONGEST_PREPARATION_MS, isWaitedFor: false };
  void ask(jobOf(plan, how, library, "prepare"), options);
}

/** Whoever reads it meanwhile sees the one before. */
function writeWhole(file: string, bytes: Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

const idle: ChildProcess[] = [];

interface AskOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Whether this process goes on until there is an answer. */
  readonly isWaitedFor?: boolean;
}

async function ask(
  job: QjsJob,
  { signal, timeoutMs, isWaitedFor = true }: AskOptions,
): Promise<QjsAnswer | "timeout" | "cancelled" | "crashed"> {
  const child = idle.pop() ?? start();
  if (isWaitedFor) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
  const { promise, resolve } = Promise.withResolvers<QjsAnswer | "timeout" | "cancelled" | "crashed">();
  const timer = setTimeout(() => resolve("timeout"), timeoutMs);
  if (!isWaitedFor) timer.unref();
  const onAbort = (): void => resolve("cancelled");
  const onEnd = (): void => resolve("crashed");
  signal?.addEventListener("abort", onAbort);
  child.once("message", (answer: QjsAnswer) => resolve(answer));
  child.once("exit", onEnd);
  child.once("error", onEnd);
  child.send(job);
  const answer = await promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", onAbort);
  child.removeAllListeners();
  // Nothing else is known of it once it failed to answer.
  child.on("error", () => undefined);
  if (typeof answer === "string") child.kill("SIGKILL");
  else keep(child);
  return answer;
}

/** An idle process does not keep this one from ending, and ends with it. */
function keep(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  child.on("exit", () => void idle.splice(idle.indexOf(child), idle.includes(child) ? 1 : 0));
  idle.push(child);
}

function start(): ChildProcess {
  const [file] = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).filter((path) => existsSync(path));
  if (file === undefined) throw new StarlaneError("starlane/internal", "the program that builds TypeScript is missing");
  return fork(file, [], { serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"] });
}

/** Beside this file: as a source, in the library; from the command, which is one file. */
const PLACES = ["./qjs-process.ts", "./qjs-process.js", "../star/build/qjs/qjs-process.js"];
