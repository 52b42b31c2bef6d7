// componentize-qjs, as the app has it installed, or Starlane itself.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

export const LIBRARY = "componentize-qjs";

export interface FoundLibrary {
  /** Its main file. */
  readonly path: string;
  readonly version: string;
}

/** From the folder of an app upwards, then beside Starlane; undefined where it is not installed. */
export function findLibrary(folder: string): FoundLibrary | undefined {
  return findFrom(join(folder, "starlane.yaml")) ?? findFrom(import.meta.filename);
}

function findFrom(file: string): FoundLibrary | undefined {
  try {
    const path = createRequire(file).resolve(LIBRARY);
    const manifest: unknown = JSON.parse(readFileSync(join(dirname(path), "package.json"), "utf8"));
    const isObject = typeof manifest === "object" && manifest !== null;
    return { path, version: isObject && "version" in manifest ? String(manifest.version) : "unknown" };
  } catch {
    return undefined;
  }
}

export interface ComponentizeOptions {
  readonly jsSource: string;
  readonly witPath: string;
  readonly jsPath?: string;
  readonly moduleRoot?: string;
  readonly world?: string | undefined;
  readonly sync?: boolean;
  readonly optSize?: boolean;
}

export type Componentize = (options: ComponentizeOptions) => Promise<{ readonly component: Uint8Array }>;

/** The function that makes components. */
export async function componentizeOf(library: string): Promise<Componentize> {
  const module: unknown = await import(pathToFileURL(library).href);
  if (!hasComponentize(module)) throw new Error(`${library} has no function \`componentize\``);
  return (options) => module.componentize(options);
}

function hasComponentize(module: unknown): module is { readonly componentize: Componentize } {
  return typeof module === "object" && module !== null && "componentize" in module && typeof module.componentize === "function";
}
