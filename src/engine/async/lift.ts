// `canon lift` in a store where something may block: every call is a task with a thread, on a stack that can be suspended.
// Source: Canonical ABI, `canon_lift`.

import type { FuncType } from "../../wit/types.ts";
import type { AbiContext } from "../abi/context.ts";
import type { CoreType } from "../abi/layout.ts";
import type { ParamsCodec, ResultCodec } from "../abi/signature.ts";
import { type ComponentInstance, enter, leave } from "../instance.ts";
import type { CoreFunction } from "../lift.ts";
import { isTrap, trap } from "../trap.ts";
import { type Maybe, then } from "./maybe.ts";
import { onStack, type StackFunction } from "./stack.ts";
import { Task } from "./task.ts";
import { type Event, EventCode, WaitableSet } from "./waitable.ts";
import type { Thread } from "./thread.ts";

export interface LiftOptions {
  readonly async: boolean;
  readonly callback: CoreFunction | undefined;
  readonly postReturn: CoreFunction | undefined;
}

const CallbackCode = { exit: 0, yield: 1, wait: 2 } as const;

export class StackLift {
  readonly #type: FuncType;
  readonly #cx: AbiContext;
  readonly #options: LiftOptions;
  readonly #call: StackFunction;
  readonly #callback: StackFunction | undefined;

  constructor(
    type: FuncType,
    cx: AbiContext,
    core: CoreFunction,
    options: LiftOptions,
    params: readonly CoreType[],
    results: readonly CoreType[],
  ) {
    const { store } = cx.instance;
    this.#type = type;
    this.#cx = cx;
    this.#options = options;
    this.#call = onStack(store, core, params, options.async ? (options.callback === undefined ? [] : ["i32"]) : results);
    if (options.callback !== undefined) this.#callback = onStack(store, options.callback, ["i32", "i32", "i32"], ["i32"]);
  }

  /**
   * Starts a call: lowers what `onStart` gives, runs until the first time it waits, or to its end. `onResolve` gets the
   * result, or undefined where the call was cancelled.
   */
  start(
    caller: ComponentInstance | undefined,
    params: ParamsCodec,
    result: ResultCodec,
    onStart: () => readonly unknown[],
    onResolve: (result: { readonly value: unknown } | undefined) => void,
  ): { readonly task: Task; readonly started: Maybe<void> } {
    const { instance } = this.#cx;
    const entering = instance.entering(caller);
    enter(entering);
    const task = new Task(
      this.#type,
      { async: this.#options.async, callback: this.#callback !== undefined },
      this.#cx,
      caller === undefined,
      onStart,
      onResolve,
    );
    const { store } = instance;
    const ran = store.run(task.thread, () => {
      task.thread.state = "running";
      task.enter(() => this.#body(task, params, result));
    });
    const started = then(ran, () => then(this.#type.async ? undefined : finishSynchronously(task), () => leave(entering)));
    return { task, started };
  }

  #body(task: Task, params: ParamsCodec, result: ResultCodec): void {
    const cx = this.#cx;
    const flat = new Array<unknown>(params.flatCount);
    const args = task.start();
    cx.scope = task.scope;
    this.#lower(task, params, args, flat);
    if (!this.#options.async) return this.#call(task.thread, flat, (results) => this.#returned(task, result, results));
    if (this.#callback === undefined) return this.#call(task.thread, flat, () => task.exit());
    this.#call(task.thread, flat, ([packed]) => this.#next(task, packed as number));
  }

  #lower(task: Task, params: ParamsCodec, args: readonly unknown[], flat: unknown[]): void {
    try {
      params.lower(this.#cx, args, flat);
    } catch (error) {
      if (isTrap(error) || !task.forHost) throw error;
      task.abandon();
      throw new BadArguments(error);
    }
  }

  #returned(task: Task, result: ResultCodec, results: readonly unknown[]): void {
    const cx = this.#cx;
    cx.startLifting();
    cx.scope = task.scope;
    const value = result.lift(cx, results[0]);
    // The host has its value already, and hears of it only when cleaning up went well too.
    if (task.forHost) this.#cleanUp(results);
    task.return(value);
    if (!task.forHost) this.#cleanUp(results);
    task.exit();
  }

  #cleanUp(results: readonly unknown[]): void {
    const { postReturn } = this.#options;
    if (postReturn === undefined) return;
    const { instance } = this.#cx;
    instance.mayLeave = false;
    instance.store.direct++;
    postReturn(...results);
    instance.store.direct--;
    instance.mayLeave = true;
  }

  /** What the callback, or the function before it, asks for: to end, to let others run, to wait for an event. */
  #next(task: Task, packed: number): void {
    const { instance, thread } = task;
    const code = packed & 0xf;
    if (code === CallbackCode.exit) return task.exit();
    instance.exclusive = undefined;
    instance.store.wake();
    const free = (): boolean => instance.exclusive === undefined;
    const deliver = (event: Event): void => {
      instance.exclusive = thread;
      this.#callback?.(thread, event, ([again]) => this.#next(task, again as number));
    };
    if (code === CallbackCode.yield) {
      if (task.deliverPendingCancel(true)) return this.#parkBriefly(thread, () => deliver([EventCode.taskCancelled, 0, 0]));
      return thread.park(free, true, (cancelled) => deliver([cancelled ? EventCode.taskCancelled : EventCode.none, 0, 0]));
    }
    if (code !== CallbackCode.wait) trap("unsupported callback code");
    const set = instance.handles.entry(packed >>> 4);
    if (!(set instanceof WaitableSet)) trap("unknown handle index: not a waitable set");
    if (task.deliverPendingCancel(true)) return this.#parkBriefly(thread, () => deliver([EventCode.taskCancelled, 0, 0]));
    set.waiting++;
    thread.park(
      () => free() && set.hasEvent,
      true,
      (cancelled) => {
        set.waiting--;
        deliver(cancelled ? [EventCode.taskCancelled, 0, 0] : set.takeEvent());
      },
    );
  }

  /** The stack that called back has to end before the callback is called again. */
  #parkBriefly(thread: Thread, go: () => void): void {
    thread.park(() => true, false, go);
  }
}

/** The host's arguments did not fit: a mistake of this one call. */
export class BadArguments extends Error {
  constructor(cause: unknown) {
    super("bad arguments", { cause });
  }
}

/** The thread that a task with a callback, or without, began with: it may not run beside another call of its instance. */
function needsTheInstance(thread: Thread): boolean {
  const { task } = thread;
  return task.type.async && task.needsExclusive && task.thread === thread;
}

/** A function that is not async must not block: only threads of its own instance may run until it has answered. */
function finishSynchronously(task: Task): Maybe<void> {
  const { instance } = task;
  while (task.state !== "resolved") {
    const ready = instance.store.waiting.find((one) => one.task.instance === instance && !needsTheInstance(one) && one.ready());
    if (ready === undefined) trap("cannot block a synchronous task before returning");
    const ran = instance.store.resume(ready, false);
    if (ran instanceof Promise) return ran.then(() => finishSynchronously(task));
  }
  return undefined;
}
