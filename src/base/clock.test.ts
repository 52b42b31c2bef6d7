import assert from "node:assert/strict";
import { test } from "node:test";
import { virtualClock } from "./clock.ts";

test("virtual time stands still while something is waited for that happens in real time", async () => {
  const clock = virtualClock(1000);
  const told: string[] = [];
  const slept = clock.sleep(60_000).then(() => told.push(`slept until ${clock.now()}`));
  const work = new Promise<string>((resolve) => void setTimeout(() => resolve("worked"), 30));
  told.push(`${await clock.hold(work)} until ${clock.now()}`);
  await slept;
  assert.deepEqual(told, ["worked until 1000", "slept until 61000"]);
  await assert.rejects(clock.hold(Promise.reject(new Error("broken"))), /broken/);
  await clock.sleep(1);
  assert.equal(clock.now(), 61_001);
});
