// `wasi:io/poll`. What is waited for is ready now, at a known instant, when something outside changes, or never. In virtual time
// alone, waiting is a jump of the clock and answers at once; only what is outside makes a guest wait.

import type { Maybe } from "../../engine/async/maybe.ts";
import { mayWait } from "../../engine/may-wait.ts";
import { guestInterface, madeByHost, misuse, neverReady } from "../guest.ts";
import { firstOf, type Changes } from "./changes.ts";

/** Time in nanoseconds, u64: virtual time moves only by waiting, real time by itself. */
export interface WaitableClock {
  readonly nowNs: bigint;
  /** Moves virtual time forward to `instantNs`, never back; real time is left alone. */
  advanceTo(instantNs: bigint): void;
  /** Of a real clock: fails when the transaction is cancelled. Left out where time is virtual. */
  readonly real?: Changes | undefined;
}

/** When something becomes ready; `never` names what is waited for. After a change of `outside`, readiness is asked again. */
export type Readiness =
  | { readonly kind: "now" }
  | { readonly kind: "at"; readonly instantNs: bigint; readonly clock: WaitableClock }
  | { readonly kind: "outside"; readonly changes: Changes }
  | { readonly kind: "never"; readonly what: string };

const NOW: Readiness = { kind: "now" };
const NS_PER_MS = 1_000_000n;
/** The longest that a timer of JavaScript takes; longer waits take several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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

  block(): Maybe<void> {
    return wait([this]);
  }
}

/** Ready at once and always. */
export function readyPollable(): Pollable {
  return new Pollable();
}

/** Ready from an instant of the clock on. */
export function timerPollable(clock: WaitableClock, instantNs: bigint): Pollable {
  const readiness: Readiness = { kind: "at", instantNs, clock };
  return new Pollable(() => readiness);
}

/** Ready while `ready` answers true; it is asked again after each change. */
export function changingPollable(ready: () => boolean, changes: Changes | (() => Changes)): Pollable {
  const current = typeof changes === "function" ? changes : (): Changes => changes;
  return new Pollable(() => (ready() ? NOW : { kind: "outside", changes: current() }));
}

function isReady(readiness: Readiness): boolean {
  return readiness.kind === "now" || (readiness.kind === "at" && readiness.clock.nowNs >= readiness.instantNs);
}

/** Returns when at least one is ready; moves a virtual clock to the earliest instant where nothing outside is waited for. */
function wait(pollables: readonly Pollable[]): Maybe<void> {
  const outside = new Set<Changes>();
  let earliest: Extract<Readiness, { kind: "at" }> | undefined;
  let never = "nothing";
  for (const pollable of pollables) {
    const readiness = readinessOf(pollable);
    if (isReady(readiness)) return undefined;
    if (readiness.kind === "outside") outside.add(readiness.changes);
    else if (readiness.kind === "never") never = readiness.what;
    else if (readiness.kind === "at" && (earliest === undefined || readiness.instantNs < earliest.instantNs))
      earliest = readiness;
  }
  if (earliest?.clock.real !== undefined) outside.add(earliest.clock.real);
  if (outside.size > 0) return waitOutside(pollables, outside, earliest);
  if (earliest === undefined) throw neverReady(never);
  earliest.clock.advanceTo(earliest.instantNs);
  return undefined;
}

/** A timer takes its real time where it is waited for together with something outside: else it would always win. */
async function waitOutside(
  pollables: readonly Pollable[],
  outside: ReadonlySet<Changes>,
  timer: Extract<Readiness, { kind: "at" }> | undefined,
): Promise<void> {
  if (timer === undefined) await firstOf(outside);
  else {
    const { clock, instantNs } = timer;
    const startedMs = performance.now();
    const waitMs = msUntil(instantNs - clock.nowNs);
    await firstOf(outside, waitMs);
    if (clock.real === undefined && waitMs < LONGEST_TIMER_MS && performance.now() - startedMs >= waitMs)
      clock.advanceTo(instantNs);
  }
  return wait(pollables);
}

/** Whole milliseconds for a timer, rounded up. */
export function msUntil(durationNs: bigint): number {
  if (durationNs <= 0n) return 0;
  const ms = (durationNs + NS_PER_MS - 1n) / NS_PER_MS;
  return ms > BigInt(LONGEST_TIMER_MS) ? LONGEST_TIMER_MS : Number(ms);
}

/** Indices of the pollables that are ready, waiting until there is one. */
function poll(pollables: readonly Pollable[]): Maybe<Uint32Array> {
  if (pollables.length === 0) throw misuse("wasi:io/poll#poll was called with an empty list");
  const waited = wait(pollables);
  return waited instanceof Promise ? waited.then(() => readyOnes(pollables)) : readyOnes(pollables);
}

function readyOnes(pollables: readonly Pollable[]): Uint32Array {
  const ready: number[] = [];
  pollables.forEach((pollable, index) => {
    if (pollable.ready()) ready.push(index);
  });
  return Uint32Array.from(ready);
}

/** `wasi:io/poll` where nothing comes from outside: no call of it waits. */
export const pollInterface = guestInterface({ poll, Pollable: madeByHost(Pollable) });

/** `wasi:io/poll` where calls may wait. */
export const waitingPollInterface = guestInterface({
  poll: mayWait((pollables: readonly Pollable[]): Maybe<Uint32Array> => poll(pollables)),
  Pollable: madeByHost(Pollable, ["block"]),
});
