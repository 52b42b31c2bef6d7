// A client whose requests take part in a trace: W3C trace context goes with each, unless the guest has set one itself. The guest sees
// nothing of it.

import type { CapabilityTransaction, OutgoingSpan } from "../capability.ts";
import { formatHost } from "../sockets/host-pattern.ts";
import type { HttpClient, SendOptions } from "./http-client.ts";
import { parseAuthority } from "./http-grant.ts";
import { HttpFailure, type HttpFields, type HttpRequest, type HttpResponse } from "./http-message.ts";

const encoder = new TextEncoder();

export class TracedClient implements HttpClient {
  readonly #client: HttpClient;
  /** Of the transaction that runs now; undefined: it has no trace. */
  outgoing: CapabilityTransaction["outgoing"];

  constructor(client: HttpClient) {
    this.#client = client;
  }

  send(request: HttpRequest, options: SendOptions): Promise<HttpResponse> {
    const span = this.outgoing === undefined ? undefined : begin(this.outgoing, request);
    if (span === undefined) return this.#client.send(request, options);
    return sent(this.#client.send({ ...request, headers: withContext(request.headers, span) }, options), span);
  }
}

function begin(outgoing: NonNullable<CapabilityTransaction["outgoing"]>, request: HttpRequest): OutgoingSpan | undefined {
  const { method, authority, path } = request;
  const scheme = request.scheme === "https" ? "https" : "http";
  const target = parseAuthority(authority, scheme);
  if (target === undefined) return undefined;
  const host = formatHost(target.host).replace(/^\[(.*)\]$/, "$1");
  return outgoing({ method, scheme, host, port: target.port, path: path.split("?", 1)[0] ?? path });
}

function withContext(headers: HttpFields, { traceparent, tracestate }: OutgoingSpan): HttpFields {
  // A state belongs to its parent: what the guest set stays whole.
  if (headers.some(([name]) => name.toLowerCase() === "traceparent")) return headers;
  const own = headers.filter(([name]) => name.toLowerCase() !== "tracestate");
  const state = tracestate === undefined ? [] : [["tracestate", encoder.encode(tracestate)] as const];
  return [...own, ["traceparent", encoder.encode(traceparent)], ...state];
}

async function sent(response: Promise<HttpResponse>, span: OutgoingSpan): Promise<HttpResponse> {
  try {
    const answer = await response;
    span.end({ status: answer.status });
    return answer;
  } catch (error) {
    span.end({ error: error instanceof HttpFailure ? error.code.tag : "internal-error" });
    throw error;
  }
}
