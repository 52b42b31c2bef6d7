// `wasi:filesystem/types@0.2`: the resource that a guest holds, over an open descriptor. Errors are labels of an enum.

import type { Maybe } from "../../engine/async/maybe.ts";
import { answerError, bytesOf, guestInterface, madeByHost } from "../guest.ts";
import { originOf, type IoError } from "../io/error.ts";
import { InputStream, OutputStream } from "../io/streams.ts";
import type { Steps } from "../steps.ts";
import { FileError, type DirectoryEntry } from "./filesystem.ts";
import type { DescriptorFlags, OpenDescriptor, OpenFlags, PathFlags } from "./open-descriptor.ts";
import { fileSink, FileSource } from "./streams.ts";
import { flagsOf, metadataHashOf, newTimeOf, openOf, statOf02, type NewTimestamp } from "./types.ts";

const opened = new WeakMap<object, OpenDescriptor>();

/** Runs steps; what they answer with, in the words of WASI 0.2. */
function answer<T, U>(self: Descriptor, steps: (open: OpenDescriptor) => Steps<T>, convert: (value: T) => U): Maybe<U> {
  const open = openOf(opened, self);
  try {
    const result = open.scope.run(() => steps(open));
    return result instanceof Promise ? result.then(convert, rethrow) : convert(result);
  } catch (error) {
    return rethrow(error);
  }
}

function rethrow(error: unknown): never {
  throw error instanceof FileError ? answerError(error.code) : error;
}

const nothing = (): void => undefined;
const same = <T>(value: T): T => value;

export class Descriptor {
  constructor(open: OpenDescriptor) {
    opened.set(this, open);
  }

  readViaStream(offset: bigint): InputStream {
    try {
      return new InputStream(new FileSource(openOf(opened, this), offset));
    } catch (error) {
      return rethrow(error);
    }
  }

  writeViaStream(offset: bigint): OutputStream {
    return this.#output(offset);
  }

  appendViaStream(): OutputStream {
    return this.#output("end");
  }

  #output(offset: bigint | "end"): OutputStream {
    try {
      return new OutputStream(fileSink(openOf(opened, this), offset));
    } catch (error) {
      return rethrow(error);
    }
  }

  advise(_offset: bigint, _length: bigint, _advice: string): Maybe<void> {
    return answer(this, (open) => open.advise(), nothing);
  }

  syncData(): Maybe<void> {
    return answer(this, (open) => open.syncData(), nothing);
  }

  getFlags(): DescriptorFlags {
    return openOf(opened, this).flags;
  }

  getType(): string {
    return openOf(opened, this).type;
  }

  setSize(size: bigint): Maybe<void> {
    return answer(this, (open) => open.setSize(size), nothing);
  }

  setTimes(access: NewTimestamp, modification: NewTimestamp): Maybe<void> {
    return answer(this, (open) => open.setTimes(timesOf(access, modification)), nothing);
  }

  read(length: bigint, offset: bigint): Maybe<[Uint8Array, boolean]> {
    return answer(this, (open) => open.read(length, offset), same);
  }

  write(buffer: Uint8Array, offset: bigint): Maybe<bigint> {
    return answer(this, (open) => open.write(bytesOf(buffer), offset), same);
  }

  readDirectory(): Maybe<DirectoryEntryStream> {
    return answer(
      this,
      (open) => open.entries(),
      (entries) => new DirectoryEntryStream(entries),
    );
  }

  sync(): Maybe<void> {
    return answer(this, (open) => open.sync(), nothing);
  }

  createDirectoryAt(path: string): Maybe<void> {
    return answer(this, (open) => open.createDirectoryAt(path), nothing);
  }

  stat(): Maybe<ReturnType<typeof statOf02>> {
    return answer(this, (open) => open.stat(), statOf02);
  }

  statAt(pathFlags: PathFlags, path: string): Maybe<ReturnType<typeof statOf02>> {
    return answer(this, (open) => open.statAt(pathFlags, path), statOf02);
  }

  setTimesAt(pathFlags: PathFlags, path: string, access: NewTimestamp, modification: NewTimestamp): Maybe<void> {
    return answer(this, (open) => open.setTimesAt(pathFlags, path, timesOf(access, modification)), nothing);
  }

  linkAt(oldPathFlags: PathFlags, oldPath: string, newDescriptor: Descriptor, newPath: string): Maybe<void> {
    return answer(this, (open) => open.linkAt(oldPathFlags, oldPath, openOf(opened, newDescriptor), newPath), nothing);
  }

  openAt(pathFlags: PathFlags, path: string, openFlags: OpenFlags, flags: DescriptorFlags): Maybe<Descriptor> {
    return answer(
      this,
      (open) => open.openAt(pathFlags, path, openFlags, flagsOf(flags)),
      (found) => new Descriptor(found),
    );
  }

  readlinkAt(path: string): Maybe<string> {
    return answer(this, (open) => open.readLinkAt(path), same);
  }

  removeDirectoryAt(path: string): Maybe<void> {
    return answer(this, (open) => open.removeDirectoryAt(path), nothing);
  }

  renameAt(oldPath: string, newDescriptor: Descriptor, newPath: string): Maybe<void> {
    return answer(this, (open) => open.renameAt(oldPath, openOf(opened, newDescriptor), newPath), nothing);
  }

  symlinkAt(oldPath: string, newPath: string): Maybe<void> {
    return answer(this, (open) => open.symlinkAt(oldPath, newPath), nothing);
  }

  unlinkFileAt(path: string): Maybe<void> {
    return answer(this, (open) => open.unlinkFileAt(path), nothing);
  }

  isSameObject(other: Descriptor): Maybe<boolean> {
    return answer(this, (open) => open.isSameAs(openOf(opened, other)), same);
  }

  metadataHash(): Maybe<ReturnType<typeof metadataHashOf>> {
    return answer(this, (open) => open.stat(), metadataHashOf);
  }

  metadataHashAt(pathFlags: PathFlags, path: string): Maybe<ReturnType<typeof metadataHashOf>> {
    return answer(this, (open) => open.statAt(pathFlags, path), metadataHashOf);
  }

  [Symbol.dispose](): void {
    openOf(opened, this).release();
  }
}

function timesOf(access: NewTimestamp, modification: NewTimestamp) {
  return { access: newTimeOf(access), modification: newTimeOf(modification) };
}

export class DirectoryEntryStream {
  readonly #entries: Iterator<DirectoryEntry>;

  constructor(entries: readonly DirectoryEntry[]) {
    this.#entries = entries.values();
  }

  readDirectoryEntry(): DirectoryEntry | undefined {
    const { done, value } = this.#entries.next();
    return done === true ? undefined : value;
  }
}

const filesystemErrorCode = (error: IoError): string | undefined => originOf(error).filesystem;

/** The calls that may wait where the folder does. */
const WAITING = [
  "advise",
  "syncData",
  "setSize",
  "setTimes",
  "read",
  "write",
  "readDirectory",
  "sync",
  "createDirectoryAt",
  "stat",
  "statAt",
  "setTimesAt",
  "linkAt",
  "openAt",
  "readlinkAt",
  "removeDirectoryAt",
  "renameAt",
  "symlinkAt",
  "unlinkFileAt",
  "isSameObject",
  "metadataHash",
  "metadataHashAt",
] as const satisfies readonly (keyof Descriptor)[];

const entryStream = madeByHost(DirectoryEntryStream);

/** `wasi:filesystem/types@0.2` where no call waits. */
export const typesInterface = guestInterface({
  Descriptor: madeByHost(Descriptor),
  DirectoryEntryStream: entryStream,
  filesystemErrorCode,
});

/** `wasi:filesystem/types@0.2` where calls may wait. */
export const waitingTypesInterface = guestInterface({
  Descriptor: madeByHost(Descriptor, WAITING),
  DirectoryEntryStream: entryStream,
  filesystemErrorCode,
});
