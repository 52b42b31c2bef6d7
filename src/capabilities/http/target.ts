// The method and the URL of a request: as `wasi:http` spells them, as text, and as what a grant is held against.

import type { Host } from "../sockets/host-pattern.ts";
import { formatHost } from "../sockets/host-pattern.ts";
import { defaultPort, type HttpScheme, type HttpTarget, isSent, parseAuthority } from "./http-grant.ts";
import { HttpFailure } from "./http-message.ts";
import { isMethod, isScheme } from "./syntax.ts";

const METHODS = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"] as const;

export type Method = { readonly tag: (typeof METHODS)[number] } | { readonly tag: "other"; readonly val: string };
export type Scheme = { readonly tag: "HTTP" | "HTTPS" } | { readonly tag: "other"; readonly val: string };

const KNOWN_METHODS: ReadonlyMap<string, Method> = new Map(METHODS.map((tag) => [tag.toUpperCase(), Object.freeze({ tag })]));

/** The case of its own where a method has one. */
export function methodOf(text: string): Method {
  return KNOWN_METHODS.get(text) ?? { tag: "other", val: text };
}

export function methodText(method: Method): string {
  return method.tag === "other" ? method.val : method.tag.toUpperCase();
}

/** Undefined where the text is no method. */
export function validMethod(method: Method): Method | undefined {
  if (method.tag !== "other") return method;
  return isMethod(method.val) ? methodOf(method.val) : undefined;
}

export function schemeOf(text: string): Scheme {
  const scheme = text.length > 5 ? text : text.toLowerCase();
  if (scheme === "http") return { tag: "HTTP" };
  return scheme === "https" ? { tag: "HTTPS" } : { tag: "other", val: text };
}

export function validScheme(scheme: Scheme): Scheme | undefined {
  if (scheme.tag !== "other") return scheme;
  return isScheme(scheme.val) ? schemeOf(scheme.val) : undefined;
}

/** A request's own parts, none of which need to be there. */
export interface RequestLine {
  readonly method: Method;
  readonly scheme: Scheme | undefined;
  readonly authority: string | undefined;
  readonly pathWithQuery: string | undefined;
}

export interface ResolvedTarget extends HttpTarget {
  /** The spelling that is sent: lower case, no default port. */
  readonly authority: string;
  readonly pathWithQuery: string;
}

/** Where a request goes; HTTPS where it does not say. @throws HttpFailure where that could be read in two ways, or is never sent */
export function resolveTarget(line: RequestLine): ResolvedTarget {
  const method = methodText(line.method);
  if (!isSent(method)) throw new HttpFailure({ tag: "HTTP-request-method-invalid" });
  const scheme = sentScheme(line.scheme);
  const place = line.authority === undefined ? undefined : parseAuthority(line.authority, scheme);
  if (place === undefined) throw new HttpFailure({ tag: "HTTP-request-URI-invalid" });
  const pathWithQuery = sentPath(line.pathWithQuery ?? "/");
  return {
    method,
    scheme,
    ...place,
    path: pathWithQuery.replace(/\?.*$/s, ""),
    authority: authorityText(place.host, place.port, scheme),
    pathWithQuery,
  };
}

function sentScheme(scheme: Scheme | undefined): HttpScheme {
  if (scheme?.tag === "other") throw new HttpFailure({ tag: "HTTP-request-URI-invalid" });
  return scheme?.tag === "HTTP" ? "http" : "https";
}

function sentPath(text: string): string {
  const path = text === "" || text.startsWith("?") ? `/${text}` : text;
  if (!path.startsWith("/")) throw new HttpFailure({ tag: "HTTP-request-URI-invalid" });
  return path.toWellFormed().replaceAll(/[^\u0021-\u007e]+/g, encodeURIComponent);
}

function authorityText(host: Host, port: number, scheme: HttpScheme): string {
  return port === defaultPort(scheme) ? formatHost(host) : `${formatHost(host)}:${port}`;
}
