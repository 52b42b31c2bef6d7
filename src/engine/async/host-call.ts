// A call from the host into a store where something may block: the answer is there at once, or a promise.

import type { ParamsCodec, ResultCodec } from "../abi/signature.ts";
import { ComponentError } from "../engine.ts";
import type { LiftedFunction } from "../lift.ts";
import { failureOf, trap } from "../trap.ts";
import { BadArguments } from "./lift.ts";
import type { Task } from "./task.ts";

/** Calls with the arguments; `signal` asks the guest to end, and does not wait for it. */
export type HostCall = (args: readonly unknown[], signal?: AbortSignal) => unknown;

/** Async functions answer with a promise always; others only where they could not answer at once. */
export function callOnStack(func: LiftedFunction, params: ParamsCodec, result: ResultCodec): HostCall {
  const { store } = func.instance;
  const answer = (value: unknown): unknown => (func.type.result?.kind === "result" ? unwrap(value) : value);
  return (args, signal) => {
    const settled = Promise.withResolvers<unknown>();
    let now: { readonly value: unknown } | undefined;
    const end = store.addCall((failure) => settled.reject(failure));
    const fail = (error: unknown): void => {
      end();
      settled.reject(failureOf(error));
    };
    const onResolve = (resolved: { readonly value: unknown } | undefined): void => {
      end();
      if (resolved === undefined) return settled.reject(signal?.reason);
      now = resolved;
      try {
        settled.resolve(answer(resolved.value));
      } catch (error) {
        settled.reject(error);
      }
    };
    store.begin(() => {
      if (store.failed) return fail(trapOf("cannot enter component instance"));
      try {
        const { task, started } = func.onStack().start(undefined, params, result, () => args, onResolve);
        if (signal !== undefined) cancelOn(signal, task, settled);
        return started;
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

/** Canonical ABI, `request_cancellation`: the guest hears of it when it can, the caller does not wait for that. */
function cancelOn(signal: AbortSignal, task: Task, settled: PromiseWithResolvers<unknown>): void {
  const { store } = task.instance;
  const cancel = (): void => {
    settled.reject(signal.reason);
    if (task.state === "resolved" || store.failed) return;
    store.begin(() => task.requestCancellation(undefined));
    store.wake();
  };
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
  const forget = (): void => signal.removeEventListener("abort", cancel);
  settled.promise.then(forget, forget);
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
