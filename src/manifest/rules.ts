// The rules of input ports: read from the manifest, and checked for sense against the type, here or once the flow has told it.

import type { Diagnostic, Span } from "../base/diagnostics.ts";
import { BIG_INTEGERS, isBigInteger, isSmallInteger, SMALL_INTEGERS } from "../wit/numeric.ts";
import { printType } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import type { Format } from "./formats.ts";
import type { InputPort, Json, SanitizationRules } from "./manifest.ts";
import { Mistakes, written } from "./mistakes.ts";
import { compilePattern } from "./pattern.ts";
import { hasJson, jsonProblem, leafType, ruledType, withoutOption } from "./port-types.ts";
import { readBoolean, readChoice, wrongKind } from "./reading.ts";
import { hasReferences } from "./references.ts";
import { sanitizer } from "./sanitize.ts";
import { toJson, type Entry, type Tree } from "./tree.ts";

type Normalization = NonNullable<SanitizationRules["normalize"]>;

const NORMALIZATIONS: readonly Normalization[] = ["NFC", "NFD", "NFKC", "NFKD"];
const FORMAT_NAMES: readonly Format[] = ["email", "uri", "uuid", "date-time", "hostname", "ip"];
const MOST_CHOICES = 1000;

/** What other formats call the formats. */
const FORMAT_SYNONYMS: Readonly<Record<string, Format>> = {
  url: "uri",
  "e-mail": "email",
  mail: "email",
  date: "date-time",
  time: "date-time",
  datetime: "date-time",
  iso8601: "date-time",
  rfc3339: "date-time",
  guid: "uuid",
  host: "hostname",
  domain: "hostname",
  ipv4: "ip",
  ipv6: "ip",
};

/** Reads the rules of a port; wrong ones are reported and left out. */
export function readRules(keys: ReadonlyMap<string, Entry>, port: string, mistakes: Mistakes): SanitizationRules {
  const at = (key: string): Tree | undefined => keys.get(key)?.value;
  const flag = (key: "trim" | "lowercase" | "uppercase"): boolean | undefined =>
    read(at(key), (tree) => readBoolean(tree, `\`${key}\` of ${port}`, `${key}: true`, mistakes));
  const rules = {
    trim: flag("trim"),
    lowercase: flag("lowercase"),
    uppercase: flag("uppercase"),
    normalize: read(at("normalize"), (tree) => readChoice(tree, `\`normalize\` of ${port}`, NORMALIZATIONS, {}, mistakes)),
    min: read(at("min"), (tree) => readNumber(tree, `\`min\` of ${port}`, "min: 1", mistakes)),
    max: read(at("max"), (tree) => readNumber(tree, `\`max\` of ${port}`, "max: 80", mistakes)),
    pattern: read(at("pattern"), (tree) => readPatternText(tree, port, mistakes)),
    format: read(at("format"), (tree) => readChoice(tree, `\`format\` of ${port}`, FORMAT_NAMES, FORMAT_SYNONYMS, mistakes)),
    oneOf: read(at("one-of"), (tree) => readChoices(tree, port, mistakes)),
  };
  checkContradictions(rules, keys, port, mistakes);
  return rules;
}

function read<T>(tree: Tree | undefined, reader: (tree: Tree) => T | undefined): T | undefined {
  return tree === undefined ? undefined : reader(tree);
}

function readNumber(tree: Tree, what: string, example: string, mistakes: Mistakes): number | undefined {
  return tree.kind === "number" ? tree.value : wrongKind(tree, what, "a number", example, mistakes);
}

function readPatternText(tree: Tree, port: string, mistakes: Mistakes): string | undefined {
  if (tree.kind === "list" || tree.kind === "map") {
    return wrongKind(tree, `\`pattern\` of ${port}`, "text", "pattern: '[a-z]+'", mistakes);
  }
  if (tree.kind !== "text") return wrongKind(tree, `\`pattern\` of ${port}`, "text", "pattern: '[a-z]+'", mistakes);
  const compiled = compilePattern(tree.value);
  if ("pattern" in compiled) return tree.value;
  const { message, cure, start, end } = compiled.problem;
  mistakes.error("manifest/bad-pattern", tree.place(start, end), message, cure);
  return undefined;
}

function readChoices(tree: Tree, port: string, mistakes: Mistakes): readonly Json[] | undefined {
  const what = `\`one-of\` of ${port}`;
  if (tree.kind !== "list") return wrongKind(tree, what, "a list of the allowed values", "one-of: [ de, en ]", mistakes);
  if (tree.items.length === 0 || tree.items.length > MOST_CHOICES) {
    mistakes.error(
      "manifest/bad-rule",
      tree.span,
      `${what} has ${tree.items.length} values, and needs 1 to ${MOST_CHOICES}`,
      "List the allowed values, or remove the rule.",
    );
    return undefined;
  }
  return tree.items.map(toJson);
}

function checkContradictions(rules: SanitizationRules, keys: ReadonlyMap<string, Entry>, port: string, mistakes: Mistakes): void {
  const span = (key: string): Span | undefined => keys.get(key)?.value.span;
  const [max, uppercase] = [span("max"), span("uppercase")];
  if (rules.min !== undefined && rules.max !== undefined && rules.max < rules.min && max !== undefined) {
    mistakes.error(
      "manifest/bad-rule",
      max,
      `no value of ${port} can be at least ${rules.min} and at most ${rules.max}`,
      "Make `max` the greater one.",
    );
  }
  if (rules.lowercase === true && rules.uppercase === true && uppercase !== undefined) {
    mistakes.error(
      "manifest/bad-rule",
      uppercase,
      `${port} cannot be made both lower case and upper case`,
      "Remove `lowercase` or `uppercase`.",
    );
  }
}

/**
 * What is wrong with a port's rules and default once its type is known: rules that do not fit the type, a default that does not fit the type or
 * the rules. `parseManifest` does it for declared types; call it for types that the flow tells, after `substitute` (`isFilled`).
 */
export function checkPort(port: InputPort, type: ValType, isFilled = true): readonly Diagnostic[] {
  const mistakes = new Mistakes();
  checkRules(port, type, mistakes);
  const isKnown = port.default !== undefined && (isFilled || !hasReferences(port.default));
  if (isKnown && mistakes.errorCount === 0) checkDefault(port, type, mistakes);
  return mistakes.list();
}

function checkRules(port: InputPort, type: ValType, mistakes: Mistakes): void {
  const shown = `\`${printType(type, 60)}\``;
  const misfit = (key: string, needs: string): void => {
    const span = port.keySpans.get(key) ?? port.span;
    mistakes.error(
      "manifest/bad-rule",
      span,
      `\`${key}\` is a rule for ${needs}, but the port \`${port.name}\` is a ${shown}`,
      `Remove \`${key}\`, or change the type.`,
    );
  };
  const isText = leafType(type).kind === "string";
  for (const key of ["trim", "lowercase", "uppercase", "normalize", "pattern", "format"] as const) {
    if (port.rules[key] !== undefined && !isText) misfit(key, "texts and lists of texts");
  }
  for (const key of ["min", "max"] as const) checkBound(port, key, type, misfit, mistakes);
  for (const choice of port.rules.oneOf ?? []) {
    const problem = jsonProblem(leafType(type), choice);
    if (problem !== undefined) {
      mistakes.error(
        "manifest/bad-rule",
        port.keySpans.get("one-of") ?? port.span,
        `\`one-of\` of the port \`${port.name}\` has a value that can never come: ${problem.message}`,
        problem.cure,
      );
    }
  }
}

function checkBound(
  port: InputPort,
  key: "min" | "max",
  type: ValType,
  misfit: (key: string, needs: string) => void,
  mistakes: Mistakes,
): void {
  const bound = port.rules[key];
  if (bound === undefined) return;
  const inner = withoutOption(ruledType(type));
  const span = port.keySpans.get(key) ?? port.span;
  if (inner.kind === "string" || inner.kind === "list" || inner.kind === "map") {
    if (Number.isInteger(bound) && bound >= 0) return;
    mistakes.error(
      "manifest/bad-rule",
      span,
      `\`${key}\` of a \`${printType(type, 60)}\` is a length, which cannot be ${bound}`,
      `Write a whole number, as in \`${key}: 80\`.`,
    );
    return;
  }
  const range = isSmallInteger(inner.kind)
    ? SMALL_INTEGERS[inner.kind]
    : isBigInteger(inner.kind)
      ? BIG_INTEGERS[inner.kind]
      : undefined;
  if (range === undefined) {
    if (inner.kind !== "f32" && inner.kind !== "f64") misfit(key, "numbers, texts, lists and maps");
    return;
  }
  const isEmpty = key === "min" ? bound > range.max : bound < range.min;
  if (isEmpty) {
    mistakes.error(
      "manifest/bad-rule",
      span,
      `no \`${inner.kind}\` is ${key === "min" ? "at least" : "at most"} ${bound}: they go from ${range.min} to ${range.max}`,
      `Change \`${key}\`, or the type.`,
    );
  }
}

function checkDefault(port: InputPort, type: ValType, mistakes: Mistakes): void {
  if (port.default === undefined) return;
  const span = port.keySpans.get("default") ?? port.span;
  const problem = jsonProblem(type, port.default);
  if (problem !== undefined) {
    mistakes.error(
      "manifest/bad-default",
      span,
      `the default of the port \`${port.name}\` does not fit its type \`${printType(type, 60)}\`: ${problem.message}`,
      problem.cure,
    );
    return;
  }
  if (!hasJson(type)) return;
  const sanitized = sanitizer(port, type)(undefined);
  if (!("violations" in sanitized)) return;
  const [first] = sanitized.violations;
  mistakes.error(
    "manifest/bad-default",
    span,
    `the default of the port \`${port.name}\`, ${written(port.default)}, breaks its own rule \`${first?.rule ?? ""}\`: ${first?.message ?? ""}`,
    "Change the default or the rule.",
  );
}
