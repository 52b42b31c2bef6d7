// The built-ins of the async ABI. Source: Canonical ABI, Canonical Definitions marked 🔀, 📝 and 🧵.

import type { Canon, CanonOf } from "../../component/component.ts";
import type { ValType } from "../../wit/types.ts";
import { type AbiContext, pointerFrom, storePointer } from "../abi/context.ts";
import { valuesCodec } from "../abi/signature.ts";
import { liftString, lowerString } from "../abi/strings.ts";
import type { CoreType } from "../abi/layout.ts";
import { checkWrite, type LinearMemory } from "../abi/memory.ts";
import { type ComponentInstance, notSupportedYet } from "../instance.ts";
import type { CoreFunction } from "../lift.ts";
import { guard } from "../lower.ts";
import { trap } from "../trap.ts";
import { GuestBuffer } from "./buffers.ts";
import { guardLater } from "./lower.ts";
import { type Maybe, then } from "./maybe.ts";
import { maySuspend, onStack, type StackFunction } from "./stack.ts";
import { CopyEnd, CopyResult, type CopyResultCode, FutureChannel, sameElement, StreamChannel } from "./streams.ts";
import { Thread } from "./thread.ts";
import { ErrorContext, type Event, EventCode, Subtask, Waitable, WaitableSet } from "./waitable.ts";

const BLOCKED = 0xffff_ffff | 0;

/** What a built-in refers to by index. */
export interface BuiltinScope {
  readonly instance: ComponentInstance;
  /** The element type of a stream or future type. */
  elementAt(typeIndex: number): ValType | undefined;
  valType(ref: NonNullable<CanonOf<"task.return">["result"]>): ValType;
  context(options: CanonOf<"task.return">["options"]): AbiContext;
  memory(index: number): LinearMemory;
  table(index: number): WebAssembly.Table;
}

export function asyncBuiltin(canon: Exclude<Canon, { kind: "lift" | "lower" }>, scope: BuiltinScope): CoreFunction | undefined {
  const { instance } = scope;
  const { handles, store } = instance;
  const plain = (run: (...args: never[]) => unknown): CoreFunction =>
    guard((flat) => {
      if (!instance.mayLeave) trap("cannot leave component instance");
      return (run as (...args: unknown[]) => unknown)(...flat);
    });
  const blocking = (run: (...args: never[]) => Maybe<unknown>): CoreFunction =>
    maySuspend(
      store,
      guardLater({ instance }, (flat) => (run as (...args: unknown[]) => Maybe<unknown>)(...flat)),
    );
  const set = (index: number): WaitableSet => {
    const entry = handles.entry(index >>> 0);
    return entry instanceof WaitableSet ? entry : trap("unknown handle index: not a waitable set");
  };
  const thread = (index: number): Thread => instance.threads.entry(index >>> 0);
  const suspended = (index: number): Thread => {
    const other = thread(index);
    return other.state === "suspended" ? other : trap("cannot resume a thread which is not suspended");
  };

  switch (canon.kind) {
    case "task.return": {
      const types = canon.result === undefined ? [] : [scope.valType(canon.result)];
      const cx = scope.context(canon.options);
      const values = valuesCodec(types, "guest", cx.pointer, 16);
      const hostValues = valuesCodec(types, "host", cx.pointer, 16);
      return plain((...flat: unknown[]) => {
        const { task } = store.running;
        if (!task.options.async) trap("`task.return` called in a task that was not lifted async");
        if (!sameElement(types[0], task.type.result)) trap("invalid `task.return` signature and/or options for current task");
        if (cx.encoding !== task.cx.encoding || !sameMemory(cx, task.cx))
          trap("invalid `task.return` signature and/or options for current task");
        cx.startLifting();
        cx.scope = task.scope;
        task.return((task.forHost ? hostValues : values).lift(cx, flat)[0]);
      });
    }
    case "task.cancel":
      return plain(() => {
        const { task } = store.running;
        if (!task.options.async) trap("`task.cancel` called in a task that was not lifted async");
        task.cancel();
      });
    case "backpressure.inc":
      return guard(() => {
        if (++instance.backpressure === 2 ** 16) trap("backpressure counter overflow");
      });
    case "backpressure.dec":
      return guard(() => {
        if (--instance.backpressure < 0) trap("backpressure counter underflow");
        store.wake();
      });
    case "context.get":
      return () => store.current?.storage[canon.index === 0 ? 0 : 1] ?? (canon.type === "i64" ? 0n : 0);
    case "context.set":
      return guard(([value]) => {
        store.running.storage[canon.index === 0 ? 0 : 1] = value as number | bigint;
      });
    case "waitable-set.new":
      return plain(() => handles.add(new WaitableSet()));
    case "waitable-set.drop":
      return plain((index: number) => {
        set(index).drop();
        handles.remove(index >>> 0);
      });
    case "waitable-set.wait":
      return blocking((index: number, at: unknown) =>
        then(set(index).wait(store.running, canon.cancellable), (event) => storeEvent(scope.memory(canon.memory), at, event)),
      );
    case "waitable-set.poll":
      return plain((index: number, at: unknown) =>
        storeEvent(scope.memory(canon.memory), at, set(index).poll(store.running, canon.cancellable)),
      );
    case "waitable.join":
      return plain((index: number, into: number) => {
        const waitable = handles.entry(index >>> 0);
        if (!(waitable instanceof Waitable)) trap("unknown handle index: not a waitable");
        const joined = into === 0 ? undefined : set(into);
        if (waitable.hasSyncWaiter) trap("cannot join a waitable that is waited for synchronously");
        waitable.join(joined);
      });
    case "subtask.cancel":
      return blocking((index: number) => cancelSubtask(instance, index >>> 0, canon.async));
    case "subtask.drop":
      return plain((index: number) => {
        const subtask = handles.entry(index >>> 0);
        if (!(subtask instanceof Subtask)) trap("unknown handle index: not a subtask");
        subtask.drop();
        handles.remove(index >>> 0);
      });
    case "stream.new":
    case "future.new": {
      const element = scope.elementAt(canon.type);
      return plain(() => {
        const channel = canon.kind === "stream.new" ? new StreamChannel(element) : new FutureChannel(element);
        const readable = handles.add(new CopyEnd(store, channel, "readable"));
        const writable = handles.add(new CopyEnd(store, channel, "writable"));
        return BigInt(readable) | (BigInt(writable) << 32n);
      });
    }
    case "stream.read":
    case "stream.write":
    case "future.read":
    case "future.write": {
      const element = scope.elementAt(canon.type);
      const cx = scope.context(canon.options);
      const copy = (index: number, at: unknown, count: unknown): Maybe<number> =>
        startCopy(
          canon.kind,
          element,
          cx,
          canon.options.async,
          index >>> 0,
          pointerFrom(at ?? 0),
          canon.kind.startsWith("future") ? 1 : pointerFrom(count),
        );
      return canon.options.async ? plain(copy) : blocking(copy);
    }
    case "stream.cancel-read":
    case "stream.cancel-write":
    case "future.cancel-read":
    case "future.cancel-write": {
      const element = scope.elementAt(canon.type);
      const cancel = (index: number): Maybe<number> =>
        cancelCopy(endOf(instance, canon.kind, element, index >>> 0), store.running, canon.async);
      return canon.async ? plain(cancel) : blocking(cancel);
    }
    case "stream.drop-readable":
    case "stream.drop-writable":
    case "future.drop-readable":
    case "future.drop-writable": {
      const element = scope.elementAt(canon.type);
      return plain((index: number) => {
        const end = endOf(instance, canon.kind, element, index >>> 0);
        end.drop();
        handles.remove(index >>> 0);
        store.wake();
      });
    }
    case "error-context.new": {
      const cx = scope.context(canon.options);
      return plain((at: unknown, length: unknown) => {
        cx.startLifting();
        return handles.add(new ErrorContext(liftString(cx, pointerFrom(at), pointerFrom(length))));
      });
    }
    case "error-context.debug-message": {
      const cx = scope.context(canon.options);
      return plain((index: number, at: unknown) => {
        const to = pointerFrom(at);
        checkWrite(cx.memory, to, 2 * cx.pointer, cx.pointer, "debug message");
        lowerString(cx, errorContext(instance, index >>> 0).message);
        storePointer(cx, to, cx.outPointer);
        storePointer(cx, to + cx.pointer, cx.outLength);
      });
    }
    case "error-context.drop":
      return plain((index: number) => {
        errorContext(instance, index >>> 0);
        handles.remove(index >>> 0);
      });
    case "thread.index":
      return plain(() => store.running.index);
    case "thread.new-indirect":
      return plain((index: number, argument: unknown) => newThread(instance, scope.table(canon.table), index >>> 0, argument));
    case "thread.resume-later":
      return plain((index: number) => suspended(index).resumeLater());
    case "thread.suspend":
      return blocking(() => park(store.running, undefined, canon.cancellable));
    case "thread.yield":
      return blocking(() => park(store.running, () => true, canon.cancellable));
    case "thread.suspend-then-resume":
      return blocking((index: number) => park(store.running, undefined, canon.cancellable, suspended(index)));
    case "thread.yield-then-resume":
      return blocking((index: number) => park(store.running, () => true, canon.cancellable, suspended(index)));
    case "thread.suspend-then-promote":
      return blocking((index: number) => promote(store.running, undefined, canon.cancellable, thread(index)));
    case "thread.yield-then-promote":
      return blocking((index: number) => promote(store.running, () => true, canon.cancellable, thread(index)));
    case "thread.spawn-ref":
    case "thread.spawn-indirect":
    case "thread.available-parallelism":
      return guard(() => {
        throw notSupportedYet(`the built-in ${canon.kind}`);
      });
    default:
      return undefined;
  }
}

/** `task.return` names the memory of its task, or none where it needs none. */
function sameMemory(cx: AbiContext, task: AbiContext): boolean {
  return cx.memoryOrNone === undefined || cx.memoryOrNone === task.memoryOrNone;
}

function storeEvent(memory: LinearMemory, at: unknown, [code, first, second]: Event): number {
  const to = pointerFrom(at);
  checkWrite(memory, to, 8, 4, "event");
  memory.view.setUint32(to, first, true);
  memory.view.setUint32(to + 4, second, true);
  return code;
}

function errorContext(instance: ComponentInstance, index: number): ErrorContext {
  const entry = instance.handles.entry(index);
  return entry instanceof ErrorContext ? entry : trap("unknown handle index: not an error context");
}

function cancelSubtask(instance: ComponentInstance, index: number, async: boolean): Maybe<number> {
  const subtask = instance.handles.entry(index);
  const thread = instance.store.running;
  if (!(subtask instanceof Subtask)) trap("unknown handle index: not a subtask");
  if (subtask.delivered) trap("`subtask.cancel` called after terminal status delivered");
  if (subtask.cancellationRequested) trap("`subtask.cancel` called twice");
  if (subtask.set !== undefined && !async) trap("waitable cannot be used synchronously while added to a waitable set");
  const finish = (): number => subtask.takeEvent()[2];
  if (subtask.resolved) return finish();
  subtask.cancellationRequested = true;
  return then(subtask.onCancel?.(), () => {
    if (subtask.resolved) return finish();
    if (async) return BLOCKED;
    return then(subtask.waitForEvent(thread), () => subtask.state);
  });
}

function endOf(instance: ComponentInstance, kind: string, element: ValType | undefined, index: number): CopyEnd {
  const end = instance.handles.entry(index);
  const side = /read(able)?$/.test(kind) ? "readable" : "writable";
  if (!(end instanceof CopyEnd) || end.side !== side || end.isFuture !== kind.startsWith("future"))
    trap(`handle index ${index} used with the wrong type`);
  if (!sameElement(end.channel.element, element)) trap(`handle index ${index} used with the wrong type`);
  return end;
}

const COPY_EVENTS: Record<string, number> = {
  "stream.read": EventCode.streamRead,
  "stream.write": EventCode.streamWrite,
  "future.read": EventCode.futureRead,
  "future.write": EventCode.futureWrite,
};

function startCopy(
  kind: "stream.read" | "stream.write" | "future.read" | "future.write",
  element: ValType | undefined,
  cx: AbiContext,
  async: boolean,
  index: number,
  at: number,
  count: number,
): Maybe<number> {
  const { instance } = cx;
  const end = endOf(instance, kind, element, index);
  if (end.state !== "idle")
    trap(
      end.state === "done"
        ? "cannot use a stream or future end that is done"
        : "cannot have concurrent operations active on a future/stream",
    );
  if (end.set !== undefined && !async) trap("waitable cannot be used synchronously while added to a waitable set");
  const buffer = new GuestBuffer(element, cx, at, count);
  const code = COPY_EVENTS[kind] ?? 0;
  const settle = (result: CopyResultCode, reclaim: () => void): void =>
    end.setEvent(() => {
      reclaim();
      const done = result === CopyResult.dropped || (end.isFuture && result === CopyResult.completed);
      end.state = done ? "done" : "idle";
      return [code, index, end.isFuture ? result : (result | (buffer.progress << 4)) >>> 0];
    });
  end.state = "copying";
  const onCopy = (reclaim: () => void): void => {
    end.partial = buffer.remain > 0;
    settle(CopyResult.completed, reclaim);
  };
  const onCopyDone = (result: CopyResultCode): void => {
    end.partial = false;
    settle(result, () => undefined);
  };
  if (kind.endsWith("read")) end.channel.read(instance, buffer, onCopy, onCopyDone);
  else end.channel.write(instance, buffer, onCopy, onCopyDone);
  if (end.hasEvent) return end.takeEvent()[2] | 0;
  if (async) return BLOCKED;
  return then(end.waitForEvent(instance.store.running), ([, , payload]) => payload | 0);
}

function cancelCopy(end: CopyEnd, thread: Thread, async: boolean): Maybe<number> {
  if (end.state !== "copying" || end.hasSyncWaiter) trap("stream or future cancel-read or cancel-write without a copy under way");
  if (end.set !== undefined && !async) trap("waitable cannot be used synchronously while added to a waitable set");
  end.state = "cancelling";
  // A copy that moved a part and could go on is cancelled too, and tells how far it came (as the reference tests have it).
  if (!end.hasEvent || end.partial) end.channel.cancel();
  if (end.hasEvent) return end.takeEvent()[2] | 0;
  if (async) return BLOCKED;
  return then(end.waitForEvent(thread), ([, , payload]) => payload | 0);
}

function park(thread: Thread, ready: (() => boolean) | undefined, cancellable: boolean, switchTo?: Thread): Maybe<number> {
  if (thread.task.deliverPendingCancel(cancellable)) return 1;
  return thread.block(ready, cancellable, switchTo).then(Number);
}

function promote(thread: Thread, ready: (() => boolean) | undefined, cancellable: boolean, other: Thread): Maybe<number> {
  if (thread.task.deliverPendingCancel(cancellable)) return 1;
  return park(thread, ready, cancellable, other.ready() ? other : undefined);
}

function newThread(instance: ComponentInstance, table: WebAssembly.Table, index: number, argument: unknown): number {
  if (index >= table.length) trap("undefined table element");
  const start: unknown = table.get(index);
  if (typeof start !== "function") trap("uninitialized table element");
  const { task } = instance.store.running;
  const thread = new Thread(task);
  const run = threadFunction(instance, start as CoreFunction, typeof argument === "bigint" ? "i64" : "i32");
  thread.startWith(() =>
    run(thread, [argument], () => {
      task.unregister(thread);
      thread.finish();
    }),
  );
  task.register(thread);
  return thread.index;
}

/** V8 tells the type of a function only by refusing to link it. */
function threadFunction(instance: ComponentInstance, start: CoreFunction, param: CoreType): StackFunction {
  try {
    return onStack(instance.store, start, [param], []);
  } catch (error) {
    if (error instanceof WebAssembly.LinkError) trap("indirect call type mismatch");
    throw error;
  }
}
