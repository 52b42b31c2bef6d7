// `wasi:messaging` (producer, request-reply, types) over the topics that a component was granted, and the call of its
// `incoming-handler`. A client reaches every granted topic, whatever name it connects by. Bounded: what messages of one
// transaction take together.

import type { Instance } from "../../engine/engine.ts";
import { mayWait } from "../../engine/may-wait.ts";
import type { Maybe } from "../../engine/async/maybe.ts";
import type { Binding, Capability } from "../capability.ts";
import { deniedName } from "../denial.ts";
import { answerError, bytesOf, madeByHost, tooMuch } from "../guest.ts";
import { answering, type Session } from "../resources/answering.ts";
import { liveMessages } from "./live.ts";
import { checkMetadata, type Delivery, LARGEST_REPLIES, type MessageBroker, type MessageData } from "./messaging.ts";

/** The brokers by the topics that are granted on them. */
export type MessagingGrant = ReadonlyMap<string, MessageBroker>;

export interface MessagingBinding extends Binding {
  /** A received message for the guest of this binding, which may answer it through `broker`. */
  message(delivery: Delivery, broker: MessageBroker): object;
}

/** Of all messages that a transaction holds. */
const LARGEST_MESSAGES_BYTES = 64 << 20;

const other = (text: string): unknown => ({ tag: "other", val: text });
const denied = (text: string): unknown => answerError({ tag: "permission-denied", val: text });

/** What a binding knows of its transaction, and what messages take in it. */
interface State extends Session {
  bytes: number;
}

type Metadata = readonly (readonly [string, string])[];

interface Received {
  readonly delivery: Delivery;
  readonly broker: MessageBroker;
}

/** The classes of one binding: what a guest constructs counts towards its own transaction. */
function classes(state: State, grant: MessagingGrant) {
  const count = (bytes: number): void => {
    if (state.bytes + bytes > LARGEST_MESSAGES_BYTES) throw tooMuch("messages of so many bytes", LARGEST_MESSAGES_BYTES);
    state.bytes += bytes;
  };

  class Message {
    #data: Uint8Array;
    #contentType: string | undefined;
    #metadata: Metadata | undefined;
    #received: Received | undefined;

    constructor(data: Uint8Array) {
      count(data.length);
      this.#data = bytesOf(data);
    }

    static received(received: Received): Message {
      const { message } = received.delivery;
      const made = new Message(message.data);
      made.#contentType = message.contentType;
      made.#metadata = message.metadata.length === 0 ? undefined : message.metadata;
      made.#received = received;
      return made;
    }

    static of(message: MessageData): Message {
      const made = new Message(message.data);
      made.#contentType = message.contentType;
      made.#metadata = message.metadata.length === 0 ? undefined : message.metadata;
      return made;
    }

    static dataOf(message: Message): MessageData {
      return { data: message.#data, contentType: message.#contentType, metadata: message.#metadata ?? [] };
    }

    static receivedOf(message: Message): Received | undefined {
      return message.#received;
    }

    topic(): string | undefined {
      return this.#received?.delivery.topic;
    }

    contentType(): string | undefined {
      return this.#contentType;
    }

    setContentType(contentType: string): void {
      this.#check(this.#metadata ?? [], contentType);
      this.#contentType = contentType;
    }

    data(): Uint8Array {
      return this.#data;
    }

    setData(data: Uint8Array): void {
      state.bytes -= this.#data.length;
      this.#data = new Uint8Array(0);
      count(data.length);
      this.#data = bytesOf(data);
    }

    metadata(): Metadata | undefined {
      return this.#metadata;
    }

    addMetadata(key: string, value: string): void {
      this.setMetadata([...(this.#metadata ?? []).filter(([known]) => known !== key), [key, value]]);
    }

    setMetadata(metadata: Metadata): void {
      this.#check(metadata, this.#contentType);
      this.#metadata = metadata;
    }

    removeMetadata(key: string): void {
      const left = this.#metadata?.filter(([known]) => known !== key);
      this.#metadata = left?.length === 0 ? undefined : left;
    }

    [Symbol.dispose](): void {
      state.bytes -= this.#data.length;
      this.#data = new Uint8Array(0);
    }

    /** These functions have no error in their type: what is too large stops the guest. */
    #check(metadata: Metadata, contentType: string | undefined): void {
      checkMetadata({ metadata, contentType });
    }
  }

  class Client {
    readonly #name: string;

    constructor(name: string) {
      this.#name = name;
    }

    static connect(name: string): Client {
      if (state.transaction === undefined) throw denied("there is no transaction yet");
      if (grant.size === 0) throw denied("no topic is granted");
      return new Client(name);
    }

    static nameOf(client: Client): string {
      return client.#name;
    }

    disconnect(): void {}
  }

  class RequestOptions {
    timeoutMs: number | undefined;
    replies = 1;

    setTimeoutMs(timeoutMs: number): void {
      this.timeoutMs = timeoutMs;
    }

    setExpectedReplies(replies: number): void {
      this.replies = Math.max(1, Math.min(replies, LARGEST_REPLIES));
    }
  }
  return { Message, Client, RequestOptions };
}

/** Only what the interface names: the functions that the host has on its classes are no guest's. */
function messageFace<M extends abstract new (...args: never[]) => object>(message: M): M {
  const face = function (data: Uint8Array): unknown {
    return Reflect.construct(message, [data]);
  };
  Object.defineProperty(face, "prototype", { value: message.prototype, writable: false });
  return face as unknown as M;
}

function bind(grant: MessagingGrant): MessagingBinding {
  const state: State = { transaction: undefined, bytes: 0 };
  const { Message, Client, RequestOptions } = classes(state, grant);
  type Message = InstanceType<typeof Message>;
  const waits = [...grant.values()].some((broker) => !broker.immediate);
  const marked = <F extends (...args: never[]) => unknown>(f: F): F => (waits ? mayWait(f) : f);

  const brokerOf = (topic: string): MessageBroker => {
    const broker = grant.get(topic);
    if (state.transaction !== undefined && broker !== undefined) return broker;
    state.transaction?.denied?.(deniedName("topic", topic, "messaging"));
    throw denied("the topic is not granted");
  };
  /** Takes the message from the guest: it was given away. */
  const taken = (message: Message): MessageData => {
    const data = Message.dataOf(message);
    message[Symbol.dispose]();
    return data;
  };
  const send = marked((_client: object, topic: string, message: Message): Maybe<void> => {
    const broker = brokerOf(topic);
    return answering(state, () => broker.publish(topic, taken(message)), other);
  });
  const request = mayWait(
    async (
      _client: object,
      topic: string,
      message: Message,
      options: InstanceType<typeof RequestOptions> | undefined,
    ): Promise<unknown> => {
      const broker = brokerOf(topic);
      const { timeoutMs, replies } = options ?? { timeoutMs: undefined, replies: 1 };
      const wait = { timeoutMs, replies, signal: state.transaction?.signal };
      const answers = await answering(state, () => broker.request(topic, Message.dataOf(message), wait), other);
      if (answers.length === 0) throw answerError({ tag: "timeout" });
      return answers.map((answer) => Message.of(answer));
    },
  );
  const reply = marked((to: Message, message: Message): Maybe<void> => {
    const received = Message.receivedOf(to);
    const data = taken(message);
    // Not every message asks for an answer; then there is nobody to get it.
    if (received?.delivery.replyTo === undefined) return undefined;
    const { broker, delivery } = received;
    return answering(state, () => broker.reply(delivery.replyTo ?? "", data), other);
  });
  const live = liveMessages(state, brokerOf, waits);
  const types = {
    __proto__: null,
    Message: messageFace(Message),
    Client: clientFace(Client),
  };
  return {
    imports: {
      "wasi:messaging/types@0.2.0-draft": types,
      "wasi:messaging/producer@0.2.0-draft": { __proto__: null, send },
      "wasi:messaging/request-reply@0.2.0-draft": { __proto__: null, request, reply, RequestOptions },
      ...live.imports,
    },
    prepare(transaction) {
      state.transaction = transaction;
      state.bytes = 0;
    },
    finish: () => live.finish(),
    message: (delivery, broker) => Message.received({ delivery, broker }),
  };
}

function clientFace<C extends abstract new (...args: never[]) => object>(client: C & { connect: unknown }): C {
  const { connect } = client;
  const face = madeByHost(client);
  for (const name of Object.keys(Object.getOwnPropertyDescriptors(face))) {
    if (!["length", "name", "prototype"].includes(name)) Reflect.deleteProperty(face, name);
  }
  Object.defineProperty(face, "connect", { value: connect });
  return face;
}

/** Topics that a component was granted. */
export const messagingCapability = {
  name: "messaging",
  packages: ["wasi:messaging", "starlane:messaging"],
  configure: (grant: MessagingGrant) => (): MessagingBinding => bind(grant),
} satisfies Capability<MessagingGrant>;

/** What a component exports to be given messages, as `Instance.call` names it. */
export const INCOMING_HANDLER = "wasi:messaging/incoming-handler@0.2.0-draft#handle";

/**
 * Gives a message to a component that exports `incoming-handler`; `binding` is the one that the instance was linked with, prepared for this
 * transaction. Rejects with `ComponentError` where the guest answers with an error: then the message is to come again.
 */
export async function callIncomingHandler(
  instance: Instance,
  binding: MessagingBinding,
  delivery: Delivery,
  broker: MessageBroker,
): Promise<void> {
  await instance.call(INCOMING_HANDLER, [binding.message(delivery, broker)]);
}
