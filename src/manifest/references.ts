// `${config.NAME}` in texts: where they stand, whether they can be replaced, and the replaced text. `$${` is written for a plain `${`.

import { printType } from "../wit/type-text.ts";
import type { Json, Parameter } from "./manifest.ts";
import { listed, named, type Mistakes } from "./mistakes.ts";
import { isWritable, meantName } from "./port-types.ts";
import type { TextTree, Tree } from "./tree.ts";

/** Parameters by name; undefined are those with mistakes, which were reported where they are declared. */
export type DeclaredParameters = ReadonlyMap<string, Parameter | undefined>;

/** A piece of a text: plain, or a reference. `start` and `end` are where it is written in the text. */
export type Segment =
  | { readonly kind: "plain"; readonly text: string; readonly start: number; readonly end: number }
  | { readonly kind: "config"; readonly name: string; readonly start: number; readonly end: number }
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
  const name = /^config\.([A-Za-z][A-Za-z0-9-]*)$/.exec(inner)?.[1];
  return name === undefined ? { kind: "other", inner, closed, start, end } : { kind: "config", name, start, end };
}

export function hasReferences(json: Json): boolean {
  if (typeof json === "string") return json.includes("${");
  if (json === null || typeof json !== "object") return false;
  return Object.values(json).some(hasReferences);
}

/** Proves every reference in the texts of a value; `parameters` undefined: none may stand here, for the reason given by `nowhere`. */
export function checkReferences(tree: Tree, parameters: DeclaredParameters | undefined, mistakes: Mistakes, nowhere = ""): void {
  if (tree.kind === "list") for (const item of tree.items) checkReferences(item, parameters, mistakes, nowhere);
  if (tree.kind === "map") for (const entry of tree.entries) checkReferences(entry.value, parameters, mistakes, nowhere);
  if (tree.kind === "text") checkTextReferences(tree, 0, tree.value.length, parameters, mistakes, nowhere);
}

/** The same for a range of a text: a reference that fills it may be of any type. */
export function checkTextReferences(
  tree: TextTree,
  from: number,
  to: number,
  parameters: DeclaredParameters | undefined,
  mistakes: Mistakes,
  nowhere = "",
): void {
  if (!tree.value.includes("${")) return;
  for (const segment of segmentsOf(tree.value, from, to)) {
    if (segment.kind === "plain") continue;
    const span = tree.place(segment.start, segment.end);
    if (segment.kind === "other") {
      const { message, cure, later } = explain(segment.inner, segment.closed);
      mistakes.error(later ? "manifest/not-supported-yet" : "manifest/bad-reference", span, message, cure);
    } else if (parameters === undefined) {
      mistakes.error(
        "manifest/bad-reference",
        span,
        `\`\${config.${segment.name}}\` is not replaced here${nowhere}`,
        "Write the value out, or `$${` for a plain `${`.",
      );
    } else {
      checkParameter(segment.name, segment.start === from && segment.end === to, span, parameters, mistakes);
    }
  }
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

function explain(inner: string, closed: boolean): { readonly message: string; readonly cure: string; readonly later: boolean } {
  if (!closed) {
    return {
      message: "`${` starts a reference that is not closed",
      cure: "Write `${config.NAME}`, or `$${` for a plain `${`.",
      later: false,
    };
  }
  const other = /^(env|secret)\.(.*)$/.exec(inner);
  if (other !== null) {
    return {
      message: `${named(`\${${inner}}`)} is planned, but not supported yet: nothing is read from the ${other[1] === "env" ? "environment" : "store of secrets"}`,
      cure: "Make it a parameter (`${config.NAME}`), or pass the value as an input.",
      later: true,
    };
  }
  const bare = /^[A-Za-z][A-Za-z0-9-]*$/.exec(inner)?.[0];
  return {
    message: `${named(`\${${inner}}`)} is no reference`,
    cure: `Write \`\${config.${bare ?? "NAME"}}\`, or \`$\${\` for a plain \`\${\`.`,
    later: false,
  };
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
