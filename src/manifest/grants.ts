// Reads `grants:`: what each component may reach. Here a grant is held against the manifest (components, resources, paths, names); lines of `http`
// and `sockets` are understood by their capabilities.

import type { Span } from "../base/diagnostics.ts";
import { readCalls } from "./calls.ts";
import { readFilesGrant } from "./files-grant.ts";
import { isGuestName, isNamed, LONGEST_GRANT_NAME, readResourceName, type GrantSurroundings } from "./grant-names.ts";
import { CLI_GRANT_KEYS, GRANT_KEYS, SOCKETS_GRANT_KEYS } from "./keys.ts";
import type {
  BoundResource,
  ComponentGrants,
  EnvGrant,
  Grants,
  GrantText,
  ResourceDeclaration,
  ResourceKind,
  Setting,
} from "./manifest.ts";
import { named, type Mistakes } from "./mistakes.ts";
import { readChoice, readEntries, readItems, readKnown, readText, readWritten, wrongKind } from "./reading.ts";
import { checkReferences } from "./references.ts";
import type { Entry, Tree } from "./tree.ts";

const LONGEST_TEXT = 32 * 1024;
const LONGEST_RULE = 2048;

export function readGrants(tree: Tree | undefined, around: GrantSurroundings): readonly ComponentGrants[] {
  if (tree === undefined) return [];
  const entries = readEntries(tree, "`grants`", "grants: { greeter: { keyvalue: { default: cache } } }", around.mistakes);
  const grants = entries.flatMap((entry) => {
    if (!isComponent(entry.key, entry.keySpan, around)) return [];
    const read = readComponentGrants(entry, around);
    return read === undefined ? [] : [{ component: entry.key, grants: read, span: entry.keySpan }];
  });
  return grants;
}

/** Warns of resources that no grant uses. */
export function checkUsed(
  resources: readonly ResourceDeclaration[],
  grants: readonly ComponentGrants[],
  mistakes: Mistakes,
): void {
  const used = new Set(
    grants.flatMap(({ grants: { files, keyvalue, blobs, messaging, sql } }) =>
      [files, keyvalue, blobs, messaging, sql].flatMap((bound) => bound?.map(({ resource }) => resource) ?? []),
    ),
  );
  for (const { name, kind, span } of resources) {
    if (used.has(name)) continue;
    const binding = kind === "files" ? `files: { "/data": ${name} }` : `${kind}: { default: ${name} }`;
    const cure = `Grant it to a component, \`grants: { COMPONENT: { ${binding} } }\`, or remove it.`;
    mistakes.warn("manifest/unused-resource", span, `the resource \`${name}\` is granted to no component`, cure);
  }
}

/** Whether a component is there and can be granted something; only an app is known by its name, others are told apart where they are found. */
function isComponent(name: string, span: Span, around: GrantSurroundings): boolean {
  const use = around.components.get(name);
  if (use !== undefined && /\.(?:ya?ml|json)$/i.test(use.from.path)) {
    around.mistakes.addAll([grantToApp(name, use.from.path, span)]);
    return false;
  }
  return isNamed(name, span, around);
}

/** The mistake of granting something to a component that turns out to be an app. */
export function grantToApp(component: string, file: string, span: Span): ReturnType<Mistakes["list"]>[number] {
  return {
    code: "manifest/grant-to-app",
    severity: "error",
    message: `the component ${named(component)} is an app, and what its components may reach stands in its own manifest`,
    span,
    cure: `Move the grants, and the resources they need, to ${named(file)}; what should differ here can be a parameter of it.`,
  };
}

function readComponentGrants(entry: Entry, around: GrantSurroundings): Grants | undefined {
  const { mistakes } = around;
  const what = `the grant of \`${entry.key}\``;
  if (entry.value.kind === "null") return {};
  if (entry.value.kind !== "map")
    return wrongKind(entry.value, what, "a mapping", `${entry.key}: { keyvalue: { default: cache } }`, mistakes);
  const keys = readKnown(entry.value, what, GRANT_KEYS, mistakes);
  const read = <T>(key: keyof typeof GRANT_KEYS, reader: (tree: Tree) => T): T | undefined => {
    const tree = keys.get(key)?.value;
    return tree === undefined ? undefined : reader(tree);
  };
  const bound = (kind: ResourceKind, example: string): readonly BoundResource[] | undefined =>
    read(kind, (tree) => readBound(tree, kind, what, example, around));
  return {
    cli: read("cli", (tree) => readCli(tree, what, around)),
    clock: read("clock", (tree) => readChoice(tree, `\`clock\` of ${what}`, ["virtual", "real"], CLOCKS, mistakes)),
    random: read("random", (tree) => readChoice(tree, `\`random\` of ${what}`, ["seeded", "system"], RANDOMS, mistakes)),
    files: read("files", (tree) => readFilesGrant(tree, what, around)),
    sockets: read("sockets", (tree) => readSockets(tree, what, around)),
    http: read("http", (tree) =>
      readTexts(tree, `\`http\` of ${what}`, 'http: [ "https://api.example.com" ]', LONGEST_RULE, around),
    ),
    config: read("config", (tree) => readConfig(tree, what, around)),
    keyvalue: bound("keyvalue", "keyvalue: { default: cache }"),
    blobs: bound("blobs", "blobs: { images: store }"),
    messaging: bound("messaging", "messaging: { orders: broker }"),
    sql: bound("sql", "sql: { main: db }"),
    calls: read("calls", (tree) => readCalls(tree, entry.key, around)),
  };
}

const CLOCKS = { system: "real", wall: "real", host: "real", fake: "virtual", simulated: "virtual" } as const;
const RANDOMS = { real: "system", secure: "system", host: "system", deterministic: "seeded", seed: "seeded" } as const;

function readCli(tree: Tree, what: string, around: GrantSurroundings): Grants["cli"] {
  if (tree.kind !== "map")
    return wrongKind(tree, `\`cli\` of ${what}`, "a mapping", "cli: { args: [ --verbose ], env: [ LANG ] }", around.mistakes);
  const keys = readKnown(tree, `\`cli\` of ${what}`, CLI_GRANT_KEYS, around.mistakes);
  const [args, env] = [keys.get("args")?.value, keys.get("env")?.value];
  return {
    args: args === undefined ? [] : readTexts(args, `\`args\` of ${what}`, "args: [ --verbose ]", LONGEST_TEXT, around),
    env: env === undefined ? [] : readEnv(env, what, around),
  };
}

function readEnv(tree: Tree, what: string, around: GrantSurroundings): readonly EnvGrant[] {
  const { mistakes } = around;
  if (tree.kind === "map") {
    return tree.entries.flatMap(({ key, keySpan, value }) => {
      const text = readGrantValue(value, `the variable ${named(key)}`, `${key.slice(0, 40)}: debug`, around);
      return isVariable(key, keySpan, mistakes) && text !== undefined ? [{ name: key, value: text, span: keySpan }] : [];
    });
  }
  const expected = "a list of names, or a mapping of names to values";
  const items = readItems(tree, `\`env\` of ${what}`, expected, "env: [ LANG ]", mistakes);
  const seen = new Set<string>();
  return items.flatMap((item) => {
    const name = readText(item, "the name of a variable", "env: [ LANG ]", mistakes);
    if (name === undefined) return [];
    const equals = name.value.indexOf("=");
    if (equals > 0) {
      const message = `${named(name.value)} is a name with its value, but a list has only names`;
      const pair = `${name.value.slice(0, Math.min(equals, 40))}: …`;
      mistakes.error("manifest/bad-grant", name.span, message, `Write a mapping: \`env: { ${pair} }\`.`);
      return [];
    }
    if (!isVariable(name.value, name.span, mistakes) || isRepeated(name.value, seen, "variable", name.span, mistakes)) return [];
    return [{ name: name.value, span: name.span }];
  });
}

function isVariable(name: string, span: Span, mistakes: Mistakes): boolean {
  if (name.length <= LONGEST_GRANT_NAME && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return true;
  const bare = /^\$\{?(?:env\.)?([A-Za-z_][A-Za-z0-9_]*)\}?$/.exec(name)?.[1];
  const cure =
    bare === undefined ? "Use letters, digits and `_`, as in `API_URL`." : `Write the name alone: \`${bare.slice(0, 60)}\`.`;
  mistakes.error("manifest/bad-grant", span, `${named(name)} cannot be the name of a variable of the environment`, cure);
  return false;
}

function isRepeated(name: string, seen: Set<string>, what: string, span: Span, mistakes: Mistakes): boolean {
  if (!seen.has(name)) {
    seen.add(name);
    return false;
  }
  mistakes.error("manifest/duplicate-name", span, `the ${what} ${named(name)} is granted twice`, "Remove one of them.");
  return true;
}

function readSockets(tree: Tree, what: string, around: GrantSurroundings): Grants["sockets"] {
  const example = 'sockets: { connect: [ "db.internal:5432" ], listen: [ 9000 ] }';
  if (tree.kind !== "map") return wrongKind(tree, `\`sockets\` of ${what}`, "a mapping", example, around.mistakes);
  const keys = readKnown(tree, `\`sockets\` of ${what}`, SOCKETS_GRANT_KEYS, around.mistakes);
  const [connect, listen] = [keys.get("connect")?.value, keys.get("listen")?.value];
  const read = (list: Tree | undefined, key: string, sample: string): readonly GrantText[] =>
    list === undefined ? [] : readTexts(list, `\`${key}\` of ${what}`, sample, LONGEST_RULE, around);
  return {
    connect: read(connect, "connect", 'connect: [ "db.internal:5432" ]'),
    listen: read(listen, "listen", "listen: [ 9000 ]"),
  };
}

/** A list of short texts of one line each, none twice. */
function readTexts(tree: Tree, what: string, example: string, longest: number, around: GrantSurroundings): readonly GrantText[] {
  const isArguments = longest === LONGEST_TEXT;
  const seen = new Set<string>();
  return readItems(tree, what, "a list of texts", example, around.mistakes).flatMap((item) => {
    const text = readGrantValue(item, `an item of ${what}`, example, around);
    if (text === undefined) return [];
    if (isArguments) return [{ text, span: item.span }];
    const problem =
      text.trim() === ""
        ? "is empty"
        : text.length > longest
          ? `may have ${longest} characters, and this one has ${text.length}`
          : /\p{Cc}/u.test(text)
            ? "has characters that cannot be seen"
            : undefined;
    if (problem !== undefined) {
      const message = `an item of ${what} ${problem}`;
      around.mistakes.error("manifest/bad-grant", item.span, message, `Write it as in \`${example}\`.`);
      return [];
    }
    return isRepeated(text, seen, "line", item.span, around.mistakes) ? [] : [{ text, span: item.span }];
  });
}

/** A text that may have references, without NUL, which no environment and no argument can carry. */
function readGrantValue(tree: Tree, what: string, example: string, around: GrantSurroundings): string | undefined {
  const text = readWritten(tree, what, example, around.mistakes);
  if (text === undefined) return undefined;
  checkReferences(tree, around.scope, around.mistakes);
  const problem =
    text.length > LONGEST_TEXT
      ? `may have ${LONGEST_TEXT} characters, and this one has ${text.length}`
      : text.includes("\0")
        ? "has a NUL character, where it would end"
        : undefined;
  if (problem === undefined) return text;
  around.mistakes.error(
    "manifest/bad-grant",
    tree.span,
    `${what} ${problem}`,
    "Give large or binary data as a file or an input.",
  );
  return undefined;
}

function readConfig(tree: Tree, what: string, around: GrantSurroundings): readonly Setting[] {
  const example = 'config: { motto: "${env.MOTTO}" }';
  return readEntries(tree, `\`config\` of ${what}`, example, around.mistakes).flatMap(({ key, keySpan, value }) => {
    if (!isGuestName(key, keySpan, "key of a setting", around.mistakes)) return [];
    if (value.kind === "list" || value.kind === "map") {
      const message = `the setting ${named(key)} must be a text, not a ${value.kind === "list" ? "list" : "mapping"}`;
      around.mistakes.error("manifest/wrong-kind", value.span, message, 'Write its JSON as a text: \'["a", "b"]\'.');
      return [];
    }
    const text = readGrantValue(value, `the setting ${named(key)}`, example, around);
    return text === undefined ? [] : [{ name: key, value: text, span: keySpan, valueSpan: value.span }];
  });
}

const BOUND_NAMES: Readonly<Record<ResourceKind, string>> = {
  keyvalue: "name of a bucket",
  blobs: "name of a container",
  messaging: "name of a topic",
  sql: "name of a database",
  files: "path",
};

function readBound(
  tree: Tree,
  kind: ResourceKind,
  what: string,
  example: string,
  around: GrantSurroundings,
): readonly BoundResource[] {
  if (tree.kind === "text") {
    const message = `\`${kind}\` of ${what} must say by which name the component asks for the resource`;
    const cure = `Write it as in \`${kind}: { default: ${/^[a-z][a-z0-9-]*$/.test(tree.value) ? tree.value.slice(0, 40) : "NAME"} }\`.`;
    around.mistakes.error("manifest/wrong-kind", tree.span, message, cure);
    return [];
  }
  return readEntries(tree, `\`${kind}\` of ${what}`, example, around.mistakes).flatMap(({ key, keySpan, value }) => {
    const isGood = isGuestName(key, keySpan, BOUND_NAMES[kind], around.mistakes);
    const resource = readResourceName(value, kind, `${named(key)} in \`${kind}\``, example, around);
    return isGood && resource !== undefined ? [{ name: key, resource, span: value.span }] : [];
  });
}
