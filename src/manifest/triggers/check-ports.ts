// Holds what triggers bind against the ports of their operations: every bound port is there, of a type that fits, filled once; every port that needs a
// value gets one. Done by `parseManifest` for ports that the manifest declares, and to be done for the others once they are known.

import type { Diagnostic, Span } from "../../base/diagnostics.ts";
import { assignable, needsStreams } from "../../wit/assignable.ts";
import { printType } from "../../wit/type-text.ts";
import type { ValType } from "../../wit/types.ts";
import { listed, meant, Mistakes, named } from "../mistakes.ts";
import { hasJson, jsonProblem, meantName, withoutOption } from "../port-types.ts";
import type {
  Binding,
  BodyBinding,
  CliTrigger,
  OperationRoute,
  OperationTarget,
  ScheduleTrigger,
  Trigger,
  WebsocketRoute,
} from "../triggers.ts";
import { checkTextType, isTextType, type BindingPlace } from "./binding-types.ts";
import type { TargetPorts } from "./targets.ts";

/** What is wrong with the ports that a trigger fills; `portsOf` undefined: not known, nothing is said of them. */
export function checkTriggerPorts(
  trigger: Trigger,
  portsOf: (target: OperationTarget) => TargetPorts | undefined,
): readonly Diagnostic[] {
  const mistakes = new Mistakes();
  switch (trigger.kind) {
    case "http":
      for (const route of trigger.routes) {
        if (route.kind !== "operation" && route.kind !== "websocket") continue;
        const ports = portsOf(route.target);
        if (ports !== undefined) checkRoute(route, new PortCheck(route.target, ports, mistakes));
      }
      break;
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

type Input = TargetPorts["inputs"][number];

/** The ports of one operation, and which of them are filled. */
class PortCheck {
  readonly mistakes: Mistakes;
  readonly ports: TargetPorts;
  readonly target: OperationTarget;
  readonly #filled = new Set<string>();
  /** Probably meant by mistyped names: they are not also told to be without a value. */
  readonly #meant = new Set<string>();

  constructor(target: OperationTarget, ports: TargetPorts, mistakes: Mistakes) {
    this.target = target;
    this.ports = ports;
    this.mistakes = mistakes;
  }

  get label(): string {
    const { component, operation } = this.target;
    return component === undefined ? `\`${operation}\`` : `\`${component}::${operation}\``;
  }

  /** The port of that name, which is filled by this; undefined where it is not there. */
  fill(name: string, span: Span): Input | undefined {
    const port = this.ports.inputs.find((input) => input.name === name);
    if (port === undefined)
      return this.#unknown(
        name,
        span,
        "input",
        this.ports.inputs.map((input) => input.name),
      );
    if (this.#filled.has(name)) {
      const message = `the input port \`${name}\` of ${this.label} is filled twice`;
      this.mistakes.error("manifest/duplicate-name", span, message, "Remove one of them, or give it another port.");
    }
    this.#filled.add(name);
    return port;
  }

  output(name: string, span: Span): void {
    const { outputs } = this.ports;
    if (outputs !== undefined && !outputs.includes(name)) this.#unknown(name, span, "output", outputs);
  }

  #unknown(name: string, span: Span, way: string, names: readonly string[]): undefined {
    const cure = names.length === 0 ? `It has no ${way} ports.` : `Its ${way} ports are ${listed(names)}.`;
    const message = `the operation ${this.label} has no ${way} port ${named(name)}`;
    const probable = meant(name, names);
    if (probable !== undefined && way === "input") this.#meant.add(probable);
    this.mistakes.error("manifest/unknown-port", span, message, meantName(name, names, cure));
  }

  /** Reports the ports that need a value and have none. */
  unfilled(cure: (port: string, type: ValType) => string): void {
    for (const { name, type, hasDefault } of this.ports.inputs) {
      if (this.#filled.has(name) || this.#meant.has(name) || hasDefault || type === undefined || type.kind === "option") continue;
      const message = `nothing fills the input port \`${name}\` of ${this.label}, which needs a value`;
      this.mistakes.error("manifest/unfilled-port", this.target.span, message, cure(name, type));
    }
  }
}

function checkRoute(route: OperationRoute | WebsocketRoute, check: PortCheck): void {
  for (const segment of route.path) {
    if (segment.kind === "parameter") checkBinding(segment.binding, "path", check);
    if (segment.kind === "rest") checkBinding(segment.binding, "rest", check);
  }
  for (const binding of route.query) checkBinding(binding, "query", check);
  for (const binding of route.headers) checkBinding(binding, "header", check);
  for (const binding of route.cookies) checkBinding(binding, "cookie", check);
  if (route.kind === "websocket") {
    if (route.in !== undefined) check.fill(route.in.port, route.in.span);
    if (route.out !== undefined) check.output(route.out.port, route.out.span);
    // The port that takes the messages is told by its type, which only streams have; those the manifest cannot declare yet.
    return;
  }
  checkBody(route.body, check);
  if (route.body.kind !== "fields") check.unfilled((port, type) => unfilledCure(port, type, route));
  checkAnswer(route, check);
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

const WHERE: Readonly<Record<BindingPlace, string>> = {
  path: "the path parameter",
  rest: "the path parameter",
  query: "the query parameter",
  header: "the header",
  cookie: "the cookie",
  field: "the field",
};

function checkBinding(
  { name, port: portName, type, default: given, span }: Binding,
  place: BindingPlace,
  check: PortCheck,
): void {
  const port = check.fill(portName, span);
  if (port?.type === undefined) return;
  const { mistakes } = check;
  if (type === undefined) {
    const isGood = checkTextType(port.type, place, `the port \`${portName}\``, span, mistakes);
    const problem = given === undefined || !isGood || !hasJson(port.type) ? undefined : jsonProblem(port.type, given);
    if (problem !== undefined)
      mistakes.error(
        "manifest/bad-default",
        span,
        `the default of ${WHERE[place]} ${named(name)} does not fit the port: ${problem.message}`,
        problem.cure,
      );
    return;
  }
  // With a default an option is never none.
  const from = given === undefined ? type : withoutOption(type);
  const conversion = assignable(from, port.type);
  if (conversion !== undefined && !needsStreams(conversion)) return;
  const shown = printType(port.type, 60);
  const message = `${WHERE[place]} ${named(name)} is of the type \`${printType(type, 60)}\`, but the port \`${portName}\` of ${check.label} takes \`${shown}\``;
  mistakes.error("manifest/type-mismatch", span, message, `Write \`${shown}\`, or leave the type out.`);
}

function checkBody(body: BodyBinding, check: PortCheck): void {
  if (body.kind === "whole") check.fill(body.port, body.span);
  if (body.kind === "fields") for (const field of body.fields) checkBinding(field, "field", check);
}

function checkAnswer({ answer }: OperationRoute, check: PortCheck): void {
  if (answer.body !== undefined) check.output(answer.body.port, answer.body.span);
  for (const header of answer.headers) check.output(header.port, header.span);
  const { errorCases } = check.ports;
  if (errorCases === undefined) return;
  for (const { case: name, span: place } of answer.errors) {
    if (name === "*" || errorCases.includes(name)) continue;
    const message = `the error of ${check.label} has no case ${named(name)}`;
    check.mistakes.error(
      "manifest/bad-value",
      place,
      message,
      meantName(name, errorCases, `Its cases are ${listed(errorCases)}.`),
    );
  }
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
