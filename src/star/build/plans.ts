// Finds what there is to build: the components of a manifest, and of the apps inside it, that say how they are made; and which files
// each is made from. Bounds: MOST_APPS manifests.

import { basename, dirname, relative, resolve, sep } from "node:path";
import { DiagnosticsError } from "../../base/diagnostics.ts";
import { StarlaneError } from "../../base/errors.ts";
import type { BuildDeclaration } from "../../manifest/manifest.ts";
import { parseManifest } from "../../manifest/parse.ts";
import { findComponentFile, readManifestFile, shown } from "../files.ts";
import type { BuildPlan } from "./build.ts";

const MOST_APPS = 1000;

/** Folders that tools fill, and never people; those whose name starts with a dot are none of a build's either. */
const GENERATED: ReadonlySet<string> = new Set(["node_modules", "target", "__pycache__"]);

/**
 * The plans of a manifest (or the folder it is in) and of the apps inside it, in the order of the text.
 * @throws StarlaneError `star/file`, DiagnosticsError where the manifest has mistakes
 */
export function buildPlans(target: string): readonly BuildPlan[] {
  const found = findComponentFile(target);
  if ("problem" in found) throw new StarlaneError("star/file", found.problem, { cure: found.cure });
  return found.kind === "wasm" ? [] : plansOf(found.path, "", new Set());
}

function plansOf(path: string, above: string, seen: Set<string>): BuildPlan[] {
  if (seen.has(path) || seen.size >= MOST_APPS) return [];
  seen.add(path);
  const { manifest, diagnostics } = parseManifest({ file: shown(path), text: readManifestFile(path) });
  if (manifest === undefined) throw new DiagnosticsError(diagnostics);
  return manifest.components.flatMap(({ name, from, build }): BuildPlan[] => {
    const component = `${above}${name}`;
    const file = resolve(dirname(path), from.path);
    if (build !== undefined) return [planOf(component, path, file, build)];
    const inner = findComponentFile(file);
    // What is not there `starlane check` tells.
    return "problem" in inner || inner.kind === "wasm" ? [] : plansOf(inner.path, `${component}/`, seen);
  });
}

function planOf(component: string, manifest: string, output: string, build: BuildDeclaration): BuildPlan {
  const at = (path: string): string => resolve(dirname(manifest), path);
  const inputs = build.watch.map(at);
  const how =
    build.kind === "command"
      ? ({ kind: "command", run: build.run, folder: at(build.in) } as const)
      : ({ kind: "typescript", entry: at(build.entry), wit: at(build.wit), world: build.world } as const);
  return { component, manifest, how, output, inputs };
}

/** Files and folders to watch, folders with all that is in them; none lies in another. */
export function watchedPaths(plans: readonly BuildPlan[]): readonly string[] {
  const all = [...new Set(plans.flatMap(({ inputs }) => inputs))];
  return all.filter((path) => !all.some((other) => other !== path && isIn(other, path)));
}

/** Whether a file counts as one that the component is made from: not what tools write, nor what editors leave for a moment. */
export function isInput(plan: BuildPlan, path: string): boolean {
  return plan.inputs.some((root) => path === root || (isIn(root, path) && !isLeftOut(plan, root, path)));
}

/** Whether the build writes it, or it is none of the sources: `path` lies in the folder `root`. */
export function isLeftOut(plan: BuildPlan, root: string, path: string): boolean {
  if (relative(root, path).split(sep).some(isGenerated)) return true;
  const folder = dirname(plan.output);
  return path === plan.output || (isIn(root, folder) && (path === folder || isIn(folder, path)));
}

function isGenerated(name: string): boolean {
  return name.startsWith(".") || name.endsWith("~") || GENERATED.has(name);
}

/** Whether `path` lies somewhere in `folder`; it is not the folder itself. */
function isIn(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && basename(way) !== "";
}
