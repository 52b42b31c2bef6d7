// Reads `routes:` of an http trigger: each a text, or a mapping with the text and its options.

import type { Span } from "../../base/diagnostics.ts";
import { meant, named, quoted, type Mistakes } from "../mistakes.ts";
import { pathProblem, normalizePath } from "../paths.ts";
import { readDescription, readDuration, readItems, readKnown, readText, wrongKind } from "../reading.ts";
import { checkTextReferences } from "../references.ts";
import type { Entry, MapTree, TextTree, Tree } from "../tree.ts";
import type { OperationRoute, RedirectRoute, Route, RouteMatch, WebsocketRoute } from "../triggers.ts";
import { readBindings, readPortUse, readQueryText } from "./bindings.ts";
import { ROUTE_KEYS } from "./keys.ts";
import { readHttpLimits } from "./listener.ts";
import { readMiddleware } from "./middleware.ts";
import { readAnswer, readBody, REDIRECTS } from "./operation-route.ts";
import { readPath } from "./path.ts";
import { isPlace, isWebUrl } from "./place.ts";
import { joinedText, parseRouteText, ROUTE_EXAMPLE, type RouteText } from "./route-text.ts";
import { isComponentName, readTarget, type TriggerSurroundings } from "./targets.ts";

const MOST_ROUTES = 10_000;

export function readRoutes(entry: Entry | undefined, around: TriggerSurroundings): readonly Route[] {
  if (entry === undefined) return [];
  const { mistakes } = around;
  const items = readItems(entry.value, "`routes`", "a list of routes", `routes: [ "${ROUTE_EXAMPLE}" ]`, mistakes);
  if (items.length > MOST_ROUTES)
    mistakes.error(
      "manifest/too-large",
      entry.keySpan,
      `there are more than ${MOST_ROUTES} routes`,
      "Serve some of them as another app.",
    );
  return items.slice(0, MOST_ROUTES).flatMap((item) => readRoute(item, around) ?? []);
}

type Keys = ReadonlyMap<string, Entry>;

/** What all kinds of routes have. */
type Base = RouteMatch & Pick<Route, "limits" | "before" | "after" | "span">;

function readRoute(tree: Tree, around: TriggerSurroundings): Route | undefined {
  const { mistakes } = around;
  if (tree.kind === "text") return readParsed(parseRouteText(tree, mistakes), undefined, around);
  if (tree.kind !== "map") return wrongKind(tree, "a route", "a text, or a mapping with `route`", ROUTE_EXAMPLE, mistakes);
  const entry = tree.entries.find(({ key }) => key === "route" || /\s->(?:\s|$)/.test(key)) ?? mistypedRoute(tree, mistakes);
  if (entry === undefined && /^(?:\*\s+|[A-Z,]+\s+)?\//.test(tree.entries[0]?.key ?? "")) {
    const message = "YAML takes this route for a mapping, because of the `: ` in it";
    mistakes.error("manifest/bad-route", tree.entries[0]?.keySpan ?? tree.span, message, "Put the whole route in quotes.");
    return undefined;
  }
  if (entry === undefined) {
    const message = "the route has no `route`, which says what it takes and where that goes";
    mistakes.error(
      "manifest/missing-key",
      tree.entries[0]?.keySpan ?? tree.span,
      message,
      `Add it, as in \`route: ${ROUTE_EXAMPLE}\`.`,
    );
    return undefined;
  }
  const text = !entry.key.includes("->")
    ? readText(entry.value, "`route`", `route: ${ROUTE_EXAMPLE}`, mistakes)
    : shortText(entry, mistakes);
  if (text === undefined) return undefined;
  const options: MapTree = { ...tree, entries: tree.entries.filter((other) => other !== entry) };
  return readParsed(parseRouteText(text, mistakes), options, around);
}

function mistypedRoute({ entries }: MapTree, mistakes: Mistakes): Entry | undefined {
  const entry = entries.find(({ key }) => meant(key, ["route"]) !== undefined);
  if (entry !== undefined)
    mistakes.error("manifest/unknown-key", entry.keySpan, `a route has no key ${named(entry.key)}`, "Did you mean `route`?");
  return entry;
}

function shortText(entry: Entry, mistakes: Mistakes): TextTree | undefined {
  const text = joinedText(entry.key, entry.keySpan, entry.value);
  if (text !== undefined) return text;
  const message = "what stands behind `->` must be a text on the same line";
  const cure = "Write it as in `/assets/* -> static: ./public`, options below.";
  mistakes.error("manifest/bad-route", entry.keySpan, message, cure);
  return undefined;
}

function readParsed(text: RouteText | undefined, options: MapTree | undefined, around: TriggerSurroundings): Route | undefined {
  if (text === undefined) return undefined;
  const { mistakes } = around;
  const before = mistakes.errorCount;
  const what = `the route ${quoted(text.tree.value)}`;
  const keys: Keys = options === undefined ? new Map() : readKnown(options, what, ROUTE_KEYS[text.kind], mistakes);
  const path = readPath(text.tree, text.path, around.types, mistakes);
  const base: Base = {
    methods: text.methods,
    path: path ?? [],
    pathText: text.tree.value.slice(text.path.start, text.path.end),
    limits: readHttpLimits(keys.get("limits"), "route", mistakes),
    before: readMiddleware(keys.get("before"), around),
    after: readMiddleware(keys.get("after"), around),
    span: text.tree.span,
  };
  const route = readKind(text, base, keys, around);
  // Where there is no such operation, something else may have been meant, which takes other paths.
  if (path !== undefined && (text.kind !== "operation" || route !== undefined)) checkShape(text, base, mistakes);
  return mistakes.errorCount === before ? route : undefined;
}

function readKind(text: RouteText, base: Base, keys: Keys, around: TriggerSurroundings): Route | undefined {
  switch (text.kind) {
    case "operation":
      return readOperationRoute(text, base, keys, around);
    case "websocket":
      return readWebsocket(text, base, keys, around);
    case "component": {
      const component = targetText(text);
      return isComponentName(component, targetSpan(text), around) ? { kind: "component", ...base, component } : undefined;
    }
    case "static":
      return readStatic(text, base, keys, around.mistakes);
    case "proxy":
      return readProxy(text, base, around);
    case "redirect":
      return readRedirect(text, base, keys, around.mistakes);
  }
}

function targetText({ tree, target }: RouteText): string {
  return tree.value.slice(target.start, target.end);
}

function targetSpan({ tree, target }: RouteText): Span {
  return tree.place(target.start, target.end);
}

/** Parameters only where something takes them, `*` only where nothing has to. */
function checkShape(text: RouteText, { path }: Base, mistakes: Mistakes): void {
  const { tree, kind, query, methods } = text;
  const takesPorts = kind === "operation" || kind === "websocket";
  const last = path.at(-1);
  const wrong = (span: Span, message: string, cure: string): void => mistakes.error("manifest/bad-route", span, message, cure);
  if (takesPorts && last?.kind === "any") {
    const span = tree.place(text.path.end - 1, text.path.end);
    wrong(
      span,
      "an operation takes the rest of a path by a port, so it needs a name",
      "Write `{path...}` with the name of that port.",
    );
  }
  if (!takesPorts && query !== undefined)
    wrong(tree.place(query.start - 1, query.end), "no port takes the query here: it goes along as it is", "Remove it.");
  const bound = path.find((segment) => segment.kind === "parameter" || segment.kind === "rest");
  if (!takesPorts && bound !== undefined)
    wrong(
      bound.binding.span,
      "no port takes a parameter of the path here",
      "Write `*` as the last part, or the text of the part.",
    );
  const isImplied = kind === "static" || kind === "websocket";
  if (isImplied && methods !== undefined && !methods.every((method) => method === "GET" || method === "HEAD")) {
    const what = kind === "static" ? "files are only read" : "a websocket is opened with GET";
    wrong(tree.place(0, text.path.start), `${what}, so the route takes no other methods`, "Write the path alone.");
  }
  if (kind === "operation" && methods === undefined && !/^\s*(?:\*|any)\s/i.test(tree.value))
    wrong(
      tree.place(text.path.start, text.path.end),
      "the route does not say which method it takes",
      "Write it as in `GET /…`, or `* /…` for any.",
    );
}

function readOperationRoute(text: RouteText, base: Base, keys: Keys, around: TriggerSurroundings): OperationRoute | undefined {
  const target = readTarget(text.tree, around, text.target.start, text.target.end);
  const bindings = readRequest(text, keys, around);
  const body = readBody(keys.get("body"), base.methods, around);
  const answer = readAnswer(keys.get("answer"), keys.get("status"), around.mistakes);
  const description = readDescription(keys.get("description"), "a route", around.mistakes);
  if (target === undefined || body === undefined) return undefined;
  return { kind: "operation", ...base, ...bindings, target, body, answer, description };
}

function readRequest(
  text: RouteText,
  keys: Keys,
  around: TriggerSurroundings,
): Pick<OperationRoute, "query" | "headers" | "cookies"> {
  const short = text.query === undefined ? [] : readQueryText(text.tree, text.query, around);
  return {
    query: [...short, ...readBindings(keys.get("query"), "query", around)],
    headers: readBindings(keys.get("headers"), "header", around),
    cookies: readBindings(keys.get("cookies"), "cookie", around),
  };
}

function readWebsocket(text: RouteText, base: Base, keys: Keys, around: TriggerSurroundings): WebsocketRoute | undefined {
  const target = readTarget(text.tree, around, text.target.start, text.target.end);
  const bindings = readRequest(text, keys, around);
  const [input, output] = [keys.get("in")?.value, keys.get("out")?.value];
  const inPort = input === undefined ? undefined : readPortUse(input, "the messages", around.mistakes);
  const outPort = output === undefined ? undefined : readPortUse(output, "what is sent", around.mistakes);
  return target === undefined ? undefined : { kind: "websocket", ...base, ...bindings, target, in: inPort, out: outPort };
}

function readStatic(text: RouteText, base: Base, keys: Keys, mistakes: Mistakes): Route | undefined {
  const from = targetText(text);
  const problem = pathProblem(from);
  if (problem !== undefined) {
    const cure = isWebUrl(from) ? `Write \`proxy: ${from.slice(0, 100)}\` for what is served elsewhere.` : problem.cure;
    mistakes.error("manifest/bad-path", targetSpan(text), `the files of the route: ${problem.message}`, cure);
    return undefined;
  }
  const [index, fallback, maxAge] = [keys.get("index"), keys.get("fallback"), keys.get("max-age")?.value];
  if (base.path.at(-1)?.kind !== "any") {
    for (const option of [index, fallback]) {
      if (option === undefined) continue;
      const message = `\`${option.key}\` is about the files of a folder, but the path takes one file`;
      mistakes.error("manifest/bad-route", option.keySpan, message, `Let the path end in \`/*\`, or remove \`${option.key}\`.`);
    }
  }
  return {
    kind: "static",
    ...base,
    from: normalizePath(from),
    index: readFileName(index, mistakes),
    fallback: readFileName(fallback, mistakes),
    maxAgeMs: maxAge === undefined ? undefined : readDuration(maxAge, "`max-age` of a route", "max-age: 1h", 0, mistakes),
  };
}

/** A file within the folder: `index.html`, `errors/404.html`. */
function readFileName(entry: Entry | undefined, mistakes: Mistakes): string | undefined {
  if (entry === undefined) return undefined;
  const example = `${entry.key}: index.html`;
  const text = readText(entry.value, `\`${entry.key}\` of a route`, example, mistakes);
  if (text === undefined) return undefined;
  const bare = text.value.replace(/^(?:\.?\/)+/, "");
  const problem = pathProblem(`./${text.value}`);
  if (problem === undefined && bare === text.value && !text.value.split("/").includes("..")) return text.value;
  const cure =
    problem === undefined && bare !== "" && !bare.split("/").includes("..")
      ? `Write \`${bare.slice(0, 100)}\`.`
      : `Write it as in \`${example}\`.`;
  mistakes.error(
    "manifest/bad-path",
    text.span,
    `\`${entry.key}\` must be a file within the folder, not ${quoted(text.value)}`,
    cure,
  );
  return undefined;
}

function readProxy(text: RouteText, base: Base, around: TriggerSurroundings): Route | undefined {
  const to = targetText(text);
  const span = targetSpan(text);
  checkTextReferences(text.tree, text.target.start, text.target.end, around.scope, around.mistakes);
  const hasReference = to.includes("${");
  if ((hasReference && /^(?:https?:\/\/|\$\{)/.test(to)) || (isWebUrl(to) && !/[?#]/.test(to)))
    return { kind: "proxy", ...base, to, toSpan: span };
  const cure = /[?#]/.test(to)
    ? "Write it without `?` and `#`: the query of the request goes along."
    : `Write ${isWebUrl(`http://${to}`) && !to.includes("://") ? `\`http://${to.slice(0, 100)}\`` : "it as in `http://localhost:3000`"}.`;
  around.mistakes.error(
    "manifest/bad-value",
    span,
    `${quoted(to)} is no address of a server that requests can be passed on to`,
    cure,
  );
  return undefined;
}

function readRedirect(text: RouteText, base: Base, keys: Keys, mistakes: Mistakes): RedirectRoute | undefined {
  const to = targetText(text);
  const span = targetSpan(text);
  const bare = to.endsWith("*") ? to.slice(0, -1) : to;
  if (!isPlace(bare) || bare.includes("*")) {
    const cure = "Write a path or a URL, as in `/new` or `https://example.com/new/*`.";
    mistakes.error("manifest/bad-value", span, `${quoted(to)} is no place that a browser can be sent to`, cure);
    return undefined;
  }
  if (bare !== to && base.path.at(-1)?.kind !== "any") {
    const message = "`*` stands for what the `*` of the path takes, and the path has none";
    mistakes.error("manifest/bad-route", span, message, "Let the path end in `/*`, or write the place out.");
    return undefined;
  }
  const status = keys.get("status")?.value;
  const code = status === undefined ? 308 : REDIRECTS.find((known) => status.kind === "number" && status.value === known);
  if (code === undefined) {
    if (status !== undefined && status.kind !== "broken")
      mistakes.error("manifest/bad-value", status.span, "that is no status of a redirect", "Write 301, 302, 303, 307 or 308.");
    return undefined;
  }
  return { kind: "redirect", ...base, to, status: code };
}
