import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines, type Expiring } from "./deadlines.ts";

function expiring(name: string, told: string[], then: () => void = () => undefined): Expiring {
  return {
    expire: (afterMs) => {
      told.push(`${name} ${afterMs}`);
      then();
    },
  };
}

/** The one timer of deadlines keeps no process alive. */
async function awake<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 1000);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

test("each is told when its time is over, the earlier first, whatever the order in which they came", async () => {
  const deadlines = new Deadlines();
  const told: string[] = [];
  const done = Promise.withResolvers<void>();
  deadlines.add(expiring("slow", told, done.resolve), 120);
  deadlines.add(expiring("quick", told), 20);
  deadlines.add(expiring("quick too", told), 20);
  deadlines.add(expiring("between", told), 60);
  await awake(done.promise);
  assert.deepEqual(told, ["quick 20", "quick too 20", "between 60", "slow 120"]);
});

test("who is done is not told, and who comes after a pause still is", async () => {
  const deadlines = new Deadlines();
  const told: string[] = [];
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const done = expiring("done", told);
  deadlines.add(done, 10);
  deadlines.add(expiring("first", told, first.resolve), 10);
  deadlines.delete(done, 10);
  await awake(first.promise);
  deadlines.add(expiring("second", told, second.resolve), 10);
  await awake(second.promise);
  assert.deepEqual(told, ["first 10", "second 10"]);
});

test("who is told may add others, and take others away", async () => {
  const deadlines = new Deadlines();
  const told: string[] = [];
  const done = Promise.withResolvers<void>();
  const never = expiring("never", told);
  deadlines.add(
    expiring("first", told, () => {
      deadlines.delete(never, 300);
      deadlines.add(expiring("next", told, done.resolve), 10);
    }),
    10,
  );
  deadlines.add(never, 300);
  await awake(done.promise);
  assert.deepEqual(told, ["first 10", "next 10"]);
});
