// `wasi:clocks` in virtual time for components that reach outside: the clocks tell what virtual ones tell, and async sleeping takes the
// real time that it says. Else every timeout of a component would be over before anything from outside could arrive.

import type { Maybe } from "../../engine/async/maybe.ts";
import type { Binding, Capability } from "../capability.ts";
import { Changes, firstOf } from "../io/changes.ts";
import { msUntil } from "../io/poll.ts";
import { clockImports } from "./interfaces.ts";
import { VirtualTime } from "./virtual.ts";

class PacedTime extends VirtualTime {
  interrupted = new Changes();

  override startAt(timestampMs: number): void {
    super.startAt(timestampMs);
    this.interrupted = new Changes();
  }

  override sleepUntil(instantNs: bigint): Maybe<void> {
    return instantNs <= this.nowNs ? undefined : this.#sleep(instantNs);
  }

  async #sleep(instantNs: bigint): Promise<void> {
    const { interrupted } = this;
    const startedMs = performance.now();
    const durationNs = instantNs - this.nowNs;
    for (;;) {
      const leftNs = durationNs - BigInt(Math.floor((performance.now() - startedMs) * 1e6));
      if (leftNs <= 0n) break;
      await firstOf([interrupted], msUntil(leftNs));
    }
    this.advanceTo(instantNs);
  }
}

function bind(): Binding {
  const time = new PacedTime();
  let stopListening = (): void => undefined;
  return {
    imports: clockImports(time),
    prepare(transaction) {
      stopListening();
      time.startAt(transaction.timestampMs);
      stopListening = time.interrupted.failOn(transaction.signal);
    },
    finish() {
      stopListening();
    },
  };
}

/** Virtual clocks that sleep in real time: for components with a network and no grant of a clock. */
export const pacedClocks: Capability = {
  name: "clock",
  packages: ["wasi:clocks"],
  configure: () => bind,
};
