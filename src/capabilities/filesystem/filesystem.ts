// The contract of a filesystem behind `wasi:filesystem`: directories and files that are open, and what can be done with one name in
// a directory. Nothing here takes a path: `resolve.ts` walks, one name at a time, so no backend can be led out of its root by one.
// Names never hold a `/` or NUL, are never empty, `.` or `..`, and have at most 255 bytes. Links are never followed.

import type { Maybe } from "../../engine/async/maybe.ts";

/** `error-code` of `wasi:filesystem/types`, as far as backends answer with it. */
export type FileErrorCode =
  | "access"
  | "bad-descriptor"
  | "busy"
  | "cross-device"
  | "exist"
  | "file-too-large"
  | "illegal-byte-sequence"
  | "insufficient-memory"
  | "insufficient-space"
  | "interrupted"
  | "invalid"
  | "io"
  | "is-directory"
  | "loop"
  | "name-too-long"
  | "no-device"
  | "no-entry"
  | "not-directory"
  | "not-empty"
  | "not-permitted"
  | "overflow"
  | "quota"
  | "read-only"
  | "text-file-busy"
  | "too-many-links"
  | "unsupported";

/** What a filesystem answers instead of a result. It carries a code and nothing of the host. */
export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: FileErrorCode;

  constructor(code: FileErrorCode) {
    super(code);
    this.code = code;
  }
}

/** `descriptor-type`, as far as it can be met. */
export type FileType =
  | "block-device"
  | "character-device"
  | "directory"
  | "fifo"
  | "symbolic-link"
  | "regular-file"
  | "socket"
  | "unknown";

export interface FileStat {
  readonly type: FileType;
  readonly linkCount: bigint;
  readonly size: bigint;
  /** Nanoseconds since 1970. */
  readonly accessNs: bigint;
  readonly modificationNs: bigint;
  readonly statusChangeNs: bigint;
  /** The same for the same object, while anything of it is open; tells objects of all filesystems of this process apart. */
  readonly identity: string;
}

/** A time to set, in nanoseconds since 1970. */
export type NewTime = "keep" | "now" | bigint;

export interface NewTimes {
  readonly access: NewTime;
  readonly modification: NewTime;
}

/** How to open a name. `create`, `exclusive` and `truncate` only together with `write`. */
export interface OpenHow {
  readonly read: boolean;
  readonly write: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  /** It must be a directory. */
  readonly directory: boolean;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly type: FileType;
}

/** Most entries that one directory is listed with; above it, `overflow`. */
export const MOST_ENTRIES = 100_000;

interface OpenNode {
  stat(): Maybe<FileStat>;
  setTimes(times: NewTimes): Maybe<void>;
  sync(): Maybe<void>;
  /** What is under way ends first. */
  close(): Maybe<void>;
}

/** A file that is open. */
export interface OpenFile extends OpenNode {
  readonly kind: "file";
  /** At most `length` bytes from `offset`, the receiver's own; none at the end. */
  read(offset: number, length: number): Maybe<Uint8Array>;
  /** Writes all of it, at an offset or at the end that the file has then. */
  write(bytes: Uint8Array, offset: number | "end"): Maybe<void>;
  setSize(size: number): Maybe<void>;
  syncData(): Maybe<void>;
}

/** A directory that is open. All errors are `FileError`s. */
export interface OpenDirectory extends OpenNode {
  readonly kind: "directory";
  /** Names of two directories can be linked and renamed between where this is the same object. */
  readonly filesystem: object;
  /** Opens a file or directory. `loop` where the name is a link, `access` where it is neither a file nor a directory. */
  open(name: string, how: OpenHow): Maybe<OpenFile | OpenDirectory>;
  /** This directory, opened once more. */
  reopen(): Maybe<OpenDirectory>;
  statAt(name: string): Maybe<FileStat>;
  /** What a link holds. `invalid` where the name is no link. */
  readLink(name: string): Maybe<string>;
  /** Without `.` and `..`; names that are no Unicode text are left out, since no component could name them. */
  entries(): Maybe<readonly DirectoryEntry[]>;
  createDirectory(name: string): Maybe<void>;
  removeDirectory(name: string): Maybe<void>;
  removeFile(name: string): Maybe<void>;
  rename(name: string, to: OpenDirectory, newName: string): Maybe<void>;
  link(name: string, to: OpenDirectory, newName: string): Maybe<void>;
  createLink(target: string, name: string): Maybe<void>;
  setTimesAt(name: string, times: NewTimes): Maybe<void>;
}

/** A place that can be granted: everything below its root, and nothing else. */
export interface Filesystem {
  /** Whether calls may answer with promises. */
  readonly waits: boolean;
  /** Never closed by its users. */
  readonly root: OpenDirectory;
}
