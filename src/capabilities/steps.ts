// Work in steps, each of which may answer at once or later: written once, it runs without a promise where nothing waits, and
// suspends where something does.

import type { Maybe } from "../engine/async/maybe.ts";

/** A generator that hands out the promises it waits for. */
export type Steps<T> = Generator<Promise<unknown>, T, unknown>;

/** Inside steps: the value, now or later. */
export function* later<T>(value: Maybe<T>): Steps<T> {
  return value instanceof Promise ? ((yield value) as T) : value;
}

/** Runs steps to their end: the result at once where nothing waited. */
export function run<T>(steps: Steps<T>): Maybe<T> {
  const first = steps.next();
  return first.done === true ? first.value : drive(steps, first.value);
}

async function drive<T>(steps: Steps<T>, first: Promise<unknown>): Promise<T> {
  let pending = first;
  for (;;) {
    let next: IteratorResult<Promise<unknown>, T>;
    try {
      const value = await pending;
      next = steps.next(value);
    } catch (error) {
      // An error of the steps themselves has ended them: throwing it into them gives it back.
      next = steps.throw(error);
    }
    if (next.done === true) return next.value;
    pending = next.value;
  }
}
