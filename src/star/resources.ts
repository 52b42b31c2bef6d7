// The resources of one app: real things outside that grants are bound to. Each is opened once, when a component that was granted it is
// made ready to run, and closed with the app. Where tests run, storage is in memory instead.

import { resolve } from "node:path";
import { DiagnosticsError } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";
import type { BlobStore } from "../capabilities/blobstore/blobstore.ts";
import type { Filesystem } from "../capabilities/filesystem/filesystem.ts";
import type { ClosableHttpClient } from "../capabilities/http/undici-client.ts";
import type { KeyValueStore } from "../capabilities/keyvalue/keyvalue.ts";
import type { MessageBroker } from "../capabilities/messaging/messaging.ts";
import type { SqlDatabase } from "../capabilities/sql/sql.ts";
import type { ResourceDeclaration, ResourceKind } from "../manifest/manifest.ts";

/** What a resource of each kind is. */
export interface Opened {
  readonly keyvalue: KeyValueStore;
  readonly blobs: BlobStore;
  readonly messaging: MessageBroker;
  readonly sql: SqlDatabase;
  readonly files: Filesystem;
}

type Closable = { close?(): unknown } | { [Symbol.asyncDispose]?(): unknown };

export interface ResourceSettings {
  /** The manifest's folder. */
  readonly folder: string;
  /** Storage in memory, empty, whatever the addresses say. */
  readonly inMemory?: boolean | undefined;
  /** Milliseconds since 1970, for what expires. */
  readonly now?: (() => number) | undefined;
}

export class Resources {
  readonly #declarations: ReadonlyMap<string, ResourceDeclaration>;
  readonly #settings: ResourceSettings;
  readonly #opened = new Map<string, Promise<unknown>>();
  #http: Promise<ClosableHttpClient> | undefined;

  constructor(declarations: readonly ResourceDeclaration[], settings: ResourceSettings) {
    this.#declarations = new Map(declarations.map((declaration) => [declaration.name, declaration]));
    this.#settings = settings;
  }

  /** @throws StarlaneError `resource/…`, `grant/bad-value` (rejects) */
  async open<K extends ResourceKind>(kind: K, name: string): Promise<Opened[K]> {
    const declaration = this.#declarations.get(name);
    if (declaration?.kind !== kind) throw new StarlaneError("starlane/internal", `no resource ${name} of the kind ${kind}`);
    let opened = this.#opened.get(name);
    if (opened === undefined)
      this.#opened.set(name, (opened = this.#open(declaration).catch((error: unknown) => fail(declaration, error))));
    return (await opened) as Opened[K];
  }

  /** What sends requests for all components of the app. */
  async http(): Promise<ClosableHttpClient> {
    this.#http ??= import("../capabilities/http/undici-client.ts").then(({ undiciClient }) => undiciClient());
    return await this.#http;
  }

  async close(): Promise<void> {
    const all = await Promise.allSettled([...this.#opened.values(), this.#http]);
    await Promise.allSettled(
      all.map(async (one) => (one.status === "fulfilled" ? await close(one.value as Closable | undefined) : undefined)),
    );
  }

  async #open({ kind, address, migrations, expireMs }: ResourceDeclaration): Promise<unknown> {
    const { folder, inMemory, now } = this.#settings;
    const settings = { folder, now, environment: (name: string): string | undefined => process.env[name] };
    const place = inMemory === true ? "memory:" : address;
    switch (kind) {
      case "keyvalue":
        return await (
          await import("../capabilities/keyvalue/open.ts")
        ).openKeyValue(place, { ...settings, expireAfterMs: expireMs });
      case "blobs":
        return await (await import("../capabilities/blobstore/open.ts")).openBlobStore(place, settings);
      case "messaging":
        return await (await import("../capabilities/messaging/open.ts")).openMessaging(place, settings);
      case "sql":
        return await (await import("../capabilities/sql/open.ts")).openSql(place, { ...settings, migrations });
      case "files":
        if (place === "memory:") return (await import("../capabilities/filesystem/memory.ts")).memoryFilesystem();
        return await (await import("../capabilities/filesystem/folder.ts")).openFolder(resolve(folder, address));
    }
  }
}

/** What is wrong with a resource is shown where its address stands. */
function fail({ name, addressSpan, migrationsSpan }: ResourceDeclaration, error: unknown): never {
  if (!(error instanceof StarlaneError) || addressSpan.source.text === "") throw error;
  const span = (error.code === "resource/migration" ? migrationsSpan : undefined) ?? addressSpan;
  const { code, message, cure } = error;
  throw new DiagnosticsError([{ code, severity: "error", message: `the resource \`${name}\`: ${message}`, span, cure }]);
}

async function close(resource: Closable | undefined): Promise<void> {
  if (resource === undefined) return;
  if ("close" in resource) await resource.close?.();
  else if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]?.();
}
