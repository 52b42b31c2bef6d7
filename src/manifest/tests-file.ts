// Reads tests: those in a manifest's `tests:`, and files that hold nothing else.

import type { Diagnostic, Source } from "../base/diagnostics.ts";
import { readPath } from "./components.ts";
import { checkExpectation } from "./expect-shape.ts";
import { FORMATS } from "./formats.ts";
import { TEST_KEYS, TESTS_FILE_KEYS } from "./keys.ts";
import type { Json, OperationDeclaration, TestDeclaration, TestsFile } from "./manifest.ts";
import { listed, Mistakes, named } from "./mistakes.ts";
import { meantName } from "./port-types.ts";
import { readGiven } from "./read-given.ts";
import { describe, missingKey, readEntries, readInteger, readKnown, readText, wrongKind } from "./reading.ts";
import { toJson, type Entry, type Tree } from "./tree.ts";
import { readYaml } from "./yaml.ts";

/** The operations that tests may name. */
export interface Operations {
  readonly operations: readonly OperationDeclaration[];
  /** All names, also of operations that have mistakes. */
  readonly names: readonly string[];
}

/**
 * Reads a tests file: a list of tests, or a mapping with `tests`. Given the `operations` of the manifest it belongs to, names of operations and ports
 * are checked too. Tests with mistakes are left out.
 */
export function parseTestsFile(
  source: Source,
  operations?: readonly OperationDeclaration[],
): { readonly tests: readonly TestDeclaration[]; readonly diagnostics: readonly Diagnostic[] } {
  const mistakes = new Mistakes();
  const tree = readYaml(source, mistakes);
  const known = operations === undefined ? undefined : { operations, names: operations.map(({ name }) => name) };
  const list = tree?.kind === "map" ? readKnown(tree, "the tests file", TESTS_FILE_KEYS, mistakes).get("tests")?.value : tree;
  if (tree !== undefined && list === undefined)
    missingKey("tests", "the tests file", { ...tree.span, end: tree.span.start }, "tests: [ … ]", mistakes);
  if (list === undefined) return { tests: [], diagnostics: mistakes.list() };
  if (list.kind !== "list")
    wrongKind(
      list,
      "a tests file",
      "a list of tests",
      "- { operation: greet, input: { name: Ada }, expect: { greeting: Hello Ada } }",
      mistakes,
    );
  const items = list.kind === "list" ? list.items : [];
  const tests = items.flatMap((item) => readTest(item, known, mistakes) ?? []);
  return { tests, diagnostics: mistakes.list() };
}

/** The tests of a manifest, and the files it names. */
export function readTests(
  tree: Tree,
  known: Operations,
  mistakes: Mistakes,
): { readonly tests: readonly TestDeclaration[]; readonly testsFiles: readonly TestsFile[] } {
  const tests: TestDeclaration[] = [];
  const testsFiles: TestsFile[] = [];
  if (tree.kind !== "list" && tree.kind !== "text" && tree.kind !== "null") {
    wrongKind(tree, "`tests`", "a list of tests, or of paths of tests files", "tests: [ ./tests.yaml ]", mistakes);
  }
  for (const item of tree.kind === "list" ? tree.items : [tree]) {
    if (item.kind === "text") {
      const path = readPath(item, "a tests file", mistakes);
      if (path !== undefined) testsFiles.push({ path, span: item.span });
    } else if (tree.kind === "list") {
      const test = readTest(item, known, mistakes);
      if (test !== undefined) tests.push(test);
    }
  }
  return { tests, testsFiles };
}

function readTest(tree: Tree, known: Operations | undefined, mistakes: Mistakes): TestDeclaration | undefined {
  if (tree.kind !== "map") {
    return wrongKind(
      tree,
      "a test",
      "a mapping, or the path of a tests file",
      "{ operation: greet, input: { name: Ada }, expect: { greeting: Hello Ada } }",
      mistakes,
    );
  }
  const before = mistakes.errorCount;
  const keys = readKnown(tree, "a test", TEST_KEYS, mistakes);
  const [name, operation, input, expect, seed, timestamp, given, record] = [
    "name",
    "operation",
    "input",
    "expect",
    "seed",
    "timestamp",
    "given",
    "record",
  ].map((key) => keys.get(key)?.value);
  if (operation === undefined)
    missingKey("operation", "the test", { ...tree.span, end: tree.span.start }, "operation: greet", mistakes);
  const operationName = operation === undefined ? undefined : readOperationName(operation, known, mistakes);
  const declared = known?.operations.find((candidate) => candidate.name === operationName);
  const ports = declared?.output?.map((port) => port.name);
  const mayFail = expect === undefined ? false : checkExpectation(expect, ports, operationName ?? "", mistakes);
  if (record !== undefined) recordStandsAlone(keys, mistakes);
  const test: TestDeclaration = {
    name: name === undefined ? undefined : readText(name, "the name of a test", "name: greets by name", mistakes)?.value,
    operation: operationName ?? "",
    input: input === undefined ? {} : readTestInput(input, mayFail ? undefined : declared, mistakes),
    expect: expect === undefined ? undefined : toJson(expect),
    seed: seed === undefined ? undefined : readInteger(seed, "`seed`", 0, Number.MAX_SAFE_INTEGER, "seed: 42", mistakes),
    timestampMs: timestamp === undefined ? undefined : readTimestamp(timestamp, mistakes),
    given: given === undefined ? undefined : readGiven(given, mistakes),
    record: record === undefined ? undefined : readRecordPath(record, mistakes),
    span: tree.span,
  };
  return mistakes.errorCount === before ? test : undefined;
}

function readRecordPath(tree: Tree, mistakes: Mistakes): string | undefined {
  if (tree.kind === "text") return readPath(tree, "a record", mistakes);
  return wrongKind(tree, "`record` of a test", "the path of a record", "record: ./records/failed.json", mistakes);
}

/** A record has its own input, seed, time and outside. */
function recordStandsAlone(keys: ReadonlyMap<string, Entry>, mistakes: Mistakes): void {
  for (const key of ["input", "seed", "timestamp", "given"]) {
    const entry = keys.get(key);
    if (entry === undefined) continue;
    mistakes.error(
      "manifest/bad-value",
      entry.keySpan,
      `a test with a \`record\` has its \`${key}\` from there`,
      "Remove one of them.",
    );
  }
}

function readOperationName(tree: Tree, known: Operations | undefined, mistakes: Mistakes): string | undefined {
  const text = readText(tree, "`operation` of a test", "operation: greet", mistakes);
  if (text === undefined || known === undefined || known.names.includes(text.value)) return text?.value;
  const cure = known.names.length === 0 ? "The manifest declares no operations." : `The operations are ${listed(known.names)}.`;
  mistakes.error(
    "manifest/unknown-operation",
    text.span,
    `there is no operation ${named(text.value)}`,
    meantName(text.value, known.names, cure),
  );
  return undefined;
}

/** A test that expects an error may send what no port takes. */
function readTestInput(
  tree: Tree,
  operation: OperationDeclaration | undefined,
  mistakes: Mistakes,
): { readonly [port: string]: Json } {
  const entries = readEntries(tree, "`input` of a test", "input: { name: Ada }", mistakes);
  const ports = operation?.input?.map((port) => port.name);
  for (const { key, keySpan } of entries) {
    if (ports === undefined || ports.includes(key)) continue;
    const cure = ports.length === 0 ? "It has no input ports." : `Its input ports are ${listed(ports)}.`;
    mistakes.error(
      "manifest/unknown-port",
      keySpan,
      `the operation \`${operation?.name ?? ""}\` has no input port ${named(key)}`,
      meantName(key, ports, cure),
    );
  }
  return Object.fromEntries(entries.map((entry: Entry) => [entry.key, toJson(entry.value)]));
}

function readTimestamp(tree: Tree, mistakes: Mistakes): number | undefined {
  if (tree.kind === "broken") return undefined;
  if (tree.kind === "number" && Number.isInteger(tree.value) && Math.abs(tree.value) <= 8.64e15) return tree.value;
  if (tree.kind === "text" && FORMATS["date-time"].has(tree.value)) {
    // A leap second has no number of its own: it is the second after it.
    const ms = Date.parse(tree.value.replace(/:60/, ":59").replace(" ", "T")) + (tree.value.includes(":60") ? 1000 : 0);
    if (Number.isFinite(ms)) return ms;
  }
  mistakes.error(
    "manifest/bad-value",
    tree.span,
    `\`timestamp\` must be a time with its offset, or milliseconds since 1970, not ${describe(tree)}`,
    "Write it as in `timestamp: 2026-08-01T12:00:00Z`.",
  );
  return undefined;
}
