// `wasi:clocks` in real time, granted by `clock: real`. The monotonic clock counts microseconds since this process started, so it
// tells nothing of how long the machine has been up; before the first transaction both clocks stand at 0.

import type { Maybe } from "../../engine/async/maybe.ts";
import type { Binding, Capability } from "../capability.ts";
import { Changes, firstOf } from "../io/changes.ts";
import { msUntil } from "../io/poll.ts";
import { waitingIo } from "../io/waiting.ts";
import { BEFORE_NS, clockImports, type Time } from "./interfaces.ts";

const NS_PER_MS = 1_000_000n;
const US_PER_MS = 1000;
const NS_PER_US = 1000n;

class RealTime implements Time {
  readonly resolutionNs = NS_PER_US;
  readonly wallResolutionNs = NS_PER_MS;
  real = new Changes();
  #running = false;

  start(): void {
    this.#running = true;
    this.real = new Changes();
  }

  get nowNs(): bigint {
    return this.#running ? BigInt(Math.floor(performance.now() * US_PER_MS)) * NS_PER_US : BEFORE_NS;
  }

  get wallNs(): bigint {
    return this.#running ? BigInt(Date.now()) * NS_PER_MS : 0n;
  }

  advanceTo(): void {
    // Real time moves by itself.
  }

  sleepUntil(instantNs: bigint): Maybe<void> {
    return this.nowNs >= instantNs ? undefined : this.#sleep(instantNs);
  }

  async #sleep(instantNs: bigint): Promise<void> {
    const { real } = this;
    for (let now = this.nowNs; now < instantNs; now = this.nowNs) await firstOf([real], msUntil(instantNs - now));
  }
}

function bind(): Binding {
  const time = new RealTime();
  let stopListening = (): void => undefined;
  return {
    imports: { ...waitingIo, ...clockImports(time) },
    prepare(transaction) {
      stopListening();
      time.start();
      stopListening = time.real.failOn(transaction.signal);
    },
    finish() {
      stopListening();
    },
  };
}

/** The machine's clocks. */
export const realClocks: Capability<"real"> = {
  name: "clock",
  packages: ["wasi:clocks"],
  configure: () => bind,
};
