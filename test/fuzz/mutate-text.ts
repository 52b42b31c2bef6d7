// Mutations of texts: characters, words, lines, nesting, and what is hard to read. Bounds: a mutated text has at most `LONGEST` characters.

import type { Random } from "./random.ts";

const LONGEST = 100_000;

const ODD = [
  "\u0000", "\u001b[2J", "\ufeff", "\u202e", "\ud800", "\udc00", "\u2028", "\r", "\r\n", "\t", "\u{1f600}", "é", "\u0301", "%", "\\", "\\u0000", "\\ud800", "\"", "'", "`", "#", ";",
  "__proto__", "constructor", "toString", "${config.x}", "${", "$${", "&a", "*a", "<<", "!!binary", "---", "...", "? ", "|", ">", "-0", "1e999", "0x10", "9007199254740993", "null", "~", "yes", "NaN",
]; // prettier-ignore

const NESTS: readonly (readonly [open: string, close: string])[] = [
  ["[", "]"],
  ["{a: ", "}"],
  ["{", "}"],
  ["(", ")"],
  ["list<", ">"],
  ["option<", ">"],
  ["tuple<u8, ", ">"],
  ["record { a: ", " }"],
  ["- ", ""],
  ['{"a":', "}"],
  ["(?:a", ")*"],
  ["<>.a -> ", ""],
];

/** `words`: what may be put in, besides parts of the text itself. */
export function mutateText(random: Random, text: string, words: readonly string[]): string {
  let out = text;
  for (let i = 0; i <= random.below(4) && out.length <= LONGEST; i++) out = mutateOnce(random, out, words);
  return out.slice(0, LONGEST);
}

function mutateOnce(random: Random, text: string, words: readonly string[]): string {
  const at = random.below(text.length + 1);
  const put = (start: number, end: number, what: string): string => text.slice(0, start) + what + text.slice(end);
  switch (random.below(12)) {
    case 0:
      return put(at, at + 1 + random.below(6), "");
    case 1:
      return put(at, at, text.slice(at, at + random.below(40)));
    case 2:
      return put(at, at, random.pick(ODD));
    case 3:
      return put(at, at + 1, String.fromCharCode(random.chance(0.8) ? 32 + random.below(95) : random.bits() & 0xffff));
    case 4:
      return text.slice(0, at);
    case 5:
      return swapLines(random, text);
    case 6: {
      const [open, close] = random.pick(NESTS);
      const depth = random.pick([1, 2, 20, 70, 300, 3000]);
      const end = Math.min(text.length, at + random.below(20));
      return put(at, end, open.repeat(depth) + text.slice(at, end) + close.repeat(depth));
    }
    case 7:
      return put(at, at, random.pick(words).repeat(random.pick([1, 1, 3, 500])));
    default:
      return replaceWord(random, text, words);
  }
}

function swapLines(random: Random, text: string): string {
  const lines = text.split("\n");
  const [a, b] = [random.below(lines.length), random.below(lines.length)];
  const line = lines[a] ?? "";
  lines[a] = lines[b] ?? "";
  if (random.chance(0.5)) lines[b] = line;
  return lines.join("\n");
}

const WORD = /[\w-]+|[^\s\w]/g;

function replaceWord(random: Random, text: string, words: readonly string[]): string {
  const found = [...text.matchAll(WORD)];
  if (found.length === 0) return random.pick(words);
  const { index, 0: word } = random.pick(found);
  const other = random.chance(0.5) ? random.pick(found)[0] : random.pick(words);
  return text.slice(0, index) + other + text.slice(index + word.length);
}

/** The words of some texts, each once. */
export function wordsOf(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => text.match(WORD) ?? []))].filter((word) => word.length <= 40);
}
