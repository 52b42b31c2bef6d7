// What a trigger runs: `welcome`, an operation of the app, or `orders::find`, one of a component. And the ports it has, as far as they are known.

import type { Span } from "../../base/diagnostics.ts";
import { isLabel } from "../../wit/labels.ts";
import type { ValType } from "../../wit/types.ts";
import type { OperationDeclaration } from "../manifest.ts";
import { listed, named, quoted, type Mistakes } from "../mistakes.ts";
import { meantName, type DeclaredTypes } from "../port-types.ts";
import type { ReferenceScope } from "../references.ts";
import type { TextTree } from "../tree.ts";
import type { Middleware, OperationTarget, Trigger } from "../triggers.ts";

/** What triggers are held against. */
export interface TriggerSurroundings {
  readonly operations: readonly OperationDeclaration[];
  /** All names, also of those that have mistakes. */
  readonly operationNames: readonly string[];
  readonly componentNames: readonly string[];
  readonly types: DeclaredTypes;
  readonly scope: ReferenceScope;
  readonly mistakes: Mistakes;
}

/** What is known of the operation that a trigger runs. */
export interface TargetPorts {
  readonly inputs: readonly { readonly name: string; readonly type?: ValType | undefined; readonly hasDefault: boolean }[];
  /** Undefined where they are not known. */
  readonly outputs?: readonly string[] | undefined;
  /** Undefined where it is not known whether there is one. */
  readonly result?: { readonly type: ValType | undefined } | undefined;
  /** The cases of its error result; undefined where they are not known, or it has no cases. */
  readonly errorCases?: readonly string[] | undefined;
}

/** The ports that a manifest alone tells: those of its own operations that declare them. */
export function declaredPorts(operations: readonly OperationDeclaration[]): (target: OperationTarget) => TargetPorts | undefined {
  return ({ component, operation }) => {
    const found = component === undefined ? operations.find(({ name }) => name === operation) : undefined;
    if (found?.input === undefined) return undefined;
    const inputs = found.input.map(({ name, type, default: given }) => ({ name, type, hasDefault: given !== undefined }));
    return { inputs, outputs: found.output?.map(({ name }) => name) };
  };
}

/** Every operation that a trigger may run: its targets and its middleware. */
export function targetsOf(trigger: Trigger): readonly OperationTarget[] {
  if (trigger.kind === "schedule") return [trigger.target];
  if (trigger.kind === "cli") return trigger.runs.kind === "operation" ? [trigger.runs.target] : [];
  const around = (middleware: readonly Middleware[]): readonly OperationTarget[] =>
    middleware.flatMap((item) => (item.kind === "operation" ? [item.target] : []));
  return [
    ...around(trigger.before),
    ...around(trigger.after),
    ...trigger.routes.flatMap((route) => [
      ...around(route.before),
      ...around(route.after),
      ...(route.kind === "operation" || route.kind === "websocket" ? [route.target] : []),
    ]),
  ];
}

/** Every component that a trigger uses as a whole: `wasi:http` and `wasi:cli` ones. */
export function componentsOf(trigger: Trigger): readonly { readonly component: string; readonly span: Span }[] {
  if (trigger.kind === "schedule") return [];
  if (trigger.kind === "cli") return trigger.runs.kind === "component" ? [trigger.runs] : [];
  const around = [trigger, ...trigger.routes].flatMap(({ before, after }) => [...before, ...after]);
  return [...around.filter((item) => item.kind === "component"), ...trigger.routes.filter((route) => route.kind === "component")];
}

const TARGET = /^(?:([^:]*)::)?(?:([^#]*)#)?([^#]*)$/;
const INTERFACE = /^[A-Za-z0-9:/@.+-]{1,256}$/;

/** The operation that a range of a text names. */
export function readTarget(
  tree: TextTree,
  around: TriggerSurroundings,
  start = 0,
  end = tree.value.length,
): OperationTarget | undefined {
  const text = tree.value.slice(start, end);
  const span = tree.place(start, end);
  const [, component, iface, operation = ""] = TARGET.exec(text) ?? [];
  const isGood =
    isLabel(operation) &&
    (component === undefined ? iface === undefined : isLabel(component)) &&
    (iface === undefined || INTERFACE.test(iface));
  if (!isGood) {
    const message = text === "" ? "no operation is named here" : `${quoted(text)} names no operation`;
    const cure = "Write the name of an operation of this app, or `component::operation`.";
    around.mistakes.error("manifest/bad-uses", span, message, cure);
    return undefined;
  }
  if (component === undefined) return isOwn(operation, span, around) ? { operation, span } : undefined;
  if (component === "core") {
    const cure = "Use it in a flow, and name the operation of that flow here.";
    around.mistakes.error("manifest/bad-uses", span, "operations of `core` run inside flows only", cure);
    return undefined;
  }
  if (!isComponentName(component, tree.place(start, start + component.length), around)) return undefined;
  return { component, interface: iface, operation, span };
}

function isOwn(operation: string, span: Span, { operationNames, componentNames, mistakes }: TriggerSurroundings): boolean {
  if (operationNames.includes(operation)) return true;
  const known = operationNames.length === 0 ? "The app declares no operations." : `The operations are ${listed(operationNames)}.`;
  const cure = componentNames.includes(operation)
    ? `It is a component: write \`${operation}::OPERATION\`, or \`component: ${operation}\` where it answers HTTP requests itself.`
    : meantName(operation, operationNames, `${known} Those of components are written \`component::operation\`.`);
  mistakes.error("manifest/unknown-operation", span, `there is no operation ${named(operation)}`, cure);
  return false;
}

/** Whether a component is declared. */
export function isComponentName(name: string, span: Span, { componentNames, mistakes }: TriggerSurroundings): boolean {
  if (componentNames.includes(name)) return true;
  const known =
    componentNames.length === 0
      ? "Name it under `components:`."
      : `The components are ${listed(componentNames)}; name others under \`components:\`.`;
  const message = `there is no component ${named(name)}`;
  mistakes.error("manifest/unknown-component", span, message, meantName(name, componentNames, known));
  return false;
}
