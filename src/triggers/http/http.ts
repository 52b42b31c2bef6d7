// The HTTP trigger's contract: plain data and functions that say what is served. It knows no manifest and no app: `star/` makes these
// values. `server.ts` serves them over HTTP/1.1 and HTTP/2. Whatever a function here throws, a client sees no more of it than an id.

import type { Signature } from "../../flow/flow.ts";
import type { Json } from "../../wit/json.ts";
import type { JsonSchema } from "../../wit/json-schema.ts";
import type { ValType } from "../../wit/types.ts";

export interface HttpServerOptions {
  readonly listeners: readonly ListenerOptions[];
  readonly admin?: AdminOptions | undefined;
  /** Of the server itself and of requests that failed inside it. Default: nothing is kept. */
  readonly log?: ((entry: HttpLogEntry) => void) | undefined;
  readonly telemetry?: HttpTelemetry | undefined;
}

export interface ListenerOptions {
  /** Default `127.0.0.1`. */
  readonly address?: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /** HTTP/2 and HTTP/1.1 by ALPN; the first certificate answers where no other is for the name. */
  readonly tls?: readonly Certificate[] | undefined;
  /** Several processes listen on the same port, and the system shares connections out. */
  readonly reusePort?: boolean | undefined;
  /** `admin`: health, readiness and metrics only, which the others then do not serve. Default `apps`. */
  readonly serves?: "apps" | "admin" | undefined;
  readonly hosts?: readonly VirtualHost[] | undefined;
  readonly limits?: LimitOptions | undefined;
}

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Names as in SNI, `*.example.com` included; default: every name. */
  readonly hostnames?: readonly string[] | undefined;
}

/** Paths of what operators ask for; `null`: not served. */
export interface AdminOptions {
  /** Default `/healthz`: 200 as long as the process answers. */
  readonly healthPath?: string | null | undefined;
  /** Default `/readyz`: 503 while the server drains, or `isReady` says no. */
  readonly readyPath?: string | null | undefined;
  /** Default `/metrics`, in Prometheus' text format. */
  readonly metricsPath?: string | null | undefined;
  readonly isReady?: (() => boolean) | undefined;
  /** Further lines for `/metrics`, each ended by a line feed. */
  readonly furtherMetrics?: (() => string) | undefined;
  /**
   * For a server that shares its address with other processes: is given what this one's metrics are, and gives what gathers those of
   * all, as one page.
   */
  readonly shareMetrics?: ((own: () => string) => () => Promise<string>) | undefined;
}

/** An app, or several, behind one or more names. */
export interface VirtualHost {
  /** Lower case, without a port: `example.com`, `*.example.com` (one or more labels), `*` for every name that no other has. */
  readonly hostnames: readonly string[];
  readonly routes: readonly Route[];
  readonly openApi?: OpenApiOptions | undefined;
  /** For routes that have none of their own. */
  readonly cors?: CorsOptions | undefined;
}

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  readonly description?: string | undefined;
  /** Default `/openapi.json`. */
  readonly path?: string | undefined;
  /** Default `/docs`; null: no page to try operations. */
  readonly docsPath?: string | null | undefined;
  /** Around both, outermost first. */
  readonly middleware?: readonly Middleware[] | undefined;
}

export type Route = OperationRoute | GuestRoute | StaticRoute | ProxyRoute | RedirectRoute | WebSocketRoute;

interface RouteBase {
  /**
   * `/users/{id}/files/{path...}`: literal segments (percent-encoding is decoded before they are compared), `{name}` for one segment that is not
   * empty, `{name...}` at the end for any number. The most specific route wins: literal before parameter before rest, segment by segment.
   */
  readonly path: string;
  /** For metrics, logs and traces. Default: the path. */
  readonly label?: string | undefined;
  /** Upper case; GET serves HEAD too. Default: GET for operations, static files and websockets, else every method. */
  readonly methods?: readonly string[] | undefined;
  /** Outermost first. */
  readonly middleware?: readonly Middleware[] | undefined;
  readonly cors?: CorsOptions | undefined;
  readonly limits?: Partial<RouteLimits> | undefined;
}

/** Calls a typed operation: request parts by name to ports, its result by its type to a response. */
export interface OperationRoute extends RouteBase {
  readonly kind: "operation";
  /** For documents and logs: `orders::find`. */
  readonly operation: string;
  readonly signature: Signature;
  /** Default: `defaultBindings` of `bindings.ts`. */
  readonly bindings?: readonly Binding[] | undefined;
  /**
   * `args` follow the signature's params; undefined takes a port's default. The answer, or a promise of it, is a value of the signature's
   * result; where that is a stream, an async iterable of chunks: arrays or typed arrays of elements. The operation's own error is thrown
   * as an object with a `payload`; StarlaneErrors become the status that fits their code, everything else 500.
   */
  readonly call: (args: readonly unknown[], context: RequestContext) => unknown;
  /** The operation's own error in what `call` failed with, where that is more than an object with a `payload` of the signature's type. */
  readonly ownError?: ((thrown: unknown) => OwnError | undefined) | undefined;
  readonly body?: BodyOptions | undefined;
  readonly answer?: AnswerOptions | undefined;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Further JSON Schema keywords of ports, from their rules: `{ limit: { maximum: 100 } }`. */
  readonly portSchemas?: ReadonlyMap<string, JsonSchema> | undefined;
}

/** What an operation answered with in place of a result; undefined where it has no value. */
export interface OwnError {
  readonly json: Json | undefined;
}

/** Of the body of a request. */
export interface BodyOptions {
  /** Of a body that is the value of one port. `auto`: bytes for `list<u8>` and `stream<u8>`, text where that is sent for a `string`, else JSON. */
  readonly as?: "auto" | "json" | "text" | "bytes" | undefined;
  /** `image/png`, `text/*`: others are answered with 415. Default: those that fit the type. */
  readonly contentTypes?: readonly string[] | undefined;
}

/** How a result becomes a response. */
export interface AnswerOptions {
  /** Of a success. Default 200, 204 without a result. */
  readonly status?: number | undefined;
  /** The field of a record result that is the body. Default: the whole result, without the fields that are headers. */
  readonly port?: string | undefined;
  /** Of a body that is a `string`, `list<u8>` or `stream<u8>`, in place of JSON text or bytes: `text/html; charset=utf-8`. */
  readonly contentType?: string | undefined;
  /** Fields of a record result that become headers: texts as they are, other values as JSON, one line for each element of a list. */
  readonly headers?: readonly { readonly name: string; readonly port: string }[] | undefined;
  /** Of the operation's own error, by its case (variant, enum), `*` for any other. Default 500, which tells no more than an id. */
  readonly errorStatus?: ReadonlyMap<string, number> | undefined;
}

/** Where the value of a port comes from. */
export interface Binding {
  readonly port: string;
  /** `body`: the whole of it. `field`: of a JSON object or form in the body. `made`: by `make`. */
  readonly from: "path" | "query" | "header" | "cookie" | "body" | "field" | "made";
  /** A JS value of the port's type, made of what is known of the request, or of its answer where that is there. */
  readonly make?: ((request: PlainRequest, context: RequestContext, answer: PlainResponse | undefined) => unknown) | undefined;
  /** There. Default: the port's own. */
  readonly name?: string | undefined;
  /** What texts are read as. Default: the port's own. */
  readonly type?: ValType | undefined;
  /** A JS value of the port's type that stands where none was sent. */
  readonly default?: unknown;
}

/** A `wasi:http` component, or whatever else takes a request and gives a response. */
export interface GuestRoute extends RouteBase {
  readonly kind: "guest";
  readonly handle: Handle;
}

export type Handle = (request: PlainRequest, context: RequestContext) => PlainResponse | Promise<PlainResponse>;

/** Files of a folder. Names that start with a dot are not served, links do not lead out. */
export interface StaticRoute extends RouteBase {
  readonly kind: "static";
  /** Absolute. What stands for `{…...}` in the path is looked up below it; without one the path is that of one file. */
  readonly folder: string;
  /** Of a folder. Default `index.html`. */
  readonly index?: string | undefined;
  /** Answers where there is no file, relative to the folder; status 200 suits an app with routes of its own in the browser. */
  readonly fallback?: { readonly file: string; readonly status: 200 | 404 } | undefined;
  /** Default `no-cache`: kept, but asked for again by ETag. */
  readonly cacheControl?: string | undefined;
}

/** Hands requests on to another server. */
export interface ProxyRoute extends RouteBase {
  readonly kind: "proxy";
  /** `http://host:port/base`: what stands for `{…...}` in the path is added to it, without one the whole path is. */
  readonly target: string;
  /** Sends the client's `Host` on in place of the target's. Default false. */
  readonly keepHost?: boolean | undefined;
  /** Believes `X-Forwarded-*` of the client, and adds to it, where another proxy stands in front. Default false: they are replaced. */
  readonly trustForwarded?: boolean | undefined;
}

export interface RedirectRoute extends RouteBase {
  readonly kind: "redirect";
  /** A URL or path; `{name}` stands for a parameter of the path. The query is kept where this has none. */
  readonly location: string;
  /** Default 308. */
  readonly status?: 301 | 302 | 303 | 307 | 308 | undefined;
}

/** A websocket: messages in and out are the streams of an operation. Text is JSON of the element type; bytes of `stream<u8>` are binary. */
export interface WebSocketRoute extends RouteBase {
  readonly kind: "websocket";
  readonly operation: string;
  /** `result` is the stream that is sent; without one, or when it is not a stream, the socket closes when the call has answered. */
  readonly signature: Signature;
  /** The field of a record result that is sent. Default: the result itself. */
  readonly sends?: string | undefined;
  /** The port, of a stream type, that takes what the client sends; without one, messages are refused. */
  readonly messages?: string | undefined;
  /** For the other ports: path, query, header and cookie. */
  readonly bindings?: readonly Binding[] | undefined;
  readonly call: (args: readonly unknown[], context: RequestContext) => unknown;
  /** Origins that pages may connect from, `*` for any. Default: the host's own. */
  readonly origins?: readonly string[] | undefined;
  readonly protocols?: readonly string[] | undefined;
}

/**
 * Wraps what is inside: it may answer itself, hand on another request, or change the response. Not run for CORS preflights, nor for
 * requests that no route takes. What is inside never throws: failures are responses. `before` and `after` of `middleware.ts` make one from a
 * function of one half, those of `operation-middleware.ts` from an operation.
 */
export type Middleware = (
  request: PlainRequest,
  next: (request: PlainRequest) => PlainResponse | Promise<PlainResponse>,
  context: RequestContext,
) => PlainResponse | Promise<PlainResponse>;

/** A value as text holds one byte in each character (latin-1), as on the wire. */
export type HeaderPair = readonly [name: string, value: string | Uint8Array];

export interface PlainRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** Host and perhaps port. */
  readonly authority: string;
  /** With the query, as sent. */
  readonly path: string;
  readonly headers: readonly HeaderPair[];
  readonly hasBody: boolean;
  /** Can be iterated once; a chunk is taken from the client when it is asked for. Throws where the body is too large, or the client leaves. */
  readonly body: AsyncIterable<Uint8Array>;
  /** To be asked for when the body has ended. */
  readonly trailers: () => readonly HeaderPair[];
}

export interface PlainResponse {
  readonly status: number;
  /** Fields that belong to the connection are left out by the server, which also knows the length of bodies that are no stream. */
  readonly headers: readonly HeaderPair[];
  /** Of a stream, the next chunk is asked for when the client has room; it is returned when the client leaves. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Asked for when a streamed body has ended. */
  readonly trailers?: (() => readonly HeaderPair[] | undefined | Promise<readonly HeaderPair[] | undefined>) | undefined;
}

/** One request, for whoever answers it. Its properties are made when they are first read: hand it on as it is. */
export interface RequestContext {
  /** What a client is told where something failed inside. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly deadlineMs: number;
  /** Aborts when the client leaves, the deadline passes before there is a response, or the server stops. Made when it is asked for. */
  readonly signal: AbortSignal;
  /** It has aborted, or would have. */
  readonly hasEnded: boolean;
  /** W3C trace context to hand on: what telemetry made of it, else what the client sent; undefined: there is no trace. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  /** What telemetry made of the request. */
  readonly span?: HttpSpan | undefined;
  /** The transaction that answers it, for logs; whoever begins one says so. */
  transaction?: string | undefined;
  /** The address the connection comes from. */
  readonly clientAddress: string;
  readonly method: string;
  /** The route's path pattern. */
  readonly route: string;
  /** What stands for the parameters of the path, decoded, by name. */
  readonly params: ReadonlyMap<string, string>;
  /** What middleware found out, for those that come later: JS values by name. */
  readonly values: Map<string, unknown>;
  /** Something failed inside, and a response already stands for it: it is logged and traced. */
  readonly failed: (error: unknown) => void;
}

export type LimitOptions = Partial<Omit<HttpLimits, "route">> & { readonly route?: Partial<RouteLimits> | undefined };

/** Of one listener. */
export interface HttpLimits {
  /** Of the request line and all fields together; fixed when the server starts. */
  readonly headBytes: number;
  readonly headerCount: number;
  readonly targetLength: number;
  /** Until the head of a request is there, from the moment it may begin on a new connection. */
  readonly headTimeoutMs: number;
  /** A connection without a request is kept for so long. */
  readonly keepAliveMs: number;
  /** Between two chunks of a request's body. */
  readonly bodyIdleMs: number;
  /** While the client takes nothing of a response. */
  readonly sendIdleMs: number;
  readonly connections: number;
  /** Requests that are answered at a time, streams and websockets included; more wait. */
  readonly concurrency: number;
  /** One more is answered with 503. */
  readonly queue: number;
  readonly queueMs: number;
  /** Of one websocket message. */
  readonly messageBytes: number;
  /** For routes that do not say otherwise. */
  readonly route: RouteLimits;
}

export interface RouteLimits {
  readonly bodyBytes: number;
  /** Until the head of the response is there. */
  readonly timeMs: number;
  readonly concurrency: number;
  /** Requests that wait for their turn; one more is answered with 429. */
  readonly queue: number;
  readonly queueMs: number;
  /** Of one client address; more is answered with 429. */
  readonly rate?: { readonly requests: number; readonly perMs: number } | undefined;
}

export const DEFAULT_LIMITS: HttpLimits = {
  headBytes: 16 * 1024,
  headerCount: 100,
  targetLength: 8 * 1024,
  headTimeoutMs: 10_000,
  keepAliveMs: 60_000,
  bodyIdleMs: 30_000,
  sendIdleMs: 60_000,
  connections: 50_000,
  concurrency: 10_000,
  queue: 1_000,
  queueMs: 5_000,
  messageBytes: 1024 * 1024,
  route: { bodyBytes: 8 * 1024 * 1024, timeMs: 30_000, concurrency: Infinity, queue: 100, queueMs: 5_000 },
};

export interface CorsOptions {
  /** `https://app.example.com`, or `*`. */
  readonly origins: readonly string[];
  /** Further request fields that pages may send. Default `content-type`, `authorization`. */
  readonly headers?: readonly string[] | undefined;
  readonly exposeHeaders?: readonly string[] | undefined;
  /** Cookies and the like may be sent; not together with the origin `*`. */
  readonly credentials?: boolean | undefined;
  readonly maxAgeSeconds?: number | undefined;
}

export interface HttpLogEntry {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly requestId?: string | undefined;
  readonly route?: string | undefined;
  /** The transaction that answered, where there was one. */
  readonly transaction?: string | undefined;
  /** W3C trace context, where there is one. */
  readonly traceparent?: string | undefined;
  readonly error?: unknown;
}

/** For tracing; nothing here is called where no telemetry is given. */
export interface HttpTelemetry {
  /** A request has its route. What is answered takes part in it, and replaces the trace context that is handed on. */
  readonly start: (request: PlainRequest, context: RequestContext) => HttpSpan | undefined;
}

export interface HttpSpan {
  readonly traceparent?: string | undefined;
  /** The response has been handed over to the connection whole, or given up. */
  readonly end: (outcome: HttpOutcome) => void;
}

export interface HttpOutcome {
  /** 499: the client left before it was answered. */
  readonly status: number;
  readonly durationMs: number;
  /** What failed inside. */
  readonly error?: unknown;
}
