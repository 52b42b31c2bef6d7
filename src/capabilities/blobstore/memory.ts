// A blob store in memory: gone when it is closed. Bounded: 256 MiB of objects.

import { overLimit } from "../resources/resource.ts";
import {
  type BlobBody,
  type BlobBytes,
  type BlobInfo,
  type BlobStore,
  checkName,
  type NamePage,
  pageOf,
  rangeOf,
} from "./blobstore.ts";

const CAPACITY_BYTES = 256 << 20;
const OBJECT_BYTES = 200;

interface Kept {
  readonly bytes: Uint8Array;
  readonly createdMs: number;
}

export function memoryBlobs({ now = Date.now }: { readonly now?: (() => number) | undefined } = {}): BlobStore {
  return new MemoryBlobs(now);
}

class MemoryBlobs implements BlobStore {
  readonly #now: () => number;
  readonly #createdMs: number;
  readonly #objects = new Map<string, Kept>();
  #bytes = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#createdMs = now();
  }

  createdMs(): number {
    return this.#createdMs;
  }

  info(name: string): BlobInfo | undefined {
    checkName(name);
    const kept = this.#objects.get(name);
    return kept === undefined ? undefined : { sizeBytes: kept.bytes.length, createdMs: kept.createdMs };
  }

  read(name: string, start: number, end: number): BlobBody | undefined {
    checkName(name);
    const kept = this.#objects.get(name);
    if (kept === undefined) return undefined;
    const range = rangeOf(kept.bytes.length, start, end);
    return { sizeBytes: range.end - range.start, bytes: [kept.bytes.slice(range.start, range.end)] };
  }

  async write(name: string, bytes: BlobBytes, signal?: AbortSignal): Promise<void> {
    checkName(name);
    const parts: Uint8Array[] = [];
    let size = OBJECT_BYTES;
    for await (const part of bytes) {
      signal?.throwIfAborted();
      size += part.length;
      if (this.#bytes + size > CAPACITY_BYTES) throw overLimit("the store in memory is full", CAPACITY_BYTES);
      parts.push(part.slice());
    }
    this.delete([name]);
    this.#bytes += size;
    this.#objects.set(name, { bytes: joined(parts), createdMs: this.#now() });
  }

  list(cursor: string | undefined, limit: number): NamePage {
    return pageOf([...this.#objects.keys()], cursor, limit);
  }

  delete(names: readonly string[]): void {
    for (const name of names) {
      checkName(name);
      const kept = this.#objects.get(name);
      if (kept !== undefined) this.#bytes -= kept.bytes.length + OBJECT_BYTES;
      this.#objects.delete(name);
    }
  }

  close(): void {
    this.#objects.clear();
    this.#bytes = 0;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
