// Holds what triggers bind against the ports of their operations: every bound port is there, of a type that fits, filled once; every port that needs a
// value gets one. Done by `parseManifest` for ports that the manifest declares, and to be done for the others once they are known.

import type { Diagnostic } from "../../base/diagnostics.ts";
import type { ValType } from "../../wit/types.ts";
import { Mistakes } from "../mistakes.ts";
import { hasJson, jsonProblem } from "../port-types.ts";
import type {
  BodyBinding,
  CliTrigger,
  OperationRoute,
  OperationTarget,
  ScheduleTrigger,
  Trigger,
  WebsocketRoute,
} from "../triggers.ts";
import { isTextType } from "./binding-types.ts";
import { checkInner, checkOuter, portsAmong, type Values } from "./check-middleware.ts";
import { valueSource } from "./middleware-ports.ts";
import { checkBinding, checkErrorCases, PortCheck } from "./port-check.ts";
import type { TargetPorts } from "./targets.ts";

/** What is wrong with the ports that a trigger fills; `portsOf` undefined: not known, nothing is said of them. */
export function checkTriggerPorts(
  trigger: Trigger,
  portsOf: (target: OperationTarget) => TargetPorts | undefined,
): readonly Diagnostic[] {
  const mistakes = new Mistakes();
  switch (trigger.kind) {
    case "http": {
      const outer = checkOuter(trigger, portsOf, mistakes);
      for (const route of trigger.routes) {
        const values = checkInner(route, outer, portsOf, mistakes);
        if (route.kind !== "operation" && route.kind !== "websocket") continue;
        const ports = portsOf(route.target);
        if (ports !== undefined)
          checkRoute(route, values, portsAmong(route.before, portsOf), new PortCheck(route.target, ports, mistakes));
      }
      break;
    }
    case "cli": {
      const ports = trigger.runs.kind === "operation" ? portsOf(trigger.runs.target) : undefined;
      if (ports !== undefined && trigger.runs.kind === "operation")
        checkCli(trigger, new PortCheck(trigger.runs.target, ports, mistakes));
      break;
    }
    case "schedule": {
      const ports = portsOf(trigger.target);
      if (ports !== undefined) checkSchedule(trigger, new PortCheck(trigger.target, ports, mistakes));
    }
  }
  return mistakes.list();
}

/** `elsewhere`: input ports of its middleware, which may take parameters of the path, too. */
function checkRoute(
  route: OperationRoute | WebsocketRoute,
  values: Values,
  elsewhere: ReadonlySet<string>,
  check: PortCheck,
): void {
  for (const segment of route.path) {
    if (segment.kind !== "parameter" && segment.kind !== "rest") continue;
    const { port } = segment.binding;
    if (elsewhere.has(port) && !check.ports.inputs.some(({ name }) => name === port)) continue;
    checkBinding(segment.binding, segment.kind === "rest" ? "rest" : "path", check);
  }
  for (const binding of route.query) checkBinding(binding, "query", check);
  for (const binding of route.headers) checkBinding(binding, "header", check);
  for (const binding of route.cookies) checkBinding(binding, "cookie", check);
  if (route.kind === "websocket") {
    if (route.in !== undefined) check.fill(route.in.port, route.in.span);
    if (route.out !== undefined) check.output(route.out.port, route.out.span);
    fillByValues(values, check);
    // The port that takes the messages is told by its type, which only streams have; those the manifest cannot declare yet.
    return;
  }
  checkBody(route.body, check);
  fillByValues(values, check);
  // What a middleware gives may not be known yet.
  if (route.body.kind !== "fields" && values !== undefined) check.unfilled((port, type) => unfilledCure(port, type, route));
  checkAnswer(route, check);
}

/** Ports that nothing else fills take what a middleware gives under their name. */
function fillByValues(values: Values, check: PortCheck): void {
  for (const { name, type } of check.ports.inputs) {
    const given = values?.get(name);
    if (given === undefined || check.isFilled(name)) continue;
    const source = type === undefined ? undefined : valueSource(name, given, type);
    const { span } = check.target;
    if (source !== undefined && "message" in source)
      check.mistakes.error("manifest/type-mismatch", span, `${check.label}: ${source.message}`, source.cure);
    check.fill(name, span);
  }
}

function unfilledCure(port: string, type: ValType, { body, pathText }: OperationRoute): string {
  const query = isTextType(type, "query") ? `Take it from the query, \`?${port}\`` : undefined;
  if (query === undefined)
    return body.kind === "whole"
      ? "Let `body` fill several ports by `fields`, or give the port a `default`."
      : "Take it from the body, with `POST` or `PUT`, or give the port a `default`.";
  const path =
    isTextType(type, "path") && pathText.length < 60 ? `, or the path, \`${pathText === "/" ? "" : pathText}/{${port}}\`` : "";
  return `${query}${path}, or ${body.kind === "whole" ? "let `body` fill several ports by `fields`" : "give the port a `default`"}.`;
}

function checkBody(body: BodyBinding, check: PortCheck): void {
  if (body.kind === "whole") check.fill(body.port, body.span);
  if (body.kind === "fields") for (const field of body.fields) checkBinding(field, "field", check);
}

function checkAnswer({ answer }: OperationRoute, check: PortCheck): void {
  if (answer.body !== undefined) check.output(answer.body.port, answer.body.span);
  for (const header of answer.headers) check.output(header.port, header.span);
  checkErrorCases(answer.errors, check);
}

function checkCli(trigger: CliTrigger, check: PortCheck): void {
  for (const { port, span } of trigger.arguments) check.fill(port, span);
  if (trigger.stdin !== undefined) check.fill(trigger.stdin.port, trigger.stdin.span);
  const names = new Set(check.ports.inputs.map(({ name }) => name));
  for (const { port, span } of trigger.short) if (!names.has(port)) check.fill(port, span);
}

function checkSchedule({ input, target }: ScheduleTrigger, check: PortCheck): void {
  for (const { name, value, span, valueSpan } of input) {
    const port = check.fill(name, span);
    const problem = port?.type === undefined || !hasJson(port.type) ? undefined : jsonProblem(port.type, value);
    if (problem !== undefined)
      check.mistakes.error(
        "manifest/bad-value",
        valueSpan,
        `the input port \`${name}\` of ${check.label}: ${problem.message}`,
        problem.cure,
      );
  }
  check.unfilled(
    (port) => `Add \`input: { ${port}: … }\` to the schedule, or give the port of \`${target.operation}\` a \`default\`.`,
  );
}
