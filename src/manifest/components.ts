// Reads `components:`: a local name for each thing the app is made of. Only local paths are built yet; packages and remote services are known.

import { readBuild } from "./builds.ts";
import { COMPONENT_KEYS } from "./keys.ts";
import type { BuildDeclaration, ComponentUse, Setting } from "./manifest.ts";
import { named, type Mistakes } from "./mistakes.ts";
import { normalizePath, pathProblem } from "./paths.ts";
import { missingKey, readEntries, readKnown, readNames, readText, wrongKind } from "./reading.ts";
import type { ReferenceScope } from "./references.ts";
import { readSettings } from "./settings.ts";
import type { Entry, TextTree, Tree } from "./tree.ts";

const RESERVED = { core: "it holds the operations that are built into Starlane" };
const PACKAGE = /^[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*(?:@[\^~<>=*xX0-9A-Za-z.+ -]*)?$/;

export function readComponents(tree: Tree, scope: ReferenceScope, mistakes: Mistakes): readonly ComponentUse[] {
  const entries = readEntries(tree, "`components`", "components: { text: ./text.wasm }", mistakes);
  const uses = readNames(entries, "component", RESERVED, mistakes).flatMap((entry) => {
    const use = readComponent(entry, scope, mistakes);
    return use === undefined ? [] : [use];
  });
  checkOutputs(uses, mistakes);
  return uses;
}

function readComponent(entry: Entry, scope: ReferenceScope, mistakes: Mistakes): ComponentUse | undefined {
  const what = `the component \`${entry.key}\``;
  const { value } = entry;
  if (value.kind === "text") return readUse(entry, value, [], undefined, mistakes);
  if (value.kind !== "map")
    return wrongKind(value, what, "a path, or a mapping with `from`", `${entry.key}: ./${entry.key}.wasm`, mistakes);
  const keys = readKnown(value, what, COMPONENT_KEYS, mistakes);
  const settings = keys.get("with");
  const given = settings === undefined ? [] : readSettings(settings.value, what, scope, mistakes);
  const build = keys.get("build");
  const built = build === undefined ? undefined : readBuild(build, what, mistakes);
  const from = keys.get("from");
  if (from === undefined) {
    const isPlanned = value.entries.some(({ key }) => key === "http" || key === "nats");
    if (!isPlanned) missingKey("from", what, entry.keySpan, `from: ./${entry.key}.wasm`, mistakes);
    return undefined;
  }
  const path = readText(from.value, `\`from\` of ${what}`, `from: ./${entry.key}.wasm`, mistakes);
  return path === undefined ? undefined : readUse(entry, path, given, built, mistakes);
}

function readUse(
  entry: Entry,
  from: TextTree,
  settings: readonly Setting[],
  build: BuildDeclaration | undefined,
  mistakes: Mistakes,
): ComponentUse | undefined {
  const what = `the component \`${entry.key}\``;
  const path = readPath(from, what, mistakes);
  if (path === undefined) return undefined;
  if (build !== undefined && !isBuildable(path)) {
    mistakes.error(
      "manifest/bad-path",
      from.span,
      `${what} has a \`build\`, but \`from\` is not a .wasm file in the manifest's folder`,
      `Let the build write it there: \`from: ./build/${entry.key}.wasm\`.`,
    );
    return undefined;
  }
  return { name: entry.key, from: { kind: "path", path }, with: settings, build, span: entry.keySpan, fromSpan: from.span };
}

function isBuildable(path: string): boolean {
  return path.startsWith("./") && path.endsWith(".wasm");
}

/** Two builds that write the same file would overwrite each other's, in an order that nobody knows. */
function checkOutputs(uses: readonly ComponentUse[], mistakes: Mistakes): void {
  const writers = new Map<string, string>();
  for (const { name, from, build } of uses) {
    if (build === undefined) continue;
    const other = writers.get(from.path.toLowerCase());
    writers.set(from.path.toLowerCase(), other ?? name);
    if (other === undefined) continue;
    mistakes.error(
      "manifest/duplicate-name",
      build.span,
      `the components \`${other}\` and \`${name}\` are built into the same file`,
      "Give one of them another `from`, or only one of them a `build`.",
    );
  }
}

/** A path relative to the manifest, in its shortest form; packages and addresses are reported as what they are. */
export function readPath(tree: TextTree, what: string, mistakes: Mistakes): string | undefined {
  const path = tree.value;
  if (PACKAGE.test(path) && !/\.(?:wasm|ya?ml|json)$/.test(path)) {
    mistakes.error(
      "manifest/not-supported-yet",
      tree.span,
      `${what} is the package ${named(path)}, and packages are planned, but not supported yet`,
      `Put its files beside the manifest and write their path${path.includes("@") ? "" : `; for a folder of this name write \`./${path.slice(0, 100)}\``}.`,
    );
    return undefined;
  }
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(path)?.[1]?.toLowerCase();
  if (scheme === "http" || scheme === "https" || scheme === "nats") {
    mistakes.error(
      "manifest/not-supported-yet",
      tree.span,
      `${what} is at an address on the network, and components from there are planned, but not supported yet`,
      "Use a file beside the manifest: `./text.wasm`.",
    );
    return undefined;
  }
  const problem = pathProblem(path);
  if (problem === undefined) return normalizePath(path);
  mistakes.error("manifest/bad-path", tree.span, `${what}: ${problem.message}`, problem.cure);
  return undefined;
}
