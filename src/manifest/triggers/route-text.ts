// The text form of a route, taken apart: `GET,POST /users/{id:u32}/orders?limit=u32=20 -> orders::find`, `/assets/* -> static: ./public`. Only its
// shape is read here; names and types are ranges of the text.

import { cutText, listed, named, quoted, type Mistakes } from "../mistakes.ts";
import type { TextTree, Tree } from "../tree.ts";
import type { HttpMethod, Route } from "../triggers.ts";

/** A range of the text, without white space at its ends. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface RouteText {
  readonly tree: TextTree;
  readonly methods?: readonly HttpMethod[] | undefined;
  readonly path: Range;
  /** What stands behind `?`. */
  readonly query?: Range | undefined;
  readonly kind: Route["kind"];
  readonly target: Range;
}

export const ROUTE_EXAMPLE = "GET /hello/{name} -> welcome";
const METHODS: readonly HttpMethod[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];
const TARGET_KINDS: readonly Exclude<Route["kind"], "operation">[] = ["component", "static", "proxy", "redirect", "websocket"];
const LONGEST_ROUTE = 4096;

/** `- /app/* -> component: site` is a mapping to YAML; this is the text that was meant, whose parts know their places. */
export function joinedText(key: string, keySpan: Tree["span"], value: Tree): TextTree | undefined {
  const { source, start: from } = keySpan;
  const between = source.text.slice(keySpan.end, value.span.start);
  if (value.kind !== "text" || !/^: *$/.test(between)) return undefined;
  // A key in quotes has its places one further.
  const quote = keySpan.end - from === key.length ? 0 : 1;
  const joined = `${key}: ${value.value}`;
  const offset = key.length + 2;
  const at = (index: number): number =>
    index < offset ? from + quote + index : value.place(index - offset, index - offset).start;
  return {
    kind: "text",
    value: joined,
    span: { source, start: from, end: value.span.end },
    place: (start, end) => ({
      source,
      start: at(start),
      end: Math.max(at(start), end <= offset ? at(end) : value.place(0, end - offset).end),
    }),
  };
}

/** Undefined where it has mistakes, which are reported. */
export function parseRouteText(tree: TextTree, mistakes: Mistakes): RouteText | undefined {
  const text = tree.value;
  const wrong = (range: Range, message: string, cure: string): undefined => {
    mistakes.error("manifest/bad-route", tree.place(range.start, range.end), message, cure);
  };
  if (text.length > LONGEST_ROUTE)
    return wrong(
      { start: 0, end: 20 },
      `a route may have ${LONGEST_ROUTE} characters, and this one has ${text.length}`,
      "Shorten it.",
    );
  if (/[\p{Cc}\p{Cs}]/u.test(text))
    return wrong({ start: 0, end: text.length }, "the route has characters that cannot be seen", "Remove them.");
  const arrow = /\s(?:->|=>|→)(?=\s)|\s(?:->|=>|→)$/.exec(text);
  if (arrow === null || !arrow[0].endsWith("->")) {
    const message = `${quoted(text)} is no route: it has no \`->\` between what it takes and where that goes`;
    return wrong({ start: 0, end: text.length }, message, `Write it as in \`${ROUTE_EXAMPLE}\`, with spaces around \`->\`.`);
  }
  const left = trimmed(text, 0, arrow.index);
  const slash = text.indexOf("/", left.start);
  if (slash < 0 || slash >= left.end) {
    const message = "the route has no path, which starts with `/`";
    return wrong(left.end > left.start ? left : { start: 0, end: text.length }, message, `Write it as in \`${ROUTE_EXAMPLE}\`.`);
  }
  const methods = readMethods(tree, trimmed(text, left.start, slash), mistakes);
  const mark = questionMark(text, slash, left.end);
  const target = readTarget(tree, trimmed(text, arrow.index + arrow[0].length, text.length), mistakes);
  if (methods === undefined || target === undefined) return undefined;
  return {
    tree,
    methods: methods === "any" ? undefined : methods,
    path: trimmed(text, slash, mark ?? left.end),
    query: mark === undefined ? undefined : trimmed(text, mark + 1, left.end),
    ...target,
  };
}

function trimmed(text: string, from: number, to: number): Range {
  let [start, end] = [from, to];
  while (start < end && text[start] === " ") start++;
  while (end > start && text[end - 1] === " ") end--;
  return { start, end };
}

/** The `?` that starts the query: not one inside braces. */
function questionMark(text: string, from: number, to: number): number | undefined {
  let depth = 0;
  for (let at = from; at < to; at++) {
    if (text[at] === "{") depth++;
    else if (text[at] === "}") depth--;
    else if (text[at] === "?" && depth <= 0) return at;
  }
  return undefined;
}

function readMethods(tree: TextTree, range: Range, mistakes: Mistakes): readonly HttpMethod[] | "any" | undefined {
  if (range.start === range.end) return "any";
  const words = Array.from(tree.value.slice(range.start, range.end).matchAll(/[^\s,|]+/g), (found) => ({
    word: found[0],
    start: range.start + found.index,
  }));
  if (words.length === 1 && (words[0]?.word === "*" || words[0]?.word.toUpperCase() === "ANY")) return "any";
  const methods: HttpMethod[] = [];
  let isGood = true;
  for (const { word, start } of words) {
    const method = METHODS.find((known) => known === word);
    const span = tree.place(start, start + word.length);
    if (method !== undefined && !methods.includes(method)) methods.push(method);
    else {
      isGood = false;
      const message =
        method === undefined ? `${named(word)} is no method that a route can take` : `the method \`${word}\` is written twice`;
      mistakes.error("manifest/bad-route", span, message, methodCure(word, method !== undefined));
    }
  }
  return isGood ? methods : undefined;
}

function methodCure(word: string, isRepeated: boolean): string {
  if (isRepeated) return "Remove one of them.";
  if (/^https?:$/i.test(word))
    return "Write only the path; the names that requests must be for stand in `hostnames` of the trigger.";
  const upper = METHODS.find((known) => known === word.toUpperCase());
  return upper === undefined
    ? `Write one or more of ${listed(METHODS)}, with commas between them, or \`*\` for any.`
    : `Write \`${upper}\`.`;
}

function readTarget(tree: TextTree, range: Range, mistakes: Mistakes): Pick<RouteText, "kind" | "target"> | undefined {
  const text = tree.value.slice(range.start, range.end);
  const wrong = (message: string, cure: string): undefined => {
    const place = range.start === range.end ? tree.span : tree.place(range.start, range.end);
    mistakes.error("manifest/bad-route", place, message, cure);
  };
  if (text === "") return wrong("the route leads nowhere: nothing stands behind `->`", `Write it as in \`${ROUTE_EXAMPLE}\`.`);
  const [, word = "", rest] = /^([a-z-]+)(?::(?!:)\s*|\s+)(.*)$/i.exec(text) ?? [];
  if (rest === undefined) {
    if (/\s/.test(text)) return wrong(`${quoted(text)} is no target of a route`, kindCure());
    return { kind: "operation", target: range };
  }
  const kind = TARGET_KINDS.find((known) => known === word);
  if (kind !== undefined && rest !== "" && !/\s/.test(rest))
    return { kind, target: { start: range.end - rest.length, end: range.end } };
  if (kind !== undefined)
    return wrong(
      rest === "" ? `the route leads nowhere: nothing stands behind \`${kind}:\`` : `${quoted(rest)} has spaces in it`,
      `Write it as in \`${KIND_EXAMPLES[kind]}\`.`,
    );
  if (word === "operation")
    return wrong("the name of an operation stands alone behind `->`", `Write \`-> ${cutText(rest, 60)}\`.`);
  return wrong(`${quoted(text)} is no target of a route`, kindCure());
}

const KIND_EXAMPLES: Readonly<Record<Exclude<Route["kind"], "operation">, string>> = {
  component: "/app/* -> component: site",
  static: "/assets/* -> static: ./public",
  proxy: "/api/* -> proxy: http://localhost:3000",
  redirect: "/old/* -> redirect: /new/*",
  websocket: "/chat -> websocket: chat::talk",
};

function kindCure(): string {
  return `Name an operation, or write one of ${listed(TARGET_KINDS.map((kind) => `${kind}: …`))}.`;
}
