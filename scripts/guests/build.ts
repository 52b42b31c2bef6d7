// Builds the guests: `npm run guests [-- names…] [--check | --list | --force]`. Those in the repository are built anew when their
// sources have changed, the large ones when they are not in the cache. `--check` writes nothing: it builds what it has the tools
// for and compares. Never needed to install, start or test.

import { parseArgs } from "node:util";
import { artifactPath, builtBefore, digest, keep, sourcesDigest, GUESTS } from "./artifacts.ts";
import { compileGuest } from "./compile.ts";
import { RECIPES } from "./recipes.ts";
import type { Recipe } from "./recipes.ts";
import { toolchain } from "./toolchains.ts";

const MOST_COMMITTED_BYTES = 300 * 1024;

/** `lacking`: the tool is not there. `differs`: another compiler made other bytes, which is no mistake. */
type Verdict = "fresh" | "built" | "same" | "lacking" | "differs" | "stale" | "failed";

interface Outcome {
  readonly verdict: Verdict;
  readonly note: string;
}

function size(bytes: number): string {
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function tooLarge(recipe: Recipe, wasm: Uint8Array): Outcome | undefined {
  if (!recipe.committed || wasm.length <= MOST_COMMITTED_BYTES) return undefined;
  return { verdict: "failed", note: `${size(wasm.length)}: too large for the repository, which takes up to 300 KB` };
}

async function buildOne(recipe: Recipe, force: boolean): Promise<Outcome> {
  const before = await builtBefore(recipe);
  if (!force && before?.sources === (await sourcesDigest(recipe))) return { verdict: "fresh", note: size(before.bytes) };
  const tool = await toolchain(recipe.tool);
  if (!tool.found) return { verdict: "lacking", note: `needs ${tool.install}` };
  const started = performance.now();
  const wasm = await compileGuest(recipe, GUESTS, tool.programs);
  const refused = tooLarge(recipe, wasm);
  if (refused !== undefined) return refused;
  await keep(recipe, wasm, tool.version);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  return { verdict: "built", note: `${size(wasm.length)} in ${seconds} s with ${tool.version}` };
}

async function checkOne(recipe: Recipe): Promise<Outcome> {
  const before = await builtBefore(recipe);
  if (before === undefined)
    return { verdict: "stale", note: `${artifactPath(recipe)} is missing or is not the one in built.json` };
  if (before.sources !== (await sourcesDigest(recipe)))
    return { verdict: "stale", note: "the sources have changed since it was built" };
  const tool = await toolchain(recipe.tool);
  if (!tool.found) return { verdict: "lacking", note: `cannot be compared: needs ${tool.install}` };
  const wasm = await compileGuest(recipe, GUESTS, tool.programs);
  if (digest(wasm) === before.wasm) return { verdict: "same", note: `${size(before.bytes)}, ${before.wasm.slice(0, 12)}` };
  if (tool.version !== before.with) {
    return { verdict: "differs", note: `built with ${before.with}, compared with ${tool.version}` };
  }
  return { verdict: "failed", note: `the same compiler (${tool.version}) makes other bytes` };
}

async function outcomeOf(recipe: Recipe, work: (recipe: Recipe) => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work(recipe);
  } catch (error) {
    return { verdict: "failed", note: message(error) };
  }
}

function chosen(names: readonly string[]): readonly Recipe[] {
  const unknown = names.filter((name) => !RECIPES.some((recipe) => recipe.name === name));
  if (unknown.length > 0) {
    throw new Error(`no guest ${unknown.join(", ")}; there are: ${RECIPES.map((recipe) => recipe.name).join(", ")}`);
  }
  return names.length === 0 ? RECIPES : RECIPES.filter((recipe) => names.includes(recipe.name));
}

async function list(recipes: readonly Recipe[]): Promise<void> {
  for (const recipe of recipes) {
    const built = await builtBefore(recipe);
    console.log(
      `${recipe.name.padEnd(26)} ${recipe.tool.padEnd(16)} ${built === undefined ? "not built" : artifactPath(recipe)}`,
    );
  }
}

async function main(): Promise<number> {
  const options = { check: { type: "boolean" }, list: { type: "boolean" }, force: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const recipes = chosen(positionals);
  if (values.list === true) {
    await list(recipes);
    return 0;
  }
  const work = values.check === true ? checkOne : (recipe: Recipe) => buildOne(recipe, values.force === true);
  const considered = values.check === true ? recipes.filter((recipe) => recipe.committed) : recipes;
  let failed = false;
  for (const recipe of considered) {
    const { verdict, note } = await outcomeOf(recipe, work);
    console.log(`${recipe.name.padEnd(26)} ${verdict.padEnd(8)} ${note}`);
    // Who asks for one guest by name wants that guest.
    failed ||= verdict === "failed" || verdict === "stale" || (verdict === "lacking" && positionals.length > 0);
  }
  return failed ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(message(error));
  process.exitCode = 2;
}
