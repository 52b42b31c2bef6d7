// Runs the tool of a component: as its user would in a terminal, with what npm installed for it on the path. What it prints is kept, the end
// of it where it is long; it and all it started is ended when it takes too long or nobody wants it any more.

import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { StarlaneError } from "../../base/errors.ts";
import { shown } from "../files.ts";
import type { BuildPlan, CommandBuild } from "./build.ts";
import { cureForMissing } from "./tools.ts";

/** How a build ended; without an error it wrote what it should. */
export interface Ran {
  readonly error?: StarlaneError | undefined;
  readonly output: string;
}

export interface RunOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly onText: (text: string) => void;
}

/** Characters of what a tool prints that are kept. */
const KEPT_OUTPUT = 256 * 1024;
/** What a tool that was asked to end has for it. */
const GRACE_MS = 2000;
/** What shells end with where there is no such program: POSIX, and cmd.exe. */
const NO_SUCH_PROGRAM: ReadonlySet<number | null> = new Set([127, 9009]);

/** One build; it never throws. */
export async function runCommand(plan: BuildPlan, how: CommandBuild, options: RunOptions): Promise<Ran> {
  const { component } = plan;
  if (statSync(how.folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    const error = new StarlaneError("star/file", `${component} is built in the folder ${shown(how.folder)}, which is not there`);
    return { error, output: "" };
  }
  // Few tools make it themselves.
  mkdirSync(dirname(plan.output), { recursive: true });
  const ended = await run(how, options);
  const { output } = ended;
  switch (ended.kind) {
    case "done":
      return { output };
    case "status":
      return { error: failure(component, how, ended.status, output), output };
    case "signal":
      return { error: failed(component, how, `was ended by ${ended.signal}`), output };
    case "timeout": {
      const limit = `${options.timeoutMs / 1000} s`;
      const message = `the build of ${component} took longer than ${limit} and was stopped`;
      return { error: new StarlaneError("build/timeout", message, { cure: "give it longer with --timeout" }), output };
    }
    case "cancelled":
      return { error: new StarlaneError("build/cancelled", `the build of ${component} was stopped`), output };
    case "not-started":
      return { error: notStarted(component, how, ended.error), output };
  }
}

type Ended = { readonly output: string } & (
  | { readonly kind: "done" | "timeout" | "cancelled" }
  | { readonly kind: "status"; readonly status: number | null }
  | { readonly kind: "signal"; readonly signal: string }
  | { readonly kind: "not-started"; readonly error: Error }
);

async function run(how: CommandBuild, { signal, timeoutMs, onText }: RunOptions): Promise<Ended> {
  const child = start(how);
  const { promise, resolve } = Promise.withResolvers<Ended>();
  let output = "";
  let stopped: "timeout" | "cancelled" | undefined;
  const stop = (why: "timeout" | "cancelled"): void => {
    stopped ??= why;
    endAll(child);
  };
  const timer = setTimeout(() => stop("timeout"), timeoutMs);
  const onAbort = (): void => stop("cancelled");
  signal?.addEventListener("abort", onAbort);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = `${output}${text}`.slice(-KEPT_OUTPUT);
      onText(text);
    });
  }
  child.on("error", (error) => resolve({ kind: "not-started", error, output }));
  child.on("close", (status, by) => {
    if (stopped !== undefined) resolve({ kind: stopped, output });
    else if (by !== null) resolve({ kind: "signal", signal: by, output });
    else resolve(status === 0 ? { kind: "done", output } : { kind: "status", status, output });
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

const HAS_GROUPS = process.platform !== "win32";

function start({ run, folder }: CommandBuild): ChildProcess {
  // A group of its own: what the tool starts is ended with it.
  const options: SpawnOptions = {
    cwd: folder,
    env: environmentFor(folder),
    stdio: ["ignore", "pipe", "pipe"],
    detached: HAS_GROUPS,
    windowsHide: true,
  };
  if (typeof run === "string") return spawn(run, { ...options, shell: true });
  const [program = "", ...args] = run;
  return spawn(program, args, options);
}

/** The programs that npm installed for the folder and those above it come first, as in npm's own scripts. */
function environmentFor(folder: string): NodeJS.ProcessEnv {
  const folders: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    folders.push(join(at, "node_modules", ".bin"));
    if (dirname(at) === at) break;
  }
  return { ...process.env, PATH: [...folders, process.env["PATH"] ?? ""].join(delimiter) };
}

function endAll(child: ChildProcess): void {
  kill(child, "SIGTERM");
  setTimeout(() => {
    if (child.exitCode === null && child.signalCode === null) kill(child, "SIGKILL");
  }, GRACE_MS).unref();
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (HAS_GROUPS) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // It has ended by itself.
  }
}

function failure(component: string, how: CommandBuild, status: number | null, output: string): StarlaneError {
  if (NO_SUCH_PROGRAM.has(status)) {
    const program = missingProgram(output);
    if (program !== undefined) return noTool(component, program);
  }
  return failed(component, how, `ended with status ${status}`);
}

/** What a shell says that it did not find. */
function missingProgram(output: string): string | undefined {
  const [, before] = /([^\s:'"]+)['"]?: (?:command )?not found/.exec(output) ?? [];
  const [, windows] = /'([^']+)' is not recognized/.exec(output) ?? [];
  return before ?? windows;
}

function failed(component: string, { run }: CommandBuild, what: string): StarlaneError {
  const line = typeof run === "string" ? run.trim() : run.join(" ");
  const short = line.length > 200 ? `${line.slice(0, 200)}…` : line;
  return new StarlaneError("build/failed", `the build of ${component} failed: \`${short}\` ${what}`);
}

function notStarted(component: string, { run }: CommandBuild, error: Error): StarlaneError {
  const program = typeof run === "string" ? "the shell" : (run[0] ?? "");
  const code = "code" in error ? error.code : undefined;
  if (code === "ENOENT") return noTool(component, program);
  const why = code === "EACCES" ? "it may not be run" : error.message;
  return new StarlaneError("build/failed", `the build of ${component} could not start ${program}: ${why}`, { cause: error });
}

function noTool(component: string, program: string): StarlaneError {
  return new StarlaneError("build/no-tool", `${component} is built with ${program}, which is not installed`, {
    cure: cureForMissing(program),
  });
}
