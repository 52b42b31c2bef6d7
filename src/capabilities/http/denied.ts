// What is told of requests that no grant allows.

import type { Denial } from "../capability.ts";
import { formatHttpGrant } from "./http-grant.ts";
import { HttpFailure } from "./http-message.ts";
import { type RequestLine, type ResolvedTarget, resolveTarget } from "./target.ts";

/** Of a component that is granted no request at all. */
export function deniedLine(line: RequestLine): Denial {
  try {
    return deniedRequest(resolveTarget(line));
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    return { target: "a request", grant: 'http: ["https://HOST"]' };
  }
}

export function deniedRequest(target: ResolvedTarget): Denial {
  return { target: requestText(target), grant: `http: [${JSON.stringify(originOf(target))}]` };
}

/** A name that leads to addresses which its grant does not name. */
export function deniedAddress(target: ResolvedTarget): Denial {
  const line = `${originOf(target)} at RANGE`;
  return { target: `${requestText(target)}, which is in a private network`, grant: `http: [${JSON.stringify(line)}]` };
}

function requestText({ method, scheme, authority, path }: ResolvedTarget): string {
  return `${method} ${scheme}://${authority}${path}`;
}

function originOf({ scheme, host, port }: ResolvedTarget): string {
  return formatHttpGrant({ scheme, host, port, addresses: { kind: "public" } });
}
