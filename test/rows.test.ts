// Holds which way imports may point, and what may be used where: the table of ARCHITECTURE.md.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const SRC = join(import.meta.dirname, "../src");

/** Rows from the bottom; folders of one row do not import each other unless `siblings` says so. */
const ROWS: readonly { readonly folders: readonly string[]; readonly siblings?: Readonly<Record<string, readonly string[]>> }[] =
  [
    { folders: ["base", "wit"], siblings: { wit: ["base"] } },
    { folders: ["manifest", "component"] },
    { folders: ["flow", "engine"] },
    { folders: ["capabilities", "triggers"] },
    { folders: ["star"] },
    { folders: ["api"] },
    { folders: ["cli"] },
  ];

/** Folders whose files run in browsers too: no Node module may be imported there. */
const PORTABLE = ["base", "wit", "manifest", "component", "flow", "engine"];

/** Capabilities that need no backend: what these reach runs everywhere; other files there are backends, for Node. */
const PORTABLE_CAPABILITIES = ["capability.ts", "inert.ts", "catalog.ts"];

interface Import {
  readonly file: string;
  readonly folder: string;
  readonly specifier: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found = text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^;"']*?from\s*["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g);
  const folder = relative(SRC, file).split("/")[0] ?? "";
  return [...found].map((match) => ({ file, folder, specifier: match[1] ?? match[2] ?? "" }));
}

const rowOf = (folder: string): number => ROWS.findIndex((row) => row.folders.includes(folder));
const allImports = sourceFiles(SRC)
  .filter((file) => dirname(file) !== SRC)
  .flatMap(importsOf);

test("every folder of src stands in a row", () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(
    folders.map((entry) => entry.name).filter((name) => rowOf(name) < 0),
    [],
  );
});

test("imports point down the rows, never up or sideways", () => {
  assert.ok(allImports.length > 100, "the imports were found");
  const wrong = allImports.filter(({ file, folder, specifier }) => {
    if (!specifier.startsWith(".")) return false;
    const target = relative(SRC, join(dirname(file), specifier)).split("/")[0] ?? "";
    if (target === folder) return false;
    const allowed = ROWS[rowOf(folder)]?.siblings?.[folder] ?? [];
    return !(rowOf(target) >= 0 && rowOf(target) < rowOf(folder)) && !allowed.includes(target);
  });
  assert.deepEqual(
    wrong.map(({ file, specifier }) => `${relative(SRC, file)} imports ${specifier}`),
    [],
  );
});

test("what runs everywhere imports no Node module", () => {
  const wrong = allImports.filter(({ folder, specifier }) => PORTABLE.includes(folder) && specifier.startsWith("node:"));
  assert.deepEqual(
    wrong.map(({ file, specifier }) => `${relative(SRC, file)} imports ${specifier}`),
    [],
  );
});

test("what components get without a grant runs everywhere too", () => {
  const reached = new Set(PORTABLE_CAPABILITIES.map((name) => join(SRC, "capabilities", name)));
  for (const file of reached) {
    for (const { specifier } of allImports.filter((one) => one.file === file && one.specifier.startsWith("."))) {
      reached.add(join(dirname(file), specifier));
    }
  }
  assert.ok(reached.size > 20, "the imports were followed");
  const wrong = allImports.filter(({ file, specifier }) => reached.has(file) && !specifier.startsWith("."));
  assert.deepEqual(
    wrong.map(({ file, specifier }) => `${relative(SRC, file)} imports ${specifier}`),
    [],
  );
});

test("the engine needs no library", () => {
  const wrong = allImports.filter(
    ({ folder, specifier }) => ["engine", "component", "base"].includes(folder) && !specifier.startsWith("."),
  );
  assert.deepEqual(
    wrong.map(({ file, specifier }) => `${relative(SRC, file)} imports ${specifier}`),
    [],
  );
});
