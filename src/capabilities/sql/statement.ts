// Reads a SQL statement as far as the host has to: where its parameters stand, which word it begins with, and that it is one. Never
// decides what a statement may do: the database is asked for that, as far as it can tell.

import { sqlError } from "./sql.ts";

export type Dialect = "sqlite" | "postgres";

export interface ReadStatement {
  /** In upper case: `SELECT`. */
  readonly keyword: string;
  /** How its parameters are written: `?`, `$1`, or not at all. */
  readonly style: "question" | "dollar" | undefined;
  /** How many it takes: the number of `?`, or the greatest of `$n`. */
  readonly parameterCount: number;
  /** With `$1` in place of `?`. */
  readonly numbered: string;
}

const SPACE = /\s+/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const NUMBER = /\d[\p{L}\p{N}_.]*/uy;
const DOLLAR_PARAMETER = /\$(\d{1,9})/y;
const DOLLAR_QUOTE = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const HIGHEST_PARAMETER = 65_535;

/** @throws StarlaneError `resource/rejected` where it is empty, more than one, or unfinished */
export function readStatement(text: string, dialect: Dialect): ReadStatement {
  const questions: number[] = [];
  let [keyword, previous, highest, ended, at] = ["", "", 0, false, 0];
  let isTrigger = false;
  while (at < text.length) {
    const blank = skipBlank(text, at, dialect);
    if (blank > at) {
      at = blank;
      continue;
    }
    if (text[at] === ";") {
      ended = true;
      at++;
      continue;
    }
    // The body of a trigger is made of statements.
    if (ended && !isTrigger) throw sqlError("statement", "there is more than one statement");
    const quoted = skipQuoted(text, at, previous, dialect);
    const word = quoted > at ? undefined : match(WORD, text, at);
    const parameter = dialect === "postgres" || quoted === at ? match(DOLLAR_PARAMETER, text, at) : undefined;
    previous = "";
    if (quoted > at) {
      at = quoted;
    } else if (word !== undefined) {
      previous = word[0];
      const upper = word[0].toUpperCase();
      if (keyword === "") keyword = upper;
      if (keyword === "CREATE" && upper === "TRIGGER") isTrigger = true;
      at += word[0].length;
    } else if (parameter !== undefined) {
      highest = Math.max(highest, Number(parameter[1]));
      at += parameter[0].length;
    } else if (text[at] === "?") {
      questions.push(at++);
    } else {
      at += match(NUMBER, text, at)?.[0].length ?? 1;
    }
  }
  if (keyword === "") throw sqlError("statement", "there is no statement");
  // `?` is also an operator of Postgres: where there are numbered parameters, it is nothing else.
  if (questions.length > 0 && highest > 0) {
    if (dialect === "sqlite") throw sqlError("statement", "parameters are written as ? or as $1, not both");
    questions.length = 0;
  }
  if (highest > HIGHEST_PARAMETER) throw sqlError("statement", "a parameter has too high a number");
  const style = highest > 0 ? "dollar" : questions.length > 0 ? "question" : undefined;
  return { keyword, style, parameterCount: Math.max(highest, questions.length), numbered: numbered(text, questions) };
}

function numbered(text: string, questions: readonly number[]): string {
  let [result, from] = ["", 0];
  for (const [i, at] of questions.entries()) {
    result += `${text.slice(from, at)}$${i + 1}`;
    from = at + 1;
  }
  return result + text.slice(from);
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

/** Behind spaces and comments. */
function skipBlank(text: string, start: number, dialect: Dialect): number {
  const at = start + (match(SPACE, text, start)?.[0].length ?? 0);
  if (text.startsWith("--", at)) return endOr(text.indexOf("\n", at), text.length);
  return text.startsWith("/*", at) ? skipComment(text, at, dialect) : at;
}

/** Comments of Postgres nest, those of SQLite do not. */
function skipComment(text: string, start: number, dialect: Dialect): number {
  let [depth, at] = [1, start + 2];
  while (depth > 0 && at < text.length) {
    if (text.startsWith("*/", at)) {
      depth--;
      at += 2;
    } else if (dialect === "postgres" && text.startsWith("/*", at)) {
      depth++;
      at += 2;
    } else {
      at++;
    }
  }
  if (depth > 0 && dialect === "postgres") throw sqlError("statement", "a comment is not closed");
  return at;
}

function endOr(index: number, end: number): number {
  return index < 0 ? end : index + 1;
}

/** Behind a text, a quoted name or a dollar-quoted text that starts here. */
function skipQuoted(text: string, at: number, previous: string, dialect: Dialect): number {
  const char = text[at];
  if (char === "'" || char === '"' || (char === "`" && dialect === "sqlite")) {
    // A constant E'…' of Postgres has escapes; the E was read as a word just before.
    const escapes = char === "'" && dialect === "postgres" && /^e$/i.test(previous);
    return closing(text, at, char, escapes);
  }
  if (char === "[" && dialect === "sqlite") return closing(text, at, "]", false);
  if (char !== "$" || dialect !== "postgres" || match(DOLLAR_PARAMETER, text, at) !== undefined) return at;
  const tag = match(DOLLAR_QUOTE, text, at)?.[0];
  if (tag === undefined) return at;
  const end = text.indexOf(tag, at + tag.length);
  if (end < 0) throw sqlError("statement", "a quoted text is not closed");
  return end + tag.length;
}

function closing(text: string, start: number, quote: string, escapes: boolean): number {
  for (let at = start + 1; at < text.length; at++) {
    if (escapes && text[at] === "\\") at++;
    else if (text[at] === quote) {
      if (quote === "]" || text[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  throw sqlError("statement", "a quoted text is not closed");
}
