// The types of what comes with a request as text: parameters of the path and query, headers, cookies. `string[]` is short for `list<string>`.

import type { Span } from "../../base/diagnostics.ts";
import { printType } from "../../wit/type-text.ts";
import type { ValType } from "../../wit/types.ts";
import type { Mistakes } from "../mistakes.ts";
import { isWritable, readType, type DeclaredTypes } from "../port-types.ts";
import type { TextTree, Tree } from "../tree.ts";
import type { Range } from "./route-text.ts";

/** Where a part of a request stands. A `field` is one of the body, and comes as JSON. */
export type BindingPlace = "path" | "rest" | "query" | "header" | "cookie" | "field";

const PLACES: Readonly<Record<BindingPlace, { readonly what: string; readonly allows: readonly ("option" | "list")[] }>> = {
  path: { what: "a part of a path", allows: [] },
  rest: { what: "the rest of a path", allows: ["list"] },
  query: { what: "a query parameter", allows: ["option", "list"] },
  header: { what: "a header", allows: ["option", "list"] },
  cookie: { what: "a cookie", allows: ["option"] },
  field: { what: "a field of the body", allows: ["option", "list"] },
};

/** The type that a range of a text names. */
export function readTypeRange(
  tree: TextTree,
  range: Range,
  what: string,
  types: DeclaredTypes,
  mistakes: Mistakes,
): ValType | undefined {
  const text = tree.value.slice(range.start, range.end).trim();
  const start = range.start + tree.value.slice(range.start, range.end).indexOf(text);
  const span = tree.place(start, start + text.length);
  if (text === "") {
    mistakes.error(
      "manifest/bad-route",
      tree.place(range.start - 1, range.end),
      `${what} has no type behind its mark`,
      "Write one, as in `u32`, or remove the mark.",
    );
    return undefined;
  }
  return readShortType(
    { kind: "text", value: text, span, place: (from, to) => tree.place(start + from, start + to) },
    what,
    types,
    mistakes,
  );
}

/** A type as WIT has it, or with `[]` behind the type of its elements. */
export function readShortType(tree: Tree, what: string, types: DeclaredTypes, mistakes: Mistakes): ValType | undefined {
  if (tree.kind !== "text" || !tree.value.trimEnd().endsWith("[]")) return readType(tree, what, types, mistakes);
  const end = tree.value.trimEnd().length - 2;
  const inner: TextTree = {
    kind: "text",
    value: tree.value.slice(0, end),
    span: tree.place(0, end),
    place: (from, to) => tree.place(from, to),
  };
  const element = readType(inner, what, types, mistakes);
  return element === undefined ? undefined : { kind: "list", element };
}

/** Whether values of a type can stand in that place of a request; `what` says whose type it is. */
export function checkTextType(type: ValType, place: BindingPlace, what: string, span: Span, mistakes: Mistakes): boolean {
  if (place === "field" || isTextType(type, place)) return true;
  const { what: where, allows } = PLACES[place];
  const also = allows.length === 0 ? "" : `, or ${allows.map((kind) => `\`${kind}\``).join(" or ")} of one of these`;
  mistakes.error(
    "manifest/bad-route",
    span,
    `${what} is of the type \`${printType(type, 60)}\`, which cannot stand in ${where}`,
    `Use a text, number, bool or enum${also}; take anything else from the body.`,
  );
  return false;
}

export function isTextType(type: ValType, place: BindingPlace): boolean {
  const { allows } = PLACES[place];
  if (type.kind === "option") return allows.includes("option") && isWritable(type.type);
  if (type.kind === "list") return allows.includes("list") && isWritable(type.element);
  return isWritable(type);
}
