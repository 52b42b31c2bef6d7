// A YAML or JSON text as a tree of values, each with its place. What the other files of this folder read; no YAML library here.

import type { Span } from "../base/diagnostics.ts";
import type { Json } from "./manifest.ts";

export type Tree = TextTree | NumberTree | BooleanTree | NullTree | ListTree | MapTree | BrokenTree;

export interface TextTree {
  readonly kind: "text";
  readonly value: string;
  readonly span: Span;
  /** The place in the file of a range of `value` (UTF-16 offsets), through quotes, escapes, indentation and folding. */
  place(start: number, end: number): Span;
}

export interface NumberTree {
  readonly kind: "number";
  readonly value: number;
  readonly span: Span;
}

export interface BooleanTree {
  readonly kind: "boolean";
  readonly value: boolean;
  readonly span: Span;
}

export interface NullTree {
  readonly kind: "null";
  readonly span: Span;
}

export interface ListTree {
  readonly kind: "list";
  readonly items: readonly Tree[];
  readonly span: Span;
}

export interface MapTree {
  readonly kind: "map";
  /** In the order of the text; keys are unique (the first of equal ones). */
  readonly entries: readonly Entry[];
  readonly span: Span;
}

export interface Entry {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: Tree;
}

/** Stands where a mistake was already reported: readers pass over it in silence. */
export interface BrokenTree {
  readonly kind: "broken";
  readonly span: Span;
}

/** The value as JSON; what is broken becomes null (its mistake was reported). */
export function toJson(tree: Tree): Json {
  switch (tree.kind) {
    case "text":
    case "number":
    case "boolean":
      return tree.value;
    case "null":
    case "broken":
      return null;
    case "list":
      return tree.items.map(toJson);
    case "map":
      // `fromEntries` defines properties, so a key named `__proto__` is only a key.
      return Object.fromEntries(tree.entries.map((entry) => [entry.key, toJson(entry.value)]));
  }
}

/** True where a mistake inside the value was already reported. */
export function isBroken(tree: Tree): boolean {
  if (tree.kind === "list") return tree.items.some(isBroken);
  if (tree.kind === "map") return tree.entries.some((entry) => isBroken(entry.value));
  return tree.kind === "broken";
}
