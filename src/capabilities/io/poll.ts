// `wasi:io/poll` over virtual time. Everything here is ready now, ready at a known instant, or never: so waiting is a jump of the
// clock, and never blocks the thread.

import { guestInterface, madeByHost, misuse, neverReady } from "../guest.ts";

/** Time that moves only by waiting, in nanoseconds; u64. */
export interface WaitableClock {
  readonly nowNs: bigint;
  /** Moves time forward to `instantNs`, never back. */
  advanceTo(instantNs: bigint): void;
}

/** When something becomes ready; `never` names what is waited for. */
export type Readiness =
  | { readonly kind: "now" }
  | { readonly kind: "at"; readonly instantNs: bigint; readonly clock: WaitableClock }
  | { readonly kind: "never"; readonly what: string };

const NOW: Readiness = { kind: "now" };

let readinessOf: (pollable: Pollable) => Readiness;

export class Pollable {
  readonly #readiness: () => Readiness;

  static {
    readinessOf = (pollable) => pollable.#readiness();
  }

  /** `readiness` is asked each time; left out, the pollable is always ready. */
  constructor(readiness: () => Readiness = () => NOW) {
    this.#readiness = readiness;
  }

  ready(): boolean {
    return isReady(this.#readiness());
  }

  block(): void {
    wait([this.#readiness()]);
  }
}

/** Ready at once and always. */
export function readyPollable(): Pollable {
  return new Pollable();
}

/** Ready from an instant of the virtual clock on. */
export function timerPollable(clock: WaitableClock, instantNs: bigint): Pollable {
  const readiness: Readiness = { kind: "at", instantNs, clock };
  return new Pollable(() => readiness);
}

function isReady(readiness: Readiness): boolean {
  return readiness.kind === "now" || (readiness.kind === "at" && readiness.clock.nowNs >= readiness.instantNs);
}

/** Returns when at least one is ready; moves the clock to the earliest instant where none is ready yet. */
function wait(all: readonly Readiness[]): void {
  let earliest: Extract<Readiness, { kind: "at" }> | undefined;
  let never = "nothing";
  for (const readiness of all) {
    if (isReady(readiness)) return;
    if (readiness.kind === "never") never = readiness.what;
    else if (readiness.kind === "at" && (earliest === undefined || readiness.instantNs < earliest.instantNs))
      earliest = readiness;
  }
  if (earliest === undefined) throw neverReady(never);
  earliest.clock.advanceTo(earliest.instantNs);
}

/** Indices of the pollables that are ready, waiting until there is one. */
function poll(pollables: readonly Pollable[]): Uint32Array {
  if (pollables.length === 0) throw misuse("wasi:io/poll#poll was called with an empty list");
  wait(pollables.map(readinessOf));
  const ready: number[] = [];
  pollables.forEach((pollable, index) => {
    if (pollable.ready()) ready.push(index);
  });
  return Uint32Array.from(ready);
}

/** `wasi:io/poll`. */
export const pollInterface = guestInterface({ poll, Pollable: madeByHost(Pollable) });
