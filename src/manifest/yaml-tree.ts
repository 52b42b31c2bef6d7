// The documents of the YAML library -> trees of plain values, without what YAML 1.1 and YAML 1.2 readers understand differently.

import { isAlias, isMap, isScalar, isSeq, type Document, type Pair, type Scalar } from "yaml";
import { positionOf, type Source, type Span } from "../base/diagnostics.ts";
import { named, type Mistakes } from "./mistakes.ts";
import { mapScalar, type MappedText, type ScalarToken } from "./scalar-offsets.ts";
import type { Entry, Tree } from "./tree.ts";
import { spanOf, tooLarge } from "./yaml-mistakes.ts";

export const DEEPEST_NESTING = 64;
const MOST_DUPLICATES = 20;

/** The values of a document that has no syntax mistakes; what is ambiguous is reported and becomes `broken`. */
export function buildTree(document: Document.Parsed, source: Source, mistakes: Mistakes): Tree {
  return new TreeBuilder(source, mistakes).build(document);
}

class TreeBuilder {
  readonly #source: Source;
  readonly #mistakes: Mistakes;
  #duplicates = 0;

  constructor(source: Source, mistakes: Mistakes) {
    this.#source = source;
    this.#mistakes = mistakes;
  }

  build(document: Document.Parsed): Tree {
    const { contents } = document;
    if (contents === null) return { kind: "null", span: spanOf(this.#source, 0, 0) };
    return this.#value(contents, 0, spanOf(this.#source, 0, 0), 0);
  }

  /** `missing` is the place of a value that is not written at all. */
  #value(node: unknown, depth: number, missing: Span, nullAt: number): Tree {
    if (depth > DEEPEST_NESTING) {
      tooLarge(this.#source, nullAt, `more than ${DEEPEST_NESTING} levels of nesting`, this.#mistakes);
      return { kind: "broken", span: missing };
    }
    if (isScalar(node)) return this.#scalar(node, missing);
    if (isMap(node)) return this.#map(node.items, this.#span(node.range, missing), depth);
    if (isSeq(node)) {
      const span = this.#span(node.range, missing);
      return { kind: "list", items: node.items.map((item) => this.#item(item, depth, span)), span };
    }
    // An alias was reported with the tokens; nothing at all is null.
    if (isAlias(node)) return { kind: "broken", span: this.#span(node.range, missing) };
    return { kind: "null", span: missing };
  }

  /** A list item may be a bare `a: b` inside `[ ]`, which the library leaves as a pair. */
  #item(item: unknown, depth: number, list: Span): Tree {
    if (isPairLike(item)) return this.#map([item], list, depth + 1);
    return this.#value(item, depth + 1, list, list.start);
  }

  #map(pairs: readonly Pair[], span: Span, depth: number): Tree {
    const entries: Entry[] = [];
    const firsts = new Map<string, Span>();
    for (const pair of pairs) {
      const key = this.#key(pair.key, span);
      if (key === undefined) continue;
      const first = firsts.get(key.text);
      if (first !== undefined) {
        this.#duplicateKey(key.text, key.span, first);
        continue;
      }
      firsts.set(key.text, key.span);
      const after = spanOf(this.#source, key.span.start, key.span.end);
      entries.push({ key: key.text, keySpan: key.span, value: this.#value(pair.value, depth + 1, after, key.span.start) });
    }
    return { kind: "map", entries, span };
  }

  #duplicateKey(key: string, span: Span, first: Span): void {
    // Finding the line of the first takes time, so a file that repeats one key forever is told so only a few times.
    if (++this.#duplicates > MOST_DUPLICATES) return;
    const cure = `Remove one of them, or put both contents under the first (line ${positionOf(first.source, first.start).line}).`;
    this.#mistakes.error("manifest/duplicate-key", span, `the key ${named(key)} is written twice in the same place`, cure);
  }

  #key(node: unknown, map: Span): { readonly text: string; readonly span: Span } | undefined {
    if (isAlias(node)) return undefined;
    if (!isScalar(node) || node.value === null) {
      const range = isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
      this.#mistakes.error(
        "manifest/wrong-kind",
        this.#span(range, map),
        isScalar(node) || node === null ? "a key is missing here" : "a key must be a name, not a list or a mapping",
        "Write `name: value`; put the name in quotes where it is not plain text, and put `${…}` in quotes too.",
      );
      return undefined;
    }
    const span = this.#span(node.range, map);
    const text = node.type !== "PLAIN" && typeof node.value === "string" ? node.value : (node.source ?? "");
    if (node.type !== "PLAIN") return { text, span };
    if (text === "<<") {
      this.#mistakes.error(
        "manifest/yaml-feature",
        span,
        "`<<` is a YAML merge key, and manifests have none: each value stands in one place",
        "Write the keys out here.",
      );
      return undefined;
    }
    if (YAML_1_1_BOOLEAN.test(text) || typeof node.value === "boolean") {
      this.#mistakes.error(
        "manifest/ambiguous-value",
        span,
        `the key ${named(text)} is a name for some YAML readers and ${isTruth(text)} for others (YAML 1.1)`,
        `Choose another name, or put it in quotes: "${text}".`,
      );
    }
    return { text, span };
  }

  #scalar(node: Scalar, missing: Span): Tree {
    const span = this.#span(node.range, missing);
    const { value } = node;
    if (typeof value === "string") {
      if (node.type === "PLAIN" && !this.#isClear(value, span)) return { kind: "broken", span };
      return { kind: "text", value, span, place: placeIn(node, value, span) };
    }
    if (typeof value === "number")
      return this.#isExact(value, node.source ?? "", span) ? { kind: "number", value, span } : { kind: "broken", span };
    if (typeof value === "boolean") return { kind: "boolean", value, span };
    return { kind: "null", span: span.end > span.start ? span : missing };
  }

  /** False for plain text that YAML 1.1 readers take for something else. */
  #isClear(text: string, span: Span): boolean {
    const other = YAML_1_1_BOOLEAN.test(text) ? isTruth(text) : isOldNumber(text) ? "a number" : undefined;
    if (other === undefined) return true;
    this.#mistakes.error(
      "manifest/ambiguous-value",
      span,
      `${named(text)} is text for some YAML readers and ${other} for others (YAML 1.1)`,
      other === "a number"
        ? `Put text in quotes: "${text}"; write a number with digits only.`
        : `Write \`${other}\`, or put text in quotes: "${text}".`,
    );
    return false;
  }

  #isExact(value: number, text: string, span: Span): boolean {
    if (/^[-+]?0[0-9]+$/.test(text)) {
      this.#mistakes.error(
        "manifest/ambiguous-value",
        span,
        `${named(text)} starts with a zero: some YAML readers take it for an octal number (YAML 1.1)`,
        `Write a number without leading zeros, or put text in quotes: "${text}".`,
      );
      return false;
    }
    if (!Number.isFinite(value)) {
      this.#mistakes.error(
        "manifest/inexact-number",
        span,
        `${named(text)} is not a finite number`,
        'Values are JSON, which writes these as text: "NaN", "Infinity" or "-Infinity".',
      );
      return false;
    }
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      this.#mistakes.error(
        "manifest/inexact-number",
        span,
        `the number ${named(text)} is too large to be kept exactly`,
        `Put it in quotes: 64-bit integers are accepted as decimal text.`,
      );
      return false;
    }
    return true;
  }

  #span(range: readonly number[] | null | undefined, fallback: Span): Span {
    const [start, end] = range ?? [];
    if (start === undefined || end === undefined) return fallback;
    return trimmed(spanOf(this.#source, start, end));
  }
}

const YAML_1_1_BOOLEAN = /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$/;
// Digits with underscores, and base 60 (`12:30`); both are text in YAML 1.2.
const YAML_1_1_NUMBER = /^[-+]?(?:[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?|[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|0b[01_]+)$/;

/** Such numbers are short, and the pattern is not for long texts. */
function isOldNumber(text: string): boolean {
  return text.length <= 64 && YAML_1_1_NUMBER.test(text);
}

function isTruth(text: string): "true" | "false" {
  return /^(?:y|yes|on|true)$/i.test(text) ? "true" : "false";
}

function isPairLike(item: unknown): item is Pair {
  return typeof item === "object" && item !== null && "key" in item && "value" in item && !isScalar(item);
}

function trimmed(span: Span): Span {
  let { start, end } = span;
  while (end > start && /\s/.test(span.source.text.charAt(end - 1))) end--;
  if (end === start) while (span.source.text.charAt(start) === " ") start++;
  return { source: span.source, start, end: Math.max(start, end) };
}

/** Maps ranges of a scalar's text to the file; the map is made when it is first asked for. */
function placeIn(node: Scalar, value: string, span: Span): (start: number, end: number) => Span {
  let mapped: MappedText | undefined;
  return (start, end) => {
    mapped ??= mapNode(node);
    if (mapped === undefined || mapped.text !== value) return span;
    if (value.length === 0) return span;
    const last = start < value.length ? value.length - 1 : Math.max(0, value.trimEnd().length - 1);
    const from = start > last ? mapped.ends[last] : mapped.starts[Math.max(0, start)];
    const to = end <= start ? from : mapped.ends[Math.min(end - 1, last)];
    if (from === undefined || to === undefined) return span;
    return spanOf(span.source, from, Math.max(from, to));
  };
}

function mapNode(node: Scalar): MappedText | undefined {
  const token = node.srcToken;
  if (token === undefined) return undefined;
  switch (token.type) {
    case "scalar":
      return mapScalar({ style: "plain", offset: token.offset, source: token.source });
    case "single-quoted-scalar":
      return mapScalar({ style: "single", offset: token.offset, source: token.source });
    case "double-quoted-scalar":
      return mapScalar({ style: "double", offset: token.offset, source: token.source });
    case "block-scalar": {
      const header = token.props.find((prop) => prop.type === "block-scalar-header");
      if (header === undefined || !("source" in header)) return undefined;
      const headerLength = token.props.reduce((sum, prop) => sum + ("source" in prop ? prop.source.length : 0), 0);
      const style: ScalarToken["style"] = header.source.startsWith(">") ? "folded" : "literal";
      return mapScalar({
        style,
        offset: token.offset + headerLength,
        source: token.source,
        header: header.source,
        parentIndent: token.indent,
      });
    }
    default:
      return undefined;
  }
}
