// Every function of `wasi:messaging`, called by a guest through the engine, and its handler called by us.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ComponentError } from "../../engine/engine.ts";
import { jsGuest } from "../fixtures/js-guest.ts";
import { inertImports } from "../inert.ts";
import { memoryBroker } from "./memory.ts";
import type { Delivery, MessageBroker } from "./messaging.ts";
import { callIncomingHandler, INCOMING_HANDLER, messagingCapability } from "./wasi.ts";

const TRANSACTION = { seed: 1, timestampMs: 1_790_000_000_000 };

const guest = await jsGuest(
  "messaging",
  `
  import { Client, Message } from "wasi:messaging/types@0.2.0-draft";
  import { send } from "wasi:messaging/producer@0.2.0-draft";
  import { request, reply, RequestOptions } from "wasi:messaging/request-reply@0.2.0-draft";
  const make = (content) => new Message(bytes(content));
  const all = {
    send() {
      const client = Client.connect("any");
      const message = make("first");
      message.setData(bytes("hello"));
      message.setContentType("text/plain");
      message.setMetadata([["a", "1"], ["b", "2"]]);
      message.addMetadata("a", "3");
      message.removeMetadata("b");
      const seen = [message.topic() ?? null, message.contentType(), text(message.data()), message.metadata()];
      send(client, "orders", message);
      client.disconnect();
      return seen;
    },
    denied: () => [attempt(() => send(Client.connect(""), "secrets", make("x")))],
    connect: () => attempt(() => { Client.connect("") }),
    request(replies) {
      const options = new RequestOptions();
      options.setTimeoutMs(replies === undefined ? 5 : 20000);
      if (replies !== undefined) options.setExpectedReplies(Number(replies));
      return attempt(() => request(Client.connect(""), "orders", make("how many"), options).map((answer) => text(answer.data())));
    },
    plain: () => request(Client.connect(""), "orders", make("how many"), undefined).length,
    hoard() { const all = []; for (;;) all.push(new Message(new Uint8Array(1000000))) },
    large: () => attempt(() => send(Client.connect(""), "orders", new Message(new Uint8Array(1000001)))),
  };
  export const run = (input) => { const [name, ...args] = input.split(" "); return JSON.stringify(all[name](...args)) };
  export const incomingHandler = {
    handle(message) {
      const content = text(message.data());
      if (content === "bad") throw { payload: { tag: "other", val: "no such order" } };
      reply(message, make(message.topic() + " " + content));
      reply(message, make("again"));
    },
  };
  `,
);

async function link(broker: MessageBroker) {
  const binding = messagingCapability.configure(new Map([["orders", broker]]))();
  const instance = await guest.instantiate({ ...inertImports(TRANSACTION), ...binding.imports });
  const run = async (input: string): Promise<unknown> => JSON.parse(String(await instance.call("run", [input])));
  return { binding, instance, run };
}

test("a guest sends what it says, to granted topics only", async () => {
  const broker = memoryBroker();
  const { binding, run } = await link(broker);
  assert.deepEqual(await run("connect"), { tag: "permission-denied", val: "there is no transaction yet" });
  binding.prepare?.(TRANSACTION);
  assert.deepEqual(await run("send"), [null, "text/plain", "hello", [["a", "3"]]]);
  const got = await new Promise<Delivery>((resolve) => void broker.subscribe("orders", { group: "g" }, async (d) => resolve(d)));
  assert.deepEqual(got.message, { data: new TextEncoder().encode("hello"), contentType: "text/plain", metadata: [["a", "3"]] });
  assert.deepEqual(await run("denied"), [{ tag: "permission-denied", val: "the topic is not granted" }]);
  await broker.close();
});

test("a guest's handler answers a guest's requests", async () => {
  const broker = memoryBroker();
  const [asking, answering] = [await link(broker), await link(broker)];
  assert.ok(guest.functions.has(INCOMING_HANDLER));
  asking.binding.prepare?.(TRANSACTION);
  const stop = await broker.subscribe("orders", { group: "g" }, async (delivery) => {
    answering.binding.prepare?.(TRANSACTION);
    await callIncomingHandler(answering.instance, answering.binding, delivery, broker);
  });
  assert.deepEqual(await asking.run("request 2"), ["orders how many", "again"]);
  assert.equal(await asking.run("plain"), 1);
  await stop();
  assert.deepEqual(await asking.run("request"), { tag: "timeout" });
  await broker.close();
});

test("a handler's error result is told to who called it", async () => {
  const broker = memoryBroker();
  const { binding, instance } = await link(broker);
  binding.prepare?.(TRANSACTION);
  const message = { data: new TextEncoder().encode("bad"), metadata: [] };
  const call = callIncomingHandler(instance, binding, { topic: "orders", message, replyTo: undefined, attempt: 1 }, broker);
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ComponentError);
    assert.deepEqual(error.payload, { tag: "other", val: "no such order" });
    return true;
  });
  await broker.close();
});

test("messages that are too large are refused, and a guest that hoards them is stopped", async () => {
  const broker = memoryBroker();
  const { binding, run } = await link(broker);
  binding.prepare?.(TRANSACTION);
  assert.deepEqual(await run("large"), { tag: "other", val: "a message has 1000001 bytes; the limit is 1000000" });
  await assert.rejects(run("hoard"), /messages of so many bytes; the limit is 67108864/);
  await broker.close();
});
