// Stops synchronous work that runs too long: a guest in an endless loop holds the thread, so no timer of ours would ever fire.
// V8 can end running code, WebAssembly included, from another thread; Node gives that away as the time limit of a script.

import { Script } from "node:vm";

let pending: (() => void) | undefined;

Reflect.set(globalThis, Symbol.for("starlane.watchdog"), () => {
  const work = pending;
  pending = undefined;
  work?.();
});

let script: Script | undefined;

function scriptThatRuns(): Script {
  script ??= new Script('globalThis[Symbol.for("starlane.watchdog")]()', { filename: "starlane:watchdog" });
  return script;
}

/** Thrown when the time is over; whatever ran is in an unknown state and must be thrown away. */
export class TimeOver extends Error {
  override readonly name = "TimeOver";
}

/** Runs `work`, at most `ms` milliseconds of it; costs about 0.3 ms. May be nested. @throws TimeOver */
export function withTimeLimit(ms: number, work: () => void): void {
  pending = work;
  try {
    scriptThatRuns().runInThisContext({ timeout: Math.max(1, Math.ceil(ms)) });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") {
      throw new TimeOver(`still running after ${Math.ceil(ms)} ms`);
    }
    throw error;
  } finally {
    pending = undefined;
  }
}
