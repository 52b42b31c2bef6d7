// A blob store in a NATS object store: objects are kept in pieces of 128 KiB. A read that does not begin at the start skips.

import { type ObjectResult, type ObjectStore, Objm } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Address } from "../resources/address.ts";
import { connectNats } from "../resources/nats.ts";
import { reaching, unavailable } from "../resources/resource.ts";
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

const RESOURCE = "the blob store in NATS";

/** @throws StarlaneError `resource/unavailable` (rejects) */
export async function natsBlobs(server: Address, bucket: string): Promise<BlobStore> {
  const connection = await connectNats(server);
  try {
    const store = await reaching(RESOURCE, () => openBucket(connection, bucket));
    return new NatsBlobs(connection, store);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The bucket as it is, or a new one. */
async function openBucket(connection: NatsConnection, bucket: string): Promise<ObjectStore> {
  const buckets = new Objm(connection);
  for await (const known of buckets.list()) if (known.bucket === bucket) return await buckets.open(bucket);
  return await buckets.create(bucket);
}

class NatsBlobs implements BlobStore {
  readonly #connection: NatsConnection;
  readonly #store: ObjectStore;

  constructor(connection: NatsConnection, store: ObjectStore) {
    this.#connection = connection;
    this.#store = store;
  }

  async createdMs(): Promise<number> {
    const { streamInfo } = await reaching(RESOURCE, () => this.#store.status());
    return Date.parse(streamInfo.created);
  }

  async info(name: string): Promise<BlobInfo | undefined> {
    checkName(name);
    const info = await reaching(RESOURCE, () => this.#store.info(storedName(name)));
    return info === null || info.deleted ? undefined : { sizeBytes: info.size, createdMs: Date.parse(info.mtime) };
  }

  async read(name: string, start: number, end: number): Promise<BlobBody | undefined> {
    checkName(name);
    const found = await reaching(RESOURCE, () => this.#store.get(storedName(name)));
    if (found === null || found.info.deleted) return undefined;
    const range = rangeOf(found.info.size, start, end);
    return { sizeBytes: range.end - range.start, bytes: part(found, range.start, range.end) };
  }

  async write(name: string, bytes: BlobBytes, signal?: AbortSignal): Promise<void> {
    checkName(name);
    let failure: { readonly error: unknown } | undefined;
    const iterator = Symbol.asyncIterator in bytes ? bytes[Symbol.asyncIterator]() : bytes[Symbol.iterator]();
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          signal?.throwIfAborted();
          const { done, value } = await iterator.next();
          if (done === true) controller.close();
          // The library keeps what it is given until a piece is full.
          else if (value.length > 0) controller.enqueue(value.slice());
          else await this.pull?.(controller);
        } catch (error) {
          failure = { error };
          controller.error(error);
        }
      },
    });
    await reaching(RESOURCE, async () => {
      try {
        await this.#store.put({ name: storedName(name) }, stream);
      } catch (error) {
        throw failure === undefined ? error : failure.error;
      }
    }).catch((error: unknown) => {
      throw failure === undefined ? error : failure.error;
    });
  }

  async list(cursor: string | undefined, limit: number): Promise<NamePage> {
    const all = await reaching(RESOURCE, () => this.#store.list());
    return pageOf(
      all.flatMap(({ name }) => givenName(name) ?? []),
      cursor,
      limit,
    );
  }

  async delete(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if ((await this.info(name)) === undefined) continue;
      await reaching(RESOURCE, () => this.#store.delete(storedName(name)));
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** The library can name objects in ASCII only; the rest, and the % itself, stands as % and hexadecimal digits. */
function storedName(name: string): string {
  return name.replace(/[^ -$&-~]/gu, (char) => encodeURIComponent(char));
}

/** Undefined where an object was named by another program in a way that we would not. */
function givenName(stored: string): string | undefined {
  try {
    const name = decodeURIComponent(stored);
    return storedName(name) === stored ? name : undefined;
  } catch {
    return undefined;
  }
}

async function* part({ data, error }: ObjectResult, start: number, end: number): AsyncGenerator<Uint8Array> {
  let at = 0;
  error.catch(() => undefined);
  const reader = data.getReader();
  try {
    while (at < end) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw unavailable(RESOURCE, cause);
      });
      if (done) break;
      const piece = value.subarray(Math.max(0, start - at), end - at);
      at += value.length;
      if (piece.length > 0) yield piece;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
