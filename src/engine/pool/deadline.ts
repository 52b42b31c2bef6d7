// The time at which a transaction is over.

import { StarlaneError } from "../../base/errors.ts";

const LONGEST_TIMER = 2 ** 31 - 1;

/** Runs something at a time in milliseconds since 1970; never where there is none. Gives a function that calls it off. */
export function atDeadline(deadline: number | undefined, run: () => void): () => void {
  if (deadline === undefined || deadline === Infinity) return () => undefined;
  let timer: unknown;
  const wait = (): void => {
    const left = deadline - Date.now();
    timer = setTimeout(left > LONGEST_TIMER ? wait : run, Math.min(Math.max(0, left), LONGEST_TIMER));
  };
  wait();
  return () => clearTimeout(timer as number);
}

export function isPast(deadline: number | undefined): boolean {
  return deadline !== undefined && deadline <= Date.now();
}

export function deadlineError(): StarlaneError {
  return new StarlaneError("engine/deadline", "the component was stopped: its time was over", {
    cure: "Allow more time, or look for an endless loop.",
  });
}
