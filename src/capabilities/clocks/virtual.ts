// `wasi:clocks` in virtual time: both clocks start at the transaction's timestamp and move only when the guest waits, so the
// same input gives the same times on every run.

import type { Maybe } from "../../engine/async/maybe.ts";
import type { Binding, Capability } from "../capability.ts";
import { BEFORE_NS, clockImports, MAX_U64, type Time } from "./interfaces.ts";

const NS_PER_MS = 1_000_000n;
/** The year 2554: the last timestamp whose nanoseconds a u64 holds. */
const MAX_TIMESTAMP_MS = Number(MAX_U64 / NS_PER_MS);

interface Sleeper {
  readonly wakeAtNs: bigint;
  readonly wake: () => void;
}

export class VirtualTime implements Time {
  readonly resolutionNs = 1n;
  readonly wallResolutionNs = 1n;
  nowNs = BEFORE_NS;
  /** By time; those of the same time in the order they fell asleep. */
  #sleepers: Sleeper[] = [];
  #ticking = false;

  get wallNs(): bigint {
    return this.nowNs;
  }

  startAt(timestampMs: number): void {
    const ms = Number.isFinite(timestampMs) ? Math.min(Math.max(Math.trunc(timestampMs), 0), MAX_TIMESTAMP_MS) : 0;
    this.nowNs = BigInt(ms) * NS_PER_MS;
    this.#sleepers = [];
  }

  advanceTo(instantNs: bigint): void {
    if (instantNs > this.nowNs) this.nowNs = instantNs;
  }

  /** When everything that could run has run, time jumps to the earliest sleeper. */
  sleepUntil(instantNs: bigint): Maybe<void> {
    if (instantNs <= this.nowNs) return undefined;
    return new Promise((wake) => {
      const after = this.#sleepers.findIndex((other) => other.wakeAtNs > instantNs);
      this.#sleepers.splice(after < 0 ? this.#sleepers.length : after, 0, { wakeAtNs: instantNs, wake });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#ticking || this.#sleepers.length === 0) return;
    this.#ticking = true;
    setTimeout(() => {
      this.#ticking = false;
      const next = this.#sleepers.shift();
      if (next === undefined) return;
      this.advanceTo(next.wakeAtNs);
      next.wake();
      this.#schedule();
    }, 0);
  }
}

function bind(): Binding {
  const time = new VirtualTime();
  return {
    imports: clockImports(time),
    prepare(transaction) {
      time.startAt(transaction.timestampMs);
    },
  };
}

/** Virtual clocks: what a component gets without a grant. */
export const virtualClocks: Capability = {
  name: "clock",
  packages: ["wasi:clocks"],
  configure: () => bind,
};
