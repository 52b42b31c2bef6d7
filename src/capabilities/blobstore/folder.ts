// A blob store in a folder: an object is a file, `/` in its name makes folders. Names that files cannot have are escaped, so nothing
// leads out; symbolic links are not followed. An object is written beside the others and put in its place at once.

import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { overLimit, reaching, rejected } from "../resources/resource.ts";
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

const RESOURCE = "the blob store in a folder";
const CHUNK_BYTES = 1 << 16;
const LARGEST_NAMES = 200_000;
const LARGEST_DEPTH = 64;
const LARGEST_FILE_NAME_BYTES = 255;
/** Of files that are being written. */
const UNFINISHED = ".starlane-";

/** `path`: relative to the manifest's folder. The folder is made where it is missing. @throws StarlaneError `resource/unavailable` (rejects) */
export async function folderBlobs(path: string, folder: string): Promise<BlobStore> {
  const root = resolve(folder, path);
  await reaching(RESOURCE, () => mkdir(root, { recursive: true }));
  return new FolderBlobs(root);
}

class FolderBlobs implements BlobStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async createdMs(): Promise<number> {
    return (await reaching(RESOURCE, () => stat(this.#root))).birthtimeMs;
  }

  async info(name: string): Promise<BlobInfo | undefined> {
    const file = await this.#find(name);
    if (file === undefined) return undefined;
    const found = await reaching(RESOURCE, () => lstat(file).catch(absent));
    return found?.isFile() === true ? { sizeBytes: found.size, createdMs: found.mtimeMs } : undefined;
  }

  async read(name: string, start: number, end: number): Promise<BlobBody | undefined> {
    const file = await this.#find(name);
    if (file === undefined) return undefined;
    return await reaching(RESOURCE, async () => {
      const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(absent);
      if (handle === undefined) return undefined;
      const found = await handle.stat();
      if (!found.isFile()) {
        await handle.close();
        return undefined;
      }
      const range = rangeOf(found.size, start, end);
      return { sizeBytes: range.end - range.start, bytes: new FileRange(handle, range.start, range.end) };
    });
  }

  async write(name: string, bytes: BlobBytes, signal?: AbortSignal): Promise<void> {
    checkName(name);
    const target = fileOf(this.#root, name);
    const unfinished = join(this.#root, `${UNFINISHED}${crypto.randomUUID()}`);
    const handle = await reaching(RESOURCE, () => open(unfinished, "wx"));
    try {
      for await (const part of bytes) {
        signal?.throwIfAborted();
        await reaching(RESOURCE, () => handle.writeFile(part));
      }
      await reaching(RESOURCE, () => handle.sync());
      await handle.close();
      await this.#put(unfinished, target);
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async list(cursor: string | undefined, limit: number): Promise<NamePage> {
    const names: string[] = [];
    await reaching(RESOURCE, () => this.#collect("", 0, names));
    return pageOf(names, cursor, limit);
  }

  async delete(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const file = await this.#find(name);
      if (file === undefined || (await this.info(name)) === undefined) continue;
      await reaching(RESOURCE, () => rm(file, { force: true }));
    }
  }

  close(): void {}

  /** The file of an object, where no folder on the way is a symbolic link; undefined where it cannot be there. */
  async #find(name: string): Promise<string | undefined> {
    checkName(name);
    const file = fileOf(this.#root, name);
    return (await this.#isInside(dirname(file))) ? file : undefined;
  }

  async #isInside(folder: string): Promise<boolean> {
    for (let at = folder; at !== this.#root; at = dirname(at)) {
      const found = await reaching(RESOURCE, () => lstat(at).catch(absent));
      if (found?.isDirectory() !== true) return false;
    }
    return true;
  }

  async #put(unfinished: string, target: string): Promise<void> {
    try {
      await mkdir(dirname(target), { recursive: true });
      if (!(await this.#isInside(dirname(target)))) throw rejected("a part of the object's name is no folder here");
      await rename(unfinished, target);
    } catch (error) {
      if (isError(error, "EISDIR", "ENOTDIR", "EEXIST", "ENOTEMPTY")) {
        throw rejected("in a folder, no object can be named like the beginning of another one's name before a /", error);
      }
      await reaching(RESOURCE, () => Promise.reject(error));
    }
  }

  async #collect(under: string, depth: number, names: string[]): Promise<void> {
    if (depth > LARGEST_DEPTH) return;
    for (const entry of await readdir(join(this.#root, under), { withFileTypes: true })) {
      const path = under === "" ? entry.name : `${under}${sep}${entry.name}`;
      if (entry.isDirectory()) await this.#collect(path, depth + 1, names);
      if (!entry.isFile() || entry.name.startsWith(UNFINISHED)) continue;
      const name = nameOf(path);
      // Only what an object of that name would be written to.
      if (name !== undefined) names.push(name);
      if (names.length > LARGEST_NAMES) throw overLimit("the folder has too many objects to list them", LARGEST_NAMES);
    }
  }
}

/** A part of a file, closed when it was read, or when the reader stops. */
class FileRange implements AsyncIterable<Uint8Array> {
  readonly #handle: FileHandle;
  #at: number;
  readonly #end: number;

  constructor(handle: FileHandle, start: number, end: number) {
    this.#handle = handle;
    this.#at = start;
    this.#end = end;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const finish = async (): Promise<IteratorReturnResult<undefined>> => {
      await this.#handle.close();
      return { done: true, value: undefined };
    };
    return { next: async () => (await this.#next()) ?? (await finish()), return: finish };
  }

  async #next(): Promise<IteratorYieldResult<Uint8Array> | undefined> {
    const wanted = Math.min(CHUNK_BYTES, this.#end - this.#at);
    if (wanted === 0) return undefined;
    const { bytesRead, buffer } = await reaching(RESOURCE, () => this.#handle.read(new Uint8Array(wanted), 0, wanted, this.#at));
    if (bytesRead === 0) return undefined;
    this.#at += bytesRead;
    return { done: false, value: buffer.subarray(0, bytesRead) };
  }
}

const SAFE_IN_FILE_NAMES = /[A-Za-z0-9_\-.,+=@ ()!\u0080-\u{10FFFF}]/u;

/** Where an object lies. @throws StarlaneError `resource/limit`, `resource/rejected` */
function fileOf(root: string, name: string): string {
  const parts = name.split("/").map(escapePart);
  if (parts.length > LARGEST_DEPTH) throw overLimit("the name of an object has too many parts", LARGEST_DEPTH);
  if (parts.some((part) => Buffer.byteLength(part) > LARGEST_FILE_NAME_BYTES)) {
    throw overLimit("a part of an object's name is too long for a folder", LARGEST_FILE_NAME_BYTES);
  }
  return join(root, ...parts);
}

/** `..`, empty parts and what is special to some file system, with % and hexadecimal digits. */
function escapePart(part: string): string {
  if (part === "") return "%";
  const escaped = Array.from(part, (char) => (SAFE_IN_FILE_NAMES.test(char) ? char : escapeChar(char))).join("");
  const isSpecial = /^\.+$/.test(escaped) || escaped.startsWith(UNFINISHED);
  const start = isSpecial ? escapeChar(".") + escaped.slice(1) : escaped;
  return /[. ]$/.test(start) ? start.slice(0, -1) + escapeChar(start.slice(-1)) : start;
}

function escapeChar(char: string): string {
  return Array.from(new TextEncoder().encode(char), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

function nameOf(path: string): string | undefined {
  try {
    const parts = path.split(sep);
    const names = parts.map((part) => (part === "%" ? "" : decodeURIComponent(part)));
    return names.every((name, i) => escapePart(name) === parts[i]) ? names.join("/") : undefined;
  } catch {
    return undefined;
  }
}

function absent(error: unknown): undefined {
  if (isError(error, "ENOENT", "ENOTDIR", "ELOOP")) return undefined;
  throw error;
}

function isError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}
