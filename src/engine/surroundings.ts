// What a root instance is built in: how core modules become instances, and who keeps account of what was made. A plain instance
// needs none of it; one that is put back after each transaction does.

import { StarlaneError } from "../base/errors.ts";
import { LinearMemory } from "./abi/memory.ts";
import type { Intercept } from "./engine.ts";
import type { ComponentInstance } from "./instance.ts";
import { failureOf, isTrap } from "./trap.ts";

export interface Surroundings {
  /** Whether guests run on stacks that can be suspended, even where nothing of theirs can block. */
  readonly onStacks: boolean;
  /** Whether calls are attempts: what would have to wait ends them (`restart.ts`). */
  readonly isAttempt: boolean;
  readonly maxHandles?: number | undefined;
  /** The most host memory, about, that the values of one call may take. */
  readonly maxValueBytes?: number | undefined;
  readonly intercept?: Intercept | undefined;
  instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.ModuleImports;
  /** One view per memory, however many functions use it. */
  memory(memory: unknown): LinearMemory;
  added(instance: ComponentInstance): void;
}

/** The surroundings of an instance that nobody puts back. */
export function plain(): Surroundings {
  const memories = new Map<unknown, LinearMemory>();
  return {
    onStacks: false,
    isAttempt: false,
    instantiate: instantiateCore,
    memory(memory) {
      let view = memories.get(memory);
      if (view === undefined) memories.set(memory, (view = new LinearMemory(asMemory(memory))));
      return view;
    },
    added: () => undefined,
  };
}

export function asMemory(value: unknown): WebAssembly.Memory {
  if (!(value instanceof WebAssembly.Memory)) throw new StarlaneError("starlane/internal", "not a memory");
  return value;
}

/** V8 names what does not fit, however long its name is. */
const LONGEST_MESSAGE = 1000;

/** @throws StarlaneError `engine/instantiate`, `engine/trap` */
export function instantiateCore(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.ModuleImports {
  try {
    return new WebAssembly.Instance(module, imports).exports as WebAssembly.ModuleImports;
  } catch (error) {
    if (isTrap(error) || error instanceof WebAssembly.Exception) throw failureOf(error);
    if (error instanceof WebAssembly.LinkError || error instanceof RangeError || error instanceof TypeError) {
      throw new StarlaneError(
        "engine/instantiate",
        `a core module could not be instantiated: ${error.message.slice(0, LONGEST_MESSAGE)}`,
        {
          cause: error,
          cure: error.message.includes("main thread")
            ? "Use the engine in a worker: a page may not do this while it is shown."
            : undefined,
        },
      );
    }
    throw error;
  }
}
