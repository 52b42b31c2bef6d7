// WIT type expressions and declarations -> types. Mistakes are data with offsets; after one, reading goes on where it can.
// Bounds: a million characters, 50 problems, brackets nested 100 deep, and types within `LARGEST_TYPE`.
// Source: component-model `WIT.md` (August 2026); `record { … }`, `variant { … }`, `enum { … }` and `flags { … }` may also stand inline.

import { labelKey, WIT_KEYWORDS } from "./labels.ts";
import { describe, END, quote, TypeReader, tokenizeBounded, UNKNOWN } from "./type-reader.ts";
import { LARGEST_TYPE } from "./type-size.ts";
import type { Token, TypeProblem } from "./type-tokens.ts";
import type { ValType } from "./types.ts";

export type { TypeProblem } from "./type-tokens.ts";
export { printType, printTypeWhole } from "./print-type.ts";

/** Types that a text may name. */
export type TypeScope = ReadonlyMap<string, ValType>;

/** Reads one type expression; `type` is there where there are no problems. */
export function parseType(
  text: string,
  scope: TypeScope = new Map(),
): { readonly type?: ValType | undefined; readonly problems: readonly TypeProblem[] } {
  const { tokens, problems } = tokenizeBounded(text);
  const reader = new TypeReader(tokens, 0, problems, (name) => scope.get(name), [...scope.keys()]);
  const type = reader.type();
  if (type !== undefined) reader.expectEnd();
  if (type !== undefined && problems.length === 0) reader.checkSize(type, 0, text.length);
  return { type: problems.length === 0 ? type : undefined, problems: problems };
}

/**
 * Reads a block of WIT declarations (`record`, `variant`, `enum`, `flags`, `type x = …;`) in any order. `types` has those that could
 * be read, in the order of the text; names of `scope` may be used, and declared anew.
 */
export function parseTypeBlock(
  text: string,
  scope: TypeScope = new Map(),
): { readonly types: Map<string, ValType>; readonly problems: readonly TypeProblem[] } {
  return new BlockReader(text, scope).read();
}

const DECLARATIONS: ReadonlySet<string> = new Set(["record", "variant", "enum", "flags", "type"]);

interface Declaration {
  readonly keyword: Token;
  readonly name: Token;
  /** The first token after the name. */
  readonly body: number;
  state: "unread" | "reading" | "read";
  type?: ValType | undefined;
}

/** Declarations in any order: found first, then each is read when it is first needed. */
class BlockReader {
  readonly #tokens: readonly Token[];
  readonly #problems: TypeProblem[];
  readonly #scope: TypeScope;
  readonly #declarations = new Map<string, Declaration>();
  /** The names being read, outermost first. */
  readonly #reading: string[] = [];
  #names: readonly string[] = [];

  constructor(text: string, scope: TypeScope) {
    const { tokens, problems } = tokenizeBounded(text);
    this.#tokens = tokens;
    this.#problems = problems;
    this.#scope = scope;
  }

  read(): { readonly types: Map<string, ValType>; readonly problems: readonly TypeProblem[] } {
    this.#findDeclarations();
    this.#names = [...new Set([...this.#declarations.keys(), ...this.#scope.keys()])];
    const types = new Map<string, ValType>();
    for (const [name, declaration] of this.#declarations) {
      const type = this.#typeOf(name, declaration);
      if (type !== undefined) types.set(name, type);
    }
    return { types, problems: this.#problems.toSorted((a, b) => a.start - b.start) };
  }

  #reader(at: number): TypeReader {
    return new TypeReader(this.#tokens, at, this.#problems, (name, token) => this.#lookup(name, token), this.#names);
  }

  #findDeclarations(): void {
    let at = 0;
    const seen = new Set<string>();
    while (this.#tokenAt(at).kind !== "end") {
      const [keyword, name] = [this.#tokenAt(at), this.#tokenAt(at + 1)];
      const next = this.#skipDeclaration(at);
      if (this.#isDeclaration(keyword, name) && this.#isFree(name, seen)) {
        this.#declarations.set(name.text, { keyword, name, body: at + 2, state: "unread" });
      }
      at = next;
    }
  }

  #tokenAt(at: number): Token {
    return this.#tokens[at] ?? END;
  }

  #isDeclaration(keyword: Token, name: Token): boolean {
    const reader = this.#reader(0);
    if (keyword.kind !== "word" || keyword.escaped || !DECLARATIONS.has(keyword.text)) {
      const cure =
        keyword.text === "resource" ? "Resources belong to components." : "Write `record name { … }` or `type name = …;`.";
      reader.problem(keyword, `expected a declaration (record, variant, enum, flags, type), found ${describe(keyword)}`, cure);
      return false;
    }
    if (name.kind !== "word") {
      reader.problem(name, `expected the name of the ${keyword.text}, found ${describe(name)}`);
      return false;
    }
    if (WIT_KEYWORDS.has(name.text) && !name.escaped) {
      reader.problem(name, `\`${name.text}\` is a word of WIT itself`, `Write \`%${name.text}\`, or choose another name.`);
    }
    return reader.checkLabel(name);
  }

  #isFree(name: Token, seen: Set<string>): boolean {
    const key = labelKey(name.text);
    if (!seen.has(key)) return seen.add(key) === seen;
    this.#reader(0).problem(name, `the type ${quote(name.text)} is declared twice`, "Give each its own name.");
    return false;
  }

  /** The index after a declaration: after its `;`, its closing brace, or before the word that starts the next one. */
  #skipDeclaration(start: number): number {
    const isAlias = this.#tokenAt(start).text === "type";
    let depth = 0;
    for (let at = start; ; at++) {
      const token = this.#tokenAt(at);
      if (token.kind === "end") return at;
      if (at > start + 1 && depth <= 0 && this.#startsDeclaration(at)) return at;
      if (token.kind !== "mark") continue;
      if (token.text === "{") depth++;
      if (token.text === "}") depth--;
      const closes = token.text === "}" && depth <= 0 && !isAlias;
      if (closes || (token.text === ";" && depth <= 0)) return at + 1;
    }
  }

  /** `record x`, `type x` …: where a forgotten `;` must not swallow the next declaration. */
  #startsDeclaration(at: number): boolean {
    const [keyword, name] = [this.#tokenAt(at), this.#tokenAt(at + 1)];
    return keyword.kind === "word" && !keyword.escaped && DECLARATIONS.has(keyword.text) && name.kind === "word";
  }

  #lookup(name: string, token: Token): ValType | undefined {
    const declaration = this.#declarations.get(name);
    if (declaration === undefined) return this.#scope.get(name);
    if (declaration.state !== "reading") return this.#typeOf(name, declaration) ?? UNKNOWN;
    const cycle = [...this.#reading.slice(this.#reading.indexOf(name)), name].map(quote);
    this.#reader(0).problem(
      token,
      cycle.length > 2 ? `the type contains itself: ${shorten(cycle).join(" -> ")}` : `the type ${quote(name)} contains itself`,
      "WIT types cannot be recursive; refer to the other value by an index or a key.",
    );
    return UNKNOWN;
  }

  #typeOf(name: string, declaration: Declaration): ValType | undefined {
    if (declaration.state === "read") return declaration.type;
    const reader = this.#reader(declaration.body);
    if (this.#reading.length >= LARGEST_TYPE.depth) {
      return reader.problem(declaration.name, `the types are nested deeper than ${LARGEST_TYPE.depth} levels`);
    }
    declaration.state = "reading";
    this.#reading.push(name);
    const type = this.#readDeclaration(reader, declaration);
    this.#reading.pop();
    declaration.state = "read";
    const { start, end } = declaration.name;
    declaration.type = type !== undefined && reader.checkSize(type, start, end) ? type : undefined;
    return declaration.type;
  }

  #readDeclaration(reader: TypeReader, { keyword, name }: Declaration): ValType | undefined {
    switch (keyword.text) {
      case "record":
      case "variant":
      case "enum":
      case "flags":
        return reader.body(keyword, keyword.text, name.text);
      default: {
        if (reader.expect("=", `after ${quote(`type ${name.text}`)}`) === undefined) return undefined;
        const type = reader.type();
        return type && reader.expect(";", "after the type") && type;
      }
    }
  }
}

function shorten(names: readonly string[]): readonly string[] {
  return names.length <= 8 ? names : [...names.slice(0, 4), "…", ...names.slice(-3)];
}
