// Where built guests lie, and whether they belong to the sources as they are now. Committed ones have a line in
// `guests/built.json`; the others lie in the cache with a note beside them.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Recipe } from "./recipes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const GUESTS = join(ROOT, "guests");
export const CACHE = join(ROOT, ".cache", "guests");
const BUILT = join(GUESTS, "built.json");

export interface Built {
  /** SHA-256 of the sources and the recipe. */
  readonly sources: string;
  /** SHA-256 of the component. */
  readonly wasm: string;
  readonly bytes: number;
  /** The compiler that made it. */
  readonly with: string;
}

export function digest(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(join(GUESTS, path))).isDirectory()) return [path];
  const entries = await readdir(join(GUESTS, path));
  const nested = await Promise.all(entries.filter((name) => name !== "__pycache__").map((name) => filesOf(`${path}/${name}`)));
  return nested.flat();
}

/** Changes with any source file and with the recipe. */
export async function sourcesDigest(recipe: Recipe): Promise<string> {
  const files = (await Promise.all([...recipe.sources, recipe.wit, ...(recipe.packages ?? [])].map(filesOf))).flat();
  const hash = createHash("sha256").update(JSON.stringify(recipe));
  for (const file of [...new Set(files)].toSorted()) {
    hash.update(`\n${file}\n`).update(digest(await readFile(join(GUESTS, file))));
  }
  return hash.digest("hex");
}

/** Where the component of a recipe lies once it is built. */
export function artifactPath(recipe: Recipe): string {
  return `${join(recipe.committed ? GUESTS : CACHE, recipe.name)}.wasm`;
}

function isBuilt(value: unknown): value is Built {
  if (typeof value !== "object" || value === null) return false;
  const { sources, wasm, bytes, with: tool } = value as Partial<Record<keyof Built, unknown>>;
  return typeof sources === "string" && typeof wasm === "string" && typeof bytes === "number" && typeof tool === "string";
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}

async function committed(): Promise<Record<string, Built>> {
  const notes = await readJson(BUILT);
  const entries = typeof notes === "object" && notes !== null ? Object.entries(notes) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, Built] => isBuilt(entry[1])));
}

function cacheNote(recipe: Recipe): string {
  return `${join(CACHE, recipe.name)}.json`;
}

/** What is known of the component that lies there, if one does and it is the one that was noted. */
export async function builtBefore(recipe: Recipe): Promise<Built | undefined> {
  const note = recipe.committed ? (await committed())[recipe.name] : await readJson(cacheNote(recipe));
  if (!isBuilt(note)) return undefined;
  try {
    return digest(await readFile(artifactPath(recipe))) === note.wasm ? note : undefined;
  } catch {
    return undefined;
  }
}

export async function keep(recipe: Recipe, wasm: Uint8Array, tool: string): Promise<void> {
  const note: Built = { sources: await sourcesDigest(recipe), wasm: digest(wasm), bytes: wasm.length, with: tool };
  await mkdir(dirname(artifactPath(recipe)), { recursive: true });
  await writeFile(artifactPath(recipe), wasm);
  if (!recipe.committed) {
    await writeFile(cacheNote(recipe), `${JSON.stringify(note)}\n`);
    return;
  }
  const notes = { ...(await committed()), [recipe.name]: note };
  const sorted = Object.fromEntries(Object.entries(notes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(BUILT, `${JSON.stringify(sorted, undefined, 2)}\n`);
}
