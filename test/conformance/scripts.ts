// Where the component model's test scripts are: in a folder beside the checkout, where somebody put them (they are not ours).

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { type CommandResult, type ScriptCommand, ScriptRunner } from "./script.ts";

const SHARED = resolve(process.env.STARLANE_CONFORMANCE ?? fileURLToPath(new URL("../../../shared", import.meta.url)));
const SCRIPTS = join(SHARED, "conformance");
const READER = join(SHARED, "tools/wast.mjs");

/** Why the scripts cannot be run here, or undefined where they can. */
export function whyAbsent(): string | undefined {
  const missing = [SCRIPTS, READER].find((path) => !existsSync(path));
  return missing === undefined ? undefined : `the scripts of the component model are not here: no ${missing}`;
}

/** Scripts by their path below the folder, `spec/values/strings.wast`. */
export function scriptNames(): string[] {
  return readdirSync(SCRIPTS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".wast"))
    .map((entry) => relative(SCRIPTS, join(entry.parentPath, entry.name)))
    .toSorted();
}

interface Reader {
  readScript(text: string, parse: (wat: string) => Promise<Uint8Array>): Promise<{ commands: ScriptCommand[] }>;
}

export async function runScript(name: string, isPooled = false): Promise<CommandResult[]> {
  const { readScript } = (await import(pathToFileURL(READER).href)) as Reader;
  const { commands } = await readScript(readFileSync(join(SCRIPTS, name), "utf8"), parse);
  return await new ScriptRunner(isPooled).run(commands);
}

/** `12/12`, and what could not be read. */
export function summary(results: readonly CommandResult[]): string {
  const unreadable = results.filter(({ outcome }) => outcome === "unreadable").length;
  const passed = results.filter(({ outcome }) => outcome === "passed").length;
  return `${passed}/${results.length - unreadable}${unreadable > 0 ? ` (${unreadable} unreadable)` : ""}`;
}
