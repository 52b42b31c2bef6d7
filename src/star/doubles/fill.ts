// Puts what a test gives into its stores.

import { StarlaneError } from "../../base/errors.ts";
import type { Filesystem, OpenDirectory } from "../../capabilities/filesystem/filesystem.ts";
import type { BlobStore } from "../../capabilities/blobstore/blobstore.ts";
import type { KeyValueStore } from "../../capabilities/keyvalue/keyvalue.ts";
import type { SqlDatabase } from "../../capabilities/sql/sql.ts";
import type { GivenBytes, GivenDatabase, GivenFile, GivenStore } from "../../manifest/given.ts";
import { placeOf } from "../../base/diagnostics.ts";

export function bytesOf(given: GivenBytes): Uint8Array {
  return given.kind === "text" ? new TextEncoder().encode(given.text) : Uint8Array.fromBase64(given.base64);
}

export async function fillKeyValue(store: KeyValueStore, { entries }: GivenStore): Promise<void> {
  for (const { key, value } of entries) await store.set(key, bytesOf(value));
}

export async function fillBlobs(store: BlobStore, { entries }: GivenStore): Promise<void> {
  for (const { key, value } of entries) await store.write(key, one(bytesOf(value)));
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** @throws StarlaneError of the first statement that fails, with its place */
export async function fillSql(database: SqlDatabase, { statements }: GivenDatabase): Promise<void> {
  const session = database.session();
  for (const { text, span } of statements) {
    try {
      await session.execute(text, []);
    } catch (error) {
      await session.end("rollback");
      if (!(error instanceof StarlaneError)) throw error;
      throw new StarlaneError(error.code, `a statement of \`given.sql\` failed: ${error.message}`, {
        at: placeOf(span),
        cause: error,
      });
    }
  }
  await session.end("commit");
}

export async function fillFiles({ root }: Filesystem, path: string, { value }: GivenFile): Promise<void> {
  const names = path.split("/");
  const name = names.pop() ?? "";
  const folder = await folderAt(root, names);
  const file = await folder.open(name, {
    read: false,
    write: true,
    create: true,
    exclusive: false,
    truncate: true,
    directory: false,
  });
  if (file.kind === "file") await file.write(bytesOf(value), 0);
  await file.close();
}

/** The folder of these names, made where it is not there. */
async function folderAt(root: OpenDirectory, names: readonly string[]): Promise<OpenDirectory> {
  let folder = root;
  for (const name of names) {
    const there = (await folder.entries()).some((entry) => entry.name === name);
    if (!there) await folder.createDirectory(name);
    const next = await folder.open(name, {
      read: true,
      write: false,
      create: false,
      exclusive: false,
      truncate: false,
      directory: true,
    });
    if (next.kind === "directory") folder = next;
  }
  return folder;
}
