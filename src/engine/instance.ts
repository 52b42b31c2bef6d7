// One component instance at run time: its handle table and the flags that say who may enter and leave it.
// Source: Canonical ABI, Component Instances; Table State; Resource State.

import { StarlaneError } from "../base/errors.ts";
import type { ResourceType } from "../wit/types.ts";
import { Store } from "./async/store.ts";
import type { Thread } from "./async/thread.ts";
import { isTimeless } from "./timeless.ts";
import type { ErrorContext, Waitable, WaitableSet } from "./async/waitable.ts";
import { trap } from "./trap.ts";

/** A resource type at run time: made by the component that defines it, or standing for a class of the host. */
export interface RuntimeResource extends ResourceType {
  /** The instance that implements it; undefined for the host. */
  readonly impl: ComponentInstance | undefined;
  /** Drops what a representation stands for. */
  dtor: ((rep: unknown) => void) | undefined;
  /** Of a guest's resource: the same as a call from another instance. */
  readonly dtorFrom?: ((caller: ComponentInstance, rep: unknown) => void) | undefined;
  /** The JS class of a host resource, where the host gave one. */
  readonly hostClass?: HostClass | undefined;
  /** The JS class that stands for a guest's resource outside; made when first needed. */
  guestClass?: HostClass | undefined;
}

export type HostClass = abstract new (...args: never[]) => object;

/** A handle in a table. `rep` is the guest's 32-bit representation, or the host's object itself. */
export class ResourceHandle {
  readonly resource: RuntimeResource;
  readonly rep: unknown;
  readonly own: boolean;
  /** Of a borrow: the call it was lent to. */
  readonly scope: BorrowScope | undefined;
  lends = 0;

  constructor(resource: RuntimeResource, rep: unknown, own: boolean, scope: BorrowScope | undefined) {
    this.resource = resource;
    this.rep = rep;
    this.own = own;
    this.scope = scope;
  }
}

/** What one call lent and borrowed: `borrows` the callee must drop, what was lent the caller gets back. */
export class BorrowScope {
  borrows = 0;
  /** Most calls lend one handle, or none. */
  #lender: ResourceHandle | undefined;
  #lenders: ResourceHandle[] | undefined;
  #ends: (() => void)[] | undefined;

  lend(handle: ResourceHandle): void {
    handle.lends++;
    if (this.#lender === undefined) this.#lender = handle;
    else (this.#lenders ??= []).push(handle);
  }

  onEnd(run: () => void): void {
    (this.#ends ??= []).push(run);
  }

  giveBack(): void {
    const lender = this.#lender;
    const lenders = this.#lenders;
    const ends = this.#ends;
    this.#lender = this.#lenders = undefined;
    if (lender !== undefined) lender.lends--;
    if (lenders !== undefined) for (const lender of lenders) lender.lends--;
    if (ends !== undefined) for (const run of ends) run();
  }
}

const MAX_HANDLES = 2 ** 28 - 1;

/** Things by index; freed indices are reused last in, first out. Index 0 is never given out. */
export class Table<T> {
  readonly #entries: (T | undefined)[] = [undefined];
  readonly #free: number[] = [];
  readonly #max: number;
  #hasChanged = false;

  constructor(max = MAX_HANDLES) {
    this.#max = Math.min(max, MAX_HANDLES);
  }

  add(entry: T): number {
    const index = this.#free.pop() ?? this.#entries.length;
    if (index > this.#max) trap(`handle table is full: it has ${this.#max} handles`);
    this.#hasChanged = true;
    this.#entries[index] = entry;
    return index;
  }

  entry(index: number): T {
    const entry = this.#entries[index];
    if (entry === undefined) trap(`unknown handle index ${index}`);
    return entry;
  }

  remove(index: number): T {
    const entry = this.entry(index);
    this.#hasChanged = true;
    this.#entries[index] = undefined;
    this.#free.push(index);
    return entry;
  }

  get entries(): readonly (T | undefined)[] {
    return this.#entries;
  }

  /** What is in the table now, indices included; calling it makes the table so again. */
  save(): () => void {
    const entries = [...this.#entries];
    const free = [...this.#free];
    this.#hasChanged = false;
    return () => {
      if (!this.#hasChanged) return;
      this.#hasChanged = false;
      overwrite(this.#entries, entries);
      overwrite(this.#free, free);
    };
  }
}

function overwrite<T>(list: T[], saved: readonly T[]): void {
  list.length = saved.length;
  for (let i = 0; i < saved.length; i++) list[i] = saved[i] as T;
}

/** The handles of an instance: resources, and what it can wait for. */
export class HandleTable extends Table<ResourceHandle | Waitable | WaitableSet | ErrorContext> {
  resource(index: number, resource: RuntimeResource): ResourceHandle {
    const handle = this.entry(index);
    if (!(handle instanceof ResourceHandle) || handle.resource !== resource)
      trap(`handle index ${index} used with the wrong type`);
    return handle;
  }

  /** Takes a handle out. Canonical ABI, `lift_own` and `resource.drop`: what is lent may not leave. */
  removeResource(index: number, resource: RuntimeResource, mustOwn: boolean): ResourceHandle {
    const handle = this.resource(index, resource);
    if (handle.lends !== 0) trap("cannot remove owned resource while borrowed");
    if (mustOwn && !handle.own) trap("cannot lift own resource from a borrow");
    this.remove(index);
    return handle;
  }
}

export class ComponentInstance {
  readonly parent: ComponentInstance | undefined;
  readonly handles: HandleTable;
  mayEnter = true;
  mayLeave = true;
  /** `context.get` and `context.set` of the running task. */
  context: [number | bigint, number | bigint] = [0, 0];
  /** Set where the component uses `context.get` or `context.set`: only then every task needs slots of its own. */
  usesContext = false;
  backpressure = 0;
  waitingToEnter = 0;
  /** The thread that runs to the exclusion of other tasks of this instance that need it. */
  exclusive: Thread | undefined;
  readonly threads = new Table<Thread>();
  readonly store: Store;
  readonly #entering = new Map<ComponentInstance | undefined, readonly ComponentInstance[]>();

  constructor(parent: ComponentInstance | undefined, maxHandles?: number) {
    this.parent = parent;
    this.store = parent?.store ?? new Store();
    this.handles = new HandleTable(maxHandles);
  }

  /** What would be lost, were the instance put back to its state now; undefined where all of it can be. */
  get obstacle(): string | undefined {
    if (this.threads.entries.some((thread) => thread !== undefined)) return "a thread that has not ended";
    for (const entry of this.handles.entries) {
      if (entry === undefined) continue;
      if (!(entry instanceof ResourceHandle)) return "a handle that is no resource";
      if (entry.lends > 0 || entry.scope !== undefined) return "a handle that is lent";
      if (entry.resource.impl === undefined && !isTimeless(entry.rep))
        return "an object of the host that belongs to one transaction";
    }
    return undefined;
  }

  /** Its state now; calling it puts the instance back. */
  save(): () => void {
    const { backpressure, context } = this;
    const [first, second] = context;
    const kept = this.handles.entries.filter((entry) => entry instanceof ResourceHandle);
    const [handles, threads] = [this.handles.save(), this.threads.save()];
    return () => {
      handles();
      for (const handle of kept) handle.lends = 0;
      threads();
      this.mayEnter = this.mayLeave = true;
      if (this.context[0] !== first || this.context[1] !== second) this.context = [first, second];
      this.backpressure = backpressure;
      this.waitingToEnter = 0;
      this.exclusive = undefined;
    };
  }

  /** The instances that a call from `caller` enters: this one and those around it that the caller is not already in. */
  entering(caller: ComponentInstance | undefined): readonly ComponentInstance[] {
    let set = this.#entering.get(caller);
    if (set === undefined) {
      const inside = new Set(caller?.selfAndAncestors() ?? []);
      set = this.selfAndAncestors().filter((instance) => !inside.has(instance));
      this.#entering.set(caller, set);
    }
    return set;
  }

  selfAndAncestors(): ComponentInstance[] {
    return [this, ...(this.parent?.selfAndAncestors() ?? [])];
  }
}

/** Canonical ABI, `may_enter_from` and `enter_from`: no call may come into an instance that is running or has trapped. */
export function enter(instances: readonly ComponentInstance[]): void {
  for (const instance of instances) if (!instance.mayEnter) trap("cannot enter component instance");
  for (const instance of instances) instance.mayEnter = false;
}

export function leave(instances: readonly ComponentInstance[]): void {
  for (const instance of instances) instance.mayEnter = true;
}

/** What the engine knows to be valid and does not run yet: an error when it is used, not when it is loaded. */
export function notSupportedYet(what: string): StarlaneError {
  return new StarlaneError("component/not-supported-yet", `${what} cannot be run yet`, {
    cure: "Use a component with synchronous functions only.",
  });
}
