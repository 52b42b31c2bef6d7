// Texts of types, JSON values, patterns and quantities: read without a crash whatever they say, and back again as they were.

import fc from "fast-check";
import { StarlaneError } from "../../src/base/errors.ts";
import { compare, readPath } from "../../src/manifest/expect.ts";
import { compilePattern } from "../../src/manifest/pattern.ts";
import { parseDuration, parseSize } from "../../src/manifest/quantity.ts";
import { arbitraryType } from "../../src/wit/arbitrary.ts";
import { describeJson } from "../../src/wit/describe-json.ts";
import { equalTypes } from "../../src/wit/equal-types.ts";
import { fromText } from "../../src/wit/from-text.ts";
import { fromJson, type Json, toJson } from "../../src/wit/json.ts";
import { jsonSchema } from "../../src/wit/json-schema.ts";
import { parseType, parseTypeBlock, printTypeWhole, type TypeProblem } from "../../src/wit/type-text.ts";
import type { ValType } from "../../src/wit/types.ts";
import { checkValue, equalValues } from "../../src/wit/value.ts";
import { mutateText, wordsOf } from "./mutate-text.ts";
import type { Random } from "./random.ts";
import { randomValue } from "./random-value.ts";
import type { Report, Sample } from "./target.ts";

const BLOCKS = [
  "record person { name: string, %record: option<u8> } variant v { a(person), b } enum e { x, y } flags f { r, w } type t = list<tuple<e, f>>;",
  "type a = result<list<u8>, string>; type b = map<string, result<_, a>>; type c = result; type d = stream<u8>; type g = future; type h = list<u8, 4>;",
  "record a { b: b } record b { c: list<c> } type c = option<option<f64>>;",
];
const WORDS = wordsOf([...BLOCKS, "bool s8 u8 s16 u16 s32 u32 s64 u64 f32 f64 char string own<x> borrow<x> error-context int"]);
const PATTERN_PARTS = ["a", ".", "\\d", "\\p{L}", "[a-z]", "[^<>]", "[\\w&&[^_]]", "(", ")", "(?:", "|", "*", "+", "?", "{2,5}", "{1000}", "*?", "^", "$", "\\u{1F600}", "\\b", "(?=a)", "\\1", "[", "]", "\\", "{", "(?<n>a)", "[\\q{ab|c}]", "\\P{Lu}", "(?i:a)", "--", "é"]; // prettier-ignore

export const TEXT_KINDS = ["type", "block", "json", "pattern", "quantity"] as const;
export type TextKind = (typeof TEXT_KINDS)[number];

const type: fc.Arbitrary<ValType> = fc.oneof(arbitraryType({ depth: 1 }), arbitraryType({ depth: 3 }));

function sampleType(seed: number): ValType {
  return fc.sample(type, { seed, numRuns: 1 })[0] ?? { kind: "bool" };
}

export function runTextKind(kind: TextKind, random: Random, keep: (sample: Sample) => void, report: Report): void {
  const note = (content: string, extension = "txt"): string => {
    keep({ extension, content });
    return content;
  };
  switch (kind) {
    case "type":
      return checkTypeText(random, note, report);
    case "block":
      return checkBlock(note(mutateText(random, random.pick(BLOCKS), WORDS)), report);
    case "json":
      return checkJson(random, note, report);
    case "pattern":
      return checkPattern(random, note, report);
    case "quantity":
      return checkQuantity(random, note);
  }
}

type Note = (content: string, extension?: string) => string;

function checkTypeText(random: Random, note: Note, report: Report): void {
  const made = sampleType(random.bits());
  const printed = note(printTypeWhole(made, Infinity));
  const again = parseType(printed).type;
  if (again === undefined || !equalTypes(again, made)) throw new Error(`the type does not come back from its text: ${printed}`);
  const text = note(mutateText(random, printed, WORDS));
  const { type: read, problems } = parseType(text);
  checkProblems(text, problems);
  report.count(read === undefined ? "type text: problems" : "type text: good");
  if (read !== undefined) checkReadType(read);
}

function checkReadType(read: ValType): void {
  const shown = printTypeWhole(read, Infinity);
  const again = parseType(shown).type;
  if (again === undefined || !equalTypes(again, read)) throw new Error(`the type does not come back from its text: ${shown}`);
  allowed(() => describeJson(read));
  allowed(() => jsonSchema(read));
}

function checkProblems(text: string, problems: readonly TypeProblem[]): void {
  for (const { start, end, message } of problems) {
    if (!(start >= 0 && start <= end && end <= text.length)) throw new Error(`${start}..${end} of ${text.length}: ${message}`);
    if (message.length > 3000) throw new Error(`a message of ${message.length} characters`);
  }
}

function checkBlock(text: string, report: Report): void {
  const { types, problems } = parseTypeBlock(text);
  checkProblems(text, problems);
  report.count(problems.length > 0 ? "type block: problems" : "type block: good");
  if (problems.length === 0) types.forEach(checkReadType);
}

function checkJson(random: Random, note: Note, report: Report): void {
  const made = sampleType(random.bits());
  const value = random.chance(0.6) ? allowed(() => toJson(made, randomValue(random, made, { objects: [] }))) : undefined;
  const json = value === undefined ? randomJson(random, 0) : random.chance(0.5) ? value.result : mutateJson(random, value.result);
  note(JSON.stringify({ type: printTypeWhole(made), json }), "json");
  const read = allowed(() => fromJson(made, json));
  report.count(read === undefined ? "json: refused" : "json: read");
  if (read !== undefined) checkRead(made, read.result);
  const text = random.chance(0.5) ? JSON.stringify(json) : mutateText(random, JSON.stringify(json) ?? "", WORDS);
  const fromWords = allowed(() => fromText(made, text));
  if (fromWords !== undefined) checkRead(made, fromWords.result);
}

function checkRead(made: ValType, value: unknown): void {
  const mistakes = checkValue(made, value);
  if (mistakes.length > 0) throw new Error(`what was read is not of its type: ${JSON.stringify(mistakes)}`);
  const again = fromJson(made, JSON.parse(JSON.stringify(toJson(made, value))));
  if (!equalValues(made, value, again)) throw new Error("the value does not come back from its JSON");
}

/** The result, or undefined where Starlane refuses. */
function allowed<T>(run: () => T): { readonly result: T } | undefined {
  try {
    return { result: run() };
  } catch (error) {
    if (!(error instanceof StarlaneError) || !error.code.startsWith("wit/")) throw error;
    const longest = Math.max(...error.message.split("\n").map((line) => line.length));
    if (longest > 3000) throw new Error(`a line of ${longest} characters`, { cause: error });
    return undefined;
  }
}

const JSON_LEAVES: readonly Json[] = [null, true, false, 0, -1, 1.5, 1e300, 2 ** 53, "", "a", "AAEC", "NaN", "-Infinity", "18446744073709551615", "\ud800", "__proto__", "none", "ok", 255, 256, -0, "7"]; // prettier-ignore

function randomJson(random: Random, depth: number): Json {
  const kind = random.below(depth > 4 ? 1 : 3);
  if (kind === 0) return random.pick(JSON_LEAVES);
  const count = random.below(5);
  if (kind === 1) return Array.from({ length: count }, () => randomJson(random, depth + 1));
  return Object.fromEntries(
    Array.from({ length: count }, () => [
      random.pick(["a", "ok", "error", "some", "__proto__", "b-c", "1", ""]),
      randomJson(random, depth + 1),
    ]),
  );
}

function mutateJson(random: Random, json: Json): Json {
  if (random.chance(0.25) || typeof json !== "object" || json === null) return randomJson(random, 2);
  if (Array.isArray(json)) {
    const items = [...(json as readonly Json[])];
    const at = random.below(items.length);
    if (random.chance(0.3)) items.splice(at, 1);
    else if (items.length > 0) items[at] = mutateJson(random, items[at] ?? null);
    return items;
  }
  const entries = Object.entries(json);
  const at = random.below(entries.length);
  const [key = "x", inner = null] = entries[at] ?? [];
  if (random.chance(0.3)) entries.splice(at, 1);
  else entries[at] = [random.chance(0.2) ? "other" : key, mutateJson(random, inner as Json)];
  return Object.fromEntries(entries);
}

function checkPattern(random: Random, note: Note, report: Report): void {
  const source = note(Array.from({ length: 1 + random.below(14) }, () => random.pick(PATTERN_PARTS)).join(""));
  const compiled = compilePattern(source);
  report.count("problem" in compiled ? "pattern: problem" : "pattern: good");
  if ("problem" in compiled) return;
  const expected = new RegExp(`^(?:${source})$`, "v");
  for (let i = 0; i < 6; i++) {
    const text = Array.from({ length: random.below(9) }, () =>
      random.pick(["a", "b", "z", "A", "1", "_", "é", "\u{1f600}", "<", "\n", "^", "ab"]),
    ).join("");
    const [ours, theirs] = [compiled.pattern.matches(text), expected.test(text)];
    if (ours !== theirs)
      throw new Error(
        `${source} ${ours ? "matches" : "does not match"} ${JSON.stringify(text)}, in JavaScript it ${theirs ? "does" : "does not"}`,
      );
  }
  // Linear time: what would hang a backtracking matcher.
  compiled.pattern.matches(`${random.pick(["a", "ab", "é", "1"]).repeat(5000)}!`);
}

function checkQuantity(random: Random, note: Note): void {
  const text = note(
    mutateText(random, random.pick(["500ms", "64MiB", "1.5s", "2h", "$.a[0].b", "1e3kB"]), [
      "ms",
      "MiB",
      "1",
      "-",
      ".",
      "[0]",
      "$",
      "e9",
    ]),
  );
  for (const parse of [parseDuration, parseSize]) {
    const quantity = parse(text.slice(0, 200));
    if ("value" in quantity && !(quantity.value >= 0 && Number.isFinite(quantity.value)))
      throw new Error(`${text} is ${quantity.value}`);
  }
  readPath(text);
  compare(randomJson(random, 0), randomJson(random, 0));
}
