// What a test expects, compared with what came. The shape of `expect`:
//
//   expect: { greeting: Hello, count: { at-least: 3 } }   each output port by name; further and missing ones fail
//   expect: { "$.rows[0].name": Ada, count: 2 }           a path into the outputs; the port it enters counts as named; [-1] is the last element
//   expect: { error: "no such file" }                     the operation must fail: the text is its code, or stands in its message
//   expect: { error: { code: …, message: …, payload: … } }   … with these (values or matchers; what is left out is not asked)
//
// Below a port every value is exact, except matchers: mappings that have only keys of `MATCHERS`, all of which must hold. To expect a value that
// looks like a matcher: `{ exactly: { any: true } }`; an output port named `error`: `"$.error": …`.

import type { Json } from "./manifest.ts";
import { cutText, written } from "./mistakes.ts";
import { compilePattern } from "./pattern.ts";

/** What matchers ask, for messages and documentation. */
export const MATCHERS = {
  matches: "a text that a regular expression matches as a whole",
  "at-least": "a number that is not less",
  "at-most": "a number that is not greater",
  contains: "a text with this text in it; a list with this element; a mapping with these keys. A list here: all of them",
  length: "the number of characters of a text, of elements of a list, of keys of a mapping; a number or a matcher",
  any: "true: anything, as long as it is there",
  exactly: "this value and nothing else; no matchers inside",
} as const;

export type MatcherName = keyof typeof MATCHERS;

/** One difference. `actual` is undefined where nothing is there; `expected` where nothing should be. */
export interface Mismatch {
  /** `$.rows[0].name`; `$error` and below for what an operation failed with. */
  readonly path: string;
  readonly expected: Json | undefined;
  readonly actual: Json | undefined;
  /** One line for people. */
  readonly message: string;
}

/** How an operation ended: its outputs by port, or why it failed. */
export type Outcome =
  | { readonly kind: "done"; readonly output: Json }
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly payload?: Json | undefined };

const MOST_MISMATCHES = 100;
/** What a recursion may reach; manifests nest less, and the expectation leads. */
const DEEPEST = 100;

/** All differences between what a test expects and how its operation ended; none: the test passes. Without `expected` it must only succeed. */
export function compareOutcome(expected: Json | undefined, outcome: Outcome): readonly Mismatch[] {
  const failure = expected === undefined ? undefined : expectedFailure(expected);
  if (outcome.kind === "done") {
    if (failure !== undefined) {
      return [
        {
          path: "$error",
          expected: failure,
          actual: undefined,
          message: `it succeeded with ${written(outcome.output)}, but an error was expected`,
        },
      ];
    }
    return expected === undefined ? [] : compare(expected, outcome.output);
  }
  const actual = {
    code: outcome.code,
    message: outcome.message,
    ...(outcome.payload === undefined ? {} : { payload: outcome.payload }),
  };
  if (failure !== undefined) return compareFailure(failure, outcome);
  return [
    { path: "$error", expected: undefined, actual, message: `it failed: ${cutText(outcome.message, 200)} [${outcome.code}]` },
  ];
}

/** All differences between expected and actual outputs, both by port name; see the top of this file for paths and matchers. */
export function compare(expected: Json, actual: Json): readonly Mismatch[] {
  const comparison = new Comparison();
  if (!isObject(expected)) comparison.value(expected, actual, "$", 0);
  else comparison.outputs(expected, actual);
  return comparison.mismatches;
}

/** What the operation must fail with, where `expect` asks for a failure. */
export function expectedFailure(expected: Json): Json | undefined {
  return isObject(expected) && Object.keys(expected).length === 1 && Object.hasOwn(expected, "error")
    ? expected["error"]
    : undefined;
}

function compareFailure(expected: Json, { code, message, payload }: Outcome & { kind: "failed" }): readonly Mismatch[] {
  const comparison = new Comparison();
  if (typeof expected === "string") {
    if (code === expected || message.includes(expected)) return [];
    return [
      {
        path: "$error",
        expected,
        actual: message,
        message: `the error is ${written(message)} [${code}], which is not ${written(expected)} and does not contain it`,
      },
    ];
  }
  if (expected === true) return [];
  if (isMatcher(expected)) comparison.value(expected, message, "$error.message", 0);
  else if (isObject(expected)) {
    const parts: { readonly [key: string]: Json | undefined } = { code, message, payload };
    for (const [key, part] of Object.entries(expected)) {
      const actual = Object.hasOwn(parts, key) ? parts[key] : undefined;
      if (key === "message" && typeof part === "string") comparison.value({ contains: part }, actual, "$error.message", 0);
      else comparison.value(part, actual, `$error.${key}`, 0);
    }
  } else comparison.value(expected, message, "$error", 0);
  return comparison.mismatches;
}

class Comparison {
  readonly mismatches: Mismatch[] = [];

  outputs(expected: JsonObject, actual: Json): void {
    const named = new Set<string>();
    for (const [key, value] of Object.entries(expected)) {
      const steps = key.startsWith("$") ? readPath(key) : undefined;
      if (steps === undefined) {
        named.add(key);
        this.value(value, member(actual, key), `$${stepText(key)}`, 0);
      } else {
        const [port] = steps;
        if (typeof port === "string") named.add(port);
        this.value(value, follow(actual, steps), key, 0);
      }
    }
    if (isObject(actual)) this.#extra(actual, (key) => named.has(key) || Object.hasOwn(expected, "$"), "$");
  }

  /** Compares one value; `actual` undefined: nothing is there. */
  value(expected: Json, actual: Json | undefined, path: string, depth: number): void {
    if (depth > DEEPEST) return this.#add(path, expected, actual, `it is nested deeper than ${DEEPEST} levels`);
    if (isMatcher(expected)) return this.#matchers(expected, actual, path, depth);
    if (actual === undefined) return this.#add(path, expected, actual, `nothing is there, but ${written(expected)} was expected`);
    if (Array.isArray(expected)) return this.#list(expected, actual, path, depth);
    if (isObject(expected)) return this.#object(expected, actual, path, depth);
    if (expected !== actual) this.#add(path, expected, actual, `it is ${written(actual)}, but ${written(expected)} was expected`);
  }

  #list(expected: readonly Json[], actual: Json, path: string, depth: number): void {
    if (!Array.isArray(actual)) return this.#add(path, expected, actual, `it is ${written(actual)}, but a list was expected`);
    const values: readonly Json[] = actual;
    for (const [i, value] of expected.entries()) {
      if (i < values.length) this.value(value, values[i], `${path}[${i}]`, depth + 1);
    }
    if (values.length !== expected.length) {
      this.#add(path, expected, actual, `it has ${values.length} elements, but ${expected.length} were expected`);
    }
  }

  #object(expected: JsonObject, actual: Json, path: string, depth: number): void {
    if (!isObject(actual))
      return this.#add(path, expected, actual, `it is ${written(actual)}, but ${written(expected)} was expected`);
    for (const [key, value] of Object.entries(expected)) this.value(value, member(actual, key), path + stepText(key), depth + 1);
    this.#extra(actual, (key) => Object.hasOwn(expected, key), path);
  }

  #extra(actual: JsonObject, isExpected: (key: string) => boolean, path: string): void {
    for (const [key, value] of Object.entries(actual)) {
      if (this.mismatches.length >= MOST_MISMATCHES) return;
      if (!isExpected(key))
        this.#add(path + stepText(key), undefined, value, `it is ${written(value)}, but nothing was expected here`);
    }
  }

  #matchers(matchers: JsonObject, actual: Json | undefined, path: string, depth: number): void {
    if (actual === undefined) return this.#add(path, matchers, actual, `nothing is there, but ${written(matchers)} was expected`);
    for (const [name, operand] of Object.entries(matchers)) {
      if (!isMatcherName(name)) continue;
      if (name === "length") this.#length(operand, actual, path, depth);
      else if (name === "exactly") this.#exactly(operand, actual, path, depth);
      else {
        const problem = this.#problem(name, operand, actual, depth);
        if (problem !== undefined) this.#add(path, matchers, actual, problem);
      }
    }
  }

  /** What is wrong with `actual` for one matcher, as one line. */
  #problem(
    name: "matches" | "at-least" | "at-most" | "contains" | "any",
    operand: Json,
    actual: Json,
    depth: number,
  ): string | undefined {
    switch (name) {
      case "any":
        return undefined;
      case "matches":
        if (typeof actual !== "string")
          return `it is ${written(actual)}, but a text that matches ${written(operand)} was expected`;
        return matchesWhole(operand, actual)
          ? undefined
          : `it is ${written(actual)}, which as a whole does not match ${written(operand)}`;
      case "at-least":
      case "at-most": {
        const [a, b] = [numberOf(actual), numberOf(operand)];
        if (a === undefined || b === undefined)
          return `it is ${written(actual)}, but a number ${name.replace("-", " ")} ${written(operand)} was expected`;
        const holds = name === "at-least" ? a >= b : a <= b;
        return holds ? undefined : `it is ${written(actual)}, which is not ${name.replace("-", " ")} ${written(operand)}`;
      }
      case "contains": {
        const wanted: readonly Json[] = Array.isArray(operand) ? operand : [operand];
        const missing = wanted.find((one) => !contains(actual, one, depth));
        return missing === undefined ? undefined : `it is ${written(actual)}, which does not contain ${written(missing)}`;
      }
    }
  }

  #length(operand: Json, actual: Json, path: string, depth: number): void {
    const length = lengthOf(actual);
    if (length === undefined) this.#add(path, { length: operand }, actual, `it is ${written(actual)}, which has no length`);
    else this.value(operand, length, `${path}.length()`, depth + 1);
  }

  #exactly(operand: Json, actual: Json, path: string, depth: number): void {
    if (!equalJson(operand, actual, depth)) {
      this.#add(path, { exactly: operand }, actual, `it is ${written(actual)}, but exactly ${written(operand)} was expected`);
    }
  }

  #add(path: string, expected: Json | undefined, actual: Json | undefined, message: string): void {
    if (this.mismatches.length < MOST_MISMATCHES)
      this.mismatches.push({ path, expected, actual, message: `${path}: ${message}` });
  }
}

type JsonObject = { readonly [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isMatcherName(name: string): name is MatcherName {
  return Object.hasOwn(MATCHERS, name);
}

/** Whether an expected value is a matcher: a mapping that is not empty and has only keys of `MATCHERS`. */
function isMatcher(value: Json): value is JsonObject {
  if (!isObject(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every(isMatcherName);
}

function member(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The steps of `$.rows[0]["odd key"]`; undefined where the text is no path. */
export function readPath(text: string): readonly (string | number)[] | undefined {
  const steps: (string | number)[] = [];
  const step = /\.([A-Za-z][\w-]*)|\[(-?[0-9]{1,9})\]|\[("(?:[^"\\]|\\.)*")\]/y;
  step.lastIndex = 1;
  while (step.lastIndex < text.length) {
    const found = step.exec(text);
    if (found === null) return undefined;
    const [, name, index, quotedKey] = found;
    if (name !== undefined) steps.push(name);
    else if (index !== undefined) steps.push(Number(index));
    else {
      const key = parseKey(quotedKey ?? "");
      if (key === undefined) return undefined;
      steps.push(key);
    }
  }
  return text.startsWith("$") ? steps : undefined;
}

function parseKey(text: string): string | undefined {
  try {
    const key: unknown = JSON.parse(text);
    return typeof key === "string" ? key : undefined;
  } catch {
    return undefined;
  }
}

function follow(value: Json, steps: readonly (string | number)[]): Json | undefined {
  let at: Json | undefined = value;
  for (const step of steps) {
    if (typeof step === "string") at = member(at, step);
    else at = Array.isArray(at) ? elementAt(at, step) : undefined;
  }
  return at;
}

function elementAt(list: readonly Json[], index: number): Json | undefined {
  return list[index < 0 ? list.length + index : index];
}

function stepText(key: string): string {
  return /^[A-Za-z][\w-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(cutText(key, 60))}]`;
}

function matchesWhole(pattern: Json, text: string): boolean {
  const compiled = compilePattern(typeof pattern === "string" ? pattern : "");
  return "pattern" in compiled && compiled.pattern.matches(text);
}

/** Numbers, and 64-bit integers as the decimal text that JSON has for them. */
function numberOf(value: Json): number | bigint | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?[0-9]{1,20}$/.test(value) ? BigInt(value) : undefined;
}

function lengthOf(value: Json): number | undefined {
  if (typeof value === "string") return Array.from(value).length;
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : undefined;
}

function contains(actual: Json, wanted: Json, depth: number): boolean {
  if (typeof actual === "string") return typeof wanted === "string" && actual.includes(wanted);
  if (Array.isArray(actual)) return actual.some((item: Json) => matchesOne(wanted, item, depth));
  if (!isObject(actual)) return false;
  if (!isObject(wanted)) return typeof wanted === "string" && Object.hasOwn(actual, wanted);
  return Object.entries(wanted).every(([key, value]) => matchesOne(value, member(actual, key), depth));
}

function matchesOne(expected: Json, actual: Json | undefined, depth: number): boolean {
  const comparison = new Comparison();
  comparison.value(expected, actual, "$", depth + 1);
  return comparison.mismatches.length === 0;
}

function equalJson(a: Json, b: Json | undefined, depth: number): boolean {
  if (a === b) return true;
  if (b === undefined || depth > DEEPEST) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item: Json, i) => equalJson(item, elementAt(b, i), depth + 1));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => equalJson(a[key] ?? null, member(b, key), depth + 1));
}
