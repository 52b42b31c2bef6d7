// A message broker in a SQLite file: what was published survives a crash. Members of this process hear of a message at once, those of
// others within a tenth of a second. A message whose handler died comes again when its lease is over.

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { reachingNow, type OpenSettings } from "../resources/resource.ts";
import { inTransaction, openSqlite } from "../resources/sqlite.ts";
import { handle, Hands, LEASE_MS } from "./handling.ts";
import { Listeners } from "./listeners.ts";
import {
  checkMessage,
  checkTopic,
  type Delivery,
  type Hear,
  type MessageBroker,
  type MessageData,
  type MessageHandler,
  type RequestOptions,
  type SubscriptionOptions,
  type Unsubscribe,
} from "./messaging.ts";
import { Replies } from "./replies.ts";

const RESOURCE = "the message broker in SQLite";
const POLL_MS = 100;
/** Answers that nobody took are removed after this long. */
const REPLY_AGE_MS = 600_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS starlane_messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, broker TEXT NOT NULL, topic TEXT NOT NULL, data BLOB NOT NULL, content_type TEXT,
  metadata TEXT NOT NULL, reply_to TEXT, created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS starlane_messages_topic ON starlane_messages (broker, topic, id);
CREATE TABLE IF NOT EXISTS starlane_message_groups (
  id INTEGER PRIMARY KEY, broker TEXT NOT NULL, topic TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (broker, topic, name)
) STRICT;
CREATE TABLE IF NOT EXISTS starlane_message_deliveries (
  group_id INTEGER NOT NULL, message_id INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, visible_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (group_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS starlane_message_deliveries_message ON starlane_message_deliveries (message_id);`;

const STATEMENTS = {
  publish: `INSERT INTO starlane_messages (broker, topic, data, content_type, metadata, reply_to, created_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
  deliver: `INSERT INTO starlane_message_deliveries (group_id, message_id)
    SELECT id, ? FROM starlane_message_groups WHERE broker = ? AND topic = ?`,
  group: "INSERT INTO starlane_message_groups (broker, topic, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
  groupId: "SELECT id FROM starlane_message_groups WHERE broker = ? AND topic = ? AND name = ?",
  // What nobody was to get yet belongs to the first group.
  backlog: `INSERT INTO starlane_message_deliveries (group_id, message_id)
    SELECT ?, id FROM starlane_messages AS m WHERE broker = ? AND topic = ?
      AND NOT EXISTS (SELECT 1 FROM starlane_message_deliveries AS d WHERE d.message_id = m.id)`,
  claim: `UPDATE starlane_message_deliveries SET attempts = attempts + 1, visible_ms = ?
    WHERE group_id = ? AND message_id = (
      SELECT message_id FROM starlane_message_deliveries WHERE group_id = ? AND visible_ms <= ? ORDER BY message_id LIMIT 1
    ) RETURNING message_id, attempts`,
  message: "SELECT data, content_type, metadata, reply_to FROM starlane_messages WHERE id = ?",
  visible: "UPDATE starlane_message_deliveries SET visible_ms = ? WHERE group_id = ? AND message_id = ?",
  done: "DELETE FROM starlane_message_deliveries WHERE group_id = ? AND message_id = ?",
  forget: `DELETE FROM starlane_messages WHERE id = ?
    AND NOT EXISTS (SELECT 1 FROM starlane_message_deliveries WHERE message_id = ?)`,
  takeReply: `DELETE FROM starlane_messages WHERE id = (
      SELECT id FROM starlane_messages WHERE broker = ? AND topic = ? ORDER BY id LIMIT 1
    ) RETURNING data, content_type, metadata, reply_to`,
  dropReplies: "DELETE FROM starlane_messages WHERE broker = ? AND created_ms < ?",
} as const;

/** @throws StarlaneError `resource/unavailable` */
export function sqliteBroker(path: string, name: string, { folder, now = Date.now }: OpenSettings): MessageBroker {
  const database = openSqlite(path, { folder, durability: "full" });
  return reachingNow(RESOURCE, () => new SqliteBroker(database, name, now));
}

class SqliteBroker implements MessageBroker {
  readonly immediate = true;
  readonly #live = new Listeners();
  readonly #database: DatabaseSync;
  readonly #name: string;
  readonly #now: () => number;
  readonly #statements: Record<keyof typeof STATEMENTS, StatementSync>;
  /** Those who look for messages when some may have come. */
  readonly #listeners = new Set<() => void>();
  #poll: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(database: DatabaseSync, name: string, now: () => number) {
    this.#database = database;
    this.#name = name;
    this.#now = now;
    database.exec(SCHEMA);
    const entries = Object.entries(STATEMENTS).map(([key, sql]) => [key, database.prepare(sql)]);
    this.#statements = Object.fromEntries(entries) as Record<keyof typeof STATEMENTS, StatementSync>;
  }

  publish(topic: string, message: MessageData): void {
    checkMessage(topic, message);
    this.#put(this.#name, topic, message, undefined);
  }

  async subscribe(topic: string, options: SubscriptionOptions, handler: MessageHandler): Promise<Unsubscribe> {
    checkTopic(topic);
    const group = this.#group(topic, options.group);
    const hands = new Hands(options.concurrency);
    const next = (): void => {
      while (hands.isFree && this.#listeners.has(next)) {
        const claimed = this.#claim(topic, group);
        if (claimed === undefined) return;
        hands.take(this.#hand(claimed.id, group, claimed.delivery, options, handler), next);
      }
    };
    this.#listen(next);
    return async () => {
      this.#unlisten(next);
      await hands.empty();
    };
  }

  async request(topic: string, message: MessageData, options: RequestOptions): Promise<readonly MessageData[]> {
    checkMessage(topic, message);
    const replyTo = crypto.randomUUID();
    const replies = new Replies(options);
    const look = (): void => {
      for (let answer = this.#takeReply(replyTo); answer !== undefined; answer = this.#takeReply(replyTo)) replies.add(answer);
    };
    this.#put(this.#name, topic, message, replyTo);
    this.#listen(look);
    try {
      return await replies.wait();
    } finally {
      this.#unlisten(look);
    }
  }

  reply(replyTo: string, message: MessageData): void {
    checkMessage("reply", message);
    this.#statements.dropReplies.run(this.#repliesName(), this.#now() - REPLY_AGE_MS);
    this.#put(this.#repliesName(), replyTo, message, undefined);
  }

  send(topic: string, data: Uint8Array): void {
    this.#live.send(topic, data);
  }

  listen(topic: string, hear: Hear): () => void {
    return this.#live.listen(topic, hear);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    this.#listeners.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  /** Not a name that an address can have: answers are kept apart from topics. */
  #repliesName(): string {
    return `${this.#name} replies`;
  }

  #put(broker: string, topic: string, message: MessageData, replyTo: string | undefined): void {
    const { publish, deliver } = this.#statements;
    reachingNow(RESOURCE, () =>
      inTransaction(this.#database, () => {
        const { data, contentType = null, metadata } = message;
        const row = publish.get(broker, topic, data, contentType, JSON.stringify(metadata), replyTo ?? null, this.#now());
        deliver.run(Number(row?.["id"]), broker, topic);
      }),
    );
    // After the one who publishes: a subscriber is never called from within `publish`.
    queueMicrotask(() => this.#wake());
  }

  #group(topic: string, name: string): number {
    const { group, groupId, backlog } = this.#statements;
    return reachingNow(RESOURCE, () =>
      inTransaction(this.#database, () => {
        const made = group.get(this.#name, topic, name);
        if (made === undefined) return Number(groupId.get(this.#name, topic, name)?.["id"]);
        const id = Number(made["id"]);
        backlog.run(id, this.#name, topic);
        return id;
      }),
    );
  }

  #claim(topic: string, group: number): { readonly id: number; readonly delivery: Delivery } | undefined {
    const now = this.#now();
    return reachingNow(RESOURCE, () => {
      const claimed = this.#statements.claim.get(now + LEASE_MS, group, group, now);
      if (claimed === undefined) return undefined;
      const id = Number(claimed["message_id"]);
      const row = this.#statements.message.get(id);
      const message = messageOf(row);
      if (message === undefined) return undefined;
      const replyTo = typeof row?.["reply_to"] === "string" ? row["reply_to"] : undefined;
      return { id, delivery: { topic, message, replyTo, attempt: Number(claimed["attempts"]) } };
    });
  }

  async #hand(
    id: number,
    group: number,
    delivery: Delivery,
    options: SubscriptionOptions,
    handler: MessageHandler,
  ): Promise<void> {
    const { visible, done, forget } = this.#statements;
    const appear = (inMs: number): void => {
      if (!this.#closed) visible.run(this.#now() + inMs, group, id);
    };
    await handle(delivery, handler, options, {
      done: () => {
        if (this.#closed) return;
        inTransaction(this.#database, () => {
          done.run(group, id);
          forget.run(id, id);
        });
      },
      again: (delayMs) => {
        appear(delayMs);
        setTimeout(() => this.#wake(), delayMs).unref();
      },
      dead: (deadTopic) => this.#put(this.#name, deadTopic, delivery.message, undefined),
      renew: () => appear(LEASE_MS),
    });
  }

  #takeReply(replyTo: string): MessageData | undefined {
    return reachingNow(RESOURCE, () => messageOf(this.#statements.takeReply.get(this.#repliesName(), replyTo)));
  }

  #listen(listener: () => void): void {
    this.#listeners.add(listener);
    this.#poll ??= setInterval(() => this.#wake(), POLL_MS);
    listener();
  }

  #unlisten(listener: () => void): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  #wake(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch {
        // A file that cannot be read now is read at the next poll.
      }
    }
  }
}

function messageOf(row: Readonly<Record<string, unknown>> | undefined): MessageData | undefined {
  const data = row?.["data"];
  if (row === undefined || !(data instanceof Uint8Array)) return undefined;
  const contentType = row["content_type"];
  return {
    data,
    contentType: typeof contentType === "string" ? contentType : undefined,
    metadata: metadataOf(String(row["metadata"])),
  };
}

function metadataOf(text: string): [string, string][] {
  const parsed: unknown = JSON.parse(text);
  const entries: unknown[] = Array.isArray(parsed) ? parsed : [];
  return entries.flatMap((entry) => (Array.isArray(entry) ? [[String(entry[0]), String(entry[1])] as [string, string]] : []));
}
