// Whether what triggers start is there: operations with the ports that are filled, and components that can be served or run.

import type { Diagnostic, Span } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { checkTriggerPorts } from "../manifest/triggers/check-ports.ts";
import { componentsOf, type TargetPorts, targetsOf } from "../manifest/triggers/targets.ts";
import type { OperationTarget, Trigger } from "../manifest/triggers.ts";
import type { ValType } from "../wit/types.ts";
import type { AppOperation, LoadedComponent, Operation } from "./app.ts";
import { findOperation } from "./operations.ts";

/** What an app offers to its triggers. */
export interface Offered {
  readonly file: string;
  readonly operations: ReadonlyMap<string, AppOperation>;
  readonly components: ReadonlyMap<string, LoadedComponent>;
}

export function checkTriggers(triggers: readonly Trigger[], offered: Offered): Diagnostic[] {
  return triggers.flatMap((trigger) => {
    const mistakes: Diagnostic[] = [];
    for (const target of targetsOf(trigger)) {
      const found = operationFor(target, offered);
      if (found instanceof StarlaneError) mistakes.push(mistake(found, target.span));
    }
    for (const { component, span } of componentsOf(trigger))
      mistakes.push(...componentMistakes(trigger, component, span, offered));
    mistakes.push(...plannedMiddleware(trigger));
    if (mistakes.length > 0) return mistakes;
    return checkTriggerPorts(trigger, (target) => {
      const operation = operationFor(target, offered);
      return operation instanceof StarlaneError ? undefined : portsOf(operation);
    });
  });
}

function plannedMiddleware(trigger: Trigger): Diagnostic[] {
  if (trigger.kind !== "http") return [];
  return [trigger, ...trigger.routes].flatMap(({ before, after, span }) =>
    before.length + after.length === 0
      ? []
      : [
          {
            code: "manifest/not-supported-yet",
            severity: "error",
            message: "middleware is planned, but not supported yet",
            span,
            cure: "Remove `before` and `after`; let the operation itself look at the request.",
          },
        ],
  );
}

function operationFor(
  { component, interface: interfaceName, operation }: OperationTarget,
  offered: Offered,
): Operation | StarlaneError {
  const own = component === undefined ? offered.operations.get(operation) : undefined;
  if (own !== undefined) return own;
  const holder = component === undefined ? undefined : offered.components.get(component);
  const wanted = interfaceName === undefined ? operation : `${interfaceName}#${operation}`;
  if (holder === undefined) return new StarlaneError("star/unknown-operation", `there is no operation ${wanted}`);
  try {
    return findOperation(holder, wanted);
  } catch (error) {
    if (error instanceof StarlaneError) return error;
    throw error;
  }
}

function portsOf(operation: Operation): TargetPorts {
  const { params, result, error } = operation.signature;
  const declared = operation.kind === "flow" ? operation.declaration.input : undefined;
  const hasDefault = (port: string): boolean =>
    declared?.some(({ name, default: value }) => name === port && value !== undefined) === true;
  return {
    inputs: params.map(({ name, type, optional }) => ({ name, type, hasDefault: optional || hasDefault(name) })),
    outputs: operation.kind === "flow" && result?.kind === "record" ? result.fields.map(({ name }) => name) : undefined,
    errorCases: error === undefined ? undefined : casesOf(error),
  };
}

function casesOf(error: ValType): readonly string[] | undefined {
  if (error.kind === "variant") return error.cases.map(({ name }) => name);
  return error.kind === "enum" ? error.labels : undefined;
}

const HANDLER = /^wasi:http\/(?:handler@0\.3|incoming-handler@0\.2)\.\d+#handle$/;
const COMMAND = /^wasi:cli\/run@[^#]*#run$/;

function componentMistakes(trigger: Trigger, name: string, span: Span, { components }: Offered): Diagnostic[] {
  const component = components.get(name);
  if (component === undefined) return [];
  const [needed, what] =
    trigger.kind === "cli" ? [COMMAND, "wasi:cli/run"] : [HANDLER, "wasi:http/handler or wasi:http/incoming-handler"];
  if ([...component.operations.keys()].some((operation) => needed.test(operation))) return [];
  const cure = `Name one of its operations, \`${name}::OPERATION\`, or a component that exports ${what}.`;
  return [{ code: "manifest/bad-value", severity: "error", message: `${name} does not export ${what}`, span, cure }];
}

function mistake({ code, message, cure }: StarlaneError, span: Span): Diagnostic {
  return { code, severity: "error", message, span, cure };
}
