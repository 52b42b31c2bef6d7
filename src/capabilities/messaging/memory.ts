// A message broker inside this process: gone when it is closed. Bounded: 256 MiB of messages that wait.

import { overLimit } from "../resources/resource.ts";
import { handle, Hands } from "./handling.ts";
import { Listeners } from "./listeners.ts";
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

const CAPACITY_BYTES = 256 << 20;
/** What a message takes beside its data, about. */
const MESSAGE_BYTES = 300;

interface Waiting {
  readonly message: MessageData;
  readonly replyTo: string | undefined;
  readonly attempt: number;
}

interface Topic {
  /** What was published before there was a group. */
  readonly backlog: Waiting[];
  readonly groups: Map<string, Group>;
}

interface Group {
  readonly queue: Waiting[];
  readonly members: Set<() => void>;
}

export function memoryBroker(): MessageBroker {
  return new MemoryBroker();
}

class MemoryBroker implements MessageBroker {
  readonly immediate = true;
  readonly #topics = new Map<string, Topic>();
  readonly #requests = new Map<string, Replies>();
  readonly #listeners = new Listeners();
  readonly #timers = new Set<NodeJS.Timeout | number>();
  #bytes = 0;
  #requestCount = 0;
  #closed = false;

  publish(topic: string, message: MessageData): void {
    checkMessage(topic, message);
    this.#put(topic, message, undefined);
  }

  async subscribe(topic: string, options: SubscriptionOptions, handler: MessageHandler): Promise<Unsubscribe> {
    checkTopic(topic);
    const group = this.#group(topic, options.group);
    const hands = new Hands(options.concurrency);
    const next = (): void => {
      while (hands.isFree && group.members.has(next) && !this.#closed) {
        const waiting = group.queue.shift();
        if (waiting === undefined) return;
        hands.take(this.#hand(topic, group, waiting, options, handler), next);
      }
    };
    group.members.add(next);
    next();
    return async () => {
      group.members.delete(next);
      await hands.empty();
    };
  }

  async request(topic: string, message: MessageData, options: RequestOptions): Promise<readonly MessageData[]> {
    checkMessage(topic, message);
    const replyTo = `request ${++this.#requestCount}`;
    const replies = new Replies(options);
    this.#requests.set(replyTo, replies);
    try {
      this.#put(topic, message, replyTo);
      return await replies.wait();
    } finally {
      this.#requests.delete(replyTo);
    }
  }

  reply(replyTo: string, message: MessageData): void {
    checkMessage("reply", message);
    this.#requests.get(replyTo)?.add(copyOf(message));
  }

  send(topic: string, data: Uint8Array): void {
    this.#listeners.send(topic, data);
  }

  listen(topic: string, hear: Hear): () => void {
    return this.#listeners.listen(topic, hear);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#topics.clear();
  }

  #put(topicName: string, message: MessageData, replyTo: string | undefined): void {
    const topic = this.#topic(topicName);
    const copies = Math.max(1, topic.groups.size);
    const bytes = sizeOf(message) * copies;
    if (this.#bytes + bytes > CAPACITY_BYTES) throw overLimit("too many messages wait", CAPACITY_BYTES);
    this.#bytes += bytes;
    const waiting = { message: copyOf(message), replyTo, attempt: 1 };
    if (topic.groups.size === 0) topic.backlog.push(waiting);
    for (const group of topic.groups.values()) this.#offer(group, waiting);
  }

  #offer(group: Group, waiting: Waiting): void {
    group.queue.push(waiting);
    // After the one who publishes: a subscriber is never called from within `publish`.
    queueMicrotask(() => {
      for (const next of group.members) next();
    });
  }

  async #hand(
    topic: string,
    group: Group,
    waiting: Waiting,
    options: SubscriptionOptions,
    handler: MessageHandler,
  ): Promise<void> {
    await handle({ topic, ...waiting }, handler, options, {
      done: () => void (this.#bytes -= sizeOf(waiting.message)),
      again: (delayMs) => {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#offer(group, { ...waiting, attempt: waiting.attempt + 1 });
        }, delayMs);
        this.#timers.add(timer);
      },
      dead: (deadTopic) => this.#put(deadTopic, waiting.message, undefined),
    });
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) this.#topics.set(name, (topic = { backlog: [], groups: new Map() }));
    return topic;
  }

  #group(topicName: string, name: string): Group {
    const topic = this.#topic(topicName);
    let group = topic.groups.get(name);
    if (group === undefined) {
      group = { queue: topic.backlog.splice(0), members: new Set() };
      topic.groups.set(name, group);
    }
    return group;
  }
}

function copyOf(message: MessageData): MessageData {
  return { ...message, data: message.data.slice() };
}

function sizeOf(message: MessageData): number {
  return message.data.length + message.metadata.flat().join("").length * 2 + MESSAGE_BYTES;
}
