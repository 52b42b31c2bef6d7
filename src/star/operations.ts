// The operations of a component by name: from the functions a binary exports, and found again from what people write.

import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import type { Signature } from "../flow/flow.ts";
import type { OperationTarget } from "../manifest/triggers.ts";
import type { FuncType, WorldType } from "../wit/types.ts";
import type { Call, LoadedComponent, Operation, WasmOperation } from "./app.ts";

/** Functions of the world and of exported interfaces; methods and constructors of resources are no operations. */
export function operationsOf(
  type: WorldType,
  about: Pick<WasmOperation, "limits" | "recordedAs">,
  callOf: (name: string) => Call,
): Map<string, WasmOperation> {
  const operations = new Map<string, WasmOperation>();
  const add = (name: string, func: FuncType): void => {
    operations.set(name, { kind: "wasm", name, signature: signatureOf(func), ...about, call: callOf(name) });
  };
  for (const item of type.exports) {
    if (item.type.kind === "func" && !item.name.startsWith("[")) add(item.name, item.type);
    if (item.type.kind !== "instance") continue;
    for (const inner of item.type.exports) {
      if (inner.type.kind === "func" && !inner.name.startsWith("[")) add(`${item.name}#${inner.name}`, inner.type);
    }
  }
  return operations;
}

/** A WIT function as an operation: a `result` is split into what it gives and what it fails with. */
function signatureOf(func: FuncType): Signature {
  const { result } = func;
  const params = func.params.map((param) => ({ ...param, optional: param.type.kind === "option" }));
  if (result?.kind === "result") return { params, result: result.ok, error: result.error, async: func.async };
  return { params, result, async: func.async };
}

/** What has operations. */
export interface Offer {
  /** As people know it. */
  readonly file: string;
  readonly operations: ReadonlyMap<string, Operation>;
}

/** The operation that a trigger names: one of the app, or of one of its components. @throws StarlaneError `star/unknown-operation` */
export function operationOf<Own extends Offer & { readonly components: ReadonlyMap<string, LoadedComponent> }>(
  app: Own,
  { component, interface: interfaceName, operation }: OperationTarget,
): { readonly holder: Own | LoadedComponent; readonly operation: Operation } {
  const holder = component === undefined ? app : app.components.get(component);
  if (holder === undefined) throw new StarlaneError("star/unknown-operation", `there is no component ${component}`);
  return { holder, operation: findOperation(holder, interfaceName === undefined ? operation : `${interfaceName}#${operation}`) };
}

/**
 * The operation that a name means: its whole name, its name without version, package or interface, where only one fits.
 * @throws StarlaneError `star/unknown-operation`
 */
export function findOperation(component: Offer, name: string | undefined): Operation {
  const all = [...component.operations.values()];
  const [only] = all;
  if (only === undefined) throw new StarlaneError("star/unknown-operation", `${component.file} offers no operation`);
  if (name === undefined) {
    if (all.length === 1) return only;
    throw new StarlaneError("star/unknown-operation", `${component.file} offers ${all.length} operations: which one?`, {
      cure: `name one: ${listed(all)}`,
    });
  }
  const exact = component.operations.get(name);
  if (exact !== undefined) return exact;
  const matches = all.filter((operation) => shortForms(operation.name).includes(name));
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  if (matches.length > 1) {
    throw new StarlaneError(
      "star/unknown-operation",
      `${JSON.stringify(name)} could be ${matches.length} operations of ${component.file}`,
      {
        cure: `write which: ${matches.map((operation) => operation.name).join(", ")}`,
      },
    );
  }
  const meant = nearest(
    name,
    all.flatMap((operation) => [operation.name, ...shortForms(operation.name)]),
  );
  throw new StarlaneError("star/unknown-operation", `${component.file} has no operation ${JSON.stringify(name)}`, {
    cure: `${meant === undefined ? "" : `did you mean ${meant}? `}There ${all.length === 1 ? "is" : "are"}: ${listed(all)}`,
  });
}

const MOST_LISTED = 30;

function listed(operations: readonly Operation[]): string {
  const names = operations.slice(0, MOST_LISTED).map((operation) => shortName(operation, operations));
  return `${names.join(", ")}${operations.length > MOST_LISTED ? ` and ${operations.length - MOST_LISTED} more` : ""}`;
}

/** The shortest name that means only this operation. */
export function shortName(operation: Operation, all: Iterable<Operation>): string {
  const others = [...all].filter((other) => other.name !== operation.name);
  const forms = shortForms(operation.name);
  return (
    forms.find((form) => others.every((other) => other.name !== form && !shortForms(other.name).includes(form))) ?? operation.name
  );
}

/** `acme:text/case@1.0.0#upper`: `upper`, `case#upper`, `acme:text/case#upper`. */
function shortForms(name: string): string[] {
  const hash = name.indexOf("#");
  if (hash < 0) return [];
  const [interfaceName, functionName] = [name.slice(0, hash), name.slice(hash + 1)];
  const unversioned = interfaceName.replace(/@.*$/, "");
  const bare = unversioned.slice(unversioned.lastIndexOf("/") + 1);
  return [functionName, `${bare}#${functionName}`, `${unversioned}#${functionName}`];
}
