// `wasi:clocks` over the clock of a test: all components of it see the same time, which moves only when everything sleeps. Timers are
// things outside that change: a component that waits for one lets the others go on.

import type { Clock } from "../../base/clock.ts";
import type { ConfiguredCapability } from "../../capabilities/capability.ts";
import { clockImports, MAX_U64, type Time } from "../../capabilities/clocks/interfaces.ts";
import { Changes } from "../../capabilities/io/changes.ts";
import { changingPollable, type Pollable } from "../../capabilities/io/poll.ts";
import { waitingIo } from "../../capabilities/io/waiting.ts";
import type { Maybe } from "../../engine/async/maybe.ts";

const NS_PER_MS = 1_000_000;
/** Sleeps are rounded up to this part of a millisecond, which numbers of the size of a timestamp hold exactly. */
const TICKS_PER_MS = 1024;

class TestTime implements Time {
  readonly resolutionNs = 1n;
  readonly wallResolutionNs = 1n;
  readonly #clock: Clock;
  readonly #startMs: number;
  #signal: AbortSignal | undefined;
  #changes = new Changes();
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = Math.trunc(clock.now());
  }

  begin(signal: AbortSignal | undefined): void {
    this.#isRunning = true;
    this.#signal = signal;
    this.#changes = new Changes();
    this.#changes.failOn(signal);
  }

  get nowNs(): bigint {
    if (!this.#isRunning) return 0n;
    return BigInt(this.#startMs) * BigInt(NS_PER_MS) + BigInt(Math.round((this.#clock.now() - this.#startMs) * NS_PER_MS));
  }

  get wallNs(): bigint {
    return this.nowNs;
  }

  advanceTo(): void {
    // Sleeping moves it.
  }

  sleepUntil(instantNs: bigint): Maybe<void> {
    const leftNs = instantNs - this.nowNs;
    if (leftNs <= 0n) return undefined;
    const ms = Math.ceil((Number(leftNs) / NS_PER_MS) * TICKS_PER_MS) / TICKS_PER_MS;
    return this.#clock.sleep(ms, this.#signal);
  }

  timer(instantNs: bigint): Pollable {
    const changes = new Changes(this.#changes);
    let isAsleep = false;
    const wake = (): void => {
      isAsleep = false;
      changes.notify();
    };
    return changingPollable(
      () => this.nowNs >= instantNs,
      () => {
        if (!isAsleep) {
          isAsleep = true;
          void Promise.resolve(this.sleepUntil(instantNs)).then(wake, wake);
        }
        return changes;
      },
    );
  }
}

function within(instantNs: bigint): bigint {
  return instantNs > MAX_U64 ? MAX_U64 : instantNs;
}

export function testClocks(clock: Clock): ConfiguredCapability {
  return () => {
    const time = new TestTime(clock);
    const imports: Record<string, unknown> = { ...waitingIo, ...clockImports(time) };
    const monotonic = "wasi:clocks/monotonic-clock@0.2.0";
    imports[monotonic] = Object.assign(Object.create(null), imports[monotonic], {
      subscribeInstant: (when: bigint) => time.timer(within(when)),
      subscribeDuration: (duration: bigint) => time.timer(within(time.nowNs + duration)),
    });
    return { imports, prepare: ({ signal }) => time.begin(signal) };
  };
}
