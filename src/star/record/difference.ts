// Where a run differs from its record, for people.

import { StarlaneError } from "../../base/errors.ts";
import type { Json } from "../../wit/json.ts";
import { isObject } from "./values.ts";

export interface Difference {
  readonly node: string;
  readonly component: string;
  /** How often the node was called before. */
  readonly count: number;
  /** Of the component's calls of the host, from 1; undefined: the call of the node itself. */
  readonly position: number | undefined;
  /** Undefined: there was nothing. */
  readonly recorded: string | undefined;
  readonly actual: string | undefined;
}

export function differenceError(difference: Difference): StarlaneError {
  const { recorded = "nothing", actual = "nothing" } = difference;
  return new StarlaneError(
    "replay/differs",
    `the run differs from the record at ${placeOf(difference)}:\n  recorded: ${recorded}\n  now:      ${actual}`,
    {
      data: { ...difference },
      cure: "Something was changed since the record was made; `starlane invoke` runs it as it is now.",
    },
  );
}

function placeOf({ node, component, count, position }: Difference): string {
  const where = node === "" ? `the component ${component}` : `the node ${node}`;
  const which = count === 0 ? "" : ` (call ${count + 1})`;
  return position === undefined ? `${where}${which}` : `${where}${which}, call ${position} of what it imports`;
}

const LONGEST_VALUE = 300;

/** `wasi:keyvalue/store@0.2.0-draft#open("default")`. */
export function callText(name: string, args: readonly Json[]): string {
  return `${name}(${args.map(valueText).join(", ")})`;
}

export function valueText(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters)`;
}

const MASKED = "***";

/** Whether a value is the one that was recorded; `***` in the record stands for any text. */
export function sameJson(recorded: Json | undefined, actual: Json | undefined): boolean {
  if (typeof recorded === "string" && recorded.includes(MASKED)) return fitsMasked(recorded, actual);
  if (typeof recorded !== "object" || recorded === null || typeof actual !== "object" || actual === null)
    return recorded === actual;
  if (isObject(recorded)) {
    if (!isObject(actual)) return false;
    const keys = Object.keys(recorded);
    return (
      keys.length === Object.keys(actual).length &&
      keys.every((key) => Object.hasOwn(actual, key) && sameJson(recorded[key], actual[key]))
    );
  }
  if (!isArray(recorded) || !isArray(actual)) return false;
  return recorded.length === actual.length && recorded.every((item, i) => sameJson(item, actual[i]));
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function fitsMasked(recorded: string, actual: Json | undefined): boolean {
  if (typeof actual !== "string") return true;
  const parts = recorded.split(MASKED);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const found = i === 0 ? (actual.startsWith(part) ? 0 : -1) : actual.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  const last = parts.at(-1) ?? "";
  return actual.endsWith(last);
}
