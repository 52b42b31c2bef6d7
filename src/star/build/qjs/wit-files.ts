// The WIT of a component as files: what is read of its text, and the copies that componentize-qjs is given. The interpreter takes streams
// that a world imports for those of its own WASI, and then they fit nothing else; so in a copy `wasi:io` has another name of the same
// length, which is put back in what comes out.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { SourceMistake } from "./protocol.ts";

const LARGEST_WIT = 16 * 1024 * 1024;
const MOST_FILES = 5000;
const IO = "wasi:io";
const OTHER_IO = "late:io";

export interface WitFiles {
  /** By the path in the folder, with `/`. */
  readonly files: ReadonlyMap<string, string>;
  /** Whether a world may have asynchronous functions, streams or futures. */
  readonly isAsync: boolean;
}

/** @throws SourceMistake */
export function readWit(path: string, shownAs: string): WitFiles {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined)
    throw new SourceMistake(`there is no WIT at ${shownAs}`, { cure: "let `wit` name a .wit file, or a folder of them" });
  const files = new Map<string, string>();
  let size = 0;
  const add = (file: string, name: string): void => {
    const text = readFileSync(file, "utf8");
    size += text.length;
    if (size > LARGEST_WIT || files.size >= MOST_FILES) throw new SourceMistake(`the WIT at ${shownAs} is too large`);
    files.set(name, text);
  };
  if (stats.isFile()) add(path, basename(path));
  else for (const file of witFilesIn(path)) add(file, relative(path, file).replaceAll("\\", "/"));
  if (files.size === 0) throw new SourceMistake(`the folder ${shownAs} has no .wit file`);
  const texts = [...files.values()].map(withoutComments);
  return { files, isAsync: texts.some((text) => /(?<![\w-])(?:async|stream|future)(?![\w-])/.test(text)) };
}

function* witFilesIn(folder: string): Iterable<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") yield* witFilesIn(path);
    else if (entry.isFile() && entry.name.endsWith(".wit")) yield path;
  }
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/\/\/.*$/gm, " ");
}

/** Writes the copy into a folder; nothing may be in it. */
export function writeWit({ files }: WitFiles, folder: string): void {
  for (const [name, text] of files) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text.replaceAll(IO, OTHER_IO));
  }
}

/** A component that was made from a copy, with the names that the WIT has. */
export function withOwnNames(component: Uint8Array, { files }: WitFiles): Buffer {
  const bytes = Buffer.from(component);
  if (![...files.values()].some((text) => text.includes(IO))) return bytes;
  for (let at = bytes.indexOf(OTHER_IO); at >= 0; at = bytes.indexOf(OTHER_IO, at)) bytes.write(IO, at, "latin1");
  return bytes;
}

/** The world to build as `package/world@version`; undefined where the text does not tell which it is. */
export function worldName({ files }: WitFiles, wanted: string | undefined): string | undefined {
  const own = [...files].filter(([name]) => !name.includes("/")).map(([, text]) => withoutComments(text));
  const all = own.join("\n");
  const packages = new Map(
    [...all.matchAll(/(?<![\w-])package\s+([a-z%][\w%:/-]*)(?:@([\w.+-]+))?\s*;/g)].map((found) => [found[0], found]),
  );
  const worlds = [...all.matchAll(/(?<![\w-])world\s+(%?[a-zA-Z][\w-]*)\s*\{/g)].map(([, name = ""]) => name);
  const world = wanted ?? (worlds.length === 1 ? worlds[0] : undefined);
  const [found] = packages.values();
  // Several packages in one file, or several worlds: componentize-qjs sorts that out.
  if (packages.size !== 1 || found === undefined || world === undefined || /\bpackage\s[^;{]*\{/.test(all)) return undefined;
  const [, name = "", version] = found;
  return `${name}/${world}${version === undefined ? "" : `@${version}`}`;
}

/** Writes a WIT folder whose world `prepared` has what `world` has, and functions besides. */
export function writeExtendedWit(wit: WitFiles, world: string, functions: readonly string[], folder: string): void {
  const own = new Map<string, string>();
  for (const [name, text] of wit.files) own.set(name.startsWith("deps/") ? name : `deps/starlane-own/${name}`, text);
  writeWit({ ...wit, files: own }, folder);
  const lines = [`include ${world};`, ...functions.map((line) => `export ${line};`)];
  writeFileSync(join(folder, "prepared.wit"), `package starlane:prepared;\nworld prepared {\n  ${lines.join("\n  ")}\n}\n`);
}
