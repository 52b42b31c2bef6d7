// Server-Sent Events to several clients at once. Bounds: so many clients, and so many bytes that one of them has not yet taken: who is slower
// is dropped, and may come again. Source: HTML standard (section 9.2).

export interface BroadcastOptions {
  readonly mostClients: number;
  /** Of one client. */
  readonly mostWaitingBytes: number;
  /** How soon a client that lost its connection comes again. */
  readonly retryMs: number;
}

/** Between two events something is sent all the same: who is gone is noticed. */
const KEEP_ALIVE_MS = 15_000;

export class Broadcast {
  readonly #options: BroadcastOptions;
  readonly #clients = new Set<Client>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** The body of a response, which begins with these events; undefined: there are too many clients. */
  join(first: readonly string[]): AsyncIterable<Uint8Array> | undefined {
    const { mostClients, mostWaitingBytes, retryMs } = this.#options;
    if (this.#clients.size >= mostClients) return undefined;
    const client = new Client(mostWaitingBytes, () => this.#leave(client));
    this.#clients.add(client);
    this.#timer ??= setInterval(() => this.send(": still there\n\n"), KEEP_ALIVE_MS).unref();
    client.send(Buffer.from(`retry: ${retryMs}\n\n`));
    for (const event of first) client.send(Buffer.from(event));
    return client;
  }

  /** An event as `eventText` makes it. */
  send(event: string): void {
    if (this.#clients.size === 0) return;
    const bytes = Buffer.from(event);
    for (const client of this.#clients) client.send(bytes);
  }

  /** Ends every stream, when what waits has been taken. */
  end(): void {
    for (const client of this.#clients) client.end();
  }

  #leave(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** JSON has no line feeds of its own. */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

class Client implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly #most: number;
  readonly #onEnd: () => void;
  readonly #waiting: Uint8Array[] = [];
  #bytes = 0;
  #hasEnded = false;
  #wake: (() => void) | undefined;

  constructor(most: number, onEnd: () => void) {
    this.#most = most;
    this.#onEnd = onEnd;
  }

  send(bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#most) {
      this.#waiting.length = 0;
      this.end();
    }
    this.#wake?.();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd();
    this.#wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next(), return: () => this.#return() };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    while (this.#waiting.length === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#waiting.length === 0) return { done: true, value: undefined };
    const value = Buffer.concat(this.#waiting.splice(0));
    this.#bytes = 0;
    return { done: false, value };
  }

  #return(): Promise<IteratorResult<Uint8Array>> {
    this.end();
    this.#waiting.length = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#return();
  }
}
