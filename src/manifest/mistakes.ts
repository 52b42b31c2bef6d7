// Collects the mistakes of one text, and says how user text is quoted in messages: escaped, and never longer than a line.

import { nearest, type Diagnostic, type Span } from "../base/diagnostics.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { kebabCase } from "../wit/labels.ts";

/** More mistakes than this are counted, not listed: nobody reads them, and rendering each takes time. */
const MOST_MISTAKES = 100;
const LONGEST_QUOTE = 60;
/** A mistyped word is compared with at most this many candidates, so that hostile manifests stay cheap. */
const MOST_CANDIDATES = 200;
const LONGEST_WORD = 64;

/** The mistakes found so far in one text. */
export class Mistakes {
  readonly #found: Diagnostic[] = [];
  #errors = 0;
  #dropped = 0;

  error(code: ErrorCode, span: Span, message: string, cure?: string): void {
    this.#add({ code, severity: "error", message, span, cure });
  }

  warn(code: ErrorCode, span: Span, message: string, cure?: string): void {
    this.#add({ code, severity: "warning", message, span, cure });
  }

  addAll(diagnostics: readonly Diagnostic[]): void {
    for (const diagnostic of diagnostics) this.#add(diagnostic);
  }

  #add(diagnostic: Diagnostic): void {
    if (diagnostic.severity === "error") this.#errors++;
    if (this.#found.length < MOST_MISTAKES) this.#found.push(diagnostic);
    else this.#dropped++;
  }

  get errorCount(): number {
    return this.#errors;
  }

  /** All mistakes, in the order of the text. */
  list(): readonly Diagnostic[] {
    const sorted = this.#found.toSorted((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
    const last = sorted.at(-1);
    if (this.#dropped > 0 && last !== undefined) {
      sorted.push({
        code: "manifest/too-many",
        severity: "error",
        message: `there are ${this.#dropped} more mistakes, which are not listed`,
        span: last.span,
        cure: "Correct the ones above first, then check again.",
      });
    }
    return sorted;
  }
}

/** User text as a quoted string that fits in a message: control characters escaped, long text cut. */
export function quoted(text: string): string {
  return JSON.stringify(cut(text)).replaceAll(UNPRINTABLE, escapeCharacter);
}

/** User text between backquotes, for names, keys and types. */
export function named(text: string): string {
  return `\`${cut(text).replaceAll(UNPRINTABLE, escapeCharacter)}\``;
}

/** A JSON value as it would be written, cut to fit in a message. */
export function written(value: unknown): string {
  return cut(JSON.stringify(value) ?? "nothing").replaceAll(UNPRINTABLE, escapeCharacter);
}

/** `a`, `b` or `c`; long lists are cut. */
export function listed(names: Iterable<string>): string {
  const all = [...names];
  const shown = all.slice(0, 16).map(named);
  if (all.length > shown.length) return `${shown.join(", ")} … (${all.length} in all)`;
  const last = shown.pop();
  if (last === undefined) return "(none)";
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

/** The known word that was probably meant: written otherwise (`oneOf`, `one_of`), or mistyped. */
export function meant(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const known: string[] = [];
  for (const candidate of candidates) {
    if (known.push(candidate) >= MOST_CANDIDATES) break;
  }
  const kebab = kebabCase(word) ?? word;
  return known.find((candidate) => candidate === kebab) ?? nearest(word, known) ?? nearest(kebab, known);
}

// Controls, marks that reorder text on screen, the byte order mark, and halves of surrogate pairs.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function cut(text: string): string {
  return cutText(text, LONGEST_QUOTE);
}

/** A text of at most `longest` UTF-16 units, with `…` where it was cut. */
export function cutText(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
