// One call of an exported function, from its start to its result. Source: Canonical ABI, Tasks.

import type { FuncType } from "../../wit/types.ts";
import type { AbiContext } from "../abi/context.ts";
import { BorrowScope, type ComponentInstance, enter, leave } from "../instance.ts";
import { trap } from "../trap.ts";
import { type Maybe, then } from "./maybe.ts";
import { Thread } from "./thread.ts";

export interface TaskOptions {
  readonly async: boolean;
  readonly callback: boolean;
}

export class Task {
  readonly type: FuncType;
  readonly options: TaskOptions;
  readonly cx: AbiContext;
  readonly instance: ComponentInstance;
  /** Whether the caller is the host: the result is then lifted for it. */
  readonly forHost: boolean;
  readonly scope = new BorrowScope();
  readonly thread: Thread;
  state: "initial" | "started" | "pending-cancel" | "cancel-delivered" | "resolved" = "initial";
  readonly #threads: Thread[] = [];
  readonly #onStart: () => readonly unknown[];
  readonly #onResolve: (result: { readonly value: unknown } | undefined) => void;

  constructor(
    type: FuncType,
    options: TaskOptions,
    cx: AbiContext,
    forHost: boolean,
    onStart: () => readonly unknown[],
    onResolve: (result: { readonly value: unknown } | undefined) => void,
  ) {
    this.type = type;
    this.forHost = forHost;
    this.options = options;
    this.cx = cx;
    this.instance = cx.instance;
    this.#onStart = onStart;
    this.#onResolve = onResolve;
    this.thread = new Thread(this);
  }

  get needsExclusive(): boolean {
    return !this.options.async || this.options.callback;
  }

  /** `enter_implicit_thread`: goes on now or, under back-pressure, when the instance lets it in. */
  enter(go: () => void): void {
    const { instance, thread } = this;
    if (!this.type.async) {
      this.register(thread);
      return go();
    }
    const held = (): boolean => instance.backpressure > 0 || (this.needsExclusive && instance.exclusive !== undefined);
    const proceed = (): void => {
      if (this.needsExclusive) instance.exclusive = thread;
      this.register(thread);
      go();
    };
    const wait = (): void => {
      if (!held() && instance.waitingToEnter === 0) return proceed();
      instance.waitingToEnter++;
      thread.park(
        () => !held(),
        true,
        (cancelled) => {
          instance.waitingToEnter--;
          if (!cancelled) return proceed();
          this.cancel();
          thread.finish();
        },
      );
    };
    // Who holds the instance and could go on, goes on first: then there is often nothing to wait for.
    const holder = this.needsExclusive ? instance.exclusive : undefined;
    if (holder?.ready() !== true) return wait();
    const resumed = instance.store.resume(holder, false);
    if (resumed instanceof Promise) resumed.then(wait, () => thread.finish());
    else wait();
  }

  register(thread: Thread): void {
    this.#threads.push(thread);
    thread.index = this.instance.threads.add(thread);
  }

  /** `exit_implicit_thread`, and the end of the thread. */
  exit(): void {
    const { instance, thread } = this;
    this.unregister(thread);
    if (this.type.async && this.needsExclusive) instance.exclusive = undefined;
    instance.store.wake();
    thread.finish();
  }

  /** Takes back a call whose arguments were wrong: the guest has not run. */
  abandon(): void {
    const { instance, thread } = this;
    this.#threads.length = 0;
    instance.threads.remove(thread.index);
    if (instance.exclusive === thread) instance.exclusive = undefined;
    instance.mayLeave = true;
    leave(instance.entering(undefined));
  }

  unregister(thread: Thread): void {
    this.#threads.splice(this.#threads.indexOf(thread), 1);
    if (this.#threads.length === 0 && this.state !== "resolved") trap("async-lifted export failed to produce a result");
    this.instance.threads.remove(thread.index);
  }

  start(): readonly unknown[] {
    this.state = "started";
    return this.#onStart();
  }

  return(value: unknown): void {
    if (this.state === "resolved") trap("`task.return` or `task.cancel` called more than once for current task");
    if (this.scope.borrows > 0) trap("borrow handles still remain at the end of the call");
    this.state = "resolved";
    this.#onResolve({ value });
    this.scope.giveBack();
  }

  cancel(): void {
    if (this.state !== "cancel-delivered") trap("`task.cancel` called by task which has not been cancelled");
    if (this.scope.borrows > 0) trap("borrow handles still remain at the end of the call");
    this.state = "resolved";
    this.#onResolve(undefined);
  }

  deliverPendingCancel(cancellable: boolean): boolean {
    if (!cancellable || this.state !== "pending-cancel") return false;
    this.state = "cancel-delivered";
    return true;
  }

  /** A thread's turn: it comes in from outside again. */
  resumeFromHost(thread: Thread): Maybe<void> {
    const entering = this.instance.entering(undefined);
    enter(entering);
    return then(this.instance.store.resume(thread, false), () => leave(entering));
  }

  /** The caller wants it to end: told to a thread that is ready to hear it, else kept until one asks. */
  requestCancellation(caller: ComponentInstance | undefined): Maybe<void> {
    const { instance, thread } = this;
    const { store } = instance;
    if (this.state === "initial") {
      this.state = "cancel-delivered";
      return store.resume(thread, true);
    }
    if (this.state !== "started") return undefined;
    const candidates = this.#threads.filter((one) => one.cancellable && (one.state === "waiting" || one.state === "suspended"));
    const blocked = this.needsExclusive && instance.exclusive !== undefined && instance.exclusive !== thread;
    const candidate = candidates.find((one) => !(blocked && one === thread));
    const entering = instance.entering(caller);
    if (candidate === undefined || entering.some((one) => !one.mayEnter)) {
      this.state = "pending-cancel";
      return undefined;
    }
    this.state = "cancel-delivered";
    enter(entering);
    return then(store.resume(candidate, true), () => leave(entering));
  }
}
