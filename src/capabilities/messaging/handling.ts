// What happens to a message that a subscriber got, the same for every backend: it is handled, comes again after a failure, and goes to
// the topic of the dead when it failed too often.

import type { Delivery, MessageHandler, SubscriptionOptions } from "./messaging.ts";

const DEFAULT_ATTEMPTS = 5;
const DEFAULT_RETRY_MS = 100;
const LONGEST_RETRY_MS = 60_000;
/** How long a message is somebody's; who takes longer renews it. */
export const LEASE_MS = 30_000;
const RENEW_MS = 10_000;

/** What a backend does with a message it handed out. */
export interface Outcome {
  /** It was handled. */
  done(): void | Promise<void>;
  /** It comes again, not before `delayMs`. */
  again(delayMs: number): void | Promise<void>;
  /** It is kept in the topic of the dead; after that comes `done`. */
  dead(topic: string): void | Promise<void>;
  /** It is still being handled. */
  renew?(): void;
}

export function deadTopic(topic: string): string {
  return `${topic}.dead`;
}

/** Never rejects because of the handler; rejects where the backend fails, and the message comes again when its lease is over. */
export async function handle(
  delivery: Delivery,
  handler: MessageHandler,
  { attempts = DEFAULT_ATTEMPTS, retryMs = DEFAULT_RETRY_MS }: SubscriptionOptions,
  outcome: Outcome,
): Promise<void> {
  const renewal = outcome.renew === undefined ? undefined : setInterval(() => outcome.renew?.(), RENEW_MS);
  // A handler that never ends must not keep a process that is done.
  if (typeof renewal === "object") renewal.unref();
  let failed = false;
  try {
    await handler(delivery);
  } catch {
    failed = true;
  } finally {
    clearInterval(renewal);
  }
  if (failed && delivery.attempt < attempts) {
    return await outcome.again(Math.min(retryMs * 2 ** (delivery.attempt - 1), LONGEST_RETRY_MS));
  }
  if (failed) await outcome.dead(deadTopic(delivery.topic));
  await outcome.done();
}

/** Keeps up to `limit` messages in the hands of a subscriber. */
export class Hands {
  readonly #limit: number;
  readonly #busy = new Set<Promise<void>>();

  constructor(limit = 1) {
    this.#limit = Math.max(1, limit);
  }

  get isFree(): boolean {
    return this.#busy.size < this.#limit;
  }

  /** `freed` is called when there is room again. */
  take(work: Promise<void>, freed: () => void): void {
    const handled = work
      .catch(() => undefined)
      .then(() => {
        this.#busy.delete(handled);
        freed();
      });
    this.#busy.add(handled);
  }

  async empty(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy);
  }
}
