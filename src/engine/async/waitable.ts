// What a guest can wait for: subtasks and the ends of streams and futures, alone or in sets.
// Source: Canonical ABI, Waitable State, Subtask State.

import { BorrowScope } from "../instance.ts";
import { trap } from "../trap.ts";
import { type Maybe, then } from "./maybe.ts";
import type { Store } from "./store.ts";
import type { Thread } from "./thread.ts";

export const EventCode = {
  none: 0,
  subtask: 1,
  streamRead: 2,
  streamWrite: 3,
  futureRead: 4,
  futureWrite: 5,
  taskCancelled: 6,
} as const;

/** An event and its two payloads. */
export type Event = readonly [code: number, index: number, payload: number];

export class Waitable {
  set: WaitableSet | undefined;
  hasSyncWaiter = false;
  readonly store: Store;
  #pending: (() => Event) | undefined;

  constructor(store: Store) {
    this.store = store;
  }

  get hasEvent(): boolean {
    return this.#pending !== undefined;
  }

  setEvent(event: () => Event): void {
    this.#pending = event;
    this.store.wake();
  }

  takeEvent(): Event {
    const event = this.#pending;
    this.#pending = undefined;
    return event?.() ?? [EventCode.none, 0, 0];
  }

  /** Blocks the thread until there is an event. */
  waitForEvent(thread: Thread): Maybe<Event> {
    if (this.hasEvent) return this.takeEvent();
    this.hasSyncWaiter = true;
    return thread
      .block(() => this.hasEvent, false)
      .then(() => {
        this.hasSyncWaiter = false;
        return this.takeEvent();
      });
  }

  join(set: WaitableSet | undefined): void {
    this.set?.members.delete(this);
    this.set = set;
    set?.members.add(this);
    if (this.hasEvent) this.store.wake();
  }

  dropWaitable(): void {
    this.join(undefined);
  }
}

export class WaitableSet {
  readonly members = new Set<Waitable>();
  waiting = 0;

  get hasEvent(): boolean {
    for (const member of this.members) if (member.hasEvent) return true;
    return false;
  }

  takeEvent(): Event {
    for (const member of this.members) if (member.hasEvent) return member.takeEvent();
    return [EventCode.none, 0, 0];
  }

  /** `wait_for_event`: blocks a stack. */
  wait(thread: Thread, cancellable: boolean): Maybe<Event> {
    if (thread.task.deliverPendingCancel(cancellable)) return CANCELLED;
    if (this.hasEvent) return this.takeEvent();
    this.waiting++;
    return then(
      thread.block(() => this.hasEvent, cancellable),
      (cancelled) => {
        this.waiting--;
        return cancelled ? CANCELLED : this.takeEvent();
      },
    );
  }

  poll(thread: Thread, cancellable: boolean): Event {
    return thread.task.deliverPendingCancel(cancellable) ? CANCELLED : this.takeEvent();
  }

  drop(): void {
    if (this.members.size > 0) trap("cannot drop waitable set with waitables in it");
    if (this.waiting > 0) trap("cannot drop waitable set with waiters");
  }
}

export const CANCELLED: Event = [EventCode.taskCancelled, 0, 0];

export const SubtaskState = {
  starting: 0,
  started: 1,
  returned: 2,
  cancelledBeforeStarted: 3,
  cancelledBeforeReturned: 4,
} as const;

/** A call that this guest made and that has not been answered when the call returned. */
export class Subtask extends Waitable {
  state: (typeof SubtaskState)[keyof typeof SubtaskState] = SubtaskState.starting;
  readonly scope = new BorrowScope();
  cancellationRequested = false;
  delivered = false;
  onCancel: (() => Maybe<void>) | undefined;

  get resolved(): boolean {
    return this.state >= SubtaskState.returned;
  }

  deliver(): void {
    this.delivered = true;
    this.scope.giveBack();
  }

  drop(): void {
    if (!this.delivered) trap("cannot drop a subtask which has not yet resolved");
    this.dropWaitable();
  }
}

export class ErrorContext {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}
