// A call from the host into a store where something may block: the answer is there at once, or a promise.

import type { ParamsCodec, ResultCodec } from "../abi/signature.ts";
import { ComponentError, type ComponentFunction } from "../engine.ts";
import type { LiftedFunction } from "../lift.ts";
import { failureOf, trap } from "../trap.ts";
import { BadArguments } from "./lift.ts";

/** Async functions answer with a promise always; others only where they could not answer at once. */
export function callOnStack(func: LiftedFunction, params: ParamsCodec, result: ResultCodec): ComponentFunction {
  const { store } = func.instance;
  const answer = (value: unknown): unknown => (func.type.result?.kind === "result" ? unwrap(value) : value);
  return (...args) => {
    const settled = Promise.withResolvers<unknown>();
    let now: { readonly value: unknown } | undefined;
    const end = store.addCall((failure) => settled.reject(failure));
    const fail = (error: unknown): void => {
      end();
      settled.reject(failureOf(error));
    };
    store.begin(() => {
      if (store.failed) return fail(trapOf("cannot enter component instance"));
      try {
        return func.onStack().start(
          undefined,
          params,
          result,
          () => args,
          (resolved) => {
            end();
            now = resolved ?? { value: undefined };
            try {
              settled.resolve(answer(now.value));
            } catch (error) {
              settled.reject(error);
            }
          },
        ).started;
      } catch (error) {
        if (!(error instanceof BadArguments)) throw error;
        return fail(error.cause);
      }
    });
    if (now === undefined || func.type.async) return settled.promise;
    settled.promise.catch(() => undefined);
    return answer(now.value);
  };
}

function trapOf(message: string): unknown {
  try {
    return trap(message);
  } catch (error) {
    return error;
  }
}

/** The ok value of a result; its error is thrown. */
export function unwrap(value: unknown): unknown {
  const result = value as { readonly tag: "ok" | "err"; readonly val?: unknown };
  if (result.tag === "err") throw new ComponentError(result.val);
  return result.val;
}
