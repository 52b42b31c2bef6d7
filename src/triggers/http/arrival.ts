// The head of a request, checked before anything is done for it: sizes, the host it is for, and the path it asks for.

import type { Duplex } from "node:stream";
import type { NodeRequest } from "./body.ts";
import { countField, rawField } from "./fields.ts";
import type { HttpLimits } from "./http.ts";
import { HttpProblem } from "./problem.ts";
import { hostnameOf, splitTarget, type Target } from "./target.ts";

/** How a request came in. */
export interface Arrival {
  readonly isSecure: boolean;
  /** Over a listener for operators. */
  readonly isAdmin: boolean;
  /** The client waits for leave to send its body. */
  readonly onFirstRead?: (() => void) | undefined;
  readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer } | undefined;
}

export interface ArrivedHead {
  readonly target: Target;
  /** As it was sent. */
  readonly authority: string;
}

/** @throws HttpProblem 400, 414, 431 */
export function readHead(node: NodeRequest, limits: HttpLimits): ArrivedHead {
  const url = node.url ?? "";
  if (url.length > limits.targetLength)
    throw new HttpProblem(414, { detail: `the request target is longer than ${limits.targetLength} characters` });
  const { rawHeaders } = node;
  if (rawHeaders.length > limits.headerCount * 2)
    throw new HttpProblem(431, { detail: `there are more than ${limits.headerCount} fields` });
  // The parser of HTTP/1.1 counts the bytes of a head itself; that of HTTP/2 only asks clients to.
  if ("stream" in node && sizeOf(rawHeaders) > limits.headBytes)
    throw new HttpProblem(431, { detail: `the head is larger than ${limits.headBytes} bytes` });
  const target = splitTarget(url);
  const host = rawField(rawHeaders, "host");
  // Which of two hosts is meant, servers in between may see differently.
  if (host?.includes(",") === true && countField(rawHeaders, "host") > 1)
    throw new HttpProblem(400, { detail: "there is more than one host" });
  const authority = target.authority ?? ("authority" in node ? node.authority || host : host) ?? "";
  return { target, authority };
}

function sizeOf(rawHeaders: readonly string[]): number {
  let size = 0;
  for (const text of rawHeaders) size += text.length;
  return size;
}

const MOST_REMEMBERED = 1000;

/** Names of authorities; those seen before need not be looked at again. */
export class Hostnames {
  readonly #known = new Map<string, string>();

  /** In lower case, without a port. @throws HttpProblem 400 */
  of(authority: string): string {
    const known = this.#known.get(authority);
    if (known !== undefined) return known;
    const hostname = authority === "" ? "" : hostnameOf(authority);
    if (hostname === undefined) throw new HttpProblem(400, { detail: "the host is malformed" });
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear();
    this.#known.set(authority, hostname);
    return hostname;
  }
}
