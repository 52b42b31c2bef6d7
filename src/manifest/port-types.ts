// Types as manifests write them: WIT text in a scalar, whose problems are shown at their exact place; and what a type can be asked for.

import { readJson } from "../wit/read-json.ts";
import { partsOf } from "../wit/type-size.ts";
import { parseType, printType, type TypeScope } from "../wit/type-text.ts";
import type { ValType } from "../wit/types.ts";
import type { Json } from "./manifest.ts";
import { meant, type Mistakes } from "./mistakes.ts";
import { wrongKind } from "./reading.ts";
import type { TextTree, Tree } from "./tree.ts";

const TYPE_EXAMPLES = "Types are written as `string`, `u32`, `list<string>`, `option<f64>` or `record { name: string }`.";

/** What other languages call a type of WIT. */
const FOREIGN_TYPES: Readonly<Record<string, string>> = {
  str: "string",
  text: "string",
  varchar: "string",
  int: "s32",
  integer: "s32",
  long: "s64",
  short: "s16",
  byte: "u8",
  bytes: "list<u8>",
  binary: "list<u8>",
  number: "f64",
  double: "f64",
  float: "f64",
  float32: "f32",
  float64: "f64",
  i8: "s8",
  i16: "s16",
  i32: "s32",
  i64: "s64",
  boolean: "bool",
  array: "list<string>",
};

/** The types of the `types:` block; `unreadable` are declared too, but with mistakes that were reported there. */
export interface DeclaredTypes {
  readonly types: TypeScope;
  readonly unreadable: ReadonlySet<string>;
}

/** The type of an input or output port of an operation, which may be a stream. */
export function readPortType(tree: Tree, what: string, scope: DeclaredTypes, mistakes: Mistakes): ValType | undefined {
  return readAnyType(tree, what, scope, mistakes, true);
}

/** The type that a scalar names. Problems are reported; undefined then. */
export function readType(tree: Tree, what: string, scope: DeclaredTypes, mistakes: Mistakes): ValType | undefined {
  return readAnyType(tree, what, scope, mistakes, false);
}

function readAnyType(
  tree: Tree,
  what: string,
  scope: DeclaredTypes,
  mistakes: Mistakes,
  mayStream: boolean,
): ValType | undefined {
  if (tree.kind !== "text") return wrongKind(tree, `the type of ${what}`, "the text of a WIT type", "type: string", mistakes);
  const foreign = foreignType(tree.value, scope.types);
  if (foreign !== undefined) {
    mistakes.error("manifest/bad-type", tree.span, `there is no type \`${tree.value.trim()}\` in WIT`, `Write \`${foreign}\`.`);
    return undefined;
  }
  const { type, problems } = parseType(tree.value, scope.types);
  const isNews = ({ start, end }: { start: number; end: number }): boolean => !scope.unreadable.has(tree.value.slice(start, end));
  addTypeProblems(problems.filter(isNews), tree, mistakes);
  if (type === undefined) return undefined;
  const inside = mayStream && type.kind === "stream" ? type.element : type;
  const planned = inside === undefined ? undefined : findPart(inside, ({ kind }) => kind === "stream" || kind === "future");
  if (planned === undefined) return type;
  const isStream = planned.kind === "stream";
  mistakes.error(
    "manifest/not-supported-yet",
    tree.span,
    isStream && mayStream
      ? "a stream is the whole of a port: streams inside other types are not supported yet"
      : isStream
        ? `${what} cannot be a stream`
        : "`future` types are planned, but not supported yet",
    isStream ? (mayStream ? "Give the stream a port of its own." : "Use a `list` in its place.") : "Use the type of its value.",
  );
  return undefined;
}

/** Shows the problems of a type text at their places in the manifest. */
export function addTypeProblems(problems: ReturnType<typeof parseType>["problems"], tree: TextTree, mistakes: Mistakes): void {
  for (const { start, end, message, cure } of problems)
    mistakes.error("manifest/bad-type", tree.place(start, end), message, cure ?? TYPE_EXAMPLES);
}

function foreignType(text: string, scope: TypeScope): string | undefined {
  const word = text.trim().toLowerCase();
  if (scope.has(text.trim()) || !Object.hasOwn(FOREIGN_TYPES, word)) return undefined;
  return FOREIGN_TYPES[word];
}

/** The first part of a type that is asked for; each part is looked at once, however often it is used. */
export function findPart(type: ValType, wanted: (part: ValType) => boolean): ValType | undefined {
  const seen = new Set<ValType>();
  const pending = [type];
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (seen.has(part)) continue;
    seen.add(part);
    if (wanted(part)) return part;
    pending.push(...partsOf(part));
  }
  return undefined;
}

/** Whether values of a type can be written as JSON. */
export function hasJson(type: ValType): boolean {
  const without: readonly string[] = ["own", "borrow", "stream", "future", "error-context"];
  return findPart(type, (part) => without.includes(part.kind)) === undefined;
}

/** What is wrong with a JSON value of a type, as one sentence; undefined where it fits. The type must have JSON. */
export function jsonProblem(type: ValType, json: Json): { readonly message: string; readonly cure: string } | undefined {
  if (!hasJson(type)) return { message: `a \`${printType(type, 60)}\` has no form in JSON`, cure: "Use another type." };
  const [first, ...more] = readJson(type, json).mistakes;
  if (first === undefined) return undefined;
  const where = first.path === "$" ? "" : `at \`${first.path}\`, `;
  const others = more.length > 0 ? ` (and ${more.length} more)` : "";
  return {
    message: `${where}${first.message}${others}`,
    cure: first.cure ?? `Write a value of the type \`${printType(type, 60)}\`.`,
  };
}

/** The payload of an option, through all its levels; other types as they are. */
export function withoutOption(type: ValType): ValType {
  let inner = type;
  while (inner.kind === "option") inner = inner.type;
  return inner;
}

/** What the rules of a port are about: of a stream, each of its elements. */
export function ruledType(type: ValType): ValType {
  return type.kind === "stream" && type.element !== undefined ? type.element : type;
}

/** What rules about texts are about: the type at the bottom of options, lists and streams. */
export function leafType(type: ValType): ValType {
  let inner = type;
  for (;;) {
    if (inner.kind === "option") inner = inner.type;
    else if (inner.kind === "list") inner = inner.element;
    else if (inner.kind === "stream" && inner.element !== undefined) inner = inner.element;
    else return inner;
  }
}

/** Whether a `${…}` inside a longer text can be replaced by values of the type. */
export function isWritable(type: ValType): boolean {
  const kinds: readonly string[] = [
    "string",
    "char",
    "bool",
    "s8",
    "u8",
    "s16",
    "u16",
    "s32",
    "u32",
    "s64",
    "u64",
    "f32",
    "f64",
    "enum",
  ];
  return kinds.includes(type.kind);
}

/** For "did you mean" over names of any kind. */
export function meantName(word: string, names: Iterable<string>, fallback: string): string {
  const probable = meant(word, names);
  return probable === undefined ? fallback : `Did you mean \`${probable}\`?`;
}
