// `wasi:io/streams` over sources and sinks of bytes: in memory, where everything answers at once, or outside, where the blocking
// calls wait. Bounded: a read gives at most 1 MiB, a write takes at most what `check-write` permitted.

import { then, type Maybe } from "../../engine/async/maybe.ts";
import { atMost, bytesOf, exactly, guestInterface, madeByHost, misuse, neverReady } from "../guest.ts";
import type { Changes } from "./changes.ts";
import { closed, failed, type IoError } from "./error.ts";
import { changingPollable, Pollable, readyPollable } from "./poll.ts";

const LARGEST_READ = 1 << 20;
const LARGEST_WRITE = 1 << 16;
/** Of `blocking-write-and-flush` and `blocking-write-zeroes-and-flush`, set by the interface. */
const LARGEST_BLOCKING_WRITE = 4096;

const NOTHING = new Uint8Array(0);

/** Where an input stream's bytes come from. */
export interface ByteSource {
  /** At most `limit` bytes that are there, the receiver's own; none where none are there yet; undefined after the last one. */
  read(limit: number): Uint8Array | undefined;
  /** Whether `read` would say more than "none yet". Starts to fetch where somebody has to; `wanted` is how much is asked for. */
  ready(wanted: number): boolean;
  /** Says when `ready` may have become true; left out where it always is. */
  readonly changes?: Changes | undefined;
  /** Why the last `read` gave undefined, where that was no end but an error. */
  failure?(): IoError | undefined;
  /** The stream ended, failed or was dropped: nothing more is read. */
  close?(): void;
  /** It outlives the streams over it, and a stream that the guest has dropped works again in its next transaction. */
  readonly isLasting?: boolean | undefined;
}

/** Bytes that are all there already. */
class MemorySource implements ByteSource {
  #rest: Uint8Array;

  constructor(contents: Uint8Array) {
    this.#rest = contents;
  }

  read(limit: number): Uint8Array | undefined {
    if (this.#rest.length === 0) return undefined;
    const taken = this.#rest.slice(0, limit);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  ready(): boolean {
    return true;
  }
}

/** Bytes one after another, of a source or all there already; `closed` after the last one. */
export class InputStream {
  readonly #source: ByteSource;
  #isClosed = false;

  constructor(contents: Uint8Array | ByteSource = NOTHING) {
    this.#source = contents instanceof Uint8Array ? new MemorySource(contents) : contents;
  }

  read(length: bigint): Uint8Array {
    return this.#read(atMost(length, LARGEST_READ));
  }

  blockingRead(length: bigint): Maybe<Uint8Array> {
    const limit = atMost(length, LARGEST_READ);
    return then(this.#whenReady(limit), () => this.#read(limit));
  }

  skip(length: bigint): bigint {
    return BigInt(this.#read(atMost(length, LARGEST_READ)).length);
  }

  blockingSkip(length: bigint): Maybe<bigint> {
    return then(this.#whenReady(atMost(length, LARGEST_READ)), () => this.skip(length));
  }

  subscribe(): Pollable {
    const { changes } = this.#source;
    // Asked for each time: what says so may be another one in the next transaction.
    return changes === undefined
      ? readyPollable()
      : changingPollable(
          () => this.#isReady(1),
          () => this.#source.changes ?? changes,
        );
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #read(limit: number): Uint8Array {
    if (this.#isClosed) throw closed();
    const bytes = this.#source.read(limit);
    if (bytes !== undefined) return bytes;
    const error = this.#source.failure?.();
    this.#close();
    throw error === undefined ? closed() : failed(error);
  }

  #isReady(wanted: number): boolean {
    return this.#isClosed || this.#source.ready(wanted);
  }

  #whenReady(wanted: number): Maybe<void> {
    if (this.#isReady(wanted)) return undefined;
    const { changes } = this.#source;
    if (changes === undefined) throw neverReady("bytes of an input stream");
    return changes.until(() => this.#isReady(wanted));
  }

  #close(): void {
    if (this.#isClosed || this.#source.isLasting === true) return;
    this.#isClosed = true;
    this.#source.close?.();
  }
}

/** Where an output stream's bytes go. */
export interface ByteSink {
  /** How many bytes it takes now; 0 where it takes none, for now or for good. */
  room(): number;
  /** Takes no more than `room()` bytes, which are its own from then on. */
  write(bytes: Uint8Array): void;
  /** Says when there may be more room, or everything was flushed, or it failed; left out where that never changes by waiting. */
  readonly changes?: Changes | undefined;
  /** Whether there will be no more room because of an error; asked where `room` is 0, and when flushing ends. */
  failure?(): IoError | undefined;
  /** Asks for everything written so far to be handed on. */
  flush?(): void;
  /** Whether everything that was to be flushed was handed on, or it failed; left out where that is always so. */
  flushed?(): boolean;
  /** The stream was dropped: nothing more is written. */
  close?(): void;
  /** It outlives the streams over it, and a stream that the guest has dropped works again in its next transaction. */
  readonly isLasting?: boolean | undefined;
}

/** Lets no more bytes into the stream: `closed` from then on. A function, not a method, so that no guest can name it. */
export let closeOutput: (stream: OutputStream) => void;

export class OutputStream {
  readonly #sink: ByteSink;
  #permit = 0;
  #isClosed = false;
  /** From `flush` until everything was handed on; nothing more is permitted meanwhile. */
  #flushing = false;

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

  blockingWriteAndFlush(contents: Uint8Array): Maybe<void> {
    const bytes = bytesOf(contents);
    if (bytes.length > LARGEST_BLOCKING_WRITE)
      throw misuse(`blocking-write-and-flush takes at most ${LARGEST_BLOCKING_WRITE} bytes`);
    return this.#writeAll(bytes);
  }

  blockingWriteZeroesAndFlush(length: bigint): Maybe<void> {
    const count = atMost(length, LARGEST_BLOCKING_WRITE + 1);
    if (count > LARGEST_BLOCKING_WRITE) {
      throw misuse(`blocking-write-zeroes-and-flush takes at most ${LARGEST_BLOCKING_WRITE} bytes`);
    }
    return this.#writeAll(new Uint8Array(count));
  }

  flush(): void {
    this.#checkOpen();
    if (this.#sink.flushed === undefined) return;
    this.#failIfBroken();
    this.#sink.flush?.();
    this.#flushing = true;
    this.#permit = 0;
  }

  blockingFlush(): Maybe<void> {
    this.flush();
    if (this.#sink.flushed === undefined) return undefined;
    return then(
      this.#whenTrue(() => this.#isFlushed(), "an output stream to be flushed"),
      () => this.#failIfBroken(),
    );
  }

  subscribe(): Pollable {
    const { changes } = this.#sink;
    if (changes !== undefined)
      return changingPollable(
        () => this.#isWritable(),
        () => this.#sink.changes ?? changes,
      );
    return new Pollable(() => (this.#isWritable() ? { kind: "now" } : { kind: "never", what: "room in an output stream" }));
  }

  splice(source: InputStream, length: bigint): bigint {
    const permitted = this.#checkWrite();
    const bytes = source.read(BigInt(atMost(length, permitted)));
    this.write(bytes);
    return BigInt(bytes.length);
  }

  blockingSplice(source: InputStream, length: bigint): Maybe<bigint> {
    return then(this.#whenWritable(), () => then(source.subscribe().block(), () => this.splice(source, length)));
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    if (this.#isClosed || this.#sink.isLasting === true) return;
    this.#isClosed = true;
    this.#sink.close?.();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed();
  }

  #checkWrite(): number {
    this.#checkOpen();
    this.#permit = this.#room();
    if (this.#permit === 0) this.#failIfBroken();
    return this.#permit;
  }

  #room(): number {
    return this.#isFlushed() ? Math.min(this.#sink.room(), LARGEST_WRITE) : 0;
  }

  #isFlushed(): boolean {
    if (this.#flushing && (this.#isClosed || this.#sink.flushed?.() !== false)) this.#flushing = false;
    return !this.#flushing;
  }

  #spendPermit(count: number): void {
    this.#checkOpen();
    if (count > this.#permit) throw misuse(`a write of ${count} bytes where check-write permitted ${this.#permit}`);
    this.#permit -= count;
  }

  #writeAll(bytes: Uint8Array): Maybe<void> {
    this.#checkOpen();
    for (let at = 0; at < bytes.length;) {
      const permitted = this.#checkWrite();
      if (permitted === 0) return this.#writeLater(bytes.subarray(at));
      const part = at === 0 && permitted >= bytes.length ? bytes : bytes.subarray(at, at + permitted);
      this.write(part);
      at += part.length;
    }
    return this.blockingFlush();
  }

  #writeLater(rest: Uint8Array): Maybe<void> {
    return then(this.#whenWritable(), () => this.#writeAll(rest));
  }

  #isWritable(): boolean {
    return this.#isClosed || this.#room() > 0 || (this.#isFlushed() && this.#sink.failure?.() !== undefined);
  }

  #whenWritable(): Maybe<void> {
    return this.#whenTrue(() => this.#isWritable(), "room in an output stream");
  }

  #whenTrue(ready: () => boolean, what: string): Maybe<void> {
    if (ready()) return undefined;
    const { changes } = this.#sink;
    if (changes === undefined) throw neverReady(what);
    return changes.until(ready);
  }

  #failIfBroken(): void {
    const error = this.#sink.failure?.();
    if (error === undefined) return;
    this.#close();
    throw failed(error);
  }
}

/** `wasi:io/streams` where nothing comes from outside: no call of it waits. */
export const streamsInterface = guestInterface({
  InputStream: madeByHost(InputStream),
  OutputStream: madeByHost(OutputStream),
});

/** `wasi:io/streams` where the blocking calls may wait. */
export const waitingStreamsInterface = guestInterface({
  InputStream: madeByHost(InputStream, ["blockingRead", "blockingSkip"]),
  OutputStream: madeByHost(OutputStream, [
    "blockingWriteAndFlush",
    "blockingFlush",
    "blockingWriteZeroesAndFlush",
    "blockingSplice",
  ]),
});
