// Reads `with:` (names with JSON values) and `parameters:`.

import { printType } from "../wit/type-text.ts";
import { PARAMETER_KEYS } from "./keys.ts";
import type { OutsideReference, Parameter, Setting } from "./manifest.ts";
import type { Mistakes } from "./mistakes.ts";
import { hasJson, jsonProblem, readType, type DeclaredTypes } from "./port-types.ts";
import { missingKey, readDescription, readEntries, readKnown, readNames, wrongKind } from "./reading.ts";
import { checkReferences, type ReferenceScope } from "./references.ts";
import { isBroken, toJson, type Entry, type Tree } from "./tree.ts";

/** The constants of `with:`; references in them are proved. */
export function readSettings(tree: Tree, what: string, scope: ReferenceScope, mistakes: Mistakes): readonly Setting[] {
  const entries = readEntries(tree, `\`with\` of ${what}`, "with: { greeting: Hello }", mistakes);
  return readNames(entries, "setting", {}, mistakes).map(({ key, keySpan, value }) => {
    checkReferences(value, scope, mistakes);
    return { name: key, value: toJson(value), span: keySpan, valueSpan: value.span };
  });
}

/** Texts of the environment and secrets may stand in defaults; `outside` takes them. */
export function readParameters(
  tree: Tree,
  scope: DeclaredTypes,
  outside: OutsideReference[],
  mistakes: Mistakes,
): readonly Parameter[] {
  const entries = readEntries(tree, "`parameters`", "parameters: { greeting: { type: string, default: Hello } }", mistakes);
  return readNames(entries, "parameter", {}, mistakes).flatMap((entry) => {
    const parameter = readParameter(entry, scope, outside, mistakes);
    return parameter === undefined ? [] : [parameter];
  });
}

function readParameter(
  entry: Entry,
  scope: DeclaredTypes,
  outside: OutsideReference[],
  mistakes: Mistakes,
): Parameter | undefined {
  const what = `the parameter \`${entry.key}\``;
  const { value } = entry;
  if (value.kind === "text") {
    const type = readType(value, what, scope, mistakes);
    return type === undefined ? undefined : { name: entry.key, type, span: entry.keySpan };
  }
  if (value.kind !== "map")
    return wrongKind(
      value,
      what,
      "a type, or a mapping with its type",
      `${entry.key}: { type: string, default: Hello }`,
      mistakes,
    );
  const keys = readKnown(value, what, PARAMETER_KEYS, mistakes);
  const typeEntry = keys.get("type");
  const description = readDescription(keys.get("description"), what, mistakes);
  if (typeEntry === undefined) {
    missingKey("type", what, entry.keySpan, "type: string", mistakes);
    return undefined;
  }
  const type = readType(typeEntry.value, what, scope, mistakes);
  if (type === undefined) return undefined;
  if (!hasJson(type)) {
    mistakes.error(
      "manifest/bad-type",
      typeEntry.value.span,
      `values for ${what} could not be written down`,
      "Use a type that has a form in JSON.",
    );
    return undefined;
  }
  const given = keys.get("default")?.value;
  if (given === undefined || isBroken(given)) return { name: entry.key, type, description, span: entry.keySpan };
  const used: OutsideReference[] = [];
  const nowhere = ": parameters cannot be made of each other";
  checkReferences(given, { parameters: undefined, outside: used, nowhere }, mistakes);
  outside.push(...used.map((reference) => ({ ...reference, parameter: entry.key })));
  const json = toJson(given);
  // What the environment says is only known when the app is started.
  const problem = used.length > 0 ? undefined : jsonProblem(type, json);
  if (problem !== undefined) {
    mistakes.error(
      "manifest/bad-default",
      given.span,
      `the default of ${what} does not fit its type \`${printType(type, 60)}\`: ${problem.message}`,
      problem.cure,
    );
  }
  return { name: entry.key, type, default: json, description, span: entry.keySpan };
}
