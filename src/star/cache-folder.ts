// Where caches lie, and what of them is trusted: folders and files of this user that nobody else can write to, reached without a
// symbolic link, and a secret that only this user can read. (Windows gives each user a folder of their own and has no such modes.)

import { randomBytes, randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import type { Stats } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

const OFF: ReadonlySet<string> = new Set(["", "0", "off", "none", "false"]);

/** `STARLANE_CACHE`, which may also turn caching off, or where the system keeps caches; undefined where there is no such place. */
export function cacheFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string | undefined {
  const wanted = env.STARLANE_CACHE;
  if (wanted !== undefined) return OFF.has(wanted.toLowerCase()) || !isAbsolute(wanted) ? undefined : wanted;
  const caches = systemCaches(env, platform);
  return caches !== undefined && isAbsolute(caches) ? join(caches, "starlane") : undefined;
}

function systemCaches(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | undefined {
  if (env.XDG_CACHE_HOME !== undefined && env.XDG_CACHE_HOME !== "") return env.XDG_CACHE_HOME;
  if (platform === "win32") return env.LOCALAPPDATA;
  const home = env.HOME ?? homedir();
  return platform === "darwin" ? join(home, "Library/Caches") : join(home, ".cache");
}

export function isPrivateFolder(path: string): boolean {
  try {
    const stats = lstatSync(path);
    return stats.isDirectory() && onlyWeWrite(stats);
  } catch {
    return false;
  }
}

/** Makes it where it is missing; whether it is one then. */
export function makePrivateFolder(path: string): boolean {
  if (!existsSync(path)) makeFolder(path);
  return isPrivateFolder(path);
}

/** With the folders above it. (Node's own way of that never ends where the system refuses with "no such folder", as in `/proc`.) */
function makeFolder(path: string): void {
  const above = dirname(path);
  if (above !== path && !existsSync(above)) makeFolder(above);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process was first.
    if (!existsSync(path)) throw error;
  }
}

const OTHERS_WRITE = 0o022;
const OTHERS_READ = 0o044;

function onlyWeWrite({ uid, mode }: Stats): boolean {
  const { getuid } = process;
  return getuid === undefined || (uid === getuid() && (mode & OTHERS_WRITE) === 0);
}

/** A file that only we can write to, open for reading; undefined where there is none. Whoever opens it closes it. */
export function openPrivateFile(path: string): { readonly fd: number; readonly stats: Stats } | undefined {
  // A pipe would wait for a writer. (What a system does not know is undefined, which counts as 0.)
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  const stats = fstatSync(fd);
  if (stats.isFile() && onlyWeWrite(stats)) return { fd, stats };
  closeSync(fd);
  return undefined;
}

const SECRET_BYTES = 32;
const SECRET = "secret";

/** The secret of a private folder; undefined where it has none that can be trusted. */
export function readSecret(folder: string): Buffer | undefined {
  const opened = openPrivateFile(join(folder, SECRET));
  if (opened === undefined) return undefined;
  const { fd, stats } = opened;
  try {
    const othersKnow = process.getuid !== undefined && (stats.mode & OTHERS_READ) !== 0;
    if (stats.size !== SECRET_BYTES || othersKnow) return undefined;
    const secret = Buffer.alloc(SECRET_BYTES);
    return readSync(fd, secret) === SECRET_BYTES ? secret : undefined;
  } finally {
    closeSync(fd);
  }
}

/** Gives a private folder without a secret one. Of many processes at once, all get the same. */
export function makeSecret(folder: string): Buffer | undefined {
  const path = join(folder, SECRET);
  const temporary = join(folder, `${randomUUID()}.tmp`);
  writeFileSync(temporary, randomBytes(SECRET_BYTES), { flag: "wx", mode: 0o600 });
  try {
    linkSync(temporary, path);
  } catch {
    // There is one: another process was first, or it cannot be trusted.
    if (readSecret(folder) === undefined) renameSync(temporary, path);
  } finally {
    removeIfThere(temporary);
  }
  return readSecret(folder);
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was renamed.
  }
}
