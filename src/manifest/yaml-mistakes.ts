// What the YAML library says of broken syntax, in words for people who did not mean to learn YAML.

import type { CST, YAMLParseError } from "yaml";
import type { Source, Span } from "../base/diagnostics.ts";
import type { Mistakes } from "./mistakes.ts";

/** Later syntax mistakes are mostly echoes of the first. */
const MOST_SYNTAX_MISTAKES = 5;

const NOT_CLOSED = "a bracket that was opened before is not closed";

interface Wording {
  readonly says: RegExp;
  readonly message: string;
  readonly cure: string;
}

const WORDINGS: readonly Wording[] = [
  {
    says: /^Nested mappings are not allowed/,
    message: "a second `: ` on one line would start a mapping inside a value",
    cure: 'Put a value that contains `: ` in quotes (`description: "this: that"`), or start the mapping on the next line.',
  },
  {
    says: /^A block sequence may not be used|^Unexpected block-seq-ind on same line/,
    message: "a list cannot start on the line of its key",
    cure: "Start the list on the next line, further to the right, or write it as `[ a, b ]`.",
  },
  {
    says: /^All mapping items must start at the same column/,
    message: "this line is indented neither like the keys above it nor like a part of them",
    cure: "Give keys that belong together the same number of spaces, and the lines of a text after `|` at least those of its first line.",
  },
  {
    says: /^All sequence items must start at the same column|^Sequence item without/,
    message: "this line stands in a list, but is no item of it",
    cure: "Start each item with `- ` at the same column, or indent the line to make it part of the item above.",
  },
  {
    says: /must be sufficiently indented and end with a (.)/,
    message: NOT_CLOSED,
    cure: "Close it with `}` or `]`; put text that contains brackets in quotes.",
  },
  {
    says: /must be sufficiently indented/,
    message: "this line must be indented further than the key it belongs to",
    cure: "Put more spaces before it.",
  },
  {
    says: /^Expected flow/,
    message: NOT_CLOSED,
    cure: "Close it with `}` or `]`; put text that contains brackets in quotes.",
  },
  {
    says: /^Block scalar lines must not be less indented|^Block scalars with more-indented|^Block scalar values in collections/,
    message: "the lines of a text after `|` or `>` must be indented alike, and further than its key",
    cure: "Give all lines of the text the indentation of its first line.",
  },
  {
    says: /^Block collections are not allowed within/,
    message: "inside brackets a new `key: value` starts here, where `,` or the closing bracket is expected",
    cure: "Write `,` between items; put text that contains `: ` in quotes.",
  },
  {
    says: /^Block scalar header includes extra|^Not a YAML token/,
    message: "text cannot start on the line of `|` or `>`",
    cure: "Start the text on the next line, indented; only `-`, `+` or a number of spaces may follow the mark.",
  },
  {
    says: /^Tabs are not allowed/,
    message: "a tab stands where the indentation is, and YAML counts only spaces",
    cure: "Indent with spaces.",
  },
  {
    says: /^Implicit map keys need to be followed|^Implicit keys need to be on a single line|^Implicit keys of flow/,
    message: "this stands where `key: value` is expected",
    cure: "Write `:` and a space after the key; indent the line if it continues the value above.",
  },
  {
    says: /^Missing closing/,
    message: "the text that starts with a quote does not end with one",
    cure: "Write the closing quote; inside single quotes a quote is written twice (`''`).",
  },
  {
    says: /^Missing , between|^Missing , or : between/,
    message: "a comma is missing between two items in brackets",
    cure: "Write `,` between items; put text that contains brackets, commas or `: ` in quotes.",
  },
  { says: /^Missing space after :/, message: "a space is missing after `:`", cure: "Write `key: value`, with a space." },
  {
    says: /^Comments must be separated/,
    message: "a comment needs a space before its `#`",
    cure: "Write a space before `#`, or put the text in quotes.",
  },
  {
    says: /^Invalid escape sequence/,
    message: "inside double quotes a backslash starts an escape, and this one does not exist",
    cure: "Use single quotes, in which a backslash is only a backslash, or write `\\\\`.",
  },
  {
    says: /^Plain value cannot start with/,
    message: "text cannot start with this character without quotes",
    cure: "Put the text in quotes.",
  },
  {
    says: /^The : indicator must be at most 1024/,
    message: "a key is longer than 1024 characters",
    cure: "Shorten it; if it is no key, put the text in quotes.",
  },
  {
    says: /^Unexpected , in|^Unexpected empty item/,
    message: "a comma has nothing before it",
    cure: "Remove the comma, or write the item that is missing.",
  },
  {
    says: /^Unexpected (?:scalar|alias|anchor|flow).* at node end|^Unexpected [a-z-]*scalar token/,
    message: "text follows where the value has already ended",
    cure: "Put the whole value in one pair of quotes, or remove what follows.",
  },
  {
    says: /^Unexpected (?:flow-(?:map|seq)-end|[}\]])|^Unexpected flow-error-end/,
    message: "a bracket is closed that was not opened",
    cure: "Remove it; put text that contains brackets in quotes.",
  },
];

/** Adds the first syntax mistakes, one for a line: what follows a broken line is mostly an echo of it. */
export function addSyntaxMistakes(
  source: Source,
  errors: readonly YAMLParseError[],
  tokens: readonly CST.Token[],
  mistakes: Mistakes,
): void {
  let lineEnd = -1;
  let count = 0;
  for (const error of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    if (error.pos[0] <= lineEnd) continue;
    if (++count > MOST_SYNTAX_MISTAKES) break;
    const opened = openedAt(tokens, error.message);
    const [start, end] = opened === undefined ? atText(source, error.pos) : [opened, opened + 1];
    const next = source.text.indexOf("\n", error.pos[0]);
    lineEnd = next < 0 ? source.text.length : next;
    // After brackets that do not match, everything is an echo.
    if (addSyntaxMistake(source, start, end, error.message, mistakes) === "brackets") break;
  }
}

function addSyntaxMistake(source: Source, start: number, end: number, says: string, mistakes: Mistakes): "brackets" | "other" {
  const span = { source, start, end };
  const lineEnd = source.text.indexOf("\n", start);
  const lineStart = source.text.lastIndexOf("\n", start - 1) + 1;
  const line = source.text.slice(lineStart, lineEnd < 0 ? source.text.length : lineEnd);
  if (hasBareReference(line)) {
    mistakes.error(
      "manifest/yaml",
      span,
      "`${…}` inside brackets is read as a mapping, and the brackets do not match",
      'Put it in quotes: "${config.NAME}".',
    );
    return "brackets";
  }
  const wording = WORDINGS.find((candidate) => candidate.says.test(says));
  if (wording !== undefined) mistakes.error("manifest/yaml", span, wording.message, wording.cure);
  else
    mistakes.error(
      "manifest/yaml",
      span,
      `this is not YAML: ${says.split("\n", 1)[0] ?? ""}`,
      "Correct it, or put the text in quotes.",
    );
  return wording?.message === NOT_CLOSED ? "brackets" : "other";
}

/** Whether a `${` without a quote before it stands behind a bracket. */
function hasBareReference(line: string): boolean {
  const bracket = line.search(/[{[]/);
  const reference = bracket < 0 ? -1 : line.indexOf("${", bracket + 1);
  return reference > 0 && !/["']/.test(line.charAt(reference - 1));
}

/** The place of an error, moved back from blank space and the end of the file to text that can be shown. */
function atText(source: Source, pos: readonly [number, number]): readonly [number, number] {
  const { text } = source;
  let start = Math.min(pos[0], text.length);
  // An indentation is shown by what follows it.
  if (start === 0 || text.charAt(start - 1) === "\n") while (text.charAt(start) === " ") start++;
  const shown = text.charAt(start);
  if (shown === "" || shown === "\n" || shown === "\r") {
    while (start > 0 && /\s/.test(text.charAt(start - 1))) start--;
    start = Math.max(0, start - 1);
  }
  return [start, Math.max(start + 1, Math.min(pos[1], text.length))];
}

/** Where the bracket or quote stands that is never closed: that is where people look, not at the end of the file. */
function openedAt(tokens: readonly CST.Token[], says: string): number | undefined {
  const isBracket = /^Expected flow|must be sufficiently indented and end with/.test(says);
  if (!isBracket && !says.startsWith("Missing closing")) return undefined;
  const pending = tokens.toReversed();
  for (let token = pending.pop(); token !== undefined; token = pending.pop()) {
    if (isBracket ? isOpenBracket(token) : isOpenQuote(token)) return token.offset;
    pending.push(...partsOf(token).toReversed());
  }
  return undefined;
}

function isOpenBracket(token: CST.Token): boolean {
  return token.type === "flow-collection" && !token.end.some(({ type }) => type === "flow-map-end" || type === "flow-seq-end");
}

function isOpenQuote(token: CST.Token): boolean {
  if (token.type === "double-quoted-scalar") return token.source.length < 2 || !token.source.endsWith('"');
  return token.type === "single-quoted-scalar" && (token.source.length < 2 || !token.source.endsWith("'"));
}

function partsOf(token: CST.Token): readonly CST.Token[] {
  if (token.type === "document") return token.value === undefined ? [] : [token.value];
  if (!("items" in token)) return [];
  return token.items.flatMap(({ key, value }) => [key ?? [], value ?? []].flat());
}

/** A span of a source, kept within it. */
export function spanOf(source: Source, start: number, end: number): Span {
  const from = Math.min(start, source.text.length);
  return { source, start: from, end: Math.max(from, Math.min(end, source.text.length)) };
}

/** Reports that a bound is passed. */
export function tooLarge(source: Source, at: number, what: string, mistakes: Mistakes): undefined {
  mistakes.error(
    "manifest/too-large",
    spanOf(source, at, at + 1),
    `the file has ${what}, which is more than a manifest may have`,
    "Move data out of the manifest: into files that components read, or into tests files (`tests: [ ./tests.yaml ]`).",
  );
  return undefined;
}
