// Where names of a directory are used from. On Linux every directory is an open file descriptor, and every name in it is used through
// `/proc/self/fd/N/NAME`, which the kernel resolves from that very directory: like `openat`, and nothing that happens to the path of
// the directory meanwhile matters. Elsewhere directories are paths, checked before and after each use to be the ones they were and to
// lie where they did: enough against links that lie about, but somebody who swaps directories at the right moment could win.

import * as fs from "node:fs";
import { join } from "node:path";
import { FileError, type NewTimes } from "./filesystem.ts";
import { call, Fd, fstat, identityOf, lstat, O_DIRECTORY, open, SAFELY, seconds, setTimesOf } from "./system-files.ts";

const { O_RDONLY } = fs.constants;

/** Where names of one directory are used from. */
export interface Anchor {
  readonly isAnchored: boolean;
  /** Runs `work` with a path that stands for the directory meanwhile. */
  use<T>(work: (path: string) => Promise<T>): Promise<T>;
  stat(): Promise<fs.BigIntStats>;
  setTimes(times: NewTimes): Promise<void>;
  sync(): Promise<void>;
  /** Of a directory below, looked at as `stats` a moment ago. */
  enter(name: string, stats: fs.BigIntStats): Promise<Anchor>;
  reopen(): Promise<Anchor>;
  close(): Promise<void>;
}

/** An open descriptor. */
class FdAnchor implements Anchor {
  readonly isAnchored = true;
  readonly #fd: Fd;

  constructor(fd: number) {
    this.#fd = new Fd(fd);
  }

  use<T>(work: (path: string) => Promise<T>): Promise<T> {
    return this.#fd.use((fd) => work(`/proc/self/fd/${fd}`));
  }

  stat(): Promise<fs.BigIntStats> {
    return this.#fd.use(fstat);
  }

  setTimes(times: NewTimes): Promise<void> {
    return this.#fd.use((fd) => setTimesOf(fd, times));
  }

  sync(): Promise<void> {
    return this.#fd.use((fd) => call((done) => fs.fsync(fd, done)));
  }

  enter(name: string): Promise<Anchor> {
    return this.use(async (path) => new FdAnchor(await open(`${path}/${name}`, O_RDONLY | O_DIRECTORY | SAFELY)));
  }

  reopen(): Promise<Anchor> {
    return this.use(async (path) => new FdAnchor(await open(`${path}/.`, O_RDONLY | O_DIRECTORY | SAFELY)));
  }

  close(): Promise<void> {
    return this.#fd.close();
  }
}

/** A path that is the real one of the directory, and of which directory. */
class PathAnchor implements Anchor {
  readonly isAnchored = false;
  readonly #path: string;
  readonly #identity: string;

  constructor(path: string, stats: fs.BigIntStats) {
    this.#path = path;
    this.#identity = identityOf(stats);
  }

  async use<T>(work: (path: string) => Promise<T>): Promise<T> {
    await this.stat();
    const result = await work(this.#path);
    await this.stat();
    return result;
  }

  /** @throws FileError `access` where something else is there now, or a link leads there */
  async stat(): Promise<fs.BigIntStats> {
    const real = await call<string>((done) => fs.realpath.native(this.#path, done));
    const stats = await lstat(this.#path);
    if (real !== this.#path || !stats.isDirectory() || identityOf(stats) !== this.#identity) throw new FileError("access");
    return stats;
  }

  setTimes({ access, modification }: NewTimes): Promise<void> {
    return this.use(async (path) => {
      const { atimeNs, mtimeNs } = await lstat(path);
      await call((done) => fs.lutimes(path, seconds(access, atimeNs), seconds(modification, mtimeNs), done));
    });
  }

  async sync(): Promise<void> {
    await this.stat();
  }

  async enter(name: string, stats: fs.BigIntStats): Promise<Anchor> {
    const entered = new PathAnchor(join(this.#path, name), stats);
    await this.use(() => entered.stat());
    return entered;
  }

  reopen(): Promise<Anchor> {
    return Promise.resolve(this);
  }

  async close(): Promise<void> {
    // Nothing is held open.
  }
}

/** Anchors the root of a filesystem. @throws FileError */
export async function anchorAt(realPath: string, anchored: boolean | undefined): Promise<Anchor> {
  if (anchored ?? (await canAnchor())) return new FdAnchor(await open(realPath, O_RDONLY | O_DIRECTORY));
  const stats = await lstat(realPath);
  if (!stats.isDirectory()) throw new FileError("not-directory");
  return new PathAnchor(realPath, stats);
}

/** Whether `/proc/self/fd/N` leads to what is open as N. */
async function canAnchor(): Promise<boolean> {
  if (process.platform !== "linux") return false;
  const fd = new Fd(await open("/", O_RDONLY | O_DIRECTORY));
  try {
    return await fd.use(async (n) => {
      const [opened, through] = [await fstat(n), await lstat(`/proc/self/fd/${n}/.`)];
      return identityOf(opened) === identityOf(through);
    });
  } catch {
    return false;
  } finally {
    await fd.close();
  }
}
