// Streams and futures at the edge to JavaScript: a stream is an AsyncIterable (of typed arrays for numbers, of arrays of values
// for other types), a future is a promise. Back-pressure holds both ways: nothing is read before somebody asks for it.

import { StarlaneError } from "../../base/errors.ts";
import { CHUNKED, chunkOf, isChunked } from "../../wit/streams.ts";
import type { ValType } from "../../wit/types.ts";
import { badValue } from "../bad-value.ts";
import { RESTART } from "../restart.ts";
import { HostSink, HostSource } from "./buffers.ts";
import type { Store } from "./store.ts";
import { CopyResult, FutureChannel, StreamChannel } from "./streams.ts";

/** How many elements the host takes at once. */
const CHUNK_ELEMENTS = 65_536;

/** Elements that arrived before anybody asked for them. */
interface Ahead {
  readonly most: number;
  readonly chunks: ArrayLike<unknown>[];
  elements: number;
  isAsking: boolean;
  /** Somebody waits for the next chunk. */
  wake: (() => void) | undefined;
}

/** The readable end that a guest gave away, for the host. Given to a guest again, it is the same stream. */
export class HostStream implements AsyncIterable<unknown>, AsyncDisposable {
  readonly [CHUNKED] = true;
  readonly #store: Store;
  readonly #channel: StreamChannel;
  readonly #epoch: number;
  #letGo: () => void;
  #open = true;
  #ahead: Ahead | undefined;

  constructor(store: Store, channel: StreamChannel) {
    this.#store = store;
    this.#channel = channel;
    this.#epoch = store.epoch;
    this.#letGo = store.hold();
  }

  /** Whether what it comes from is still there. */
  get #isOver(): boolean {
    return this.#store.epoch !== this.#epoch || this.#store.failed;
  }

  /** Takes what arrives from now on before anybody asks for it, up to so many elements at a time: the guest need not wait meanwhile. */
  readAhead(elements: number): void {
    if (!this.#open || this.#isOver || this.#ahead !== undefined) return;
    this.#ahead = { most: elements, chunks: [], elements: 0, isAsking: false, wake: undefined };
    this.#fetch(this.#ahead);
  }

  /** Everything, where the stream has ended and all of it was read ahead; it has been read then. */
  takeWhole(): readonly ArrayLike<unknown>[] | undefined {
    return this.#open ? undefined : this.#ahead?.chunks.splice(0);
  }

  /** The next chunk; undefined at the end. */
  read(): Promise<ArrayLike<unknown> | undefined> {
    const ahead = this.#ahead;
    const chunk = ahead?.chunks.shift();
    if (ahead !== undefined && chunk !== undefined) {
      ahead.elements -= chunk.length;
      if (this.#open && !this.#isOver) this.#fetchAgain(ahead);
      return Promise.resolve(chunk);
    }
    if (!this.#open) return Promise.resolve(undefined);
    if (this.#store.isAttempt) this.#store.fail(RESTART);
    if (this.#isOver) return Promise.reject(this.#store.failed ? this.#store.failure : over());
    return ahead === undefined ? this.#readOne() : this.#arrival(ahead);
  }

  #readOne(): Promise<ArrayLike<unknown> | undefined> {
    const sink = new HostSink(CHUNK_ELEMENTS);
    return new Promise((resolve, reject) => {
      const end = this.#store.addListener(reject);
      const letGo = this.#letGo;
      let settled = false;
      const finish = (more: boolean): void => {
        if (settled) return;
        settled = true;
        if (more) this.#letGo = this.#store.hold();
        else this.#open = false;
        end();
        resolve(sink.progress > 0 ? sink.values : more ? [] : undefined);
      };
      this.#store.begin(() => {
        this.#ask(sink, finish);
        this.#store.wake();
      });
      letGo();
    });
  }

  #ask(sink: HostSink, finish: (more: boolean) => void): void {
    this.#channel.read(
      undefined,
      sink,
      (reclaim) => {
        reclaim();
        finish(true);
      },
      (result) => finish(result === CopyResult.completed),
    );
  }

  /** Asks for more as long as there is room for it. */
  #fetch(ahead: Ahead): void {
    if (ahead.isAsking || !this.#open || ahead.elements >= ahead.most) return;
    ahead.isAsking = true;
    const sink = new HostSink(Math.min(CHUNK_ELEMENTS, ahead.most - ahead.elements));
    let settled = false;
    this.#ask(sink, (more) => {
      if (settled) return;
      settled = true;
      ahead.isAsking = false;
      if (sink.values !== undefined && sink.progress > 0) {
        ahead.chunks.push(sink.values);
        ahead.elements += sink.progress;
      }
      if (!more && this.#open) {
        this.#open = false;
        this.#letGo();
      }
      ahead.wake?.();
      this.#fetch(ahead);
    });
  }

  #fetchAgain(ahead: Ahead): void {
    if (ahead.isAsking) return;
    this.#store.begin(() => this.#fetch(ahead));
    this.#store.wake();
  }

  #arrival(ahead: Ahead): Promise<ArrayLike<unknown> | undefined> {
    return new Promise((resolve, reject) => {
      const end = this.#store.addListener(reject);
      this.#letGo();
      ahead.wake = () => {
        ahead.wake = undefined;
        if (this.#open) this.#letGo = this.#store.hold();
        end();
        const chunk = ahead.chunks.shift();
        ahead.elements -= chunk?.length ?? 0;
        resolve(chunk ?? (this.#open ? [] : undefined));
      };
      this.#fetchAgain(ahead);
    });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<unknown> {
    try {
      for (;;) {
        const chunk = await this.read();
        if (chunk === undefined) return;
        if (chunk.length > 0) yield chunk;
      }
    } finally {
      this.drop();
    }
  }

  drop(): void {
    if (this.#ahead !== undefined) this.#ahead.chunks.length = 0;
    if (!this.#open) return;
    this.#open = false;
    if (this.#isOver) return;
    this.#store.begin(() => this.#channel.drop());
    this.#store.wake();
    this.#letGo();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    return Promise.resolve();
  }

  /** Gives the end to a guest of the store it comes from: this object is then of no more use. Undefined for other stores. */
  release(store: Store): StreamChannel | undefined {
    if (store !== this.#store || !this.#open || this.#isOver || this.#ahead !== undefined) return undefined;
    this.#open = false;
    this.#letGo();
    return this.#channel;
  }
}

function over(): StarlaneError {
  return new StarlaneError("engine/cancelled", "the call that the stream comes from has ended");
}

/** A JS iterable, async or not, as a stream that a guest reads. */
export function streamFromHost(store: Store, element: ValType | undefined, value: unknown): StreamChannel {
  const own = value instanceof HostStream ? value.release(store) : undefined;
  if (own !== undefined) return own;
  const iterator = iteratorOf(value);
  const channel = new StreamChannel(element);
  void pump(store, channel, iterator, (item) => chunkOf(element, item, isChunked(value)));
  return channel;
}

function iteratorOf(value: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  if (typeof value === "object" && value !== null) {
    if (Symbol.asyncIterator in value) return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    if (Symbol.iterator in value) return (value as Iterable<unknown>)[Symbol.iterator]();
  }
  return badValue("a stream: an async iterable", value);
}

/** Hands over one chunk after the other, the next one when the last was taken. */
async function pump(
  store: Store,
  channel: StreamChannel,
  iterator: AsyncIterator<unknown> | Iterator<unknown>,
  chunk: (item: unknown) => ArrayLike<unknown>,
): Promise<void> {
  let isOver = false;
  const end = store.addSource(() => {
    isOver = true;
    channel.drop();
  });
  let isAsking = false;
  // A guest that lets go while the host waits for more: the host need not wait any longer.
  channel.onDrop = () => {
    if (isAsking) void (async () => iterator.return?.())().catch(() => undefined);
  };
  try {
    for (;;) {
      isAsking = true;
      const { done, value } = await iterator.next();
      isAsking = false;
      if (done === true) break;
      const result = isOver ? "dropped" : await offer(store, channel, chunk(value));
      if (result === "dropped" || channel.dropped) {
        await iterator.return?.();
        break;
      }
    }
  } catch (error) {
    if (!isOver) store.fail(error);
  } finally {
    isAsking = false;
    if (end()) {
      store.begin(() => channel.drop());
      store.wake();
    }
  }
}

function offer(store: Store, channel: StreamChannel, chunk: ArrayLike<unknown>): Promise<"taken" | "dropped"> {
  const source = new HostSource(chunk);
  return new Promise((resolve) => {
    const next = (): void => {
      channel.write(
        undefined,
        source,
        (reclaim) => {
          if (source.remain > 0) return;
          reclaim();
          resolve("taken");
        },
        (result) => {
          if (result === CopyResult.dropped) resolve("dropped");
          else if (source.remain > 0) next();
          else resolve("taken");
        },
      );
    };
    store.begin(() => {
      next();
    });
    store.wake();
  });
}

const VALUE: unique symbol = Symbol("value");

interface GuestFuture extends Promise<unknown> {
  [VALUE]?: { readonly value: unknown };
}

/** The value of a future that a guest gave away. */
export function futureToHost(store: Store, channel: FutureChannel): Promise<unknown> {
  const sink = new HostSink(1);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const future: GuestFuture = promise;
  const end = store.addListener(reject);
  // Asked for at once, so that the guest need not wait until it has written.
  channel.read(
    undefined,
    sink,
    () => undefined,
    () => {
      end();
      const value = sink.values?.[0];
      future[VALUE] = { value };
      resolve(value);
    },
  );
  store.wake();
  promise.catch(() => undefined);
  return promise;
}

/** The value of a guest's future where it is there already: a promise tells of it only later. */
export function valueNow(future: Promise<unknown>): { readonly value: unknown } | undefined {
  return (future as GuestFuture)[VALUE];
}

/** A promise of the host as a future that a guest reads. */
export function futureFromHost(store: Store, element: ValType | undefined, value: unknown): FutureChannel {
  if (!(value instanceof Promise)) return badValue("a future: a promise", value);
  const channel = new FutureChannel(element);
  const end = store.addSource(() => undefined);
  const write = (result: unknown): void =>
    channel.write(
      undefined,
      new HostSource([result]),
      () => undefined,
      () => undefined,
    );
  value.then(
    (result) => {
      if (!end()) return;
      store.begin(() => write(result));
      store.wake();
    },
    (error) => {
      if (end()) store.fail(error);
    },
  );
  return channel;
}
