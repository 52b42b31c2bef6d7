// Several mistakes of one command line or input, reported together.

import { StarlaneError } from "../base/errors.ts";

/** Carries every mistake; code and message are those of the first. */
export class Mistakes extends StarlaneError {
  readonly errors: readonly StarlaneError[];

  constructor(first: StarlaneError, rest: readonly StarlaneError[]) {
    super(first.code, first.message, { at: first.at, cure: first.cure, cause: first.cause, data: first.data });
    this.errors = [first, ...rest];
  }
}

/** Throws one mistake as it is, several as `Mistakes`; returns where there are none. */
export function throwMistakes(errors: readonly StarlaneError[]): void {
  const [first, ...rest] = errors;
  if (first === undefined) return;
  throw rest.length === 0 ? first : new Mistakes(first, rest);
}
