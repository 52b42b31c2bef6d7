// From `before` and `after` of the manifest to middleware of the HTTP server.

import { StarlaneError } from "../base/errors.ts";
import type { Signature } from "../flow/flow.ts";
import type {
  Binding as DeclaredBinding,
  Middleware as Declared,
  OperationMiddleware,
  RequestBindings,
} from "../manifest/triggers.ts";
import {
  type MiddlewarePlace,
  type MiddlewareSource,
  type Problem,
  resultPorts,
  resultsOf,
  sourceOf,
  valueSource,
} from "../manifest/triggers/middleware-ports.ts";
import { partOf, type ResultPart } from "../triggers/http/answer.ts";
import { headerTexts, REQUEST_FACTS } from "../triggers/http/facts.ts";
import type { Binding, Middleware, PlainResponse } from "../triggers/http/http.ts";
import { operationAfter, operationBefore, type OperationMiddleware as Options } from "../triggers/http/operation-middleware.ts";
import { assignable, convert } from "../wit/assignable.ts";
import { fromJson } from "../wit/json.ts";
import { camelCase, type ValType } from "../wit/types.ts";
import type { App, LoadedComponent } from "./app.ts";
import { guestMiddleware } from "./guest-handler.ts";
import { calledByHttp, type ServeContext } from "./http-call.ts";
import { operationOf } from "./operations.ts";

/** What middleware gives to those that come later, by name. */
export type Values = ReadonlyMap<string, ValType>;

export interface Around {
  /** Outermost first. */
  readonly middleware: readonly Middleware[];
  readonly values: Values;
}

/** Of whom it is: the pattern of the path, its parameters, and what the middleware around it gives. */
export interface Place {
  readonly path: string;
  readonly parameters: readonly string[];
  readonly values: Values;
}

/** The middleware of a listener or a route. `after` sees every answer, those of `before` too. @throws StarlaneError `http/bad-route` */
export function middlewareOf(
  app: App,
  { before, after }: { readonly before: readonly Declared[]; readonly after: readonly Declared[] },
  place: Place,
  context: ServeContext,
): Around {
  const values = new Map(place.values);
  const first = before.map((item) => {
    if (item.kind === "component") return guestMiddleware(componentOf(app, item.component), context);
    const made = operationMiddleware(
      app,
      item,
      { kind: "before", path: place.parameters, values: new Map(values) },
      place,
      context,
    );
    for (const [name, type] of made.values) values.set(name, type);
    return made.middleware;
  });
  const last = after.flatMap((item) =>
    item.kind === "component"
      ? []
      : [operationMiddleware(app, item, { kind: "after", path: place.parameters, values: new Map() }, place, context).middleware],
  );
  return { middleware: [...last.toReversed(), ...first], values };
}

export function componentOf(app: App, component: string): LoadedComponent {
  const found = app.components.get(component);
  if (found === undefined) throw new StarlaneError("http/bad-route", `there is no component ${component}`);
  return found;
}

function operationMiddleware(
  app: App,
  item: OperationMiddleware,
  where: MiddlewarePlace,
  { path }: Place,
  context: ServeContext,
): { readonly middleware: Middleware; readonly values: Values } {
  const { holder, operation } = operationOf(app, item.target);
  const { signature } = operation;
  const { call, ownError } = calledByHttp(holder, operation, context);
  const ports = good(resultPorts(signature.result, item), operation.name);
  const { answers, headers, values } = good(resultsOf(where.kind, item, ports), operation.name);
  const part = (port: string): ResultPart => partOf(signature.result, item.as?.port === port ? undefined : port);
  const options: Options = {
    path,
    signature,
    bindings: portBindings(signature, headBindings(item), where, operation.name),
    call,
    ownError,
    set: item.set.map(({ name, port }) => ({ name, part: part(port) })),
    headers: headers ? part("headers") : undefined,
  };
  if (where.kind === "after") return { middleware: operationAfter(options), values: new Map() };
  const middleware = operationBefore({
    ...options,
    values: [...values.keys()].map((name) => ({ name, part: part(name) })),
    answer: answers ? part("answer") : undefined,
    errorStatus: new Map(item.errors.map((error) => [error.case, error.status])),
    redirects: new Map(item.redirects.map((redirect) => [redirect.case, redirect.to])),
  });
  return { middleware, values };
}

/** `check` has told it before. */
function good<Value extends object>(value: Value | Problem, operation: string): Value {
  if (isProblem(value)) throw new StarlaneError("http/bad-route", `${operation}: ${value.message}`, { cure: value.cure });
  return value;
}

function isProblem(value: object): value is Problem {
  return "message" in value;
}

function portBindings(
  signature: Signature,
  written: readonly Binding[],
  where: MiddlewarePlace,
  operation: string,
): readonly Binding[] {
  const filled = new Set(written.map(({ port }) => port));
  const open = signature.params.filter(({ name }) => !filled.has(name));
  const others = open.flatMap(({ name, type }): Binding[] => {
    const source = sourceOf(name, type, where);
    return source === undefined ? [] : [bindingTo(name, type, good(source, operation))];
  });
  return [...written, ...others];
}

function bindingTo(port: string, type: ValType, source: MiddlewareSource): Binding {
  if (source.kind === "path" || source.kind === "header") return { port, from: source.kind, name: source.name };
  const conversion = assignable(source.type, type);
  if (conversion === undefined) throw new StarlaneError("starlane/internal", `the port ${port} was not checked`);
  const converted = convert(conversion);
  const make = makerOf(source);
  return { port, from: "made", make: (request, about, answer) => converted(make(request, about, answer)) };
}

function makerOf(
  source: Exclude<MiddlewareSource, { readonly kind: "path" } | { readonly kind: "header" }>,
): NonNullable<Binding["make"]> {
  switch (source.kind) {
    case "value":
      return (_request, { values }) => values.get(source.name);
    case "request":
      return REQUEST_FACTS[source.fact];
    case "answer":
      return (_request, _about, answer) => answerFact(source.fact, answer);
    case "request-record": {
      const facts = source.facts.map((fact) => [camelCase(fact), REQUEST_FACTS[fact]] as const);
      return (request, about) => Object.fromEntries(facts.map(([key, fact]) => [key, fact(request, about)]));
    }
    case "answer-record":
      return (_request, _about, answer) =>
        Object.fromEntries(source.facts.map((fact) => [camelCase(fact), answerFact(fact, answer)]));
  }
}

function answerFact(fact: "status" | "headers", answer: PlainResponse | undefined): unknown {
  return fact === "status" ? (answer?.status ?? 0) : headerTexts(answer?.headers ?? []);
}

/** Query, headers and cookies, as they are written. */
export function headBindings({ query, headers, cookies }: RequestBindings): Binding[] {
  return [
    ...query.map((binding) => converted(binding, "query")),
    ...headers.map((binding) => converted(binding, "header")),
    ...cookies.map((binding) => converted(binding, "cookie")),
  ];
}

export function converted({ name, port, type, default: json }: DeclaredBinding, from: Binding["from"]): Binding {
  return {
    port,
    from,
    name,
    type,
    ...(json === undefined || type === undefined ? {} : { default: fromJson(type, json, { path: name }) }),
  };
}

/** Ports of a route that nothing else fills take what middleware gives under their name. */
export function valueBindings(signature: Signature, others: readonly Binding[], values: Values): readonly Binding[] {
  const filled = new Set(others.map(({ port }) => port));
  return signature.params.flatMap(({ name, type }): Binding[] => {
    const given = values.get(name);
    if (given === undefined || filled.has(name)) return [];
    return [bindingTo(name, type, good(valueSource(name, given, type), name))];
  });
}
