// A filesystem in memory, for tests and scratch space: bounded in bytes, nothing waits. Every name costs a little too, so that empty
// files are bounded as well.

import {
  FileError,
  MOST_ENTRIES,
  type DirectoryEntry,
  type Filesystem,
  type FileStat,
  type NewTime,
  type NewTimes,
  type OpenDirectory,
  type OpenFile,
  type OpenHow,
} from "./filesystem.ts";

const DEFAULT_LIMIT_BYTES = 64 << 20;
/** What a file, directory or link costs beside its contents. */
const NODE_COST = 512;
const NS_PER_MS = 1_000_000n;

export interface MemoryOptions {
  /** Of contents, names and links together; 64 MiB where left out. */
  readonly limitBytes?: number | undefined;
  /** Nanoseconds since 1970; the machine's clock where left out. */
  readonly nowNs?: (() => bigint) | undefined;
  /** Files that are there at the start, by path (`docs/a.txt`). */
  readonly files?: Readonly<Record<string, Uint8Array | string>> | undefined;
}

interface NodeBase {
  readonly id: number;
  links: number;
  accessNs: bigint;
  modificationNs: bigint;
  statusChangeNs: bigint;
}

interface FileNode extends NodeBase {
  readonly type: "regular-file";
  /** Longer than the file where it has grown: what is behind `size` is zero. */
  bytes: Uint8Array;
  size: number;
}

interface LinkNode extends NodeBase {
  readonly type: "symbolic-link";
  readonly target: string;
}

interface DirectoryNode extends NodeBase {
  readonly type: "directory";
  readonly entries: Map<string, Node>;
  parent: DirectoryNode | undefined;
}

type Node = FileNode | LinkNode | DirectoryNode;

let filesystems = 0;

class MemoryStore {
  readonly #number = filesystems++;
  readonly #limit: number;
  readonly nowNs: () => bigint;
  #used = 0;
  #nodes = 0;

  constructor({ limitBytes = DEFAULT_LIMIT_BYTES, nowNs }: MemoryOptions) {
    this.#limit = limitBytes;
    this.nowNs = nowNs ?? (() => BigInt(Date.now()) * NS_PER_MS);
  }

  /** @throws FileError `insufficient-space` */
  charge(bytes: number): void {
    if (this.#used + bytes > this.#limit) throw new FileError("insufficient-space");
    this.#used += bytes;
  }

  refund(bytes: number): void {
    this.#used -= bytes;
  }

  base(): NodeBase {
    this.charge(NODE_COST);
    const now = this.nowNs();
    return { id: this.#nodes++, links: 1, accessNs: now, modificationNs: now, statusChangeNs: now };
  }

  stat(node: Node): FileStat {
    const size = node.type === "regular-file" ? node.size : node.type === "symbolic-link" ? node.target.length : 0;
    const { type, links, accessNs, modificationNs, statusChangeNs } = node;
    const identity = `memory ${this.#number} ${node.id}`;
    return { type, linkCount: BigInt(links), size: BigInt(size), accessNs, modificationNs, statusChangeNs, identity };
  }

  touch(node: Node): void {
    node.modificationNs = node.statusChangeNs = this.nowNs();
  }

  setTimes(node: Node, { access, modification }: NewTimes): void {
    const time = (wanted: NewTime, old: bigint): bigint => (wanted === "keep" ? old : wanted === "now" ? this.nowNs() : wanted);
    node.accessNs = time(access, node.accessNs);
    node.modificationNs = time(modification, node.modificationNs);
    node.statusChangeNs = this.nowNs();
  }

  resize(file: FileNode, size: number): void {
    if (size > file.bytes.length) {
      if (size > this.#limit) throw new FileError("insufficient-space");
      const capacity = Math.min(Math.max(size, file.bytes.length * 2), this.#limit);
      const grown = this.#used + capacity - file.bytes.length <= this.#limit ? capacity : size;
      this.charge(grown - file.bytes.length);
      const bytes = new Uint8Array(grown);
      bytes.set(file.bytes.subarray(0, file.size));
      file.bytes = bytes;
    } else if (size < file.size) file.bytes.fill(0, size, file.size);
    file.size = size;
  }

  /** A name less for the node; its bytes are free when nothing has it open either. */
  unlink(node: Node): void {
    node.links--;
    node.statusChangeNs = this.nowNs();
    this.#freeIfUnused(node);
  }

  readonly #open = new Map<Node, number>();

  opened(node: Node): void {
    this.#open.set(node, (this.#open.get(node) ?? 0) + 1);
  }

  closed(node: Node): void {
    const left = (this.#open.get(node) ?? 1) - 1;
    if (left > 0) return void this.#open.set(node, left);
    this.#open.delete(node);
    this.#freeIfUnused(node);
  }

  #freeIfUnused(node: Node): void {
    if (node.links > 0 || this.#open.has(node)) return;
    this.refund(NODE_COST + (node.type === "regular-file" ? node.bytes.length : 0));
    if (node.type === "symbolic-link") this.refund(node.target.length);
    if (node.type === "regular-file") {
      node.bytes = new Uint8Array(0);
      node.size = 0;
    }
  }
}

class MemoryFile implements OpenFile {
  readonly kind = "file";
  readonly #store: MemoryStore;
  readonly #node: FileNode;
  #isOpen = true;

  constructor(store: MemoryStore, node: FileNode) {
    this.#store = store;
    this.#node = node;
    store.opened(node);
  }

  read(offset: number, length: number): Uint8Array {
    return this.#node.bytes.slice(Math.min(offset, this.#node.size), Math.min(offset + length, this.#node.size));
  }

  write(bytes: Uint8Array, offset: number | "end"): void {
    const node = this.#node;
    const at = offset === "end" ? node.size : offset;
    if (bytes.length === 0) return;
    if (at + bytes.length > node.size) this.#store.resize(node, at + bytes.length);
    node.bytes.set(bytes, at);
    this.#store.touch(node);
  }

  setSize(size: number): void {
    this.#store.resize(this.#node, size);
    this.#store.touch(this.#node);
  }

  stat(): FileStat {
    return this.#store.stat(this.#node);
  }

  setTimes(times: NewTimes): void {
    this.#store.setTimes(this.#node, times);
  }

  sync(): void {
    // Memory is as safe as it gets.
  }

  syncData(): void {
    // The same.
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#store.closed(this.#node);
  }
}

class MemoryDirectory implements OpenDirectory {
  readonly kind = "directory";
  readonly filesystem: MemoryStore;
  readonly #node: DirectoryNode;
  #isOpen = true;

  constructor(store: MemoryStore, node: DirectoryNode) {
    this.filesystem = store;
    this.#node = node;
    store.opened(node);
  }

  open(name: string, how: OpenHow): OpenFile | OpenDirectory {
    const node = this.#node.entries.get(name);
    if (node === undefined) return how.create ? this.#createFile(name) : fail("no-entry");
    if (how.create && how.exclusive) return fail("exist");
    if (node.type === "symbolic-link") return fail("loop");
    if (node.type === "directory") {
      return how.write ? fail("is-directory") : new MemoryDirectory(this.filesystem, node);
    }
    if (how.directory) return fail("not-directory");
    if (how.truncate) {
      this.filesystem.resize(node, 0);
      this.filesystem.touch(node);
    }
    return new MemoryFile(this.filesystem, node);
  }

  #createFile(name: string): OpenFile {
    const node: FileNode = { ...this.#newEntry(name), type: "regular-file", bytes: new Uint8Array(0), size: 0 };
    this.#put(name, node);
    return new MemoryFile(this.filesystem, node);
  }

  /** @throws FileError where the name is taken, the directory was removed, or there is no space */
  #newEntry(name: string): NodeBase {
    this.#checkCanAdd(name);
    const base = this.filesystem.base();
    try {
      this.filesystem.charge(name.length);
    } catch (error) {
      this.filesystem.refund(NODE_COST);
      throw error;
    }
    return base;
  }

  #checkCanAdd(name: string): void {
    if (this.#node.entries.has(name)) fail("exist");
    if (this.#node.links === 0) fail("no-entry");
    if (this.#node.entries.size >= MOST_ENTRIES) fail("insufficient-space");
  }

  #put(name: string, node: Node): void {
    this.#node.entries.set(name, node);
    this.filesystem.touch(this.#node);
  }

  #remove(name: string): void {
    this.#node.entries.delete(name);
    this.filesystem.refund(name.length);
    this.filesystem.touch(this.#node);
  }

  #entry(name: string): Node {
    return this.#node.entries.get(name) ?? fail("no-entry");
  }

  reopen(): OpenDirectory {
    return new MemoryDirectory(this.filesystem, this.#node);
  }

  stat(): FileStat {
    return this.filesystem.stat(this.#node);
  }

  statAt(name: string): FileStat {
    return this.filesystem.stat(this.#entry(name));
  }

  readLink(name: string): string {
    const node = this.#entry(name);
    return node.type === "symbolic-link" ? node.target : fail("invalid");
  }

  entries(): readonly DirectoryEntry[] {
    return [...this.#node.entries].map(([name, { type }]) => ({ name, type }));
  }

  createDirectory(name: string): void {
    this.#put(name, { ...this.#newEntry(name), type: "directory", entries: new Map(), parent: this.#node });
  }

  removeDirectory(name: string): void {
    const node = this.#entry(name);
    if (node.type !== "directory") return fail("not-directory");
    if (node.entries.size > 0) return fail("not-empty");
    this.#remove(name);
    this.filesystem.unlink(node);
  }

  removeFile(name: string): void {
    const node = this.#entry(name);
    if (node.type === "directory") return fail("is-directory");
    this.#remove(name);
    this.filesystem.unlink(node);
  }

  rename(name: string, to: OpenDirectory, newName: string): void {
    if (!(to instanceof MemoryDirectory) || to.filesystem !== this.filesystem) return fail("cross-device");
    const node = this.#entry(name);
    const old = to.#node.entries.get(newName);
    if (old === node) return;
    if (to.#node.links === 0) return fail("no-entry");
    if (node.type === "directory") {
      for (let at: DirectoryNode | undefined = to.#node; at !== undefined; at = at.parent)
        if (at === node) return fail("invalid");
    }
    if (old !== undefined) {
      if (node.type === "directory" && old.type !== "directory") return fail("not-directory");
      if (node.type !== "directory" && old.type === "directory") return fail("is-directory");
      if (old.type === "directory" && old.entries.size > 0) return fail("not-empty");
      to.#remove(newName);
      this.filesystem.unlink(old);
    } else to.#checkCanAdd(newName);
    this.filesystem.charge(newName.length);
    this.#remove(name);
    to.#put(newName, node);
    if (node.type === "directory") node.parent = to.#node;
  }

  link(name: string, to: OpenDirectory, newName: string): void {
    if (!(to instanceof MemoryDirectory) || to.filesystem !== this.filesystem) return fail("cross-device");
    const node = this.#entry(name);
    if (node.type === "directory") return fail("not-permitted");
    to.#checkCanAdd(newName);
    this.filesystem.charge(newName.length);
    node.links++;
    to.#put(newName, node);
  }

  createLink(target: string, name: string): void {
    const base = this.#newEntry(name);
    this.filesystem.charge(target.length);
    this.#put(name, { ...base, type: "symbolic-link", target });
  }

  setTimes(times: NewTimes): void {
    this.filesystem.setTimes(this.#node, times);
  }

  setTimesAt(name: string, times: NewTimes): void {
    this.filesystem.setTimes(this.#entry(name), times);
  }

  sync(): void {
    // Memory is as safe as it gets.
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.filesystem.closed(this.#node);
  }
}

function fail(code: FileError["code"]): never {
  throw new FileError(code);
}

const CREATE: OpenHow = { read: true, write: true, create: true, exclusive: false, truncate: true, directory: false };
const ENTER: OpenHow = { read: true, write: false, create: false, exclusive: false, truncate: false, directory: true };

/** A filesystem that lives as long as this object. */
export function memoryFilesystem(options: MemoryOptions = {}): Filesystem {
  const store = new MemoryStore(options);
  const root = new MemoryDirectory(store, { ...store.base(), type: "directory", entries: new Map(), parent: undefined });
  for (const [path, contents] of Object.entries(options.files ?? {})) addFile(root, path.split("/"), contents);
  return { waits: false, root };
}

function addFile(root: MemoryDirectory, names: readonly string[], contents: Uint8Array | string): void {
  let directory = root;
  for (const name of names.slice(0, -1)) {
    try {
      directory.createDirectory(name);
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== "exist") throw error;
    }
    const entered = directory.open(name, ENTER);
    if (entered instanceof MemoryDirectory) directory = entered;
  }
  const file = directory.open(names.at(-1) ?? "", CREATE);
  if (file instanceof MemoryFile) file.write(typeof contents === "string" ? new TextEncoder().encode(contents) : contents, 0);
}
