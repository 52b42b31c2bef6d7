// Header fields: finding them, and which may pass from one message to another. Source: RFC 9110 (sections 5, 7.6.1).

import type { HeaderPair } from "./http.ts";

/** The value of a field in Node's flat list of names and values, those of several lines joined by commas; undefined: it is not there. */
export function rawField(raw: readonly string[], lowerCaseName: string): string | undefined {
  let found: string | undefined;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? "";
    if (name.length !== lowerCaseName.length) continue;
    if (name !== lowerCaseName && name.toLowerCase() !== lowerCaseName) continue;
    const value = raw[i + 1] ?? "";
    found = found === undefined ? value : `${found}${lowerCaseName === "cookie" ? "; " : ", "}${value}`;
  }
  return found;
}

/** The same in a list of pairs. */
export function pairField(pairs: readonly HeaderPair[], lowerCaseName: string): string | undefined {
  let found: string | undefined;
  for (const [name, value] of pairs) {
    if (name.length !== lowerCaseName.length || name.toLowerCase() !== lowerCaseName) continue;
    found = found === undefined ? fieldText(value) : `${found}${lowerCaseName === "cookie" ? "; " : ", "}${fieldText(value)}`;
  }
  return found;
}

/** How many lines a field has. */
export function countField(raw: readonly string[], lowerCaseName: string): number {
  let count = 0;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? "";
    if (name.length === lowerCaseName.length && name.toLowerCase() === lowerCaseName) count++;
  }
  return count;
}

export function fieldText(value: string | Uint8Array): string {
  return typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
}

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Fields that go on to the next hop: without those of the connection, and those that `connection` names. */
export function endToEnd(pairs: readonly HeaderPair[]): HeaderPair[] {
  const named = pairField(pairs, "connection");
  const listed = named === undefined ? undefined : new Set(named.split(",").map((name) => name.trim().toLowerCase()));
  return pairs.filter(([name]) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && listed?.has(lower) !== true && !lower.startsWith(":");
  });
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- exactly these must not be there
const ASCII = /^[\u0000-\u007f]*$/;
// oxlint-disable-next-line no-control-regex -- exactly these must not be there
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

export function isFieldName(name: string): boolean {
  return TOKEN.test(name);
}

/** Nothing in it could end the field; one byte a character. */
export function isFieldValue(value: string): boolean {
  return VALUE.test(value);
}

export function isAscii(text: string): boolean {
  return ASCII.test(text);
}

/** Fields of a message are bytes; those that are UTF-8 are meant as such. */
export function utf8(latin1: string): string {
  if (isAscii(latin1)) return latin1;
  const bytes = Buffer.from(latin1, "latin1");
  return bytes.toString("utf8").includes("\ufffd") ? latin1 : bytes.toString("utf8");
}

/** The pairs of Node's flat list, without the pseudo-fields of HTTP/2. */
export function pairsOf(raw: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? "";
    if (!name.startsWith(":")) pairs.push([name, raw[i + 1] ?? ""]);
  }
  return pairs;
}

/** `a=1; b=2` by name; of a name that is there twice the first counts. Source: RFC 6265 (section 4.2). */
export function cookiesOf(field: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const part of (field ?? "").split(";")) {
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim();
    const value = part.slice(equals + 1).trim();
    const bare = value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    if (!cookies.has(name)) cookies.set(name, bare);
  }
  return cookies;
}
