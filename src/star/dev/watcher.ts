// Tells which files have changed, once they have come to rest: editors save in several steps, often a new file that they rename. Folders are
// watched, not files, so that what is replaced, deleted and made again is seen too. Bounds: MOST_FOLDERS; folders that tools fill are left out.

import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface WatchedPaths {
  /** Absolute; they need not be there. */
  readonly files: Iterable<string>;
  /** Absolute, with all that is in them. */
  readonly folders: Iterable<string>;
}

const MOST_FOLDERS = 2000;
/** Nothing may change for so long. */
const SETTLE_MS = 25;
/** Changes that never rest are told after this time all the same. */
const LONGEST_SETTLE_MS = 500;
const LEFT_OUT: ReadonlySet<string> = new Set(["node_modules", "target", "__pycache__"]);

interface WatchedFolder {
  readonly watcher: FSWatcher;
  /** Which folder it is: one that was deleted and made again is another. */
  readonly identity: string;
}

/** What is known of a file without reading it; undefined where there is none. */
export function stampOf(path: string): string | undefined {
  try {
    const { mtimeNs, size, ino, mode } = statSync(path, { bigint: true });
    return [mtimeNs, size, ino, mode].join(" ");
  } catch {
    return undefined;
  }
}

export class Watcher {
  readonly #onChange: (paths: ReadonlySet<string>) => void;
  readonly #open = new Map<string, WatchedFolder>();
  #files = new Set<string>();
  #folders: readonly string[] = [];
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #firstMs = 0;
  #isClosed = false;

  /** `onChange` gets the files that changed, and folders where it is not known which of their files did. */
  constructor(onChange: (paths: ReadonlySet<string>) => void) {
    this.#onChange = onChange;
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#open.size;
  }

  /** Watches these instead of those before. */
  watch({ files, folders }: WatchedPaths): void {
    this.#files = new Set(files);
    this.#folders = [...new Set(folders)];
    this.#openAll();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const { watcher } of this.#open.values()) watcher.close();
    this.#open.clear();
  }

  #openAll(): void {
    if (this.#isClosed) return;
    const wanted = new Set<string>();
    for (const file of this.#files) wanted.add(nearestFolder(dirname(file)));
    for (const folder of this.#folders) {
      if (identityOf(folder) === undefined) wanted.add(nearestFolder(dirname(folder)));
      else addTree(folder, wanted);
    }
    for (const [folder, { watcher, identity }] of this.#open) {
      if (wanted.has(folder) && identityOf(folder) === identity) continue;
      watcher.close();
      this.#open.delete(folder);
    }
    for (const folder of wanted) if (!this.#open.has(folder)) this.#openFolder(folder);
  }

  #openFolder(folder: string): void {
    const identity = identityOf(folder);
    if (identity === undefined) return;
    try {
      const watcher = watch(folder, { persistent: true }, (event, name) => this.#happened(folder, event, name));
      watcher.on("error", () => this.#happened(folder, "rename", null));
      this.#open.set(folder, { watcher, identity });
    } catch {
      // It went away meanwhile, or the system watches no more: what can be watched is.
    }
  }

  #happened(folder: string, event: string, name: string | null): void {
    const path = name === null ? folder : join(folder, name);
    // A folder tells its own end under its own name.
    if (event === "rename" && name === basename(folder) && !this.#concerns(path)) return this.#note(folder);
    if (name === null || this.#concerns(path) || this.#isWayTo(path)) this.#note(path);
  }

  #concerns(path: string): boolean {
    return this.#files.has(path) || this.#folders.some((folder) => isIn(folder, path) && !isLeftOut(folder, path));
  }

  /** A folder on the way to something that is watched came or went. */
  #isWayTo(path: string): boolean {
    return [...this.#files, ...this.#folders].some((wanted) => wanted === path || isIn(path, wanted));
  }

  #note(path: string): void {
    const now = performance.now();
    if (this.#changed.size === 0) this.#firstMs = now;
    this.#changed.add(path);
    clearTimeout(this.#timer);
    const left = LONGEST_SETTLE_MS - (now - this.#firstMs);
    this.#timer = setTimeout(() => this.#settled(), Math.max(0, Math.min(SETTLE_MS, left)));
  }

  #settled(): void {
    const changed = this.#changed;
    this.#changed = new Set();
    this.#openAll();
    this.#onChange(changed);
  }
}

function identityOf(folder: string): string | undefined {
  try {
    const stat = statSync(folder, { bigint: true });
    return stat.isDirectory() ? `${stat.dev} ${stat.ino} ${stat.birthtimeNs}` : undefined;
  } catch {
    return undefined;
  }
}

/** The folder itself, or the nearest one above it that is there. */
function nearestFolder(folder: string): string {
  let found = folder;
  while (identityOf(found) === undefined && dirname(found) !== found) found = dirname(found);
  return found;
}

/** A folder with those inside it; of more than are watched, those near the top. */
function addTree(root: string, wanted: Set<string>): void {
  const waiting = [root];
  for (let folder = waiting.shift(); folder !== undefined && wanted.size < MOST_FOLDERS; folder = waiting.shift()) {
    wanted.add(folder);
    for (const name of foldersIn(folder)) if (!isGenerated(name)) waiting.push(join(folder, name));
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function isGenerated(name: string): boolean {
  return name.startsWith(".") || name.endsWith("~") || LEFT_OUT.has(name);
}

/** Whether `path` is the folder, or lies somewhere in it. */
export function isIn(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function isLeftOut(folder: string, path: string): boolean {
  return path.slice(folder.length).split("/").some(isGenerated);
}
