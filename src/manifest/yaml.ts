// YAML or JSON text -> a tree of values with places. One document, at most 1 MiB, 64 levels and 250 000 tokens; no anchors, aliases, merge keys,
// tags or directives (each value has one place, and no text can unfold into more than it is), and nothing that YAML 1.1 and 1.2 readers
// understand differently (https://yaml.org/spec/1.2.2/, https://yaml.org/spec/1.1/).

import { Composer, CST, Lexer, Parser } from "yaml";
import type { Source, Span } from "../base/diagnostics.ts";
import { named, type Mistakes } from "./mistakes.ts";
import type { Tree } from "./tree.ts";
import { addSyntaxMistakes, spanOf, tooLarge } from "./yaml-mistakes.ts";
import { buildTree, DEEPEST_NESTING } from "./yaml-tree.ts";

const LARGEST_TEXT = 1024 * 1024;
const MOST_TOKENS = 250_000;
const MOST_FEATURES = 10;
/** The library's syntax tree has up to two levels for each level of values. */
const DEEPEST_SYNTAX = 2 * DEEPEST_NESTING + 8;

/**
 * The tree of `source`, or undefined where it cannot be read; mistakes go to `mistakes`. The spans belong to `Tree.span.source`, which
 * is `source` without its byte order mark.
 */
export function readYaml(source: Source, mistakes: Mistakes): Tree | undefined {
  const text = source.text.startsWith("\ufeff") ? source.text.slice(1) : source.text;
  const plain: Source = text === source.text ? source : { file: source.file, text };
  if (!isReadableText(plain, mistakes)) return undefined;
  const read = readTokens(plain, mistakes);
  if (read === undefined) return undefined;
  const { tokens, features } = read;
  const composer = new Composer({ uniqueKeys: false, keepSourceTokens: true, prettyErrors: false, logLevel: "silent" });
  const [document] = [...composer.compose(tokens, true, text.length)];
  if (document === undefined) return undefined;
  const errors = document.errors.filter((error) => !REPORTED_WITH_TOKENS.has(error.code));
  if (errors.length > 0) {
    addSyntaxMistakes(plain, errors, tokens, mistakes);
    return undefined;
  }
  // Where the syntax is broken, a stray `*` or `&` is mostly part of a text without quotes.
  for (const { span, message, cure } of features) mistakes.error("manifest/yaml-feature", span, message, cure);
  return buildTree(document, plain, mistakes);
}

function isReadableText(source: Source, mistakes: Mistakes): boolean {
  const { text } = source;
  if (text.length > LARGEST_TEXT) {
    mistakes.error(
      "manifest/too-large",
      spanOf(source, 0, 0),
      `the file has ${text.length} characters, which is more than a manifest may have (${LARGEST_TEXT})`,
      "Move data out of the manifest: into files that components read, or into tests files (`tests: [ ./tests.yaml ]`).",
    );
    return false;
  }
  const found = FORBIDDEN.exec(text);
  if (found === null) return true;
  const code = found[0].charCodeAt(0);
  const loneReturn = found[0] === "\r";
  mistakes.error(
    "manifest/yaml",
    spanOf(source, found.index, found.index + found[0].length),
    loneReturn
      ? "a carriage return (U+000D) stands alone; lines end in a line feed, or in both"
      : `the character U+${code.toString(16).toUpperCase().padStart(4, "0")} cannot be seen and may not stand in a manifest`,
    loneReturn
      ? "Save the file with Unix or Windows line ends."
      : `Remove it; inside double quotes it can be written as \`\\u${code.toString(16).padStart(4, "0")}\`.`,
  );
  return false;
}

// Controls except tab and line ends, lone returns, marks that reorder text on screen, a byte order mark inside, halves of surrogate pairs.
const FORBIDDEN = /[[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]--[\t\n\r\u0085]]|\r(?!\n)/v;

/** The library's tokens of the one document, and the features in it that manifests do not have; undefined where a bound is passed. */
function readTokens(source: Source, mistakes: Mistakes): Tokens | undefined {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  const features: FoundFeature[] = [];
  let count = 0;
  let documents = 0;
  let inScalar = false;
  for (const lexeme of new Lexer().lex(source.text)) {
    const at = parser.offset;
    const type: CST.TokenType | "text" | null = inScalar ? "text" : CST.tokenType(lexeme);
    inScalar = type === "scalar";
    const feature = type === null ? undefined : FEATURES[type];
    if (feature !== undefined && features.length < MOST_FEATURES) {
      const word = lexeme.trimEnd();
      features.push({ span: spanOf(source, at, at + word.length), message: feature.message(word), cure: feature.cure });
    }
    for (const token of parser.next(lexeme)) {
      if (token.type === "document" && ++documents > 1) return tooManyDocuments(source, token.offset, mistakes);
      // A directive would change how the rest is read, for instance as YAML 1.1; it was reported above.
      if (token.type !== "directive") tokens.push(token);
    }
    if (++count > MOST_TOKENS) return tooLarge(source, at, `more than ${MOST_TOKENS} tokens`, mistakes);
    if (parser.stack.length > DEEPEST_SYNTAX)
      return tooLarge(source, at, `more than ${DEEPEST_NESTING} levels of nesting`, mistakes);
  }
  for (const token of parser.end()) {
    if (token.type === "document" && ++documents > 1) return tooManyDocuments(source, token.offset, mistakes);
    if (token.type !== "directive") tokens.push(token);
  }
  return { tokens, features };
}

interface Tokens {
  readonly tokens: readonly CST.Token[];
  readonly features: readonly FoundFeature[];
}

interface FoundFeature {
  readonly span: Span;
  readonly message: string;
  readonly cure: string;
}

// What the library says of features that were reported as such already.
const REPORTED_WITH_TOKENS: ReadonlySet<string> = new Set([
  "ALIAS_PROPS",
  "BAD_ALIAS",
  "BAD_DIRECTIVE",
  "BAD_PROP_ORDER",
  "MULTIPLE_ANCHORS",
  "MULTIPLE_TAGS",
  "TAG_RESOLVE_FAILED",
]);

interface Feature {
  message(lexeme: string): string;
  readonly cure: string;
}

const FEATURES: Readonly<Record<string, Feature | undefined>> = {
  anchor: {
    message: (lexeme) => `${named(lexeme)} is a YAML anchor, and manifests have none: each value stands in one place`,
    cure: "Remove it and write the value where it is used; put text that starts with `&` in quotes.",
  },
  alias: {
    message: (lexeme) => `${named(lexeme)} is a YAML alias, and manifests have none: each value stands in one place`,
    cure: "Write the value again here, or make it a parameter (`${config.NAME}`); put text that starts with `*` in quotes.",
  },
  tag: {
    message: (lexeme) => `${named(lexeme)} is a YAML tag, and manifests have none: types are written as WIT types`,
    cure: "Remove it; put text that starts with `!` in quotes.",
  },
  "directive-line": {
    message: (lexeme) => `${named(lexeme)} is a YAML directive, and manifests have none: they are read as YAML 1.2`,
    cure: "Remove the line.",
  },
};

function tooManyDocuments(source: Source, at: number, mistakes: Mistakes): undefined {
  mistakes.error(
    "manifest/yaml-feature",
    spanOf(source, at, at + 3),
    "a second YAML document starts here, but a manifest is one document",
    "Put it in a file of its own, or remove the `---` line.",
  );
  return undefined;
}
