import assert from "node:assert/strict";
import { test } from "node:test";
import { Broadcast, eventText } from "./broadcast.ts";

const options = { mostClients: 2, mostWaitingBytes: 1000, retryMs: 50 };

function joined(broadcast: Broadcast): AsyncIterator<Uint8Array> {
  const body = broadcast.join([eventText("hello", 1)]);
  assert.ok(body !== undefined);
  return body[Symbol.asyncIterator]();
}

const textOf = async (iterator: AsyncIterator<Uint8Array>): Promise<string> => {
  const { done, value } = await iterator.next();
  return done === true ? "the end" : Buffer.from(value).toString();
};

test("everyone gets what is sent from when they came on", async () => {
  const broadcast = new Broadcast(options);
  const first = joined(broadcast);
  broadcast.send(eventText("a", { text: "x\ny" }));
  const second = joined(broadcast);
  const waiting = textOf(second).then(async (start) => start + (await textOf(second)));
  assert.equal(await textOf(first), 'retry: 50\n\nevent: hello\ndata: 1\n\nevent: a\ndata: {"text":"x\\ny"}\n\n');
  broadcast.send(eventText("b", 2));
  assert.equal(await waiting, "retry: 50\n\nevent: hello\ndata: 1\n\nevent: b\ndata: 2\n\n");
  assert.equal(await textOf(first), "event: b\ndata: 2\n\n");
  broadcast.end();
  assert.deepEqual([await textOf(first), await textOf(second), broadcast.size], ["the end", "the end", 0]);
});

test("who takes nothing is dropped at the bound, and holds nothing any more; others are not touched", async () => {
  const broadcast = new Broadcast(options);
  const [slow, quick] = [joined(broadcast), joined(broadcast)];
  await textOf(quick);
  for (let i = 0; i < 5; i++) {
    broadcast.send(eventText("x", "y".repeat(300)));
    assert.match(await textOf(quick), /^event: x/);
  }
  assert.equal(broadcast.size, 1);
  assert.equal(await textOf(slow), "the end");
});

test("there is room for so many, and for another when one leaves", async () => {
  const broadcast = new Broadcast(options);
  const [first] = [joined(broadcast), joined(broadcast)];
  assert.equal(broadcast.join([]), undefined);
  await first?.return?.();
  assert.ok(broadcast.join([]) !== undefined);
  broadcast.end();
});
