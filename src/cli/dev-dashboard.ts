// Where the files of the dashboard are: beside the installed command, or in a checkout built when they are first needed, and kept in the cache
// as long as their sources stay the same.

import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { cacheFolder, makePrivateFolder } from "../star/cache-folder.ts";

const PREFIX = "dashboard-";

/** The folder; undefined where there is none, and none can be built. `tell` hears what takes a while. */
export async function builtDashboard(tell: (message: string) => void): Promise<string | undefined> {
  const installed = fileURLToPath(new URL("../dashboard", import.meta.url));
  if (existsSync(join(installed, "index.html"))) return installed;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const built = join(root, "dist/dashboard");
  const fallback = existsSync(join(built, "index.html")) ? built : undefined;
  const builder = join(root, "scripts/build-dashboard.ts");
  const cache = cacheFolder(process.env);
  if (!existsSync(builder) || !existsSync(join(root, "node_modules/rolldown")) || cache === undefined) return fallback;
  if (!makePrivateFolder(cache)) return fallback;
  const folder = join(cache, `${PREFIX}${digestOf(root, builder)}`);
  if (existsSync(join(folder, "index.html"))) return folder;
  try {
    tell("building the dashboard, for the first time");
    await build(builder, folder, cache);
    return folder;
  } catch (error) {
    tell(`the dashboard could not be built: ${error instanceof Error ? error.message : String(error)}`);
    return fallback;
  }
}

/** Of everything that it is built from. */
function digestOf(root: string, builder: string): string {
  const sources = readdirSync(join(root, "dashboard"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const hash = createHash("sha256");
  for (const file of [builder, join(root, "package-lock.json"), ...sources.toSorted()]) {
    hash.update(file.slice(root.length)).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}

async function build(builder: string, folder: string, cache: string): Promise<void> {
  const script: unknown = await import(pathToFileURL(builder).href);
  if (typeof script !== "object" || script === null || !("buildDashboard" in script)) throw new Error("there is no builder");
  const { buildDashboard } = script;
  if (typeof buildDashboard !== "function") throw new Error("there is no builder");
  const temporary = mkdtempSync(join(cache, `${PREFIX}new-`));
  try {
    await Reflect.apply(buildDashboard, undefined, [temporary]);
    for (const name of readdirSync(cache)) {
      if (name.startsWith(PREFIX) && !name.startsWith(`${PREFIX}new-`))
        rmSync(join(cache, name), { recursive: true, force: true });
    }
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Another process was first.
    if (!existsSync(join(folder, "index.html"))) throw error;
  }
}
