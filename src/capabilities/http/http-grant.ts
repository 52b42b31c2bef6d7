// Grants of outgoing HTTP: which requests may be sent, and which addresses they may lead to.
//
//   https://api.example.com                    every path and method, at the scheme's own port
//   GET,HEAD https://api.example.com/v1/*      two methods, one path and what lies below it
//   http://localhost:8080/health               this path only (any query)
//   https://*.example.com                      every name below example.com
//   http://orders.internal:80 at 10.0.0.0/8    a name that leads to a private network, to these addresses only

import { StarlaneError } from "../../base/errors.ts";
import {
  type AddressRule,
  addressRuleOf,
  formatHost,
  type Host,
  type HostPattern,
  matchesHost,
  parseHost,
  parseHostPattern,
} from "../sockets/host-pattern.ts";
import { type AddressRange, formatAddressRange, parseAddressRange } from "../sockets/ip-address.ts";
import { isMethod } from "./syntax.ts";

export type HttpScheme = "http" | "https";

/** One line of a grant, parsed. */
export interface HttpGrant {
  /** Left out: every method that is sent at all. */
  readonly methods?: readonly string[] | undefined;
  readonly scheme: HttpScheme;
  readonly host: HostPattern;
  /** Left out: any port. */
  readonly port?: number | undefined;
  /** Left out: any path. `prefix` ends in a slash. */
  readonly path?:
    | { readonly kind: "exact"; readonly path: string }
    | { readonly kind: "below"; readonly prefix: string }
    | undefined;
  readonly addresses: AddressRule;
}

/** Where a request goes, with nothing left that could be read in two ways. */
export interface HttpTarget {
  readonly method: string;
  readonly scheme: HttpScheme;
  readonly host: Host;
  readonly port: number;
  /** Begins with a slash; no query. */
  readonly path: string;
}

/** Longer lines are a mistake. */
const LONGEST_GRANT = 2048;
const PATH = /^\/[A-Za-z0-9\-._~!$&'()+,;=:@%/]*$/;
/** Methods that make a tunnel of a connection, or give back what was added on the way. */
const NEVER_SENT = new Set(["CONNECT", "TRACE", "TRACK"]);

/** @throws StarlaneError `grant/syntax`, saying what is wrong in the line */
export function parseHttpGrant(text: string): HttpGrant {
  const wrong = (what: string): never => {
    throw new StarlaneError("grant/bad-value", `the http grant ${JSON.stringify(text.slice(0, 200))}: ${what}`, {
      cure: 'Write it like "https://api.example.com", "GET,POST https://api.example.com/v1/*" or "http://localhost:8080".',
    });
  };
  if (text.length > LONGEST_GRANT) wrong(`is longer than ${LONGEST_GRANT} characters`);
  const words = text.trim().split(/\s+/);
  const methods = words.length > 1 && words[0]?.includes("://") === false ? parseMethods(words.shift() ?? "", wrong) : undefined;
  const url = /^([^:]*):\/\/(\[[^\]]*\]|[^/:?#@[\]]*)(?::([^/?#@]*))?(\/.*)?$/.exec(words.shift() ?? "");
  if (url === null)
    return wrong("its URL has to be a scheme, a host, and perhaps a port and a path, without user, query or fragment");
  const [, scheme, hostText = "", portText, pathText] = url;
  if (scheme !== "http" && scheme !== "https") return wrong(`has the scheme ${JSON.stringify(scheme)}, not http or https`);
  const host = parseHostPattern(hostText) ?? wrong(`has no host that can be matched exactly, but ${JSON.stringify(hostText)}`);
  const ranges = parseRanges(words, wrong);
  if (ranges !== undefined && host.kind === "address") wrong('has "at" behind an address, which stands for itself');
  return {
    ...(methods === undefined ? {} : { methods }),
    scheme,
    host,
    ...(portText === "*" ? {} : { port: portText === undefined ? defaultPort(scheme) : parsePort(portText, wrong) }),
    ...(pathText === undefined ? {} : { path: parsePath(pathText, wrong) }),
    addresses: addressRuleOf(host, ranges),
  };
}

type Wrong = (what: string) => never;

function parseMethods(text: string, wrong: Wrong): readonly string[] {
  const methods = text.split(",");
  for (const method of methods) {
    if (!isMethod(method) || method !== method.toUpperCase())
      wrong(`has ${JSON.stringify(method)} where a method in capitals stands`);
    if (NEVER_SENT.has(method)) wrong(`names ${method}, which is never sent`);
  }
  return methods;
}

function parsePort(text: string, wrong: Wrong): number {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > 65_535)
    return wrong(`has the port ${JSON.stringify(text)}, not 1 to 65535 or *`);
  return Number(text);
}

function parsePath(text: string, wrong: Wrong): NonNullable<HttpGrant["path"]> {
  const below = text.endsWith("/*");
  const path = below ? text.slice(0, -1) : text;
  if (!PATH.test(path) || !isPlainPath(path))
    wrong(
      `has the path ${JSON.stringify(text)}: a "*" stands only as the whole last part, and dots, slashes and percent signs are not encoded`,
    );
  return below ? { kind: "below", prefix: path } : { kind: "exact", path };
}

/** `at 10.0.0.0/8,fd00::/8`. */
function parseRanges(words: readonly string[], wrong: Wrong): readonly AddressRange[] | undefined {
  if (words.length === 0) return undefined;
  const [at, list = "", ...more] = words;
  if (at !== "at" || more.length > 0) return wrong(`goes on with ${JSON.stringify(words.join(" ").slice(0, 100))}`);
  return list
    .split(",")
    .map((text) => parseAddressRange(text) ?? wrong(`has ${JSON.stringify(text)} where a range of addresses stands`));
}

/** The line that `parseHttpGrant` reads as the same grant. */
export function formatHttpGrant(grant: HttpGrant): string {
  const { methods, scheme, host, port, path, addresses } = grant;
  const portText = port === undefined ? ":*" : port === defaultPort(scheme) ? "" : `:${port}`;
  const pathText = path === undefined ? "" : path.kind === "exact" ? path.path : `${path.prefix}*`;
  const at = addresses.kind === "ranges" ? ` at ${addresses.ranges.map(formatAddressRange).join(",")}` : "";
  return `${methods === undefined ? "" : `${methods.join(",")} `}${scheme}://${formatHost(host)}${portText}${pathText}${at}`;
}

export function defaultPort(scheme: HttpScheme): number {
  return scheme === "http" ? 80 : 443;
}

/** `host`, `host:port`; undefined where there is a user, or the host or port could be read in two ways. */
export function parseAuthority(text: string, scheme: HttpScheme): { readonly host: Host; readonly port: number } | undefined {
  const match = /^(\[[^\]]*\]|[^:@[\]]*)(?::(\d{1,5}))?$/.exec(text);
  const host = match === null ? undefined : parseHost(match[1] ?? "");
  if (match === null || host === undefined) return undefined;
  const port = match[2] === undefined ? defaultPort(scheme) : Number(match[2]);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** What may be sent: the addresses of all grants that the target fits; none where it fits none. */
export function allowedAddresses(grants: readonly HttpGrant[], target: HttpTarget): readonly AddressRule[] {
  return grants.filter((grant) => fits(grant, target)).map((grant) => grant.addresses);
}

function fits(grant: HttpGrant, target: HttpTarget): boolean {
  return (
    grant.scheme === target.scheme &&
    (grant.port === undefined || grant.port === target.port) &&
    (grant.methods === undefined || grant.methods.includes(target.method)) &&
    matchesHost(grant.host, target.host) &&
    (grant.path === undefined || (isPlainPath(target.path) && fitsPath(grant.path, target.path)))
  );
}

function fitsPath(granted: NonNullable<HttpGrant["path"]>, path: string): boolean {
  return granted.kind === "exact" ? path === granted.path : path.startsWith(granted.prefix) || `${path}/` === granted.prefix;
}

export function isSent(method: string): boolean {
  return !NEVER_SENT.has(method.toUpperCase());
}

/**
 * Whether a path leads where it says: servers and proxies disagree about dots, encoded slashes, backslashes and what is encoded
 * twice, so a path with one of them fits no grant that names a path.
 */
export function isPlainPath(path: string): boolean {
  if (/%(?:2f|5c|25|00)|\\|\/\//i.test(path)) return false;
  return path.split("/").every((part) => {
    const start = part
      .replaceAll(/%2e/gi, ".")
      .replace(/[;?].*$/, "")
      .replace(/%3b.*$/i, "");
    return start !== "." && start !== "..";
  });
}
