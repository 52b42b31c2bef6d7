// `wasi:blobstore@0.2.0-draft` over the containers that a component was granted. They are there for good: a guest may empty them,
// but neither makes nor deletes one. Bounded: what is kept in memory of objects that are read at once or being written.

import { mayWait } from "../../engine/may-wait.ts";
import type { Binding, Capability } from "../capability.ts";
import { deniedName } from "../denial.ts";
import { answerError, atMost, madeByHost, misuse } from "../guest.ts";
import { IterableSource } from "../io/host-bytes.ts";
import { closeOutput, InputStream, OutputStream } from "../io/streams.ts";
import { waitingIo } from "../io/waiting.ts";
import { answering, type Session } from "../resources/answering.ts";
import { overLimit, rejected } from "../resources/resource.ts";
import { type BlobBody, type BlobInfo, type BlobStore, checkName, LARGEST_PAGE_NAMES } from "./blobstore.ts";
import { Spool, type SpoolBudget } from "./spool.ts";

/** The stores by the names of their containers. */
export type BlobGrant = ReadonlyMap<string, BlobStore>;

const LARGEST_AT_ONCE_BYTES = 16 << 20;
const LARGEST_SPOOLED_BYTES = 64 << 20;
const LARGEST_OPEN_READS = 64;
const LARGEST_DELETE = 10_000;

/** The interface's errors are texts. */
const asText = (text: string): string => text;

/** What one binding knows of its transaction. */
class State implements Session, SpoolBudget {
  transaction: Session["transaction"];
  leftBytes = LARGEST_SPOOLED_BYTES;
  readonly writing = new Set<OutgoingValue>();
  readonly reading = new Set<IncomingValue>();

  answer<T>(work: () => T | Promise<T>): T | Promise<T> {
    return answering(this, work, asText);
  }

  /** What was not finished is not kept, and what was not read is let go. */
  async end(): Promise<void> {
    const written = [...this.writing].map(abandon);
    for (const value of this.reading) value[Symbol.dispose]();
    this.writing.clear();
    this.reading.clear();
    await Promise.all(written);
  }
}

/** Functions of the host on a guest's value: not methods, so that no guest can name them. */
let writeTo: (value: OutgoingValue, store: BlobStore, name: string, signal: AbortSignal | undefined) => void;
let abandon: (value: OutgoingValue) => Promise<void>;

class OutgoingValue {
  readonly #state: State;
  readonly #spool: Spool;
  #stream: OutputStream | undefined;
  #written: Promise<void> | undefined;
  #isOver = false;

  static {
    // The object is there after `finish`.
    writeTo = (value, store, name, signal) => {
      if (value.#written !== undefined) throw rejected("the value is being written already");
      checkName(name);
      value.#written = store.write(name, value.#spool, signal);
      value.#written.catch(() => value.#spool.break());
    };
    abandon = async (value) => {
      if (value.#isOver) return;
      value.#close();
      value.#spool.break();
      value.#leave();
      await value.#written?.catch(() => undefined);
    };
  }

  constructor(state: State) {
    this.#state = state;
    this.#spool = new Spool(state);
    state.writing.add(this);
  }

  outgoingValueWriteBody(): OutputStream {
    if (this.#stream !== undefined) throw answerError(undefined);
    this.#stream = new OutputStream(this.#spool);
    return this.#stream;
  }

  static finish(value: OutgoingValue): unknown {
    value.#close();
    value.#spool.end();
    return value.#state.answer(async () => {
      try {
        await value.#written;
      } finally {
        value.#leave();
      }
    });
  }

  [Symbol.dispose](): void {
    void abandon(this);
  }

  #close(): void {
    if (this.#stream !== undefined) closeOutput(this.#stream);
  }

  #leave(): void {
    this.#isOver = true;
    this.#state.writing.delete(this);
  }
}

class IncomingValue {
  readonly #state: State;
  readonly #body: BlobBody;
  #isTaken = false;

  constructor(state: State, body: BlobBody) {
    this.#state = state;
    this.#body = body;
    state.reading.add(this);
  }

  static incomingValueConsumeSync(value: IncomingValue): unknown {
    return value.#state.answer(async () => {
      const { sizeBytes, bytes } = value.#body;
      if (sizeBytes > LARGEST_AT_ONCE_BYTES) throw overLimit("an object is too large to be read at once", LARGEST_AT_ONCE_BYTES);
      value.#take();
      const all = new Uint8Array(sizeBytes);
      let at = 0;
      for await (const part of bytes) {
        if (at + part.length > sizeBytes) throw rejected("the object changed while it was read");
        all.set(part, at);
        at += part.length;
      }
      return all.subarray(0, at);
    });
  }

  static incomingValueConsumeAsync(value: IncomingValue): InputStream {
    value.#take();
    return new InputStream(new IterableSource(value.#body.bytes));
  }

  size(): bigint {
    return BigInt(this.#body.sizeBytes);
  }

  [Symbol.dispose](): void {
    if (this.#isTaken) return;
    this.#take();
    const { bytes } = this.#body;
    const iterator = Symbol.asyncIterator in bytes ? bytes[Symbol.asyncIterator]() : bytes[Symbol.iterator]();
    void (async () => iterator.return?.())().catch(() => undefined);
  }

  #take(): void {
    if (this.#isTaken) throw misuse("an incoming-value was consumed twice");
    this.#isTaken = true;
    this.#state.reading.delete(this);
  }
}

/** The pages of a listing as they are read. */
class StreamObjectNames {
  readonly #state: State;
  readonly #store: BlobStore;
  #cursor: string | undefined;
  #isOver = false;

  constructor(state: State, store: BlobStore) {
    this.#state = state;
    this.#store = store;
  }

  readStreamObjectNames(length: bigint): unknown {
    return this.#state.answer(async () => [...(await this.#page(atMost(length, LARGEST_PAGE_NAMES)))]);
  }

  skipStreamObjectNames(count: bigint): unknown {
    return this.#state.answer(async () => {
      let skipped = 0n;
      for (;;) {
        const [names, isOver] = await this.#page(atMost(count - skipped, LARGEST_PAGE_NAMES));
        skipped += BigInt(names.length);
        if (isOver || skipped >= count) return [skipped, isOver];
      }
    });
  }

  async #page(limit: number): Promise<[names: readonly string[], isOver: boolean]> {
    if (this.#isOver || limit === 0) return [[], this.#isOver];
    const page = await this.#store.list(this.#cursor, limit);
    this.#cursor = page.cursor;
    this.#isOver = page.cursor === undefined;
    return [page.names, this.#isOver];
  }
}

class Container {
  readonly #state: State;
  readonly #name: string;
  readonly #store: BlobStore;

  constructor(state: State, name: string, store: BlobStore) {
    this.#state = state;
    this.#name = name;
    this.#store = store;
  }

  name(): string {
    return this.#name;
  }

  info(): unknown {
    return this.#state.answer(async () => ({ name: this.#name, createdAt: seconds(await this.#store.createdMs()) }));
  }

  /** Both offsets are inclusive. */
  getData(name: string, start: bigint, end: bigint): unknown {
    return this.#state.answer(async () => {
      if (this.#state.reading.size >= LARGEST_OPEN_READS) throw overLimit("too many objects are being read", LARGEST_OPEN_READS);
      const from = atMost(start, Number.MAX_SAFE_INTEGER - 1);
      const body = await this.#store.read(name, from, atMost(end, Number.MAX_SAFE_INTEGER - 1) + 1);
      return new IncomingValue(this.#state, body ?? noObject());
    });
  }

  writeData(name: string, value: OutgoingValue): unknown {
    return this.#state.answer(() => writeTo(value, this.#store, name, this.#state.transaction?.signal));
  }

  listObjects(): StreamObjectNames {
    return new StreamObjectNames(this.#state, this.#store);
  }

  deleteObject(name: string): unknown {
    return this.#state.answer(() => this.#store.delete([name]));
  }

  deleteObjects(names: readonly string[]): unknown {
    return this.#state.answer(() => {
      if (names.length > LARGEST_DELETE) throw overLimit("too many objects are deleted at once", LARGEST_DELETE);
      return this.#store.delete(names);
    });
  }

  hasObject(name: string): unknown {
    return this.#state.answer(async () => (await this.#store.info(name)) !== undefined);
  }

  objectInfo(name: string): unknown {
    return this.#state.answer(async () => {
      const { sizeBytes, createdMs }: BlobInfo = (await this.#store.info(name)) ?? noObject();
      return { name, container: this.#name, createdAt: seconds(createdMs), size: BigInt(sizeBytes) };
    });
  }

  clear(): unknown {
    return this.#state.answer(async () => {
      for (;;) {
        const { names } = await this.#store.list(undefined, LARGEST_PAGE_NAMES);
        if (names.length === 0) return;
        await this.#store.delete(names);
      }
    });
  }
}

function noObject(): never {
  throw rejected("there is no such object");
}

function seconds(ms: number): bigint {
  return BigInt(Math.max(0, Math.floor(ms / 1000)));
}

const CONTAINER_WAITS = [
  "info", "getData", "writeData", "deleteObject", "deleteObjects", "hasObject", "objectInfo", "clear",
]; // prettier-ignore

const ContainerFace = madeByHost(Container, CONTAINER_WAITS);
const NamesFace = madeByHost(StreamObjectNames, ["readStreamObjectNames", "skipStreamObjectNames"]);
const IncomingFace = madeByHost(IncomingValue);
mayWait(IncomingValue.incomingValueConsumeSync);
mayWait(OutgoingValue.finish);

interface ObjectId {
  readonly container: string;
  readonly object: string;
}

function bind(grant: BlobGrant): Binding {
  const state = new State();
  const storeOf = (name: string): BlobStore => {
    const store = state.transaction === undefined ? undefined : grant.get(name);
    if (store !== undefined) return store;
    state.transaction?.denied?.(deniedName("container", name, "blobs"));
    throw answerError("there is no such container");
  };
  const container = (name: string): Container => new Container(state, name, storeOf(name));
  const OutgoingFace = madeByHost(OutgoingValue);
  Object.defineProperty(OutgoingFace, "newOutgoingValue", { value: () => new OutgoingValue(state) });

  const copy = async (from: ObjectId, to: ObjectId): Promise<void> => {
    const [source, target] = [storeOf(from.container), storeOf(to.container)];
    const body = (await source.read(from.object, 0, Number.MAX_SAFE_INTEGER)) ?? noObject();
    await target.write(to.object, body.bytes, state.transaction?.signal);
  };
  const blobstore = {
    __proto__: null,
    // Those that are granted are there already.
    createContainer: container,
    getContainer: container,
    deleteContainer: (name: string): never => {
      storeOf(name);
      throw answerError("containers are granted by the manifest and cannot be deleted");
    },
    containerExists: (name: string): boolean => state.transaction !== undefined && grant.has(name),
    copyObject: mayWait((from: ObjectId, to: ObjectId) => state.answer(() => copy(from, to))),
    moveObject: mayWait((from: ObjectId, to: ObjectId) =>
      state.answer(async () => {
        await copy(from, to);
        if (from.container === to.container && from.object === to.object) return;
        await storeOf(from.container).delete([from.object]);
      }),
    ),
  };
  return {
    imports: {
      ...waitingIo,
      "wasi:blobstore/blobstore@0.2.0-draft": blobstore,
      "wasi:blobstore/container@0.2.0-draft": { __proto__: null, Container: ContainerFace, StreamObjectNames: NamesFace },
      "wasi:blobstore/types@0.2.0-draft": { __proto__: null, OutgoingValue: OutgoingFace, IncomingValue: IncomingFace },
    },
    prepare(transaction) {
      state.transaction = transaction;
      state.leftBytes = LARGEST_SPOOLED_BYTES;
    },
    finish: () => state.end(),
  };
}

/** Containers that a component was granted. */
export const blobstoreCapability: Capability<BlobGrant> = {
  name: "blobs",
  packages: ["wasi:blobstore"],
  configure: (grant) => () => bind(grant),
};
