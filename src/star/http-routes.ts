// From the `http` triggers of an app to what the HTTP server serves: operations, `wasi:http` components, files, other servers.

import { resolve } from "node:path";
import { StarlaneError } from "../base/errors.ts";
import { type GuestCall, handleWithGuest, type HttpHandler } from "../capabilities/http/incoming.ts";
import type { HttpFields, HttpRequest } from "../capabilities/http/http-message.ts";
import type {
  AnswerBinding,
  Binding as DeclaredBinding,
  ComponentRoute,
  HttpLimits as DeclaredLimits,
  HttpTrigger,
  OperationRoute as DeclaredOperation,
  OperationTarget,
  PathSegment,
  Route as Declared,
  WebsocketRoute,
} from "../manifest/triggers.ts";
import { defaultBindings } from "../triggers/http/bindings.ts";
import type {
  AnswerOptions,
  Binding,
  HeaderPair,
  OperationRoute,
  PlainRequest,
  PlainResponse,
  RequestContext,
  Route,
  RouteLimits,
} from "../triggers/http/http.ts";
import { fromJson } from "../wit/json.ts";
import type { App, LoadedComponent, Operation } from "./app.ts";
import { randomSeed } from "./seeds.ts";
import { findOperation } from "./operations.ts";
import { type TransactionSettings, runTransaction } from "./transaction.ts";

/** What requests are answered with beside the app itself. */
export interface ServeContext {
  /** Takes what guests print and log. */
  readonly output: (operation: string) => TransactionSettings["output"];
}

/** The routes of one trigger. @throws StarlaneError `http/bad-route` */
export function routesOf(app: App, trigger: HttpTrigger, context: ServeContext): Route[] {
  return trigger.routes.map((route) => routeOf(app, route, context));
}

/** Of a target without `http` triggers: every operation under its name, by POST. */
export function defaultRoutes(target: LoadedComponent, context: ServeContext): Route[] {
  if (target.kind === "wasm" && [...target.operations.keys()].some(isHandler)) {
    return [{ kind: "guest", path: "/{rest...}", handle: handlerOf(target, context) }];
  }
  return [...target.operations.values()].map((operation): OperationRoute => {
    const path = `/${operation.name.replace(/@[^#]*/, "").replaceAll(/[#:/]+/g, "/")}`;
    return { kind: "operation", path, methods: ["POST"], ...operationBase(operation, context) };
  });
}

function routeOf(app: App, route: Declared, context: ServeContext): Route {
  const base = { path: patternOf(route.path), label: route.pathText, methods: route.methods, limits: limitsOf(route.limits) };
  switch (route.kind) {
    case "operation":
      return operationRoute(app, route, base, context);
    case "component":
      return { ...base, kind: "guest", handle: handlerOf(componentOf(app, route), context) };
    case "static": {
      const cacheControl = route.maxAgeMs === undefined ? undefined : `public, max-age=${Math.floor(route.maxAgeMs / 1000)}`;
      const fallback = route.fallback === undefined ? undefined : ({ file: route.fallback, status: 200 } as const);
      return { ...base, kind: "static", folder: resolve(app.folder, route.from), index: route.index, fallback, cacheControl };
    }
    case "proxy":
      return { ...base, kind: "proxy", target: route.to };
    case "redirect":
      return { ...base, kind: "redirect", location: route.to.replace(/\*$/, "{rest}"), status: route.status };
    case "websocket":
      return websocketRoute(app, route, base, context);
  }
}

type Base = Pick<OperationRoute, "path" | "label" | "methods" | "limits">;

function operationBase(
  operation: Operation,
  context: ServeContext,
): Pick<OperationRoute, "operation" | "signature" | "call" | "description"> {
  const output = context.output(operation.name);
  return {
    operation: operation.name,
    signature: operation.signature,
    call: (args, request) => runTransaction(operation, args, settingsFor(request, output)),
  };
}

function operationRoute(app: App, route: DeclaredOperation, base: Base, context: ServeContext): OperationRoute {
  const operation = operationOf(app, route.target);
  const { body } = route;
  return {
    ...base,
    kind: "operation",
    ...operationBase(operation, context),
    bindings: operationBindings(route, operation),
    body: body.kind === "none" ? undefined : { as: body.kind === "whole" ? body.as : undefined, contentTypes: body.contentTypes },
    answer: answerOf(route.answer),
    description: route.description ?? (operation.kind === "flow" ? operation.declaration.description : undefined),
  };
}

/** Written bindings first; what nothing fills comes from the body, or where none is read from the query. */
function operationBindings(route: DeclaredOperation, { signature }: Operation): readonly Binding[] {
  const written = requestBindings(route);
  const filled = new Set(written.map(({ port }) => port));
  const open = signature.params.filter(({ name }) => !filled.has(name));
  const { body } = route;
  if (body.kind === "whole") return [...written, { port: body.port, from: "body" }];
  if (body.kind === "fields") {
    const fields = body.fields.map((field) => converted(field, "field"));
    const named = new Set(fields.map(({ port }) => port));
    return [
      ...written,
      ...fields,
      ...open.filter(({ name }) => !named.has(name)).map(({ name }): Binding => ({ port: name, from: "field" })),
    ];
  }
  const methods = route.methods ?? ["GET"];
  const defaults = defaultBindings(patternOf(route.path), methods, signature);
  return [...written, ...defaults.filter(({ port, from }) => !filled.has(port) && from === "query")];
}

function requestBindings(route: DeclaredOperation | WebsocketRoute): Binding[] {
  const inPath = route.path.flatMap((segment) =>
    segment.kind === "parameter" || segment.kind === "rest" ? [segment.binding] : [],
  );
  return [
    ...inPath.map((binding) => converted(binding, "path")),
    ...route.query.map((binding) => converted(binding, "query")),
    ...route.headers.map((binding) => converted(binding, "header")),
    ...route.cookies.map((binding) => converted(binding, "cookie")),
  ];
}

function converted({ name, port, type, default: json }: DeclaredBinding, from: Binding["from"]): Binding {
  return {
    port,
    from,
    name,
    type,
    ...(json === undefined || type === undefined ? {} : { default: fromJson(type, json, { path: name }) }),
  };
}

function answerOf({ status, body, contentType, headers, errors }: AnswerBinding): AnswerOptions {
  return {
    status,
    port: body?.port,
    contentType,
    headers,
    errorStatus: new Map(errors.map((error) => [error.case, error.status])),
  };
}

function websocketRoute(app: App, route: WebsocketRoute, base: Base, context: ServeContext): Route {
  const operation = operationOf(app, route.target);
  const messages = route.in?.port ?? operation.signature.params.find(({ type }) => type.kind === "stream")?.name;
  const { call, signature } = operationBase(operation, context);
  return {
    ...base,
    kind: "websocket",
    operation: operation.name,
    signature,
    call,
    messages,
    sends: route.out?.port,
    bindings: requestBindings(route),
  };
}

function settingsFor(request: RequestContext, output: TransactionSettings["output"]): TransactionSettings {
  return {
    seed: randomSeed(),
    timestampMs: Date.now(),
    timeoutMs: Math.max(0, request.deadlineMs - Date.now()),
    signal: request.signal,
    output,
  };
}

function limitsOf({ bodyBytes, timeMs, concurrency }: DeclaredLimits): Partial<RouteLimits> {
  return {
    ...(bodyBytes === undefined ? {} : { bodyBytes }),
    ...(timeMs === undefined ? {} : { timeMs }),
    ...(concurrency === undefined ? {} : { concurrency }),
  };
}

function patternOf(path: readonly PathSegment[]): string {
  const segments = path.map((segment) => {
    switch (segment.kind) {
      case "text":
        return encodeURIComponent(segment.text);
      case "parameter":
        return `{${segment.binding.name}}`;
      case "rest":
        return `{${segment.binding.name}...}`;
      case "any":
        return "{rest...}";
    }
  });
  return `/${segments.join("/")}`;
}

function operationOf(app: App, { component, interface: interfaceName, operation }: OperationTarget): Operation {
  const holder = component === undefined ? app : app.components.get(component);
  if (holder === undefined) throw new StarlaneError("http/bad-route", `there is no component ${component}`);
  return findOperation(holder, interfaceName === undefined ? operation : `${interfaceName}#${operation}`);
}

function componentOf(app: App, { component }: Pick<ComponentRoute, "component">): LoadedComponent {
  const found = app.components.get(component);
  if (found === undefined) throw new StarlaneError("http/bad-route", `there is no component ${component}`);
  return found;
}

function isHandler(name: string): boolean {
  return /^wasi:http\/(?:handler@0\.3|incoming-handler@0\.2)\.\d+#handle$/.test(name);
}

/** A `wasi:http` component answers requests itself. */
function handlerOf(
  component: LoadedComponent,
  context: ServeContext,
): (request: PlainRequest, context: RequestContext) => Promise<PlainResponse> {
  const names = [...component.operations.keys()].filter(isHandler);
  const operation = component.operations.get(names.find((name) => name.startsWith("wasi:http/handler@")) ?? names[0] ?? "");
  if (operation === undefined) {
    throw new StarlaneError(
      "http/bad-route",
      `${component.file} cannot serve requests: it exports neither wasi:http/handler nor wasi:http/incoming-handler`,
      {
        cure: "Route to one of its operations instead.",
      },
    );
  }
  const output = context.output(operation.name);
  const handler: HttpHandler = { version: operation.name.includes("incoming-handler") ? "0.2" : "0.3", name: operation.name };
  return async (request, about) => {
    // oxlint-disable-next-line require-await -- a rejection, not a throw
    const call: GuestCall = async (_name, args) => runTransaction(operation, args, settingsFor(about, output));
    const response = await handleWithGuest(call, handler, asRequest(request), { signal: about.signal });
    response.finished.catch(() => undefined);
    const { status, headers, body, trailers } = response;
    return { status, headers, body, trailers };
  };
}

function asRequest({ method, scheme, authority, path, headers, hasBody, body }: PlainRequest): HttpRequest {
  return { method, scheme, authority, path, headers: asFields(headers), ...(hasBody ? { body } : {}) };
}

function asFields(headers: readonly HeaderPair[]): HttpFields {
  return headers.map(([name, value]) => [name, typeof value === "string" ? Buffer.from(value, "latin1") : value]);
}
