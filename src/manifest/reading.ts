// Reads values of a tree as the kind that is expected, and says kindly what is wrong where they are not.

import type { Span } from "../base/diagnostics.ts";
import { isLabel, kebabCase, labelKey } from "../wit/labels.ts";
import { SYNONYMS, type Keys } from "./keys.ts";
import { listed, meant, named, quoted, type Mistakes } from "./mistakes.ts";
import { parseDuration, parseSize } from "./quantity.ts";
import type { Entry, MapTree, TextTree, Tree } from "./tree.ts";

const LONGEST_NAME = 128;

/** What a value is, in words. */
export function describe(tree: Tree): string {
  switch (tree.kind) {
    case "text":
      return `the text ${quoted(tree.value)}`;
    case "number":
      return `the number ${tree.value}`;
    case "boolean":
      return String(tree.value);
    case "null":
      return "nothing";
    case "list":
      return "a list";
    case "map":
      return "a mapping";
    case "broken":
      return "broken";
  }
}

/** `what` must be `expected`, as in `example`. Silent where a mistake was already reported. */
export function wrongKind(tree: Tree, what: string, expected: string, example: string, mistakes: Mistakes): undefined {
  if (tree.kind === "broken") return undefined;
  const found =
    tree.kind === "null" ? `${what} has no value; ${expected} is expected` : `${what} must be ${expected}, not ${describe(tree)}`;
  mistakes.error("manifest/wrong-kind", tree.span, found, `Write it as in \`${example}\`.`);
  return undefined;
}

export function readText(tree: Tree, what: string, example: string, mistakes: Mistakes): TextTree | undefined {
  if (tree.kind === "text") return tree;
  if (tree.kind !== "number" && tree.kind !== "boolean") return wrongKind(tree, what, "text", example, mistakes);
  const written = tree.span.source.text.slice(tree.span.start, tree.span.end);
  mistakes.error(
    "manifest/wrong-kind",
    tree.span,
    `${what} must be text, not ${describe(tree)}`,
    `Put it in quotes if it is meant as text: "${written.slice(0, 60)}".`,
  );
  return undefined;
}

/** Text for people, of any kind that can be read as text; absent where it is not given. */
export function readDescription(entry: Entry | undefined, what: string, mistakes: Mistakes): string | undefined {
  if (entry === undefined) return undefined;
  return readText(entry.value, `the description of ${what}`, "description: Greets people.", mistakes)?.value.trim();
}

export function readBoolean(tree: Tree, what: string, example: string, mistakes: Mistakes): boolean | undefined {
  return tree.kind === "boolean" ? tree.value : wrongKind(tree, what, "true or false", example, mistakes);
}

/** A whole number in a range (both ends included). */
export function readInteger(
  tree: Tree,
  what: string,
  least: number,
  most: number,
  example: string,
  mistakes: Mistakes,
): number | undefined {
  if (tree.kind !== "number") return wrongKind(tree, what, "a whole number", example, mistakes);
  if (Number.isInteger(tree.value) && tree.value >= least && tree.value <= most) return tree.value;
  mistakes.error(
    "manifest/bad-value",
    tree.span,
    `${what} must be a whole number from ${least} to ${most}, not ${tree.value}`,
    `Write it as in \`${example}\`.`,
  );
  return undefined;
}

/** One of a few words; `synonyms` are what other formats call them. */
export function readChoice<T extends string>(
  tree: Tree,
  what: string,
  choices: readonly T[],
  synonyms: Readonly<Record<string, T>>,
  mistakes: Mistakes,
): T | undefined {
  if (tree.kind !== "text") return wrongKind(tree, what, `one of ${listed(choices)}`, choices[0] ?? "", mistakes);
  const { value } = tree;
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const lower = value.toLowerCase();
  const probable =
    choices.find((choice) => choice.toLowerCase() === lower) ??
    (Object.hasOwn(synonyms, lower) ? synonyms[lower] : undefined) ??
    meant(value, choices);
  mistakes.error(
    "manifest/bad-value",
    tree.span,
    `${what} cannot be ${quoted(value)}`,
    probable === undefined ? `Write one of ${listed(choices)}.` : `Did you mean ${named(probable)}?`,
  );
  return undefined;
}

/** Milliseconds. */
export function readDuration(tree: Tree, what: string, example: string, least: number, mistakes: Mistakes): number | undefined {
  if (tree.kind !== "text" && tree.kind !== "number") return wrongKind(tree, what, "a duration", example, mistakes);
  const quantity = parseDuration(tree.value);
  if ("value" in quantity) {
    if (quantity.value >= least) return quantity.value;
    mistakes.error(
      "manifest/bad-quantity",
      tree.span,
      `${what} must be at least ${least}ms`,
      `Write it as in \`${example}\`, or remove it.`,
    );
    return undefined;
  }
  mistakes.error("manifest/bad-quantity", tree.span, `${what}: ${quantity.message}`, quantity.cure);
  return undefined;
}

/** Bytes, a whole number. */
export function readSize(
  tree: Tree,
  what: string,
  example: string,
  least: string,
  most: string,
  mistakes: Mistakes,
): number | undefined {
  if (tree.kind !== "text" && tree.kind !== "number") return wrongKind(tree, what, "a size", example, mistakes);
  const quantity = parseSize(tree.value);
  if (!("value" in quantity)) {
    mistakes.error("manifest/bad-quantity", tree.span, `${what}: ${quantity.message}`, quantity.cure);
    return undefined;
  }
  if (quantity.value >= bytesOf(least) && quantity.value <= bytesOf(most)) return quantity.value;
  const message = `${what} must be from ${least} to ${most}, not \`${tree.value}\``;
  mistakes.error("manifest/bad-quantity", tree.span, message, `Write it as in \`${example}\`, or remove it.`);
  return undefined;
}

function bytesOf(size: string): number {
  const quantity = parseSize(size);
  return "value" in quantity ? quantity.value : 0;
}

/** The items of a list; nothing at all is an empty one. */
export function readItems(tree: Tree, what: string, expected: string, example: string, mistakes: Mistakes): readonly Tree[] {
  if (tree.kind === "list") return tree.items;
  if (tree.kind !== "null") wrongKind(tree, what, expected, example, mistakes);
  return [];
}

/** A text, or a number or truth value as it is written: where only texts are meant, `8080` needs no quotes. */
export function readWritten(tree: Tree, what: string, example: string, mistakes: Mistakes): string | undefined {
  if (tree.kind === "text") return tree.value;
  if (tree.kind === "number" || tree.kind === "boolean") return tree.span.source.text.slice(tree.span.start, tree.span.end);
  return wrongKind(tree, what, "a text", example, mistakes);
}

/** The entries of a mapping with free keys; nothing at all is an empty one. */
export function readEntries(tree: Tree, what: string, example: string, mistakes: Mistakes): readonly Entry[] {
  if (tree.kind === "map") return tree.entries;
  if (tree.kind !== "null") wrongKind(tree, what, "a mapping", example, mistakes);
  return [];
}

/**
 * A mapping with known keys. Unknown ones are mistakes, and those not built yet say so. What a mistyped key was meant as is read too, so that it
 * is not also missed, and mistakes inside it are told at once.
 */
export function readKnown(tree: MapTree, what: string, keys: Keys, mistakes: Mistakes): ReadonlyMap<string, Entry> {
  const known = new Map<string, Entry>();
  const mistyped = new Map<string, Entry>();
  for (const entry of tree.entries) {
    const info = Object.hasOwn(keys, entry.key) ? keys[entry.key] : undefined;
    if (info === undefined) {
      const probable = probableKey(entry.key, keys);
      unknownKey(entry, probable, what, keys, mistakes);
      if (probable !== undefined && keys[probable]?.later === undefined) mistyped.set(probable, entry);
    } else if (info.later === undefined) known.set(entry.key, entry);
    else
      mistakes.error(
        "manifest/not-supported-yet",
        entry.keySpan,
        `${named(entry.key)} in ${what} is planned, but not supported yet`,
        info.later,
      );
  }
  return new Map([...mistyped, ...known]);
}

function probableKey(key: string, keys: Keys): string | undefined {
  const synonym = synonymOf(key);
  return meant(key, Object.keys(keys)) ?? (synonym !== undefined && Object.hasOwn(keys, synonym) ? synonym : undefined);
}

function unknownKey(entry: Entry, probable: string | undefined, what: string, keys: Keys, mistakes: Mistakes): void {
  const built = Object.entries(keys).flatMap(([key, info]) => (info.later === undefined ? [key] : []));
  mistakes.error(
    "manifest/unknown-key",
    entry.keySpan,
    `${what} has no key ${named(entry.key)}`,
    probable === undefined ? `Remove it; the keys here are ${listed(built)}.` : `Did you mean ${named(probable)}?`,
  );
}

function synonymOf(word: string): string | undefined {
  const kebab = kebabCase(word) ?? "";
  return Object.hasOwn(SYNONYMS, kebab) ? SYNONYMS[kebab] : undefined;
}

/** Reports a key that must be there. */
export function missingKey(key: string, what: string, span: Span, example: string, mistakes: Mistakes): void {
  mistakes.error("manifest/missing-key", span, `${what} has no \`${key}\``, `Add it, as in \`${example}\`.`);
}

/** Proves the names of a mapping: labels of WIT (kebab case), different in more than case, none of `reserved`. Answers the good ones. */
export function readNames(
  entries: readonly Entry[],
  what: string,
  reserved: Readonly<Record<string, string>>,
  mistakes: Mistakes,
): readonly Entry[] {
  const seen = new Map<string, string>();
  return entries.filter((entry) => {
    if (!isGoodName(entry.key, entry.keySpan, what, reserved, mistakes)) return false;
    const other = seen.get(labelKey(entry.key));
    if (other !== undefined) {
      mistakes.error(
        "manifest/duplicate-name",
        entry.keySpan,
        `the ${what}s ${named(other)} and ${named(entry.key)} differ only in case`,
        "Give one of them another name.",
      );
      return false;
    }
    seen.set(labelKey(entry.key), entry.key);
    return true;
  });
}

function isGoodName(
  name: string,
  span: Span,
  what: string,
  reserved: Readonly<Record<string, string>>,
  mistakes: Mistakes,
): boolean {
  if (name.length > LONGEST_NAME) {
    mistakes.error(
      "manifest/bad-name",
      span,
      `the name of ${a(what)} may have ${LONGEST_NAME} characters, and this one has ${name.length}`,
      "Shorten it.",
    );
    return false;
  }
  if (!isLabel(name)) {
    // Only letters that a name can keep: `über` is not helped by `ber`.
    const kebab = /^[\x20-\x7e]*$/.test(name) ? kebabCase(name) : undefined;
    mistakes.error(
      "manifest/bad-name",
      span,
      `${quoted(name)} cannot be the name of ${a(what)}: names are lower-case words of the letters a-z and digits, joined by hyphens, and start with a letter`,
      kebab === undefined || kebab === name ? "Write it as in `first-name`." : `Write ${named(kebab)}.`,
    );
    return false;
  }
  const reason = Object.hasOwn(reserved, name) ? reserved[name] : undefined;
  if (reason === undefined) return true;
  mistakes.error("manifest/bad-name", span, `the ${what} name \`${name}\` is reserved: ${reason}`, "Choose another name.");
  return false;
}

/** "an operation", "a port". */
function a(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}
