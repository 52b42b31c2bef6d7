// What is known of a request and of its answer before anybody looks at a body, as JS values of WIT types.

import { fieldOf } from "./exchange.ts";
import { cookiesOf, fieldText, utf8 } from "./fields.ts";
import type { HeaderPair, PlainRequest, RequestContext } from "./http.ts";
import { splitTarget } from "./target.ts";

/** Texts; lists of names and values (`list<tuple<string, string>>`, names of headers in lower case). */
export const REQUEST_FACTS = {
  method: ({ method }) => method,
  scheme: ({ scheme }) => scheme,
  host: ({ authority }) => authority,
  path: ({ path }) => splitTarget(path).path,
  query: ({ path }) => splitTarget(path).query ?? "",
  headers: ({ headers }) => headerTexts(headers),
  cookies: (request) => [...cookiesOf(fieldOf(request, "cookie"))].map(([name, value]) => [name, utf8(value)]),
  client: (_request, { clientAddress }) => clientAddress,
  route: (_request, { route }) => route,
} as const satisfies Readonly<Record<string, (request: PlainRequest, context: RequestContext) => unknown>>;

export function headerTexts(headers: readonly HeaderPair[]): [string, string][] {
  return headers.map(([name, value]) => [name.toLowerCase(), utf8(fieldText(value))]);
}
