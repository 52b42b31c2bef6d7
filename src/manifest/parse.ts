// Text -> manifest, or every mistake in it at once, each with its place and a cure. Nothing is looked up: no files, no components.

import type { Diagnostic, Source, Span } from "../base/diagnostics.ts";
import { parseTypeBlock } from "../wit/type-text.ts";
import { checkCallCycles } from "./calls.ts";
import { readComponents } from "./components.ts";
import { checkUsed, readGrants } from "./grants.ts";
import { ROOT_KEYS } from "./keys.ts";
import { readIsolation, readLimits } from "./limits.ts";
import type { Manifest, OutsideReference } from "./manifest.ts";
import { Mistakes, named, quoted } from "./mistakes.ts";
import { readOperations, type Surroundings } from "./operations.ts";
import { addTypeProblems, type DeclaredTypes } from "./port-types.ts";
import { describe, missingKey, readDescription, readKnown, readText, wrongKind } from "./reading.ts";
import type { ReferenceScope } from "./references.ts";
import { readResources } from "./resources.ts";
import { readParameters } from "./settings.ts";
import { readTests } from "./tests-file.ts";
import { otherFile } from "./other-files.ts";
import type { Entry, MapTree, Tree } from "./tree.ts";
import { readTriggers } from "./triggers/read-triggers.ts";
import { readYaml } from "./yaml.ts";

export interface ParsedManifest {
  /** There where nothing is wrong (warnings aside). */
  readonly manifest?: Manifest | undefined;
  /** What could be understood of a manifest with mistakes: good for finding more of them (the syntax of its flows), never for running. */
  readonly draft?: Manifest | undefined;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a manifest from YAML or JSON. Bounds: 1 MiB, 64 levels, 250 000 tokens, 100 mistakes. Never throws for what the text says. */
export function parseManifest(source: Source): ParsedManifest {
  const mistakes = new Mistakes();
  const tree = readYaml(source, mistakes);
  const draft = tree === undefined ? undefined : readRoot(tree, mistakes);
  const diagnostics = mistakes.list();
  if (draft === undefined) return { diagnostics };
  return mistakes.errorCount === 0 ? { manifest: frozen(draft), diagnostics } : { draft, diagnostics };
}

const START = "A manifest starts with `starlane: v1`, then names `components:` and `operations:`.";

function readRoot(tree: Tree, mistakes: Mistakes): Manifest | undefined {
  if (tree.kind !== "map") {
    const message = tree.kind === "null" ? "the manifest is empty" : `a manifest must be a mapping, not ${describe(tree)}`;
    if (tree.kind !== "broken")
      mistakes.error(
        "manifest/wrong-kind",
        tree.span,
        message,
        "Start it with `starlane: v1`, then name `components:` and `operations:`.",
      );
    return undefined;
  }
  const other = otherFile(tree);
  if (other !== undefined) {
    mistakes.error("manifest/missing-key", startOf(tree), `this is no manifest of Starlane: ${other}`, START);
    return undefined;
  }
  const keys = readKnown(tree, "the manifest", ROOT_KEYS, mistakes);
  const value = (key: keyof typeof ROOT_KEYS): Tree | undefined => keys.get(key)?.value;
  const start = startOf(tree);
  checkFormat(keys.get("starlane"), start, mistakes);
  const types = readTypes(value("types"), mistakes);
  const outside: OutsideReference[] = [];
  const parameterTree = value("parameters");
  const parameters = parameterTree === undefined ? [] : readParameters(parameterTree, types, outside, mistakes);
  const byName = new Map(namesIn(parameterTree).map((name) => [name, parameters.find((parameter) => parameter.name === name)]));
  const scope: ReferenceScope = { parameters: byName, outside };
  const componentTree = value("components");
  const components = componentTree === undefined ? [] : readComponents(componentTree, scope, mistakes);
  const around: Surroundings = { types, parameters: byName, components, componentNames: namesIn(componentTree), mistakes };
  const operationTree = value("operations");
  const operations = operationTree === undefined ? [] : readOperations(operationTree, around);
  const resources = readResources(value("resources"), scope, mistakes);
  const grants = readGrants(value("grants"), {
    components: new Map(components.map((use) => [use.name, use])),
    componentNames: new Set(namesIn(componentTree)),
    resources: new Map(resources.map((resource) => [resource.name, resource])),
    resourceNames: new Set(namesIn(value("resources"))),
    scope,
    mistakes,
  });
  checkCallCycles(grants, mistakes);
  if (mistakes.errorCount === 0) checkUsed(resources, grants, mistakes);
  const triggers = readTriggers(value("triggers"), {
    operations,
    operationNames: namesIn(operationTree),
    componentNames: namesIn(componentTree),
    types,
    scope,
    mistakes,
  });
  const testTree = value("tests");
  const tests =
    testTree === undefined
      ? { tests: [], testsFiles: [] }
      : readTests(testTree, { operations, names: namesIn(operationTree) }, mistakes);
  return {
    file: tree.span.source.file,
    name: readAppName(value("name"), mistakes),
    version: readVersion(value("version"), mistakes),
    description: readDescription(keys.get("description"), "the app", mistakes),
    parameters,
    components,
    types: types.types,
    operations,
    ...tests,
    resources,
    grants,
    limits: readLimits(value("limits"), mistakes),
    isolation: readIsolation(value("isolation"), mistakes),
    triggers,
    outside: outside.toSorted((a, b) => a.span.start - b.span.start),
    span: start,
  };
}

/** The first key: the whole mapping would be underlined from there anyway. */
function startOf(tree: MapTree): Span {
  return tree.entries[0]?.keySpan ?? tree.span;
}

function namesIn(tree: Tree | undefined): readonly string[] {
  return tree?.kind === "map" ? tree.entries.map((entry) => entry.key) : [];
}

function checkFormat(entry: Entry | undefined, start: Span, mistakes: Mistakes): void {
  if (entry === undefined) return missingKey("starlane", "the manifest", start, "starlane: v1", mistakes);
  const { value } = entry;
  if (value.kind === "broken" || (value.kind === "text" && value.value === "v1")) return;
  const isOne = (value.kind === "number" && value.value === 1) || (value.kind === "text" && /^v?1(?:\.0)*$/i.test(value.value));
  const message =
    value.kind === "null"
      ? "`starlane` has no value; it is the version of the format, `v1`"
      : `\`starlane\` must be the version of the format, \`v1\`, not ${describe(value)}`;
  const isLater = value.kind === "text" && /^v[2-9]/.test(value.value);
  mistakes.error(
    "manifest/bad-version",
    value.span,
    message,
    isLater && !isOne ? "Write `starlane: v1`, or use a newer Starlane." : "Write `starlane: v1`.",
  );
}

const WORD = "[a-z][a-z0-9]*(?:-[a-z0-9]+)*";
const APP_NAME = new RegExp(`^${WORD}/${WORD}$`);
const LONGEST_APP_NAME = 128;

function readAppName(tree: Tree | undefined, mistakes: Mistakes): string | undefined {
  const text = tree === undefined ? undefined : readText(tree, "`name`", "name: acme/welcome", mistakes);
  if (text === undefined) return undefined;
  if (text.value.length <= LONGEST_APP_NAME && APP_NAME.test(text.value)) return text.value;
  const lower = text.value.toLowerCase().replaceAll(/[_ .]+/g, "-");
  const better = APP_NAME.test(lower)
    ? `Write \`${lower.slice(0, 100)}\`.`
    : "Write it as in `acme/welcome`: lower-case words joined by hyphens, one slash.";
  const message = text.value.includes("/")
    ? `${quoted(text.value)} is no name of an app`
    : `${quoted(text.value)} is no name of an app: it needs its space, as \`space/app\``;
  mistakes.error("manifest/bad-name", text.span, message, better);
  return undefined;
}

// https://semver.org/spec/v2.0.0.html: no leading zeros in numbers, pre-release and build made of dot-separated words.
const NUMBER = "(?:0|[1-9][0-9]{0,15})";
const PRERELEASE_WORD = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
const SEMVER = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${PRERELEASE_WORD}(?:\\.${PRERELEASE_WORD})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);
const LONGEST_VERSION = 128;

function readVersion(tree: Tree | undefined, mistakes: Mistakes): string | undefined {
  if (tree === undefined || tree.kind === "broken") return undefined;
  const written = tree.kind === "text" ? tree.value : tree.span.source.text.slice(tree.span.start, tree.span.end);
  if (tree.kind !== "text" && tree.kind !== "number")
    return wrongKind(tree, "`version`", "a version of three numbers", "version: 1.4.0", mistakes);
  if (tree.kind === "text" && written.length <= LONGEST_VERSION && SEMVER.test(written)) return written;
  const numbers = /^[vV=]?\s*([0-9]{1,15})(?:\.([0-9]{1,15}))?(?:\.([0-9]{1,15}))?$/.exec(written);
  const fixed = numbers === null ? undefined : [1, 2, 3].map((i) => String(Number(numbers[i] ?? 0))).join(".");
  mistakes.error(
    "manifest/bad-version",
    tree.span,
    `${named(written)} is no semantic version`,
    fixed === undefined ? "Write three numbers, as in `1.4.0`; `-beta.1` may follow." : `Write \`${fixed}\`.`,
  );
  return undefined;
}

function readTypes(tree: Tree | undefined, mistakes: Mistakes): DeclaredTypes {
  if (tree === undefined || tree.kind === "null") return { types: new Map(), unreadable: new Set() };
  if (tree.kind !== "text") {
    if (tree.kind !== "broken") {
      const cure = "Write `types: |` and below it, indented, declarations such as `record person { name: string }`.";
      mistakes.error(
        "manifest/wrong-kind",
        tree.span,
        `\`types\` must be a text of WIT declarations, not ${describe(tree)}`,
        cure,
      );
    }
    return { types: new Map(), unreadable: new Set() };
  }
  const { types, problems } = parseTypeBlock(tree.value);
  addTypeProblems(problems, tree, mistakes);
  const declared = Array.from(
    tree.value.matchAll(/\b(?:record|variant|enum|flags|type)\s+%?([A-Za-z][A-Za-z0-9-]*)/g),
    ([, name = ""]) => name,
  );
  return { types, unreadable: new Set(problems.length === 0 ? [] : declared.filter((name) => !types.has(name))) };
}

/** Freezes the plain data of a manifest; spans, maps and functions are left as they are. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || value instanceof Map) return value;
  for (const [key, part] of Object.entries(value)) {
    if (key !== "span" && !key.endsWith("Span")) frozen(part);
  }
  return Object.freeze(value);
}
