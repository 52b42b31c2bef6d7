// Where each character of a YAML scalar stands in the file: block (`|`, `>`), quoted and plain scalars, with their indentation,
// folding and escapes (YAML 1.2.2, chapters 7.3 and 8.1). Linear in the length of the scalar.

/** A scalar as the YAML library's syntax tree has it. */
export interface ScalarToken {
  readonly style: "literal" | "folded" | "double" | "single" | "plain";
  /** Where `source` starts in the file. For block scalars `source` is what follows the header line. */
  readonly offset: number;
  readonly source: string;
  /** Block scalars: their header, as `|2-`, and the indentation of what they belong to. */
  readonly header?: string | undefined;
  readonly parentIndent?: number | undefined;
}

/** `starts[i]` and `ends[i]` are where character i of `text` is written, in UTF-16 offsets of the file. */
export interface MappedText {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Reads a scalar, remembering where every character of its text comes from. */
export function mapScalar(token: ScalarToken): MappedText {
  const out = new TextBuilder(token.offset);
  if (token.style === "literal" || token.style === "folded") readBlock(token, out);
  else if (token.style === "double") readDouble(token.source, out);
  else if (token.style === "single") readSingle(token.source, out);
  else readFolding(token.source, 0, token.source.length, out);
  return out.done();
}

class TextBuilder {
  readonly #parts: string[] = [];
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  /** Adds text that is written at `start..end` of the source: character by character where the lengths agree. */
  add(text: string, start: number, end: number): void {
    this.#parts.push(text);
    const same = text.length === end - start;
    for (let i = 0; i < text.length; i++) {
      this.#starts.push(this.#offset + (same ? start + i : start));
      this.#ends.push(this.#offset + (same ? start + i + 1 : end));
    }
  }

  done(): MappedText {
    return { text: this.#parts.join(""), starts: this.#starts, ends: this.#ends };
  }
}

interface Line {
  /** Offsets in the source: of the line, of its first character that is no space, of its end without the line break. */
  readonly start: number;
  readonly content: number;
  readonly end: number;
  readonly breakEnd: number;
}

function splitLines(source: string): Line[] {
  const lines: Line[] = [];
  for (let start = 0; start < source.length;) {
    const newline = source.indexOf("\n", start);
    const breakEnd = newline < 0 ? source.length : newline + 1;
    const stop = newline < 0 ? source.length : newline;
    const end = stop > start && source[stop - 1] === "\r" ? stop - 1 : stop;
    let content = start;
    while (content < end && source[content] === " ") content++;
    lines.push({ start, content, end, breakEnd });
    start = breakEnd;
  }
  return lines;
}

function readBlock(token: ScalarToken, out: TextBuilder): void {
  const { source } = token;
  const header = token.header ?? "";
  const keepAll = header.includes("+");
  const lines = splitLines(source);
  const indent = blockIndent(token, lines);
  let used = lines.length;
  // Lines at the end with nothing but indentation are chomped.
  while (used > 0) {
    const line = lines[used - 1];
    if (line === undefined || line.content < line.end || line.end - line.start > indent) break;
    used--;
  }
  const body = lines.slice(0, used);
  if (token.style === "literal") readLiteral(source, body, indent, out);
  else readFolded(source, body, indent, out);
  const last = body.at(-1);
  if (keepAll) {
    if (last !== undefined) out.add("\n", last.end, last.breakEnd);
    for (const line of lines.slice(used)) {
      if (line.breakEnd > line.end) out.add("\n", line.end, line.breakEnd);
    }
  } else if (last !== undefined && !header.includes("-")) {
    out.add("\n", last.end, last.breakEnd);
  }
}

function blockIndent(token: ScalarToken, lines: readonly Line[]): number {
  const explicit = /[1-9]/.exec(token.header ?? "");
  if (explicit !== null) return Math.max(0, token.parentIndent ?? 0) + Number(explicit[0]);
  const first = lines.find((line) => line.content < line.end);
  return first === undefined ? 0 : first.content - first.start;
}

function readLiteral(source: string, lines: readonly Line[], indent: number, out: TextBuilder): void {
  lines.forEach((line, i) => {
    const before = lines[i - 1];
    if (before !== undefined) out.add("\n", before.end, before.breakEnd);
    const from = Math.min(line.start + indent, line.end);
    out.add(source.slice(from, line.end), from, line.end);
  });
}

/** Line breaks between two lines of normal indentation fold: one becomes a space, n become n-1; around further indented lines all stay. */
function readFolded(source: string, lines: readonly Line[], indent: number, out: TextBuilder): void {
  let breaks: Line[] = [];
  let beforeKeeps = true;
  for (const [i, line] of lines.entries()) {
    const from = Math.min(line.start + indent, line.end);
    if (from === line.end) {
      breaks.push(line);
      continue;
    }
    const keeps = line.content > from || source[line.content] === "\t";
    if (i > 0 && breaks.length < i) {
      const previous = lines[i - 1 - breaks.length];
      const all = previous === undefined ? breaks : [previous, ...breaks];
      if (keeps || beforeKeeps) addBreaks(all, out);
      else if (all.length > 1) addBreaks(all.slice(1), out);
      else for (const one of all) out.add(" ", one.end, one.breakEnd);
    } else {
      addBreaks(breaks, out);
    }
    out.add(source.slice(from, line.end), from, line.end);
    breaks = [];
    beforeKeeps = keeps;
  }
}

function addBreaks(lines: readonly Line[], out: TextBuilder): void {
  for (const line of lines) out.add("\n", line.end, line.breakEnd);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}

/**
 * White space at `i`: kept where it stands inside a line, folded where a line ends in it. Answers where to go on.
 * `break` says that a line break must be there even when no blank precedes it.
 */
function readWhitespace(source: string, i: number, end: number, out: TextBuilder): number {
  let at = i;
  while (at < end && isBlank(source[at])) at++;
  const breakLength = lineBreakAt(source, at, end);
  if (breakLength === 0) {
    out.add(source.slice(i, at), i, at);
    return at;
  }
  let newlines = 0;
  const firstBreak = at;
  let lastKept = at;
  for (let length = breakLength; length > 0; length = lineBreakAt(source, at, end)) {
    if (newlines > 0) out.add("\n", at, at + length);
    newlines++;
    lastKept = at + length;
    at = lastKept;
    while (at < end && isBlank(source[at])) at++;
  }
  if (newlines === 1) out.add(" ", firstBreak, lastKept);
  return at;
}

function lineBreakAt(source: string, at: number, end: number): number {
  if (at >= end) return 0;
  if (source[at] === "\n") return 1;
  return source[at] === "\r" && source[at + 1] === "\n" ? 2 : 0;
}

function isWhitespaceAt(source: string, at: number, end: number): boolean {
  return isBlank(source[at]) || lineBreakAt(source, at, end) > 0;
}

function readFolding(source: string, from: number, end: number, out: TextBuilder): void {
  let i = from;
  while (i < end) {
    if (isWhitespaceAt(source, i, end)) {
      i = readWhitespace(source, i, end, out);
      continue;
    }
    const start = i;
    while (i < end && !isWhitespaceAt(source, i, end)) i++;
    out.add(source.slice(start, i), start, i);
  }
}

function readSingle(source: string, out: TextBuilder): void {
  const end = source.length - 1;
  let i = 1;
  while (i < end) {
    if (isWhitespaceAt(source, i, end)) {
      i = readWhitespace(source, i, end, out);
    } else if (source[i] === "'") {
      out.add("'", i, i + 2);
      i += 2;
    } else {
      const character = source.slice(i, i + 1);
      out.add(character, i, ++i);
    }
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  e: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  N: "\u0085",
  _: "\u00a0",
  L: "\u2028",
  P: "\u2029",
  " ": " ",
  '"': '"',
  "/": "/",
  "\\": "\\",
  "\t": "\t",
};
const HEX_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function readDouble(source: string, out: TextBuilder): void {
  const end = source.length - 1;
  let i = 1;
  while (i < end) {
    if (source[i] === "\\") {
      i = readEscape(source, i, end, out);
    } else if (isWhitespaceAt(source, i, end)) {
      i = readWhitespace(source, i, end, out);
    } else {
      const character = source.slice(i, i + 1);
      out.add(character, i, ++i);
    }
  }
}

function readEscape(source: string, i: number, end: number, out: TextBuilder): number {
  const breakLength = lineBreakAt(source, i + 1, end);
  if (breakLength > 0) {
    let at = i + 1 + breakLength;
    while (at < end && isBlank(source[at])) at++;
    return at;
  }
  const kind = source[i + 1] ?? "";
  const simple = Object.hasOwn(SIMPLE_ESCAPES, kind) ? SIMPLE_ESCAPES[kind] : undefined;
  if (simple !== undefined) {
    out.add(simple, i, i + 2);
    return i + 2;
  }
  const length = Object.hasOwn(HEX_LENGTHS, kind) ? (HEX_LENGTHS[kind] ?? 0) : 0;
  const code = Number.parseInt(source.slice(i + 2, i + 2 + length), 16);
  if (length === 0 || !(code <= 0x10ffff)) {
    out.add(source.slice(i, i + 2), i, i + 2);
    return i + 2;
  }
  const character = String.fromCodePoint(code);
  const stop = i + 2 + length;
  for (const unit of character.split("")) out.add(unit, i, stop);
  return stop;
}
