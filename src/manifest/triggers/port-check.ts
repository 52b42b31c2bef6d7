// The ports of one operation, held against what a trigger fills them with.

import type { Span } from "../../base/diagnostics.ts";
import { assignable, needsStreams } from "../../wit/assignable.ts";
import { printType } from "../../wit/type-text.ts";
import type { ValType } from "../../wit/types.ts";
import { listed, meant, named, type Mistakes } from "../mistakes.ts";
import { hasJson, jsonProblem, meantName, withoutOption } from "../port-types.ts";
import type { Binding, OperationTarget } from "../triggers.ts";
import { checkTextType, type BindingPlace } from "./binding-types.ts";
import type { TargetPorts } from "./targets.ts";

export type Input = TargetPorts["inputs"][number];

/** The ports of one operation, and which of them are filled. */
export class PortCheck {
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

  isFilled(name: string): boolean {
    return this.#filled.has(name);
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

const WHERE: Readonly<Record<BindingPlace, string>> = {
  path: "the path parameter",
  rest: "the path parameter",
  query: "the query parameter",
  header: "the header",
  cookie: "the cookie",
  field: "the field",
};

/** One written binding: its port, its type and its default. */
export function checkBinding(
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

/** Whether the operation's own error has the cases that something is said about. */
export function checkErrorCases(errors: readonly { readonly case: string; readonly span: Span }[], check: PortCheck): void {
  const { errorCases } = check.ports;
  if (errorCases === undefined) return;
  for (const { case: name, span: place } of errors) {
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
