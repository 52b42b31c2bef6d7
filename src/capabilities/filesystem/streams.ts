// Files as streams of bytes: read ahead by one chunk where reading waits, written in order. What was read ahead before a write of the
// same instance is read again, so a component sees its own writes.

import { Changes } from "../io/changes.ts";
import { IoError } from "../io/error.ts";
import { WriterSink } from "../io/host-bytes.ts";
import type { ByteSource } from "../io/streams.ts";
import { run } from "../steps.ts";
import { FileError, type DirectoryEntry, type FileErrorCode, type OpenFile } from "./filesystem.ts";
import { offsetOf, readOffsetOf, type OpenDescriptor } from "./open-descriptor.ts";
import type { Scope, Shared } from "./scope.ts";

const SMALLEST_CHUNK = 1 << 16;
const LARGEST_CHUNK = 1 << 20;
const WRITE_CAPACITY = 1 << 20;
const NOTHING = new Uint8Array(0);

/** How a stream of WASI 0.3 ended. */
export type End = { readonly tag: "ok" } | { readonly tag: "err"; readonly val: FileErrorCode };

export function codeOf(error: unknown): FileErrorCode {
  return error instanceof FileError ? error.code : "io";
}

function ioErrorOf(error: unknown): IoError {
  const code = codeOf(error);
  return new IoError(`the file could not be used: ${code}`, { filesystem: code });
}

/** A file from an offset on, for WASI 0.2. */
export class FileSource implements ByteSource {
  readonly changes: Changes;
  readonly #scope: Scope;
  readonly #file: Shared<OpenFile>;
  #offset: number;
  #chunk: Uint8Array = NOTHING;
  #chunkSize = 0;
  #generation: number;
  #state: "idle" | "reading" | "at end" | "closed" = "idle";
  #failure: IoError | undefined;

  /** @throws FileError where the descriptor cannot be read from there */
  constructor(descriptor: OpenDescriptor, offset: bigint) {
    this.#offset = readOffsetOf(offset);
    this.#scope = descriptor.scope;
    this.#file = descriptor.fileTo("read");
    this.#generation = this.#scope.generation;
    this.changes = new Changes(this.#scope.changes);
  }

  read(limit: number): Uint8Array | undefined {
    if (!this.ready(limit)) return NOTHING;
    if (this.#chunk.length === 0) {
      // The end may move: who comes back after it looks again.
      if (this.#state === "at end") this.#state = "idle";
      return undefined;
    }
    const taken = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(taken.length);
    this.#offset += taken.length;
    // Reading ahead: only where the guest was seen to read on.
    if (this.#chunk.length === 0 && this.#chunkSize > 0) this.#fetch(this.#chunkSize);
    return taken;
  }

  ready(wanted: number): boolean {
    if (this.#state === "closed") return true;
    if (this.#generation !== this.#scope.generation && this.#state !== "reading") {
      this.#chunk = NOTHING;
      this.#state = "idle";
    }
    if (this.#chunk.length === 0 && this.#state === "idle") this.#fetch(wanted);
    return this.#chunk.length > 0 || this.#state === "at end" || this.#failure !== undefined;
  }

  failure(): IoError | undefined {
    return this.#failure;
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#chunk = NOTHING;
    this.#file.release();
  }

  /** The first read takes what is asked for, those after it more and more at once. */
  #fetch(wanted: number): void {
    const length = Math.max(1, Math.min(Math.max(wanted, this.#chunkSize), LARGEST_CHUNK));
    this.#chunkSize = Math.min(Math.max(length, this.#chunkSize * 2, SMALLEST_CHUNK), LARGEST_CHUNK);
    this.#generation = this.#scope.generation;
    try {
      const bytes = this.#file.node.read(this.#offset, length);
      if (bytes instanceof Promise) {
        this.#state = "reading";
        bytes.then(
          (read) => this.#arrived(read),
          (error: unknown) => this.#failed(error),
        );
      } else this.#take(bytes);
    } catch (error) {
      this.#failed(error);
    }
  }

  #arrived(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#state = "idle";
    if (this.#generation === this.#scope.generation) this.#take(bytes);
    this.changes.notify();
  }

  #take(bytes: Uint8Array): void {
    this.#chunk = bytes;
    this.#state = bytes.length === 0 ? "at end" : "idle";
  }

  #failed(error: unknown): void {
    if (this.#state === "closed") return;
    this.#failure = ioErrorOf(error);
    this.#state = "at end";
    this.changes.notify();
  }
}

/** A sink into a file, from an offset or at its end, for WASI 0.2. @throws FileError where it cannot be written there */
export function fileSink(descriptor: OpenDescriptor, offset: bigint | "end"): WriterSink {
  let at = offset === "end" ? offset : offsetOf(offset);
  const { scope } = descriptor;
  const file = descriptor.fileTo("write");
  const write = (bytes: Uint8Array): void | Promise<void> => {
    const from = at;
    if (at !== "end") at += bytes.length;
    return run(descriptor.writeTo(file.node, bytes, from));
  };
  const sink = new FileSink(write, scope, () => file.release());
  return sink;
}

class FileSink extends WriterSink {
  readonly #finished: () => Promise<void>;

  constructor(write: (bytes: Uint8Array) => void | Promise<void>, scope: Scope, release: () => void) {
    super(write, WRITE_CAPACITY, ioErrorOf, scope.changes);
    const forget = scope.addWriter(() => this.drained());
    this.#finished = async () => {
      await this.drained().catch(() => undefined);
      forget();
      release();
    };
  }

  override close(): void {
    void this.#finished();
  }
}

/** A file from an offset on, for WASI 0.3: the bytes, and how they ended. */
export function readFile(descriptor: OpenDescriptor, offset: bigint): [AsyncIterable<Uint8Array>, Promise<End>] {
  const end = Promise.withResolvers<End>();
  return [chunksOf(descriptor, offset, end.resolve), end.promise];
}

async function* chunksOf(descriptor: OpenDescriptor, offset: bigint, ended: (end: End) => void): AsyncGenerator<Uint8Array> {
  let file: Shared<OpenFile> | undefined;
  try {
    let at = readOffsetOf(offset);
    file = descriptor.fileTo("read");
    const { node } = file;
    const { scope } = descriptor;
    // The first chunk is small: many readers want a few bytes only. From the second on, the next one is read ahead.
    let size = SMALLEST_CHUNK;
    let ahead: { readonly generation: number; readonly bytes: Promise<Uint8Array> } | undefined;
    for (;;) {
      const known = ahead?.generation === scope.generation ? ahead.bytes : undefined;
      const bytes = await (known ?? node.read(at, size));
      if (bytes.length === 0) break;
      at += bytes.length;
      if (bytes.length === size) {
        size = Math.min(size * 2, LARGEST_CHUNK);
        ahead = { generation: scope.generation, bytes: readAhead(node, at, size) };
      } else ahead = undefined;
      yield bytes;
    }
    ended({ tag: "ok" });
  } catch (error) {
    ended({ tag: "err", val: codeOf(error) });
  } finally {
    file?.release();
    ended({ tag: "ok" });
  }
}

/** Its failure is that of whoever asks for the bytes; nobody may. */
function readAhead(file: OpenFile, offset: number, length: number): Promise<Uint8Array> {
  const bytes = (async () => file.read(offset, length))();
  bytes.catch(() => undefined);
  return bytes;
}

/** Writes all of `data` into a file, for WASI 0.3. */
export async function writeFile(
  descriptor: OpenDescriptor,
  data: AsyncIterable<Uint8Array>,
  offset: bigint | "end",
): Promise<End> {
  let file: Shared<OpenFile> | undefined;
  try {
    let at = offset === "end" ? offset : offsetOf(offset);
    file = descriptor.fileTo("write");
    for await (const bytes of data) {
      await run(descriptor.writeTo(file.node, bytes, at));
      if (at !== "end") at += bytes.length;
    }
    return { tag: "ok" };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    await closeStream(data);
    return { tag: "err", val: error.code };
  } finally {
    file?.release();
  }
}

/** A guest that waits for its bytes to be taken is told that nobody takes them. */
async function closeStream(data: AsyncIterable<Uint8Array>): Promise<void> {
  await data[Symbol.asyncIterator]().return?.();
}

/** The entries of a directory, for WASI 0.3. */
export function readDirectory<Entry>(
  descriptor: OpenDescriptor,
  entryOf: (entry: DirectoryEntry) => Entry,
): [AsyncIterable<Entry>, Promise<End>] {
  const end = Promise.withResolvers<End>();
  const entries = async function* (): AsyncGenerator<Entry> {
    try {
      for (const entry of await descriptor.scope.run(() => descriptor.entries())) yield entryOf(entry);
    } catch (error) {
      end.resolve({ tag: "err", val: codeOf(error) });
    } finally {
      end.resolve({ tag: "ok" });
    }
  };
  return [entries(), end.promise];
}
