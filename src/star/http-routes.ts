// From the `http` triggers of an app to what the HTTP server serves: operations, `wasi:http` components, files, other servers.

import { resolve } from "node:path";
import { httpHandlerOf } from "../capabilities/http/handler.ts";
import type { Signature } from "../flow/flow.ts";
import type {
  AnswerBinding,
  HttpLimits as DeclaredLimits,
  HttpTrigger,
  OperationRoute as DeclaredOperation,
  PathSegment,
  Route as Declared,
  WebsocketRoute,
} from "../manifest/triggers.ts";
import { parametersOf } from "../manifest/triggers/middleware-ports.ts";
import { defaultBindings } from "../triggers/http/bindings.ts";
import type { AnswerOptions, Binding, Middleware, OperationRoute, Route, RouteLimits } from "../triggers/http/http.ts";
import type { App, LoadedComponent, Operation } from "./app.ts";
import { guestHandle } from "./guest-handler.ts";
import { calledByHttp, type ServeContext } from "./http-call.ts";
import { componentOf, converted, headBindings, middlewareOf, valueBindings, type Values } from "./http-middleware.ts";
import { operationOf } from "./operations.ts";

/** The routes of one trigger, and the middleware around all of them. @throws StarlaneError `http/bad-route` */
export function routesOf(
  app: App,
  trigger: HttpTrigger,
  context: ServeContext,
): { readonly routes: Route[]; readonly middleware: readonly Middleware[] } {
  const outer = middlewareOf(app, trigger, { path: "/", parameters: [], values: new Map() }, context);
  const routes = trigger.routes.map((route) => {
    const path = patternOf(route.path);
    const inner = middlewareOf(app, route, { path, parameters: parametersOf(route.path), values: outer.values }, context);
    const middleware = [...outer.middleware, ...inner.middleware];
    const { pathText: label, methods } = route;
    return routeOf(app, route, { path, label, methods, limits: limitsOf(route.limits), middleware }, inner.values, context);
  });
  return { routes, middleware: outer.middleware };
}

/** Of a target without `http` triggers: every operation under its name, by POST. */
export function defaultRoutes(target: LoadedComponent, context: ServeContext): Route[] {
  if (httpHandlerOf(target.operations.keys()) !== undefined) {
    return [{ kind: "guest", path: "/{rest...}", handle: guestHandle(target, context) }];
  }
  return [...target.operations.values()].map((operation): OperationRoute => {
    const path = `/${operation.name.replace(/@[^#]*/, "").replaceAll(/[#:/]+/g, "/")}`;
    return { kind: "operation", path, methods: ["POST"], ...calledByHttp(target, operation, context) };
  });
}

function routeOf(app: App, route: Declared, base: Base, values: Values, context: ServeContext): Route {
  switch (route.kind) {
    case "operation":
      return operationRoute(app, route, base, values, context);
    case "component":
      return { ...base, kind: "guest", handle: guestHandle(componentOf(app, route.component), context) };
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
      return websocketRoute(app, route, base, values, context);
  }
}

type Base = Pick<OperationRoute, "path" | "label" | "methods" | "limits" | "middleware">;

function operationRoute(app: App, route: DeclaredOperation, base: Base, values: Values, context: ServeContext): OperationRoute {
  const { holder, operation } = operationOf(app, route.target);
  const { body } = route;
  const called = calledByHttp(holder, operation, context);
  return {
    ...base,
    kind: "operation",
    ...called,
    bindings: operationBindings(route, operation, values),
    body: body.kind === "none" ? undefined : { as: body.kind === "whole" ? body.as : undefined, contentTypes: body.contentTypes },
    answer: answerOf(route.answer),
    description: route.description ?? called.description,
  };
}

/**
 * Written bindings first, then what middleware gives; what nothing fills comes from the body, or where none is read from the query.
 */
function operationBindings(route: DeclaredOperation, { signature }: Operation, values: Values): readonly Binding[] {
  const { body } = route;
  const fields = body.kind === "fields" ? body.fields.map((field) => converted(field, "field")) : [];
  const whole: readonly Binding[] = body.kind === "whole" ? [{ port: body.port, from: "body" }] : [];
  const inHead = requestBindings(route, signature);
  const given = valueBindings(signature, [...inHead, ...fields, ...whole], values);
  const written = [...inHead, ...given];
  const filled = new Set(written.map(({ port }) => port));
  const open = signature.params.filter(({ name }) => !filled.has(name));
  if (body.kind === "whole") return [...written, ...whole];
  if (body.kind === "fields") {
    const named = new Set(fields.map(({ port }) => port));
    const left = open.filter(({ name }) => !named.has(name));
    // A stream can be nothing but all of the body.
    const isWhole = fields.length === 0 && left.length === 1 && left[0]?.type.kind === "stream";
    return [...written, ...fields, ...left.map(({ name }): Binding => ({ port: name, from: isWhole ? "body" : "field" }))];
  }
  const methods = route.methods ?? ["GET"];
  const defaults = defaultBindings(patternOf(route.path), methods, signature);
  return [...written, ...defaults.filter(({ port, from }) => !filled.has(port) && from === "query")];
}

/** Parameters of the path may be for its middleware alone. */
function requestBindings(route: DeclaredOperation | WebsocketRoute, { params }: Signature): Binding[] {
  const inPath = route.path.flatMap((segment) =>
    (segment.kind === "parameter" || segment.kind === "rest") && params.some(({ name }) => name === segment.binding.port)
      ? [segment.binding]
      : [],
  );
  return [...inPath.map((binding) => converted(binding, "path")), ...headBindings(route)];
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

function websocketRoute(app: App, route: WebsocketRoute, base: Base, values: Values, context: ServeContext): Route {
  const { holder, operation } = operationOf(app, route.target);
  const messages = route.in?.port ?? operation.signature.params.find(({ type }) => type.kind === "stream")?.name;
  const { call, signature } = calledByHttp(holder, operation, context);
  const written = requestBindings(route, signature);
  const taken: readonly Binding[] = messages === undefined ? [] : [{ port: messages, from: "body" }];
  return {
    ...base,
    kind: "websocket",
    operation: operation.name,
    signature,
    call,
    messages,
    sends: route.out?.port,
    bindings: [...written, ...valueBindings(signature, [...written, ...taken], values)],
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
