// A message broker in a stream of NATS JetStream: one subject for each topic, one durable consumer for each group of a topic. Answers
// go over core NATS to an inbox, which is named in a header: the reply field of a message in a stream is JetStream's own.

import { createHash } from "node:crypto";
import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  jetstream,
  JetStreamApiError,
  type JetStreamClient,
  jetstreamManager,
  type JetStreamManager,
  type JsMsg,
} from "@nats-io/jetstream";
import { createInbox, headers, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import type { Address } from "../resources/address.ts";
import { connectNats, subjectToken } from "../resources/nats.ts";
import { reaching } from "../resources/resource.ts";
import { handle, Hands, LEASE_MS } from "./handling.ts";
import { checkLiveMessage } from "./listeners.ts";
import {
  checkMessage,
  checkTopic,
  type Hear,
  type MessageBroker,
  type MessageData,
  type MessageHandler,
  type RequestOptions,
  type SubscriptionOptions,
  type Unsubscribe,
} from "./messaging.ts";
import { Replies } from "./replies.ts";

const RESOURCE = "the message broker in NATS";
const NS_PER_MS = 1_000_000;
const KEPT_MS = 7 * 24 * 3600 * 1000;
const STREAM_EXISTS = 10_058;
const CONSUMER_EXISTS = 10_013;

const CONTENT_TYPE = "Content-Type";
const METADATA = "Starlane-Metadata";
const REPLY_TO = "Starlane-Reply-To";
const INBOX = /^_INBOX\.[A-Za-z0-9]{1,100}$/;

/** @throws StarlaneError `resource/unavailable` (rejects) */
export async function natsBroker(server: Address, stream: string): Promise<MessageBroker> {
  const connection = await connectNats(server);
  try {
    return await reaching(RESOURCE, async () => {
      const manager = await jetstreamManager(connection);
      await makeStream(manager, stream);
      return new NatsBroker(connection, manager, stream);
    });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The stream as it is, or a new one. */
async function makeStream(manager: JetStreamManager, name: string): Promise<void> {
  try {
    await manager.streams.add({ name, subjects: [`${name}.>`], max_age: KEPT_MS * NS_PER_MS });
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_EXISTS) throw error;
  }
}

class NatsBroker implements MessageBroker {
  readonly immediate = false;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #client: JetStreamClient;
  readonly #stream: string;

  constructor(connection: NatsConnection, manager: JetStreamManager, stream: string) {
    this.#connection = connection;
    this.#manager = manager;
    this.#client = jetstream(connection);
    this.#stream = stream;
  }

  async publish(topic: string, message: MessageData): Promise<void> {
    checkMessage(topic, message);
    await this.#put(topic, message, undefined);
  }

  async subscribe(topic: string, options: SubscriptionOptions, handler: MessageHandler): Promise<Unsubscribe> {
    checkTopic(topic);
    const consumer = await reaching(RESOURCE, () => this.#consumer(topic, options.group));
    const hands = new Hands(options.concurrency);
    const messages = await reaching(RESOURCE, () => consumer.consume({ max_messages: Math.max(1, options.concurrency ?? 1) }));
    let isStopped = false;
    const deliver = async (): Promise<void> => {
      for await (const message of messages) {
        // What came with the last request, after the subscription had ended, goes back to the group.
        if (isStopped) {
          message.nak();
          continue;
        }
        await new Promise<void>((freed) => {
          hands.take(this.#hand(message, topic, options, handler), freed);
          if (hands.isFree) freed();
        });
      }
    };
    deliver().catch(() => undefined);
    return async () => {
      isStopped = true;
      await messages.close();
      await hands.empty();
    };
  }

  async request(topic: string, message: MessageData, options: RequestOptions): Promise<readonly MessageData[]> {
    checkMessage(topic, message);
    const inbox = createInbox();
    const replies = new Replies(options);
    const subscription = this.#connection.subscribe(inbox, {
      callback: (error, answer) => {
        if (error === null) replies.add(messageOf(answer));
      },
    });
    try {
      await this.#put(topic, message, inbox);
      return await replies.wait();
    } finally {
      subscription.unsubscribe();
    }
  }

  async reply(replyTo: string, message: MessageData): Promise<void> {
    checkMessage("reply", message);
    // Whoever publishes into the stream names the address: it must be nothing but an inbox.
    if (!INBOX.test(replyTo)) return;
    await reaching(RESOURCE, async () => {
      this.#connection.publish(replyTo, message.data, { headers: headersOf(message, undefined) });
      await this.#connection.flush();
    });
  }

  async send(topic: string, data: Uint8Array): Promise<void> {
    checkLiveMessage(topic, data);
    await reaching(RESOURCE, async () => {
      this.#connection.publish(this.#liveSubject(topic), data);
      await this.#connection.flush();
    });
  }

  async listen(topic: string, hear: Hear): Promise<() => void> {
    checkTopic(topic);
    return await reaching(RESOURCE, async () => {
      const subscription = this.#connection.subscribe(this.#liveSubject(topic), {
        callback: (error, message) => {
          if (error === null) hear(message.data.slice());
        },
      });
      await this.#connection.flush();
      return () => subscription.unsubscribe();
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #put(topic: string, message: MessageData, replyTo: string | undefined): Promise<void> {
    await reaching(RESOURCE, () =>
      this.#client.publish(this.#subject(topic), message.data, { headers: headersOf(message, replyTo) }),
    );
  }

  /** Outside of the subjects of the stream, which would keep what is sent. */
  #liveSubject(topic: string): string {
    return `${this.#stream}-live.${subjectToken(topic)}`;
  }

  #subject(topic: string): string {
    return `${this.#stream}.${subjectToken(topic)}`;
  }

  async #consumer(topic: string, group: string): Promise<Consumer> {
    // Names of consumers have fewer letters than groups and topics.
    const name = createHash("sha256")
      .update(JSON.stringify([topic, group]))
      .digest("hex")
      .slice(0, 32);
    try {
      await this.#manager.consumers.add(this.#stream, {
        durable_name: name,
        description: `${group} of ${topic}`.slice(0, 200),
        filter_subject: this.#subject(topic),
        ack_policy: AckPolicy.Explicit,
        ack_wait: LEASE_MS * NS_PER_MS,
        deliver_policy: DeliverPolicy.All,
        max_deliver: -1,
      });
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_EXISTS) throw error;
    }
    return await this.#client.consumers.get(this.#stream, name);
  }

  async #hand(message: JsMsg, topic: string, options: SubscriptionOptions, handler: MessageHandler): Promise<void> {
    const replyTo = message.headers?.get(REPLY_TO);
    const delivery = {
      topic,
      message: messageOf(message),
      replyTo: replyTo === undefined || replyTo === "" ? undefined : replyTo,
      attempt: message.info.deliveryCount,
    };
    await handle(delivery, handler, options, {
      done: async () => void (await message.ackAck()),
      again: (delayMs) => message.nak(delayMs),
      dead: (deadTopic) => this.#put(deadTopic, delivery.message, undefined),
      renew: () => message.working(),
    });
  }
}

/** Texts of any kind stand in headers as base64 of JSON. */
function headersOf({ contentType, metadata }: MessageData, replyTo: string | undefined): MsgHdrs {
  const made = headers();
  if (contentType !== undefined && /^[\x20-\x7e]+$/.test(contentType)) made.set(CONTENT_TYPE, contentType);
  const rest = { metadata, ...(made.has(CONTENT_TYPE) ? {} : { contentType }) };
  made.set(METADATA, Buffer.from(JSON.stringify(rest)).toString("base64"));
  if (replyTo !== undefined) made.set(REPLY_TO, replyTo);
  return made;
}

/** Messages of other programs have no metadata of ours. */
function messageOf(message: { readonly data: Uint8Array; readonly headers?: MsgHdrs | undefined }): MessageData {
  const header = message.headers?.get(CONTENT_TYPE);
  const { metadata, contentType } = readMetadata(message.headers?.get(METADATA) ?? "");
  return { data: message.data, contentType: header === undefined || header === "" ? contentType : header, metadata };
}

function readMetadata(text: string): Pick<MessageData, "metadata" | "contentType"> {
  try {
    const parsed = JSON.parse(Buffer.from(text, "base64").toString()) as unknown;
    if (typeof parsed !== "object" || parsed === null || !("metadata" in parsed) || !Array.isArray(parsed.metadata))
      return { metadata: [] };
    const entries = (parsed.metadata as unknown[]).filter((entry): entry is [unknown, unknown] => Array.isArray(entry));
    const contentType = "contentType" in parsed && typeof parsed.contentType === "string" ? parsed.contentType : undefined;
    return { contentType, metadata: entries.map(([key, value]) => [String(key), String(value)] as const) };
  } catch {
    return { metadata: [] };
  }
}
