// The cache of core modules on disk: a file for each component and way of preparing it, in a folder that only its owner can write to.
// Files hold WebAssembly, never machine code, and are authenticated with a secret of the folder: what fails that is not used.
// Bounds: MOST_BYTES in all, of which what was not used for longest goes first; LARGEST_ENTRY for one file.

import { createCipheriv, createDecipheriv, hash, randomBytes, randomUUID } from "node:crypto";
import { closeSync, futimesSync, read, readSync, statSync, type Stats } from "node:fs";
import { open, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { cachedDataVersionTag, setFlagsFromString } from "node:v8";
import { validateBy } from "../engine/compiled-modules.ts";
import { compileAhead, type ModuleCache } from "../engine/module-cache.ts";
import { cacheFolder, isPrivateFolder, makePrivateFolder, openPrivateFile, readSecret, makeSecret } from "./cache-folder.ts";
import { versionOfCode } from "./version-of-code.ts";

const LARGEST_ENTRY = 256 * 1024 * 1024;
const MOST_BYTES = 1024 * 1024 * 1024;
const MOST_ENTRIES = 10_000;
/** A file that is being written is left alone for so long. */
const ABANDONED_MS = 60 * 60 * 1000;
/** An entry that is used is marked so when the last mark is older. */
const USED_MS = 60 * 60 * 1000;

/** GMAC: with AES in hardware, five times as fast as HMAC. Each file has a random nonce. */
const MAC = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_START = NONCE_BYTES + TAG_BYTES;

/**
 * The cache of this user; undefined where there is to be none. From now on V8 validates functions when they first run, in this whole
 * process, so that modules from the cache, which were validated before, start at once. A folder that cannot be used shows in nothing but
 * the time it takes to start.
 */
export function openCodeCache(env: NodeJS.ProcessEnv = process.env): CodeCache | undefined {
  const folder = cacheFolder(env);
  if (folder === undefined) return undefined;
  validateLazily(true);
  validateBy(validate);
  return new CodeCache(join(folder, "code"), `${versionOfCode()} ${process.version} ${process.arch} ${cachedDataVersionTag()}`);
}

export class CodeCache implements ModuleCache {
  readonly #folder: string;
  readonly #version: string;
  readonly #mostBytes: number;

  /** `version` stands for everything that entries depend on apart from their names: those of other versions are not seen. */
  constructor(folder: string, version: string, mostBytes = MOST_BYTES) {
    this.#folder = folder;
    this.#version = version;
    this.#mostBytes = mostBytes;
  }

  /** The same cache for what is in one file. */
  forFile(path: string): FileCache {
    return new FileCache(this, path);
  }

  async load(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const secret = this.#secret();
      if (secret === undefined) return undefined;
      const bytes = await readEntry(this.#path(name));
      return bytes === undefined ? undefined : this.#contents(name, bytes, secret);
    } catch {
      return undefined;
    }
  }

  /** For small entries. */
  loadNow(name: string): Uint8Array<ArrayBuffer> | undefined {
    try {
      const secret = this.#secret();
      if (secret === undefined) return undefined;
      const bytes = readEntryNow(this.#path(name));
      return bytes === undefined ? undefined : this.#contents(name, bytes, secret);
    } catch {
      return undefined;
    }
  }

  #secret(): Buffer | undefined {
    return isPrivateFolder(this.#folder) ? readSecret(this.#folder) : undefined;
  }

  #contents(name: string, bytes: Buffer<ArrayBuffer>, secret: Buffer): Uint8Array<ArrayBuffer> | undefined {
    if (!isGenuine(bytes, secret)) return undefined;
    const header = this.#header(name);
    const start = HEADER_START + header.length;
    // The name of the file could have been given to another entry of ours.
    return header.equals(bytes.subarray(HEADER_START, start)) ? bytes.subarray(start) : undefined;
  }

  async store(name: string, parts: readonly Uint8Array[]): Promise<void> {
    try {
      const size = parts.reduce((sum, { length }) => sum + length, 0);
      if (size > Math.min(LARGEST_ENTRY, this.#mostBytes / 2)) return;
      if (!makePrivateFolder(this.#folder)) return;
      const secret = readSecret(this.#folder) ?? makeSecret(this.#folder);
      if (secret === undefined) return;
      await this.#write(this.#path(name), authenticated([this.#header(name), ...parts], secret));
      await this.#evict();
    } catch {
      // Then the next start takes as long as this one.
    }
  }

  #path(name: string): string {
    return join(this.#folder, hash("sha256", this.#header(name)));
  }

  #header(name: string): Buffer {
    const text = Buffer.from(JSON.stringify([this.#version, name]));
    const header = Buffer.alloc(4 + text.length);
    header.writeUInt32LE(text.length);
    text.copy(header, 4);
    return header;
  }

  /** Whole or not at all, whoever else writes the same file. */
  async #write(path: string, parts: readonly Uint8Array[]): Promise<void> {
    const temporary = join(this.#folder, `${randomUUID()}.tmp`);
    const file = await open(temporary, "wx", 0o600);
    try {
      try {
        for (const part of parts) await file.writeFile(part);
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await unlink(temporary);
      throw error;
    }
  }

  async #evict(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{64}$|\.tmp$/.test(name));
    const files = (await Promise.all(names.map((name) => fileAt(join(this.#folder, name))))).filter((file) => file !== undefined);
    const now = Date.now();
    const abandoned = files.filter(({ path, mtimeMs }) => path.endsWith(".tmp") && now - mtimeMs > ABANDONED_MS);
    const entries = files.filter(({ path }) => !path.endsWith(".tmp")).toSorted((a, b) => a.mtimeMs - b.mtimeMs);
    let excess = entries.reduce((sum, { size }) => sum + size, 0) - this.#mostBytes;
    const old = entries.filter(({ size }, i) => {
      const goes = excess > 0 || entries.length - i > MOST_ENTRIES;
      excess -= size;
      return goes;
    });
    await Promise.all([...abandoned, ...old].map(({ path }) => unlink(path).catch(() => undefined)));
  }
}

/** A hint is as good as the file system's times: what it names is asked for only after the digest of the file is known. */
export class FileCache implements ModuleCache {
  readonly #cache: CodeCache;
  readonly #hint: string | undefined;
  #ahead: { readonly name: string; readonly entry: Promise<Uint8Array<ArrayBuffer> | undefined> } | undefined;

  constructor(cache: CodeCache, path: string) {
    this.#cache = cache;
    this.#hint = hintName(path);
  }

  /** Begins to read and to compile what the file needed last time, on other threads. */
  readAhead(): void {
    const hint = this.#hint === undefined ? undefined : this.#cache.loadNow(this.#hint);
    if (hint === undefined) return;
    const name = new TextDecoder().decode(hint);
    this.#ahead = { name, entry: this.#loadAndCompile(name) };
  }

  async #loadAndCompile(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const entry = await this.#cache.load(name);
    if (entry !== undefined) compileAhead(entry);
    return entry;
  }

  async load(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.name === name) return await ahead.entry;
    const entry = await this.#cache.load(name);
    if (entry !== undefined) void this.#remember(name);
    return entry;
  }

  async store(name: string, parts: readonly Uint8Array[]): Promise<void> {
    await this.#cache.store(name, parts);
    await this.#remember(name);
  }

  async #remember(name: string): Promise<void> {
    if (this.#hint !== undefined) await this.#cache.store(this.#hint, [new TextEncoder().encode(name)]);
  }
}

function hintName(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeMs } = statSync(path);
    return JSON.stringify(["file", path, dev, ino, size, mtimeMs]);
  } catch {
    return undefined;
  }
}

interface FileThere {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Undefined where another process has removed it. */
async function fileAt(path: string): Promise<FileThere | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, size, mtimeMs };
  } catch {
    return undefined;
  }
}

function validateLazily(lazily: boolean): void {
  setFlagsFromString(lazily ? "--wasm-lazy-validation" : "--no-wasm-lazy-validation");
}

/** `WebAssembly.validate` looks at everything whatever the flag says, but does not tell what is wrong. */
function validate(bytes: Uint8Array<ArrayBuffer>): void {
  if (WebAssembly.validate(bytes)) return;
  validateLazily(false);
  try {
    void new WebAssembly.Module(bytes);
  } finally {
    validateLazily(true);
  }
  throw new WebAssembly.CompileError("a function of it is invalid");
}

interface OpenEntry {
  readonly fd: number;
  /** To be filled with all of the file. */
  readonly bytes: Buffer<ArrayBuffer>;
}

function openEntry(path: string): OpenEntry | undefined {
  const opened = openPrivateFile(path);
  if (opened === undefined) return undefined;
  const { fd, stats } = opened;
  const { size } = stats;
  if (size < HEADER_START || size > LARGEST_ENTRY) {
    closeSync(fd);
    return undefined;
  }
  markUsed(fd, stats);
  return { fd, bytes: Buffer.allocUnsafeSlow(size) };
}

function readEntryNow(path: string): Buffer<ArrayBuffer> | undefined {
  const entry = openEntry(path);
  if (entry === undefined) return undefined;
  try {
    return readSync(entry.fd, entry.bytes) === entry.bytes.length ? entry.bytes : undefined;
  } finally {
    closeSync(entry.fd);
  }
}

/** Opens at once, and reads in one step on another thread, however busy this one is meanwhile. */
async function readEntry(path: string): Promise<Buffer<ArrayBuffer> | undefined> {
  const entry = openEntry(path);
  if (entry === undefined) return undefined;
  const { fd, bytes } = entry;
  try {
    const count = await new Promise<number>((resolve, reject) => {
      read(fd, bytes, 0, bytes.length, 0, (error, n) => (error === null ? resolve(n) : reject(error)));
    });
    return count === bytes.length ? bytes : undefined;
  } finally {
    closeSync(fd);
  }
}

function markUsed(fd: number, { atime, mtimeMs }: Stats): void {
  const now = Date.now();
  if (now - mtimeMs < USED_MS) return;
  try {
    futimesSync(fd, atime, now / 1000);
  } catch {
    // A folder that cannot be written to can still be read.
  }
}

function authenticated(parts: readonly Uint8Array[], secret: Buffer): Uint8Array[] {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(MAC, secret, nonce);
  for (const part of parts) cipher.setAAD(part);
  cipher.final();
  return [nonce, cipher.getAuthTag(), ...parts];
}

function isGenuine(file: Buffer, secret: Buffer): boolean {
  const decipher = createDecipheriv(MAC, secret, file.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(file.subarray(NONCE_BYTES, HEADER_START));
  decipher.setAAD(file.subarray(HEADER_START));
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}
