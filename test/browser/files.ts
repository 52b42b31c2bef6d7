// Which tests run in a browser: those of every folder that runs everywhere, and the scripts of the component model.

import { globSync } from "node:fs";
import { ROOT } from "./served.ts";

const PATTERNS = ["src/{base,wit,manifest,component,flow,engine,capabilities}/**/*.test.ts", "test/conformance/*.test.ts"];

/** Files that can run in Node only, each with its reason. */
export const NODE_ONLY: Readonly<Record<string, string>> = {};

export function testFiles(): string[] {
  return globSync(PATTERNS, { cwd: ROOT })
    .map((file) => file.replaceAll("\\", "/"))
    .toSorted();
}
