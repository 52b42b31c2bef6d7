// What every message broker does, as tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { StarlaneError } from "../../base/errors.ts";
import {
  type Delivery,
  LARGEST_MESSAGE_BYTES,
  type MessageBroker,
  type MessageData,
  type MessageHandler,
  type SubscriptionOptions,
} from "./messaging.ts";

export interface MessagingUnderTest {
  /** A broker without messages; the same name opens the same one again. */
  open(name: string): Promise<MessageBroker>;
  readonly missing?: string | undefined;
  /** What waits is gone when the broker is closed. */
  readonly volatile?: boolean;
}

const message = (text: string, rest: Partial<MessageData> = {}): MessageData => ({
  data: new TextEncoder().encode(text),
  metadata: [],
  ...rest,
});
const text = ({ data }: MessageData): string => new TextDecoder().decode(data);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A subscriber that keeps what it got. */
async function collect(
  broker: MessageBroker,
  topic: string,
  options: Partial<SubscriptionOptions> = {},
  handler: MessageHandler = async () => {},
) {
  const got: Delivery[] = [];
  const stop = await broker.subscribe(topic, { group: "g", ...options }, async (delivery) => {
    got.push(delivery);
    await handler(delivery);
  });
  return { got, texts: () => got.map((delivery) => text(delivery.message)), stop };
}

export function messagingConformance(backend: string, under: MessagingUnderTest): void {
  let opened = 0;
  const cases = (name: string, run: (broker: MessageBroker, again: () => Promise<MessageBroker>) => Promise<void>): void => {
    test(`${backend}: ${name}`, { skip: under.missing ?? false }, async () => {
      const broker = `t${opened++}`;
      const [first, others] = [await under.open(broker), [] as MessageBroker[]];
      const again = async (): Promise<MessageBroker> => {
        const other = await under.open(broker);
        others.push(other);
        return other;
      };
      try {
        await run(first, again);
      } finally {
        for (const one of [first, ...others]) await one.close();
      }
    });
  };

  cases("live messages reach who listens at that moment, in order, and nobody else", async (broker) => {
    const heard: string[] = [];
    const also: string[] = [];
    await broker.send("room", new TextEncoder().encode("nobody is there"));
    const stop = await broker.listen("room", (data) => heard.push(new TextDecoder().decode(data)));
    const stopAlso = await broker.listen("room", (data) => also.push(new TextDecoder().decode(data)));
    const other = await broker.listen("hall", (data) => heard.push(`hall ${data.length}`));
    for (const word of ["one", "two", "three"]) await broker.send("room", new TextEncoder().encode(word));
    await until(() => heard.length === 3 && also.length === 3);
    stop();
    await broker.send("room", new TextEncoder().encode("four"));
    await until(() => also.length === 4);
    assert.deepEqual(heard, ["one", "two", "three"]);
    assert.deepEqual(also, ["one", "two", "three", "four"]);
    stopAlso();
    other();
    await assert.rejects(async () => broker.send("room", new Uint8Array(LARGEST_MESSAGE_BYTES + 1)), { code: "resource/limit" });
    await assert.rejects(async () => broker.listen("", () => undefined), { code: "resource/limit" });
  });

  cases("messages arrive in order, whole, with what was said of them", async (broker) => {
    const subscriber = await collect(broker, "orders");
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await broker.publish("orders", { data: all, contentType: "application/x-ä", metadata: [["key ä", "value\n1"]] });
    await broker.publish("orders", message("", { contentType: "text/plain" }));
    await broker.publish("orders", message("3"));
    await broker.publish("other", message("not this one"));
    await until(() => subscriber.got.length === 3);
    const [first, second, third] = subscriber.got;
    assert.deepEqual([...(first?.message.data ?? [])], [...all]);
    assert.equal(first?.message.contentType, "application/x-ä");
    assert.deepEqual(first.message.metadata, [["key ä", "value\n1"]]);
    assert.deepEqual([first.topic, first.attempt, first.replyTo], ["orders", 1, undefined]);
    assert.deepEqual([second?.message.data.length, second?.message.contentType], [0, "text/plain"]);
    assert.deepEqual([third && text(third.message), third?.message.contentType, third?.message.metadata], ["3", undefined, []]);
    await subscriber.stop();
  });

  cases("what was published before anybody subscribed is there for the first group", async (broker) => {
    await broker.publish("early", message("1"));
    await broker.publish("early", message("2"));
    const subscriber = await collect(broker, "early");
    await until(() => subscriber.got.length === 2);
    assert.deepEqual(subscriber.texts(), ["1", "2"]);
    await subscriber.stop();
  });

  cases("every group gets every message; members of a group share them", async (broker) => {
    const [a1, a2, b] = [
      await collect(broker, "news", { group: "a b" }),
      await collect(broker, "news", { group: "a b" }),
      await collect(broker, "news", { group: "b.*" }),
    ];
    for (let i = 0; i < 20; i++) await broker.publish("news", message(String(i)));
    await until(() => b.got.length === 20 && a1.got.length + a2.got.length === 20);
    const numbers = Array.from({ length: 20 }, (_, i) => String(i)).toSorted();
    assert.deepEqual([...a1.texts(), ...a2.texts()].toSorted(), numbers);
    assert.deepEqual(b.texts().toSorted(), numbers);
    await Promise.all([a1.stop(), a2.stop(), b.stop()]);
  });

  cases("a group keeps its messages while nobody is there", async (broker) => {
    const first = await collect(broker, "kept");
    await broker.publish("kept", message("1"));
    await until(() => first.got.length === 1);
    await first.stop();
    await broker.publish("kept", message("2"));
    const second = await collect(broker, "kept");
    await until(() => second.got.length === 1);
    assert.deepEqual(second.texts(), ["2"]);
    await second.stop();
  });

  cases("a message that was not handled comes again, and in the end goes to the dead", async (broker) => {
    const dead = await collect(broker, "hard.dead");
    const subscriber = await collect(broker, "hard", { attempts: 3, retryMs: 1 }, async ({ message: { data } }) => {
      if (data.length === 3) throw new Error("not this one");
    });
    await broker.publish("hard", message("bad", { metadata: [["a", "b"]] }));
    await broker.publish("hard", message("good"));
    await until(() => dead.got.length === 1 && subscriber.got.length === 4);
    const attempts = subscriber.got.filter((delivery) => text(delivery.message) === "bad").map((delivery) => delivery.attempt);
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.deepEqual(dead.got[0]?.message.metadata, [["a", "b"]]);
    await Promise.all([subscriber.stop(), dead.stop()]);
  });

  cases("no more messages are handled at once than was said", async (broker) => {
    let [now, most] = [0, 0];
    const subscriber = await collect(broker, "busy", { concurrency: 3 }, async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 3));
      now--;
    });
    for (let i = 0; i < 12; i++) await broker.publish("busy", message(String(i)));
    await until(() => subscriber.got.length === 12 && now === 0);
    assert.equal(most, 3);
    await subscriber.stop();
  });

  cases("a request gets the answers it waits for", async (broker) => {
    const server = await collect(broker, "sum", {}, async (delivery) => {
      if (delivery.replyTo === undefined) return;
      await broker.reply(delivery.replyTo, message(`${text(delivery.message)} once`, { metadata: [["n", "1"]] }));
      await broker.reply(delivery.replyTo, message(`${text(delivery.message)} twice`));
    });
    const one = await broker.request("sum", message("a"), { replies: 1 });
    assert.deepEqual(one.map(text), ["a once"]);
    assert.deepEqual(one[0]?.metadata, [["n", "1"]]);
    const [two, other] = await Promise.all([
      broker.request("sum", message("b"), { replies: 2, timeoutMs: 20_000 }),
      broker.request("sum", message("c"), { replies: 2 }),
    ]);
    assert.deepEqual([...two, ...other].map(text).toSorted(), ["b once", "b twice", "c once", "c twice"]);
    const late = await broker.request("sum", message("d"), { replies: 5, timeoutMs: 300 });
    assert.deepEqual(late.map(text).toSorted(), ["d once", "d twice"]);
    await server.stop();
  });

  cases("a request that nobody answers ends with its time, or with its transaction", async (broker) => {
    assert.deepEqual(await broker.request("nobody", message("?"), { replies: 1, timeoutMs: 10 }), []);
    const ended = new AbortController();
    const request = broker.request("nobody", message("?"), { replies: 1, signal: ended.signal });
    setTimeout(() => ended.abort(new Error("enough")), 5);
    await assert.rejects(request, /enough/);
    await broker.reply("request 999", message("to nobody"));
  });

  cases("messages and topics that are too large are refused", async (broker) => {
    const attempts = [
      () => broker.publish("", message("a")),
      () => broker.publish("x".repeat(256), message("a")),
      () => broker.publish("a", { data: new Uint8Array(LARGEST_MESSAGE_BYTES + 1), metadata: [] }),
      () => broker.publish("a", message("a", { metadata: [["k", "v".repeat(16_384)]] })),
      () => broker.publish("a", message("a", { metadata: Array(101).fill(["k", "v"]) })),
      () => broker.request("", message("a"), { replies: 1 }),
    ];
    const isLimit = (error: unknown): boolean => error instanceof StarlaneError && error.code === "resource/limit";
    for (const attempt of attempts) await assert.rejects(async () => await attempt(), isLimit);
    const subscriber = await collect(broker, "large ä");
    await broker.publish("large ä", {
      data: new Uint8Array(LARGEST_MESSAGE_BYTES).fill(1),
      metadata: [["k", "v".repeat(16_000)]],
    });
    await until(() => subscriber.got.length === 1);
    assert.equal(subscriber.got[0]?.message.data.length, LARGEST_MESSAGE_BYTES);
    await subscriber.stop();
  });

  cases("what one opening publishes, another gets, also after the first is closed", async (broker, again) => {
    if (under.volatile === true) return;
    await broker.publish("shared", message("1"));
    const subscriber = await collect(await again(), "shared");
    await until(() => subscriber.got.length === 1);
    await broker.publish("shared", message("2"));
    await until(() => subscriber.got.length === 2);
    const answering = await collect(await again(), "asked", {}, async ({ replyTo }) => {
      if (replyTo !== undefined) await broker.reply(replyTo, message("from afar"));
    });
    assert.deepEqual((await (await again()).request("asked", message("?"), { replies: 1 })).map(text), ["from afar"]);
    await Promise.all([subscriber.stop(), answering.stop()]);
  });
}
