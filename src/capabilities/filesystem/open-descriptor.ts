// A descriptor of `wasi:filesystem`, the same for 0.2 and 0.3: what may be done with it by its flags, on one open file or directory.
// A read-only grant has no flag to write with, and no descriptor opened from it can get one.

import { later, type Steps } from "../steps.ts";
import {
  FileError,
  type DirectoryEntry,
  type FileStat,
  type FileType,
  type NewTimes,
  type OpenDirectory,
  type OpenFile,
  type OpenHow,
} from "./filesystem.ts";
import { LeadsOutside, Walk, type Place } from "./resolve.ts";
import type { Scope, Shared } from "./scope.ts";

/** `descriptor-flags`. */
export interface DescriptorFlags {
  readonly read: boolean;
  readonly write: boolean;
  readonly fileIntegritySync: boolean;
  readonly dataIntegritySync: boolean;
  readonly requestedWriteSync: boolean;
  readonly mutateDirectory: boolean;
}

/** `open-flags`. */
export interface OpenFlags {
  readonly create: boolean;
  readonly directory: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
}

/** `path-flags`. */
export interface PathFlags {
  readonly symlinkFollow: boolean;
}

const LARGEST_OFFSET = BigInt(Number.MAX_SAFE_INTEGER);
const LARGEST_SIGNED = 2n ** 63n - 1n;
const LARGEST_READ = 1 << 20;

/** An offset or size to write with, as a number. @throws FileError */
export function offsetOf(offset: bigint): number {
  if (offset > LARGEST_SIGNED) throw new FileError("invalid");
  if (offset > LARGEST_OFFSET) throw new FileError("file-too-large");
  return Number(offset);
}

/** An offset to read from: what is further than any file is where there is nothing. @throws FileError */
export function readOffsetOf(offset: bigint): number {
  if (offset > LARGEST_SIGNED) throw new FileError("invalid");
  return Number(offset > LARGEST_OFFSET ? LARGEST_OFFSET : offset);
}

/** The grant that a descriptor comes from. */
export interface Granted {
  /** As the component sees it. */
  readonly path: string;
  readonly readonly: boolean;
}

export class OpenDescriptor {
  readonly scope: Scope;
  readonly flags: DescriptorFlags;
  readonly #grant: Granted;
  readonly #shared: Shared<OpenFile> | Shared<OpenDirectory>;

  constructor(scope: Scope, shared: Shared<OpenFile> | Shared<OpenDirectory>, flags: DescriptorFlags, grant: Granted) {
    this.scope = scope;
    this.#shared = shared;
    this.flags = flags;
    this.#grant = grant;
  }

  get type(): FileType {
    return this.#node.kind === "file" ? "regular-file" : "directory";
  }

  release(): void {
    this.#shared.release();
  }

  get #node(): OpenFile | OpenDirectory {
    return this.#shared.node;
  }

  // Files

  /** The file, for a stream that outlives the descriptor. @throws FileError where it cannot be read or written */
  fileTo(use: "read" | "write"): Shared<OpenFile> {
    const shared = this.#shared;
    if (!isFile(shared)) throw new FileError("is-directory");
    if (!this.flags[use]) throw new FileError("bad-descriptor");
    return shared.hold();
  }

  #file(use: "read" | "write"): OpenFile {
    const { node } = this.fileTo(use);
    this.#shared.release();
    return node;
  }

  /** Gives the bytes, and whether the end was met. */
  *read(length: bigint, offset: bigint): Steps<[Uint8Array, boolean]> {
    const wanted = Number(length > BigInt(LARGEST_READ) ? LARGEST_READ : length);
    const bytes = yield* later(this.#file("read").read(readOffsetOf(offset), wanted));
    return [bytes, bytes.length === 0 && wanted > 0];
  }

  *write(bytes: Uint8Array, offset: bigint): Steps<bigint> {
    const file = this.#file("write");
    yield* this.writeTo(file, bytes, offsetOf(offset));
    return BigInt(bytes.length);
  }

  *writeTo(file: OpenFile, bytes: Uint8Array, offset: number | "end"): Steps<void> {
    if (offset !== "end" && offset + bytes.length > Number.MAX_SAFE_INTEGER) throw new FileError("file-too-large");
    this.scope.generation++;
    yield* later(file.write(bytes, offset));
    this.scope.generation++;
    if (this.flags.fileIntegritySync) yield* later(file.sync());
    else if (this.flags.dataIntegritySync) yield* later(file.syncData());
  }

  *setSize(size: bigint): Steps<void> {
    const file = this.#file("write");
    this.scope.generation++;
    yield* later(file.setSize(offsetOf(size)));
    this.scope.generation++;
  }

  *advise(): Steps<void> {
    if (this.#node.kind !== "file") throw new FileError("bad-descriptor");
    yield* later(undefined);
  }

  // Both

  *stat(): Steps<FileStat> {
    return yield* later(this.#node.stat());
  }

  /** An answer in any case: what cannot be asked any more is nothing's twin. */
  *isSameAs(other: OpenDescriptor): Steps<boolean> {
    try {
      const [mine, its] = [yield* this.stat(), yield* other.stat()];
      return mine.identity === its.identity;
    } catch (error) {
      if (error instanceof FileError) return false;
      throw error;
    }
  }

  *setTimes(times: NewTimes): Steps<void> {
    this.#checkMayWrite();
    yield* later(this.#node.setTimes(times));
  }

  *sync(): Steps<void> {
    yield* later(this.#node.sync());
  }

  *syncData(): Steps<void> {
    yield* later(this.#node.kind === "file" ? this.#node.syncData() : this.#node.sync());
  }

  // Directories

  *entries(): Steps<readonly DirectoryEntry[]> {
    if (!this.flags.read) throw new FileError("bad-descriptor");
    return yield* later(this.#directory().entries());
  }

  *statAt(pathFlags: PathFlags, path: string): Steps<FileStat> {
    return yield* this.#at(path, pathFlags.symlinkFollow, statOfPlace);
  }

  *setTimesAt(pathFlags: PathFlags, path: string, times: NewTimes): Steps<void> {
    this.#checkMayChange();
    yield* this.#at(path, pathFlags.symlinkFollow, function* ({ directory, name, mustBeDirectory }) {
      if (name === undefined) return yield* later(directory.setTimes(times));
      if (mustBeDirectory) yield* checkIsDirectory(directory, name);
      yield* later(directory.setTimesAt(name, times));
    });
  }

  *createDirectoryAt(path: string): Steps<void> {
    this.#checkMayChange();
    yield* this.#at(path, false, ({ directory, name }) => {
      if (name === undefined) throw new FileError("exist");
      return later(directory.createDirectory(name));
    });
  }

  *removeDirectoryAt(path: string): Steps<void> {
    this.#checkMayChange();
    yield* this.#at(path, false, ({ directory, name }) => {
      if (name === undefined) throw new FileError("invalid");
      return later(directory.removeDirectory(name));
    });
  }

  *unlinkFileAt(path: string): Steps<void> {
    this.#checkMayChange();
    yield* this.#at(path, false, function* ({ directory, name, mustBeDirectory }) {
      if (name === undefined) throw new FileError("is-directory");
      if (mustBeDirectory) {
        yield* checkIsDirectory(directory, name);
        throw new FileError("is-directory");
      }
      yield* later(directory.removeFile(name));
    });
  }

  /** An absolute link could not be followed, and tells where things lie on the host. */
  *readLinkAt(path: string): Steps<string> {
    const target = yield* this.#at(path, false, ({ directory, name }) => {
      if (name === undefined) throw new FileError("invalid");
      return later(directory.readLink(name));
    });
    if (target.startsWith("/")) throw new FileError("not-permitted");
    return target;
  }

  *symlinkAt(target: string, path: string): Steps<void> {
    this.#checkMayChange();
    if (target === "") throw new FileError("no-entry");
    if (target.includes("\0")) throw new FileError("invalid");
    if (target.startsWith("/")) throw new FileError("not-permitted");
    yield* this.#at(path, false, function* ({ directory, name, mustBeDirectory }) {
      if (name === undefined) throw new FileError("exist");
      // Nothing that is no directory can be made under a name that ends in a slash.
      if (mustBeDirectory) {
        yield* checkIsDirectory(directory, name);
        throw new FileError("exist");
      }
      yield* later(directory.createLink(target, name));
    });
  }

  *linkAt(pathFlags: PathFlags, path: string, to: OpenDescriptor, newPath: string): Steps<void> {
    this.#checkMayChange();
    to.#checkMayChange();
    // Whoever can read a file by one grant must not be able to write it by another.
    yield* this.#at(path, pathFlags.symlinkFollow, (from) =>
      to.#at(newPath, false, function* (there) {
        if (from.name === undefined) throw new FileError("not-permitted");
        if (there.name === undefined) throw new FileError("exist");
        if (from.mustBeDirectory) yield* checkIsDirectory(from.directory, from.name);
        if (there.mustBeDirectory) throw new FileError("no-entry");
        checkSameFilesystem(from.directory, there.directory);
        yield* later(from.directory.link(from.name, there.directory, there.name));
      }),
    );
  }

  *renameAt(path: string, to: OpenDescriptor, newPath: string): Steps<void> {
    this.#checkMayChange();
    to.#checkMayChange();
    yield* this.#at(path, false, (from) =>
      to.#at(newPath, false, function* (there) {
        if (from.name === undefined || there.name === undefined) throw new FileError("busy");
        checkSameFilesystem(from.directory, there.directory);
        if (from.mustBeDirectory || there.mustBeDirectory) yield* checkIsDirectory(from.directory, from.name);
        yield* later(from.directory.rename(from.name, there.directory, there.name));
      }),
    );
    this.scope.generation++;
  }

  /** Opens what a path leads to. Making or cutting off a file takes the flag `write` with it, as in other implementations. */
  *openAt(pathFlags: PathFlags, path: string, open: OpenFlags, wanted: DescriptorFlags): Steps<OpenDescriptor> {
    this.scope.checkRoom();
    const write = wanted.write || open.create || open.truncate;
    if (open.create && open.directory) throw new FileError("invalid");
    if (write || wanted.mutateDirectory) this.#checkMayChange();
    const exclusive = open.create && open.exclusive;
    const how = { read: wanted.read || !wanted.write, write, create: open.create, exclusive, truncate: open.truncate };
    const walk = this.#walk(path);
    try {
      const node = yield* openPlace(walk, { ...how, directory: open.directory }, pathFlags.symlinkFollow && !exclusive);
      if (write) this.scope.generation++;
      return this.#opened(node, how, wanted);
    } catch (error) {
      this.#tellOutside(path, error);
      throw error;
    } finally {
      yield* walk.release();
    }
  }

  #opened(node: OpenFile | OpenDirectory, how: Pick<OpenHow, "read" | "write">, wanted: DescriptorFlags): OpenDescriptor {
    const isDirectory = node.kind === "directory";
    const flags = isDirectory
      ? { ...wanted, read: true, write: false }
      : { ...wanted, read: how.read, write: how.write, mutateDirectory: false };
    const shared = isDirectory ? this.scope.share(node) : this.scope.share(node);
    return new OpenDescriptor(this.scope, shared, flags, this.#grant);
  }

  /** Walks to a place, does something there, and closes what was opened on the way. */
  *#at<T>(path: string, followLast: boolean, work: (place: Place) => Steps<T>): Steps<T> {
    const walk = this.#walk(path);
    try {
      const place = yield* walk.toPlace(followLast);
      return yield* work(place);
    } catch (error) {
      this.#tellOutside(path, error);
      throw error;
    } finally {
      yield* walk.release();
    }
  }

  #walk(path: string): Walk {
    try {
      return new Walk(this.#directory(), path);
    } catch (error) {
      this.#tellOutside(path, error);
      throw error;
    }
  }

  #directory(): OpenDirectory {
    if (this.#node.kind !== "directory") throw new FileError("not-directory");
    return this.#node;
  }

  /** The grant decides, not the flag `mutate-directory`: programs of WASI 0.1 open directories without it and change them. */
  #checkMayChange(): void {
    this.#directory();
    this.#checkMayWrite();
  }

  #checkMayWrite(): void {
    const { path, readonly } = this.#grant;
    if (!readonly) return;
    const name = JSON.stringify(path);
    this.scope.denied?.({ target: `to change what is in ${name}, which is read-only`, grant: `files: { ${name}: RESOURCE }` });
    throw new FileError("read-only");
  }

  /** A walk that failed because it would have led out of the folder. */
  #tellOutside(path: string, error: unknown): void {
    if (!(error instanceof LeadsOutside)) return;
    const name = JSON.stringify(this.#grant.path);
    this.scope.denied?.({
      target: `the path ${JSON.stringify(path)}, which leads out of ${name}`,
      grant: 'files: { "PATH": RESOURCE }',
    });
  }
}

function isFile(shared: Shared<OpenFile> | Shared<OpenDirectory>): shared is Shared<OpenFile> {
  return shared.node.kind === "file";
}

function checkSameFilesystem(from: OpenDirectory, to: OpenDirectory): void {
  if (from.filesystem !== to.filesystem) throw new FileError("cross-device");
}

function* checkIsDirectory(directory: OpenDirectory, name: string): Steps<void> {
  const { type } = yield* later(directory.statAt(name));
  if (type !== "directory") throw new FileError("not-directory");
}

function* statOfPlace({ directory, name, mustBeDirectory }: Place): Steps<FileStat> {
  const stat = yield* later(name === undefined ? directory.stat() : directory.statAt(name));
  if (mustBeDirectory && stat.type !== "directory") throw new FileError("not-directory");
  return stat;
}

/** Opens first and asks afterwards: only a name that turns out to be a link is looked at twice. */
function* openPlace(walk: Walk, how: OpenHow, follow: boolean): Steps<OpenFile | OpenDirectory> {
  for (;;) {
    const { directory, name, mustBeDirectory } = yield* walk.toPlace(false);
    if (name === undefined) {
      if (how.create && how.exclusive) throw new FileError("exist");
      if (how.write) throw new FileError("is-directory");
      return yield* later(directory.reopen());
    }
    try {
      const create = how.create && !mustBeDirectory;
      return yield* later(directory.open(name, { ...how, create, directory: how.directory || mustBeDirectory }));
    } catch (error) {
      if (!follow || !(error instanceof FileError) || error.code !== "loop") throw error;
      walk.follow(yield* later(directory.readLink(name)), false);
    }
  }
}
