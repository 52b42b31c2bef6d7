// Reads `resources:`: names for real things outside, each of one kind with one address. Addresses are understood by the capability that opens
// them; here only what no capability could understand is a mistake.

import { RESOURCE_KEYS } from "./keys.ts";
import type { ResourceDeclaration, ResourceKind } from "./manifest.ts";
import { listed, type Mistakes } from "./mistakes.ts";
import { normalizePath, pathProblem } from "./paths.ts";
import { readDuration, readEntries, readKnown, readNames, readText, wrongKind } from "./reading.ts";
import { checkReferences, type ReferenceScope } from "./references.ts";
import type { Entry, TextTree, Tree } from "./tree.ts";

const LONGEST_ADDRESS = 4096;

const RESOURCE_KINDS: readonly ResourceKind[] = ["keyvalue", "blobs", "messaging", "sql", "files"];

/** An address of each kind, for messages. */
export const ADDRESS_EXAMPLES: Readonly<Record<ResourceKind, string>> = {
  keyvalue: "sqlite:./data/cache.db",
  blobs: "folder:./data/images",
  messaging: "sqlite:./data/messages.db",
  sql: "sqlite:./data/app.db",
  files: "./data",
};

export function readResources(tree: Tree | undefined, scope: ReferenceScope, mistakes: Mistakes): readonly ResourceDeclaration[] {
  if (tree === undefined) return [];
  const example = 'resources: { cache: { keyvalue: "sqlite:./data/cache.db" } }';
  const entries = readEntries(tree, "`resources`", example, mistakes);
  return readNames(entries, "resource", {}, mistakes).flatMap((entry) => {
    const resource = readResource(entry, scope, mistakes);
    return resource === undefined ? [] : [resource];
  });
}

function readResource(entry: Entry, scope: ReferenceScope, mistakes: Mistakes): ResourceDeclaration | undefined {
  const what = `the resource \`${entry.key}\``;
  const { value } = entry;
  if (value.kind !== "map")
    return wrongKind(value, what, "a mapping of its kind to its address", `${entry.key}: ${probableResource(value)}`, mistakes);
  const keys = readKnown(value, what, RESOURCE_KEYS, mistakes);
  const kinds = RESOURCE_KINDS.filter((kind) => keys.has(kind));
  const [kind, second] = kinds;
  if (kind === undefined) {
    if (keys.size < value.entries.length) return undefined;
    const cure = `Add it with its address, as in \`keyvalue: "sqlite:./data/${entry.key}.db"\`; the kinds are ${listed(RESOURCE_KINDS)}.`;
    mistakes.error("manifest/missing-key", entry.keySpan, `${what} has no kind`, cure);
    return undefined;
  }
  const given = keys.get(kind);
  if (given === undefined) return undefined;
  if (second !== undefined) {
    const message = `${what} is of ${kinds.length} kinds, ${listed(kinds)}, but a resource is one thing`;
    mistakes.error("manifest/bad-value", keys.get(second)?.keySpan ?? entry.keySpan, message, "Make a resource of each.");
    return undefined;
  }
  const address = readAddress(given.value, kind, what, scope, mistakes);
  const migrations = readMigrations(keys.get("migrations"), kind, what, mistakes);
  const expireMs = readExpire(keys.get("expire"), kind, what, mistakes);
  if (address === undefined) return undefined;
  const migrationsSpan = migrations === undefined ? undefined : keys.get("migrations")?.value.span;
  return {
    name: entry.key,
    kind,
    address: address.value,
    migrations,
    migrationsSpan,
    expireMs,
    span: entry.keySpan,
    addressSpan: address.span,
  };
}

function readExpire(entry: Entry | undefined, kind: ResourceKind, what: string, mistakes: Mistakes): number | undefined {
  if (entry === undefined) return undefined;
  if (kind === "keyvalue") return readDuration(entry.value, `\`expire\` of ${what}`, "expire: 10m", 1, mistakes);
  mistakes.error(
    "manifest/bad-value",
    entry.keySpan,
    `${what} cannot expire: only entries of a key-value store do`,
    "Remove `expire`.",
  );
  return undefined;
}

/** What was meant by an address alone. */
function probableResource(tree: Tree): string {
  const address = tree.kind === "text" && !/["\\\p{Cc}]/u.test(tree.value) ? tree.value.slice(0, 100) : undefined;
  if (address === undefined) return '{ keyvalue: "sqlite:./data/cache.db" }';
  return `{ ${/^\.\.?(?:\/|$)/.test(address) ? "files" : "keyvalue"}: "${address}" }`;
}

function readAddress(
  tree: Tree,
  kind: ResourceKind,
  what: string,
  scope: ReferenceScope,
  mistakes: Mistakes,
): TextTree | undefined {
  const example = `${kind}: "${ADDRESS_EXAMPLES[kind]}"`;
  const text = readText(tree, `\`${kind}\` of ${what}`, example, mistakes);
  if (text === undefined) return undefined;
  const before = mistakes.errorCount;
  checkReferences(text, scope, mistakes);
  const problem = addressProblem(text.value, kind);
  if (problem !== undefined) {
    const code = kind === "files" ? "manifest/bad-path" : "manifest/bad-value";
    mistakes.error(code, text.span, `the address of ${what} ${problem.message}`, problem.cure);
  }
  return mistakes.errorCount === before ? text : undefined;
}

function addressProblem(address: string, kind: ResourceKind): { readonly message: string; readonly cure: string } | undefined {
  const example = `Write it as in \`${kind}: "${ADDRESS_EXAMPLES[kind]}"\``;
  if (address.trim() === "") return { message: "is empty", cure: `${example}.` };
  if (address.length > LONGEST_ADDRESS)
    return { message: `may have ${LONGEST_ADDRESS} characters, and this one has ${address.length}`, cure: "Shorten it." };
  if (/\p{Cc}/u.test(address)) return { message: "has characters that cannot be seen", cure: "Remove them." };
  // What a reference puts there is only known when the app is started.
  const start = address.split("${")[0] ?? "";
  const [isLocal, isElsewhere] = [/^\.\.?(?:\/|$)/.test(start), /^(?:\/|~|[A-Za-z]:[\\/])/.test(start)];
  if (start !== address && !isElsewhere && (kind === "files" || !isLocal)) return undefined;
  if (/^[a-z][a-z0-9+-]+:/.test(start)) return undefined;
  if (kind !== "files") {
    const cure =
      isLocal || isElsewhere
        ? `Say what is there: \`${kind === "blobs" ? "folder" : "sqlite"}:${address.slice(0, 100)}\`.`
        : `${example}, or \`memory:\`.`;
    return { message: "does not say how it is reached: it starts with no scheme", cure };
  }
  const problem = pathProblem(start === address ? address : start.slice(0, 1));
  if (problem === undefined) return undefined;
  const cure = isElsewhere
    ? "Write it relative to the folder of the manifest, as `./…`, or take it from the environment of each machine: `${env.DATA}`."
    : problem.cure;
  return { message: `is no folder: ${problem.message}`, cure };
}

function readMigrations(entry: Entry | undefined, kind: ResourceKind, what: string, mistakes: Mistakes): string | undefined {
  if (entry === undefined) return undefined;
  if (kind !== "sql") {
    const message = `${what} has \`migrations\`, which only databases have`;
    mistakes.error("manifest/bad-value", entry.keySpan, message, "Remove it, or make the resource a `sql` one.");
    return undefined;
  }
  const text = readText(entry.value, `\`migrations\` of ${what}`, "migrations: ./migrations", mistakes);
  if (text === undefined) return undefined;
  const problem = pathProblem(text.value);
  if (problem === undefined) return normalizePath(text.value);
  mistakes.error("manifest/bad-path", text.span, `\`migrations\` of ${what}: ${problem.message}`, problem.cure);
  return undefined;
}
