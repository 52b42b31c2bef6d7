// Reads a regular expression (already proved well-formed by the JavaScript engine, `v` flag) into a small tree of what linear-time matching
// needs. ECMAScript 2025, section 22.2.1 "Patterns". Repetition counts are bounded, nesting by the length of the pattern.

export const MOST_STATES = 2000;
const DEEPEST_GROUP = 100;

export type PatternNode =
  | { readonly kind: "set"; readonly source: string; readonly has: (codePoint: string) => boolean }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly options: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly part: PatternNode; readonly min: number; readonly max: number }
  | { readonly kind: "start" }
  | { readonly kind: "end" };

/** A pattern that is well-formed, but cannot be used here. */
export class PatternError extends Error {
  readonly start: number;
  readonly end: number;
  readonly cure: string;

  constructor(message: string, start: number, end: number, cure: string) {
    super(message);
    this.start = start;
    this.end = end;
    this.cure = cure;
  }
}

/** @throws PatternError */
export function readPattern(source: string): PatternNode {
  return new PatternReader(source).read();
}

class PatternReader {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  read(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#source.length)
      throw this.#unsupported(this.#at, this.#at + 1, "this part of the pattern is not understood");
    return node;
  }

  #choice(): PatternNode {
    const options = [this.#sequence()];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      options.push(this.#sequence());
    }
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "choice", options };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length) {
      const next = this.#source[this.#at];
      if (next === "|" || next === ")") break;
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #atom(): PatternNode {
    const next = this.#source[this.#at];
    if (next === "^" || next === "$") {
      this.#at++;
      return { kind: next === "^" ? "start" : "end" };
    }
    if (next === "(") return this.#group();
    if (next === "[") return this.#set(this.#at, this.#classEnd());
    if (next === "\\") return this.#escape();
    return this.#set(this.#at, this.#at + this.#codePointLength(this.#at));
  }

  #group(): PatternNode {
    const start = this.#at;
    if (++this.#depth > DEEPEST_GROUP)
      throw new PatternError(
        `the pattern has more than ${DEEPEST_GROUP} levels of groups`,
        start,
        start + 1,
        "Write it more simply.",
      );
    const opening = /\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-z-]*:))?/y;
    opening.lastIndex = start;
    const opened = opening.exec(this.#source)?.[0] ?? "(";
    if (/^\(\?(?:<?[=!])/.test(opened)) {
      throw this.#unsupported(
        start,
        start + opened.length,
        "the pattern looks ahead or behind, which cannot be matched in linear time",
      );
    }
    if (/^\(\?[a-z-]+:/.test(opened)) {
      throw this.#unsupported(start, start + opened.length, "the pattern changes flags inside, which is not supported");
    }
    this.#at = start + opened.length;
    const inner = this.#choice();
    this.#at++;
    this.#depth--;
    return inner;
  }

  #escape(): PatternNode {
    const start = this.#at;
    const next = this.#source[start + 1] ?? "";
    if (/[1-9k]/.test(next))
      throw this.#unsupported(start, start + 2, "the pattern refers back to a group, which cannot be matched in linear time");
    if (/[bB]/.test(next))
      throw this.#unsupported(start, start + 2, "`\\b` and `\\B` are not supported: a pattern describes the whole text");
    if (next === "p" || next === "P") this.#refuseStringProperty(start);
    const long =
      /\\(?:u\{[0-9A-Fa-f]+\}|u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|[pP]\{[^}]*\})/y;
    long.lastIndex = start;
    const length = long.exec(this.#source)?.[0].length ?? 1 + this.#codePointLength(start + 1);
    return this.#set(start, start + length);
  }

  /** Properties such as `RGI_Emoji` match several code points at once; they do not exist under the `u` flag. */
  #refuseStringProperty(start: number): void {
    const end = this.#source.indexOf("}", start) + 1;
    const property = this.#source.slice(start, end);
    try {
      void new RegExp(property, "u");
    } catch {
      throw this.#unsupported(start, end, "this property matches sequences of characters, which is not supported");
    }
  }

  /** Where the class that starts here ends; classes may be nested (`[a-z--[aeiou]]`). */
  #classEnd(): number {
    let depth = 0;
    for (let i = this.#at; i < this.#source.length; i++) {
      const character = this.#source[i];
      if (character === "\\") {
        const escaped = this.#source[i + 1];
        if (escaped === "q")
          throw this.#unsupported(i, i + 2, "`\\q{…}` matches sequences of characters, which is not supported");
        if (escaped === "p") this.#refuseStringProperty(i);
        i++;
      } else if (character === "[") depth++;
      else if (character === "]" && --depth === 0) return i + 1;
    }
    return this.#source.length;
  }

  /** The code points that the JavaScript engine matches with `start..end`, a part that matches one code point. */
  #set(start: number, end: number): PatternNode {
    const source = this.#source.slice(start, end);
    const one = new RegExp(`^${source}$`, "v");
    this.#at = end;
    return { kind: "set", source, has: (codePoint) => one.test(codePoint) };
  }

  #repeated(part: PatternNode): PatternNode {
    const quantifier = /(?:[*+?]|\{([0-9]+)(,?)([0-9]*)\})\??/y;
    quantifier.lastIndex = this.#at;
    const found = quantifier.exec(this.#source);
    if (found === null) return part;
    const start = this.#at;
    this.#at += found[0].length;
    const [text, least, comma, most] = found;
    if (least === undefined) {
      return { kind: "repeat", part, min: text.startsWith("+") ? 1 : 0, max: text.startsWith("?") ? 1 : Infinity };
    }
    const min = Number(least);
    const max = comma === "" ? min : most === "" || most === undefined ? Infinity : Number(most);
    if (min > MOST_STATES || (max !== Infinity && max > MOST_STATES)) {
      throw new PatternError(
        `the pattern repeats a part more than ${MOST_STATES} times`,
        start,
        this.#at,
        "Bound the length with `max` instead.",
      );
    }
    return { kind: "repeat", part, min, max };
  }

  #codePointLength(at: number): number {
    return (this.#source.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }

  #unsupported(start: number, end: number, message: string): PatternError {
    return new PatternError(message, start, end, "Describe the whole text without it, or check the value inside a component.");
  }
}
