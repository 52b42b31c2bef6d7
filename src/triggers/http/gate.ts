// How many may be inside at a time, and how many wait for how long: first come, first served. And how often one client may come.

interface Waiter {
  readonly admit: (isIn: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

export interface GateLimits {
  readonly concurrency: number;
  readonly queue: number;
  readonly queueMs: number;
}

export class Gate {
  readonly #limits: GateLimits;
  readonly #waiting = new Set<Waiter>();
  #inside = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether one more is in; a promise where it has to wait. Who is in leaves. */
  enter(who?: { readonly signal: AbortSignal }): boolean | Promise<boolean> {
    if (this.#inside < this.#limits.concurrency) {
      this.#inside++;
      return true;
    }
    if (this.#waiting.size >= this.#limits.queue) return false;
    return this.#wait(who?.signal);
  }

  #wait(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const giveUp = (): void => waiter.admit(false);
      const waiter: Waiter = {
        timer: setTimeout(giveUp, this.#limits.queueMs),
        admit: (isIn) => {
          this.#waiting.delete(waiter);
          clearTimeout(waiter.timer);
          signal?.removeEventListener("abort", giveUp);
          resolve(isIn);
        },
      };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  leave(): void {
    // Who waited longest takes the place over.
    for (const next of this.#waiting) return next.admit(true);
    this.#inside--;
  }
}

const MOST_CLIENTS = 10_000;

/** A bucket of requests for each client that fills up evenly. Beyond 10 000 clients those not seen for longest start anew. */
export class RateLimit {
  readonly #requests: number;
  readonly #perMs: number;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(limit: { readonly requests: number; readonly perMs: number }) {
    this.#requests = limit.requests;
    this.#perMs = limit.perMs;
  }

  /** Milliseconds until the client may come again; 0: it is welcome now. */
  take(client: string, nowMs: number): number {
    const known = this.#buckets.get(client);
    const filled = known === undefined ? this.#requests : known.tokens + ((nowMs - known.atMs) * this.#requests) / this.#perMs;
    const tokens = Math.min(this.#requests, filled);
    this.#buckets.delete(client);
    this.#buckets.set(client, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    if (this.#buckets.size > MOST_CLIENTS) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * this.#perMs) / this.#requests);
  }
}
