// `canon lower`: a component function as a core function that a guest can call, whether another guest or the host answers.
// Source: Canonical ABI, `canon_lower` for synchronous functions.

import { StarlaneError } from "../base/errors.ts";
import type { FuncType } from "../wit/types.ts";
import type { AbiContext } from "./abi/context.ts";
import { containsBorrow, paramsCodec, resultCodec } from "./abi/signature.ts";
import type { ComponentFunction } from "./engine.ts";
import { BorrowScope, enter, leave } from "./instance.ts";
import { callWith, type CoreFunction, type LiftedFunction } from "./lift.ts";
import { beginAnew } from "./restart.ts";
import { failureOf, isTrap, stopWith, trap } from "./trap.ts";

/** A function of the host, with the type that the importing component gives it. */
export class HostFunction {
  readonly name: string;
  readonly type: FuncType;
  readonly call: ComponentFunction;
  /** Whether a synchronous call of it may take until later. */
  readonly mayWait: boolean;
  /** Whether it reaches the outside, so that it must not be called twice for one call of a guest. */
  readonly isFinal: boolean;

  constructor(name: string, type: FuncType, call: ComponentFunction, mayWait = false, isFinal = false) {
    this.name = name;
    this.type = type;
    this.call = call;
    this.mayWait = mayWait;
    this.isFinal = isFinal;
  }
}

/** A component function that another guest implements, as a core function of the caller whose side `cx` is. */
export function lowerGuestFunction(callee: LiftedFunction, cx: AbiContext): CoreFunction {
  const caller = cx.instance;
  const entering = callee.instance.entering(caller);
  const callerParams = paramsCodec(callee.type, "guest", cx.pointer);
  const callerResult = resultCodec(callee.type, "guest", cx.pointer);
  const params = callee.params("guest");
  const result = callee.result("guest");
  const lends = callee.type.params.some((param) => containsBorrow(param.type));
  const placeAt = callerParams.flatCount;
  return guard((flat) => {
    if (!caller.mayLeave) trap("cannot leave component instance");
    enter(entering);
    const scope = lends ? new BorrowScope() : undefined;
    cx.scope = scope;
    cx.startLifting();
    const args = callerParams.lift(cx, flat);
    const core = callee.run(params, result, args, (value) => callerResult.lower(cx, value, flat[placeAt]));
    leave(entering);
    scope?.giveBack();
    return core;
  });
}

/** A function of the host as a core function of the guest whose side `cx` is. */
export function lowerHostFunction(host: HostFunction, cx: AbiContext): CoreFunction {
  const caller = cx.instance;
  const { type } = host;
  const params = paramsCodec(type, "host", cx.pointer);
  const result = resultCodec(type, "host", cx.pointer);
  const lends = type.params.some((param) => containsBorrow(param.type));
  const placeAt = params.flatCount;
  const { store } = caller;
  return guard((flat) => {
    if (store.failed) throw store.rethrown();
    if (!caller.mayLeave) trap("cannot leave component instance");
    const scope = lends ? new BorrowScope() : undefined;
    cx.scope = scope;
    cx.startLifting();
    const args = params.lift(cx, flat);
    const answer = answerOf(host, args, store.isAttempt);
    if (answer instanceof Promise && type.result?.kind !== "future") {
      if (host.mayWait) endAttempt(answer);
      throw new StarlaneError("engine/bad-value", `${host.name} answered with a promise`, {
        cure: "Mark functions that answer later with mayWait.",
      });
    }
    scope?.giveBack();
    try {
      return result.lower(cx, answer, flat[placeAt]);
    } catch (error) {
      throw badAnswer(host.name, error);
    }
  });
}

export function lowerAnswer(name: string, lower: () => unknown): unknown {
  try {
    return lower();
  } catch (error) {
    throw badAnswer(name, error);
  }
}

function badAnswer(name: string, error: unknown): unknown {
  if (!(error instanceof StarlaneError) || error.code !== "engine/bad-value") return error;
  return new StarlaneError("engine/bad-value", `${name} answered with a value that does not fit its type: ${error.message}`, {
    cause: error,
  });
}

/** In an attempt, what would have to wait ends it; nobody hears of the answer. */
export function endAttempt(answer: Promise<unknown>): never {
  answer.catch(() => undefined);
  return beginAnew();
}

/** Calls a function of the host: its answer, or a promise of it. */
export function answerOf(host: HostFunction, args: readonly unknown[], isAttempt: boolean): unknown {
  if (isAttempt && host.isFinal) beginAnew();
  return host.type.result?.kind === "result" ? answerResult(host.call, args) : callWith(host.call, args);
}

/** jco's convention: the ok value is returned, the error is thrown as a `payload` or as itself; other errors stop the guest. */
function answerResult(call: ComponentFunction, args: readonly unknown[]): unknown {
  try {
    const val = callWith(call, args);
    return val instanceof Promise ? val.then((later: unknown) => ({ tag: "ok", val: later }), errorResult) : { tag: "ok", val };
  } catch (error) {
    return errorResult(error);
  }
}

function errorResult(error: unknown): unknown {
  if (typeof error === "object" && error !== null && Object.hasOwn(error, "payload")) {
    return { tag: "err", val: (error as { payload: unknown }).payload };
  }
  if (error instanceof Error) throw error;
  return { tag: "err", val: error };
}

/** Nothing but a trap may come out of a host function: what else is thrown, a guest could catch. */
export function guard(run: (flat: readonly unknown[]) => unknown): CoreFunction {
  return (...flat) => {
    try {
      return run(flat);
    } catch (error) {
      if (isTrap(error)) throw error;
      return stopWith(failureOf(error));
    }
  };
}
