import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDocument } from "yaml";
import { Mistakes } from "./mistakes.ts";
import type { TextTree } from "./tree.ts";
import { readYaml } from "./yaml.ts";

function scalarAt(text: string): TextTree {
  const mistakes = new Mistakes();
  const tree = readYaml({ file: "t.yaml", text }, mistakes);
  assert.deepEqual(mistakes.list(), []);
  assert(tree?.kind === "map");
  const value = tree.entries[0]?.value;
  assert(value?.kind === "text", `a text in ${JSON.stringify(text)}`);
  return value;
}

/** The source text that is written for each character of the scalar. */
function writtenFor(text: string): readonly (readonly [string, string])[] {
  const value = scalarAt(text);
  return value.value.split("").map((character, i) => {
    const place = value.place(i, i + 1);
    return [character, text.slice(place.start, place.end)] as const;
  });
}

test("a literal block maps each character past its indentation, and line breaks to line breaks", () => {
  assert.deepEqual(writtenFor("a: |\n  b\n   c\n"), [
    ["b", "b"],
    ["\n", "\n"],
    [" ", " "],
    ["c", "c"],
    ["\n", "\n"],
  ]);
});

test("a literal block with Windows line ends maps to the characters themselves", () => {
  assert.deepEqual(writtenFor("a: |-\r\n  b\r\n  c\r\nd: 1\r\n"), [
    ["b", "b"],
    ["\n", "\r\n"],
    ["c", "c"],
  ]);
});

test("escapes of a double-quoted text map to the whole escape", () => {
  assert.deepEqual(writtenFor('a: "x\\n\\u00e9\\\\"\n'), [
    ["x", "x"],
    ["\n", "\\n"],
    ["é", "\\u00e9"],
    ["\\", "\\\\"],
  ]);
});

test("a folded line break maps a space to the break", () => {
  assert.deepEqual(writtenFor("a: b\n  c\n"), [
    ["b", "b"],
    [" ", "\n"],
    ["c", "c"],
  ]);
});

test("a doubled quote in a single-quoted text maps to both", () => {
  assert.deepEqual(writtenFor("a: 'b''c'\n"), [
    ["b", "b"],
    ["'", "''"],
    ["c", "c"],
  ]);
});

test("a range over several lines spans from its first to its last character", () => {
  const text = "a: |\n  one\n  two\n";
  const place = scalarAt(text).place(1, 6);
  assert.equal(text.slice(place.start, place.end), "ne\n  tw");
});

test("a place after the end is just after the last character", () => {
  const text = "a: |-\n  one\n  two\n";
  const place = scalarAt(text).place(7, 7);
  assert.equal(place.start, text.indexOf("two") + 3);
});

const words = fc.constantFrom("a", "bc", "é", "😀", " ", "  ", "\n", "\n\n", "'", "->", "<>", "#x", "\t", "{", ":", "\\");

/** Documents whose first value is a scalar of some style with odd spacing. */
const documents = fc
  .tuple(
    fc.array(words, { maxLength: 14 }),
    fc.constantFrom("|", "|-", "|+", ">", ">-", ">+", "|2", "'", '"', ""),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([parts, style, crlf, last]) => {
    const body = parts.join("");
    const indented = body.split("\n").join("\n  ");
    const text =
      style === "'"
        ? `k: '${indented.replaceAll("'", "''")}'\n`
        : style === '"'
          ? `k: "${indented.replaceAll("\\", "\\\\").replaceAll("'", "\\x27")}"\n`
          : style === ""
            ? `k: x${indented}\n`
            : `k: ${style}\n  ${indented}${last ? "\n" : ""}`;
    return crlf ? text.replaceAll("\n", "\r\n") : text;
  });

test("for any readable scalar the map is there, runs forward, and plain characters stand for themselves", () => {
  let mappedCount = 0;
  fc.assert(
    fc.property(documents, (text) => {
      const document = parseDocument(text, { logLevel: "silent" });
      fc.pre(document.errors.length === 0);
      const mistakes = new Mistakes();
      const tree = readYaml({ file: "t.yaml", text }, mistakes);
      fc.pre(tree?.kind === "map");
      const value = tree?.kind === "map" ? tree.entries[0]?.value : undefined;
      if (value?.kind !== "text" || value.value.length === 0) return;
      let before = 0;
      for (let i = 0; i < value.value.length; i++) {
        const place = value.place(i, i + 1);
        const written = text.slice(place.start, place.end);
        assert(place.start >= before, `forward at ${i}`);
        before = place.start;
        const character = value.value.charAt(i);
        if (/[^\s'\\]/.test(character)) {
          assert.equal(written, character);
          mappedCount++;
        }
      }
    }),
    { numRuns: 3000 },
  );
  assert(mappedCount > 1000);
});
