// Proxy routes: a request goes on to another server and its response comes back, both streamed. Fields of the connection stay here;
// the other server is told who asked. A server that cannot be reached is a 502, one that does not answer in time a 504.

import { Readable } from "node:stream";
import { Agent, errors, type Dispatcher } from "undici";
import { StarlaneError } from "../../base/errors.ts";
import { endToEnd, fieldText, pairField } from "./fields.ts";
import type { Handle, HeaderPair, PlainRequest, ProxyRoute, RequestContext } from "./http.ts";
import { HttpProblem } from "./problem.ts";
import { parsePattern } from "./router.ts";
import { splitTarget } from "./target.ts";

const CONNECT_MS = 10_000;
const MOST_CONNECTIONS = 256;

export interface ProxyHandle {
  readonly handle: Handle;
  /** Ends the connections to the other server. */
  readonly close: () => Promise<void>;
}

/** @throws StarlaneError `http/bad-route` */
export function proxyHandle(route: ProxyRoute, timeMs: number): ProxyHandle {
  const target = targetOf(route);
  const segments = parsePattern(route.path).segments;
  const skip = segments.at(-1)?.kind === "rest" ? segments.length - 1 : 0;
  const agent = new Agent({
    connections: MOST_CONNECTIONS,
    connect: { timeout: CONNECT_MS },
    headersTimeout: timeMs,
    bodyTimeout: 0,
  });
  const handle: Handle = async (request, context) => {
    const reply = await ask(agent, target, request, context, {
      path: target.pathname.replace(/\/$/, "") + without(request.path, skip),
      host: route.keepHost === true ? request.authority : target.host,
      trusts: route.trustForwarded === true,
    });
    return {
      status: reply.statusCode,
      headers: endToEnd(repliedFields(reply)),
      body: reply.body,
      trailers: () => Object.entries(reply.trailers),
    };
  };
  return { handle, close: () => agent.destroy() };
}

function targetOf(route: ProxyRoute): URL {
  const url = URL.canParse(route.target) ? new URL(route.target) : undefined;
  if (
    url === undefined ||
    (url.protocol !== "http:" && url.protocol !== "https:") ||
    url.username !== "" ||
    url.search !== "" ||
    url.hash !== ""
  ) {
    throw new StarlaneError("http/bad-route", `the target of the proxy ${route.path} is no address of a server`, {
      cure: "Write it like http://localhost:8080/base.",
    });
  }
  return url;
}

/** The path without its first segments, as it was sent: the other server decodes it itself. */
function without(target: string, segments: number): string {
  const { path, query } = splitTarget(target);
  let at = 0;
  for (let i = 0; i < segments && at >= 0; i++) at = path.indexOf("/", at + 1);
  const rest = at < 0 ? "" : path.slice(at);
  return `${rest.startsWith("/") ? rest : `/${rest}`}${query === undefined ? "" : `?${query}`}`;
}

interface Ask {
  readonly path: string;
  readonly host: string;
  readonly trusts: boolean;
}

async function ask(
  agent: Agent,
  target: URL,
  request: PlainRequest,
  context: RequestContext,
  to: Ask,
): Promise<Dispatcher.ResponseData> {
  try {
    return await agent.request({
      origin: target.origin,
      path: to.path,
      method: request.method as Dispatcher.HttpMethod,
      headers: forwarded(request, context, to),
      body: request.hasBody ? Readable.from(request.body) : null,
      signal: context.signal,
      responseHeaders: "raw",
    });
  } catch (error) {
    throw failure(error);
  }
}

function failure(error: unknown): unknown {
  if (error instanceof HttpProblem || error instanceof StarlaneError) return error;
  if (error instanceof errors.HeadersTimeoutError)
    return new HttpProblem(504, { detail: "the server behind did not answer in time" });
  return new HttpProblem(502, { detail: "the server behind could not be reached, or gave no answer" });
}

const OWN: ReadonlySet<string> = new Set([
  "host",
  "expect",
  "content-length",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "traceparent",
]);

function forwarded(request: PlainRequest, context: RequestContext, { host, trusts }: Ask): string[] {
  const list: string[] = [];
  for (const [name, value] of endToEnd(request.headers)) if (!OWN.has(name.toLowerCase())) list.push(name, fieldText(value));
  const length = pairField(request.headers, "content-length");
  if (length !== undefined && request.hasBody) list.push("content-length", length);
  const known = (name: string): string | undefined => (trusts ? pairField(request.headers, name) : undefined);
  const before = known("x-forwarded-for");
  list.push("host", host);
  if (context.traceparent !== undefined) list.push("traceparent", context.traceparent);
  list.push("x-forwarded-for", before === undefined ? context.clientAddress : `${before}, ${context.clientAddress}`);
  list.push("x-forwarded-host", known("x-forwarded-host") ?? request.authority);
  list.push("x-forwarded-proto", known("x-forwarded-proto") ?? request.scheme);
  return list;
}

/** With `responseHeaders: "raw"` they are a flat list, whatever the types say. */
function repliedFields(reply: Dispatcher.ResponseData): readonly HeaderPair[] {
  const raw: unknown = reply.headers;
  if (!Array.isArray(raw))
    return Object.entries(reply.headers).flatMap(([name, value]) => [value ?? []].flat().map((text): HeaderPair => [name, text]));
  const pairs: HeaderPair[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([textOf(raw[i]), textOf(raw[i + 1])]);
  return pairs;
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? fieldText(value) : String(value);
}
