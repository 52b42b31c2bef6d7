// `wasi:clocks` in virtual time: both clocks start at the transaction's timestamp and move only when the guest waits, so the
// same input gives the same times on every run.

import type { Binding, Capability } from "../capability.ts";
import { guestInterface, misuse } from "../guest.ts";
import { timerPollable, type Pollable, type WaitableClock } from "../io/poll.ts";

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;
const MAX_U64 = 2n ** 64n - 1n;
/** The year 2554: the last timestamp whose nanoseconds a u64 holds. */
const MAX_TIMESTAMP_MS = Number(MAX_U64 / NS_PER_MS);

/** `datetime` of `wasi:clocks/wall-clock`. */
export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

class VirtualTime implements WaitableClock {
  nowNs = 0n;

  startAt(timestampMs: number): void {
    const ms = Number.isFinite(timestampMs) ? Math.min(Math.max(Math.trunc(timestampMs), 0), MAX_TIMESTAMP_MS) : 0;
    this.nowNs = BigInt(ms) * NS_PER_MS;
  }

  advanceTo(instantNs: bigint): void {
    if (instantNs > this.nowNs) this.nowNs = instantNs;
  }
}

function instantOf(value: bigint): bigint {
  if (typeof value !== "bigint" || value < 0n || value > MAX_U64) throw misuse("an instant or duration has to be a u64");
  return value;
}

const UTC = Object.freeze({ utcOffset: 0, name: "UTC", inDaylightSavingTime: false });
const timezoneInterface = guestInterface({
  display: (_when: Datetime) => UTC,
  utcOffset: (_when: Datetime) => 0,
});

function bind(): Binding {
  const time = new VirtualTime();
  return {
    imports: {
      "wasi:clocks/monotonic-clock@0.2.0": {
        __proto__: null,
        now: (): bigint => time.nowNs,
        resolution: (): bigint => 1n,
        subscribeInstant: (when: bigint): Pollable => timerPollable(time, instantOf(when)),
        subscribeDuration: (duration: bigint): Pollable => {
          const end = time.nowNs + instantOf(duration);
          return timerPollable(time, end > MAX_U64 ? MAX_U64 : end);
        },
      },
      "wasi:clocks/wall-clock@0.2.0": {
        __proto__: null,
        now: (): Datetime => datetimeOf(time.nowNs),
        resolution: (): Datetime => datetimeOf(1n),
      },
      "wasi:clocks/timezone@0.2.0": timezoneInterface,
    },
    prepare(transaction) {
      time.startAt(transaction.timestampMs);
    },
  };
}

function datetimeOf(ns: bigint): Datetime {
  return { seconds: ns / NS_PER_SECOND, nanoseconds: Number(ns % NS_PER_SECOND) };
}

/** Virtual clocks: what a component gets without a grant. */
export const virtualClocks: Capability = {
  name: "clock",
  packages: ["wasi:clocks"],
  configure: () => bind,
};
