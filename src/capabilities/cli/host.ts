// Standard streams of the host, shared by everything that runs in the app: bytes that arrive are read once, bytes that go out keep
// their order. Waiting for them ends with the transaction that waits; the streams themselves go on.

import { Changes } from "../io/changes.ts";
import type { ByteWriter, IterableSource, WriterSink } from "../io/host-bytes.ts";
import { InputStream, OutputStream, type ByteSink, type ByteSource } from "../io/streams.ts";
import type { GuestInput, GuestOutput, StreamEnd } from "./interfaces.ts";

const LARGEST_CHUNK = 1 << 16;

/** Standard input of the host. */
export interface HostInput {
  readonly bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly isTerminal?: boolean | undefined;
}

/** Standard output or error output of the host. */
export interface HostOutput {
  /** Takes bytes, which are its own; a promise says when there is room for more. */
  readonly write: ByteWriter;
  readonly isTerminal?: boolean | undefined;
}

/** The transaction that runs now: its end wakes whatever waits in it. */
export class Waiting {
  #ends: Changes[] = [];
  #stopListening = (): void => undefined;
  readonly #parents: readonly Changes[];

  constructor(parents: readonly Changes[]) {
    this.#parents = parents;
    this.#ends = parents.map((parent) => new Changes(parent));
  }

  start(signal: AbortSignal | undefined): void {
    this.end();
    const ends = this.#parents.map((parent) => new Changes(parent));
    const stops = ends.map((changes) => changes.failOn(signal));
    this.#ends = ends;
    this.#stopListening = () => stops.forEach((stop) => stop());
  }

  end(): void {
    this.#stopListening();
  }

  /** Changes of the parent of that number, as long as the transaction lasts. */
  on(index: number): Changes {
    const changes = this.#ends[index];
    if (changes === undefined) throw new RangeError("no such stream");
    return changes;
  }
}

/** The guest's side of standard input; `changes` is asked at each wait. */
export function guestInput(source: IterableSource, isTerminal: boolean, changes: () => Changes): GuestInput {
  const shared: ByteSource = {
    isLasting: true,
    read: (limit) => source.read(limit),
    ready: () => source.ready(),
    failure: () => source.failure(),
    get changes() {
      return changes();
    },
  };
  return {
    isTerminal,
    stream: () => new InputStream(shared),
    readViaStream() {
      const end = Promise.withResolvers<StreamEnd>();
      return [readAll(source, changes(), end.resolve), end.promise];
    },
  };
}

/** Ends at once when the guest lets go of the stream, also while nothing arrives. */
function readAll(source: IterableSource, changes: Changes, ended: (how: StreamEnd) => void): AsyncIterable<Uint8Array> {
  const waiting = new Changes(changes);
  let isOver = false;
  const end = (): IteratorResult<Uint8Array> => {
    isOver = true;
    ended(source.failure() === undefined ? { tag: "ok" } : { tag: "err", val: "io" });
    return { done: true, value: undefined };
  };
  const iterator: AsyncIterator<Uint8Array> = {
    async next() {
      for (;;) {
        await waiting.until(() => isOver || source.ready());
        const bytes = isOver ? undefined : source.read(LARGEST_CHUNK);
        if (bytes === undefined) return end();
        if (bytes.length > 0) return { done: false, value: bytes };
      }
    },
    return() {
      const result = end();
      waiting.notify();
      return Promise.resolve(result);
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** The guest's side of an output; `changes` is asked at each wait. */
export function guestOutput(sink: WriterSink, isTerminal: boolean, changes: () => Changes): GuestOutput {
  const shared: ByteSink = {
    isLasting: true,
    room: () => sink.room(),
    write: (bytes) => sink.write(bytes),
    failure: () => sink.failure(),
    flushed: () => sink.flushed(),
    get changes() {
      return changes();
    },
  };
  return {
    isTerminal,
    stream: () => new OutputStream(shared),
    writeViaStream: (data) => writeAll(sink, changes, data),
  };
}

async function writeAll(sink: WriterSink, changes: () => Changes, data: AsyncIterable<Uint8Array>): Promise<StreamEnd> {
  for await (const bytes of data) {
    let rest = bytes;
    while (rest.length > 0 && sink.failure() === undefined) {
      await changes().until(() => sink.room() > 0 || sink.failure() !== undefined);
      const part = rest.subarray(0, sink.room());
      sink.write(part);
      rest = rest.subarray(part.length);
    }
    if (sink.failure() !== undefined) break;
  }
  await changes().until(() => sink.flushed());
  return sink.failure() === undefined ? { tag: "ok" } : { tag: "err", val: "pipe" };
}
