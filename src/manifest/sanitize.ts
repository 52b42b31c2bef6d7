// Cleans and checks input values before anything runs: texts are trimmed, changed in case and normalized, then every rule is asked, and each
// violation has its path. Works on JS values in the convention of `wit/types.ts`. Time is linear in the value; at most 50 violations are kept.

import { readJson } from "../wit/read-json.ts";
import type { ValType } from "../wit/types.ts";
import { equalValues, isRereadable } from "../wit/value.ts";
import { FORMATS } from "./formats.ts";
import type { InputPort, SanitizationRules } from "./manifest.ts";
import { written } from "./mistakes.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { leafType } from "./port-types.ts";

const MOST_VIOLATIONS = 50;
/** A text with a `pattern` may be this long, so that the time for a hostile pattern stays bounded too. */
export const LONGEST_MATCHED_TEXT = 100_000;

/** One rule that one value breaks. `path` starts with the port's name: `tags[2]`. */
export interface Violation {
  readonly path: string;
  readonly rule: string;
  readonly message: string;
}

export type Sanitized = { readonly value: unknown } | { readonly violations: readonly Violation[] };

/**
 * A function that gives the clean form of a port's value, or all its violations. Nothing at all becomes the port's default; without one it is a
 * violation of the rule `required`, except where the type is an option. The value must be of the type; where it is not, that is a violation of `type`.
 */
export function sanitizer(port: InputPort, type: ValType): (value: unknown) => Sanitized {
  const cleaner = new Cleaner(port, type);
  if (!cleaner.hasWork) return (value) => (value === undefined ? cleaner.absent() : { value });
  return (value) => (value === undefined ? cleaner.absent() : cleaner.clean(value));
}

class Cleaner {
  readonly #name: string;
  readonly #type: ValType;
  readonly #rules: SanitizationRules;
  readonly #pattern: Pattern | undefined;
  readonly #choices: readonly unknown[] | undefined;
  readonly #default: Sanitized | undefined;
  readonly hasWork: boolean;
  /** Whether the elements of lists must be looked at. */
  readonly #hasLeafWork: boolean;
  #violations: Violation[] = [];

  constructor(port: InputPort, type: ValType) {
    const { rules } = port;
    this.#name = port.name;
    this.#type = type;
    this.#rules = rules;
    this.#pattern = rules.pattern === undefined ? undefined : compiled(rules.pattern);
    this.#choices = rules.oneOf?.map((choice) => readJson(leafType(type), choice).value);
    this.#hasLeafWork = [
      rules.trim,
      rules.lowercase,
      rules.uppercase,
      rules.normalize,
      rules.pattern,
      rules.format,
      rules.oneOf,
    ].some((rule) => rule !== undefined && rule !== false);
    this.hasWork = this.#hasLeafWork || rules.min !== undefined || rules.max !== undefined;
    if (port.default !== undefined) this.#default = this.clean(readJson(type, port.default).value);
  }

  absent(): Sanitized {
    if (this.#default !== undefined) return this.#default;
    if (this.#type.kind === "option") return { value: undefined };
    return { violations: [{ path: this.#name, rule: "required", message: "a value is needed" }] };
  }

  clean(value: unknown): Sanitized {
    this.#violations = [];
    const cleaned = this.#value(value, this.#type, this.#name, true);
    return this.#violations.length === 0 ? { value: cleaned } : { violations: this.#violations };
  }

  /** `isOuter`: the port's own value, which `min` and `max` are about; not an element of it. */
  #value(value: unknown, type: ValType, path: string, isOuter: boolean): unknown {
    if (type.kind === "option") return this.#option(value, type.type, path, isOuter);
    if (type.kind === "list") return this.#list(value, type.element, path, isOuter);
    if (type.kind === "string") return this.#text(value, path, isOuter);
    if (isOuter) this.#checkSize(value, path);
    this.#checkChoice(value, type, path);
    return value;
  }

  #option(value: unknown, payload: ValType, path: string, isOuter: boolean): unknown {
    if (value === undefined || value === null) return value;
    if (payload.kind !== "option") return this.#value(value, payload, path, isOuter);
    if (!isSome(value)) return value;
    return { tag: "some", val: this.#value(value.val, payload, path, isOuter) };
  }

  #list(value: unknown, element: ValType, path: string, isOuter: boolean): unknown {
    const items = itemsOf(value);
    if (items === undefined) return this.#violate(path, "type", "it is no list");
    if (isOuter) this.#checkRange(items.length, path, "elements");
    if (!this.#hasLeafWork) return value;
    const cleaned: unknown[] = [];
    for (let i = 0; i < items.length && this.#violations.length < MOST_VIOLATIONS; i++)
      cleaned.push(this.#value(items[i], element, `${path}[${i}]`, false));
    // Only texts are changed: lists of anything else keep their own form (a typed array, for instance).
    return leafType(element).kind === "string" ? cleaned : value;
  }

  #text(value: unknown, path: string, isOuter: boolean): unknown {
    if (typeof value !== "string") return this.#violate(path, "type", "it is no text");
    const text = this.#transform(value);
    if (isOuter) this.#checkTextLength(text, path);
    const { format } = this.#rules;
    if (this.#pattern !== undefined) this.#checkPattern(text, this.#pattern, path);
    if (format !== undefined && !FORMATS[format].has(text)) {
      this.#violate(path, "format", `${written(text)} is no ${format}, such as ${FORMATS[format].example}`);
    }
    this.#checkChoice(text, { kind: "string" }, path);
    return text;
  }

  #transform(value: string): string {
    const { trim, lowercase, uppercase, normalize } = this.#rules;
    let text = trim === true ? value.trim() : value;
    if (lowercase === true) text = text.toLowerCase();
    if (uppercase === true) text = text.toUpperCase();
    return normalize === undefined ? text : text.normalize(normalize);
  }

  #checkPattern(text: string, pattern: Pattern, path: string): void {
    if (text.length > LONGEST_MATCHED_TEXT) {
      this.#violate(
        path,
        "pattern",
        `it has ${text.length} characters, and at most ${LONGEST_MATCHED_TEXT} are matched with a pattern`,
      );
    } else if (!pattern.matches(text)) {
      this.#violate(path, "pattern", `${written(text)} does not match ${pattern.source.slice(0, 60)}`);
    }
  }

  /** Counts code points only as far as the bounds need it. */
  #checkTextLength(text: string, path: string): void {
    const { min, max } = this.#rules;
    if (min === undefined && max === undefined) return;
    let length = 0;
    for (const _ of text) length++;
    this.#checkRange(length, path, "characters");
  }

  #checkSize(value: unknown, path: string): void {
    if (value instanceof Map) this.#checkRange(value.size, path, "entries");
    else if (typeof value === "number" || typeof value === "bigint") this.#checkRange(value, path, undefined);
  }

  #checkRange(size: number | bigint, path: string, unit: string | undefined): void {
    const { min, max } = this.#rules;
    const has = unit === undefined ? `it is ${size}` : `it has ${size} ${unit}`;
    // Negated, so that NaN breaks both.
    if (min !== undefined && !(size >= min))
      this.#violate(path, "min", `${has}, and must ${unit === undefined ? "be" : "have"} at least ${min}`);
    if (max !== undefined && !(size <= max))
      this.#violate(path, "max", `${has}, and must ${unit === undefined ? "be" : "have"} at most ${max}`);
  }

  #checkChoice(value: unknown, type: ValType, path: string): void {
    const choices = this.#choices;
    if (choices === undefined || choices.some((choice) => equalValues(type, choice, value))) return;
    this.#violate(
      path,
      "one-of",
      `it must be one of ${(this.#rules.oneOf ?? []).slice(0, 10).map(written).join(", ")}${choices.length > 10 ? ", …" : ""}`,
    );
  }

  #violate(path: string, rule: string, message: string): undefined {
    if (this.#violations.length < MOST_VIOLATIONS) this.#violations.push({ path, rule, message });
  }
}

function compiled(source: string): Pattern | undefined {
  const result = compilePattern(source);
  // The manifest was checked, so this is a rule that came another way: nothing then matches it.
  return "pattern" in result ? result.pattern : { source, matches: () => false };
}

function isSome(value: unknown): value is { readonly val: unknown } {
  return typeof value === "object" && value !== null && "tag" in value && value.tag === "some" && "val" in value;
}

function itemsOf(value: unknown): { readonly length: number; readonly [index: number]: unknown } | undefined {
  if (Array.isArray(value)) return value;
  if (isTypedArray(value)) return value;
  return isRereadable(value) ? Array.from(value) : undefined;
}

function isTypedArray(value: unknown): value is { readonly length: number; readonly [index: number]: number | bigint } {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
