// Reads the path of a route: texts, typed parameters `{id:u32}`, and at the end the rest, `{path...}` or `*`.

import { isLabel, kebabCase } from "../../wit/labels.ts";
import { cutText, named, type Mistakes } from "../mistakes.ts";
import type { DeclaredTypes } from "../port-types.ts";
import type { TextTree } from "../tree.ts";
import type { PathSegment } from "../triggers.ts";
import { checkTextType, readTypeRange } from "./binding-types.ts";
import type { Range } from "./route-text.ts";

const MOST_SEGMENTS = 64;
/** RFC 3986, section 3.3, and letters of other scripts, which requests carry percent-encoded. */
const SEGMENT =
  /^(?:[A-Za-z0-9\-._~!$&'()+,;=:@\u00a0-\ud7ff\uf900-\ufdcf\ufdf0-\uffef]|%[0-9A-Fa-f]{2}|[\u{10000}-\u{3ffff}])+$/u;

/** Undefined where it has mistakes. */
export function readPath(
  tree: TextTree,
  range: Range,
  types: DeclaredTypes,
  mistakes: Mistakes,
): readonly PathSegment[] | undefined {
  const before = mistakes.errorCount;
  const parts = partsOf(tree.value, range);
  if (parts.length > MOST_SEGMENTS) {
    const message = `a path may have ${MOST_SEGMENTS} parts, and this one has ${parts.length}`;
    mistakes.error("manifest/bad-route", tree.place(range.start, range.end), message, "Shorten it.");
    return undefined;
  }
  if (parts.length === 1 && parts[0]?.start === parts[0]?.end) return [];
  const segments = parts.flatMap((part, index) => readSegment(tree, part, index === parts.length - 1, types, mistakes) ?? []);
  checkNames(segments, mistakes);
  return mistakes.errorCount === before ? segments : undefined;
}

/** What stands between slashes, outside braces. */
function partsOf(text: string, { start, end }: Range): readonly Range[] {
  const parts: Range[] = [];
  let [depth, from] = [0, start + 1];
  for (let at = start + 1; at < end; at++) {
    if (text[at] === "{") depth++;
    else if (text[at] === "}") depth--;
    else if (text[at] === "/" && depth <= 0) {
      parts.push({ start: from, end: at });
      from = at + 1;
    }
  }
  parts.push({ start: from, end });
  return parts;
}

function readSegment(
  tree: TextTree,
  range: Range,
  isLast: boolean,
  types: DeclaredTypes,
  mistakes: Mistakes,
): PathSegment | undefined {
  const text = tree.value.slice(range.start, range.end);
  const wrong = (message: string, cure: string): undefined => {
    const start = text === "" ? range.start - 1 : range.start;
    mistakes.error("manifest/bad-route", tree.place(start, range.end), message, cure);
  };
  if (text === "*")
    return isLast ? { kind: "any" } : wrong("`*` takes all the rest, so nothing can follow it", "Write `{NAME}` for one part.");
  if (text.startsWith("{") && text.endsWith("}")) return readParameter(tree, range, isLast, types, mistakes, wrong);
  const problem = textProblem(text, isLast);
  if (problem !== undefined) return wrong(problem.message, problem.cure);
  try {
    const decoded = decodeURIComponent(text);
    if (!/[/\\\p{Cc}]/u.test(decoded) && decoded !== "." && decoded !== "..") return { kind: "text", text: decoded };
  } catch {
    // Told as the other odd escapes are.
  }
  return wrong(`${named(text)} has a percent escape that no part of a path can have`, "Remove it.");
}

// oxlint-disable-next-line complexity -- one line for each way in which other routers write it
function textProblem(text: string, isLast: boolean): { readonly message: string; readonly cure: string } | undefined {
  const [, colon] = /^:([A-Za-z][A-Za-z0-9_-]*)\??$/.exec(text) ?? [];
  const [, angle] = /^<(?:[a-z]+:)?([A-Za-z][A-Za-z0-9_-]*)>$/.exec(text) ?? [];
  const [, bracket] = /^\[([A-Za-z][A-Za-z0-9_-]*)\]$/.exec(text) ?? [];
  const foreign = colon ?? angle ?? bracket;
  if (text === "" && isLast) return { message: "the path ends with a slash", cure: "Leave it out: `/a` takes `/a/` too." };
  if (text === "") return { message: "the path has an empty part (`//`)", cure: "Remove one of the slashes." };
  if (text === "." || text === "..") return { message: `the path has a part \`${text}\``, cure: "Write the path out." };
  if (foreign !== undefined)
    return {
      message: `${named(text)} is how other routers write a parameter`,
      cure: `Write \`{${kebabCase(foreign) ?? "name"}}\`.`,
    };
  if (text === "**" || /^\*[A-Za-z]/.test(text))
    return {
      message: `${named(text)} is how other routers write the rest of a path`,
      cure: "Write `{path...}` where a port takes it, else `*`.",
    };
  if (/[{}]/.test(text))
    return {
      message: `${named(text)} is more than a parameter: a part of a path is a text or a parameter`,
      cure: "Take the whole part as a parameter.",
    };
  if (text.includes("*"))
    return { message: `${named(text)} has a \`*\` in it`, cure: "Write `*` alone as the last part, or `{NAME}` for a part." };
  if (text.includes("#")) return { message: "a path has no `#`: browsers keep what follows it", cure: "Remove it." };
  if (!SEGMENT.test(text))
    return { message: `${named(text)} has characters that no path has`, cure: "Percent-encode them, as in `%20`." };
  return undefined;
}

function readParameter(
  tree: TextTree,
  range: Range,
  isLast: boolean,
  types: DeclaredTypes,
  mistakes: Mistakes,
  wrong: (message: string, cure: string) => undefined,
): PathSegment | undefined {
  const inner = tree.value.slice(range.start + 1, range.end - 1);
  const colon = inner.indexOf(":");
  const head = (colon < 0 ? inner : inner.slice(0, colon)).trim();
  const isRest = head.endsWith("...");
  const name = isRest ? head.slice(0, -3) : head;
  if (!isLabel(name)) {
    const bare = name.replace(/^[*.]+|[*?+.]+$/g, "");
    const kebab = kebabCase(bare);
    if (name === "")
      return wrong(
        "a parameter of the path has no name",
        "Write that of the input port it goes to, as in `{name}` or `{id:u32}`.",
      );
    if (name.endsWith("?"))
      return wrong("a part of a path is always there, so a parameter in it cannot be optional", "Write a route for each path.");
    if (/^\*|^\.\.\.|[*+]$/.test(name) && kebab !== undefined)
      return wrong(
        `${named(`{${inner}}`)} is how other routers write the rest of a path`,
        `Write \`{${cutText(kebab, 60)}...}\`.`,
      );
    const cure =
      kebab === undefined ? "Write it as in `{name}` or `{id:u32}`." : `Write \`{${cutText(kebab, 60)}${isRest ? "..." : ""}}\`.`;
    return wrong(`${named(name)} cannot be the name of a parameter: it is that of the input port it goes to`, cure);
  }
  if (isRest && !isLast)
    return wrong(`\`{${cutText(name, 60)}...}\` takes all the rest, so nothing can follow it`, "Make it the last part.");
  const place = isRest ? "rest" : "path";
  const typeRange = { start: range.start + 2 + colon, end: range.end - 1 };
  const type = colon < 0 ? undefined : readTypeRange(tree, typeRange, `the parameter \`${name}\``, types, mistakes);
  const span = tree.place(range.start, range.end);
  if (colon >= 0 && type === undefined) return undefined;
  if (type !== undefined && !checkTextType(type, place, `the parameter \`${name}\``, span, mistakes)) return undefined;
  return { kind: isRest ? "rest" : "parameter", binding: { name, port: name, type, span } };
}

function checkNames(segments: readonly PathSegment[], mistakes: Mistakes): void {
  const seen = new Set<string>();
  for (const segment of segments) {
    if (segment.kind !== "parameter" && segment.kind !== "rest") continue;
    const { name, span } = segment.binding;
    if (seen.has(name))
      mistakes.error(
        "manifest/duplicate-name",
        span,
        `the parameter ${named(name)} is twice in the path`,
        "Give one of them another name.",
      );
    seen.add(name);
  }
}
