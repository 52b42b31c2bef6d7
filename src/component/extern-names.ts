// The grammar of names: labels, and the names of imports and exports (component-model Explainer, import and export
// definitions). Linear in the length of the name.

export type ParsedName =
  | { readonly kind: "plain"; readonly label: string }
  | { readonly kind: "constructor"; readonly resource: string }
  | { readonly kind: "method" | "static"; readonly resource: string; readonly label: string }
  | { readonly kind: "interface"; readonly version?: string | undefined };

const FIRST_WORD = "[a-z][0-9a-z]*";
const LABEL = new RegExp(`^(?:${FIRST_WORD}|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*$`);
const WORDS = new RegExp(`^${FIRST_WORD}(?:-[0-9a-z]+)*$`);

/** Whether a name is a label: words in kebab case, each in lower or upper case. */
export function isLabel(name: string): boolean {
  return LABEL.test(name);
}

/** Reads the name of an import or export; a string says what is wrong with it. */
export function parseExternName(name: string): ParsedName | string {
  if (name.startsWith("[")) return parseAnnotated(name);
  if (name.includes(":")) return parseInterfaceName(name);
  return isLabel(name) ? { kind: "plain", label: name } : `${quote(name)} is not in kebab case`;
}

function parseAnnotated(name: string): ParsedName | string {
  const close = name.indexOf("]");
  const annotation = name.slice(1, close);
  const rest = name.slice(close + 1);
  if (annotation === "constructor") {
    return isLabel(rest) ? { kind: "constructor", resource: rest } : `${quote(rest)} in ${quote(name)} is not in kebab case`;
  }
  if (annotation !== "method" && annotation !== "static") return `${quote(name)} has an unknown annotation`;
  const dot = rest.indexOf(".");
  if (dot < 0) return `${quote(name)} needs a resource and a name with a \`.\` between them`;
  const [resource, label] = [rest.slice(0, dot), rest.slice(dot + 1)];
  const wrong = [resource, label].find((part) => !isLabel(part));
  return wrong === undefined ? { kind: annotation, resource, label } : `${quote(wrong)} in ${quote(name)} is not in kebab case`;
}

/** `namespace:package/interface@version`. */
export function parseInterfaceName(name: string): Extract<ParsedName, { kind: "interface" }> | string {
  const at = name.indexOf("@");
  const path = at < 0 ? name : name.slice(0, at);
  const colon = path.indexOf(":");
  const slash = path.indexOf("/");
  if (colon < 0 || slash < colon) return `${quote(name)} is not the name of an interface: namespace:package/interface`;
  const [namespace, pack, label] = [path.slice(0, colon), path.slice(colon + 1, slash), path.slice(slash + 1)];
  for (const part of [namespace, pack])
    if (!WORDS.test(part)) return `${quote(part)} in ${quote(name)} is not in lower kebab case`;
  if (!isLabel(label)) return `${quote(label)} in ${quote(name)} is not in kebab case`;
  if (at < 0) return { kind: "interface" };
  const version = name.slice(at + 1);
  if (!isSemver(version) && !isCanonicalVersion(version)) return `${quote(version)} in ${quote(name)} is not a version`;
  return { kind: "interface", version };
}

const NUMBER = "(?:0|[1-9][0-9]*)";
const SEMVER = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-((?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\\.(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

/** A version as semver.org defines it. */
export function isSemver(version: string): boolean {
  return SEMVER.test(version);
}

/** The part of a version that decides compatibility: `1`, `0.2`, `0.0.3`, `0.0.0`. */
export function isCanonicalVersion(version: string): boolean {
  return /^(?:[1-9][0-9]*|0\.[1-9][0-9]*|0\.0\.[1-9][0-9]*|0\.0\.0)$/.test(version);
}

/** Two names clash exactly when their keys are equal (strong uniqueness). */
export function uniquenessKey(name: string): string {
  const lower = name.toLowerCase();
  const rest = lower.startsWith("[constructor]") ? undefined : /^\[(?:method|static)\](.*)$/.exec(lower)?.[1];
  if (rest === undefined) return lower;
  const dot = rest.indexOf(".");
  return dot >= 0 && rest.slice(0, dot) === rest.slice(dot + 1) ? rest.slice(0, dot) : rest;
}

const LONGEST = 100;

/** A name as it is shown in an error: whole where it is short, without control characters. */
export function quote(name: string): string {
  const shown = name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name;
  return `\`${shown.replaceAll(/\p{Cc}/gu, "\uFFFD")}\``;
}
