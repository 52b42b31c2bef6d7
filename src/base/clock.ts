// Time as a value that is handed in: real time, or virtual time that moves only by sleeping.

/** Milliseconds since 1970, and a way to wait that an abort signal ends. */
export interface Clock {
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};

/** Virtual time, which stands still while something is waited for that happens in real time. */
export interface VirtualClock extends Clock {
  hold<T>(work: Promise<T>): Promise<T>;
}

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/**
 * A clock that starts at `startMs` and moves only by sleeping: when everything that could run has run, it jumps to the
 * earliest sleeper. Sleepers with the same time wake in the order they fell asleep.
 */
export function virtualClock(startMs: number): VirtualClock {
  let now = startMs;
  let ticking = false;
  let held = 0;
  const sleepers: Sleeper[] = [];
  const tick = (): void => {
    ticking = false;
    if (held > 0) return;
    const next = sleepers.shift();
    if (next === undefined) return;
    now = Math.max(now, next.wakeAt);
    next.wake();
    schedule();
  };
  const schedule = (): void => {
    if (ticking || sleepers.length === 0) return;
    ticking = true;
    setTimeout(tick, 0);
  };
  return {
    now: () => now,
    async hold(work) {
      held++;
      try {
        return await work;
      } finally {
        held--;
        schedule();
      }
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const onAbort = (): void => {
          const index = sleepers.indexOf(sleeper);
          if (index >= 0) sleepers.splice(index, 1);
          reject(signal?.reason);
        };
        const wake = (): void => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        };
        const sleeper: Sleeper = { wakeAt: now + Math.max(0, ms), wake };
        const after = sleepers.findIndex((other) => other.wakeAt > sleeper.wakeAt);
        sleepers.splice(after < 0 ? sleepers.length : after, 0, sleeper);
        signal?.addEventListener("abort", onAbort, { once: true });
        schedule();
      }),
  };
}
