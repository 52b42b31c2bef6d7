// The TypeScript sources of a component as JavaScript: types are replaced by blanks, so lines and columns stay what they are. A module imports
// others by their exact relative paths, as Node has it; nothing outside the root folder is read. Bounds: LARGEST_FILE, MOST_FILES.

import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, relative, resolve, sep } from "node:path";
import { SourceMistake } from "./protocol.ts";

const LARGEST_FILE = 16 * 1024 * 1024;
const MOST_FILES = 5000;

/** Modules by their path in the root folder, with `/`: `src/text.ts`. */
export interface Sources {
  readonly root: string;
  /** @throws SourceMistake */
  read(path: string): string;
  /** What `specifier` in the module `from` names. @throws SourceMistake */
  resolve(from: string, specifier: string): string;
}

export function sourcesIn(folder: string): Sources {
  const root = realpathSync(folder);
  const inside = (path: string): string | undefined => {
    const way = relative(root, path);
    return way === ".." || way.startsWith(`..${sep}`) ? undefined : way.split(sep).join("/");
  };
  return {
    root,
    read(path) {
      const file = resolve(root, path);
      // A link could lead out.
      if (inside(realpathSync(file)) === undefined) throw new SourceMistake(`${path} leads out of the folder of the app`);
      return javaScriptOf(path, textOf(file, path));
    },
    resolve(from, specifier) {
      if (!/^\.{1,2}\//.test(specifier))
        throw new SourceMistake(`${from} imports "${specifier}", which is a package`, { cure: PACKAGES, at: from });
      const file = resolve(root, dirname(from), specifier);
      const path = inside(file);
      if (path === undefined) {
        throw new SourceMistake(`${from} imports "${specifier}", which is outside the folder of the app`, {
          cure: "move what it needs into that folder",
          at: from,
        });
      }
      if (statSync(file, { throwIfNoEntry: false })?.isFile() === true) return path;
      throw new SourceMistake(`${from} imports "${specifier}", which is no file`, { cure: meantFile(file, specifier), at: from });
    },
  };
}

/** The way to use a package. */
const PACKAGES =
  "import only files of the app by relative paths, and interfaces of the WIT by their names; to use packages, bundle them " +
  "with a tool of your own: `build: { run: … }`";

function meantFile(file: string, specifier: string): string {
  const endings = [".ts", ".mts", ".js", ".mjs", "/index.ts", "/index.js"];
  const changed = file.replace(/\.[cm]?js$/, "");
  const ending = endings.find((one) => existsSync(`${file}${one}`));
  if (ending !== undefined) return `write the whole name of the file: "${specifier}${ending}"`;
  const other = changed === file ? undefined : [".ts", ".mts"].find((one) => existsSync(`${changed}${one}`));
  if (other !== undefined) return `write the name of the file as it is: "${specifier.replace(/\.[cm]?js$/, other)}"`;
  return "write the path of a file, with its ending";
}

function textOf(file: string, path: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() !== true) throw new SourceMistake(`there is no file ${path}`);
  if (stats.size > LARGEST_FILE) throw new SourceMistake(`${path} has ${stats.size} bytes; at most ${LARGEST_FILE} are read`);
  return readFileSync(file, "utf8");
}

function javaScriptOf(path: string, text: string): string {
  if (path.endsWith(".json")) throw new SourceMistake(`${path} is JSON, and only modules can be imported`);
  if (!/\.m?ts$/.test(path)) return text;
  try {
    return stripTypeScriptTypes(text, { mode: "strip" });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = "code" in error ? error.code : undefined;
    const cure =
      code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
        ? "types are only removed: write enums, namespaces and parameter properties as plain JavaScript"
        : undefined;
    // The stack begins with the line and shows it.
    const [, line, frame] = /^[^\n]*:(\d+)\n([\s\S]*?)\n\n/.exec(error.stack ?? "") ?? [];
    const [message = ""] = error.message.split("\n");
    throw new SourceMistake(message.trim(), { cure, at: line === undefined ? path : `${path}:${line}`, output: frame });
  }
}

/** A specifier behind `from` or `import`; in comments and texts too. */
const IMPORTED = /(?:\bfrom|\bimport)\s*\(?\s*(["'])([^"'\n]+)\1/g;

/** The module and all that it may import: what merely looks like an import and names no file is left out. */
export function reachableSources(sources: Sources, entry: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    if (found.size >= MOST_FILES) throw new SourceMistake(`${entry} imports more than ${MOST_FILES} files`);
    const text = sources.read(path);
    found.set(path, text);
    for (const [, , specifier = ""] of text.matchAll(IMPORTED)) {
      const next = specifier.startsWith(".") ? fileNamed(sources, path, specifier) : undefined;
      if (next !== undefined) waiting.push(next);
    }
  }
  return found;
}

function fileNamed(sources: Sources, from: string, specifier: string): string | undefined {
  try {
    return sources.resolve(from, specifier);
  } catch {
    return undefined;
  }
}

/** Why a module that was not found is not there: the first mistake in how these modules import others. */
export function importMistake(sources: Sources, found: ReadonlyMap<string, string>): SourceMistake | undefined {
  for (const [path, text] of found) {
    for (const [, , specifier = ""] of text.matchAll(IMPORTED)) {
      // Interfaces of the WIT have a colon.
      if (specifier.includes(":")) continue;
      try {
        sources.resolve(path, specifier);
      } catch (error) {
        if (error instanceof SourceMistake) return error;
        throw error;
      }
    }
  }
  return undefined;
}
