// Calls that are begun as an attempt: plainly, as if nothing of them could wait or take long. Where one has to, nothing of it has
// reached the outside yet: it is put back, and begun again on a stack that can be suspended.

import { StarlaneError } from "../base/errors.ts";
import { stopWith } from "./trap.ts";

/** What an attempt ends with that cannot go on. */
export const RESTART = new StarlaneError("starlane/internal", "a call that could not go on was not begun again");

/** Ends the attempt. */
export function beginAnew(): never {
  return stopWith(RESTART);
}

const final = new WeakSet<object>();

type AnyFunction = (...args: never[]) => unknown;

/** Marks a function (or a method of a class) that reaches the outside: an attempt ends in front of it. */
export function cannotBeUndone<F extends AnyFunction>(f: F): F {
  final.add(f);
  return f;
}

export function isFinal(f: unknown): boolean {
  return typeof f === "function" && final.has(f);
}

/** The method of an object given as an argument that answers with one like it, as it was before the call. */
export const ANEW: unique symbol = Symbol("anew");

interface Renewable {
  [ANEW](): object;
}

function isRenewable(value: object): value is Renewable {
  return ANEW in value;
}

/** Whether a call with these arguments can be begun twice: what a guest may change or use up has to be made anew. */
export function canBeginAgain(args: readonly unknown[]): boolean {
  return args.every((arg) => typeof arg !== "object" || arg === null || isRenewable(arg));
}

export function renewed(args: readonly unknown[]): readonly unknown[] {
  return args.map((arg) => (typeof arg === "object" && arg !== null && isRenewable(arg) ? arg[ANEW]() : arg));
}
