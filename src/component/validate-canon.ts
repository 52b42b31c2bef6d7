// Canonical definitions: lift, lower and task.return, checked against the component-level types they flatten
// (component-model Canonical ABI, canonical definitions). Each definition gives a func or a core func.

import { checkMemory, checkOptions, checkSignature, coreSignature } from "./canon-options.ts";
import type { Canon, CanonOf, CanonOptions } from "./component.ts";
import { flattenFunc } from "./flatten.ts";
import type { Scope } from "./scope.ts";
import type { FuncNode } from "./type-model.ts";
import { validateBuiltin } from "./validate-builtins.ts";
import { resolveVal } from "./validate-val-types.ts";

export function validateCanon(scope: Scope, canon: Canon): void {
  if (canon.kind === "lift") scope.funcs.push(validateLift(scope, canon));
  else if (canon.kind === "lower") addCoreFunc(scope, validateLower(scope, canon));
  else if (canon.kind === "task.return") addCoreFunc(scope, validateTaskReturn(scope, canon));
  else addCoreFunc(scope, validateBuiltin(scope, canon));
}

function addCoreFunc(scope: Scope, type: number): void {
  scope.factory.step();
  scope.coreItems.func.push({ kind: "func", type });
}

function validateLift(scope: Scope, canon: CanonOf<"lift">): FuncNode {
  const type = scope.type(canon.type);
  if (type.kind !== "func") throw scope.fail(`type ${canon.type} is not a function type`);
  const { options } = canon;
  const address = checkOptions(scope, options, "lift");
  const callee = coreSignature(scope, canon.func);
  if (options.async && !type.async) throw scope.fail("the canonical option `async` requires an async function type");
  if (options.async && options.postReturn !== undefined)
    throw scope.fail("the canonical options `async` and `post-return` exclude each other");
  const flat = flattenFunc(type, "lift", { async: options.async, callback: options.callback !== undefined, address });
  if (options.gc !== true) {
    const lifted = type.params.some((param) => param.type.info.pointer) || flat.paramsInMemory;
    checkMemory(scope, options, lifted || type.result?.info.pointer === true || flat.resultsInMemory, lifted);
    checkSignature(scope, callee, flat, "the lifted core func");
  }
  if (options.postReturn !== undefined) {
    checkSignature(
      scope,
      coreSignature(scope, options.postReturn),
      { params: callee.results, results: [] },
      "canonical option `post-return`",
    );
  }
  return type;
}

function validateLower(scope: Scope, canon: CanonOf<"lower">): number {
  const type = scope.func(canon.func);
  const { options } = canon;
  const address = checkOptions(scope, options, "lower");
  if (options.async && !type.async) throw scope.fail("the canonical option `async` requires an async function type");
  if (options.gc === true) return gcType(scope, options);
  const flat = flattenFunc(type, "lower", { async: options.async, callback: false, address });
  const lifted = type.result?.info.pointer === true;
  const pointers = lifted || type.params.some((param) => param.type.info.pointer);
  checkMemory(scope, options, pointers || flat.paramsInMemory || flat.resultsInMemory, lifted);
  return scope.factory.core.func(flat.params, flat.results);
}

/** Under the GC option a core func has the core type that is given. */
function gcType(scope: Scope, options: CanonOptions): number {
  const type = options.coreType === undefined ? undefined : scope.coreType(options.coreType);
  if (type?.kind !== "type") throw scope.fail("the canonical option `gc` requires `core-type` with a core func type");
  return type.id;
}

/** `task.return` takes the flat result of the task as parameters. */
function validateTaskReturn(scope: Scope, canon: CanonOf<"task.return">): number {
  const result = canon.result === undefined ? undefined : resolveVal(scope, canon.result);
  if (result?.info.borrow === true) throw scope.fail("the result of a task cannot contain a `borrow`");
  const { options } = canon;
  const address = checkOptions(scope, options, "task.return");
  const params = result === undefined ? [] : [{ name: "result", type: result }];
  const flat = flattenFunc({ params }, "lower", { async: false, callback: false, address });
  checkMemory(scope, options, result?.info.pointer === true || flat.paramsInMemory, false);
  return scope.factory.core.func(flat.params, flat.results);
}
