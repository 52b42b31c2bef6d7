// `wasi:keyvalue` (store, atomics, batch) over the stores that a component was granted, in both drafts that are in use: the first
// has numbers as cursors and no compare-and-swap. Without a grant of that name a bucket does not exist.

import { then, type Maybe } from "../../engine/async/maybe.ts";
import type { Binding, Capability } from "../capability.ts";
import { mayWait } from "../../engine/may-wait.ts";
import { answerError, bytesOf, guestInterface, madeByHost } from "../guest.ts";
import { deniedName } from "../denial.ts";
import { answering, type Session } from "../resources/answering.ts";
import { overLimit, rejected } from "../resources/resource.ts";
import { type Entry, type KeyValueStore, LARGEST_PAGE_KEYS } from "./keyvalue.ts";

/** The stores by the names of their buckets. */
export type KeyValueGrant = ReadonlyMap<string, KeyValueStore>;

export type KeyValueDraft = "draft" | "draft2";

/** What a watcher is given is made by the binding of the guest that watches. */
export interface KeyValueBinding extends Binding {
  /** A bucket for the guest, as `watcher` takes it; undefined where it is not granted. */
  bucket(name: string, draft: KeyValueDraft): object | undefined;
}

const S64_MAX = 2n ** 63n - 1n;
/** Cursors that one bucket of the first draft remembers. */
const LARGEST_CURSORS = 10_000;

const other = (text: string): unknown => ({ tag: "other", val: text });

let insideOf: (bucket: Bucket) => { readonly session: Session; readonly store: KeyValueStore };

class Bucket {
  readonly #session: Session;
  readonly #store: KeyValueStore;
  /** The cursors that a bucket of the first draft gave out, where the guest holds their place, counted from 1. */
  readonly #cursors: string[] | undefined;

  static {
    insideOf = (bucket) => ({ session: bucket.#session, store: bucket.#store });
  }

  constructor(session: Session, store: KeyValueStore, draft: KeyValueDraft) {
    this.#session = session;
    this.#store = store;
    this.#cursors = draft === "draft" ? [] : undefined;
  }

  get(key: string): Maybe<Uint8Array | undefined> {
    return answering(this.#session, () => this.#store.get(key), other);
  }

  set(key: string, value: Uint8Array): Maybe<void> {
    return answering(this.#session, () => this.#store.set(key, bytesOf(value)), other);
  }

  delete(key: string): Maybe<void> {
    return answering(this.#session, () => this.#store.delete(key), other);
  }

  exists(key: string): Maybe<boolean> {
    return answering(this.#session, () => this.#store.exists(key), other);
  }

  listKeys(cursor: string | bigint | undefined): Maybe<unknown> {
    const page = (): Maybe<unknown> =>
      then(this.#store.keys(this.#cursorAt(cursor), LARGEST_PAGE_KEYS), ({ keys, cursor: next }) => ({
        keys,
        cursor: next === undefined ? undefined : this.#cursorFor(next),
      }));
    return answering(this.#session, page, other);
  }

  #cursorAt(cursor: string | bigint | undefined): string | undefined {
    if (typeof cursor !== "bigint") return cursor;
    const found = this.#cursors?.[Number(cursor) - 1];
    if (found === undefined) throw rejected("the cursor was not given out by this bucket");
    return found;
  }

  #cursorFor(cursor: string): string | bigint {
    if (this.#cursors === undefined) return cursor;
    if (this.#cursors.length >= LARGEST_CURSORS) throw overLimit("a bucket was listed too often", LARGEST_CURSORS);
    return BigInt(this.#cursors.push(cursor));
  }
}

let partsOf: (cas: Cas) => { readonly bucket: Bucket; readonly key: string; readonly version: string };

/** A value as it was read, to be swapped where it is still the same. */
class Cas {
  readonly #bucket: Bucket;
  readonly #key: string;
  readonly #value: Uint8Array | undefined;
  readonly #version: string;

  static {
    partsOf = (cas) => ({ bucket: cas.#bucket, key: cas.#key, version: cas.#version });
  }

  constructor(bucket: Bucket, key: string, value: Uint8Array | undefined, version: string) {
    this.#bucket = bucket;
    this.#key = key;
    this.#value = value;
    this.#version = version;
  }

  static new(bucket: Bucket, key: string): Maybe<Cas> {
    const { session, store } = insideOf(bucket);
    return answering(session, () => readCas(store, bucket, key), other);
  }

  current(): Uint8Array | undefined {
    return this.#value;
  }
}

function readCas(store: KeyValueStore, bucket: Bucket, key: string): Maybe<Cas> {
  return then(store.read(key), ({ value, version }) => new Cas(bucket, key, value, version));
}

function swap(cas: Cas, value: Uint8Array): Maybe<void> {
  const { bucket, key, version } = partsOf(cas);
  const { session, store } = insideOf(bucket);
  return answering(
    session,
    () =>
      then(store.swap(key, version, bytesOf(value)), (swapped) => {
        if (swapped) return undefined;
        return then(readCas(store, bucket, key), (fresh) => {
          throw answerError({ tag: "cas-failed", val: fresh });
        });
      }),
    (text) => ({ tag: "store-error", val: other(text) }),
  );
}

function increment(bucket: Bucket, key: string, delta: bigint): Maybe<bigint> {
  const { session, store } = insideOf(bucket);
  return answering(session, () => store.increment(key, delta), other);
}

/** Of the first draft, where numbers have no sign. */
function incrementUnsigned(bucket: Bucket, key: string, delta: bigint): Maybe<bigint> {
  const { session, store } = insideOf(bucket);
  return answering(
    session,
    () => {
      if (delta > S64_MAX) throw overLimit("an increment is too large", Number(S64_MAX));
      return then(store.increment(key, delta), (sum) => {
        if (sum < 0n) throw rejected("the value is negative");
        return sum;
      });
    },
    other,
  );
}

const batch = {
  getMany: (bucket: Bucket, keys: readonly string[]): Maybe<unknown> => {
    const { session, store } = insideOf(bucket);
    const paired = (values: readonly (Uint8Array | undefined)[]): unknown =>
      values.map((value, i) => (value === undefined ? undefined : [keys[i], value]));
    return answering(session, () => then(store.getMany(keys), paired), other);
  },
  setMany: (bucket: Bucket, entries: readonly Entry[]): Maybe<void> => {
    const { session, store } = insideOf(bucket);
    return answering(session, () => store.setMany(entries), other);
  },
  deleteMany: (bucket: Bucket, keys: readonly string[]): Maybe<void> => {
    const { session, store } = insideOf(bucket);
    return answering(session, () => store.deleteMany(keys), other);
  },
};

/** The interfaces that know no binding: for stores that all answer at once, and for those that may wait. */
function sharedInterfaces(waits: boolean) {
  const marked = <F extends (...args: never[]) => unknown>(f: F): F => (waits ? mayWait(wrapped(f)) : f);
  const cas = madeByHost(Cas);
  Object.defineProperty(cas, "new", { value: marked(Cas.new), enumerable: true });
  return {
    Bucket: madeByHost(Bucket, waits ? ["get", "set", "delete", "exists", "listKeys"] : []),
    atomics: guestInterface({ increment: marked(increment), swap: marked(swap), Cas: cas }),
    draftAtomics: guestInterface({ increment: marked(incrementUnsigned) }),
    batch: guestInterface({
      getMany: marked(batch.getMany),
      setMany: marked(batch.setMany),
      deleteMany: marked(batch.deleteMany),
    }),
  };
}

/** A function of its own, since marks stay with functions. */
function wrapped<F extends (...args: never[]) => unknown>(f: F): F {
  return ((...args: never[]) => f(...args)) as F;
}

const shared = { waits: sharedInterfaces(true), immediate: sharedInterfaces(false) };

function configure(grant: KeyValueGrant): () => KeyValueBinding {
  const isImmediate = [...grant.values()].every((store) => store.immediate);
  const { Bucket: BucketFace, atomics, draftAtomics, batch: batchInterface } = shared[isImmediate ? "immediate" : "waits"];
  return () => {
    const session: Session = { transaction: undefined };
    const opener =
      (draft: KeyValueDraft) =>
      (name: string): Bucket => {
        if (session.transaction === undefined) throw answerError({ tag: "access-denied" });
        const store = grant.get(name);
        if (store === undefined) {
          session.transaction.denied?.(deniedName("bucket", name, "keyvalue"));
          throw answerError({ tag: "no-such-store" });
        }
        return new Bucket(session, store, draft);
      };
    return {
      imports: {
        "wasi:keyvalue/store@0.2.0-draft": { __proto__: null, open: opener("draft"), Bucket: BucketFace },
        "wasi:keyvalue/atomics@0.2.0-draft": draftAtomics,
        "wasi:keyvalue/batch@0.2.0-draft": batchInterface,
        "wasi:keyvalue/store@0.2.0-draft2": { __proto__: null, open: opener("draft2"), Bucket: BucketFace },
        "wasi:keyvalue/atomics@0.2.0-draft2": atomics,
        "wasi:keyvalue/batch@0.2.0-draft2": batchInterface,
      },
      prepare(transaction) {
        session.transaction = transaction;
      },
      bucket(name, draft) {
        const store = grant.get(name);
        return store === undefined ? undefined : new Bucket(session, store, draft);
      },
    };
  };
}

/** Key-value stores that a component was granted. */
export const keyValueCapability = {
  name: "keyvalue",
  packages: ["wasi:keyvalue"],
  configure,
} satisfies Capability<KeyValueGrant>;
