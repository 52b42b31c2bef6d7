// `wasi:clocks` 0.2 and 0.3 over one source of time, real or virtual. Time zones are UTC always: the machine's is nobody's business.

import type { Maybe } from "../../engine/async/maybe.ts";
import type { Imports } from "../../engine/engine.ts";
import { guestInterface, misuse } from "../guest.ts";
import { timerPollable, type Pollable, type WaitableClock } from "../io/poll.ts";

const NS_PER_SECOND = 1_000_000_000n;
export const MAX_U64 = 2n ** 64n - 1n;

/** What clocks show while a guest is initialized, before there is a transaction. Go's runtime takes 0 for a broken clock. */
export const BEFORE_NS = 1n;

/** What the clocks of one instance tell. */
export interface Time extends WaitableClock {
  readonly resolutionNs: bigint;
  /** Nanoseconds since 1970. */
  readonly wallNs: bigint;
  readonly wallResolutionNs: bigint;
  /** For async functions of WASI 0.3: others run meanwhile. */
  sleepUntil(instantNs: bigint): Maybe<void>;
}

/** `datetime` of WASI 0.2 and `instant` of WASI 0.3. */
export interface Datetime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/** The `datetime` of nanoseconds since 1970; before 1970 the seconds are negative, the nanoseconds never. */
export function datetimeOf(ns: bigint): Datetime {
  const nanoseconds = ((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  return { seconds: (ns - nanoseconds) / NS_PER_SECOND, nanoseconds: Number(nanoseconds) };
}

function instantOf(value: bigint): bigint {
  if (typeof value !== "bigint" || value < 0n || value > MAX_U64) throw misuse("an instant or duration has to be a u64");
  return value;
}

const UTC = Object.freeze({ utcOffset: 0, name: "UTC", inDaylightSavingTime: false });

const timezone = guestInterface({
  display: (_when: Datetime) => UTC,
  utcOffset: (_when: Datetime) => 0,
});

const timezoneOf03 = guestInterface({
  ianaId: (): string | undefined => "UTC",
  utcOffset: (_when: Datetime): bigint | undefined => 0n,
  toDebugString: () => "UTC",
});

const types = guestInterface({});

/** The imports of one instance whose time this is. */
export function clockImports(time: Time): Imports {
  const after = (duration: bigint): bigint => {
    const end = time.nowNs + instantOf(duration);
    return end > MAX_U64 ? MAX_U64 : end;
  };
  return {
    "wasi:clocks/monotonic-clock@0.2.0": {
      __proto__: null,
      now: (): bigint => time.nowNs,
      resolution: (): bigint => time.resolutionNs,
      subscribeInstant: (when: bigint): Pollable => timerPollable(time, instantOf(when)),
      subscribeDuration: (duration: bigint): Pollable => timerPollable(time, after(duration)),
    },
    "wasi:clocks/wall-clock@0.2.0": {
      __proto__: null,
      now: (): Datetime => datetimeOf(time.wallNs),
      resolution: (): Datetime => datetimeOf(time.wallResolutionNs),
    },
    "wasi:clocks/timezone@0.2.0": timezone,
    "wasi:clocks/types@0.3.0": types,
    "wasi:clocks/monotonic-clock@0.3.0": {
      __proto__: null,
      now: (): bigint => time.nowNs,
      getResolution: (): bigint => time.resolutionNs,
      waitUntil: (when: bigint): Maybe<void> => time.sleepUntil(instantOf(when)),
      waitFor: (howLong: bigint): Maybe<void> => time.sleepUntil(after(howLong)),
    },
    "wasi:clocks/system-clock@0.3.0": {
      __proto__: null,
      now: (): Datetime => datetimeOf(time.wallNs),
      getResolution: (): bigint => time.wallResolutionNs,
    },
    "wasi:clocks/timezone@0.3.0": timezoneOf03,
  };
}
