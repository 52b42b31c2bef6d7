// The contract of a message broker: messages of a topic are kept until every group that subscribed has handled them, at least once
// each. Bounded: sizes of messages, how often one is tried, and how many wait.

import type { Maybe } from "../../engine/async/maybe.ts";
import { type Address, type AddressForm, parseAddress, plainName } from "../resources/address.ts";
import { isLonger, type OpenSettings, overLimit } from "../resources/resource.ts";

export const LARGEST_MESSAGE_BYTES = 1_000_000;
/** Of content type, keys and values together, in UTF-8. */
export const LARGEST_METADATA_BYTES = 16_384;
export const LARGEST_METADATA_ENTRIES = 100;
export const LARGEST_TOPIC_BYTES = 255;
export const LARGEST_REPLIES = 1000;

export interface MessageData {
  readonly data: Uint8Array;
  readonly contentType?: string | undefined;
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

/** A message as a subscriber gets it. */
export interface Delivery {
  readonly topic: string;
  readonly message: MessageData;
  /** Where an answer goes, for `reply`; undefined where nobody waits for one. */
  readonly replyTo: string | undefined;
  /** 1 the first time. */
  readonly attempt: number;
}

export interface SubscriptionOptions {
  /** Members of a group share its messages; each group gets all of them. A group outlives its members. */
  readonly group: string;
  /** How many messages are handled at once; 1 where it is left out. */
  readonly concurrency?: number | undefined;
  /** After so many failed attempts a message goes to the topic `TOPIC.dead`; 5 where it is left out. */
  readonly attempts?: number | undefined;
  /** Waited before the second attempt, twice that before the third and so on, up to a minute; 100 where it is left out. */
  readonly retryMs?: number | undefined;
}

export interface RequestOptions {
  /** Undefined waits until the signal aborts. */
  readonly timeoutMs?: number | undefined;
  /** How many answers are waited for. */
  readonly replies: number;
  readonly signal?: AbortSignal | undefined;
}

/** Handles one message; where it rejects, the message comes again. */
export type MessageHandler = (delivery: Delivery) => Promise<void>;

/** Stops the delivery; resolves when what was being handled has been. */
export type Unsubscribe = () => Promise<void>;

/** Methods throw or reject with StarlaneError `resource/…`. */
export interface MessageBroker {
  /** Whether `publish`, `reply`, `send` and `listen` answer at once, always. */
  readonly immediate: boolean;
  /** Returns when the message is kept. A topic to which nobody subscribed keeps its messages for the first group. */
  publish(topic: string, message: MessageData): Maybe<void>;
  subscribe(topic: string, options: SubscriptionOptions, handler: MessageHandler): Promise<Unsubscribe>;
  /** Publishes, and gives the answers: as many as were asked for, or those that came in time, which may be none. */
  request(topic: string, message: MessageData, options: RequestOptions): Promise<readonly MessageData[]>;
  /** Where nobody waits any more, the answer is dropped. */
  reply(replyTo: string, message: MessageData): Maybe<void>;
  /** To whoever listens to the topic now; nothing is kept. Of a broker in a file or in memory, in this process. */
  send(topic: string, data: Uint8Array): Maybe<void>;
  /** Hears what is sent from now on, in order; gives the function that stops it. */
  listen(topic: string, hear: Hear): Maybe<() => void>;
  close(): Maybe<void>;
}

/** Hears one live message. */
export type Hear = (data: Uint8Array) => void;

export type MessagingAddress =
  | { readonly kind: "memory" }
  | { readonly kind: "sqlite"; readonly path: string; readonly name: string }
  | { readonly kind: "nats"; readonly server: Address; readonly stream: string };

const WHAT = "a message broker";

const FORMS: Readonly<Record<string, AddressForm>> = {
  memory: { kind: "bare", example: "memory:" },
  sqlite: { kind: "path", example: "sqlite:./data/messages.db", options: ["name"] },
  nats: { kind: "server", example: "nats://HOST:4222/STREAM", path: "required" },
};

/** Checks an address without opening anything. @throws StarlaneError `resource/bad-address` */
export function parseMessagingAddress(text: string): MessagingAddress {
  const address = parseAddress(text, WHAT, FORMS);
  if (address.scheme === "memory") return { kind: "memory" };
  if (address.scheme === "nats") return { kind: "nats", server: address, stream: plainName(address.path, WHAT) };
  return { kind: "sqlite", path: address.path, name: plainName(address.options.get("name") ?? "default", WHAT) };
}

export interface MessagingSettings extends OpenSettings {}

/** @throws StarlaneError `resource/limit` */
export function checkMessage(topic: string, message: MessageData): void {
  checkTopic(topic);
  if (message.data.length > LARGEST_MESSAGE_BYTES)
    throw overLimit(`a message has ${message.data.length} bytes`, LARGEST_MESSAGE_BYTES);
  checkMetadata(message);
}

/** @throws StarlaneError `resource/limit` */
export function checkTopic(topic: string): void {
  if (topic === "") throw overLimit("a topic has to have at least 1 character", 1);
  if (isLonger(topic, LARGEST_TOPIC_BYTES)) throw overLimit("a topic has too many bytes", LARGEST_TOPIC_BYTES);
}

/** @throws StarlaneError `resource/limit` */
export function checkMetadata({ metadata, contentType = "" }: Pick<MessageData, "metadata" | "contentType">): void {
  if (metadata.length > LARGEST_METADATA_ENTRIES) throw overLimit("a message has too many metadata", LARGEST_METADATA_ENTRIES);
  const text = contentType + metadata.flat().join("");
  if (isLonger(text, LARGEST_METADATA_BYTES)) throw overLimit("the metadata of a message are too large", LARGEST_METADATA_BYTES);
}
