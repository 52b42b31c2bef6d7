// Reads `files:` of a grant: folders by the path that the component sees, each with the resource behind it. Paths are absolute, clean, and none lies
// inside another, so that every file has one path.

import type { Span } from "../base/diagnostics.ts";
import { readResourceName, type GrantSurroundings } from "./grant-names.ts";
import { FILES_GRANT_KEYS } from "./keys.ts";
import type { FilesGrant } from "./manifest.ts";
import { named, type Mistakes } from "./mistakes.ts";
import { missingKey, readBoolean, readEntries, readKnown } from "./reading.ts";
import type { Entry, Tree } from "./tree.ts";

const LONGEST_PATH = 1024;
const EXAMPLE = 'files: { "/data": data, "/in": { from: data, readonly: true } }';

export function readFilesGrant(tree: Tree, what: string, around: GrantSurroundings): readonly FilesGrant[] {
  const entries = readEntries(tree, `\`files\` of ${what}`, EXAMPLE, around.mistakes);
  const grants = entries.flatMap((entry) => readFolder(entry, around) ?? []);
  checkNesting(grants, around.mistakes);
  return grants;
}

function readFolder(entry: Entry, around: GrantSurroundings): FilesGrant | undefined {
  const { mistakes } = around;
  const { key, keySpan, value } = entry;
  const what = `${named(key)} in \`files\``;
  const isGood = isGuestPath(key, keySpan, mistakes);
  const example = '"/data": data';
  if (value.kind !== "map") {
    const resource = readResourceName(value, "files", what, example, around);
    return isGood && resource !== undefined ? { path: key, resource, readonly: false, span: keySpan } : undefined;
  }
  const keys = readKnown(value, what, FILES_GRANT_KEYS, mistakes);
  const [from, readonly] = [keys.get("from")?.value, keys.get("readonly")?.value];
  if (from === undefined) missingKey("from", what, keySpan, "{ from: data, readonly: true }", mistakes);
  const resource = from === undefined ? undefined : readResourceName(from, "files", what, example, around);
  const isReadonly =
    readonly === undefined ? false : readBoolean(readonly, `\`readonly\` of ${what}`, "readonly: true", mistakes);
  if (!isGood || resource === undefined || isReadonly === undefined) return undefined;
  return { path: key, resource, readonly: isReadonly, span: keySpan };
}

/** Whether a path can be one that a component sees: `/` or `/a/b`, nothing that could be read in two ways. */
export function isGuestPath(path: string, span: Span, mistakes: Mistakes): boolean {
  const problem = guestPathProblem(path);
  if (problem === undefined) return true;
  mistakes.error("manifest/bad-path", span, `the path ${named(path)} ${problem.message}`, problem.cure);
  return false;
}

function guestPathProblem(path: string): { readonly message: string; readonly cure: string } | undefined {
  if (path.length > LONGEST_PATH)
    return { message: `may have ${LONGEST_PATH} characters, and this one has ${path.length}`, cure: "Shorten it." };
  if (/[\p{Cc}\p{Cs}]/u.test(path)) return { message: "has characters that cannot be seen", cure: "Remove them." };
  if (path.includes("${")) return { message: "cannot have `${…}` in it", cure: "Write the path out." };
  if (path.includes("\\") || /^[A-Za-z]:/.test(path))
    return { message: "is one of Windows, but components see paths with `/`", cure: "Write it as in `/data`." };
  if (!path.startsWith("/")) {
    const bare = path.replace(/^(?:\.?\.?\/|~\/?)+/, "").slice(0, 60);
    return { message: "is not absolute, as the paths that components see are", cure: `Write \`/${bare}\`.` };
  }
  const parts = path.slice(1).split("/");
  if (path !== "/" && parts.some((part) => part === "" || part === "." || part === "..")) {
    const clean = parts.filter((part) => part !== "" && part !== ".");
    const cure = clean.includes("..") ? "Write it without `..`." : `Write \`/${clean.join("/").slice(0, 100)}\`.`;
    return { message: "has parts that are empty, `.` or `..`", cure };
  }
  return undefined;
}

function checkNesting(grants: readonly FilesGrant[], mistakes: Mistakes): void {
  const paths = new Map(grants.map((grant) => [grant.path, grant]));
  for (const { path, span } of grants) {
    for (let end = path.lastIndexOf("/"); end >= 0; end = path.lastIndexOf("/", end - 1)) {
      const outer = path.slice(0, end) || "/";
      if (outer !== path && paths.has(outer)) {
        const message = `the path \`${path}\` lies inside \`${outer}\`, so it would hide what is there`;
        mistakes.error("manifest/bad-path", span, message, "Use paths that do not lie inside each other.");
        break;
      }
      if (end === 0) break;
    }
  }
}
