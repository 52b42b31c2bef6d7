// Which Starlane this is, for what is kept between processes: the version of the package, and in a clone, whose sources change without
// a new version, also when they last did.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Both of `src/star/` and of the built `dist/star/` and `dist/cli/`. */
const ROOT = join(import.meta.dirname, "../..");

export function versionOfCode(): string {
  const version = packageVersion();
  return import.meta.filename.endsWith(".ts") ? `${version} ${newestSource()}` : version;
}

export function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  return typeof parsed === "object" && parsed !== null && "version" in parsed ? String(parsed.version) : "unknown";
}

/** What decides how core modules are rewritten. */
const SOURCES = ["src/component", "src/component/instrument", "src/engine", "src/engine/pool"];

function newestSource(): number {
  return Math.max(...SOURCES.map((folder) => join(ROOT, folder)).flatMap(timesIn));
}

/** Also of the folder itself, which changes when a file goes. */
function timesIn(folder: string): number[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  return [folder, ...files.map((name) => join(folder, name))].map((path) => statSync(path).mtimeMs);
}
