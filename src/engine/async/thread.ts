// A thread of a guest: a stack that can be suspended, or a callback that is waiting to be called.
// Source: Canonical ABI, Threads.

import { StarlaneError } from "../../base/errors.ts";
import type { Task } from "./task.ts";

export class Thread {
  readonly task: Task;
  /** Its index in the thread table of its instance, while it is registered. */
  index = 0;
  /** `context.get` and `context.set`. */
  storage: [number | bigint, number | bigint] = [0, 0];
  cancellable = false;
  state: "new" | "running" | "suspended" | "waiting" | "finished" = "new";
  /** Told when the thread parks or finishes; another thread is to run in its place where one is given. */
  onPark: ((switchTo: Thread | undefined) => void) | undefined;
  /** What goes on when the core function under way returns. */
  afterCore: ((results: readonly unknown[]) => void) | undefined;
  /** Whether the stack returned or was suspended since it last was looked at: else it trapped. */
  progressed = false;
  /** Whether the stack that was begun last has ended. */
  stackEnded = true;
  #ready: (() => boolean) | undefined;
  #continue: ((cancelled: boolean) => void) | undefined;

  constructor(task: Task) {
    this.task = task;
  }

  ready(): boolean {
    return this.state === "waiting" && this.#ready?.() === true;
  }

  /**
   * Parks: waiting until `ready` is true, or suspended until somebody resumes it where there is none. `go` continues it.
   * Another thread runs in its place where one is given.
   */
  park(ready: (() => boolean) | undefined, cancellable: boolean, go: (cancelled: boolean) => void, switchTo?: Thread): void {
    this.cancellable = cancellable;
    this.#ready = ready;
    this.#continue = go;
    this.state = ready === undefined ? "suspended" : "waiting";
    if (ready !== undefined) this.task.instance.store.wait(this);
    this.#parked(switchTo);
  }

  /** Parks a stack: the promise is what a suspending import answers with. */
  block(ready: (() => boolean) | undefined, cancellable: boolean, switchTo?: Thread): Promise<boolean> {
    this.progressed = true;
    return this.task.instance.store.suspension((resolve) => this.park(ready, cancellable, resolve, switchTo));
  }

  /** Makes a suspended thread wait for nothing but its turn. */
  resumeLater(): void {
    this.#ready = () => true;
    this.state = "waiting";
    this.task.instance.store.wait(this);
    this.task.instance.store.wake();
  }

  continue(cancelled: boolean): void {
    if (this.state === "waiting") this.task.instance.store.stopWaiting(this);
    const go = this.#continue;
    if (go === undefined) throw new StarlaneError("starlane/internal", "a thread that is not parked was resumed");
    this.#continue = undefined;
    this.#ready = undefined;
    this.state = "running";
    go(cancelled);
  }

  /** Before its first run. */
  startWith(go: () => void): void {
    this.#continue = go;
    this.state = "suspended";
  }

  finish(): void {
    this.state = "finished";
    this.#parked(undefined);
  }

  #parked(switchTo: Thread | undefined): void {
    const tell = this.onPark;
    this.onPark = undefined;
    tell?.(switchTo);
  }
}
