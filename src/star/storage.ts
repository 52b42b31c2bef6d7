// The kinds of storage that grants bind names to: what reads their addresses, and what serves them to components. Each is loaded only
// where an app has it.

import type { Capability } from "../capabilities/capability.ts";
import type { ResourceKind } from "../manifest/manifest.ts";
import type { Opened } from "./resources.ts";

export type StorageKind = Exclude<ResourceKind, "files">;

export const STORAGE_KINDS = ["keyvalue", "blobs", "messaging", "sql"] as const satisfies readonly StorageKind[];

/** Resources by the names that a component knows them by. */
type StorageGrant<K extends StorageKind> = ReadonlyMap<string, Opened[K]>;

interface StorageLoader<K extends StorageKind> {
  /** @throws StarlaneError `resource/bad-address` (what it gives does) */
  address(): Promise<(text: string) => unknown>;
  capability(): Promise<Capability<StorageGrant<K>>>;
}

export const STORAGE: { readonly [K in StorageKind]: StorageLoader<K> } = {
  keyvalue: {
    address: async () => (await import("../capabilities/keyvalue/keyvalue.ts")).parseKeyValueAddress,
    capability: async () => (await import("../capabilities/keyvalue/wasi.ts")).keyValueCapability,
  },
  blobs: {
    address: async () => (await import("../capabilities/blobstore/blobstore.ts")).parseBlobStoreAddress,
    capability: async () => (await import("../capabilities/blobstore/wasi.ts")).blobstoreCapability,
  },
  messaging: {
    address: async () => (await import("../capabilities/messaging/messaging.ts")).parseMessagingAddress,
    capability: async () => (await import("../capabilities/messaging/wasi.ts")).messagingCapability,
  },
  sql: {
    address: async () => (await import("../capabilities/sql/sql.ts")).parseSqlAddress,
    capability: async () => (await import("../capabilities/sql/wasi.ts")).sqlCapability,
  },
};

/** What stands before the storage of a test. */
export type StorageDoubles = {
  readonly [K in StorageKind]: (name: string, resource: Opened[K]) => Promise<Opened[K]>;
};
