// Finds and reads the files of an app. What a person typed or wrote in a manifest becomes a real file or an error that says what
// is there instead. Sizes are bounded: a file is looked at before it is read.

import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { nearest } from "../base/diagnostics.ts";
import { StarlaneError } from "../base/errors.ts";

export const MANIFEST_NAMES = ["starlane.yaml", "starlane.yml", "starlane.json"];

const LARGEST_COMPONENT = 512 * 1024 * 1024;
/** A little above what the manifest's parser takes, so that its own message is the one people see. */
const LARGEST_MANIFEST = 64 * 1024 * 1024;

export type FoundFile = { readonly kind: "manifest" | "wasm"; readonly path: string } | FileProblem;

export interface FileProblem {
  readonly problem: string;
  readonly cure?: string | undefined;
}

/** Finds what a path names: a manifest, a folder with one in it, or a component binary. Links are followed. */
export function findComponentFile(path: string): FoundFile {
  const found = statOf(path);
  if (found === undefined) return notThere(path);
  if (found === "denied") return { problem: `${shown(path)} may not be read` };
  if (found.isDirectory()) return findManifest(path);
  if (!found.isFile()) return { problem: `${shown(path)} is neither a file nor a folder` };
  const ending = extname(path).toLowerCase();
  if (ending === ".yaml" || ending === ".yml" || ending === ".json") return { kind: "manifest", path: realpathSync(path) };
  if (ending === ".wasm" || startsLikeWasm(path)) return { kind: "wasm", path: realpathSync(path) };
  return { problem: `${shown(path)} is neither a manifest (.yaml) nor a component (.wasm)` };
}

function findManifest(folder: string): FoundFile {
  for (const name of MANIFEST_NAMES) {
    const path = join(folder, name);
    const found = statOf(path);
    if (found !== undefined && found !== "denied" && found.isFile()) return { kind: "manifest", path: realpathSync(path) };
  }
  const names = namesIn(folder);
  const other = names.filter((name) => /\.(ya?ml|wasm)$/i.test(name));
  return {
    problem: `the folder ${shown(folder)} has no starlane.yaml`,
    cure:
      other.length > 0
        ? `name a file in it: ${listed(other)}`
        : `what is there: ${names.length === 0 ? "nothing" : listed(names)}`,
  };
}

function notThere(path: string): FileProblem {
  let folder = dirname(resolve(path));
  let missing = basename(path);
  while (statOf(folder) === undefined && dirname(folder) !== folder) {
    missing = basename(folder);
    folder = dirname(folder);
  }
  const names = namesIn(folder);
  const meant = nearest(missing, names);
  const here = shown(folder);
  const where = here === "." ? "this folder" : here;
  return {
    problem: `there is no ${shown(path)}`,
    cure:
      meant === undefined
        ? `in ${where} there is: ${names.length === 0 ? "nothing" : listed(names)}`
        : `did you mean ${meant}? (in ${where})`,
  };
}

/** Why a path names no file that could be read; undefined: it names one (or a pipe or device, which can be read too). */
export function fileProblem(path: string): FileProblem | undefined {
  const found = statOf(path);
  if (found === undefined) return notThere(path);
  if (found === "denied") return { problem: `${shown(path)} may not be read` };
  if (found.isDirectory()) return { problem: `${shown(path)} is a folder, not a file` };
  return mayUse(path, constants.R_OK) ? undefined : { problem: `${shown(path)} may not be read` };
}

/** Why a path names no folder that could be read; undefined: it does. */
export function folderProblem(path: string): FileProblem | undefined {
  const found = statOf(path);
  if (found === undefined) return notThere(path);
  if (found === "denied") return { problem: `${shown(path)} may not be read` };
  if (!found.isDirectory()) return { problem: `${shown(path)} is no folder` };
  return mayUse(path, constants.R_OK | constants.X_OK) ? undefined : { problem: `${shown(path)} may not be read` };
}

/** Why a folder could not be used, or made with the folders above it. */
export function madeFolderProblem(path: string): FileProblem | undefined {
  return statOf(path) === undefined ? parentProblem(path) : folderProblem(path);
}

/** Why a file could not be opened to write, or made with the folders above it. */
export function madeFileProblem(path: string): FileProblem | undefined {
  const found = statOf(path);
  if (found === undefined) return parentProblem(path);
  if (found === "denied") return { problem: `${shown(path)} may not be read` };
  if (found.isDirectory()) return { problem: `${shown(path)} is a folder, not a file` };
  return mayUse(path, constants.R_OK | constants.W_OK) ? undefined : { problem: `${shown(path)} may not be written` };
}

/** The nearest folder above that is there: the rest is made in it. */
function parentProblem(path: string): FileProblem | undefined {
  let folder = dirname(path);
  while (statOf(folder) === undefined && dirname(folder) !== folder) folder = dirname(folder);
  const found = statOf(folder);
  const why = (problem: string): FileProblem => ({ problem: `${shown(path)} cannot be made: ${shown(folder)} ${problem}` });
  if (found === undefined || found === "denied") return why("may not be read");
  if (!found.isDirectory()) return why("is no folder");
  return mayUse(folder, constants.W_OK | constants.X_OK) ? undefined : why("may not be written");
}

function mayUse(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** @throws StarlaneError `star/file` */
export function readComponentFile(path: string): Uint8Array {
  return readBounded(path, LARGEST_COMPONENT);
}

/** The same, read on another thread while this one is busy. */
export async function readComponentFileLater(path: string): Promise<Uint8Array> {
  const file = openBounded(path, LARGEST_COMPONENT);
  if (file === undefined) return readComponentFile(path);
  try {
    const bytes = Buffer.allocUnsafeSlow(file.size);
    const count = await new Promise<number>((resolve, reject) => {
      read(file.fd, bytes, 0, file.size, 0, (error, n) => (error === null ? resolve(n) : reject(error)));
    });
    // A file that has just changed its size.
    return count === file.size ? bytes : readComponentFile(path);
  } finally {
    closeSync(file.fd);
  }
}

/** Undefined where it cannot be opened, is too large, or is no file. */
function openBounded(path: string, largest: number): { readonly fd: number; readonly size: number } | undefined {
  let fd: number | undefined;
  try {
    if (!statSync(path).isFile()) return undefined;
    fd = openSync(path, "r");
    const { size } = fstatSync(fd);
    if (size <= largest) return { fd, size };
  } catch {
    // Reading it in the usual way tells why.
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

/** The text of a manifest; bytes that are no UTF-8 become the replacement character. @throws StarlaneError `star/file` */
export function readManifestFile(path: string): string {
  return new TextDecoder().decode(readBounded(path, LARGEST_MANIFEST));
}

function readBounded(path: string, largest: number): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > largest) {
      throw new StarlaneError("star/too-large", `${shown(path)} has ${size} bytes; at most ${largest} are read`);
    }
    return readFileSync(path);
  } catch (error) {
    if (error instanceof StarlaneError) throw error;
    throw new StarlaneError("star/file", `${shown(path)} could not be read`, { cause: error });
  }
}

/** A path as people like it: relative to the folder they are in where that is shorter. */
export function shown(path: string): string {
  const absolute = resolve(path);
  const near = relative(process.cwd(), absolute);
  if (near === "") return ".";
  return near.length <= absolute.length ? near : absolute;
}

function statOf(path: string): ReturnType<typeof statSync> | "denied" | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "EACCES" || code === "EPERM" || code === "ELOOP" ? "denied" : undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .toSorted();
  } catch {
    return [];
  }
}

function listed(names: readonly string[]): string {
  return names.length > 8 ? `${names.slice(0, 8).join(", ")} and ${names.length - 8} more` : names.join(", ");
}

function startsLikeWasm(path: string): boolean {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const start = new Uint8Array(4);
    return readSync(file, start) === 4 && start.every((byte, i) => byte === [0, 0x61, 0x73, 0x6d][i]);
  } catch {
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
