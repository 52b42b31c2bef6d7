// One request and what is known of it: what handlers see (`PlainRequest`, `RequestContext`), made from Node's objects when it is asked for.

import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { StarlaneError } from "../../base/errors.ts";
import { hasBody, RequestBody, type BodyLimits, type NodeRequest } from "./body.ts";
import { pairsOf, pairField, rawField } from "./fields.ts";
import type { HeaderPair, HttpSpan, PlainRequest, RequestContext } from "./http.ts";
import { validTraceparent, validTracestate } from "./trace-context.ts";

export type NodeResponse = ServerResponse | Http2ServerResponse;

const NO_PAIRS: readonly HeaderPair[] = [];
const ID_PREFIX = crypto.getRandomValues(new Uint8Array(6)).toHex();
let lastId = 0;

/** The request as it came in. */
export class IncomingRequest implements PlainRequest {
  readonly raw: readonly string[];
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly scheme: "http" | "https";
  readonly #node: NodeRequest;
  readonly #limits: BodyLimits;
  readonly #onFirstRead: (() => void) | undefined;
  #headers: readonly HeaderPair[] | undefined;
  #body: RequestBody | undefined;
  #hasBody: boolean | undefined;

  constructor(
    node: NodeRequest,
    path: string,
    authority: string,
    isSecure: boolean,
    limits: BodyLimits,
    onFirstRead: (() => void) | undefined,
  ) {
    this.#node = node;
    this.raw = node.rawHeaders;
    this.method = node.method ?? "GET";
    this.path = path;
    this.authority = authority;
    this.scheme = isSecure ? "https" : "http";
    this.#limits = limits;
    this.#onFirstRead = onFirstRead;
  }

  get headers(): readonly HeaderPair[] {
    return (this.#headers ??= pairsOf(this.raw));
  }

  get hasBody(): boolean {
    return (this.#hasBody ??= hasBody(this.#node));
  }

  get body(): RequestBody {
    return (this.#body ??= new RequestBody(this.#node, this.#limits, this.#onFirstRead));
  }

  /** Part of the body is still to come, or will never be read. */
  get hasUnreadBody(): boolean {
    return this.hasBody && this.#body?.isDone !== true;
  }

  trailers(): readonly HeaderPair[] {
    const { rawTrailers } = this.#node;
    return rawTrailers.length === 0 ? NO_PAIRS : pairsOf(rawTrailers);
  }
}

/** The value of a field of a request, by its name in lower case. */
export function fieldOf(request: PlainRequest, name: string): string | undefined {
  return request instanceof IncomingRequest ? rawField(request.raw, name) : pairField(request.headers, name);
}

/** What a route answers a request with, and everything that ends with it. */
export class Exchange implements RequestContext {
  readonly request: IncomingRequest;
  readonly response: NodeResponse;
  readonly route: string;
  readonly deadlineMs: number;
  /** Of the path's parameters, and what stands for them. */
  readonly pathNames: readonly string[];
  readonly pathValues: readonly string[];
  /** The client asks for a websocket, and the connection has left HTTP for it. */
  readonly isUpgrade: boolean;
  /** The client left, or was sent away. */
  hasEnded = false;
  /** Some of the body of its response was sent. */
  hasWritten = false;
  transaction: string | undefined = undefined;
  /** What telemetry made of the request. */
  span: HttpSpan | undefined = undefined;
  #id: string | undefined;
  #abort: AbortController | undefined;
  #reason: unknown;
  #params: ReadonlyMap<string, string> | undefined;
  #values: Map<string, unknown> | undefined;
  /** What failed inside although there is a response. */
  failure: { readonly error: unknown } | undefined;
  #onEnd: (() => void)[] | undefined;

  constructor(
    request: IncomingRequest,
    response: NodeResponse,
    route: string,
    deadlineMs: number,
    pathNames: readonly string[],
    pathValues: readonly string[],
    isUpgrade: boolean,
  ) {
    this.request = request;
    this.response = response;
    this.route = route;
    this.deadlineMs = deadlineMs;
    this.pathNames = pathNames;
    this.pathValues = pathValues;
    this.isUpgrade = isUpgrade;
  }

  get id(): string {
    return (this.#id ??= `${ID_PREFIX}-${(++lastId).toString(36)}`);
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.hasEnded) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  get traceparent(): string | undefined {
    return this.span?.traceparent ?? validTraceparent(rawField(this.request.raw, "traceparent"));
  }

  get tracestate(): string | undefined {
    const parent = validTraceparent(rawField(this.request.raw, "traceparent"));
    return validTracestate(rawField(this.request.raw, "tracestate"), parent);
  }

  get method(): string {
    return this.request.method;
  }

  get clientAddress(): string {
    return this.response.req.socket.remoteAddress ?? "";
  }

  get params(): ReadonlyMap<string, string> {
    return (this.#params ??= new Map(this.pathNames.map((name, i) => [name, this.pathValues[i] ?? ""])));
  }

  /** What stands for one parameter of the path. */
  param(name: string): string | undefined {
    return this.pathValues[this.pathNames.indexOf(name)];
  }

  get values(): Map<string, unknown> {
    return (this.#values ??= new Map());
  }

  failed(error: unknown): void {
    if (!this.hasEnded) this.failure ??= { error };
  }

  /** Calls `then` when the exchange is ended early; at once where it was. */
  onEnd(then: () => void): void {
    if (this.hasEnded) then();
    else (this.#onEnd ??= []).push(then);
  }

  /** The client left, the deadline passed, or the server stops: whoever works for this request hears of it. */
  end(reason: unknown): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#reason = reason;
    this.#abort?.abort(reason);
    for (const then of this.#onEnd ?? []) then();
  }
}

export function clientLeft(): StarlaneError {
  return new StarlaneError("http/client-left", "the client left before it was answered");
}

export function deadlinePassed(timeMs: number): StarlaneError {
  return new StarlaneError("http/deadline", `there was no answer within ${timeMs} ms`);
}
