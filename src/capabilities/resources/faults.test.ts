import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import { memoryBroker } from "../messaging/memory.ts";
import { memoryKeyValue } from "../keyvalue/memory.ts";
import { openSql } from "../sql/open.ts";
import { withFaults } from "./faults.ts";

const unavailable = (error: unknown): boolean => error instanceof StarlaneError && error.code === "resource/unavailable";

test("faults meet the calls that were planned, by method and count; the others go through", async () => {
  const waited: number[] = [];
  const store = withFaults(
    memoryKeyValue(),
    (method, before) =>
      method === "get" ? [{ latencyMs: 7 }, { error: "disconnected" } as const, undefined][before] : undefined,
    async (ms) => void waited.push(ms),
  );
  assert.equal(store.immediate, false);
  await store.set("a", Uint8Array.of(1));
  assert.deepEqual([...((await store.get("a")) ?? [])], [1]);
  assert.deepEqual(waited, [7]);
  await assert.rejects(async () => await store.get("a"), unavailable);
  assert.deepEqual([...((await store.get("a")) ?? [])], [1]);
});

test("every contract takes faults: a broker that is gone, a database whose sessions fail", async () => {
  const never = () => Promise.resolve();
  const broker = withFaults(memoryBroker(), () => ({ error: "disconnected" }), never);
  await assert.rejects(async () => await broker.publish("a", { data: new Uint8Array(1), metadata: [] }), unavailable);
  const database = await openSql("memory:", { folder: "/" });
  const session = withFaults(
    database.session(),
    (method) => (method === "execute" ? { error: "disconnected" } : undefined),
    never,
  );
  await assert.rejects(async () => await session.execute("SELECT 1", []), unavailable);
  assert.equal((await (await session.query("SELECT 1", [])).next(1)).length, 1);
  await session.end("rollback");
  await database.close();
});
