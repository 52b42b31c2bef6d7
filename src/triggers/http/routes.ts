// Virtual hosts and their routes, checked and made ready once: what requests are held against. A new set takes the place of an old one
// between two requests.

import { StarlaneError } from "../../base/errors.ts";
import type { BodyLimits } from "./body.ts";
import { Cors } from "./cors.ts";
import { docsHandles } from "./docs.ts";
import type { Log } from "./failure.ts";
import { Gate, RateLimit } from "./gate.ts";
import type { Handle, HttpLimits, OpenApiOptions, OperationRoute, Route, RouteLimits, VirtualHost } from "./http.ts";
import { wrapped } from "./middleware.ts";
import { openApiDocument } from "./openapi.ts";
import { operationHandle } from "./operation.ts";
import { proxyHandle } from "./proxy.ts";
import { redirectHandle } from "./redirect.ts";
import { parsePattern, Router } from "./router.ts";
import { staticHandle } from "./static.ts";
import { webSocketHandle } from "./websocket.ts";

export interface ReadyRoute {
  /** For metrics, logs and traces. */
  readonly label: string;
  readonly handle: Handle;
  readonly limits: RouteLimits;
  readonly bodyLimits: BodyLimits;
  /** Undefined: no limit of its own. */
  readonly gate: Gate | undefined;
  readonly rate: RateLimit | undefined;
  readonly cors: Cors | undefined;
  readonly isWebSocket: boolean;
}

export interface ReadyHost {
  readonly router: Router<ReadyRoute>;
}

export class ReadyHosts {
  readonly #exact = new Map<string, ReadyHost>();
  /** `.example.com`, the longest first. */
  readonly #wildcards: { readonly suffix: string; readonly host: ReadyHost }[] = [];
  #other: ReadyHost | undefined;
  readonly #closers: (() => Promise<void>)[] = [];

  /** @throws StarlaneError `http/bad-route`, `http/conflicting-routes` */
  constructor(hosts: readonly VirtualHost[], limits: HttpLimits, log: Log | undefined) {
    for (const host of hosts) {
      const ready = readyHost(host, limits, log, this.#closers);
      for (const hostname of host.hostnames) this.#add(hostname, ready);
    }
    this.#wildcards.sort((a, b) => b.suffix.length - a.suffix.length);
  }

  #add(hostname: string, host: ReadyHost): void {
    const isTaken =
      hostname === "*"
        ? this.#other !== undefined
        : this.#exact.has(hostname) || this.#wildcards.some((w) => `*${w.suffix}` === hostname);
    if (isTaken)
      throw new StarlaneError("http/conflicting-routes", `two apps are served as ${hostname}`, {
        cure: "Give one of them another hostname.",
      });
    if (hostname === "*") this.#other = host;
    else if (hostname.startsWith("*.")) this.#wildcards.push({ suffix: hostname.slice(1), host });
    else this.#exact.set(hostname, host);
  }

  /** `hostname` in lower case, without a port. */
  find(hostname: string): ReadyHost | undefined {
    const exact = this.#exact.get(hostname);
    if (exact !== undefined || this.#wildcards.length === 0) return exact ?? this.#other;
    return (
      this.#wildcards.find(({ suffix }) => hostname.length > suffix.length && hostname.endsWith(suffix))?.host ?? this.#other
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()));
  }
}

function readyHost(host: VirtualHost, limits: HttpLimits, log: Log | undefined, closers: (() => Promise<void>)[]): ReadyHost {
  const router = new Router<ReadyRoute>();
  const hostCors = host.cors === undefined ? undefined : new Cors(host.cors);
  for (const route of host.routes) {
    const routeLimits: RouteLimits = { ...limits.route, ...defined(route.limits) };
    const handle = handleOf(route, routeLimits, log, closers);
    router.add(route.path, methodsOf(route), {
      label: route.label ?? route.path,
      handle: wrapped(handle, route.middleware),
      limits: routeLimits,
      bodyLimits: { bytes: routeLimits.bodyBytes, idleMs: limits.bodyIdleMs },
      gate: routeLimits.concurrency === Infinity ? undefined : new Gate(routeLimits),
      rate: routeLimits.rate === undefined ? undefined : new RateLimit(routeLimits.rate),
      cors: route.cors === undefined ? hostCors : new Cors(route.cors),
      isWebSocket: route.kind === "websocket",
    });
  }
  if (host.openApi !== undefined) addDocuments(router, host, host.openApi, limits);
  return { router };
}

function defined(limits: Partial<RouteLimits> | undefined): Partial<RouteLimits> {
  return Object.fromEntries(Object.entries(limits ?? {}).filter(([, value]) => value !== undefined));
}

function methodsOf(route: Route): readonly string[] | undefined {
  const reads = route.kind === "operation" || route.kind === "static" || route.kind === "websocket";
  const methods = route.methods ?? (reads ? ["GET"] : undefined);
  const wrong = methods?.find((method) => !/^[A-Z]{1,20}$/.test(method) || method === "CONNECT" || method === "TRACE");
  if (wrong === undefined) return methods;
  throw new StarlaneError("http/bad-route", `the route ${route.path} cannot serve the method ${JSON.stringify(wrong)}`);
}

function handleOf(route: Route, limits: RouteLimits, log: Log | undefined, closers: (() => Promise<void>)[]): Handle {
  parsePattern(route.path);
  switch (route.kind) {
    case "operation":
      return operationHandle(route, log);
    case "guest":
      return route.handle;
    case "static":
      return staticHandle(route);
    case "redirect":
      return redirectHandle(route);
    case "websocket":
      return webSocketHandle(route, log);
    case "proxy": {
      const { handle, close } = proxyHandle(route, limits.timeMs);
      closers.push(close);
      return handle;
    }
  }
}

/** The document and its page give way to routes of the app with the same paths. */
function addDocuments(router: Router<ReadyRoute>, host: VirtualHost, options: OpenApiOptions, limits: HttpLimits): void {
  const operations = host.routes.filter((route): route is OperationRoute => route.kind === "operation");
  const documentPath = options.path ?? "/openapi.json";
  const taken = new Set(host.routes.map((route) => route.path));
  const add = (path: string, handle: Handle): void => {
    if (taken.has(path)) return;
    const cors = host.cors === undefined ? undefined : new Cors(host.cors);
    router.add(path, ["GET"], {
      label: path,
      handle: wrapped(handle, options.middleware),
      limits: limits.route,
      bodyLimits: { bytes: limits.route.bodyBytes, idleMs: limits.bodyIdleMs },
      gate: undefined,
      rate: undefined,
      cors,
      isWebSocket: false,
    });
  };
  let text: string | undefined;
  add(documentPath, () => ({
    status: 200,
    headers: [
      ["content-type", "application/json"],
      ["cache-control", "no-cache"],
    ],
    body: (text ??= JSON.stringify(openApiDocument(options, operations))),
  }));
  const docsPath = options.docsPath === undefined ? "/docs" : options.docsPath;
  if (docsPath === null) return;
  for (const [path, handle] of docsHandles(docsPath, documentPath, options.title)) add(path, handle);
}
