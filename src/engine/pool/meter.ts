// Fuel, and what is looked at each time a slice of it is used up: whether the transaction may go on, and whether others want a turn.
// All core modules of an instance take from one counter. How large slices are makes no difference to what is used in all.
// Source: `component/instrument/instrument.ts`, `FuelNames`.

import { StarlaneError } from "../../base/errors.ts";
import { BYTES_PER_UNIT, LARGEST_ARRAY_BYTES } from "../../component/instrument/allocation.ts";
import type { Store } from "../async/store.ts";
import { beginAnew } from "../restart.ts";
import { stopWith } from "../trap.ts";
import { deadlineError, isPast } from "./deadline.ts";
import { outOfFuelImport } from "./out-of-fuel.ts";
import { nextTurn } from "./turns.ts";

/** About a millisecond of computing. */
const SLICE = 2_000_000;
/** Some instructions take much longer than others: slices become smaller, and larger again, as they take more or less time than this. */
const SLICE_MS = 1;
const SMALLEST_SLICE = SLICE / 32;
/** What a call may use before it is put back and begun again on a stack that can be suspended. */
const FIRST_SLICE = 10_000_000;
const FIRST_VALUE = BigInt(FIRST_SLICE);
const SLICE_VALUE = BigInt(SLICE);
/** The same for guests that allocate in the heap of V8, so that they are looked at before they have filled it. */
const ALLOCATING_SLICE = SLICE / 8;
/** What code may use in all that cannot be suspended, because the host called it directly. */
const DIRECT_FUEL = 100_000_000;

export interface Budget {
  /** Units in all; `Infinity` where there is no limit. */
  readonly fuel: number;
  /** Milliseconds since 1970. */
  readonly deadline: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export class Meter {
  readonly global = new WebAssembly.Global({ value: "i64", mutable: true }, 0n);
  /** What core modules import as the function that is called without fuel. */
  readonly outOfFuel: WebAssembly.ImportValue;
  #store: Store | undefined;
  #budget: Budget = { fuel: Infinity, deadline: undefined, signal: undefined };
  #restartable = false;
  #given = 0;
  #slice = SLICE;
  #direct = 0;
  #sliceStart = 0;
  readonly #largestSlice: number;
  readonly #mayAllocate: ((bytes: number) => boolean) | undefined;

  /** `mayAllocate`: of guests that allocate in the heap of V8. */
  constructor(onStacks: boolean, mayAllocate?: (bytes: number) => boolean) {
    this.#mayAllocate = mayAllocate;
    this.#largestSlice = mayAllocate === undefined ? SLICE : ALLOCATING_SLICE;
    this.outOfFuel = onStacks
      ? outOfFuelImport(
          () => this.#isDirect,
          () => this.#goOnDirectly(),
          () => this.#goOnLater(),
        )
      : ((() => this.#goOn()) as WebAssembly.ImportValue);
  }

  /** The store whose guests it meters; before, the guests are being initialized. */
  attach(store: Store): void {
    this.#store = store;
  }

  begin(budget: Budget, restartable: boolean): void {
    this.#budget = budget;
    this.#restartable = restartable;
    this.#slice = this.#largestSlice;
    this.#direct = this.#sliceStart = 0;
    this.#given = Math.min(restartable && this.#mayAllocate === undefined ? FIRST_SLICE : this.#slice, budget.fuel);
    this.global.value = valueOf(this.#given);
  }

  /** What was used since `begin`, in units. */
  get used(): number {
    return this.#given - Number(this.global.value);
  }

  /** While guests are initialized nothing can be suspended either. */
  get #isDirect(): boolean {
    return this.#store === undefined || this.#store.direct > 0;
  }

  #goOn(): void {
    this.#check();
    if (this.#restartable && this.#given >= FIRST_SLICE) beginAnew();
    this.#refill();
  }

  #goOnDirectly(): void {
    this.#direct += this.#slice;
    if (this.#store !== undefined && this.#direct > DIRECT_FUEL) {
      stopWith(
        new StarlaneError("engine/out-of-fuel", "an allocator, destructor or clean-up function of the component ran too long"),
      );
    }
    this.#check();
    this.#refill();
  }

  #goOnLater(): Promise<void> {
    const store = this.#store;
    if (store === undefined) throw new StarlaneError("starlane/internal", "no store is metered");
    const { epoch } = store;
    store.running.progressed = true;
    const ranMs = this.#endSlice();
    return store.suspension((resolve, reject) => {
      nextTurn(ranMs, () => {
        // What was stopped meanwhile has no more turns.
        if (store.epoch !== epoch || store.failed) return;
        this.#sliceStart = performance.now();
        try {
          this.#check();
          this.#refill();
          resolve();
        } catch (error) {
          store.explain(error);
          reject(error);
        }
      });
    });
  }

  /** How long the slice took; the next one shall take about a millisecond. */
  #endSlice(): number {
    // The first slice has no start: about as long as slices take.
    if (this.#sliceStart === 0) return 2 * SLICE_MS;
    const ranMs = performance.now() - this.#sliceStart;
    if (ranMs > 2 * SLICE_MS) this.#slice = Math.max(SMALLEST_SLICE, this.#slice / 2);
    else if (ranMs < SLICE_MS / 2) this.#slice = Math.min(this.#largestSlice, this.#slice * 2);
    return ranMs;
  }

  #check(): void {
    const { fuel, deadline, signal } = this.#budget;
    if (signal?.aborted === true) stopWith(signal.reason);
    if (isPast(deadline)) stopWith(deadlineError());
    if (this.#given >= fuel) stopWith(outOfFuel(fuel));
    if (this.#mayAllocate?.(this.#nextBytes()) === false) stopWith(outOfHeap());
  }

  /** What the guest could allocate at most until it is looked at again: with what it is about to do, and then with a slice. */
  #nextBytes(): number {
    const pending = Math.min(-Number(this.global.value) * BYTES_PER_UNIT, LARGEST_ARRAY_BYTES);
    return pending + this.#slice * BYTES_PER_UNIT;
  }

  #refill(): void {
    const missing = -Number(this.global.value);
    const more = Math.min(this.#slice + missing, this.#budget.fuel - this.#given);
    this.#given += more;
    this.global.value += BigInt(more);
    if (more < missing) this.#check();
  }
}

/** Making a bigint costs more than taking one that is there. */
function valueOf(fuel: number): bigint {
  if (fuel === SLICE) return SLICE_VALUE;
  return fuel === FIRST_SLICE ? FIRST_VALUE : BigInt(fuel);
}

function outOfHeap(): StarlaneError {
  return new StarlaneError("engine/limit", "the component was stopped: its structs and arrays fill the memory of the process", {
    cure: "Let it keep fewer values at a time, or start the process with a larger heap.",
  });
}

function outOfFuel(fuel: number): StarlaneError {
  return new StarlaneError("engine/out-of-fuel", `the component was stopped: it used up its fuel, ${fuel} units`, {
    cure: "Allow more fuel, or look for an endless loop.",
  });
}
