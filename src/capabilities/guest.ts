// What stands between a guest and the host functions it calls: names, sizes and rules are checked here, in one way everywhere.

import { StarlaneError } from "../base/errors.ts";
import { ComponentError } from "../engine/engine.ts";
import { mayWait } from "../engine/may-wait.ts";

type Resource = abstract new (...args: never[]) => object;

/**
 * An interface as the engine takes it. A guest declares the names that it imports, so nothing may be found under a name but what is
 * meant: neither `to-string` and `constructor`, which every JS object has, nor the `Function` behind a class. For interfaces made
 * once; those made for each instance are literals with `__proto__: null`, which is much faster.
 */
export function guestInterface<const Members extends object>(members: Members): Members {
  Object.setPrototypeOf(members, null);
  for (const member of Object.values(members)) if (isClass(member)) hideInherited(member);
  return Object.freeze(members);
}

function isClass(member: unknown): member is Resource {
  return typeof member === "function" && Object.hasOwn(member, "prototype");
}

function hideInherited(resource: Resource): void {
  Object.setPrototypeOf(resource, null);
  const prototype: unknown = resource.prototype;
  if (typeof prototype !== "object" || prototype === null) return;
  Object.setPrototypeOf(prototype, null);
  Reflect.deleteProperty(prototype, "constructor");
}

/**
 * The class of a resource that only the host makes, without a way for a guest to construct one out of values of its own. The
 * methods named in `waiting` may answer with a promise: then the result is a face of its own, for interfaces whose calls may wait,
 * and the class itself stays free for those whose calls never do.
 */
export function madeByHost<Made extends Resource>(resource: Made, waiting: readonly string[] = []): Made {
  const face = function (): never {
    throw misuse("this resource has no constructor");
  };
  const statics = Object.entries(Object.getOwnPropertyDescriptors(resource)).filter(
    ([name]) => !["length", "name", "prototype"].includes(name),
  );
  Object.defineProperties(face, Object.fromEntries(statics));
  const prototype = resource.prototype as object;
  Object.defineProperty(face, "prototype", {
    value: waiting.length === 0 ? prototype : markedMethods(prototype, waiting),
    writable: false,
  });
  if (waiting.length > 0) {
    // The objects are of the class, not of its face.
    Object.defineProperty(face, Symbol.hasInstance, { value: (value: unknown) => value instanceof resource });
  }
  return face as unknown as Made;
}

/** Methods like those of the class; those that may wait are marked. The engine calls the methods of the object itself. */
function markedMethods(prototype: object, waiting: readonly string[]): object {
  const marked = Object.create(null) as object;
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const method: unknown = property.value;
    if (name === "constructor" || typeof method !== "function") continue;
    const value = waiting.includes(name) ? markedMethod(method) : method;
    Object.defineProperty(marked, name, { value, configurable: true });
  }
  return marked;
}

// oxlint-disable-next-line typescript/no-unsafe-function-type -- any method of any class
function markedMethod(method: Function): unknown {
  const marked = mayWait(function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(method, this, args);
  });
  Object.defineProperty(marked, "length", { value: method.length });
  return marked;
}

/** The error result of an interface's own type: the guest goes on and can handle it. */
export function answerError(payload: unknown): ComponentError {
  return new ComponentError(payload);
}

/** Stops a guest that broke a rule of an interface (where WASI says "traps"). */
export function misuse(rule: string): StarlaneError {
  return new StarlaneError("capability/misuse", rule);
}

/** Stops a guest that waits for what cannot happen in this transaction; without this it would wait forever. */
export function neverReady(what: string): StarlaneError {
  return new StarlaneError("capability/never-ready", `the component waits for ${what}, which will never be ready`);
}

/** Stops a guest that asks for more than a capability hands out at once. */
export function tooMuch(what: string, limit: number): StarlaneError {
  return new StarlaneError("capability/limit", `the component asks for ${what}; the limit is ${limit}`, { data: { limit } });
}

/** A guest's u64 as a number no larger than `limit`: for "up to" lengths. The type is checked too: guests declare their own imports. */
export function atMost(length: bigint, limit: number): number {
  if (typeof length !== "bigint" || length < 0n) throw misuse("a length has to be a u64");
  return length > BigInt(limit) ? limit : Number(length);
}

/** A guest's u64 where all of it is meant. @throws StarlaneError `capability/limit` */
export function exactly(length: bigint, limit: number, what: string): number {
  const count = atMost(length, limit);
  if (BigInt(count) !== length) throw tooMuch(`${length} ${what}`, limit);
  return count;
}

/** A guest's `list<u8>`. */
export function bytesOf(contents: Uint8Array): Uint8Array {
  if (!(contents instanceof Uint8Array)) throw misuse("contents have to be a list<u8>");
  return contents;
}
