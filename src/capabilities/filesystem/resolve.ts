// Walks a guest's path from an open directory, one name at a time. Every directory on the way is held open, and `..` goes back to
// the one that was come from: so links, renames and swaps while it walks cannot lead above the start. Absolute paths and links, and
// `..` above the start, are `not-permitted`. Bounded: 4096 bytes and 255 a name, 40 links, 128 directories deep.

import { later, type Steps } from "../steps.ts";
import { FileError, type OpenDirectory, type OpenHow } from "./filesystem.ts";

const LONGEST_PATH = 4096;
const LONGEST_NAME = 255;
const MOST_LINKS = 40;
const DEEPEST = 128;

const AS_DIRECTORY: OpenHow = {
  read: true,
  write: false,
  create: false,
  exclusive: false,
  truncate: false,
  directory: true,
};

/** Where a path leads: a name in a directory, which need not exist; or the directory itself where `name` is undefined. */
export interface Place {
  readonly directory: OpenDirectory;
  readonly name: string | undefined;
  /** The path ends in `/`: what it names has to be a directory. */
  readonly mustBeDirectory: boolean;
}

/** A path that leads above the directory where it starts. */
export class LeadsOutside extends FileError {
  constructor() {
    super("not-permitted");
  }
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return text.length * 3 <= LONGEST_NAME ? text.length : encoder.encode(text).length;
}

/** A guest's path as names. @throws FileError */
function namesOf(path: string): string[] {
  if (path === "") throw new FileError("no-entry");
  if (path.length > LONGEST_PATH || encoder.encode(path).length > LONGEST_PATH) throw new FileError("name-too-long");
  if (path.includes("\0")) throw new FileError("invalid");
  if (path.startsWith("/")) throw new LeadsOutside();
  const names = path.split("/");
  if (names.some((name) => byteLength(name) > LONGEST_NAME)) throw new FileError("name-too-long");
  return names;
}

/** One walk. Whoever starts it calls `release` at the end, which closes what was opened on the way. */
export class Walk {
  readonly #start: OpenDirectory;
  readonly #opened: OpenDirectory[] = [];
  /** The names still to come, the next one last. */
  readonly #names: string[];
  #links = 0;

  constructor(start: OpenDirectory, path: string) {
    this.#start = start;
    this.#names = namesOf(path).toReversed();
  }

  /** Goes as far as the last name, which is not looked at unless it is a link that is to be followed. */
  *toPlace(followLast: boolean): Steps<Place> {
    for (;;) {
      const place = yield* this.#toLastName();
      const { directory, name, mustBeDirectory } = place;
      if (name === undefined || !(followLast || mustBeDirectory)) return place;
      const target = yield* linkAt(directory, name);
      if (target === undefined) return place;
      this.follow(target, mustBeDirectory);
    }
  }

  /** Goes to the last name without asking whether it is a link. */
  *#toLastName(): Steps<Place> {
    for (;;) {
      const name = this.#names.pop();
      if (name === undefined) return { directory: this.#top, name: undefined, mustBeDirectory: true };
      if (name === "" || name === ".") continue;
      if (name === "..") {
        yield* this.#up();
        continue;
      }
      if (this.#names.every((rest) => rest === "")) {
        return { directory: this.#top, name, mustBeDirectory: this.#names.length > 0 };
      }
      yield* this.#into(name);
    }
  }

  /** Goes on with what a link holds, from the directory that the link is in. */
  follow(target: string, mustBeDirectory: boolean): void {
    if (++this.#links > MOST_LINKS) throw new FileError("loop");
    const names = namesOf(target).toReversed();
    this.#names.push(...(mustBeDirectory && this.#names.length === 0 ? [""] : []), ...names);
  }

  *release(): Steps<void> {
    for (const directory of this.#opened.splice(0)) yield* later(directory.close());
  }

  get #top(): OpenDirectory {
    return this.#opened.at(-1) ?? this.#start;
  }

  *#up(): Steps<void> {
    const left = this.#opened.pop();
    if (left === undefined) throw new LeadsOutside();
    yield* later(left.close());
  }

  *#into(name: string): Steps<void> {
    if (this.#opened.length >= DEEPEST) throw new FileError("name-too-long");
    const directory = this.#top;
    try {
      const entered = yield* later(directory.open(name, AS_DIRECTORY));
      if (entered.kind === "directory") this.#opened.push(entered);
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== "loop") throw error;
      this.follow(yield* later(directory.readLink(name)), false);
    }
  }
}

/** What the link of that name holds; undefined where it is no link, or nothing. */
function* linkAt(directory: OpenDirectory, name: string): Steps<string | undefined> {
  try {
    return yield* later(directory.readLink(name));
  } catch (error) {
    if (error instanceof FileError && (error.code === "invalid" || error.code === "no-entry")) return undefined;
    throw error;
  }
}
