// When the times of a cron expression come. Where clocks are put forward, a fixed time of the hour that is left out comes right after it; where they
// are put back, it comes once, the first time. Expressions with `*` or steps in the time of day follow the clock on the wall: nothing in the hour
// that is left out, and both hours that come twice.

import { Cron } from "croner";

export interface Times {
  /** Six fields: second, minute, hour, day of the month, month, day of the week. Where neither kind of day is `*`, either will do. */
  readonly cron: string;
  /** Of the IANA database. */
  readonly zone: string;
}

const parsed = new WeakMap<Times, Cron>();

/** The first time after a moment, in milliseconds since 1970; undefined: there is none. */
export function nextTime(times: Times, afterMs: number): number | undefined {
  return cronOf(times).nextRun(new Date(afterMs))?.getTime();
}

/** The times after one moment and up to another, oldest first: the latest ones, where there are more than `most`. */
export function latestTimes(times: Times, afterMs: number, untilMs: number, most: number): number[] {
  const found: number[] = [];
  for (let atMs = nextTime(times, afterMs); atMs !== undefined && atMs <= untilMs; atMs = nextTime(times, atMs)) {
    if (found.length === most) return backwards(times, untilMs, most);
    found.push(atMs);
  }
  return found;
}

function backwards(times: Times, untilMs: number, most: number): number[] {
  // They are whole seconds, and before the moment given.
  const moment = new Date(Math.floor(untilMs / 1000) * 1000 + 1000);
  const found = cronOf(times).previousRuns(most, moment);
  return found.map((date) => date.getTime()).toReversed();
}

function cronOf(times: Times): Cron {
  const known = parsed.get(times);
  if (known !== undefined) return known;
  const cron = new Cron(times.cron, { timezone: times.zone, mode: "6-part", fixedTimeRule: "no-wildcard", paused: true });
  parsed.set(times, cron);
  return cron;
}
