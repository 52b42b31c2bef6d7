// The tokens of WIT type text: words, numbers and punctuation with their UTF-16 offsets; white space and comments are left out.

/** A mistake in a type text: offsets are UTF-16 units of that text, `end` exclusive. */
export interface TypeProblem {
  readonly start: number;
  readonly end: number;
  readonly message: string;
  /** What to do about it: one sentence, in the imperative. */
  readonly cure?: string | undefined;
}

export interface Token {
  /** `bad`: a character that WIT has no use for; `end`: after the last one. */
  readonly kind: "word" | "number" | "mark" | "bad" | "end";
  /** Of a word without its `%`. */
  readonly text: string;
  readonly escaped: boolean;
  readonly start: number;
  readonly end: number;
}

const WORD = /%?[A-Za-z_](?:\w|-(?!>))*/y;
const NUMBER = /[0-9]+/y;
const MARK = /->|[<>,(){}:;=.@*/[\]?]/y;
const SPACE = /[ \t\r\n]+|\/\/[^\n]*/y;

/** All tokens of a text; the last one is `end`. */
export function tokenize(text: string): { readonly tokens: readonly Token[]; readonly problems: readonly TypeProblem[] } {
  const tokens: Token[] = [];
  const problems: TypeProblem[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  const push = (kind: Token["kind"], found: string): void => {
    const escaped = found.startsWith("%");
    tokens.push({ kind, text: escaped ? found.slice(1) : found, escaped, start: at, end: at + found.length });
    at += found.length;
  };
  while (at < text.length) {
    const space = match(SPACE);
    const word = match(WORD);
    const number = match(NUMBER);
    if (space !== undefined) at += space.length;
    else if (text.startsWith("/*", at)) at = skipBlockComment(text, at, problems);
    else if (word !== undefined) push("word", word);
    else if (number !== undefined) push("number", number);
    else push(match(MARK) === undefined ? "bad" : "mark", match(MARK) ?? String.fromCodePoint(text.codePointAt(at) ?? 0));
  }
  tokens.push({ kind: "end", text: "", escaped: false, start: text.length, end: text.length });
  return { tokens, problems };
}

/** Block comments nest. */
function skipBlockComment(text: string, start: number, problems: TypeProblem[]): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let found = edge.exec(text); found !== null; found = edge.exec(text)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  problems.push({ start, end: start + 2, message: "the comment is never closed", cure: "Close it with */." });
  return text.length;
}
