// Functions of the host that may answer later. A guest that calls one is suspended until the answer is there, also where its own
// type is synchronous: for the guest the call just takes its time. Such a guest runs on stacks that can be suspended.

import type { Imports } from "./engine.ts";

const waiting = new WeakSet<object>();

type AnyFunction = (...args: never[]) => unknown;

/** Marks a function (or a method of a class) that may answer with a promise, for imports whose type is synchronous. */
export function mayWait<F extends AnyFunction>(f: F): F {
  waiting.add(f);
  return f;
}

export function isMarked(f: unknown): boolean {
  return typeof f === "function" && waiting.has(f);
}

/** Whether any function among the imports is marked: in an interface, or a method of one of its classes. */
export function anyMayWait(imports: Imports): boolean {
  return Object.values(imports).some(
    (value) => isMarked(value) || members(value).some((one) => isMarked(one) || isMarkedClass(one)),
  );
}

function isMarkedClass(value: unknown): boolean {
  return typeof value === "function" && [...members(value), ...members(value.prototype)].some(isMarked);
}

function members(value: unknown): unknown[] {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return [];
  return Object.values(Object.getOwnPropertyDescriptors(value)).flatMap((property) =>
    "value" in property ? [property.value as unknown] : [],
  );
}
