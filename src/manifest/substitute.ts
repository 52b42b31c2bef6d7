// Fills a manifest's `${config.…}` with the settings that its user gives, and its `${env.…}` and `${secret.…}` with what whoever starts it has:
// constants of nodes and components, defaults of ports, texts in flows, resources, grants and triggers. What is filled in is bounded in all, so
// that apps inside apps cannot unfold a few lines into gigabytes.

import type { Diagnostic, Span } from "../base/diagnostics.ts";
import { printType } from "../wit/type-text.ts";
import { fillFlow } from "./fill-flow.ts";
import { fillGrants, fillResource, fillTrigger } from "./fill-grants.ts";
import { Filling, LARGEST_FILLING } from "./filling.ts";
import type { InputPort, Json, Manifest, OperationDeclaration, Parameter, Setting } from "./manifest.ts";
import { listed, Mistakes, named } from "./mistakes.ts";
import { jsonOfText, outsideIn, OutsideTexts, type Outside, type OutsideState } from "./outside.ts";
import { jsonProblem, meantName, withoutOption } from "./port-types.ts";
import { hasReferences, segmentsOf } from "./references.ts";
import { checkPort } from "./rules.ts";
import { sampleOf } from "./sample.ts";

/** Settings as a manifest gives them to a component it uses, and the place to show where one is missing. */
export interface GivenSettings {
  readonly values: readonly Setting[];
  readonly span: Span;
}

/** What `substitute` knows while it fills. */
interface Context {
  readonly settings: GivenSettings | undefined;
  readonly texts: OutsideTexts;
  /** Parameters whose value holds texts from outside. */
  readonly fromOutside: ReadonlyMap<string, Exclude<OutsideState, undefined>>;
  readonly filling: Filling;
  readonly mistakes: Mistakes;
}

export interface Substituted {
  /** There where nothing is wrong. */
  readonly manifest?: Manifest | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** The secrets that stand in it now: they must be masked in all that leaves the process (`masker`). */
  readonly secrets: ReadonlySet<string>;
}

/**
 * The manifest with every reference replaced. A reference that is a whole value keeps the JSON type of the setting; inside a text it becomes text;
 * `$${` becomes `${`. Mistakes about settings have their place in the manifest that gives them; `settings` undefined: the app is started by itself,
 * and parameters without a default are shown where they are declared. No diagnostic shows a text from `outside`.
 */
export function substitute(manifest: Manifest, settings?: GivenSettings, outside: Outside = { kind: "unread" }): Substituted {
  const mistakes = new Mistakes();
  const given = new Set(settings?.values.map(({ name }) => name));
  const texts = new OutsideTexts(
    manifest,
    outside,
    ({ parameter }) => parameter === undefined || !given.has(parameter),
    mistakes,
  );
  const { values, fromOutside } = settingValues(manifest, settings, texts, mistakes);
  const filling = new Filling(values, texts);
  const context: Context = { settings, texts, fromOutside, filling, mistakes };
  const filled: Manifest = {
    ...manifest,
    components: manifest.components.map((use) => ({ ...use, with: fillSettings(use.with, context) })),
    operations: manifest.operations.map((operation) => fillOperation(operation, context)),
    resources: manifest.resources.map((resource) => fillResource(resource, filling)),
    grants: manifest.grants.map((grants) => fillGrants(grants, filling)),
    triggers: manifest.triggers.map((trigger) => fillTrigger(trigger, filling)),
  };
  if (filling.isTooLarge) {
    mistakes.error(
      "manifest/too-large",
      settings?.span ?? manifest.span,
      `with these settings the app \`${manifest.file}\` would be filled with more than ${LARGEST_FILLING} characters`,
      "Give large data as an input, not as a setting.",
    );
  }
  const diagnostics = mistakes.list();
  const { secrets } = texts;
  return mistakes.errorCount === 0 ? { manifest: Object.freeze(filled), diagnostics, secrets } : { diagnostics, secrets };
}

/** A value for every parameter that has no default, made from its type: so that an app that must be configured can be checked by itself. */
export function sampleSettings(manifest: Manifest): GivenSettings {
  const values = manifest.parameters.flatMap(({ name, type, default: given, span }): readonly Setting[] =>
    given === undefined ? [{ name, value: sampleOf(type), span, valueSpan: span }] : [],
  );
  return { values, span: manifest.span };
}

/** The value of every parameter: given, or its default. */
function settingValues(
  manifest: Manifest,
  settings: GivenSettings | undefined,
  texts: OutsideTexts,
  mistakes: Mistakes,
): { readonly values: ReadonlyMap<string, Json>; readonly fromOutside: Context["fromOutside"] } {
  const given = new Map(settings?.values.map((setting) => [setting.name, setting]));
  reportUnknown(manifest, [...given.values()], mistakes);
  const values = new Map<string, Json>();
  const fromOutside = new Map<string, Exclude<OutsideState, undefined>>();
  // A default may hold texts from outside, and `$${`; other parameters it cannot name.
  const filling = new Filling(new Map(), texts);
  for (const parameter of manifest.parameters) {
    const setting = given.get(parameter.name) ?? defaultOf(parameter, filling, texts);
    if (setting === undefined) {
      missingSetting(manifest, parameter.name, printType(parameter.type, 60), settings, parameter.span, mistakes);
      continue;
    }
    const value = setting.outside === undefined ? setting.value : outsideValue(parameter, setting.value, setting.outside);
    if (value === undefined) misfitFromOutside(parameter, setting.valueSpan, mistakes);
    else if (!given.has(parameter.name) && setting.outside === undefined) values.set(parameter.name, value);
    else if (setting.outside !== undefined || fits(manifest, setting, parameter.type, mistakes))
      values.set(parameter.name, value);
    if (setting.outside !== undefined) fromOutside.set(parameter.name, setting.outside);
  }
  return { values, fromOutside };
}

function reportUnknown(manifest: Manifest, given: readonly Setting[], mistakes: Mistakes): void {
  const names = manifest.parameters.map((parameter) => parameter.name);
  for (const setting of given) {
    if (names.includes(setting.name)) continue;
    const known = names.length === 0 ? "It has no parameters: remove the setting." : `Its parameters are ${listed(names)}.`;
    mistakes.error(
      "manifest/unknown-setting",
      setting.span,
      `the app \`${manifest.file}\` has no parameter ${named(setting.name)}`,
      meantName(setting.name, names, known),
    );
  }
}

function defaultOf({ name, default: value, span }: Parameter, filling: Filling, texts: OutsideTexts): Setting | undefined {
  if (value === undefined) return undefined;
  const outside = outsideIn(value, texts, new Map());
  return { name, value: filling.json(value), span, valueSpan: span, outside };
}

/** A value that holds texts from outside as one of the parameter's type; undefined where it is none. */
function outsideValue({ type }: Parameter, value: Json, state: "read" | "unread"): Json | undefined {
  const isText = withoutOption(type).kind === "string";
  if (state === "unread") return isText ? value : sampleOf(type);
  const json = isText || typeof value !== "string" ? value : jsonOfText(type, value);
  return json === undefined || jsonProblem(type, json) !== undefined ? undefined : json;
}

/** The value itself is not shown: it may be a secret, or tell of one. */
function misfitFromOutside({ name, type }: Parameter, span: Span, mistakes: Mistakes): void {
  mistakes.error(
    "manifest/bad-setting",
    span,
    `what the environment or the secrets give for the parameter \`${name}\` is no \`${printType(type, 60)}\``,
    "Set the variable to a value of that type, as it would be typed on a command line.",
  );
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

function fillSettings(settings: readonly Setting[], { filling, texts, fromOutside }: Context): readonly Setting[] {
  return settings.map((setting) => {
    const outside = outsideIn(setting.value, texts, fromOutside);
    const filled = { ...setting, value: filling.json(setting.value) };
    return outside === undefined ? filled : { ...filled, outside };
  });
}

function fillOperation(operation: OperationDeclaration, context: Context): OperationDeclaration {
  return {
    ...operation,
    input: operation.input?.map((port) => fillPort(port, context)),
    nodes: operation.nodes.map((node) => ({ ...node, with: fillSettings(node.with, context) })),
    flow: fillFlow(operation.flow, context.filling),
  };
}

function fillPort(port: InputPort, { settings, texts, fromOutside, filling, mistakes }: Context): InputPort {
  if (port.default === undefined || !hasReferences(port.default)) return port;
  const filled = { ...port, default: filling.json(port.default) };
  const outside = outsideIn(port.default, texts, fromOutside);
  // A setting with a mistake leaves its references where they are; that mistake was reported. What was not read cannot be checked.
  if (port.type === undefined || mistakes.errorCount > 0 || outside === "unread") return filled;
  // The default was good but for its settings, so they are shown, in the manifest that gives them.
  const place = settings === undefined ? undefined : (givenFor(port.default, settings) ?? settings.span);
  for (const { code, span, message, cure } of checkPort(filled, port.type)) {
    const shown =
      outside === "read" ? `what the environment or the secrets give for the port \`${port.name}\` breaks its rules` : message;
    mistakes.error(
      code,
      place ?? span,
      place === undefined ? shown : `with this setting ${shown}`,
      outside === "read" ? "Set the variable to another value." : place === undefined ? cure : "Change the setting.",
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
