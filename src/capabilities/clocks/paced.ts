// `wasi:clocks` in virtual time for components that reach outside: the clocks tell what virtual ones tell, and async sleeping takes the
// real time that it says. Else every timeout of a component would be over before anything from outside could arrive.

import type { Maybe } from "../../engine/async/maybe.ts";
import type { Binding, Capability } from "../capability.ts";
import { Changes, firstOf } from "../io/changes.ts";
import { msUntil } from "../io/poll.ts";
import { clockImports } from "./interfaces.ts";
import { VirtualTime } from "./virtual.ts";

class PacedTime extends VirtualTime {
  /** Of the transaction. */
  signal: AbortSignal | undefined;
  #transactions = 0;

  override startAt(timestampMs: number): void {
    super.startAt(timestampMs);
    this.#transactions++;
  }

  override sleepUntil(instantNs: bigint): Maybe<void> {
    return instantNs <= this.nowNs ? undefined : this.#sleep(instantNs);
  }

  async #sleep(instantNs: bigint): Promise<void> {
    const transaction = this.#transactions;
    const interrupted = new Changes();
    const stopListening = interrupted.failOn(this.signal);
    const startedMs = performance.now();
    const durationNs = instantNs - this.nowNs;
    try {
      for (;;) {
        const leftNs = durationNs - BigInt(Math.floor((performance.now() - startedMs) * 1e6));
        if (leftNs <= 0n) break;
        await firstOf([interrupted], msUntil(leftNs));
      }
    } finally {
      stopListening();
    }
    if (transaction === this.#transactions) this.advanceTo(instantNs);
  }
}

function bind(): Binding {
  const time = new PacedTime();
  return {
    imports: clockImports(time),
    prepare(transaction) {
      time.startAt(transaction.timestampMs);
      time.signal = transaction.signal;
    },
    // It only tells the time: sleeping is waiting, before which an attempt ends.
    restart: () => undefined,
  };
}

/** Virtual clocks that sleep in real time: for components with a network and no grant of a clock. */
export const pacedClocks: Capability = {
  name: "clock",
  packages: ["wasi:clocks"],
  configure: () => bind,
};
