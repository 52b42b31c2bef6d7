// Streams and futures at the edge to JavaScript: a stream is an AsyncIterable (of typed arrays for numbers, of arrays of values
// for other types), a future is a promise. Back-pressure holds both ways: nothing is read before somebody asks for it.

import { StarlaneError } from "../../base/errors.ts";
import type { ValType } from "../../wit/types.ts";
import { badValue } from "../bad-value.ts";
import { HostSink, HostSource } from "./buffers.ts";
import type { Store } from "./store.ts";
import { CopyResult, FutureChannel, StreamChannel } from "./streams.ts";

/** How many elements the host takes at once. */
const CHUNK_ELEMENTS = 65_536;

/** The readable end that a guest gave away, for the host. Given to a guest again, it is the same stream. */
export class HostStream implements AsyncIterable<unknown>, AsyncDisposable {
  readonly #store: Store;
  readonly #channel: StreamChannel;
  readonly #epoch: number;
  #letGo: () => void;
  #open = true;

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

  /** The next chunk; undefined at the end. */
  read(): Promise<ArrayLike<unknown> | undefined> {
    if (!this.#open) return Promise.resolve(undefined);
    if (this.#isOver) return Promise.reject(this.#store.failed ? this.#store.failure : over());
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
        this.#channel.read(
          undefined,
          sink,
          (reclaim) => {
            reclaim();
            finish(true);
          },
          (result) => finish(result === CopyResult.completed),
        );
        this.#store.wake();
      });
      letGo();
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
    if (store !== this.#store || !this.#open || this.#isOver) return undefined;
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
  void pump(store, channel, iterator, element);
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
  element: ValType | undefined,
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
      const result = isOver ? "dropped" : await offer(store, channel, chunkOf(value, element));
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

const BYTES = new Set(["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"]);

/** What an iterable gives at a time: typed arrays and arrays are chunks of numbers, other things are one element. */
function chunkOf(value: unknown, element: ValType | undefined): ArrayLike<unknown> {
  if (ArrayBuffer.isView(value)) return value as unknown as ArrayLike<unknown>;
  if (Array.isArray(value) && element !== undefined && BYTES.has(element.kind)) return value;
  return [value];
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

/** The value of a future that a guest gave away. */
export function futureToHost(store: Store, channel: FutureChannel): Promise<unknown> {
  const sink = new HostSink(1);
  const promise = new Promise((resolve, reject) => {
    const end = store.addListener(reject);
    store.begin(() => {
      channel.read(
        undefined,
        sink,
        () => undefined,
        () => {
          end();
          resolve(sink.values?.[0]);
        },
      );
      store.wake();
    });
  });
  promise.catch(() => undefined);
  return promise;
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
