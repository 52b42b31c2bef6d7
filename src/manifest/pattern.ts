// Regular expressions for texts that strangers send: the syntax of JavaScript's `v` flag, matched in linear time whatever the pattern and
// the text (a lazily built automaton), so no pattern can hang a transaction. Without what linear time cannot have or whole-text matching does
// not need: backreferences, lookaround, `\b`. Bounds: 1000 characters of pattern,
// 2000 states.

import { compileAutomaton } from "./automaton.ts";
import { PatternError, readPattern } from "./pattern-syntax.ts";

const LONGEST_PATTERN = 1000;

/** Whether a whole text matches; the time is linear in the length of the text. */
export interface Pattern {
  readonly source: string;
  matches(text: string): boolean;
}

/** What is wrong with a pattern; `start` and `end` are UTF-16 offsets in it. */
export interface PatternProblem {
  readonly message: string;
  readonly cure: string;
  readonly start: number;
  readonly end: number;
}

/** Compiles a pattern that is to match a whole text, or says what is wrong with it. */
export function compilePattern(source: string): { readonly pattern: Pattern } | { readonly problem: PatternProblem } {
  if (source.length > LONGEST_PATTERN) {
    return {
      problem: {
        message: `the pattern has ${source.length} characters, and ${LONGEST_PATTERN} are allowed`,
        cure: "Check long texts inside a component.",
        start: 0,
        end: source.length,
      },
    };
  }
  const syntax = syntaxProblem(source);
  if (syntax !== undefined) return { problem: { message: syntax, cure: cureOf(syntax), start: 0, end: source.length } };
  try {
    const automaton = compileAutomaton(readPattern(source));
    return { pattern: { source, matches: (text) => automaton.matches(text) } };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const { message, cure, start, end } = error;
    return { problem: { message, cure, start, end: end > start ? end : source.length } };
  }
}

function syntaxProblem(source: string): string | undefined {
  try {
    void new RegExp(source, "v");
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    const reason = message.slice(message.lastIndexOf(": ") + 2);
    return `the pattern is no regular expression: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
  }
}

function cureOf(message: string): string {
  if (message.includes("class")) return "In `[…]` put a backslash before `( ) [ ] { } / - \\ |` where they stand for themselves.";
  if (message.includes("group") || message.includes("parenthes"))
    return "Close every `(`; a bracket that stands for itself is written `\\(`.";
  if (message.includes("epeat")) return "Put a backslash before `* + ? {` where they stand for themselves.";
  return "Put a backslash before `^ $ . * + ? ( ) [ ] { } | /` where they stand for themselves.";
}
