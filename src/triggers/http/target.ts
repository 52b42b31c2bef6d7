// The target of a request in parts: path segments, decoded, and the query. Dot segments and NUL are refused everywhere: nothing behind
// a route has to think of them. Source: RFC 9112 (section 3.2), RFC 3986, and the form encoding of the URL standard.

import { HttpProblem } from "./problem.ts";

/** A path and a query without their marks; `query` is undefined where there is no question mark. */
export interface Target {
  readonly path: string;
  readonly query: string | undefined;
  /** Of a target in absolute form, which then counts in place of the `Host` field. */
  readonly authority?: string | undefined;
}

export function splitTarget(target: string): Target {
  if (!target.startsWith("/")) return absoluteTarget(target);
  const mark = target.indexOf("?");
  return mark < 0 ? { path: target, query: undefined } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)$/i;

function absoluteTarget(target: string): Target {
  if (target === "*") return { path: "*", query: undefined };
  const [, authority, rest] = ABSOLUTE.exec(target) ?? [];
  if (authority === undefined || authority === "" || rest === undefined)
    throw new HttpProblem(400, { detail: "the request target is malformed" });
  return { ...splitTarget(rest.startsWith("/") ? rest : `/${rest}`), authority };
}

const MOST_SEGMENTS = 256;
/** Also within one segment, between slashes that were percent-encoded. */
const DOTS = /(?:^|[\\/])\.\.?(?:$|[\\/])/;

/** The segments of a path that starts with a slash: `/a/b` two, `/` one that is empty. @throws HttpProblem 400 */
export function segmentsOf(path: string): string[] {
  const segments = path.slice(1).split("/");
  if (segments.length > MOST_SEGMENTS) throw new HttpProblem(414, { detail: "the path has too many segments" });
  for (let i = 0; i < segments.length; i++) {
    const raw = segments[i] ?? "";
    const segment = raw.includes("%") ? decoded(raw) : raw;
    if ((segment.includes(".") && DOTS.test(segment)) || segment.includes("\0")) {
      throw new HttpProblem(400, { detail: "the path has a segment that no path may have here" });
    }
    segments[i] = segment;
  }
  return segments;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HttpProblem(400, { detail: "the path is not percent-encoded UTF-8" });
  }
}

const MOST_PAIRS = 1000;

/** Names and values of a query or form, in their order by name. */
export interface Form {
  get(name: string): readonly string[] | undefined;
}

const NO_FORM: Form = { get: () => undefined };

/** A name without `=` has an empty value. @throws HttpProblem 400 */
export function formOf(text: string | undefined): Form {
  if (text === undefined || text === "") return NO_FORM;
  if (!text.includes("&")) return new OnePair(text);
  const form = new Map<string, string[]>();
  let count = 0;
  for (let start = 0; start < text.length;) {
    const mark = text.indexOf("&", start);
    const end = mark < 0 ? text.length : mark;
    if (end > start) {
      if (++count > MOST_PAIRS) throw new HttpProblem(400, { detail: `there are more than ${MOST_PAIRS} parameters` });
      addPair(form, text.slice(start, end));
    }
    start = end + 1;
  }
  return form;
}

/** Most forms have no more. */
class OnePair implements Form {
  readonly #name: string;
  readonly #values: readonly string[];

  constructor(text: string) {
    const equals = text.indexOf("=");
    this.#name = formText(equals < 0 ? text : text.slice(0, equals));
    this.#values = [equals < 0 ? "" : formText(text.slice(equals + 1))];
  }

  get(name: string): readonly string[] | undefined {
    return name === this.#name ? this.#values : undefined;
  }
}

function addPair(form: Map<string, string[]>, part: string): void {
  const equals = part.indexOf("=");
  const name = formText(equals < 0 ? part : part.slice(0, equals));
  const value = equals < 0 ? "" : formText(part.slice(equals + 1));
  const values = form.get(name);
  if (values === undefined) form.set(name, [value]);
  else values.push(value);
}

function formText(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw new HttpProblem(400, { detail: "a parameter is not percent-encoded UTF-8" });
  }
}

// oxlint-disable-next-line no-control-regex -- exactly these must not be there
const AUTHORITY = /^(\[[0-9a-f:.]{2,45}\]|[^\u0000-\u0020/?#@[\]\\:]{1,255})(?::(\d{0,5}))?$/i;

/** The name of an authority, in lower case and without its port; undefined where it is malformed. */
export function hostnameOf(authority: string): string | undefined {
  const name = AUTHORITY.exec(authority)?.[1]?.toLowerCase();
  return name !== undefined && name.length > 1 && name.endsWith(".") ? name.slice(0, -1) : name;
}
