// Transactions on fresh state: each call gets an instance that is as it was right after instantiation, and the instance is put back
// afterwards. Calls are begun plainly where what they do can be undone; one that has to wait, or turns out long, is put back and begun
// again on a stack that can be suspended, so that it takes turns with others.

import type { Component } from "../../component/component.ts";
import type { CallOptions, InstanceImports, Pool, PoolOptions, PoolState } from "../engine.ts";
import { needsStacks } from "../link.ts";
import { canBeginAgain, renewed, RESTART } from "../restart.ts";
import { Attempts } from "./attempts.ts";
import { atDeadline, deadlineError, isPast } from "./deadline.ts";
import type { MemoryImage } from "./memory-image.ts";
import { canSuspend } from "./out-of-fuel.ts";
import { PooledInstance, type RewrittenModules } from "./pooled-instance.ts";
import { Shelf } from "./shelf.ts";
import { noteActivity } from "./turns.ts";

const MAX_INSTANCES = 1000;
const MAX_WAITING = 1_000_000;
/** What was stopped ends at once; what does not is given up. */
const STOPPING_MS = 1000;
/** How many microtasks the end of a stack takes, and some more. */
const ENDING_ROUNDS = 20;

type Mode = "plain" | "stacks";
type Outcome = { readonly value: unknown } | { readonly error: unknown };

export class TransactionPool<T> implements Pool<T> {
  readonly #component: Component;
  readonly #modules: RewrittenModules;
  readonly #options: PoolOptions<T>;
  readonly #shelves: Readonly<Record<Mode, Shelf<PooledInstance<T>>>>;
  readonly #maxFuel: number;
  #first: Mode | undefined;
  #canRestart = false;
  /** Whether calls may have to wait: then not all of them are worth an attempt. */
  #waits = false;
  readonly #attempts = new Attempts();
  #images: readonly MemoryImage[] = [];
  #obstacle: string | undefined;

  constructor(component: Component, modules: RewrittenModules, options: PoolOptions<T>) {
    this.#component = component;
    this.#modules = modules;
    this.#options = options;
    this.#maxFuel = options.limits?.fuel ?? Infinity;
    const { isolation, maxInstances = MAX_INSTANCES, maxWaiting = MAX_WAITING } = options;
    const shelf = (mode: Mode): Shelf<PooledInstance<T>> =>
      new Shelf(() => this.#make(mode), isolation === "shared" ? 1 : maxInstances, maxWaiting);
    this.#shelves = { plain: shelf("plain"), stacks: shelf("stacks") };
  }

  // oxlint-disable-next-line require-await -- a rejection, not a throw
  async call(name: string, args: readonly unknown[] = [], options: CallOptions<T> = {}): Promise<unknown> {
    return this.callNow(name, args, options);
  }

  callNow(name: string, args: readonly unknown[] = [], options: CallOptions<T> = {}): unknown {
    options.signal?.throwIfAborted();
    if (isPast(options.deadline)) throw deadlineError();
    noteActivity();
    return this.#runOn(this.#modeFor(name, args), name, args, options);
  }

  get state(): PoolState {
    const { plain, stacks } = this.#shelves;
    return {
      instances: plain.made + stacks.made,
      idle: plain.idle + stacks.idle,
      waiting: plain.waiting + stacks.waiting,
      obstacle: this.#obstacle,
    };
  }

  close(): void {
    this.#shelves.plain.close();
    this.#shelves.stacks.close();
  }

  /** Plainly where nothing can block and what was done can be undone; else on stacks from the beginning. */
  #chooseMode(): Mode {
    const { imports, isolation, reuse } = this.#options;
    const source = this.#source();
    this.#waits = needsStacks(this.#component, source.imports);
    const isUndoable = isolation !== "shared" && (imports === undefined || source.restart !== undefined);
    this.#canRestart = canSuspend && reuse !== false && isUndoable;
    if (this.#canRestart) return "plain";
    return this.#waits || (canSuspend && reuse !== false) ? "stacks" : "plain";
  }

  #modeFor(name: string, args: readonly unknown[]): Mode {
    this.#first ??= this.#chooseMode();
    if (this.#first === "stacks" || !this.#waits) return this.#first;
    return canBeginAgain(args) && this.#attempts.isWorthOne(name) ? "plain" : "stacks";
  }

  #source(): InstanceImports<T> {
    const { imports = {} } = this.#options;
    return typeof imports === "function" ? (imports as () => InstanceImports<T>)() : { imports };
  }

  #make(mode: Mode): PooledInstance<T> {
    const made = new PooledInstance<T>(
      this.#component,
      this.#modules,
      this.#source(),
      this.#options,
      mode === "stacks" ? "on stacks" : this.#canRestart ? "attempt" : "plain",
      this.#images,
    );
    this.#images = made.images;
    this.#obstacle = made.obstacle;
    return made;
  }

  #runOn(mode: Mode, name: string, args: readonly unknown[], options: CallOptions<T>): unknown {
    const shelf = this.#shelves[mode];
    const instance = shelf.take();
    if (instance !== undefined) return this.#run(instance, name, args, options);
    return shelf.wait(options.deadline, options.signal).then((given) => this.#run(given, name, args, options));
  }

  #run(instance: PooledInstance<T>, name: string, args: readonly unknown[], options: CallOptions<T>): unknown {
    const { fuel = Infinity, deadline, signal } = options;
    let value: unknown;
    try {
      instance.begin(options.transaction as T, { fuel: Math.min(fuel, this.#maxFuel), deadline, signal });
      value = instance.exports.call(name, args, signal);
    } catch (error) {
      if (error === RESTART || !instance.hasEnded(error)) return this.#restart(instance, name, args, options);
      return this.#end(instance, options, { error });
    }
    if (!instance.hasEnded(value)) return this.#restart(instance, name, args, options);
    if (this.#waits && !instance.onStacks) this.#attempts.succeeded(name);
    return value instanceof Promise ? this.#answerLater(instance, value, options) : this.#end(instance, options, { value });
  }

  #restart(instance: PooledInstance<T>, name: string, args: readonly unknown[], options: CallOptions<T>): unknown {
    instance.store.fail(RESTART);
    try {
      instance.undo();
    } catch (error) {
      return this.#end(instance, options, { error });
    }
    if (this.#waits) this.#attempts.failed(name);
    this.#putBack(instance);
    return this.#runOn("stacks", name, renewed(args), options);
  }

  /** Waits for the answer, or for the end of the time. */
  #answerLater(instance: PooledInstance<T>, answer: Promise<unknown>, options: CallOptions<T>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (outcome: Outcome): void => {
        if (isOver) return;
        isOver = true;
        callOff();
        settle(resolve, reject, () => this.#end(instance, options, outcome));
      };
      const callOff = atDeadline(options.deadline, () => end({ error: deadlineError() }));
      answer.then(
        (value) => end({ value }),
        (error) => end({ error }),
      );
    });
  }

  /** Ends a transaction: at once where nothing of it goes on. What goes on after an answer does not hold that up. */
  #end(instance: PooledInstance<T>, options: CallOptions<T>, outcome: Outcome): unknown {
    if (instance.store.isQuiet) return this.#finish(instance, options, outcome);
    if ("error" in outcome) return this.#stop(instance, options, outcome);
    if (instance.store.isEnding) return this.#endSoon(instance, options, outcome);
    this.#finishWhenQuiet(instance, options);
    return outcome.value;
  }

  /** The answer was there a moment before the stack it came from has ended. */
  async #endSoon(instance: PooledInstance<T>, options: CallOptions<T>, outcome: { readonly value: unknown }): Promise<unknown> {
    for (let i = 0; i < ENDING_ROUNDS && !instance.store.isQuiet; i++) await Promise.resolve();
    if (instance.store.isQuiet) return this.#finish(instance, options, outcome);
    this.#finishWhenQuiet(instance, options);
    return outcome.value;
  }

  /** Something of it runs or waits yet: it is stopped, wherever it is. */
  #stop(instance: PooledInstance<T>, options: CallOptions<T>, outcome: { readonly error: unknown }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const finish = (): void => {
        if (isOver) return;
        isOver = true;
        clearTimeout(timer);
        settle(resolve, reject, () => this.#finish(instance, options, outcome));
      };
      const timer = setTimeout(finish, STOPPING_MS);
      instance.store.fail(outcome.error);
      instance.store.whenQuiet(finish);
    });
  }

  #finishWhenQuiet(instance: PooledInstance<T>, options: CallOptions<T>): void {
    const { deadline, signal } = options;
    const { store } = instance;
    const onAbort = (): void => store.fail(signal?.reason);
    const callOff = atDeadline(deadline, () => store.fail(deadlineError()));
    signal?.addEventListener("abort", onAbort);
    store.whenQuiet(() => {
      callOff();
      signal?.removeEventListener("abort", onAbort);
      const outcome = store.failed ? { error: store.failure } : { value: undefined };
      // The answer was given: nobody is left to tell.
      const ended = async (): Promise<unknown> => this.#finish(instance, options, outcome);
      ended().catch(() => undefined);
    });
  }

  #finish(instance: PooledInstance<T>, options: CallOptions<T>, outcome: Outcome): unknown {
    const done = (): unknown => {
      this.#tellUsage(instance, options);
      this.#putBack(instance);
      return answerWith(outcome);
    };
    const failed = (error: unknown): unknown => {
      this.#discard(instance);
      return answerWith("error" in outcome ? outcome : { error });
    };
    let finished: void | Promise<void>;
    try {
      finished = instance.finish("error" in outcome ? "failed" : "done");
    } catch (error) {
      return failed(error);
    }
    return finished instanceof Promise ? finished.then(done, failed) : done();
  }

  /** Whoever listens is not part of the transaction: what it throws is nobody's failure but its own. */
  #tellUsage({ meter, memoryBytes }: PooledInstance<T>, { onUsage }: CallOptions<T>): void {
    if (onUsage === undefined) return;
    const usage = { fuel: meter.used, memoryBytes };
    try {
      onUsage(usage);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #putBack(instance: PooledInstance<T>): void {
    noteActivity();
    if (this.#canServeAgain(instance)) this.#shelves[instance.onStacks ? "stacks" : "plain"].give(instance);
    else this.#discard(instance);
  }

  #canServeAgain(instance: PooledInstance<T>): boolean {
    try {
      return this.#options.isolation === "shared" ? instance.isSound : instance.restore();
    } catch {
      // The host's own stack may be used up.
      return false;
    }
  }

  #discard(instance: PooledInstance<T>): void {
    instance.retire();
    this.#shelves[instance.onStacks ? "stacks" : "plain"].discard();
  }
}

function settle(resolve: (value: unknown) => void, reject: (error: unknown) => void, run: () => unknown): void {
  try {
    resolve(run());
  } catch (error) {
    reject(error);
  }
}

function answerWith(outcome: Outcome): unknown {
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}
