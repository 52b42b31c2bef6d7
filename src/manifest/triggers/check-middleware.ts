// Holds `before` and `after` of listeners and routes against the ports of their operations.

import type { Span } from "../../base/diagnostics.ts";
import type { ValType } from "../../wit/types.ts";
import type { Mistakes } from "../mistakes.ts";
import type { HttpTrigger, Middleware, OperationMiddleware, OperationTarget, Route } from "../triggers.ts";
import { type MiddlewarePlace, type Problem, parametersOf, resultPorts, resultsOf, sourceOf } from "./middleware-ports.ts";
import { checkBinding, checkErrorCases, PortCheck } from "./port-check.ts";
import type { TargetPorts } from "./targets.ts";

type PortsOf = (target: OperationTarget) => TargetPorts | undefined;

/** What routes can take by name from the middleware before them; undefined where that is not known yet. */
export type Values = ReadonlyMap<string, ValType> | undefined;

/** Checks the middleware of a listener. */
export function checkOuter(trigger: HttpTrigger, portsOf: PortsOf, mistakes: Mistakes): Values {
  return checkAround(trigger, [], new Map(), portsOf, mistakes);
}

/** Checks that of a route. `outer`: what that of its listener gives. */
export function checkInner(route: Route, outer: Values, portsOf: PortsOf, mistakes: Mistakes): Values {
  return checkAround(route, parametersOf(route.path), outer, portsOf, mistakes);
}

/** The input ports of operations, by their names. */
export function portsAmong(before: readonly Middleware[], portsOf: PortsOf): ReadonlySet<string> {
  return new Set(
    before.flatMap((item) => (item.kind === "operation" ? (portsOf(item.target)?.inputs.map(({ name }) => name) ?? []) : [])),
  );
}

function checkAround(
  { before, after }: { readonly before: readonly Middleware[]; readonly after: readonly Middleware[] },
  path: readonly string[],
  outer: Values,
  portsOf: PortsOf,
  mistakes: Mistakes,
): Values {
  let values = outer;
  for (const item of before) {
    if (item.kind !== "operation") continue;
    const ports = portsOf(item.target);
    if (values === undefined || ports?.result === undefined) {
      values = undefined;
      continue;
    }
    const given = checkItem(item, { kind: "before", path, values }, ports, mistakes);
    values = new Map([...values, ...given]);
  }
  for (const item of after) {
    const ports = item.kind === "operation" ? portsOf(item.target) : undefined;
    if (item.kind === "operation" && ports?.result !== undefined)
      checkItem(item, { kind: "after", path, values: new Map() }, ports, mistakes);
  }
  return values;
}

/** What it gives to those that come later. */
function checkItem(
  item: OperationMiddleware,
  place: MiddlewarePlace,
  ports: TargetPorts,
  mistakes: Mistakes,
): ReadonlyMap<string, ValType> {
  const check = new PortCheck(item.target, ports, mistakes);
  const { span } = item.target;
  for (const binding of item.query) checkBinding(binding, "query", check);
  for (const binding of item.headers) checkBinding(binding, "header", check);
  for (const binding of item.cookies) checkBinding(binding, "cookie", check);
  checkErrorCases(item.errors, check);
  checkErrorCases(item.redirects, check);
  for (const { name, type } of ports.inputs) {
    if (type === undefined || check.isFilled(name)) continue;
    const source = sourceOf(name, type, place);
    if (source === undefined) continue;
    if ("message" in source) tell(source, check, span);
    check.fill(name, span);
  }
  check.unfilled(() =>
    place.kind === "before"
      ? "Take it from a header or cookie, make it `request`, or give the port a `default`."
      : "Take it from a header of the answer, make it `answer` or `request`, or give the port a `default`.",
  );
  const results = resultPorts(ports.result?.type, item);
  if ("message" in results) {
    tell(results, check, span);
    return new Map();
  }
  const names = results.map(({ name }) => name);
  const outputs = new PortCheck(item.target, { ...ports, outputs: names }, mistakes);
  for (const { port, span: at } of item.set) outputs.output(port, at);
  const become = resultsOf(place.kind, item, results);
  if (!("message" in become)) return become.values;
  tell(become, check, span);
  return new Map();
}

function tell({ message, cure }: Problem, { mistakes, label }: PortCheck, span: Span): void {
  mistakes.error("manifest/type-mismatch", span, `${label}: ${message}`, cure);
}
