// `canon lower` in a store where something may block: the caller waits on its own stack, or gets a subtask to wait for.
// Source: Canonical ABI, `canon_lower`.

import type { FuncType } from "../../wit/types.ts";
import { codecs, type Domain } from "../abi/codec.ts";
import type { AbiContext } from "../abi/context.ts";
import { paramsCodec, type ParamsCodec, resultCodec, type ResultCodec, resultInMemory } from "../abi/signature.ts";
import { type CoreFunction, LiftedFunction } from "../lift.ts";
import { answerOf, endAttempt, type HostFunction, lowerAnswer } from "../lower.ts";
import { BorrowScope } from "../instance.ts";
import { stopWith, trap } from "../trap.ts";
import { type Maybe, then } from "./maybe.ts";
import { maySuspend } from "./stack.ts";
import { EventCode, Subtask, SubtaskState } from "./waitable.ts";

const MAX_FLAT_ASYNC_PARAMS = 4;

/** Starts the callee; calls back with its result, or without where it was cancelled. Gives a way to ask it to end. */
type Start = (
  caller: AbiContext,
  onStart: () => readonly unknown[],
  onResolve: (result: { readonly value: unknown } | undefined) => void,
) => { readonly started: Maybe<void>; readonly cancel: () => Maybe<void> };

export function lowerOnStack(func: LiftedFunction | HostFunction, cx: AbiContext, async: boolean): CoreFunction {
  const domain: Domain = func instanceof LiftedFunction ? "guest" : "host";
  const params = paramsCodec(func.type, domain, cx.pointer, async ? MAX_FLAT_ASYNC_PARAMS : undefined);
  const start = func instanceof LiftedFunction ? startGuest(func) : startHost(func);
  const result = async ? asyncResult(func.type, domain, cx) : resultCodec(func.type, domain, cx.pointer);
  return maySuspend(
    cx.instance.store,
    guardLater(cx, (flat) => (async ? callAsync : callSync)(cx, start, params, result, flat)),
  );
}

/** An async call never answers with values: they go into memory. */
function asyncResult(type: FuncType, domain: Domain, cx: AbiContext): ResultCodec {
  if (type.result === undefined) return resultCodec(type, domain, cx.pointer);
  return resultInMemory(codecs(domain, cx.pointer).of(type.result), cx.pointer);
}

interface Call {
  readonly subtask: Subtask;
  readonly started: Maybe<void>;
  core: unknown;
}

function begin(
  cx: AbiContext,
  start: Start,
  params: ParamsCodec,
  result: ResultCodec,
  flat: readonly unknown[],
  onProgress: () => void,
): Call {
  const subtask = new Subtask(cx.instance.store);
  const call: { subtask: Subtask; core: unknown; started: Maybe<void> } = { subtask, core: undefined, started: undefined };
  const { started, cancel } = start(
    cx,
    () => {
      subtask.state = SubtaskState.started;
      onProgress();
      cx.scope = subtask.scope;
      cx.startLifting();
      return params.lift(cx, flat);
    },
    (resolved) => {
      if (resolved !== undefined) {
        call.core = result.lower(cx, resolved.value, flat[params.flatCount]);
        subtask.state = SubtaskState.returned;
      } else {
        subtask.state =
          subtask.state === SubtaskState.starting ? SubtaskState.cancelledBeforeStarted : SubtaskState.cancelledBeforeReturned;
      }
      onProgress();
      cx.instance.store.wake();
    },
  );
  call.started = started;
  subtask.onCancel = cancel;
  return call;
}

function callSync(
  cx: AbiContext,
  start: Start,
  params: ParamsCodec,
  result: ResultCodec,
  flat: readonly unknown[],
): Maybe<unknown> {
  const thread = cx.instance.store.running;
  const call = begin(cx, start, params, result, flat, () => undefined);
  return then(call.started, () => {
    const { subtask } = call;
    const finish = (): unknown => {
      subtask.deliver();
      return call.core;
    };
    return subtask.resolved ? finish() : thread.block(() => subtask.resolved, false).then(finish);
  });
}

function callAsync(
  cx: AbiContext,
  start: Start,
  params: ParamsCodec,
  result: ResultCodec,
  flat: readonly unknown[],
): Maybe<unknown> {
  let index = 0;
  const onProgress = (): void => {
    if (index === 0) return;
    const { subtask } = call;
    subtask.setEvent(() => {
      if (subtask.resolved) subtask.deliver();
      return [EventCode.subtask, index, subtask.state];
    });
  };
  const call: Call = begin(cx, start, params, result, flat, onProgress);
  return then(call.started, () => {
    const { subtask } = call;
    if (subtask.resolved) {
      subtask.deliver();
      return SubtaskState.returned;
    }
    index = cx.instance.handles.add(subtask);
    return subtask.state | (index << 4);
  });
}

function startGuest(func: LiftedFunction): Start {
  const params = func.params("guest");
  const result = func.result("guest");
  return (caller, onStart, onResolve) => {
    const { task, started } = func.onStack().start(caller.instance, params, result, onStart, onResolve);
    return { started, cancel: () => task.requestCancellation(caller.instance) };
  };
}

/** The host answers at once or later; asked to end, it is not waited for any longer than it takes. */
function startHost(func: HostFunction): Start {
  return (caller, onStart, onResolve) => {
    const { store } = caller.instance;
    const answer = answerOf(func, onStart(), store.isAttempt);
    const resolve = (value: unknown): void => {
      lowerAnswer(func.name, () => onResolve({ value }));
    };
    if (!(answer instanceof Promise)) {
      resolve(answer);
      return { started: undefined, cancel: () => undefined };
    }
    if (store.isAttempt) endAttempt(answer);
    const expected = store.expect();
    answer.then((value) => expected.arrive(() => resolve(value)), expected.fail);
    return { started: undefined, cancel: () => undefined };
  };
}

/**
 * A synchronous function of the host that may answer later: the guest's stack is suspended meanwhile, and nothing else of its store
 * runs, as if the call just took its time.
 */
export function lowerWaitingFunction(host: HostFunction, cx: AbiContext): CoreFunction {
  const params = paramsCodec(host.type, "host", cx.pointer);
  const result = resultCodec(host.type, "host", cx.pointer);
  return maySuspend(
    cx.instance.store,
    guardLater(cx, (flat) => {
      const scope = new BorrowScope();
      cx.scope = scope;
      cx.startLifting();
      const args = params.lift(cx, flat);
      return then(untilFailure(cx, answerOf(host, args, false)), (answer) => {
        scope.giveBack();
        return lowerAnswer(host.name, () => result.lower(cx, answer, flat[params.flatCount]));
      });
    }),
  );
}

/** An answer of the host, or the failure that comes before it. */
function untilFailure(cx: AbiContext, answer: Maybe<unknown>): Maybe<unknown> {
  if (!(answer instanceof Promise)) return answer;
  return cx.instance.store.suspension((resolve, reject) => void answer.then(resolve, reject));
}

/** Nothing but a trap may come out, now or later; and nobody comes out while the instance may not be left. */
export function guardLater(
  cx: { readonly instance: AbiContext["instance"] },
  run: (flat: readonly unknown[]) => Maybe<unknown>,
): CoreFunction {
  const { instance } = cx;
  return (...flat) => {
    const { store } = instance;
    const thread = store.running;
    try {
      if (store.failed) throw store.rethrown();
      if (!instance.mayLeave) trap("cannot leave component instance");
      const result = run(flat);
      // V8 suspends the caller whatever the answer is.
      thread.progressed = true;
      if (!(result instanceof Promise)) return result;
      if (store.isAttempt) endAttempt(result);
      return result.then(
        (value) => {
          if (store.failed) throw store.rethrown();
          return value;
        },
        (error: unknown) => {
          store.explain(error);
          throw store.rethrown();
        },
      );
    } catch (error) {
      return stopWithOnce(error);
    }
  };
}

function stopWithOnce(error: unknown): never {
  if (error instanceof WebAssembly.RuntimeError) throw error;
  return stopWith(error);
}
