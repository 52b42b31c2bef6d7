// Reads `build:` of a component: a command of the component's own tool, or a TypeScript file that Starlane makes a component of.

import { isLabel } from "../wit/labels.ts";
import { BUILD_KEYS } from "./keys.ts";
import type { BuildDeclaration } from "./manifest.ts";
import { named, quoted, type Mistakes } from "./mistakes.ts";
import { folderOf, normalizePath, pathProblem } from "./paths.ts";
import { missingKey, readItems, readKnown, readText, readWritten, wrongKind } from "./reading.ts";
import type { Entry, Tree } from "./tree.ts";

const MOST_WORDS = 1000;
const MOST_PATHS = 100;
const LONGEST_RUN = 10_000;
const RUN_EXAMPLE = "run: cargo build --release --target wasm32-wasip2";
const COMMAND_KEYS = ["in"];
const TYPESCRIPT_KEYS = ["wit", "world"];

type Keys = ReadonlyMap<string, Entry>;

/** Undefined where there are mistakes. */
export function readBuild({ value, keySpan }: Entry, of: string, mistakes: Mistakes): BuildDeclaration | undefined {
  const what = `\`build\` of ${of}`;
  if (value.kind === "text") {
    const run = readRun(value, what, mistakes);
    return run === undefined ? undefined : { kind: "command", run, in: ".", watch: ["."], span: keySpan };
  }
  if (value.kind !== "map") return wrongKind(value, what, "a mapping with `run` or `typescript`", RUN_EXAMPLE, mistakes);
  const keys = readKnown(value, what, BUILD_KEYS, mistakes);
  const [run, entry] = [keys.get("run"), keys.get("typescript")];
  if (run !== undefined && entry !== undefined) {
    mistakes.error(
      "manifest/bad-value",
      entry.keySpan,
      `${what} has both \`run\` and \`typescript\``,
      "Keep one of them: `run` calls a tool, `typescript` lets Starlane make the component.",
    );
    return undefined;
  }
  if (entry !== undefined) return readTypeScript(entry, keys, what, keySpan, mistakes);
  if (run === undefined) return missingKey("run", what, keySpan, RUN_EXAMPLE, mistakes) ?? undefined;
  return readCommand(run, keys, what, keySpan, mistakes);
}

function readCommand(
  run: Entry,
  keys: Keys,
  what: string,
  span: Entry["keySpan"],
  mistakes: Mistakes,
): BuildDeclaration | undefined {
  refuse(TYPESCRIPT_KEYS, keys, "typescript", what, mistakes);
  const words = readRun(run.value, `\`run\` in ${what}`, mistakes);
  const folder = keys.get("in");
  const path = folder === undefined ? "." : readInside(folder.value, `\`in\` of ${what}`, "in: ./text", mistakes);
  if (words === undefined || path === undefined) return undefined;
  const watch = readWatch(keys.get("watch"), [path], what, mistakes);
  return watch === undefined ? undefined : { kind: "command", run: words, in: path, watch, span };
}

function readTypeScript(
  entry: Entry,
  keys: Keys,
  what: string,
  span: Entry["keySpan"],
  mistakes: Mistakes,
): BuildDeclaration | undefined {
  refuse(COMMAND_KEYS, keys, "run", what, mistakes);
  const source = readSource(entry.value, what, mistakes);
  const wit = keys.get("wit");
  if (wit === undefined) missingKey("wit", what, span, "wit: ./wit", mistakes);
  const witPath = wit === undefined ? undefined : readInside(wit.value, `\`wit\` of ${what}`, "wit: ./wit", mistakes);
  const world = readWorld(keys.get("world")?.value, what, mistakes);
  if (source === undefined || witPath === undefined || world === undefined) return undefined;
  const watch = readWatch(keys.get("watch"), [folderOf(source), witPath], what, mistakes);
  return watch === undefined ? undefined : { kind: "typescript", entry: source, wit: witPath, world: world.name, watch, span };
}

function readSource(tree: Tree, what: string, mistakes: Mistakes): string | undefined {
  const path = readInside(tree, `\`typescript\` of ${what}`, "typescript: ./src/text.ts", mistakes);
  if (path === undefined || /\.(?:ts|mts|js|mjs)$/.test(path)) return path;
  mistakes.error(
    "manifest/bad-value",
    tree.span,
    `\`typescript\` of ${what} must be a file that ends in .ts, .mts, .js or .mjs`,
    "Write the path of the file that exports what the world exports.",
  );
  return undefined;
}

/** Undefined where it is wrong. */
function readWorld(tree: Tree | undefined, what: string, mistakes: Mistakes): { readonly name: string | undefined } | undefined {
  if (tree === undefined) return { name: undefined };
  const text = readText(tree, `\`world\` of ${what}`, "world: text", mistakes);
  if (text === undefined) return undefined;
  if (isLabel(text.value)) return { name: text.value };
  mistakes.error(
    "manifest/bad-value",
    tree.span,
    `\`world\` of ${what} cannot be ${quoted(text.value)}`,
    "Write its name only, as it stands behind `world` in the WIT.",
  );
  return undefined;
}

/** A line, or words. What the shell makes of `$` is the shell's. */
function readRun(tree: Tree, what: string, mistakes: Mistakes): string | readonly string[] | undefined {
  const empty = (): undefined => {
    mistakes.error("manifest/bad-value", tree.span, `${what} is empty`, `Write it as in \`${RUN_EXAMPLE}\`.`);
  };
  if (tree.kind === "text") {
    if (tree.value.trim() === "") return empty();
    return tree.value.length <= LONGEST_RUN && !tree.value.includes("\0") ? tree.value : tooLong(tree, what, mistakes);
  }
  if (tree.kind !== "list") return wrongKind(tree, what, "a line for the shell, or a list of words", RUN_EXAMPLE, mistakes);
  if (tree.items.length === 0) return empty();
  if (tree.items.length > MOST_WORDS) return tooLong(tree, what, mistakes);
  const words = tree.items.map((item) => readWritten(item, `a word of ${what}`, "run: [ npm, run, build ]", mistakes));
  const known = words.filter((word) => word !== undefined);
  if (known.length < words.length) return undefined;
  if (known[0] === "") return empty();
  return known.some((word) => word.length > LONGEST_RUN || word.includes("\0")) ? tooLong(tree, what, mistakes) : known;
}

function tooLong(tree: Tree, what: string, mistakes: Mistakes): undefined {
  mistakes.error(
    "manifest/bad-value",
    tree.span,
    `${what} is too long, or has characters that no command can have`,
    "Put the steps into a script, and run that.",
  );
}

function readWatch(
  entry: Entry | undefined,
  otherwise: readonly string[],
  of: string,
  mistakes: Mistakes,
): readonly string[] | undefined {
  if (entry === undefined) return otherwise;
  const what = `\`watch\` of ${of}`;
  const example = "watch: [ ./src, ./wit ]";
  const { value } = entry;
  const items = value.kind === "text" ? [value] : readItems(value, what, "a list of paths", example, mistakes);
  if (items.length > MOST_PATHS) {
    mistakes.error(
      "manifest/too-large",
      value.span,
      `${what} may have ${MOST_PATHS} paths, and this has ${items.length}`,
      "Name the folders they are in.",
    );
    return undefined;
  }
  const paths = items.map((item) => readInside(item, `a path of ${what}`, example, mistakes));
  const known = paths.filter((path) => path !== undefined);
  if (known.length < paths.length) return undefined;
  return known.length === 0 ? otherwise : known;
}

/** A path in the manifest's folder: what is built may be used by others, and moved with it. */
function readInside(tree: Tree, what: string, example: string, mistakes: Mistakes): string | undefined {
  const text = readText(tree, what, example, mistakes);
  if (text === undefined) return undefined;
  const problem = pathProblem(text.value);
  if (problem !== undefined) {
    mistakes.error("manifest/bad-path", tree.span, `${what}: ${problem.message}`, problem.cure);
    return undefined;
  }
  const path = normalizePath(text.value);
  if (!path.startsWith("..")) return path;
  mistakes.error(
    "manifest/bad-path",
    tree.span,
    `${what} leads out of the manifest's folder`,
    "Put what the component is built from into the manifest's folder, or give it a manifest of its own.",
  );
  return undefined;
}

function refuse(names: readonly string[], keys: Keys, only: string, what: string, mistakes: Mistakes): void {
  for (const name of names) {
    const entry = keys.get(name);
    if (entry === undefined) continue;
    mistakes.error(
      "manifest/unknown-key",
      entry.keySpan,
      `${named(name)} in ${what} goes with \`${only}\` only`,
      `Remove it${name === "wit" || name === "world" ? ": the command knows its WIT itself" : ""}.`,
    );
  }
}
