// `${config.NAME}`, `${env.NAME}` and `${secret.NAME}` in texts: where they stand, and whether they can be replaced. `$${` is written for a
// plain `${`.

import { printType } from "../wit/type-text.ts";
import type { Json, OutsideReference, Parameter } from "./manifest.ts";
import { listed, named, type Mistakes } from "./mistakes.ts";
import { isWritable, meantName } from "./port-types.ts";
import type { TextTree, Tree } from "./tree.ts";

/** Parameters by name; undefined are those with mistakes, which were reported where they are declared. */
export type DeclaredParameters = ReadonlyMap<string, Parameter | undefined>;

/** Which references may stand in a value, and what becomes of them. */
export interface ReferenceScope {
  /** Undefined: no `${config.…}` may stand here, for the reason given by `nowhere`. */
  readonly parameters: DeclaredParameters | undefined;
  /** Takes each `${env.…}` and `${secret.…}`; undefined: none may stand here. */
  readonly outside: OutsideReference[] | undefined;
  readonly nowhere?: string | undefined;
}

/** A piece of a text: plain, or a reference. `start` and `end` are where it is written in the text. */
export type Segment =
  | { readonly kind: "plain"; readonly text: string; readonly start: number; readonly end: number }
  | { readonly kind: "config"; readonly name: string; readonly start: number; readonly end: number }
  | {
      readonly kind: "env" | "secret";
      readonly name: string;
      /** Behind `:-`: what stands for a variable that is unset or empty. */
      readonly fallback?: string | undefined;
      readonly start: number;
      readonly end: number;
    }
  | { readonly kind: "other"; readonly inner: string; readonly closed: boolean; readonly start: number; readonly end: number };

/** A reference is a short word; a bound keeps texts full of `${` linear. */
const LONGEST_REFERENCE = 256;

/** Cuts a text into plain pieces and references. */
export function segmentsOf(text: string, from = 0, to = text.length): readonly Segment[] {
  const segments: Segment[] = [];
  let at = from;
  while (at < to) {
    const found = text.indexOf("${", at);
    const start = found < 0 || found + 2 > to ? to : found;
    const isEscaped = start < to && start > at && text[start - 1] === "$";
    const plainEnd = isEscaped ? start - 1 : start;
    if (plainEnd > at) segments.push({ kind: "plain", text: text.slice(at, plainEnd), start: at, end: plainEnd });
    if (start === to) break;
    if (isEscaped) {
      segments.push({ kind: "plain", text: "${", start: start - 1, end: start + 2 });
      at = start + 2;
      continue;
    }
    const segment = referenceAt(text, start, to);
    segments.push(segment);
    at = segment.end;
  }
  return segments;
}

function referenceAt(text: string, start: number, to: number): Segment {
  const near = text.slice(start + 2, Math.min(to, start + LONGEST_REFERENCE));
  const length = near.search(/[}\n]/);
  const closed = length >= 0 && near[length] === "}";
  const end = closed ? start + 2 + length + 1 : Math.min(to, start + 2);
  const inner = closed ? near.slice(0, length).trim() : "";
  const config = /^config\.([A-Za-z][A-Za-z0-9-]*)$/.exec(inner)?.[1];
  if (config !== undefined) return { kind: "config", name: config, start, end };
  const [, env, fallback] = /^env\.([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/.exec(inner) ?? [];
  if (env !== undefined) return { kind: "env", name: env, fallback, start, end };
  const secret = /^secret\.([A-Za-z0-9_][A-Za-z0-9_.-]*)$/.exec(inner)?.[1];
  if (secret !== undefined) return { kind: "secret", name: secret, start, end };
  return { kind: "other", inner, closed, start, end };
}

export function hasReferences(json: Json): boolean {
  if (typeof json === "string") return json.includes("${");
  if (json === null || typeof json !== "object") return false;
  return Object.values(json).some(hasReferences);
}

/** Proves every reference in the texts of a value. */
export function checkReferences(tree: Tree, scope: ReferenceScope, mistakes: Mistakes): void {
  if (tree.kind === "list") for (const item of tree.items) checkReferences(item, scope, mistakes);
  if (tree.kind === "map") for (const entry of tree.entries) checkReferences(entry.value, scope, mistakes);
  if (tree.kind === "text") checkTextReferences(tree, 0, tree.value.length, scope, mistakes);
}

/** The same for a range of a text: a reference that fills it may be of any type. */
export function checkTextReferences(tree: TextTree, from: number, to: number, scope: ReferenceScope, mistakes: Mistakes): void {
  if (!tree.value.includes("${")) return;
  for (const segment of segmentsOf(tree.value, from, to)) {
    if (segment.kind === "plain") continue;
    const span = tree.place(segment.start, segment.end);
    switch (segment.kind) {
      case "other":
        badReference(segment.inner, segment.closed, span, mistakes);
        break;
      case "env":
      case "secret":
        if (scope.outside === undefined) outsideReference(segment.kind, segment.name, scope, span, mistakes);
        else scope.outside.push({ kind: segment.kind, name: segment.name, fallback: segment.fallback, span });
        break;
      case "config":
        if (scope.parameters === undefined) {
          const message = `\`\${config.${segment.name}}\` is not replaced here${scope.nowhere ?? ""}`;
          mistakes.error("manifest/bad-reference", span, message, "Write the value out, or `$${` for a plain `${`.");
        } else {
          checkParameter(segment.name, segment.start === from && segment.end === to, span, scope.parameters, mistakes);
        }
    }
  }
}

/** A text of the environment where none may stand: it has no type there, and the app could not be used by another one. */
function outsideReference(
  kind: "env" | "secret",
  name: string,
  scope: ReferenceScope,
  span: TextTree["span"],
  mistakes: Mistakes,
): void {
  const shown = named(`\${${kind}.${name}}`);
  const cure =
    scope.parameters === undefined
      ? "Write the value out, or `$${` for a plain `${`."
      : `Make it the default of a parameter, \`parameters: { NAME: { type: string, default: "\${${kind}.${name.slice(0, 40)}}" } }\`, and write \`\${config.NAME}\` here.`;
  mistakes.error("manifest/bad-reference", span, `${shown} is not replaced here`, cure);
}

function checkParameter(
  name: string,
  isWhole: boolean,
  span: TextTree["span"],
  parameters: DeclaredParameters,
  mistakes: Mistakes,
): void {
  const parameter = parameters.get(name);
  if (!parameters.has(name)) {
    const known =
      parameters.size === 0
        ? "Declare it under `parameters:`, which this manifest does not have yet."
        : `The parameters are ${listed(parameters.keys())}.`;
    mistakes.error(
      "manifest/unknown-parameter",
      span,
      `there is no parameter ${named(name)}`,
      meantName(name, parameters.keys(), known),
    );
  } else if (parameter !== undefined && !isWhole && !isWritable(parameter.type)) {
    mistakes.error(
      "manifest/bad-reference",
      span,
      `the parameter ${named(name)} is a \`${printType(parameter.type, 60)}\`, which cannot stand inside a longer text`,
      `Let \`"\${config.${name}}"\` be the whole value, or use a parameter that is a text or a number.`,
    );
  }
}

function badReference(inner: string, closed: boolean, span: TextTree["span"], mistakes: Mistakes): void {
  const shown = named(`\${${inner}}`);
  const [, kind = "", name = ""] = /^(env|secret)\.(.*)$/.exec(inner) ?? [];
  const bare = /^[A-Za-z][A-Za-z0-9-]*$/.exec(inner)?.[0];
  const wrong = (message: string, cure: string): void => mistakes.error("manifest/bad-reference", span, message, cure);
  if (!closed)
    return wrong(
      "`${` starts a reference that is not closed",
      "Close it, as in `${config.NAME}`, or write `$${` for a plain `${`.",
    );
  if (kind === "secret" && name.includes(":-"))
    return wrong(
      `${shown} has a default, which everyone could read in the manifest`,
      `Write \`\${secret.${name.split(":-")[0]?.slice(0, 60) ?? ""}}\`.`,
    );
  if (kind === "env" && /^[A-Za-z_][A-Za-z0-9_]*[:-]/.test(name))
    return wrong(
      `${shown} is no reference`,
      "Write `${env.NAME}`, or `${env.NAME:-default}` with what stands where the variable is unset or empty.",
    );
  if (kind !== "")
    return wrong(
      `${shown} names no ${kind === "env" ? "variable of the environment" : "secret"}`,
      kind === "env"
        ? "Names of variables are letters, digits and `_`, as in `${env.API_URL}`."
        : "Names of secrets are letters, digits, `_`, `-` and `.`, as in `${secret.api-key}`.",
    );
  wrong(`${shown} is no reference`, `Write ${meantReference(bare)}, or \`$\${\` for a plain \`\${\`.`);
}

function meantReference(bare: string | undefined): string {
  if (bare === undefined) return "`${config.NAME}`, `${env.NAME}` or `${secret.NAME}`";
  return bare === bare.toUpperCase() ? `\`\${env.${bare}}\` or \`\${config.${bare}}\`` : `\`\${config.${bare}}\``;
}

/** The strings of a flow text that may hold references: the ranges between their quotes. Comments and interface names are passed over. */
export function flowStrings(text: string): readonly { readonly start: number; readonly end: number }[] {
  const strings: { start: number; end: number }[] = [];
  const tokens = /"((?:[^"\\\n]|\\.)*)"|::[ \t]*[A-Za-z0-9][A-Za-z0-9:/@.+-]{0,255}#|#[^\n]*/g;
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    if (found[1] !== undefined) strings.push({ start: found.index + 1, end: found.index + found[0].length - 1 });
  }
  return strings;
}
