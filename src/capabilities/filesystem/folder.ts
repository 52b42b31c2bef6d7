// A real folder as a filesystem: each operation is on one name of a directory that is held (see `anchors.ts`). Links are never
// followed; only regular files and directories are opened, never devices, sockets or pipes.

import * as fs from "node:fs";
import { join } from "node:path";
import { StarlaneError } from "../../base/errors.ts";
import { type Anchor, anchorAt } from "./anchors.ts";
import {
  FileError,
  MOST_ENTRIES,
  type DirectoryEntry,
  type FileErrorCode,
  type Filesystem,
  type FileStat,
  type NewTimes,
  type OpenDirectory,
  type OpenFile,
  type OpenHow,
} from "./filesystem.ts";
import {
  call,
  type Callback,
  Fd,
  fileError,
  fstat,
  identityOf,
  lstat,
  open,
  SAFELY,
  seconds,
  setTimesOf,
  statOf,
  typeOf,
} from "./system-files.ts";

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = fs.constants;

class FolderFile implements OpenFile {
  readonly kind = "file";
  readonly #fd: Fd;
  /** Opened for writing at the end, when that is first asked for. */
  #appending: Promise<Fd> | undefined;
  readonly #isAnchored: boolean;

  constructor(fd: number, isAnchored: boolean) {
    this.#fd = new Fd(fd);
    this.#isAnchored = isAnchored;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(length);
    return this.#fd.use(async (fd) => {
      const count = await call<number>((done) => fs.read(fd, buffer, 0, length, offset, done));
      return buffer.subarray(0, count);
    });
  }

  async write(bytes: Uint8Array, offset: number | "end"): Promise<void> {
    if (offset !== "end") return this.#fd.use((fd) => writeAll(fd, bytes, offset));
    if (!this.#isAnchored) {
      return this.#fd.use(async (fd) => writeAll(fd, bytes, Number((await fstat(fd)).size)));
    }
    const appending = await (this.#appending ??= this.#openForAppending());
    return appending.use((fd) => writeAll(fd, bytes, null));
  }

  #openForAppending(): Promise<Fd> {
    return this.#fd.use(async (fd) => new Fd(await open(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND)));
  }

  setSize(size: number): Promise<void> {
    return this.#fd.use((fd) => call((done) => fs.ftruncate(fd, size, done)));
  }

  stat(): Promise<FileStat> {
    return this.#fd.use(async (fd) => statOf(await fstat(fd)));
  }

  setTimes(times: NewTimes): Promise<void> {
    return this.#fd.use((fd) => setTimesOf(fd, times));
  }

  sync(): Promise<void> {
    return this.#fd.use((fd) => call((done) => fs.fsync(fd, done)));
  }

  syncData(): Promise<void> {
    return this.#fd.use((fd) => call((done) => fs.fdatasync(fd, done)));
  }

  async close(): Promise<void> {
    await this.#fd.close();
    const appending = await this.#appending?.catch(() => undefined);
    await appending?.close();
  }
}

async function writeAll(fd: number, bytes: Uint8Array, offset: number | null): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const at = offset === null ? null : offset + done;
    done += await call<number>((after) => fs.write(fd, bytes, done, bytes.length - done, at, after));
  }
}

class FolderDirectory implements OpenDirectory {
  readonly kind = "directory";
  /** One for all folders: the system itself says what cannot be linked or renamed between. */
  readonly filesystem = FolderDirectory;
  readonly #anchor: Anchor;

  constructor(anchor: Anchor) {
    this.#anchor = anchor;
  }

  /** Somebody else may make or remove the name between looking and opening: then it is looked at again. */
  async open(name: string, how: OpenHow): Promise<OpenFile | OpenDirectory> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#tryOpen(name, how);
      } catch (error) {
        const isRace = error instanceof FileError && error.code === "exist" && !how.exclusive;
        if (!isRace || attempt === 3) throw error;
      }
    }
  }

  #tryOpen(name: string, how: OpenHow): Promise<OpenFile | OpenDirectory> {
    return this.#at(name, async (path) => {
      const before = await lstat(path).catch((error: unknown) => {
        if (error instanceof FileError && error.code === "no-entry" && how.create) return undefined;
        throw error;
      });
      if (before === undefined) return this.#openFile(path, accessOf(how) | O_CREAT | O_EXCL, undefined);
      if (how.create && how.exclusive) throw new FileError("exist");
      if (before.isSymbolicLink()) throw new FileError("loop");
      if (before.isDirectory()) {
        if (how.write) throw new FileError("is-directory");
        return new FolderDirectory(await this.#anchor.enter(name, before));
      }
      if (how.directory) throw new FileError("not-directory");
      if (!before.isFile()) throw new FileError("access");
      return this.#openFile(path, accessOf(how) | (how.truncate ? O_TRUNC : 0), before);
    });
  }

  async #openFile(path: string, flags: number, expected: fs.BigIntStats | undefined): Promise<OpenFile> {
    const fd = await open(path, flags | SAFELY, 0o666);
    const file = new FolderFile(fd, this.#anchor.isAnchored);
    try {
      const stats = await fstat(fd);
      if (!stats.isFile()) throw new FileError("access");
      if (!this.#anchor.isAnchored) {
        if (expected !== undefined && identityOf(stats) !== identityOf(expected)) throw new FileError("access");
        await this.#anchor.stat();
      }
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #at<T>(name: string, work: (path: string) => Promise<T>): Promise<T> {
    checkName(name);
    return this.#anchor.use((path) => work(this.#anchor.isAnchored ? `${path}/${name}` : join(path, name)));
  }

  /** Two names, each in its own directory. */
  #both(
    name: string,
    to: OpenDirectory,
    newName: string,
    work: (from: string, to: string, done: Callback<void>) => void,
  ): Promise<void> {
    if (!(to instanceof FolderDirectory)) throw new FileError("cross-device");
    return this.#at(name, (from) => to.#at(newName, (there) => call((done) => work(from, there, done))));
  }

  async reopen(): Promise<OpenDirectory> {
    return new FolderDirectory(await this.#anchor.reopen());
  }

  async stat(): Promise<FileStat> {
    return statOf(await this.#anchor.stat());
  }

  statAt(name: string): Promise<FileStat> {
    return this.#at(name, async (path) => statOf(await lstat(path)));
  }

  readLink(name: string): Promise<string> {
    return this.#at(name, async (path) => {
      const bytes = await call<Buffer>((done) => fs.readlink(path, "buffer", done));
      return textOf(bytes) ?? fail("illegal-byte-sequence");
    });
  }

  entries(): Promise<readonly DirectoryEntry[]> {
    return this.#anchor.use(async (path) => {
      const entries: DirectoryEntry[] = [];
      try {
        const listing = await fs.promises.opendir(path, { encoding: "buffer" as BufferEncoding, bufferSize: 256 });
        for await (const entry of listing as AsyncIterable<fs.Dirent<string> | fs.Dirent<Buffer>>) {
          const name = typeof entry.name === "string" ? entry.name : textOf(entry.name);
          if (name === undefined) continue;
          if (entries.length >= MOST_ENTRIES) throw new FileError("overflow");
          entries.push({ name, type: typeOf(entry as fs.Dirent<Buffer>) });
        }
      } catch (error) {
        throw fileError(error);
      }
      return entries;
    });
  }

  createDirectory(name: string): Promise<void> {
    return this.#at(name, (path) => call((done) => fs.mkdir(path, done)));
  }

  removeDirectory(name: string): Promise<void> {
    return this.#at(name, (path) => call((done) => fs.rmdir(path, done)));
  }

  async removeFile(name: string): Promise<void> {
    await this.#at(name, async (path) => {
      // Not every system says so itself.
      if (!this.#anchor.isAnchored && (await lstat(path)).isDirectory()) throw new FileError("is-directory");
      await call((done) => fs.unlink(path, done));
    });
  }

  rename(name: string, to: OpenDirectory, newName: string): Promise<void> {
    return this.#both(name, to, newName, (from, there, done) => fs.rename(from, there, done));
  }

  async link(name: string, to: OpenDirectory, newName: string): Promise<void> {
    const { type } = await this.statAt(name);
    if (type === "directory") throw new FileError("not-permitted");
    // Only Linux is sure to link the link, and not what it leads to.
    if (type === "symbolic-link" && !this.#anchor.isAnchored) throw new FileError("unsupported");
    return this.#both(name, to, newName, (from, there, done) => fs.link(from, there, done));
  }

  createLink(target: string, name: string): Promise<void> {
    return this.#at(name, (path) => call((done) => fs.symlink(target, path, done)));
  }

  setTimes(times: NewTimes): Promise<void> {
    return this.#anchor.setTimes(times);
  }

  setTimesAt(name: string, { access, modification }: NewTimes): Promise<void> {
    return this.#at(name, async (path) => {
      const { atimeNs, mtimeNs } = await lstat(path);
      await call((done) => fs.lutimes(path, seconds(access, atimeNs), seconds(modification, mtimeNs), done));
    });
  }

  sync(): Promise<void> {
    return this.#anchor.sync();
  }

  close(): Promise<void> {
    return this.#anchor.close();
  }
}

function accessOf({ read, write }: OpenHow): number {
  if (!write) return O_RDONLY;
  return read ? O_RDWR : O_WRONLY;
}

/** The last line of defence: the walk gives no such names. */
function checkName(name: string): void {
  const isPath = name === "" || name === "." || name === ".." || /[/\0]/.test(name);
  if (isPath || (process.platform === "win32" && /[\\:]/.test(name))) throw new FileError("not-permitted");
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function fail(code: FileErrorCode): never {
  throw new FileError(code);
}

export interface FolderOptions {
  /** Whether directories are used through `/proc/self/fd`: where that works, if left out. */
  readonly anchored?: boolean | undefined;
}

/** A folder that stays open until it is closed. */
export interface Folder extends Filesystem {
  close(): Promise<void>;
}

/**
 * Opens a folder of the host; `path` may go through links, since it is not a guest's.
 * @throws StarlaneError `grant/bad-value` where it is no folder that can be opened
 */
export async function openFolder(path: string, options: FolderOptions = {}): Promise<Folder> {
  try {
    const real = await call<string>((done) => fs.realpath.native(path, done));
    const root = new FolderDirectory(await anchorAt(real, options.anchored));
    return { waits: true, root, close: () => root.close() };
  } catch (error) {
    const { code } = fileError(error);
    const reason = code === "no-entry" ? "it is not there" : code === "not-directory" ? "it is no folder" : code;
    throw new StarlaneError("grant/bad-value", `${path} cannot be granted: ${reason}`, {
      cure: "Name a folder that exists and can be read.",
    });
  }
}
