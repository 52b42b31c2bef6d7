// Rewrites core modules so that their host can meter them and put their state back. What is added has reserved names that nothing of
// the module has; everything else behaves as before. V8 validates the result: what was invalid stays invalid.

import { readCoreModule } from "../core-module.ts";
import { Instrumenting } from "./instrumenting.ts";
import type { Limits } from "./rewrite-sections.ts";
import type { State } from "./state.ts";

export interface InstrumentOptions {
  /**
   * Counts fuel: one unit an instruction, more for operations that move much and for exceptions. A function without loops and calls of
   * up to forty instructions is paid by its direct callers; a call of something unknown costs ten units more. Waiting for another
   * thread (`memory.atomic.wait*`) is a trap: it would take time and no fuel.
   */
  readonly fuel?: boolean | undefined;
  /** Exports all memories, and functions that save and put back globals and tables. */
  readonly expose?: boolean | undefined;
  /** Every store marks its page in a map of one byte a page. */
  readonly barrier?: boolean | undefined;
  /**
   * `memory.size` and `memory.grow` work on a number of pages that is saved and put back, while the memory itself stays as big as it
   * was. What was given up: what lies behind the number of pages, but inside of the memory, can be accessed without a trap.
   */
  readonly shrink?: boolean | undefined;
  /** The most that memories and tables may grow to: a maximum for those that have none, or a greater one, but not less than they begin with. */
  readonly limits?: Limits | undefined;
}

export interface Instrumented {
  readonly bytes: Uint8Array;
  /** The module name of all added imports. Where nothing is said of an import it is not added. */
  readonly module: string;
  readonly fuel?: FuelNames | undefined;
  readonly state?: State | undefined;
  /** Whether it can make structs and arrays; they lie in the heap of V8. A unit of fuel stands for `BYTES_PER_UNIT` of them at most. */
  readonly allocates: boolean;
  /** Of each memory in the order of their indices: the map of its barrier, and the number of its pages. */
  readonly memories: readonly MemoryAdditions[];
}

/** Both are imports, so that all modules of a component can share them. */
export interface FuelNames {
  /**
   * A mutable i64 global: what is left. It is less than 0 when `outOfFuel` is called. A function takes what it uses off it when it
   * ends, be it by an exception, and at the latest after 10 000 units, and looks at it when it begins; what the functions on the stack
   * have not taken off when a trap ends them is lost. How deep the stack is bounds how much that can be.
   */
  readonly global: string;
  /**
   * A function without parameters and results. It gives the global more fuel, so that it is 0 or more, or stops the guest: by a trap,
   * because the guest could catch an exception. It may suspend the stack.
   */
  readonly outOfFuel: string;
}

/** Names of an own memory's additions are exports, those of an imported memory are imports: whoever has the memory has them. */
export interface MemoryAdditions {
  readonly imported: boolean;
  /** The name that an own memory is exported as (`expose`, or `barrier`). */
  readonly memory?: string | undefined;
  /**
   * A memory with a byte for each 4 KiB page: not 0 when something was stored to the page. Stores may also have changed the first
   * `DIRTY_SPILL` bytes behind the page. It covers all that V8 can address; the host clears it, but never while a call is still to go on,
   * and marks what it writes itself.
   */
  readonly dirty?: string | undefined;
  /** A mutable global with the number of pages that the guest sees (`shrink`), i64 for a memory with 64-bit addresses. */
  readonly pages?: string | undefined;
}

/**
 * Rewrites a module; `base` is where it lies in its file, for offsets in errors.
 * @throws StarlaneError `component/malformed`, or `component/not-supported-yet` for an instruction that is not known
 */
export function instrument(bytes: Uint8Array, options: InstrumentOptions, base = 0): Instrumented {
  const module = readCoreModule(bytes, base);
  return new Instrumenting(module, options, base).result();
}
