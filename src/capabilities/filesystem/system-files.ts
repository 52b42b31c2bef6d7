// Files of the system as filesystems need them: calls of node:fs whose errors are codes alone, and descriptors that are closed when
// their last use has ended.

import * as fs from "node:fs";
import { FileError, type FileErrorCode, type FileStat, type FileType, type NewTime, type NewTimes } from "./filesystem.ts";

/** Not on every system. */
const optional = (flag: number | undefined): number => flag ?? 0;
export const O_DIRECTORY = optional(fs.constants.O_DIRECTORY);
/** A pipe or terminal that got there after it was looked at neither stops the thread nor becomes the process's own. */
export const SAFELY = optional(fs.constants.O_NOFOLLOW) | optional(fs.constants.O_NONBLOCK) | optional(fs.constants.O_NOCTTY);

const CODES: Readonly<Record<string, FileErrorCode>> = {
  EACCES: "access",
  EBADF: "bad-descriptor",
  EBUSY: "busy",
  EDQUOT: "quota",
  EEXIST: "exist",
  EFBIG: "file-too-large",
  EINTR: "interrupted",
  EINVAL: "invalid",
  EISDIR: "is-directory",
  ELOOP: "loop",
  EMFILE: "insufficient-memory",
  EMLINK: "too-many-links",
  ENAMETOOLONG: "name-too-long",
  ENFILE: "insufficient-memory",
  ENODEV: "no-device",
  ENOENT: "no-entry",
  ENOMEM: "insufficient-memory",
  ENOSPC: "insufficient-space",
  ENOTDIR: "not-directory",
  ENOTEMPTY: "not-empty",
  ENOTSUP: "unsupported",
  ENXIO: "access",
  EOVERFLOW: "overflow",
  EPERM: "not-permitted",
  EROFS: "read-only",
  ETXTBSY: "text-file-busy",
  EXDEV: "cross-device",
};

/** The code alone: messages of the system hold paths of the host. */
export function fileError(error: unknown): FileError {
  if (error instanceof FileError) return error;
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  return new FileError(Object.hasOwn(CODES, code) ? (CODES[code] ?? "io") : "io");
}

export type Callback<T> = (error: Error | null, value?: T) => void;

/** A function of `node:fs` with a callback, which costs half of one with a promise. */
export function call<T = void>(start: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null) resolve(value as T);
      else reject(fileError(error));
    });
  });
}

const BIG = { bigint: true } as const;
export const lstat = (path: string): Promise<fs.BigIntStats> => call((done) => fs.lstat(path, BIG, done));
export const fstat = (fd: number): Promise<fs.BigIntStats> => call((done) => fs.fstat(fd, BIG, done));
export const open = (path: string, flags: number, mode?: number): Promise<number> =>
  call((done) => fs.open(path, flags, mode, done));

/** A file descriptor that is closed when its last use has ended, so that no number is used for another file. */
export class Fd {
  readonly #fd: number;
  #uses = 1;
  #isOpen = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async use<T>(work: (fd: number) => Promise<T>): Promise<T> {
    if (!this.#isOpen) throw new FileError("bad-descriptor");
    this.#uses++;
    try {
      return await work(this.#fd);
    } finally {
      await this.#done();
    }
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#done();
  }

  async #done(): Promise<void> {
    if (--this.#uses === 0) await call((done) => fs.close(this.#fd, done)).catch(() => undefined);
  }
}

/** Numbers of inodes stay with the host: identities are told apart by them, and told to nobody without this. */
const SALT = crypto.randomUUID();

export const identityOf = ({ dev, ino }: fs.BigIntStats): string => `${SALT} ${dev} ${ino}`;

export function typeOf(entry: fs.BigIntStats | fs.Dirent<Buffer>): FileType {
  if (entry.isFile()) return "regular-file";
  if (entry.isDirectory()) return "directory";
  if (entry.isSymbolicLink()) return "symbolic-link";
  if (entry.isFIFO()) return "fifo";
  if (entry.isSocket()) return "socket";
  if (entry.isCharacterDevice()) return "character-device";
  return entry.isBlockDevice() ? "block-device" : "unknown";
}

export function statOf(stats: fs.BigIntStats): FileStat {
  return {
    type: typeOf(stats),
    linkCount: stats.nlink,
    size: stats.size,
    accessNs: stats.atimeNs,
    modificationNs: stats.mtimeNs,
    statusChangeNs: stats.ctimeNs,
    identity: identityOf(stats),
  };
}

/** Seconds, as `node:fs` takes times: a double keeps them to about a quarter of a microsecond. */
export function seconds(time: NewTime, oldNs: bigint): number {
  if (time === "now") return Date.now() / 1000;
  const ns = time === "keep" ? oldNs : time;
  return Number(ns / 1_000_000_000n) + Number(ns % 1_000_000_000n) / 1e9;
}

export async function setTimesOf(fd: number, { access, modification }: NewTimes): Promise<void> {
  const { atimeNs, mtimeNs } = await fstat(fd);
  await call((done) => fs.futimes(fd, seconds(access, atimeNs), seconds(modification, mtimeNs), done));
}
