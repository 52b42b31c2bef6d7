// Reads which parts of a request go to which input ports: the query behind `?` of a route, and the mappings `query:`, `headers:`, `cookies:`.

import type { Span } from "../../base/diagnostics.ts";
import { isLabel, kebabCase } from "../../wit/labels.ts";
import { printType } from "../../wit/type-text.ts";
import type { ValType } from "../../wit/types.ts";
import type { Json } from "../manifest.ts";
import { cutText, named, type Mistakes } from "../mistakes.ts";
import { jsonOfText } from "../outside.ts";
import { hasJson, jsonProblem } from "../port-types.ts";
import { readEntries, readKnown, readText, wrongKind } from "../reading.ts";
import { isBroken, toJson, type Entry, type TextTree, type Tree } from "../tree.ts";
import type { Binding, PortUse } from "../triggers.ts";
import { checkTextType, readShortType, readTypeRange, type BindingPlace } from "./binding-types.ts";
import { BINDING_KEYS } from "./keys.ts";
import type { Range } from "./route-text.ts";
import type { TriggerSurroundings } from "./targets.ts";

const LONGEST_NAME = 256;
/** RFC 9110, section 5.1, and RFC 6265, section 4.1.1: names of headers and cookies are tokens. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** `status=string[]&limit=u32=20`: names, types, defaults. */
export function readQueryText(tree: TextTree, range: Range, around: TriggerSurroundings): readonly Binding[] {
  const bindings: Binding[] = [];
  let start = range.start;
  for (const part of tree.value.slice(range.start, range.end).split("&")) {
    const binding = readQueryPart(tree, { start, end: start + part.length }, around);
    if (binding !== undefined) bindings.push(binding);
    start += part.length + 1;
  }
  return bindings;
}

function readQueryPart(tree: TextTree, range: Range, around: TriggerSurroundings): Binding | undefined {
  const { mistakes } = around;
  const text = tree.value.slice(range.start, range.end);
  const span = tree.place(Math.min(range.start, range.end - 1), range.end);
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  if (!isLabel(name)) {
    queryNameMistake(name, span, mistakes);
    return undefined;
  }
  if (equals < 0) return { name, port: name, span };
  const second = text.indexOf("=", equals + 1);
  const typeRange = { start: range.start + equals + 1, end: second < 0 ? range.end : range.start + second };
  const what = `the query parameter \`${name}\``;
  const type = readTypeRange(tree, typeRange, what, around.types, mistakes);
  if (type === undefined || !checkTextType(type, "query", what, tree.place(typeRange.start, typeRange.end), mistakes))
    return undefined;
  if (second < 0) return { name, port: name, type, span };
  const given = text.slice(second + 1);
  const value = given === "" && type.kind !== "string" ? undefined : defaultOf(type, given);
  if (value !== undefined) return { name, port: name, type, default: value, span };
  const place = tree.place(range.start + second, range.end);
  const message = `the default of ${what}, ${named(given)}, is no \`${printType(type, 60)}\``;
  const cure =
    type.kind === "list" ? "Leave it out: without the parameter the list is empty." : `Write a \`${printType(type, 60)}\`.`;
  mistakes.error("manifest/bad-default", place, message, cure);
  return undefined;
}

function defaultOf(type: ValType, text: string): Json | undefined {
  return type.kind === "list" ? undefined : jsonOfText(type, text);
}

function queryNameMistake(name: string, span: Span, mistakes: Mistakes): void {
  const bare = name.replace(/^\{|\}$|\?$/g, "");
  const kebab = kebabCase(bare);
  const message =
    name === ""
      ? "a query parameter has no name"
      : `${named(name)} cannot be a query parameter here, where it has the name of the input port it goes to`;
  const short = cutText(kebab ?? "port", 60);
  const cure =
    name === ""
      ? "Write it as in `?status=string[]&limit=u32=20`."
      : name.endsWith("?")
        ? `Write \`${short}=option<string>\`, or a default behind the type: \`${short}=string=…\`.`
        : bare !== name
          ? `Write it as in \`${short}=string\`.`
          : `Write \`${short}\`; where requests have another name, write the route as a mapping with \`query: { ${named(cutText(bare, 40)).slice(1, -1)}: ${short} }\`.`;
  mistakes.error("manifest/bad-route", span, message, cure);
}

/** `query: { pageSize: page-size, limit: { port: limit, type: u32, default: 20 } }`, and the same of headers, cookies and fields. */
export function readBindings(
  entry: Entry | undefined,
  place: Exclude<BindingPlace, "path" | "rest">,
  around: TriggerSurroundings,
): readonly Binding[] {
  if (entry === undefined) return [];
  const example = EXAMPLES[place];
  const seen = new Set<string>();
  return readEntries(entry.value, `\`${entry.key}\` of a route`, `${entry.key}: ${example}`, around.mistakes).flatMap((item) => {
    const name = place === "header" ? item.key.toLowerCase() : item.key;
    if (!isRequestName(item, place, around.mistakes)) return [];
    if (seen.has(name)) {
      const message = `the header ${named(name)} is written twice; case does not count`;
      around.mistakes.error("manifest/duplicate-name", item.keySpan, message, "Remove one of them.");
      return [];
    }
    seen.add(name);
    return readBinding(item, name, place, around) ?? [];
  });
}

const EXAMPLES: Readonly<Record<Exclude<BindingPlace, "path" | "rest">, string>> = {
  query: "{ pageSize: page-size, limit: { type: u32, default: 20 } }",
  header: "{ if-match: etag }",
  cookie: "{ session: token }",
  field: "{ firstName: first-name }",
};

const PAIRS: Readonly<Record<Exclude<BindingPlace, "path" | "rest">, string>> = {
  query: "pageSize: page-size",
  header: "if-match: etag",
  cookie: "session: token",
  field: "firstName: first-name",
};

const NOUNS: Readonly<Record<Exclude<BindingPlace, "path" | "rest">, string>> = {
  query: "query parameter",
  header: "header",
  cookie: "cookie",
  field: "field of the body",
};

function isRequestName({ key, keySpan }: Entry, place: Exclude<BindingPlace, "path" | "rest">, mistakes: Mistakes): boolean {
  const isToken = place === "header" || place === "cookie";
  const isGood = key !== "" && key.length <= LONGEST_NAME && (isToken ? TOKEN.test(key) : !/[\p{Cc}\p{Cs}]/u.test(key));
  if (isGood) return true;
  const message = `${named(key)} cannot be the name of a ${NOUNS[place]}`;
  const cure = isToken ? `Use letters, digits and hyphens, as in \`${PAIRS[place]}\`.` : "Write the name as requests have it.";
  mistakes.error("manifest/bad-name", keySpan, message, cure);
  return false;
}

function readBinding(
  { key, keySpan, value }: Entry,
  name: string,
  place: Exclude<BindingPlace, "path" | "rest">,
  around: TriggerSurroundings,
): Binding | undefined {
  const { mistakes } = around;
  const what = `the ${NOUNS[place]} ${named(key)}`;
  if (value.kind === "text") {
    const port = readPortName(value, what, mistakes);
    return port === undefined ? undefined : { name, port, span: value.span };
  }
  if (value.kind !== "map") return wrongKind(value, what, "the name of an input port, or a mapping", PAIRS[place], mistakes);
  const keys = readKnown(value, what, BINDING_KEYS, mistakes);
  const [portTree, typeTree, given] = [keys.get("port")?.value, keys.get("type")?.value, keys.get("default")?.value];
  const port = portTree === undefined ? ownPort(name, keySpan, what, mistakes) : readPortName(portTree, what, mistakes);
  const type = typeTree === undefined ? undefined : readShortType(typeTree, what, around.types, mistakes);
  if (typeTree !== undefined && (type === undefined || !checkTextType(type, place, what, typeTree.span, mistakes)))
    return undefined;
  if (given !== undefined && type !== undefined && !checkDefault(given, type, what, mistakes)) return undefined;
  const json = given === undefined || isBroken(given) ? undefined : toJson(given);
  return port === undefined ? undefined : { name, port, type, default: json, span: keySpan };
}

function ownPort(name: string, span: Span, what: string, mistakes: Mistakes): string | undefined {
  if (isLabel(name)) return name;
  const message = `${what} names no input port`;
  mistakes.error("manifest/missing-key", span, message, `Add it, as in \`port: ${kebabCase(name) ?? "NAME"}\`.`);
  return undefined;
}

function checkDefault(tree: Tree, type: ValType, what: string, mistakes: Mistakes): boolean {
  const problem = isBroken(tree) || !hasJson(type) ? undefined : jsonProblem(type, toJson(tree));
  if (problem === undefined) return true;
  const message = `the default of ${what} does not fit its type \`${printType(type, 60)}\`: ${problem.message}`;
  mistakes.error("manifest/bad-default", tree.span, message, problem.cure);
  return false;
}

/** The same with its place. */
export function readPortUse(tree: Tree, what: string, mistakes: Mistakes): PortUse | undefined {
  const port = readPortName(tree, what, mistakes);
  return port === undefined ? undefined : { port, span: tree.span };
}

/** The name of a port; whether it is there is checked with the others. */
export function readPortName(tree: Tree, what: string, mistakes: Mistakes): string | undefined {
  const text = readText(tree, `the port of ${what}`, "port: name", mistakes);
  if (text === undefined || isLabel(text.value)) return text?.value;
  const kebab = kebabCase(text.value);
  mistakes.error(
    "manifest/bad-name",
    text.span,
    `${named(text.value)} cannot be the name of a port`,
    kebab === undefined ? "Write it as in `first-name`." : `Write ${named(kebab)}.`,
  );
  return undefined;
}
