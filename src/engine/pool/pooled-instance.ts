// One instance of a component that is put back after every transaction: its core modules are rewritten so that everything that can
// change is reachable. What it cannot put back exactly it says, and is thrown away then.

import { StarlaneError } from "../../base/errors.ts";
import type { Component } from "../../component/component.ts";
import type { Store } from "../async/store.ts";
import type { InstanceImports, PoolOptions } from "../engine.ts";
import { HostExports } from "../host-exports.ts";
import type { ComponentInstance } from "../instance.ts";
import type { CoreModules } from "../items.ts";
import { instantiateRoot } from "../link.ts";
import { instantiateCore, type Surroundings } from "../surroundings.ts";
import { DEFAULT_HANDLES, DEFAULT_MEMORY_BYTES } from "./limits.ts";
import type { MemoryImage } from "./memory-image.ts";
import { type Budget, Meter } from "./meter.ts";
import { PooledMemories } from "./pooled-memories.ts";
import type { Added } from "./rewrite.ts";

/** What pools compile a component to: modules, and what was added to each. */
export interface RewrittenModules {
  readonly modules: CoreModules;
  readonly additions: ReadonlyMap<WebAssembly.Module, Added>;
}

/** Initialization is bounded by time alone. */
const INITIALIZATION_MS = 30_000;

/** How guests run: directly; directly and begun again elsewhere where that does not do; on stacks that can be suspended. */
export type How = "plain" | "attempt" | "on stacks";

export class PooledInstance<T> {
  readonly exports: HostExports;
  readonly store: Store;
  readonly meter: Meter;
  readonly how: How;
  /** Why it cannot serve a second transaction; undefined where it can. */
  readonly obstacle: string | undefined;
  /** The contents of its memories after initialization. */
  readonly images: readonly MemoryImage[];
  /** When it was last used, for those who clear away. */
  usedAt = 0;
  readonly #source: InstanceImports<T>;
  readonly #additions: RewrittenModules["additions"];
  readonly #memories: PooledMemories;
  readonly #instances: ComponentInstance[] = [];
  readonly #saves: (() => void)[] = [];
  readonly #restores: (() => unknown)[] = [];
  readonly #resets: (() => void)[] = [];
  readonly #obstacles: string[] = [];

  /** `like`: the contents of the memories of another instance. */
  constructor(
    component: Component,
    { modules, additions }: RewrittenModules,
    source: InstanceImports<T>,
    { limits = {}, reuse = true, mayAllocate }: Pick<PoolOptions<T>, "limits" | "reuse" | "mayAllocate">,
    how: How,
    like: readonly MemoryImage[],
  ) {
    this.#source = source;
    this.#additions = additions;
    this.how = how;
    const onStacks = how === "on stacks";
    this.#memories = new PooledMemories(limits.memoryBytes ?? DEFAULT_MEMORY_BYTES);
    const allocates = mayAllocate !== undefined && additions.values().some((added) => added.allocates);
    this.meter = new Meter(onStacks, allocates ? mayAllocate : undefined);
    this.meter.begin({ fuel: Infinity, deadline: Date.now() + INITIALIZATION_MS, signal: undefined }, false);
    const around: Surroundings = {
      onStacks,
      isAttempt: how === "attempt",
      maxHandles: limits.handles ?? DEFAULT_HANDLES,
      maxValueBytes: limits.valueBytes,
      intercept: source.intercept,
      memory: (memory) => this.#memories.view(memory),
      added: (instance) => this.#instances.push(instance),
      instantiate: (module, imports) => this.#instantiate(module, imports),
    };
    this.exports = new HostExports(instantiateRoot(component, modules, source.imports, around));
    const [root] = this.#instances;
    if (root === undefined) throw new StarlaneError("starlane/internal", "no instance was made");
    this.store = root.store;
    this.images = reuse ? this.#save(like) : [];
    this.obstacle = reuse ? this.#findObstacle() : "each instance is to serve one transaction";
    this.store.reset();
    this.meter.attach(this.store);
  }

  #instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.ModuleImports {
    const added = this.#additions.get(module);
    if (added === undefined) throw cannotRewrite();
    const { fuel, memories, state } = added;
    const own = Object.create(null) as WebAssembly.ModuleImports;
    if (fuel !== undefined) {
      own[fuel.global] = this.meter.global;
      own[fuel.outOfFuel] = this.meter.outOfFuel;
    }
    this.#memories.giveImported(own, memories, module, imports);
    const all = Object.assign(Object.create(null), imports, { [added.module]: own }) as WebAssembly.Imports;
    const exports = instantiateCore(module, all);
    this.#memories.adopt(exports, memories);
    if (state === undefined) return exports;
    this.#obstacles.push(...state.obstacles);
    this.#saves.push(exports[state.save] as () => void);
    this.#restores.push(exports[state.restore] as () => unknown);
    return exports;
  }

  /** Keeps everything as it is after initialization. */
  #save(like: readonly MemoryImage[]): readonly MemoryImage[] {
    for (const save of this.#saves) save();
    for (const instance of this.#instances) this.#resets.push(instance.save());
    return this.#memories.save(like);
  }

  #findObstacle(): string | undefined {
    const [obstacle] = [...this.#obstacles, ...this.#instances.flatMap((instance) => instance.obstacle ?? [])];
    return obstacle ?? (this.store.isQuiet ? undefined : "something that initialization did not finish");
  }

  /** Bytes of all memories, as the guests see them. */
  get memoryBytes(): number {
    return this.#memories.bytes;
  }

  get onStacks(): boolean {
    return this.how === "on stacks";
  }

  /** Whether an attempt came to its end: it was answered, and nothing of it goes on. Other calls need not. */
  hasEnded(outcome: unknown): boolean {
    if (this.how !== "attempt" || !this.store.mayBlock) return true;
    // What fails behind its answer shall fail where it can be told so.
    if (this.store.failed) return outcome === this.store.failure;
    return !(outcome instanceof Promise) && this.store.isQuiet;
  }

  begin(transaction: T, budget: Budget): void {
    this.meter.begin(budget, this.how === "attempt");
    this.#source.prepare?.(transaction);
  }

  finish(outcome: "done" | "failed"): void | Promise<void> {
    return this.#source.finish?.(outcome);
  }

  undo(): void {
    this.#source.restart?.();
  }

  /** Whether it can serve the next transaction with the memory it has now: nothing of it goes on, and it has not trapped. */
  get isSound(): boolean {
    return this.store.isQuiet && !this.store.failed && this.#instances.every(({ mayEnter }) => mayEnter);
  }

  /** It serves nobody any more: objects of it that the host kept are of no use. */
  retire(): void {
    this.store.epoch++;
  }

  /** Puts everything back. False: it cannot be, and the instance is of no more use. */
  restore(): boolean {
    if (this.obstacle !== undefined || !this.store.isQuiet) return false;
    for (const restore of this.#restores) if (restore() !== 1) return false;
    if (!this.#memories.restore()) return false;
    for (const reset of this.#resets) reset();
    this.store.reset();
    return true;
  }
}

function cannotRewrite(): StarlaneError {
  return new StarlaneError(
    "engine/instantiate",
    "a core module that the host gives cannot be part of a pool: it cannot be put back",
    {
      cure: "Use instantiate for components that import core modules.",
    },
  );
}
