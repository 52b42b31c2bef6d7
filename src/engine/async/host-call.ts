// A call from the host into a store where something may block: the answer is there at once, or a promise.

import type { ParamsCodec, ResultCodec } from "../abi/signature.ts";
import { ComponentError } from "../engine.ts";
import type { LiftedFunction } from "../lift.ts";
import { failureOf, trap } from "../trap.ts";
import { BadArguments } from "./lift.ts";
import type { Store } from "./store.ts";
import type { Task } from "./task.ts";

/** Calls with the arguments; `signal` asks the guest to end, and does not wait for it. */
export type HostCall = (args: readonly unknown[], signal?: AbortSignal) => unknown;

/** Async functions answer with a promise always; others only where they could not answer at once. */
export function callOnStack(func: LiftedFunction, params: ParamsCodec, result: ResultCodec): HostCall {
  const { store } = func.instance;
  const answer = (value: unknown): unknown => (func.type.result?.kind === "result" ? unwrap(value) : value);
  return (args, signal) => {
    let outcome: Outcome | undefined;
    let settled: PromiseWithResolvers<unknown> | undefined = undefined;
    const conclude = (concluded: Outcome): void => {
      end();
      if (outcome !== undefined) return;
      outcome = concluded;
      if (settled !== undefined) settle(settled, concluded);
    };
    const end = store.addCall((failure) => conclude({ error: failure }));
    const onResolve = (resolved: { readonly value: unknown } | undefined): void => {
      if (resolved === undefined) return conclude({ error: signal?.reason });
      try {
        conclude({ value: answer(resolved.value) });
      } catch (error) {
        conclude({ error, isAnswer: true });
      }
    };
    const cancelled = (): void => conclude({ error: signal?.reason });
    let task: Task | undefined;
    store.begin(() => {
      // Cancelled before its turn came.
      if (outcome !== undefined) return;
      if (store.failed) return conclude({ error: failureOf(trapOf("cannot enter component instance")) });
      try {
        const begun = func.onStack().start(undefined, params, result, () => args, onResolve);
        task = begun.task;
        return begun.started;
      } catch (error) {
        if (!(error instanceof BadArguments)) throw error;
        return conclude({ error: error.cause });
      }
    });
    if (outcome !== undefined && store.isAttempt) return concluded(outcome);
    if (outcome !== undefined && !func.type.async) return answerNow(outcome);
    settled = Promise.withResolvers<unknown>();
    if (outcome !== undefined) settle(settled, outcome);
    else if (signal !== undefined) cancelOn(signal, func.instance.store, () => task, cancelled, settled.promise);
    return settled.promise;
  };
}

/** `isAnswer`: the error is what the function answered with. */
type Outcome = { readonly value: unknown } | { readonly error: unknown; readonly isAnswer?: true };

function settle({ resolve, reject }: PromiseWithResolvers<unknown>, outcome: Outcome): void {
  if ("error" in outcome) reject(outcome.error);
  else resolve(outcome.value);
}

function concluded(outcome: Outcome): unknown {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

/** A function that is not async answers at once where it can. */
function answerNow(outcome: Outcome): unknown {
  if (!("error" in outcome)) return outcome.value;
  if (outcome.isAnswer === true) throw outcome.error;
  return Promise.reject(outcome.error);
}

/** Canonical ABI, `request_cancellation`: the guest hears of it when it can, the caller does not wait for that. */
function cancelOn(
  signal: AbortSignal,
  store: Store,
  taskOf: () => Task | undefined,
  cancelled: () => void,
  settled: Promise<unknown>,
): void {
  const { epoch } = store;
  const cancel = (): void => {
    cancelled();
    const task = taskOf();
    if (task === undefined || task.state === "resolved" || store.failed || store.epoch !== epoch) return;
    store.begin(() => task.requestCancellation(undefined));
    store.wake();
  };
  if (signal.aborted) return cancel();
  signal.addEventListener("abort", cancel, { once: true });
  const forget = (): void => signal.removeEventListener("abort", cancel);
  settled.then(forget, forget);
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
