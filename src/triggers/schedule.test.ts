import assert from "node:assert/strict";
import { setTimeout as realSleep } from "node:timers/promises";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Clock, virtualClock } from "../base/clock.ts";
import { Schedule, type ScheduleEvent, type ScheduleOptions, type ScheduleState } from "./schedule.ts";
import { latestTimes, nextTime } from "./schedule-times.ts";

const DAY_MS = 86_400_000;

/** The first `count` times after a moment. */
function timesAfter(cron: string, zone: string, from: string, count: number): string[] {
  const times = { cron, zone };
  let at: number | undefined = Date.parse(from);
  const out: string[] = [];
  while (out.length < count && (at = nextTime(times, at)) !== undefined) out.push(new Date(at).toISOString().slice(0, 19));
  return out;
}

describe("the times of a schedule", () => {
  test("a fixed time in the hour that a time zone leaves out comes right after it", () => {
    assert.deepEqual(timesAfter("0 30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3), [
      "2026-03-28T01:30:00",
      "2026-03-29T01:00:00",
      "2026-03-30T00:30:00",
    ]);
  });

  test("a fixed time in the hour that comes twice comes once", () => {
    assert.deepEqual(timesAfter("0 30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3), [
      "2026-10-24T00:30:00",
      "2026-10-25T00:30:00",
      "2026-10-26T01:30:00",
    ]);
  });

  test("every half hour is every half hour of real time, whatever the clocks show", () => {
    for (const from of ["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"]) {
      const times = timesAfter("0 */30 * * * *", "Europe/Berlin", from, 8).map((text) => Date.parse(`${text}Z`));
      assert.deepEqual(
        times.map((at) => (at - Date.parse(from)) / 60_000),
        [30, 60, 90, 120, 150, 180, 210, 240],
      );
    }
  });

  test("days that months do not have are left out, and L is the last day", () => {
    assert.deepEqual(timesAfter("0 0 0 31 * *", "UTC", "2026-01-15T00:00:00Z", 3), [
      "2026-01-31T00:00:00",
      "2026-03-31T00:00:00",
      "2026-05-31T00:00:00",
    ]);
    assert.deepEqual(timesAfter("59 59 23 L * *", "UTC", "2028-01-31T23:59:59Z", 2), [
      "2028-02-29T23:59:59",
      "2028-03-31T23:59:59",
    ]);
    assert.deepEqual(timesAfter("0 0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 2), [
      "2028-02-29T00:00:00",
      "2032-02-29T00:00:00",
    ]);
  });

  test("where neither kind of day is *, either will do", () => {
    assert.deepEqual(timesAfter("0 0 0 1 * MON", "UTC", "2026-12-25T00:00:00Z", 3), [
      "2026-12-28T00:00:00",
      "2027-01-01T00:00:00",
      "2027-01-04T00:00:00",
    ]);
  });

  test("the latest times of a span are the last ones of all in it", () => {
    const crons = ["*/7 * * * * *", "0 */30 * * * *", "0 30 2 * * *", "0 15 1,2,3 * * SUN"];
    // Around both changes of the clocks in Europe, of 2026.
    const moment = fc.tuple(fc.constantFrom("2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"), fc.integer({ min: 0, max: 7200 }));
    const property = fc.property(fc.constantFrom(...crons), moment, fc.integer({ min: 1, max: 400 }), (cron, [day, s], most) => {
      const times = { cron, zone: "Europe/Berlin" };
      const from = Date.parse(day) - 3600_000 + s * 1000 + 300;
      const until = from + 3 * 3600_000;
      const all = latestTimes(times, from, until, 10_000);
      assert.deepEqual(latestTimes(times, from, until, most), all.slice(-most));
    });
    fc.assert(property, { numRuns: 15 });
  });
});

/** A schedule on a virtual clock, with all that happens to it. */
class Bench {
  readonly clock: Clock;
  readonly started: string[] = [];
  readonly events: ScheduleEvent[] = [];
  mostAtOnce = 0;
  #running = 0;
  #schedule: Schedule | undefined;

  constructor(from: string) {
    this.clock = virtualClock(Date.parse(from));
  }

  start(options: Partial<ScheduleOptions> & { readonly cron: string }, runMs = 0): Schedule {
    this.#schedule = new Schedule({
      zone: "UTC",
      missed: "skip",
      overlap: false,
      clock: this.clock,
      run: (atMs) => this.#run(atMs, runMs),
      onEvent: (event) => this.events.push(event),
      ...options,
    });
    return this.#schedule;
  }

  async #run(atMs: number, runMs: number): Promise<void> {
    this.started.push(new Date(atMs).toISOString().slice(0, 19));
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#running);
    if (runMs > 0) await this.clock.sleep(runMs);
    this.#running--;
  }

  /** Lets time go on, and stops. */
  async after(ms: number): Promise<void> {
    await this.clock.sleep(ms);
    assert.equal(await this.#schedule?.drain(DAY_MS), true);
  }
}

describe("a schedule", () => {
  test("starts a run at each time, also where the first one is further away than a timer of JavaScript reaches", async () => {
    const bench = new Bench("2026-03-05T12:00:00Z");
    bench.start({ cron: "0 0 6 31 * *", zone: "Europe/Berlin" });
    await bench.after(26 * DAY_MS);
    assert.deepEqual(bench.started, ["2026-03-31T04:00:00"]);
    assert.deepEqual(bench.events, []);
  });

  test("goes on where a run fails, at once or later", async () => {
    const bench = new Bench("2026-01-01T00:00:00.500Z");
    let count = 0;
    bench.start({
      cron: "* * * * * *",
      run: () => {
        count++;
        if (count === 1) throw new Error("at once");
        return count === 2 ? Promise.reject(new Error("later")) : undefined;
      },
    });
    await bench.after(4000);
    assert.equal(count, 4);
    assert.deepEqual(
      bench.events.map((event) => event.kind === "failed" && event.error instanceof Error && event.error.message),
      ["at once", "later"],
    );
  });

  test("leaves out the times at which the run before goes on", async () => {
    const bench = new Bench("2026-01-01T00:00:00.500Z");
    bench.start({ cron: "* * * * * *" }, 2500);
    await bench.after(6000);
    assert.deepEqual(bench.started, ["2026-01-01T00:00:01", "2026-01-01T00:00:04"]);
    assert.equal(bench.mostAtOnce, 1);
    const left = bench.events.map((event) => event.kind === "left-out" && `${event.why} ${new Date(event.atMs).getUTCSeconds()}`);
    assert.deepEqual(left, ["busy 2", "busy 3", "busy 5", "busy 6"]);
  });

  test("runs beside the run before where that is allowed, a hundred at once at most", async () => {
    const bench = new Bench("2026-01-01T00:00:00.500Z");
    bench.start({ cron: "* * * * * *", overlap: true }, 2500);
    await bench.after(6000);
    assert.deepEqual({ runs: bench.started.length, atOnce: bench.mostAtOnce }, { runs: 6, atOnce: 3 });
    const endless = new Bench("2026-01-01T00:00:00.500Z");
    endless.start({ cron: "* * * * * *", overlap: true }, 1000_000);
    await endless.after(120_000);
    assert.equal(endless.mostAtOnce, 100);
    assert.equal(endless.events.length, 20);
  });

  test("ends where there are no more times", async () => {
    const bench = new Bench("2026-01-01T00:00:00Z");
    // Of a month's days the manifest's reader refuses this one; weekdays beside it let it pass.
    const schedule = bench.start({ cron: "0 0 0 30 2 *" });
    await bench.after(1000);
    assert.deepEqual(bench.events, [{ kind: "ended" }]);
    assert.equal(schedule.nextMs, undefined);
  });

  test("tells when the next run is", async () => {
    const bench = new Bench("2026-01-01T00:00:00Z");
    const schedule = bench.start({ cron: "0 0 * * * *" });
    await bench.clock.sleep(1);
    assert.equal(schedule.nextMs, Date.parse("2026-01-01T01:00:00Z"));
    await bench.after(0);
  });
});

describe("a drain", () => {
  test("lets the run that goes on end, and starts no other", async () => {
    const bench = new Bench("2026-01-01T00:00:00.500Z");
    const schedule = bench.start({ cron: "* * * * * *" }, 5000);
    await bench.clock.sleep(1000);
    assert.equal(schedule.running, 1);
    assert.equal(await schedule.drain(60_000), true);
    assert.equal(schedule.running, 0);
    assert.equal(bench.started.length, 1);
  });

  test("aborts the runs that take longer than it waits", async () => {
    const bench = new Bench("2026-01-01T00:00:00.500Z");
    const aborted: boolean[] = [];
    const schedule = bench.start({
      cron: "* * * * * *",
      run: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            aborted.push(true);
            reject(new Error("stopped"));
          });
        }),
    });
    await bench.clock.sleep(1000);
    assert.equal(await schedule.drain(3000), false);
    assert.deepEqual(aborted, [true]);
  });
});

/** As a file keeps it. */
class Kept implements ScheduleState {
  untilMs: number | undefined;
  constructor(until?: string) {
    this.untilMs = until === undefined ? undefined : Date.parse(until);
  }
  read(): number | undefined {
    return this.untilMs;
  }
  write(untilMs: number): void {
    this.untilMs = untilMs;
  }
}

describe("a schedule that takes the place of another", () => {
  test("goes on where that one stopped: no time is lost, and none comes twice", async () => {
    const bench = new Bench("2026-01-01T00:00:00.500Z");
    let last = bench.start({ cron: "* * * * * *" });
    // Right at the times, before and behind them.
    for (const ms of [1000, 500, 500, 1499, 2, 999]) {
      await bench.clock.sleep(ms);
      void last.drain(DAY_MS);
      last = bench.start({ cron: "* * * * * *", after: last });
    }
    await bench.after(1100);
    assert.deepEqual(
      bench.started,
      [1, 2, 3, 4, 5, 6].map((second) => `2026-01-01T00:00:0${second}`),
    );
  });

  test("does not overlap what still runs there, unless that is allowed", async () => {
    for (const overlap of [false, true]) {
      const bench = new Bench("2026-01-01T00:00:00.500Z");
      const first = bench.start({ cron: "* * * * * *", overlap }, 2200);
      await bench.clock.sleep(1000);
      void first.drain(DAY_MS);
      bench.start({ cron: "* * * * * *", overlap, after: first }, 2200);
      await bench.after(3000);
      assert.equal(bench.mostAtOnce, overlap ? 3 : 1);
      assert.equal(bench.started.length, overlap ? 4 : 2);
    }
  });
});

describe("times at which no process was there", () => {
  const HOURLY = "0 0 * * * *";
  /** Last seen to at 8:00; it is 11:30 when the process starts, and 12:30 when it ends. */
  async function restarted(missed: ScheduleOptions["missed"], runMs = 0): Promise<Bench> {
    const bench = new Bench("2026-01-01T11:30:00Z");
    bench.start({ cron: HOURLY, missed, state: new Kept("2026-01-01T08:00:00Z") }, runMs);
    await bench.after(3600_000);
    return bench;
  }

  test("are left out, and told", async () => {
    const bench = await restarted("skip");
    assert.deepEqual(bench.started, ["2026-01-01T12:00:00"]);
    assert.deepEqual(bench.events, [{ kind: "left-out", atMs: Date.parse("2026-01-01T09:00:00Z"), why: "missed", count: 3 }]);
  });

  test("get one run for the last of them", async () => {
    assert.deepEqual((await restarted("once")).started, ["2026-01-01T11:00:00", "2026-01-01T12:00:00"]);
  });

  test("get a run each, oldest first and never two at once", async () => {
    const bench = await restarted("all", 60_000);
    assert.deepEqual(
      bench.started,
      [9, 10, 11, 12].map((hour) => `2026-01-01T${String(hour).padStart(2, "0")}:00:00`),
    );
    assert.equal(bench.mostAtOnce, 1);
  });

  test("get no more than a thousand runs, the latest", async () => {
    const bench = new Bench("2026-01-01T11:30:00Z");
    bench.start({ cron: "*/2 * * * * *", missed: "all", state: new Kept("2025-01-01T08:00:00Z") });
    await bench.after(500);
    assert.equal(bench.started.length, 1000);
    assert.equal(bench.started.at(-1), "2026-01-01T11:30:00");
    assert.equal(bench.events[0]?.kind === "left-out" && bench.events[0].why, "too-many");
  });

  test("are none where it starts for the first time", async () => {
    const state = new Kept();
    const bench = new Bench("2026-01-01T11:30:00Z");
    bench.start({ cron: HOURLY, missed: "all", state });
    await bench.after(1000);
    assert.deepEqual(bench.started, []);
    assert.equal(state.untilMs, Date.parse("2026-01-01T11:30:00Z"));
  });

  test("do not come again after another restart, also where a run was ended by the first one", async () => {
    const state = new Kept("2026-01-01T08:00:00Z");
    const first = new Bench("2026-01-01T11:30:00Z");
    const schedule = first.start({ cron: HOURLY, missed: "once", state, run: () => new Promise(() => {}) });
    await first.clock.sleep(1000);
    assert.equal(await schedule.drain(0), false);
    const second = new Bench("2026-01-01T11:31:00Z");
    second.start({ cron: HOURLY, missed: "once", state });
    await second.after(1000);
    assert.deepEqual(second.started, []);
  });

  test("are those of a machine that slept, too", async () => {
    const clock = virtualClock(Date.parse("2026-01-01T00:00:00Z"));
    let jump = 0;
    const jumping: Clock = { now: () => clock.now() + jump, sleep: (ms, signal) => clock.sleep(ms, signal) };
    const started: number[] = [];
    const schedule = new Schedule({
      cron: HOURLY,
      zone: "UTC",
      missed: "once",
      overlap: false,
      clock: jumping,
      run: (atMs) => started.push(new Date(atMs).getUTCHours()),
    });
    await clock.sleep(60_000);
    jump = 5 * 3600_000;
    // It is 5:01 now; what waited for 1:00 finds out soon.
    await clock.sleep(15 * 60_000);
    assert.deepEqual(started, [5]);
    assert.equal(await schedule.drain(0), true);
  });
});

test("a clock that is set back by a little does not repeat a time; by much, it starts again from there", async () => {
  const clock = virtualClock(Date.parse("2026-01-01T10:00:00Z"));
  let jump = 0;
  const started: string[] = [];
  const schedule = new Schedule({
    cron: "0 */10 * * * *",
    zone: "UTC",
    missed: "skip",
    overlap: false,
    clock: { now: () => clock.now() + jump, sleep: (ms, signal) => clock.sleep(ms, signal) },
    run: (atMs) => started.push(new Date(atMs).toISOString().slice(0, 16)),
  });
  await clock.sleep(11 * 60_000);
  jump = -5 * 60_000;
  await clock.sleep(10 * 60_000);
  assert.deepEqual(started, ["2026-01-01T10:10"]);
  jump = -5 * DAY_MS;
  await clock.sleep(20 * 60_000);
  assert.deepEqual(started, ["2026-01-01T10:10", "2025-12-27T10:30", "2025-12-27T10:40"]);
  await schedule.drain(0);
});

test("a state that cannot be kept is told, and stops nothing", async () => {
  const bench = new Bench("2026-01-01T00:00:00.500Z");
  const fail = (): never => {
    throw new Error("the disk is full");
  };
  bench.start({ cron: "* * * * * *", missed: "once", state: { read: fail, write: () => Promise.reject(new Error("full")) } });
  await bench.after(2000);
  assert.equal(bench.started.length, 2);
  assert.deepEqual(new Set(bench.events.map(({ kind }) => kind)), new Set(["state-failed"]));
});

test("by the clock of the machine it runs every second", async () => {
  const started = Promise.withResolvers<number>();
  const schedule = new Schedule({
    cron: "* * * * * *",
    zone: "UTC",
    missed: "skip",
    overlap: false,
    run: (atMs) => started.resolve(atMs),
  });
  const atMs = await Promise.race([started.promise, realSleep(20_000, 0, { ref: false })]);
  assert.equal(atMs % 1000, 0);
  assert(atMs > 0 && Date.now() >= atMs);
  assert.equal(await schedule.drain(1000), true);
});
