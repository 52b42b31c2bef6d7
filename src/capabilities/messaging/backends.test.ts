// Every message broker through the conformance suite; NATS is a real one.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startNats } from "../../../test/services.ts";
import { messagingConformance } from "./conformance.ts";
import { openMessaging } from "./open.ts";

const folder = mkdtempSync(join(tmpdir(), "starlane-messaging-"));
after(() => rmSync(folder, { recursive: true }));

messagingConformance("memory", { volatile: true, open: () => openMessaging("memory:", { folder }) });
messagingConformance("SQLite", { open: (name) => openMessaging(`sqlite:./messages.db?name=${name}`, { folder }) });

const nats = await startNats();
messagingConformance("NATS", {
  missing: nats.missing,
  open: (name) => openMessaging(`nats://127.0.0.1:${nats.port}/${name}`, { folder }),
});

test("SQLite: a message whose handler died with its process is handled by another after the lease", async () => {
  let ahead = 0;
  const open = () => openMessaging("sqlite:./lease.db", { folder, now: () => Date.now() + ahead });
  const dying = await open();
  await dying.publish("work", { data: new Uint8Array(1), metadata: [] });
  const taken = Promise.withResolvers<void>();
  await dying.subscribe("work", { group: "g" }, async () => {
    taken.resolve();
    await new Promise(() => undefined);
  });
  await taken.promise;
  await dying.close();
  const next = await open();
  const attempts: number[] = [];
  const handled = Promise.withResolvers<void>();
  await next.subscribe("work", { group: "g" }, async ({ attempt }) => {
    attempts.push(attempt);
    handled.resolve();
  });
  assert.deepEqual(attempts, []);
  ahead = 31_000;
  await handled.promise;
  assert.deepEqual(attempts, [2]);
  await next.close();
});

test("NATS: what was accepted is there after the server was killed", { skip: nats.missing ?? false }, async () => {
  const address = `nats://127.0.0.1:${nats.port}/crash`;
  const before = await openMessaging(address, { folder });
  await before.publish("work", { data: Uint8Array.of(7), metadata: [] });
  await nats.restart();
  await before.close();
  const broker = await openMessaging(address, { folder });
  const handled = Promise.withResolvers<Uint8Array>();
  await broker.subscribe("work", { group: "g" }, async ({ message }) => handled.resolve(message.data));
  assert.deepEqual([...(await handled.promise)], [7]);
  await broker.close();
});
