// `wasi:io/streams` over bytes in memory and sinks that take bytes at once. Bounded: a read gives at most 1 MiB, a write takes
// at most what `check-write` permitted.

import { atMost, bytesOf, exactly, guestInterface, madeByHost, misuse, neverReady } from "../guest.ts";
import { closed, failed, type IoError } from "./error.ts";
import { Pollable, readyPollable } from "./poll.ts";

const LARGEST_READ = 1 << 20;
const LARGEST_WRITE = 1 << 16;
/** Of `blocking-write-and-flush` and `blocking-write-zeroes-and-flush`, set by the interface. */
const LARGEST_BLOCKING_WRITE = 4096;

const NOTHING = new Uint8Array(0);

/** Bytes that are all there already; `closed` after the last one. */
export class InputStream {
  #rest: Uint8Array;

  constructor(contents: Uint8Array = NOTHING) {
    this.#rest = contents;
  }

  read(length: bigint): Uint8Array {
    return this.#take(atMost(length, LARGEST_READ)).slice();
  }

  blockingRead(length: bigint): Uint8Array {
    return this.read(length);
  }

  skip(length: bigint): bigint {
    return BigInt(this.#take(atMost(length, Number.MAX_SAFE_INTEGER)).length);
  }

  blockingSkip(length: bigint): bigint {
    return this.skip(length);
  }

  subscribe(): Pollable {
    return readyPollable();
  }

  #take(length: number): Uint8Array {
    if (this.#rest.length === 0) throw closed();
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }
}

/** Where an output stream's bytes go. */
export interface ByteSink {
  /** How many bytes it takes now; 0 where it will never take more and the stream stays open. */
  room(): number;
  /** Takes no more than `room()` bytes, which are its own from then on. */
  write(bytes: Uint8Array): void;
  /** Whether there will be no more room because of an error; asked where `room` is 0. */
  failure?(): IoError | undefined;
}

/** Lets no more bytes into the stream: `closed` from then on. A function, not a method, so that no guest can name it. */
export let closeOutput: (stream: OutputStream) => void;

export class OutputStream {
  readonly #sink: ByteSink;
  #permit = 0;
  #isClosed = false;

  static {
    closeOutput = (stream) => {
      stream.#isClosed = true;
    };
  }

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  checkWrite(): bigint {
    return BigInt(this.#checkWrite());
  }

  write(contents: Uint8Array): void {
    const bytes = bytesOf(contents);
    this.#spendPermit(bytes.length);
    this.#sink.write(bytes);
  }

  writeZeroes(length: bigint): void {
    const count = exactly(length, LARGEST_WRITE, "zeroes to be written at once");
    this.#spendPermit(count);
    this.#sink.write(new Uint8Array(count));
  }

  blockingWriteAndFlush(contents: Uint8Array): void {
    const bytes = bytesOf(contents);
    if (bytes.length > LARGEST_BLOCKING_WRITE)
      throw misuse(`blocking-write-and-flush takes at most ${LARGEST_BLOCKING_WRITE} bytes`);
    this.#writeAll(bytes);
  }

  blockingWriteZeroesAndFlush(length: bigint): void {
    const count = atMost(length, LARGEST_BLOCKING_WRITE + 1);
    if (count > LARGEST_BLOCKING_WRITE) {
      throw misuse(`blocking-write-zeroes-and-flush takes at most ${LARGEST_BLOCKING_WRITE} bytes`);
    }
    this.#writeAll(new Uint8Array(count));
  }

  flush(): void {
    this.#checkOpen();
  }

  blockingFlush(): void {
    this.#checkOpen();
  }

  subscribe(): Pollable {
    return new Pollable(() => (this.#isFull() ? { kind: "never", what: "room in an output stream" } : { kind: "now" }));
  }

  splice(source: InputStream, length: bigint): bigint {
    const permitted = this.#checkWrite();
    const bytes = source.read(BigInt(atMost(length, permitted)));
    this.write(bytes);
    return BigInt(bytes.length);
  }

  blockingSplice(source: InputStream, length: bigint): bigint {
    if (this.#isFull()) throw neverReady("room in an output stream");
    return this.splice(source, length);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed();
  }

  #checkWrite(): number {
    this.#checkOpen();
    this.#permit = Math.min(this.#sink.room(), LARGEST_WRITE);
    if (this.#permit === 0) this.#failIfBroken();
    return this.#permit;
  }

  #spendPermit(count: number): void {
    this.#checkOpen();
    if (count > this.#permit) throw misuse(`a write of ${count} bytes where check-write permitted ${this.#permit}`);
    this.#permit -= count;
  }

  #writeAll(bytes: Uint8Array): void {
    let rest = bytes;
    this.#checkOpen();
    while (rest.length > 0) {
      const permitted = this.#checkWrite();
      if (permitted === 0) throw neverReady("room in an output stream");
      const part = rest.subarray(0, permitted);
      this.write(part);
      rest = rest.subarray(part.length);
    }
  }

  #isFull(): boolean {
    return !this.#isClosed && this.#sink.room() === 0 && this.#sink.failure?.() === undefined;
  }

  #failIfBroken(): void {
    const error = this.#sink.failure?.();
    if (error === undefined) return;
    this.#isClosed = true;
    throw failed(error);
  }
}

/** `wasi:io/streams`. */
export const streamsInterface = guestInterface({
  InputStream: madeByHost(InputStream),
  OutputStream: madeByHost(OutputStream),
});
