import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compilePattern, type Pattern, type PatternProblem } from "./pattern.ts";

function good(source: string): Pattern {
  const compiled = compilePattern(source);
  assert("pattern" in compiled, JSON.stringify(compiled));
  return compiled.pattern;
}

function bad(source: string): PatternProblem {
  const compiled = compilePattern(source);
  assert("problem" in compiled, source);
  return compiled.problem;
}

test("a pattern matches the whole text, not a part of it", () => {
  assert.equal(good("b").matches("abc"), false);
  assert.equal(good("a|b").matches("ab"), false);
  assert.equal(good("a.*c").matches("abc"), true);
});

test("an empty pattern matches only the empty text", () => {
  assert.equal(good("").matches(""), true);
  assert.equal(good("").matches("a"), false);
});

test("characters beyond the basic plane count as one", () => {
  assert.equal(good(".").matches("😀"), true);
  assert.equal(good("[😀-😂]{2}").matches("😁😂"), true);
});

test("set operations of the v flag work", () => {
  const consonants = good("[[a-z]--[aeiou]]+");
  assert.equal(consonants.matches("bcd"), true);
  assert.equal(consonants.matches("bad"), false);
});

test("a pattern that makes backtracking matchers hang is matched in linear time", () => {
  assert.equal(good("(a+)+b").matches("a".repeat(100_000)), false);
  assert.equal(good("(.*,){12}x").matches("a,".repeat(20_000)), false);
  assert.equal(good("(a|a)*(a|aa)*b").matches("a".repeat(100_000)), false);
});

test("what linear time cannot have is refused at its place", () => {
  assert.deepEqual([bad("a(?=b)").start, bad("a(?=b)").end], [1, 4]);
  assert.match(bad("(a)\\1").message, /refers back/);
  assert.match(bad("(?<!a)b").message, /looks ahead or behind/);
  assert.match(bad("\\bword\\b").message, /whole text/);
  assert.match(bad("(?i:a)").message, /flags/);
  assert.match(bad("\\p{RGI_Emoji}").message, /sequences/);
  assert.match(bad("[\\p{RGI_Emoji}a]").message, /sequences/);
  assert.match(bad("[\\q{abc}]").message, /sequences/);
});

test("what is no regular expression is refused with the reason", () => {
  for (const source of ["(", "[", "a**", "a{2,1}", "[a-z", ")", "\\", "[(]", "(?<n>a)(?<n>b)"])
    assert.match(bad(source).message, /^the pattern is no regular expression: ./, source);
});

test("patterns that unfold into too much are refused", () => {
  assert.match(bad("(x{1000}){1000}").message, /too many steps/);
  assert.match(bad("x{99999}").message, /more than 2000 times/);
  assert.match(bad("x".repeat(1001)).message, /1001 characters/);
  assert.match(bad("(".repeat(150) + ")".repeat(150)).message, /levels of groups/);
});

const atoms = fc.constantFrom(
  "a",
  "b",
  "c",
  ".",
  "[ab]",
  "[^a]",
  "\\w",
  "\\d",
  "é",
  "😀",
  "\\n",
  "\\u{61}",
  "\\.",
  "^",
  "$",
  "[\\w--b]",
);
const patterns = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    atoms,
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => a + b),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie("node"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?")).map(([a, q]) => `(${a})${q}`),
  ),
})).node;
const texts = fc
  .array(fc.constantFrom("a", "b", "c", "1", "é", "😀", "\n", "."), { maxLength: 7 })
  .map((parts) => parts.join(""));

test("for any pattern and text the answer is that of the JavaScript engine on the whole text", () => {
  let matched = 0;
  fc.assert(
    fc.property(patterns, fc.array(texts, { minLength: 1, maxLength: 8 }), (source, some) => {
      const pattern = good(source);
      const native = new RegExp(`^(?:${source})$`, "v");
      for (const text of some) {
        const expected = native.test(text);
        if (expected) matched++;
        assert.equal(pattern.matches(text), expected, `${source} on ${JSON.stringify(text)}`);
      }
    }),
    { numRuns: 1500 },
  );
  assert(matched > 100);
});
