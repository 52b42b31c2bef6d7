// A schedule: starts runs at the times of a cron expression, says which are left out, and never ends because one failed. Bounds: MOST_AT_ONCE runs,
// MOST_MISSED times that are made up for, LONGEST_WAIT_MS of sleep at once. It knows no app: `run` does the work.

import { realClock, type Clock } from "../base/clock.ts";
import { latestTimes, nextTime, type Times } from "./schedule-times.ts";

export interface ScheduleOptions extends Times {
  /** What is done about times that were missed: nothing, one run for the last of them, or one for each, one after another. */
  readonly missed: "skip" | "once" | "all";
  /** Whether a run may start while the one before goes on; else its time is left out. */
  readonly overlap: boolean;
  /** One run, for the time it is due: milliseconds since 1970. The signal aborts when a drain gives up on it. */
  readonly run: (atMs: number, signal: AbortSignal) => unknown;
  readonly clock?: Clock | undefined;
  /** Knows the times before a restart; undefined: none were missed. */
  readonly state?: ScheduleState | undefined;
  /** Whose place it takes: it goes on where that one stopped, and counts what still runs there as its own. */
  readonly after?: Schedule | undefined;
  readonly onEvent?: ((event: ScheduleEvent) => void) | undefined;
}

/** Until when the times of a schedule have been seen to: they were run, or left out for a reason. */
export interface ScheduleState {
  /** Milliseconds since 1970; undefined: it starts for the first time. */
  read(): number | undefined | Promise<number | undefined>;
  /** Before the run that it is about: what a crash ends is not begun again. */
  write(untilMs: number): void | Promise<void>;
}

export type ScheduleEvent =
  | { readonly kind: "failed"; readonly atMs: number; readonly error: unknown }
  /**
   * From this time on. `busy`: the run before goes on, or too many do. `missed`: nobody was there, and `missed` says not to make up for it.
   * `too-many`: it says so, but only for the last ones; how many were before them is not counted.
   */
  | { readonly kind: "left-out"; readonly atMs: number; readonly why: "busy" | "missed"; readonly count: number }
  | { readonly kind: "left-out"; readonly atMs: number; readonly why: "too-many" }
  /** The state could not be read or written; the schedule goes on. */
  | { readonly kind: "state-failed"; readonly error: unknown }
  /** There are no more times. */
  | { readonly kind: "ended" };

/** Later than this a time is missed: nobody was there, or the machine slept. */
const MISSED_MS = 30_000;
/** The clock of the machine may be set, or stand still, while a timer waits. (And one of JavaScript ends at 24.8 days.) */
const LONGEST_WAIT_MS = 10 * 60_000;
/** A clock set back by more than this was wrong before: its times count again. */
const SET_BACK_MS = 60 * 60_000;
const MOST_AT_ONCE = 100;
const MOST_MISSED = 1000;

export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  readonly #givingUp = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #loop: Promise<void>;
  #after: Schedule | undefined;
  #nextMs: number | undefined;
  /** Until when its times have been seen to. */
  #seenMs: number | undefined;

  /** Starts at once. */
  constructor({ after, ...options }: ScheduleOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#after = after;
    this.#loop = this.#follow().catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error;
    });
  }

  /** When it starts the next run; undefined: not known yet, or never. */
  get nextMs(): number | undefined {
    return this.#nextMs;
  }

  /** How many runs go on. */
  get running(): number {
    return this.#running.size + (this.#after?.running ?? 0);
  }

  /** Starts no more runs and lets those that go on end, for at most so long; then they are aborted. Whether all came to their end. */
  async drain(timeoutMs: number): Promise<boolean> {
    this.#stopping.abort();
    const late = new AbortController();
    const isDone = await Promise.race([
      Promise.all([this.#loop, this.#idle()]).then(() => true),
      this.#clock.sleep(timeoutMs, late.signal).then(
        () => false,
        () => true,
      ),
    ]);
    late.abort();
    this.#givingUp.abort();
    return isDone;
  }

  async #follow(): Promise<void> {
    let seenMs = await this.#begin();
    for (;;) {
      seenMs = this.#afterSetBack(seenMs);
      const next = nextTime(this.#options, seenMs);
      this.#nextMs = next;
      if (next === undefined) return this.#tell({ kind: "ended" });
      await this.#sleepUntil(next);
      if (this.#clock.now() < next) continue;
      seenMs = await this.#handle(seenMs);
    }
  }

  /** Until when the times have been seen to. */
  async #begin(): Promise<number> {
    const now = this.#clock.now();
    const left = await this.#takeOver();
    if (left !== undefined) return (this.#seenMs = left);
    const known = await this.#guarded(() => this.#options.state?.read());
    if (known !== undefined) return (this.#seenMs = known);
    await this.#seen(now);
    return now;
  }

  /** Until when the one before has seen to the times; it must have stopped, or be about to. */
  async #takeOver(): Promise<number | undefined> {
    const before = this.#after;
    if (before === undefined) return undefined;
    await before.#loop;
    void before.#idle().then(() => (this.#after = undefined));
    return before.#seenMs;
  }

  #afterSetBack(seenMs: number): number {
    const now = this.#clock.now();
    return seenMs - now > SET_BACK_MS ? now : seenMs;
  }

  /** In steps; it ends early when the clock was set back so far that the next time is another one. */
  async #sleepUntil(atMs: number): Promise<void> {
    const started = this.#clock.now();
    for (let now = started; now < atMs && now >= started - SET_BACK_MS; now = this.#clock.now()) {
      await this.#clock.sleep(Math.min(atMs - now, LONGEST_WAIT_MS), this.#stopping.signal);
    }
    this.#stopping.signal.throwIfAborted();
  }

  /** Runs or leaves out every time that is due. */
  async #handle(seenMs: number): Promise<number> {
    const now = this.#clock.now();
    const due = latestTimes(this.#options, seenMs, now, MOST_MISSED);
    const newest = due.at(-1) ?? now;
    const chosen = due.filter((atMs) => this.#isChosen(atMs, newest, now));
    const leftOut = due.length - chosen.length;
    if (leftOut > 0) this.#tell({ kind: "left-out", atMs: due[0] ?? now, why: "missed", count: leftOut });
    else if (due.length === MOST_MISSED) this.#tell({ kind: "left-out", atMs: seenMs, why: "too-many" });
    for (const atMs of chosen) {
      // What is made up for waits for its turn; what is on time does not come later than the next one.
      if (now - atMs > MISSED_MS || chosen.length > 1) await this.#idle();
      this.#stopping.signal.throwIfAborted();
      await this.#seen(atMs);
      this.#start(atMs);
    }
    if (chosen.at(-1) !== newest) await this.#seen(newest);
    return newest;
  }

  #isChosen(atMs: number, newest: number, now: number): boolean {
    const { missed } = this.#options;
    if (missed === "all") return true;
    return atMs === newest && (missed === "once" || now - atMs <= MISSED_MS);
  }

  #start(atMs: number): void {
    if (this.running >= (this.#options.overlap ? MOST_AT_ONCE : 1)) {
      return this.#tell({ kind: "left-out", atMs, why: "busy", count: 1 });
    }
    const run = this.#runOnce(atMs).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #runOnce(atMs: number): Promise<void> {
    try {
      await this.#options.run(atMs, this.#givingUp.signal);
    } catch (error) {
      this.#tell({ kind: "failed", atMs, error });
    }
  }

  async #idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #seen(untilMs: number): Promise<void> {
    this.#seenMs = untilMs;
    await this.#guarded(() => this.#options.state?.write(untilMs));
  }

  async #guarded<T>(act: () => T): Promise<Awaited<T> | undefined> {
    try {
      return await act();
    } catch (error) {
      this.#tell({ kind: "state-failed", error });
      return undefined;
    }
  }

  #tell(event: ScheduleEvent): void {
    this.#options.onEvent?.(event);
  }
}
