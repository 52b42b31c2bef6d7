// Cuts a flow text into words, signs and JSON literals. What a `[` or a word means depends on where it stands, so the parser
// asks for what it expects; nothing here looks further than one token. Time is linear in the text, recursion ends at JSON_DEPTH.

import type { Json } from "../manifest/manifest.ts";
import { named } from "../manifest/mistakes.ts";
import type { NameSyntax, Range } from "./syntax.ts";

/** How deep a JSON literal may be nested. */
const JSON_DEPTH = 64;

/** A mistake in the text; the parser turns it into a diagnostic and goes on behind the line. */
export class FlowSyntaxError extends Error {
  readonly start: number;
  readonly end: number;
  readonly cure: string;

  constructor(range: Range, message: string, cure: string) {
    super(message);
    this.start = range.start;
    this.end = range.end;
    this.cure = cure;
  }
}

const NAME = /[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*/y;
/** What people write for a name, right or wrong. */
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*(?:-[\p{L}\p{N}_$]+)*/uy;
const WORD_GOES_ON = /-?[\p{L}\p{N}_$]/uy;
const INTERFACE = /[A-Za-z0-9][A-Za-z0-9-]*(?:[:/][A-Za-z0-9-]+)*(?:@[0-9A-Za-z.+-]+)?#/y;
const DIGITS = /\d+/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const BLANK = /[ \t\r\f\v\u00a0\ufeff]*(?:#[^\n]*)?/y;
const JSON_BLANK = /[ \t\r\n]*/y;
const LITERAL_WORDS = ["true", "false", "null"];

export class Lexer {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  get atLineEnd(): boolean {
    const c = this.text[this.at];
    return c === undefined || c === "\n" || c === ";";
  }

  /** Skips white space and a comment, not the line break. */
  skipBlank(): void {
    const c = this.text.charCodeAt(this.at);
    if (c <= 32 || c === 35 || c > 127) this.at = this.endOf(BLANK);
  }

  /** Skips to the line break or `;` that ends this line, without being fooled by a `;` inside a string. */
  skipLine(): void {
    while (!this.atLineEnd) {
      if (this.text[this.at] === "#") return this.skipBlank();
      if (this.text[this.at] === '"') this.skipString();
      else this.at++;
    }
  }

  has(sign: string): boolean {
    return this.text.startsWith(sign, this.at);
  }

  /** Takes the sign if it stands here. */
  accept(sign: string): boolean {
    if (!this.has(sign)) return false;
    this.at += sign.length;
    return true;
  }

  /** A name in WIT's spelling (`kebab-case`); `what` names it in the message. */
  name(what: string, cure = "Names are letters and digits, joined by `-`."): NameSyntax {
    const start = this.at;
    const name = this.take(NAME);
    if (name === undefined || this.peek(WORD_GOES_ON) !== undefined) {
      this.at = start;
      const word = this.peek(WORD) ?? "";
      if (word !== "") {
        const kebab = word
          .normalize("NFD")
          .replaceAll(/[^A-Za-z0-9_$-]/g, "")
          .replaceAll(/[_$]+/g, "-")
          .replaceAll(/^-|-$/g, "");
        throw new FlowSyntaxError(
          { start, end: start + word.length },
          `${named(word)} is not a name: names are letters and digits, joined by \`-\``,
          kebab === "" ? "Choose another name." : `Write ${named(kebab)}.`,
        );
      }
      throw new FlowSyntaxError(this.here(), `expected ${what}, found ${this.found()}`, cure);
    }
    return { start, end: this.at, name };
  }

  /** An operation of a component: `name` or `interface#name`. */
  operation(): NameSyntax {
    const start = this.at;
    const prefix = this.take(INTERFACE) ?? "";
    const { name } = this.name(prefix === "" ? "the name of an operation" : "the name of a function of that interface");
    return { start, end: this.at, name: prefix + name };
  }

  index(): number | undefined {
    const digits = this.take(DIGITS);
    if (digits === undefined) return undefined;
    const value = Number(digits);
    if (value <= 0xffff_ffff) return value;
    throw new FlowSyntaxError(
      { start: this.at - digits.length, end: this.at },
      "no list has so many elements",
      "Elements are counted from 0.",
    );
  }

  /** Whether a JSON value starts here; `[` counts, so ask only where an id cannot stand. */
  get atLiteral(): boolean {
    const c = this.text[this.at] ?? "";
    if (c === '"' || c === "{" || c === "[" || (c >= "0" && c <= "9")) return true;
    if (c === "-") return /\d/.test(this.text[this.at + 1] ?? "");
    return (c === "t" || c === "f" || c === "n") && LITERAL_WORDS.includes(this.peek(WORD) ?? "");
  }

  /** A JSON value, proven piece by piece so that a mistake has its place. */
  literal(): { readonly value: Json } & Range {
    const start = this.at;
    this.jsonValue(0);
    const value: Json = JSON.parse(this.text.slice(start, this.at));
    return { start, end: this.at, value };
  }

  /** The range of the token that stands here, for messages. */
  here(): Range {
    if (this.has("->")) return { start: this.at, end: this.at + 2 };
    const word = this.peek(WORD);
    const length = word?.length ?? (this.atLineEnd ? 0 : (this.text.codePointAt(this.at) ?? 0) > 0xffff ? 2 : 1);
    return { start: this.at, end: this.at + length };
  }

  /** What stands here, in words. */
  found(): string {
    if (this.atLineEnd) return this.at >= this.text.length ? "the end of the flow" : "the end of the line";
    if (this.has("->")) return "`->`";
    if (/\s/.test(this.text[this.at] ?? "")) return "a space";
    const { start, end } = this.here();
    return named(this.text.slice(start, end));
  }

  /** Whether this word, and no longer one, stands here. */
  hasWord(word: string): boolean {
    return this.has(word) && this.peek(WORD) === word;
  }

  peekWord(): string | undefined {
    return this.peek(WORD);
  }

  private jsonValue(depth: number): void {
    const c = this.text[this.at];
    if (depth > JSON_DEPTH)
      throw new FlowSyntaxError(
        this.here(),
        `a literal may be nested ${JSON_DEPTH} deep`,
        "Put fewer brackets inside each other.",
      );
    if (c === "{") return this.jsonObject(depth);
    if (c === "[") return this.jsonArray(depth);
    if (c === '"') return this.jsonString();
    const word = this.peekWord();
    if (word !== undefined) {
      if (!LITERAL_WORDS.includes(word))
        throw this.jsonError(`expected a JSON value, found \`${word.slice(0, 40)}\``, "Texts stand in double quotes.");
      this.at += word.length;
      return;
    }
    return this.jsonNumber();
  }

  private jsonNumber(): void {
    const start = this.at;
    const number = this.take(NUMBER);
    if (number === undefined) {
      throw this.jsonError(`expected a JSON value, found ${this.found()}`, "Literals are JSON: texts stand in double quotes.");
    }
    const exact = /[.eE]/.test(number) ? Number.isFinite(Number(number)) : Number.isSafeInteger(Number(number));
    if (!exact)
      throw new FlowSyntaxError(
        { start, end: this.at },
        `the number ${number.slice(0, 40)} cannot be kept exactly`,
        "Write it as a text, in double quotes, where the port takes a 64-bit integer.",
      );
    if (/[\w.]/.test(this.text[this.at] ?? ""))
      throw this.jsonError(
        `\`${this.text.slice(start, this.at + 1)}\` is not a JSON number`,
        "Write it without leading zeros and without a unit.",
      );
  }

  private jsonString(): void {
    const start = this.at;
    if (!this.skipString()) {
      throw new FlowSyntaxError(
        { start, end: this.at },
        "this text has no closing quote",
        'End it with `"`; a line break inside is written `\\n`.',
      );
    }
    try {
      JSON.parse(this.text.slice(start, this.at));
    } catch {
      throw new FlowSyntaxError(
        { start, end: this.at },
        "this text is not a JSON string",
        "Write control characters and `\\` as JSON escapes: `\\t`, `\\\\`, `\\u0000`.",
      );
    }
  }

  /** To behind the closing quote; false, and at the end of the line, where there is none. */
  private skipString(): boolean {
    const { text } = this;
    let i = this.at + 1;
    while (i < text.length && text[i] !== "\n") {
      if (text[i] === '"') {
        this.at = i + 1;
        return true;
      }
      i += text[i] === "\\" && text[i + 1] !== "\n" ? 2 : 1;
    }
    this.at = Math.min(i, text.length);
    return false;
  }

  private jsonObject(depth: number): void {
    this.at++;
    if (this.jsonEnd("}")) return;
    for (;;) {
      if (!this.has('"'))
        throw this.jsonError(
          `expected a key in double quotes, found ${this.found()}`,
          "Literals are JSON: keys stand in double quotes.",
        );
      this.jsonString();
      this.take(JSON_BLANK);
      if (!this.accept(":"))
        throw this.jsonError(`expected \`:\` behind the key, found ${this.found()}`, 'Literals are JSON: `{ "key": value }`.');
      this.take(JSON_BLANK);
      this.jsonValue(depth + 1);
      if (this.jsonEnd("}")) return;
      this.jsonComma("}");
    }
  }

  private jsonArray(depth: number): void {
    this.at++;
    if (this.jsonEnd("]")) return;
    for (;;) {
      this.jsonValue(depth + 1);
      if (this.jsonEnd("]")) return;
      this.jsonComma("]");
    }
  }

  private jsonEnd(sign: string): boolean {
    this.take(JSON_BLANK);
    return this.accept(sign);
  }

  private jsonComma(end: string): void {
    if (!this.accept(","))
      throw this.jsonError(
        `expected \`,\` or \`${end}\`, found ${this.found()}`,
        "Literals are JSON: write a comma between two values.",
      );
    this.take(JSON_BLANK);
    if (this.has(end))
      throw this.jsonError(`expected a value behind the comma, found \`${end}\``, "JSON has no comma behind the last value.");
  }

  private jsonError(message: string, cure: string): FlowSyntaxError {
    return new FlowSyntaxError(this.here(), message, cure);
  }

  /** Where a match that starts here ends; `at` where there is none. `test` makes no match object: this is the parser's inner loop. */
  private endOf(pattern: RegExp): number {
    pattern.lastIndex = this.at;
    return pattern.test(this.text) ? pattern.lastIndex : this.at;
  }

  private peek(pattern: RegExp): string | undefined {
    const end = this.endOf(pattern);
    return end === this.at ? undefined : this.text.slice(this.at, end);
  }

  private take(pattern: RegExp): string | undefined {
    const match = this.peek(pattern);
    if (match !== undefined) this.at += match.length;
    return match;
  }
}
