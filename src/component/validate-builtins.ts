// The canonical built-ins: what each requires, and the core signature that it gets.

import { checkElement, checkMemory, checkOptions, memoryAddress } from "./canon-options.ts";
import type { Canon, CanonOf, CoreValType } from "./component.ts";
import type { Scope } from "./scope.ts";
import type { ValNode } from "./type-model.ts";

export type Builtin = Exclude<Canon, { kind: "lift" | "lower" | "task.return" }>;

type Signature = readonly [params: readonly CoreValType[], results: readonly CoreValType[]];

/** The core type number of the core func that a built-in defines. */
export function validateBuiltin(scope: Scope, canon: Builtin): number {
  const [params, results] = isFixed(canon) ? FIXED[canon.kind] : signatureOf(scope, canon);
  return scope.factory.core.func(params, results);
}

/** Built-ins that require nothing and always have the same signature. */
const FIXED = {
  "backpressure.inc": [[], []],
  "backpressure.dec": [[], []],
  "task.cancel": [[], []],
  "subtask.drop": [["i32"], []],
  "subtask.cancel": [["i32"], ["i32"]],
  "error-context.drop": [["i32"], []],
  "waitable-set.new": [[], ["i32"]],
  "waitable-set.drop": [["i32"], []],
  "waitable.join": [["i32", "i32"], []],
  "thread.index": [[], ["i32"]],
  "thread.resume-later": [["i32"], []],
  "thread.suspend": [[], ["i32"]],
  "thread.yield": [[], ["i32"]],
  "thread.suspend-then-resume": [["i32"], ["i32"]],
  "thread.yield-then-resume": [["i32"], ["i32"]],
  "thread.suspend-then-promote": [["i32"], ["i32"]],
  "thread.yield-then-promote": [["i32"], ["i32"]],
  "thread.available-parallelism": [[], ["i32"]],
} as const satisfies Partial<Record<Builtin["kind"], Signature>>;

function isFixed(canon: Builtin): canon is Extract<Builtin, { kind: keyof typeof FIXED }> {
  return Object.hasOwn(FIXED, canon.kind);
}

function signatureOf(scope: Scope, canon: Exclude<Builtin, { kind: keyof typeof FIXED }>): Signature {
  switch (canon.kind) {
    case "resource.new":
      return [[localRep(scope, canon.type)], ["i32"]];
    case "resource.rep":
      return [["i32"], [localRep(scope, canon.type)]];
    case "resource.drop":
      scope.resourceType(canon.type);
      return [["i32"], []];
    case "waitable-set.wait":
    case "waitable-set.poll":
      return [["i32", memoryAddress(scope, canon.memory)], ["i32"]];
    case "context.get":
      return [[], [contextType(scope, canon)]];
    case "context.set":
      return [[contextType(scope, canon)], []];
    case "error-context.new":
    case "error-context.debug-message":
      return errorContext(scope, canon);
    case "stream.new":
    case "future.new":
      checkChannel(scope, canon);
      return [[], ["i64"]];
    case "stream.read":
    case "stream.write":
    case "future.read":
    case "future.write":
      return copy(scope, canon);
    case "stream.cancel-read":
    case "stream.cancel-write":
    case "future.cancel-read":
    case "future.cancel-write":
      checkChannel(scope, canon);
      return [["i32"], ["i32"]];
    case "stream.drop-readable":
    case "stream.drop-writable":
    case "future.drop-readable":
    case "future.drop-writable":
      checkChannel(scope, canon);
      return [["i32"], []];
    case "thread.new-indirect":
    case "thread.spawn-indirect":
      return threadFromTable(scope, canon);
    case "thread.spawn-ref":
      return [[{ nullable: true, heap: threadStart(scope, canon.type).id }, threadStart(scope, canon.type).argument], ["i32"]];
  }
}

/** How a resource that this component itself defines is represented. */
function localRep(scope: Scope, index: number): "i32" | "i64" {
  const rep = scope.localResources.get(scope.resourceType(index).resource);
  if (rep === undefined)
    throw scope.fail(`type ${index} is not a local resource: only the component that defines it can do this`);
  return rep;
}

const CONTEXT_VALUES = 2;

function contextType(scope: Scope, canon: CanonOf<"context.get" | "context.set">): CoreValType {
  if (canon.index >= CONTEXT_VALUES) throw scope.fail(`there is no context value ${canon.index}: a thread has ${CONTEXT_VALUES}`);
  scope.contextType ??= canon.type;
  if (scope.contextType !== canon.type) throw scope.fail("all context values of a component must have the same type");
  return canon.type;
}

function errorContext(scope: Scope, canon: CanonOf<"error-context.new" | "error-context.debug-message">): Signature {
  const address = checkOptions(scope, canon.options, "error-context");
  const isNew = canon.kind === "error-context.new";
  checkMemory(scope, canon.options, true, !isNew);
  return isNew ? [[address, address], ["i32"]] : [["i32", address], []];
}

type Channel = Extract<Builtin, { kind: `stream.${string}` | `future.${string}` }>;

/** Checks that the type of a stream or future built-in is one, and gives it. */
function checkChannel(scope: Scope, canon: Channel): { readonly element?: ValNode | undefined } {
  const wanted = canon.kind.startsWith("stream") ? "stream" : "future";
  const type = scope.type(canon.type);
  if (type.kind !== "value" || type.shape.kind !== wanted)
    throw scope.fail(`${canon.kind}: type ${canon.type} is not a ${wanted} type`);
  return type.shape;
}

function copy(scope: Scope, canon: CanonOf<"stream.read" | "stream.write" | "future.read" | "future.write">): Signature {
  const address = checkOptions(scope, canon.options, "copy");
  const { element } = checkChannel(scope, canon);
  checkElement(scope, canon.options, element, canon.kind.endsWith("read") ? "in" : "out");
  return canon.kind.startsWith("stream") ? [["i32", address, address], [address]] : [["i32", address], ["i32"]];
}

/** A thread starts in a function that takes one address. */
function threadStart(scope: Scope, index: number): { readonly id: number; readonly argument: CoreValType } {
  const type = scope.coreType(index);
  const func = type.kind === "type" ? scope.factory.core.funcType(type.id) : undefined;
  const [argument] = func?.params ?? [];
  const fits = func?.params.length === 1 && func.results.length === 0 && (argument === "i32" || argument === "i64");
  if (type.kind !== "type" || !fits)
    throw scope.fail(`core type ${index} is no start of a thread: it must be a function from i32 to nothing`);
  return { id: type.id, argument };
}

function threadFromTable(scope: Scope, canon: CanonOf<"thread.new-indirect" | "thread.spawn-indirect">): Signature {
  const { argument } = threadStart(scope, canon.type);
  const table = scope.coreItem("table", canon.table);
  if (!scope.factory.core.valueMatches(table.element, { nullable: true, heap: "func" })) {
    throw scope.fail(`core table ${canon.table} does not hold functions`);
  }
  return [[table.limits.addressType, argument], ["i32"]];
}
