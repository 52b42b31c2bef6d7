// Fills a manifest's `${config.…}` with the settings that its user gives: constants of nodes and components, defaults of ports, texts in flows.
// What is filled in is bounded in all, so that apps inside apps cannot unfold a few lines into gigabytes.

import type { Diagnostic, Span } from "../base/diagnostics.ts";
import { printType } from "../wit/type-text.ts";
import { fillFlow } from "./fill-flow.ts";
import { Filling, LARGEST_FILLING } from "./filling.ts";
import type { InputPort, Json, Manifest, OperationDeclaration, Setting } from "./manifest.ts";
import { listed, Mistakes, named } from "./mistakes.ts";
import { jsonProblem, meantName } from "./port-types.ts";
import { hasReferences, segmentsOf } from "./references.ts";
import { checkPort } from "./rules.ts";
import { sampleOf } from "./sample.ts";

/** Settings as a manifest gives them to a component it uses, and the place to show where one is missing. */
export interface GivenSettings {
  readonly values: readonly Setting[];
  readonly span: Span;
}

/**
 * The manifest with every reference replaced. A reference that is a whole value keeps the JSON type of the setting; inside a text it becomes text;
 * `$${` becomes `${`. Mistakes about settings have their place in the manifest that gives them; `settings` undefined: the app is started by itself,
 * and parameters without a default are shown where they are declared. The manifest is there where there are no mistakes.
 */
export function substitute(
  manifest: Manifest,
  settings?: GivenSettings,
): { readonly manifest?: Manifest | undefined; readonly diagnostics: readonly Diagnostic[] } {
  const mistakes = new Mistakes();
  const values = settingValues(manifest, settings, mistakes);
  const filling = new Filling(values);
  const filled: Manifest = {
    ...manifest,
    components: manifest.components.map((use) => ({ ...use, with: fillSettings(use.with, filling) })),
    operations: manifest.operations.map((operation) => fillOperation(operation, filling, settings, mistakes)),
  };
  if (filling.isTooLarge) {
    mistakes.error(
      "manifest/too-large",
      settings?.span ?? manifest.span,
      `with these settings the app \`${manifest.file}\` would be filled with more than ${LARGEST_FILLING} characters`,
      "Give large data as an input, not as a setting.",
    );
  }
  return mistakes.errorCount === 0
    ? { manifest: Object.freeze(filled), diagnostics: mistakes.list() }
    : { diagnostics: mistakes.list() };
}

/** A value for every parameter that has no default, made from its type: so that an app that must be configured can be checked by itself. */
export function sampleSettings(manifest: Manifest): GivenSettings {
  const values = manifest.parameters.flatMap(({ name, type, default: given, span }): readonly Setting[] =>
    given === undefined ? [{ name, value: sampleOf(type), span, valueSpan: span }] : [],
  );
  return { values, span: manifest.span };
}

/** The value of every parameter: given, or its default. */
function settingValues(manifest: Manifest, settings: GivenSettings | undefined, mistakes: Mistakes): ReadonlyMap<string, Json> {
  const given = new Map(settings?.values.map((setting) => [setting.name, setting]));
  const names = manifest.parameters.map((parameter) => parameter.name);
  for (const setting of given.values()) {
    if (names.includes(setting.name)) continue;
    const known = names.length === 0 ? "It has no parameters: remove the setting." : `Its parameters are ${listed(names)}.`;
    mistakes.error(
      "manifest/unknown-setting",
      setting.span,
      `the app \`${manifest.file}\` has no parameter ${named(setting.name)}`,
      meantName(setting.name, names, known),
    );
  }
  const values = new Map<string, Json>();
  for (const parameter of manifest.parameters) {
    const setting = given.get(parameter.name);
    const value = setting === undefined ? parameter.default : setting.value;
    if (value === undefined)
      missingSetting(manifest, parameter.name, printType(parameter.type, 60), settings, parameter.span, mistakes);
    else if (setting === undefined || fits(manifest, setting, parameter.type, mistakes)) values.set(parameter.name, value);
  }
  return values;
}

function missingSetting(
  manifest: Manifest,
  name: string,
  type: string,
  settings: GivenSettings | undefined,
  declared: Span,
  mistakes: Mistakes,
): void {
  const message = `the parameter \`${name}\` of the app \`${manifest.file}\` has no default, and no value is given for it`;
  const cure =
    settings === undefined
      ? "Give it a `default`, or use the app from another one that sets it."
      : `Add \`with: { ${name}: … }\`, a \`${type}\`, to the component.`;
  mistakes.error("manifest/missing-setting", settings?.span ?? declared, message, cure);
}

function fits(manifest: Manifest, setting: Setting, type: Parameters<typeof jsonProblem>[0], mistakes: Mistakes): boolean {
  const problem = jsonProblem(type, setting.value);
  if (problem === undefined) return true;
  mistakes.error(
    "manifest/bad-setting",
    setting.valueSpan,
    `the setting \`${setting.name}\` does not fit the parameter of the app \`${manifest.file}\`: ${problem.message}`,
    problem.cure,
  );
  return false;
}

function fillSettings(settings: readonly Setting[], filling: Filling): readonly Setting[] {
  return settings.map((setting) => ({ ...setting, value: filling.json(setting.value) }));
}

function fillOperation(
  operation: OperationDeclaration,
  filling: Filling,
  settings: GivenSettings | undefined,
  mistakes: Mistakes,
): OperationDeclaration {
  return {
    ...operation,
    input: operation.input?.map((port) => fillPort(port, filling, settings, mistakes)),
    nodes: operation.nodes.map((node) => ({ ...node, with: fillSettings(node.with, filling) })),
    flow: fillFlow(operation.flow, filling),
  };
}

function fillPort(port: InputPort, filling: Filling, settings: GivenSettings | undefined, mistakes: Mistakes): InputPort {
  if (port.default === undefined || !hasReferences(port.default)) return port;
  const filled = { ...port, default: filling.json(port.default) };
  // A setting with a mistake leaves its references where they are; that mistake was reported.
  if (port.type === undefined || mistakes.errorCount > 0) return filled;
  // The default was good but for its settings, so they are shown, in the manifest that gives them.
  const place = settings === undefined ? undefined : (givenFor(port.default, settings) ?? settings.span);
  for (const { code, span, message, cure } of checkPort(filled, port.type)) {
    mistakes.error(
      code,
      place ?? span,
      place === undefined ? message : `with this setting ${message}`,
      place === undefined ? cure : "Change the setting.",
    );
  }
  return filled;
}

/** Where the first setting that a value refers to is given. */
function givenFor(value: Json, settings: GivenSettings): Span | undefined {
  if (typeof value === "string") {
    const names = segmentsOf(value).flatMap((segment) => (segment.kind === "config" ? [segment.name] : []));
    return settings.values.find((setting) => names.includes(setting.name))?.valueSpan;
  }
  if (value === null || typeof value !== "object") return undefined;
  for (const part of Object.values(value)) {
    const found = givenFor(part, settings);
    if (found !== undefined) return found;
  }
  return undefined;
}
