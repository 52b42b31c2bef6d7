// Texts from outside a manifest: variables of the environment and secrets. They are read once, for the manifest that the user starts, and never
// shown: not in messages, and secrets not in anything that leaves the process (`masker`).

import { StarlaneError } from "../base/errors.ts";
import { fromText } from "../wit/from-text.ts";
import { toJson } from "../wit/json.ts";
import type { ValType } from "../wit/types.ts";
import type { Json, Manifest, OutsideReference } from "./manifest.ts";
import type { Mistakes } from "./mistakes.ts";
import { segmentsOf } from "./references.ts";

/** What a name stands for; undefined: it is not set. */
export type Lookup = (name: string) => string | undefined;

/** Where `${env.…}` and `${secret.…}` come from. */
export type Outside =
  /** The app is started: what is not set is a mistake. */
  | { readonly kind: "read"; readonly env: Lookup; readonly secrets: Lookup }
  /** The app is only checked: they stay as they are written. */
  | { readonly kind: "unread" }
  /** Another app uses it: they are mistakes. */
  | { readonly kind: "dependency" };

/** Whether a value holds texts from outside, and whether all of them were read. */
export type OutsideState = "read" | "unread" | undefined;

/** The texts of one manifest. */
export class OutsideTexts {
  /** All that must be masked. */
  readonly secrets = new Set<string>();
  readonly #values = new Map<string, string>();

  /** Reports what is not set, and what stands in a manifest where nothing is read; `isNeeded` says so of a reference. */
  constructor(manifest: Manifest, outside: Outside, isNeeded: (reference: OutsideReference) => boolean, mistakes: Mistakes) {
    for (const reference of manifest.outside) {
      if (!isNeeded(reference)) continue;
      if (outside.kind === "dependency") inDependency(manifest, reference, mistakes);
      if (outside.kind === "read") this.#read(reference, outside, mistakes);
    }
  }

  #read(reference: OutsideReference, { env, secrets }: Outside & { kind: "read" }, mistakes: Mistakes): void {
    const { kind, name, fallback, span } = reference;
    const found = kind === "env" ? env(name) : secrets(name);
    const value = fallback !== undefined && (found === undefined || found === "") ? fallback : found;
    if (value === undefined) {
      const message =
        kind === "env" ? `the variable \`${name}\` of the environment is not set` : `the secret \`${name}\` is not set`;
      const cure =
        kind === "env"
          ? `Set it before starting the app, or write what stands for it: \`\${env.${name.slice(0, 60)}:-default}\`.`
          : "Set it where the secrets are kept.";
      mistakes.error("manifest/unset-variable", span, message, cure);
      return;
    }
    this.#values.set(keyOf(reference), value);
    if (kind === "secret" && value !== "") this.secrets.add(value);
  }

  /** The text of a reference; undefined where it was not read. */
  textOf(reference: Pick<OutsideReference, "kind" | "name" | "fallback">): string | undefined {
    return this.#values.get(keyOf(reference));
  }
}

function keyOf({ kind, name, fallback }: Pick<OutsideReference, "kind" | "name" | "fallback">): string {
  return JSON.stringify([kind, name, fallback]);
}

function inDependency(manifest: Manifest, { kind, name, parameter, span }: OutsideReference, mistakes: Mistakes): void {
  const reference = `\${${kind}.${name.slice(0, 60)}}`;
  mistakes.error(
    "manifest/bad-reference",
    span,
    `\`${reference}\` is not replaced here: another app uses \`${manifest.file}\`, and only the manifest that is started reads the ${kind === "env" ? "environment" : "secrets"}`,
    `${parameter === undefined ? "Make it the default of a parameter, and give that" : "Give the parameter"} where the app is used: \`with: { ${parameter ?? "NAME"}: "${reference}" }\`.`,
  );
}

/** Whether a value that is not yet filled holds references to texts from outside, directly or through parameters. */
export function outsideIn(
  value: Json,
  texts: OutsideTexts,
  parameters: ReadonlyMap<string, Exclude<OutsideState, undefined>>,
): OutsideState {
  if (typeof value === "string") {
    const states = segmentsOf(value).map((segment) => {
      if (segment.kind === "env" || segment.kind === "secret") return texts.textOf(segment) === undefined ? "unread" : "read";
      return segment.kind === "config" ? parameters.get(segment.name) : undefined;
    });
    return merge(states);
  }
  if (value === null || typeof value !== "object") return undefined;
  return merge(Object.values(value).map((part: Json) => outsideIn(part, texts, parameters)));
}

function merge(states: readonly OutsideState[]): OutsideState {
  return states.includes("unread") ? "unread" : states.includes("read") ? "read" : undefined;
}

/** The JSON that a text from outside means as a value of a type; undefined where it is none. */
export function jsonOfText(type: ValType, text: string): Json | undefined {
  try {
    return toJson(type, fromText(type, text));
  } catch (error) {
    if (error instanceof StarlaneError) return undefined;
    throw error;
  }
}

/** Shorter secrets are not masked: they would tear holes into every text, and tell by that what they are. */
const SHORTEST_MASKED = 4;

/** Texts in JSON stand in messages, and those in JSON again. */
const DEEPEST_JSON = 3;

/** The ways in which a secret is written: as it is, as JSON (also inside other JSON), in a URL. */
export function secretForms(secret: string): readonly string[] {
  const forms = [secret];
  for (let i = 0; i < DEEPEST_JSON; i++) forms.push(JSON.stringify(forms.at(-1)).slice(1, -1));
  return [...new Set([...forms, encodeURIComponent(secret.toWellFormed())])];
}

/** Replaces every secret in a text by `***`, in all of its forms. */
export function masker(secrets: Iterable<string>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length >= SHORTEST_MASKED) for (const form of secretForms(secret)) forms.add(form);
  }
  // The longest first: a secret that holds another one must go as a whole.
  const sorted = [...forms].toSorted((a, b) => b.length - a.length);
  return (text) => sorted.reduce((masked, form) => (masked.includes(form) ? masked.replaceAll(form, "***") : masked), text);
}
