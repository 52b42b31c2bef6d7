import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { virtualClock } from "../base/clock.ts";
import { StarlaneError } from "../base/errors.ts";
import { ScheduleStates } from "./schedule-state.ts";
import { type ScheduleLogEntry, startSchedules } from "./schedules.ts";
import { loadTarget, type Loaded } from "./star.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-schedules-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const tally = join(import.meta.dirname, "../../guests/wat/tally.wasm");

async function load(name: string, schedule: string): Promise<Loaded> {
  mkdirSync(join(folder, name));
  const manifest = `starlane: v1
components: { tally: ./tally.wasm }
resources: { counts: { keyvalue: "memory:" } }
grants: { tally: { keyvalue: { default: counts } } }
operations:
  tick: { input: { counter: { type: string, max: 5 } }, output: { count: s64 }, flow: "<>.counter -> tally::count -> <>.count" }
triggers:
  - schedule: ${schedule}
`;
  writeFileSync(join(folder, name, "starlane.yaml"), manifest);
  cpSync(tally, join(folder, name, "tally.wasm"));
  return await loadTarget(join(folder, name), { use: "run" });
}

/** What the operation counts next. */
async function countOf({ target }: Loaded): Promise<unknown> {
  const { runTransaction } = await import("./transaction.ts");
  const tick = target.operations.get("tick");
  assert(tick !== undefined);
  return await runTransaction(tick, ["a"], { seed: 0, timestampMs: 0 });
}

test("a schedule of an app starts its operation with the input of the manifest", async () => {
  const loaded = await load("counts", '{ cron: "* * * * * *", operation: tick, input: { counter: a } }');
  const clock = virtualClock(Date.parse("2026-01-01T00:00:00.500Z"));
  const log: ScheduleLogEntry[] = [];
  const schedules = startSchedules([loaded.target], { clock, log: (entry) => log.push(entry) });
  assert.equal(schedules.count, 1);
  await clock.sleep(1000);
  assert.equal(await schedules.drain(60_000), true);
  assert.deepEqual(log, []);
  assert.deepEqual(await countOf(loaded), { count: 2n });
  await loaded.close();
});

test("a run that fails is told, and the next one comes", async () => {
  const loaded = await load("fails", '{ cron: "0 * * * * *", operation: tick, input: { counter: too-long } }');
  const clock = virtualClock(Date.parse("2026-01-01T00:00:30Z"));
  const log: ScheduleLogEntry[] = [];
  const schedules = startSchedules([loaded.target], { clock, log: (entry) => log.push(entry) });
  await clock.sleep(120_000);
  assert.equal(await schedules.drain(1000), true);
  assert.deepEqual(
    log.map(({ level, app, operation, message }) => `${level} ${app} ${operation} ${message}`),
    ["error fails tick the run of 2026-01-01T00:01:00Z failed", "error fails tick the run of 2026-01-01T00:02:00Z failed"],
  );
  assert(log.every(({ error }) => error instanceof StarlaneError && error.code === "star/invalid-input"));
  await loaded.close();
});

test("until when times were seen to is kept in a file, for each schedule by itself", async () => {
  const place = join(folder, "state/deep");
  {
    using states = new ScheduleStates(place);
    assert.equal(states.of("a").read(), undefined);
    await states.of("a").write(1_767_225_600_000);
    await states.of("a").write(1_767_225_601_000);
  }
  using states = new ScheduleStates(place);
  assert.deepEqual([states.of("a").read(), states.of("b").read()], [1_767_225_601_000, undefined]);
});

test("a schedule knows after a restart what it missed, and one of other times does not", async () => {
  const loaded = await load("restarts", '{ cron: "0 0 * * * *", operation: tick, input: { counter: a }, missed: all }');
  const other = await load("others", '{ cron: "0 30 * * * *", operation: tick, input: { counter: a }, missed: all }');
  using states = new ScheduleStates(join(folder, "kept"));
  const serve = async (from: string, ms: number): Promise<void> => {
    const clock = virtualClock(Date.parse(from));
    const options = { clock, stateOf: (key: string) => states.of(key) };
    const schedules = startSchedules([loaded.target, ...(from.includes("T10") ? [] : [other.target])], options);
    await clock.sleep(ms);
    assert.equal(await schedules.drain(60_000), true);
  };
  await serve("2026-01-01T10:59:00Z", 120_000);
  await serve("2026-01-01T14:05:00Z", 1000);
  // 11:00 when it ran, 12:00, 13:00, 14:00 made up for, and ours.
  assert.deepEqual(await countOf(loaded), { count: 5n });
  assert.deepEqual(await countOf(other), { count: 1n });
  await Promise.all([loaded.close(), other.close()]);
});
