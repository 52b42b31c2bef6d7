// `wasi:filesystem/types@0.3`: the resource that a guest holds, over an open descriptor. Its functions are async, so none of them is
// marked as one that may wait; errors are cases of a variant.

import type { Maybe } from "../../engine/async/maybe.ts";
import { answerError, guestInterface, madeByHost } from "../guest.ts";
import type { Steps } from "../steps.ts";
import { FileError, type DirectoryEntry, type FileErrorCode } from "./filesystem.ts";
import type { DescriptorFlags, OpenDescriptor, OpenFlags, PathFlags } from "./open-descriptor.ts";
import { readDirectory, readFile, writeFile, type End } from "./streams.ts";
import { flagsOf, metadataHashOf, newTimeOf, openOf, statOf03, typeOf03, type NewTimestamp } from "./types.ts";

const opened = new WeakMap<object, OpenDescriptor>();

type ErrorCase = { readonly tag: FileErrorCode };
type StreamEnd = { readonly tag: "ok" } | { readonly tag: "err"; readonly val: ErrorCase };

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
  throw error instanceof FileError ? answerError({ tag: error.code } satisfies ErrorCase) : error;
}

/** How a stream ended, with the error as a case. */
async function endOf(end: Promise<End>): Promise<StreamEnd> {
  const how = await end;
  return how.tag === "ok" ? how : { tag: "err", val: { tag: how.val } };
}

const nothing = (): void => undefined;
const same = <T>(value: T): T => value;
const entryOf = ({ name, type }: DirectoryEntry) => ({ name, type: typeOf03(type) });

export class Descriptor {
  constructor(open: OpenDescriptor) {
    opened.set(this, open);
  }

  readViaStream(offset: bigint): [AsyncIterable<Uint8Array>, Promise<StreamEnd>] {
    const [bytes, end] = readFile(openOf(opened, this), offset);
    return [bytes, endOf(end)];
  }

  writeViaStream(data: AsyncIterable<Uint8Array>, offset: bigint): Promise<StreamEnd> {
    return endOf(writeFile(openOf(opened, this), data, offset));
  }

  appendViaStream(data: AsyncIterable<Uint8Array>): Promise<StreamEnd> {
    return endOf(writeFile(openOf(opened, this), data, "end"));
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

  getType(): ReturnType<typeof typeOf03> {
    return typeOf03(openOf(opened, this).type);
  }

  setSize(size: bigint): Maybe<void> {
    return answer(this, (open) => open.setSize(size), nothing);
  }

  setTimes(access: NewTimestamp, modification: NewTimestamp): Maybe<void> {
    return answer(this, (open) => open.setTimes(timesOf(access, modification)), nothing);
  }

  readDirectory(): [AsyncIterable<ReturnType<typeof entryOf>>, Promise<StreamEnd>] {
    const [entries, end] = readDirectory(openOf(opened, this), entryOf);
    return [entries, endOf(end)];
  }

  sync(): Maybe<void> {
    return answer(this, (open) => open.sync(), nothing);
  }

  createDirectoryAt(path: string): Maybe<void> {
    return answer(this, (open) => open.createDirectoryAt(path), nothing);
  }

  stat(): Maybe<ReturnType<typeof statOf03>> {
    return answer(this, (open) => open.stat(), statOf03);
  }

  statAt(pathFlags: PathFlags, path: string): Maybe<ReturnType<typeof statOf03>> {
    return answer(this, (open) => open.statAt(pathFlags, path), statOf03);
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

/** `wasi:filesystem/types@0.3`. */
export const typesInterface03 = guestInterface({ Descriptor: madeByHost(Descriptor) });
