// A span for each HTTP request that found its route, by the semantic conventions of HTTP servers. The query is left out: secrets stand there.

import type { HttpOutcome, HttpSpan, HttpTelemetry, PlainRequest, RequestContext } from "../../triggers/http/http.ts";
import type { OtlpSpan, OtlpTracer } from "./otlp-spans.ts";
import { spanFailure } from "./telemetry.ts";

const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "QUERY",
  "CONNECT",
  "TRACE",
]);
const LONGEST_AGENT = 256;

export function httpTelemetry(tracer: OtlpTracer): HttpTelemetry {
  return {
    start(request, context) {
      const method = METHODS.has(request.method) ? request.method : "HTTP";
      const span = tracer.begin(`${method} ${context.route}`, "server", context);
      if (span.isRecording) describe(span, request, context);
      return new ServerSpan(span);
    },
  };
}

function describe(span: OtlpSpan, { method, path, scheme, authority, headers }: PlainRequest, context: RequestContext): void {
  const { host, port } = splitAuthority(authority);
  const agent = headers.find(([name]) => name.toLowerCase() === "user-agent")?.[1];
  span.set({
    "http.request.method": METHODS.has(method) ? method : "_OTHER",
    "http.request.method_original": METHODS.has(method) ? undefined : method,
    "http.route": context.route,
    "url.path": path.split("?", 1)[0],
    "url.scheme": scheme,
    "server.address": host,
    "server.port": port ?? (scheme === "https" ? 443 : 80),
    "client.address": context.clientAddress,
    "user_agent.original": typeof agent === "string" ? agent.slice(0, LONGEST_AGENT) : undefined,
    "starlane.request.id": context.id,
  });
}

function splitAuthority(authority: string): { readonly host: string; readonly port: number | undefined } {
  const [, host = authority, port] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: port === undefined ? undefined : Number(port) };
}

class ServerSpan implements HttpSpan {
  readonly span: OtlpSpan;

  constructor(span: OtlpSpan) {
    this.span = span;
  }

  get traceparent(): string {
    return this.span.traceparent;
  }

  end({ status, error }: HttpOutcome): void {
    if (!this.span.isRecording) return;
    // 499 was never sent: the client had left.
    if (status !== 499) this.span.set({ "http.response.status_code": status });
    if (status === 499) this.span.end({ type: "http/client-left" });
    else if (error !== undefined) this.span.end(spanFailure(error));
    else this.span.end(status >= 500 ? { type: String(status) } : undefined);
  }
}
