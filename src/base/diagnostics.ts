// Mistakes in text files: every mistake of a file at once, each with its place, a caret and a cure.

import type { ErrorCode } from "./error-codes.ts";
import { StarlaneError } from "./errors.ts";

/** A text and the name a person knows it by. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** A range of a source in UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

export interface Diagnostic {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly span: Span;
  /** What to do about it: one sentence, in the imperative. */
  readonly cure?: string | undefined;
}

/** One-based line and column (columns count UTF-16 units) of an offset. */
export function positionOf(source: Source, offset: number): { readonly line: number; readonly column: number } {
  const before = source.text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let i = before.indexOf("\n"); i >= 0; i = before.indexOf("\n", i + 1)) line++;
  return { line, column: offset - lineStart + 1 };
}

/** `file:line:column` of where a span starts. */
export function placeOf(span: Span): string {
  const { line, column } = positionOf(span.source, span.start);
  return `${span.source.file}:${line}:${column}`;
}

const LONGEST_LINE = 160;
// Controls would reach the terminal (escape sequences), marks that reorder text would move what the caret points at.
const UNPRINTABLE = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** A diagnostic for people: message, place, the source line with a caret under the span, and the cure. */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const { span, severity, code, message, cure } = diagnostic;
  const { line, column } = positionOf(span.source, span.start);
  const lineStart = span.start - (column - 1);
  const lineBreak = span.source.text.indexOf("\n", span.start);
  const lineEnd = lineBreak < 0 ? span.source.text.length : lineBreak;
  const { text } = span.source;
  const from = column > LONGEST_LINE - 40 ? wholeCharacter(text, span.start - 60) : lineStart;
  const to = wholeCharacter(text, Math.min(lineEnd, from + LONGEST_LINE));
  const shown = text.slice(from, to).replaceAll("\t", " ").replace(/\r$/, "").replace(UNPRINTABLE, "\ufffd");
  const caretCount = Math.max(1, Math.min(span.end, to) - span.start);
  const gutter = " ".repeat(String(line).length);
  const out = [
    `${severity}[${code}]: ${message}`,
    `${gutter}--> ${span.source.file}:${line}:${column}`,
    `${gutter} |`,
    `${line} | ${from > lineStart ? "…" : ""}${shown}${to < lineEnd ? "…" : ""}`,
    `${gutter} | ${" ".repeat(span.start - from + (from > lineStart ? 1 : 0))}${"^".repeat(caretCount)}`,
  ];
  if (cure !== undefined) out.push(`${gutter} = ${cure}`);
  return out.join("\n");
}

/** The offset, or the one before it where it lies inside a surrogate pair. */
function wholeCharacter(text: string, offset: number): number {
  return (text.codePointAt(offset - 1) ?? 0) > 0xffff ? offset - 1 : offset;
}

/** Thrown where a file with mistakes cannot be used; carries every one of them. */
export class DiagnosticsError extends StarlaneError {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    const first = diagnostics.find((d) => d.severity === "error") ?? diagnostics[0];
    if (first === undefined) throw new StarlaneError("starlane/internal", "DiagnosticsError without a diagnostic");
    const more = diagnostics.length - 1;
    super(first.code, more > 0 ? `${first.message} (and ${more} more)` : first.message, {
      at: placeOf(first.span),
      cure: first.cure,
    });
    this.diagnostics = diagnostics;
  }
}

/** The candidate nearest to a mistyped word, or undefined where none is near (Damerau-Levenshtein, at most a third of the length). */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A word of one or two letters is near nothing: every other such word would do.
  let bestDistance = word.length <= 2 ? 1 : Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance || candidate.length > 100) continue;
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (beforeLast[j - 2] ?? 0) + 1 : Infinity;
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1), swap));
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? Infinity;
}
