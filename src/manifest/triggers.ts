// Triggers as plain, frozen data: what starts transactions of an app. Read by `triggers/`, matched and served elsewhere. References
// (`${config.…}`, `${env.…}`) stand only where a comment says so.

import type { Span } from "../base/diagnostics.ts";
import type { ValType } from "../wit/types.ts";
import type { Json, Setting } from "./manifest.ts";

export type Trigger = HttpTrigger | CliTrigger | ScheduleTrigger;

/** What a trigger runs: an operation of this app (`component` undefined) or of one of its components. */
export interface OperationTarget {
  readonly component?: string | undefined;
  /** Where a name alone is not clear: `acme:shop/orders`. */
  readonly interface?: string | undefined;
  readonly operation: string;
  readonly span: Span;
}

/** A port of an operation, where it is named. */
export interface PortUse {
  readonly port: string;
  readonly span: Span;
}

/** One listener with its routes. */
export interface HttpTrigger {
  readonly kind: "http";
  /** 0: any that is free. */
  readonly port: number;
  /** The address to listen at; undefined: 127.0.0.1. */
  readonly host?: string | undefined;
  readonly tls?: TlsDeclaration | undefined;
  /** The names that requests must be for: exact, or `*.` and what follows it. Lower case; empty: any. */
  readonly hostnames: readonly string[];
  readonly limits: HttpLimits;
  /** Around every route, outermost first; those of a route come inside. */
  readonly before: readonly Middleware[];
  readonly after: readonly Middleware[];
  readonly routes: readonly Route[];
  readonly span: Span;
}

/** Paths relative to the manifest's folder; or texts with references that give a path or the PEM text itself. */
export interface TlsDeclaration {
  readonly cert: string;
  readonly key: string;
  readonly span: Span;
}

/** Of a listener, or of one route, where they can only be narrower. Undefined: the default, or that of the listener. */
export interface HttpLimits {
  /** Of a request's body, or of one message of a websocket. */
  readonly bodyBytes?: number | undefined;
  /** From the head of a request to the head of its answer. */
  readonly timeMs?: number | undefined;
  /** Requests that run at once; the next one is answered 429 (a route) or 503 (a listener). */
  readonly concurrency?: number | undefined;
  /** Of all headers of a request; listeners only. */
  readonly headersBytes?: number | undefined;
  /** Open connections; listeners only. */
  readonly connections?: number | undefined;
  /** Without a request, until a connection is closed; listeners only. */
  readonly idleMs?: number | undefined;
}

/** `before`: an operation, or a `wasi:http` middleware component that wraps what follows it. `after`: operations. */
export type Middleware = OperationMiddleware | { readonly kind: "component"; readonly component: string; readonly span: Span };

/**
 * An operation that looks at a request, or at its answer. What the bindings do not fill is filled by the names of its ports: see
 * `middleware-ports.ts`. `headers` are those of the request in `before`, those of the answer in `after`, where nothing else is bound.
 */
export interface OperationMiddleware extends RequestBindings {
  readonly kind: "operation";
  readonly target: OperationTarget;
  /** The status of error results, as of a route. */
  readonly errors: AnswerBinding["errors"];
  /** Where a browser is sent (303) for an error result, by its case; `*`: any other. */
  readonly redirects: readonly { readonly case: string; readonly to: string; readonly span: Span }[];
  /** The name of the result as a whole; undefined: its fields have names. */
  readonly as?: PortUse | undefined;
  /** Headers that come from output ports, of the request or of the answer; names in lower case. */
  readonly set: readonly (PortUse & { readonly name: string })[];
}

/**
 * Which requests a route takes. Of several that fit, the one is taken whose path is more exact, segment by segment from the left: a text before
 * a parameter, a parameter before the rest; then one with methods before one for any method. No two of a listener are equal in that.
 */
export interface RouteMatch {
  /** Upper case; `GET` takes `HEAD` too where nothing else does. Undefined: any (static files: GET and HEAD). */
  readonly methods?: readonly HttpMethod[] | undefined;
  readonly path: readonly PathSegment[];
  /** As written, for people and for reports: `/users/{id:u32}/orders`. */
  readonly pathText: string;
}

export type HttpMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "QUERY";

/** One part between slashes. `rest` and `any` are last, and take what is left, nothing included: slashes stay in it. */
export type PathSegment =
  /** Percent-decoded; compared with the decoded segment of the request. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "parameter"; readonly binding: Binding }
  /** `{path...}`: its text without the slash in front, or, where the type is a list, its segments. */
  | { readonly kind: "rest"; readonly binding: Binding }
  /** `*`: bound to nothing. */
  | { readonly kind: "any" };

/** A named part of a request, and the input port that it goes to. */
export interface Binding {
  /** As the request has it: headers in lower case; of a path the name between the braces. */
  readonly name: string;
  readonly port: string;
  /** Undefined: that of the port. A text of the request is read as `fromText` reads it; a list takes every value of that name. */
  readonly type?: ValType | undefined;
  /** JSON of the type, for a request without it. Without one: none for an option, the empty list for a list, else that of the port, else 400. */
  readonly default?: Json | undefined;
  readonly span: Span;
}

/** How a request's body fills ports. */
export type BodyBinding =
  /** None is read. */
  | { readonly kind: "none" }
  /** The fields of a JSON object or of a form: each port that nothing else fills takes the field of its name, or of the name given in `fields`. */
  | { readonly kind: "fields"; readonly fields: readonly Binding[]; readonly contentTypes?: readonly string[] | undefined }
  /** The whole body is the value of one port. `auto`: bytes for `list<u8>` and `stream<u8>`, text for `text/…`, else JSON. */
  | {
      readonly kind: "whole";
      readonly port: string;
      readonly as: "auto" | "json" | "text" | "bytes";
      /** `image/png`, `text/*`: others are answered 415. */
      readonly contentTypes?: readonly string[] | undefined;
      readonly span: Span;
    };

/** How outputs become an answer. */
export interface AnswerBinding {
  /** Status of success; undefined: 200, or 204 where the operation has no output. */
  readonly status?: number | undefined;
  /** The output port that is the body; undefined: a result alone, or all ports that are no headers as a JSON object. */
  readonly body?: PortUse | undefined;
  /** Of the body; undefined: JSON, or by the type of the port and what the request accepts. */
  readonly contentType?: string | undefined;
  /** Headers that come from output ports; names in lower case. */
  readonly headers: readonly (PortUse & { readonly name: string })[];
  /** The status of an error result, by the name of its case (a variant or enum), `*`: of any other. Undefined ones: 500. */
  readonly errors: readonly { readonly status: number; readonly case: string; readonly span: Span }[];
}

interface RouteBase extends RouteMatch {
  readonly limits: HttpLimits;
  readonly before: readonly Middleware[];
  readonly after: readonly Middleware[];
  readonly span: Span;
}

export type Route = OperationRoute | ComponentRoute | StaticRoute | ProxyRoute | RedirectRoute | WebsocketRoute;

/** Where the inputs of an operation come from; those of the path stand in `path`. */
export interface RequestBindings {
  readonly query: readonly Binding[];
  readonly headers: readonly Binding[];
  readonly cookies: readonly Binding[];
}

export interface OperationRoute extends RouteBase, RequestBindings {
  readonly kind: "operation";
  readonly target: OperationTarget;
  readonly body: BodyBinding;
  readonly answer: AnswerBinding;
  /** For people and OpenAPI. */
  readonly description?: string | undefined;
}

/** A `wasi:http` component, which sees the whole path. */
export interface ComponentRoute extends RouteBase {
  readonly kind: "component";
  readonly component: string;
}

/** Files of a folder: what `*` matched is the path in it. Where the path has no `*`, it is one file. */
export interface StaticRoute extends RouteBase {
  readonly kind: "static";
  /** Relative to the manifest's folder. */
  readonly from: string;
  /** The file for a folder; `index.html` where it is left out. */
  readonly index?: string | undefined;
  /** The file, within the folder, for what is not there. */
  readonly fallback?: string | undefined;
  /** How long browsers may keep a file without asking. */
  readonly maxAgeMs?: number | undefined;
}

/** What `*` matched is put behind the path of `to`; the query goes along. */
export interface ProxyRoute extends RouteBase {
  readonly kind: "proxy";
  /** An `http:` or `https:` URL without query; references not yet replaced: checked here only where it has none. */
  readonly to: string;
  readonly toSpan: Span;
}

export interface RedirectRoute extends RouteBase {
  readonly kind: "redirect";
  /** A path or URL; a `*` at its end stands for what `*` matched. */
  readonly to: string;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

/** A connection is one transaction: its messages are the stream of one input port, the stream of one output port is sent. */
export interface WebsocketRoute extends RouteBase, RequestBindings {
  readonly kind: "websocket";
  readonly target: OperationTarget;
  /** Undefined: the only port whose type is a stream. */
  readonly in?: PortUse | undefined;
  readonly out?: PortUse | undefined;
}

/** `starlane run` starts it: an operation with flags made from its ports, or a `wasi:cli` command component. */
export interface CliTrigger {
  readonly kind: "cli";
  readonly runs:
    | { readonly kind: "operation"; readonly target: OperationTarget }
    | { readonly kind: "component"; readonly component: string; readonly span: Span };
  /** The subcommand, where the app has several; the operation's or component's name where it is not written. */
  readonly name: string;
  readonly description?: string | undefined;
  /** Ports that are given by position, in this order; the others are flags. */
  readonly arguments: readonly PortUse[];
  /** One letter for the flag of a port. */
  readonly short: readonly (PortUse & { readonly letter: string })[];
  /** The port that takes standard input. */
  readonly stdin?: PortUse | undefined;
  readonly span: Span;
}

export interface ScheduleTrigger {
  readonly kind: "schedule";
  /**
   * Six fields: second, minute, hour, day of the month, month, day of the week; names in upper case. Where neither kind of day is `*`, a day of
   * either kind will do, as cron has it.
   */
  readonly cron: string;
  readonly cronSpan: Span;
  /** Of the IANA database; `UTC` where it is not written. */
  readonly zone: string;
  readonly target: OperationTarget;
  /** By port; no references. */
  readonly input: readonly Setting[];
  /** What is done about times at which no star was there: nothing, one run, or one for each. */
  readonly missed: "skip" | "once" | "all";
  /** Whether a run may start while the one before goes on. */
  readonly overlap: boolean;
  readonly span: Span;
}
