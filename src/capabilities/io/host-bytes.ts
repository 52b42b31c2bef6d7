// Streams of the host as sources and sinks: bytes that arrive as an iterable, and bytes that go to a function. Back-pressure holds
// both ways: a chunk is asked for when the guest wants it, and a sink that is full takes no more.

import { Changes } from "./changes.ts";
import { IoError } from "./error.ts";
import type { ByteSink, ByteSource } from "./streams.ts";

/** Takes bytes, which are its own; a promise says when there is room for more. */
export type ByteWriter = (bytes: Uint8Array) => void | Promise<void>;

const NOTHING = new Uint8Array(0);
const DEFAULT_CAPACITY = 1 << 16;

/** Bytes of an iterable, asked for one chunk at a time. */
export class IterableSource implements ByteSource {
  readonly changes = new Changes();
  readonly #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #chunk: Uint8Array = NOTHING;
  #state: "idle" | "asking" | "ended" = "idle";
  #failure: IoError | undefined;

  constructor(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    this.#iterator = Symbol.asyncIterator in bytes ? bytes[Symbol.asyncIterator]() : bytes[Symbol.iterator]();
  }

  read(limit: number): Uint8Array | undefined {
    if (!this.ready()) return NOTHING;
    if (this.#chunk.length === 0) return undefined;
    const taken = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(taken.length);
    return taken;
  }

  ready(): boolean {
    if (this.#chunk.length === 0 && this.#state === "idle") void this.#ask();
    return this.#chunk.length > 0 || this.#state === "ended";
  }

  failure(): IoError | undefined {
    return this.#failure;
  }

  close(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    void (async () => this.#iterator.return?.())().catch(() => undefined);
  }

  async #ask(): Promise<void> {
    this.#state = "asking";
    try {
      for (;;) {
        const { done, value } = await this.#iterator.next();
        if (this.#isEnded()) return;
        if (done === true) {
          this.#state = "ended";
          break;
        }
        if (value.length > 0) {
          this.#chunk = value;
          this.#state = "idle";
          break;
        }
      }
    } catch {
      if (this.#isEnded()) return;
      // What went wrong stays with the host: a guest could read paths and addresses out of it.
      this.#failure = new IoError("the input failed");
      this.#state = "ended";
    }
    this.changes.notify();
  }

  #isEnded(): boolean {
    return this.#state === "ended";
  }
}

/** Bytes to a function, in order, one call at a time; those that wait for it are bounded. */
export class WriterSink implements ByteSink {
  readonly changes: Changes;
  readonly #write: ByteWriter;
  readonly #capacity: number;
  readonly #errorOf: (reason: unknown) => IoError;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing = false;
  #failure: IoError | undefined;

  /** `errorOf` says what the guest is told of what the function threw: nothing of the host. Where `changesOf` fails, waiting fails. */
  constructor(
    write: ByteWriter,
    capacity = DEFAULT_CAPACITY,
    errorOf: (reason: unknown) => IoError = () => new IoError("the output failed"),
    changesOf?: Changes,
  ) {
    this.changes = new Changes(changesOf);
    this.#write = write;
    this.#capacity = capacity;
    this.#errorOf = errorOf;
  }

  room(): number {
    return this.#failure === undefined ? this.#capacity - this.#waitingBytes : 0;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#writing) this.#go();
  }

  failure(): IoError | undefined {
    return this.#failure;
  }

  flushed(): boolean {
    return this.#waitingBytes === 0;
  }

  close(): void {
    // What was written before is handed on all the same.
  }

  /** Resolves when everything written was taken, or nothing more will be. */
  async drained(): Promise<void> {
    await this.changes.until(() => this.flushed());
  }

  /** Hands on what waits, at once as long as the function answers at once. */
  #go(): void {
    for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
      const { length } = bytes;
      try {
        const taken = this.#write(bytes);
        if (taken instanceof Promise) {
          this.#writing = true;
          taken.then(
            () => this.#taken(length),
            (error: unknown) => this.#fail(error),
          );
          return;
        }
      } catch (error) {
        return this.#fail(error);
      }
      this.#waitingBytes -= length;
    }
  }

  #taken(length: number): void {
    this.#writing = false;
    this.#waitingBytes -= length;
    this.#go();
    this.changes.notify();
  }

  #fail(reason: unknown): void {
    this.#writing = false;
    this.#failure = this.#errorOf(reason);
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.changes.notify();
  }
}
