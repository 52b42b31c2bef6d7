// Whether what triggers start is there: operations with the ports that are filled, and components that can be served or run.

import type { Diagnostic, Span } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import { httpHandlerOf } from "../capabilities/http/handler.ts";
import { checkTriggerPorts } from "../manifest/triggers/check-ports.ts";
import { componentsOf, type TargetPorts, targetsOf } from "../manifest/triggers/targets.ts";
import type { OperationTarget, Trigger } from "../manifest/triggers.ts";
import type { ValType } from "../wit/types.ts";
import type { AppOperation, LoadedComponent, Operation } from "./app.ts";
import { importsHandler } from "./next-handler.ts";
import { operationOf } from "./operations.ts";

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
    if (mistakes.length > 0) return mistakes;
    return checkTriggerPorts(trigger, (target) => {
      const found = operationFor(target, offered);
      return found instanceof StarlaneError ? undefined : portsOf(found.operation, found.holder);
    });
  });
}

function operationFor(
  target: OperationTarget,
  offered: Offered,
): { readonly holder: Offered | LoadedComponent; readonly operation: Operation } | StarlaneError {
  try {
    return operationOf(offered, target);
  } catch (error) {
    if (error instanceof StarlaneError) return error;
    throw error;
  }
}

function portsOf(operation: Operation, holder: Offered | LoadedComponent): TargetPorts {
  const { params, result, error } = operation.signature;
  const declared = operation.kind === "flow" ? operation.declaration.input : undefined;
  const hasDefault = (port: string): boolean =>
    declared?.some(({ name, default: value }) => name === port && value !== undefined) === true;
  return {
    inputs: params.map(({ name, type, optional }) => ({ name, type, hasDefault: optional || hasDefault(name) })),
    outputs: operation.kind === "flow" && result?.kind === "record" ? result.fields.map(({ name }) => name) : undefined,
    result: { type: result },
    errorCases: operation.kind === "wasm" ? (error === undefined ? undefined : casesOf(error)) : flowCases(operation, holder),
  };
}

function casesOf(error: ValType): readonly string[] | undefined {
  if (error.kind === "variant") return error.cases.map(({ name }) => name);
  return error.kind === "enum" ? error.labels : undefined;
}

/** A flow fails with the error of any of its nodes, through flows inside flows. Undefined where one of them has no cases. */
function flowCases({ flow }: AppOperation, holder: Offered | LoadedComponent): readonly string[] | undefined {
  const cases = new Set<string>();
  for (const { component, operation, signature, caught } of flow.nodes) {
    const inner = "components" in holder ? holder.components.get(component) : undefined;
    const used = inner?.operations.get(operation);
    if (caught) continue;
    const { error } = signature;
    const found =
      used?.kind === "flow" && inner !== undefined ? flowCases(used, inner) : error === undefined ? [] : casesOf(error);
    if (found === undefined) return undefined;
    for (const name of found) cases.add(name);
  }
  return [...cases];
}

const COMMAND = /^wasi:cli\/run@[^#]*#run$/;

function componentMistakes(trigger: Trigger, name: string, span: Span, { components }: Offered): Diagnostic[] {
  const component = components.get(name);
  if (component === undefined) return [];
  const wrong = (message: string, cure: string): Diagnostic[] => [
    { code: "manifest/bad-value", severity: "error", message, span, cure },
  ];
  const exported = [...component.operations.keys()];
  if (trigger.kind === "cli") {
    if (exported.some((operation) => COMMAND.test(operation))) return [];
    return wrong(
      `${name} does not export wasi:cli/run`,
      `Name one of its operations, \`${name}::OPERATION\`, or a component that exports wasi:cli/run.`,
    );
  }
  const handler = httpHandlerOf(exported);
  const isMiddleware =
    trigger.kind === "http" &&
    [trigger, ...trigger.routes].some(({ before }) => before.some((item) => item.kind === "component" && item.span === span));
  if (isMiddleware) {
    if (handler?.version === "0.3" && component.kind === "wasm" && importsHandler(component.type)) return [];
    return wrong(
      handler?.version === "0.3"
        ? `${name} answers every request itself: it does not import wasi:http/handler, so nothing behind it would be reached`
        : `${name} is no wasi:http middleware component`,
      "Use a component that exports and imports wasi:http/handler@0.3, or an operation, `component::operation`.",
    );
  }
  if (handler !== undefined) return [];
  const what = "wasi:http/handler or wasi:http/incoming-handler";
  return wrong(
    `${name} does not export ${what}`,
    `Name one of its operations, \`${name}::OPERATION\`, or a component that exports ${what}.`,
  );
}

function mistake({ code, message, cure }: StarlaneError, span: Span): Diagnostic {
  return { code, severity: "error", message, span, cure };
}
