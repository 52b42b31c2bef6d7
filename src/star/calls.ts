// Imports of a component that another component of the app answers (`calls:` of its grants). Checked when the app is loaded: every
// function that is imported has to be there, with the same types. The callee runs in the transaction of its caller.

import { StarlaneError } from "../base/errors.ts";
import type { Binding, CapabilityTransaction, ConfiguredCapability } from "../capabilities/capability.ts";
import type { ComponentFunction, Imports } from "../engine/engine.ts";
import { mayWait } from "../engine/may-wait.ts";
import type { Transaction } from "../flow/flow.ts";
import { equalTypes } from "../wit/equal-types.ts";
import { printType } from "../wit/type-text.ts";
import type { FuncType, NamedExtern, ValType } from "../wit/types.ts";
import type { LoadedComponent, Operation } from "./app.ts";
import type { CallRecorder } from "./record/recording.ts";
import type { Host } from "./transaction.ts";

/** What a guest's imports may know of the call that they are part of. */
export interface GuestTransaction extends CapabilityTransaction {
  readonly scope: Transaction;
  readonly host: Host;
  readonly path: string | undefined;
  /** How often the node at that path was called before. */
  readonly count: number;
  /** What writes down what this call sees, set when it begins. */
  recorder?: CallRecorder | undefined;
}

export interface CallBinding {
  /** As the component imports it. */
  readonly import: NamedExtern;
  readonly component: string;
  readonly callee: LoadedComponent;
}

interface Answered {
  readonly importName: string;
  readonly name: string;
  readonly type: FuncType;
  readonly component: string;
  readonly operation: Operation;
}

/** @throws StarlaneError `grant/bad-value` with everything that does not fit */
export function answeredCalls(bindings: readonly CallBinding[]): ConfiguredCapability {
  const mistakes: string[] = [];
  const answered = bindings.flatMap((binding) => answersOf(binding, mistakes));
  if (mistakes.length > 0) {
    throw new StarlaneError(
      "grant/bad-value",
      `calls do not fit what answers them:\n${mistakes.map((line) => `  ${line}`).join("\n")}`,
      {
        cure: "Grant the import from a component that exports the same functions.",
      },
    );
  }
  return () => bind(answered);
}

function bind(answered: readonly Answered[]): Binding {
  let current: GuestTransaction | undefined;
  const imports: Record<string, Record<string, ComponentFunction>> = {};
  for (const one of answered) {
    const call: ComponentFunction = (...args) => {
      if (current === undefined)
        throw new StarlaneError(
          "grant/denied",
          `${one.importName}#${one.name} cannot be called while a component is initialized`,
        );
      return callOperation(one, args, current);
    };
    (imports[one.importName] ??= {})[one.name] = mayWait(call);
  }
  return {
    imports: imports as Imports,
    prepare(transaction) {
      current = transaction as GuestTransaction;
    },
    finish() {
      current = undefined;
    },
  };
}

function callOperation(
  { component, operation, type }: Answered,
  args: readonly unknown[],
  transaction: GuestTransaction,
): unknown {
  const { scope, host, path } = transaction;
  const inner = `${path ?? ""}${path === undefined ? "" : "/"}${component}::${operation.name}`;
  const fail = (error: unknown): never => {
    const own = typeof error === "object" && error !== null && "payload" in error ? { payload: error.payload } : undefined;
    // oxlint-disable-next-line only-throw-error -- how a host function answers with the error of its result
    throw own !== undefined && type.result?.kind === "result" ? own : error;
  };
  try {
    const answer = operation.call(args, scope, host, inner);
    return answer instanceof Promise ? answer.catch(fail) : answer;
  } catch (error) {
    return fail(error);
  }
}

function answersOf({ import: item, component, callee }: CallBinding, mistakes: string[]): Answered[] {
  if (item.type.kind !== "instance") {
    mistakes.push(`${item.name} is not an interface`);
    return [];
  }
  return item.type.exports.flatMap(({ name, type }) => {
    if (type.kind === "type") return [];
    if (type.kind !== "func" || name.startsWith("[")) {
      mistakes.push(
        `${item.name}#${name}: only plain functions can be calls, not ${type.kind === "func" ? "functions of resources" : `a ${type.kind}`}`,
      );
      return [];
    }
    const operation = operationFor(callee, item.name, name);
    const problem = operation === undefined ? `${component} has no operation for it` : misfit(type, operation);
    if (operation === undefined || problem !== undefined) {
      mistakes.push(`${item.name}#${name}: ${problem}`);
      return [];
    }
    return [{ importName: item.name, name, type, component, operation }];
  });
}

/** The function of the same interface, whatever its version; of an app, the operation of the same name. */
function operationFor(callee: LoadedComponent, interfaceName: string, name: string): Operation | undefined {
  const exact = callee.operations.get(`${interfaceName}#${name}`);
  if (exact !== undefined) return exact;
  const unversioned = interfaceName.replace(/@.*$/, "");
  const [only, ...others] = [...callee.operations.values()].filter(
    (operation) => operation.name.replace(/@[^#]*/, "") === `${unversioned}#${name}`,
  );
  return only !== undefined && others.length === 0 ? only : callee.operations.get(name);
}

function misfit(type: FuncType, { signature }: Operation): string | undefined {
  const [result, error] = type.result?.kind === "result" ? [type.result.ok, type.result.error] : [type.result, undefined];
  if (type.params.length !== signature.params.length) {
    return `takes ${type.params.length} parameters, and what answers it ${signature.params.length}`;
  }
  const different = type.params.findIndex((param, i) => !same(param.type, signature.params[i]?.type));
  if (different >= 0) {
    const [wanted, given] = [type.params[different], signature.params[different]];
    return `its parameter ${wanted?.name ?? ""} is \`${shown(wanted?.type)}\`, and what answers it takes \`${shown(given?.type)}\``;
  }
  if (!same(result, signature.result)) return `gives \`${shown(result)}\`, and what answers it \`${shown(signature.result)}\``;
  // A flow that can fail only as a whole stops its caller.
  if (signature.error !== undefined && !same(error, signature.error)) {
    return `fails with \`${shown(error)}\`, and what answers it with \`${shown(signature.error)}\``;
  }
  return undefined;
}

function same(a: ValType | undefined, b: ValType | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalTypes(a, b);
}

function shown(type: ValType | undefined): string {
  return type === undefined ? "nothing" : printType(type, 100);
}
