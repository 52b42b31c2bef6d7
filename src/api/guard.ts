// Who may ask: pages of this listener, and programs of this machine. A page of another site is refused, whether it asks from where it is (`Origin`) or
// has made its own name lead here (`Host`). Source: Fetch standard (section 3.2), W3C Fetch Metadata.

import { pairField } from "../triggers/http/fields.ts";
import type { PlainRequest, PlainResponse } from "../triggers/http/http.ts";
import { apiError } from "./answers.ts";

const NAMES = ["127.0.0.1", "localhost", "[::1]"];

/** The answer to a request that is refused; undefined: it is welcome. `port`: where the listener is. */
export function refusal({ authority, headers }: PlainRequest, port: number): PlainResponse | undefined {
  const own = NAMES.map((name) => `${name}:${port}`);
  // Browsers leave out the port that HTTP has by default.
  if (port === 80) own.push(...NAMES);
  if (!own.includes(authority.toLowerCase())) return refused(`this is ${own[0]}, and answers to no other name`);
  const origin = pairField(headers, "origin");
  if (origin !== undefined && !own.some((name) => origin.toLowerCase() === `http://${name}`)) {
    return refused("a page of another site may not ask here");
  }
  const site = pairField(headers, "sec-fetch-site");
  const isOpened = pairField(headers, "sec-fetch-mode") === "navigate";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isOpened) {
    return refused("a page of another site may not ask here");
  }
  return undefined;
}

function refused(message: string): PlainResponse {
  return apiError(403, { code: "api/refused", message });
}
