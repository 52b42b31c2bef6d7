// Proves the shape of `expect:` in a test: matchers with operands of the right kind, paths that can be followed, ports that exist.

import { expectedFailure, isMatcherName, MATCHERS, readPath, type MatcherName } from "./expect.ts";
import { listed, meant, named, type Mistakes } from "./mistakes.ts";
import { compilePattern } from "./pattern.ts";
import { meantName } from "./port-types.ts";
import { wrongKind } from "./reading.ts";
import { isBroken, toJson, type Entry, type Tree } from "./tree.ts";

const FAILURE_KEYS = ["code", "message", "payload"];

/** Checks an expectation; `ports` are the output ports where they are declared. Answers whether a failure is expected. */
export function checkExpectation(
  tree: Tree,
  ports: readonly string[] | undefined,
  operation: string,
  mistakes: Mistakes,
): boolean {
  if (tree.kind !== "map") {
    wrongKind(tree, "`expect`", "a mapping of output ports, or of `error`", "expect: { greeting: Hello }", mistakes);
    return false;
  }
  const [only] = tree.entries;
  if (only !== undefined && expectedFailure(toJson(tree)) !== undefined) {
    checkFailure(only.value, mistakes);
    return true;
  }
  for (const entry of tree.entries) {
    checkOutputKey(entry, ports, operation, mistakes);
    checkMatchers(entry.value, mistakes);
  }
  return false;
}

function checkOutputKey(entry: Entry, ports: readonly string[] | undefined, operation: string, mistakes: Mistakes): void {
  const { key, keySpan } = entry;
  const steps = key.startsWith("$") ? readPath(key) : undefined;
  if (key.startsWith("$") && steps === undefined) {
    mistakes.error(
      "manifest/bad-matcher",
      keySpan,
      `${named(key)} is no path into the outputs`,
      "Write it as in `'$.rows[0].name'`, or `'$.rows[0][\"odd key\"]'`.",
    );
    return;
  }
  const port = steps === undefined ? key : steps[0];
  if (ports === undefined || typeof port !== "string" || ports.includes(port)) return;
  const known = ports.length === 0 ? "It declares no output ports." : `Its output ports are ${listed(ports)}.`;
  mistakes.error(
    "manifest/unknown-port",
    keySpan,
    `the operation \`${operation}\` has no output port ${named(port)}`,
    meantName(port, ports, known),
  );
}

function checkFailure(tree: Tree, mistakes: Mistakes): void {
  if (tree.kind === "text" || (tree.kind === "boolean" && tree.value) || tree.kind === "broken") return;
  if (tree.kind !== "map") {
    wrongKind(
      tree,
      "`error` in `expect`",
      "a text, a matcher, or a mapping of `code`, `message` and `payload`",
      "error: no such file",
      mistakes,
    );
    return;
  }
  if (isMatcherMapping(tree.entries)) return checkMatcher(tree.entries, mistakes);
  for (const entry of tree.entries) {
    if (FAILURE_KEYS.includes(entry.key)) checkMatchers(entry.value, mistakes);
    else {
      const cure = meantName(
        entry.key,
        [...FAILURE_KEYS, ...Object.keys(MATCHERS)],
        `The keys are ${listed(FAILURE_KEYS)}, or those of matchers.`,
      );
      mistakes.error("manifest/bad-matcher", entry.keySpan, `${named(entry.key)} is no part of an error`, cure);
    }
  }
}

/** Checks the matchers in a value. */
export function checkMatchers(tree: Tree, mistakes: Mistakes): void {
  if (tree.kind === "list") for (const item of tree.items) checkMatchers(item, mistakes);
  if (tree.kind !== "map") return;
  if (isMatcherMapping(tree.entries)) return checkMatcher(tree.entries, mistakes);
  warnOfMistypedMatcher(tree.entries, mistakes);
  for (const entry of tree.entries) checkMatchers(entry.value, mistakes);
}

function isMatcherMapping(entries: readonly Entry[]): boolean {
  return entries.length > 0 && entries.every((entry) => isMatcherName(entry.key));
}

/** `{ at_least: 3 }` is a plain value, which is rarely what was meant. */
function warnOfMistypedMatcher(entries: readonly Entry[], mistakes: Mistakes): void {
  for (const { key, keySpan } of entries) {
    if (isMatcherName(key)) {
      mistakes.warn(
        "manifest/bad-matcher",
        keySpan,
        `${named(key)} is taken as a plain key here: a matcher has no other keys beside it`,
        `Give the matcher a mapping of its own; if it is meant as a key, write \`{ exactly: … }\` around the mapping.`,
      );
      return;
    }
    const probable = entries.length === 1 ? meant(key, Object.keys(MATCHERS)) : undefined;
    if (probable !== undefined) {
      mistakes.warn(
        "manifest/bad-matcher",
        keySpan,
        `${named(key)} is no matcher, so the mapping is taken as a plain value`,
        `Did you mean \`${probable}\`? If not, write \`{ exactly: … }\` around the mapping.`,
      );
      return;
    }
  }
}

function checkMatcher(entries: readonly Entry[], mistakes: Mistakes): void {
  for (const { key, value } of entries) {
    if (isMatcherName(key) && !isBroken(value)) checkOperand(key, value, mistakes);
  }
}

function checkOperand(name: MatcherName, tree: Tree, mistakes: Mistakes): void {
  switch (name) {
    case "exactly":
      return;
    case "contains":
      return checkMatchers(tree, mistakes);
    case "any":
      if (tree.kind !== "boolean" || !tree.value) badOperand(tree, "`any` takes only `true`", "Write `{ any: true }`.", mistakes);
      return;
    case "at-least":
    case "at-most":
      if (tree.kind !== "number" && !(tree.kind === "text" && /^-?[0-9]{1,20}$/.test(tree.value))) {
        badOperand(tree, `\`${name}\` takes a number`, `Write it as in \`{ ${name}: 3 }\`.`, mistakes);
      }
      return;
    case "length":
      if (tree.kind === "map") checkMatchers(tree, mistakes);
      else if (tree.kind !== "number" || !Number.isInteger(tree.value) || tree.value < 0)
        badOperand(
          tree,
          "`length` takes a whole number or a matcher",
          "Write it as in `{ length: 3 }` or `{ length: { at-least: 1 } }`.",
          mistakes,
        );
      return;
    case "matches": {
      if (tree.kind !== "text")
        return badOperand(
          tree,
          "`matches` takes a regular expression as text",
          "Write it as in `{ matches: 'Hello .*' }`.",
          mistakes,
        );
      const compiled = compilePattern(tree.value);
      if ("problem" in compiled)
        mistakes.error(
          "manifest/bad-pattern",
          tree.place(compiled.problem.start, compiled.problem.end),
          compiled.problem.message,
          compiled.problem.cure,
        );
    }
  }
}

function badOperand(tree: Tree, message: string, cure: string, mistakes: Mistakes): void {
  mistakes.error("manifest/bad-matcher", tree.span, message, cure);
}
