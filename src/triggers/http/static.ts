// Static routes: files of a folder, with ranges and conditions. Nothing outside the folder is reached, through links neither; names
// that start with a dot are not there. Source: RFC 9110 (sections 13, 14).

import { constants } from "node:fs";
import { open, realpath, type FileHandle } from "node:fs/promises";
import { join, sep } from "node:path";
import { byteRange } from "./byte-range.ts";
import { fieldOf } from "./exchange.ts";
import type { Handle, HeaderPair, PlainRequest, PlainResponse, StaticRoute } from "./http.ts";
import { mediaTypeOfFile } from "./media-types.ts";
import { problemResponse } from "./problem.ts";
import { parsePattern } from "./router.ts";
import { splitTarget } from "./target.ts";

interface OpenFile extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly etag: string;
}

export function staticHandle(route: StaticRoute): Handle {
  const last = parsePattern(route.path).segments.at(-1);
  const restName = last?.kind === "rest" ? last.name : undefined;
  const index = route.index ?? "index.html";
  return async (request, context) => {
    const rest = restName === undefined ? undefined : (context.params.get(restName) ?? "");
    const { path, query } = splitTarget(request.path);
    const found = await find(route, rest === undefined ? path.slice(path.lastIndexOf("/") + 1) : rest, index, path.endsWith("/"));
    if (found === "folder") {
      return { status: 308, headers: [["location", `/${path.replace(/^\/+/, "")}/${query === undefined ? "" : `?${query}`}`]] };
    }
    if (found !== undefined) return answer(request, found, 200, route);
    const fallback = route.fallback === undefined ? undefined : await openBelow(route.folder, route.fallback.file.split("/"));
    if (route.fallback === undefined || fallback === undefined || fallback === "folder") return problemResponse(404);
    return answer(request, fallback, route.fallback.status, route);
  };
}

/** The file, or that of a folder's index; `folder`: its path lacks the slash that links inside of it need. */
async function find(
  route: StaticRoute,
  rest: string,
  index: string,
  hasSlash: boolean,
): Promise<OpenFile | "folder" | undefined> {
  const segments = rest.split("/").filter((segment, i, all) => segment !== "" || (i > 0 && i < all.length - 1));
  if (segments.some(isHidden)) return undefined;
  const found = await openBelow(route.folder, segments);
  if (found === "folder" && !hasSlash) {
    const inside = await openBelow(route.folder, [...segments, index]);
    if (inside === undefined || inside === "folder") return undefined;
    await inside.handle.close();
    return "folder";
  }
  if (found === "folder") {
    const inside = await openBelow(route.folder, [...segments, index]);
    return inside === "folder" ? undefined : inside;
  }
  if (found !== undefined && hasSlash) {
    await found.handle.close();
    return undefined;
  }
  return found;
}

/** Dot segments are refused for every route; here also what is a path of its own on some system. */
function isHidden(segment: string): boolean {
  return segment === "" || segment.startsWith(".") || /[\\:\0/]/.test(segment);
}

async function openBelow(folder: string, segments: readonly string[]): Promise<OpenFile | "folder" | undefined> {
  try {
    const root = await realpath(folder);
    const path = await realpath(join(root, ...segments));
    if (path !== root && !path.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
    return await openFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** `O_NOFOLLOW`: a link put there since would lead out. `O_NONBLOCK`: opening a named pipe would wait for a writer. */
async function openFile(path: string): Promise<OpenFile | "folder" | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stat = await handle.stat({ bigint: true });
  if (!stat.isFile()) {
    await handle.close();
    return stat.isDirectory() ? "folder" : undefined;
  }
  const etag = `"${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}"`;
  const dispose = (): Promise<void> => handle.close();
  return { handle, path, size: Number(stat.size), modifiedMs: Number(stat.mtimeMs), etag, [Symbol.asyncDispose]: dispose };
}

const MISSING: ReadonlySet<unknown> = new Set([
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "EPERM",
  "ELOOP",
  "ENAMETOOLONG",
  "EINVAL",
  "ENXIO",
]);

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && MISSING.has(error.code);
}

async function answer(request: PlainRequest, file: OpenFile, status: 200 | 404, route: StaticRoute): Promise<PlainResponse> {
  const validators: readonly HeaderPair[] = [
    ["etag", file.etag],
    ["last-modified", new Date(file.modifiedMs).toUTCString()],
    ["cache-control", route.cacheControl ?? "no-cache"],
  ];
  const verdict = status === 200 ? conditionsOf(request, file) : "whole";
  const whole: readonly HeaderPair[] = [
    ["content-type", mediaTypeOfFile(file.path)],
    ["x-content-type-options", "nosniff"],
    ...validators,
  ];
  if (verdict !== "whole" && verdict !== "range") {
    await file.handle.close();
    return verdict === 304 ? { status: 304, headers: validators } : problemResponse(412);
  }
  const range = verdict === "range" ? byteRange(fieldOf(request, "range"), file.size) : undefined;
  if (range === "unsatisfiable") {
    await file.handle.close();
    return problemResponse(416, { headers: [["content-range", `bytes */${file.size}`]] });
  }
  const [start, end] = range === undefined ? [0, file.size - 1] : [range.start, range.end];
  const headers: HeaderPair[] = [...whole, ["accept-ranges", "bytes"], ["content-length", String(end - start + 1)]];
  if (range !== undefined) headers.push(["content-range", `bytes ${start}-${end}/${file.size}`]);
  return { status: range === undefined ? status : 206, headers, body: new FileBody(file, start, end) };
}

/** What the request's conditions lead to. `range`: the range that is asked for counts. */
function conditionsOf(request: PlainRequest, file: OpenFile): "whole" | "range" | 304 | 412 {
  const match = fieldOf(request, "if-match");
  const unmodified = dateOf(fieldOf(request, "if-unmodified-since"));
  if (match !== undefined ? !lists(match, file.etag, "strong") : unmodified !== undefined && isNewer(file, unmodified))
    return 412;
  const noneMatch = fieldOf(request, "if-none-match");
  const modified = dateOf(fieldOf(request, "if-modified-since"));
  if (noneMatch !== undefined ? lists(noneMatch, file.etag, "weak") : modified !== undefined && !isNewer(file, modified))
    return 304;
  const ifRange = fieldOf(request, "if-range");
  if (ifRange === undefined) return "range";
  if (ifRange.startsWith('"')) return ifRange === file.etag ? "range" : "whole";
  const since = dateOf(ifRange);
  return since !== undefined && !isNewer(file, since) ? "range" : "whole";
}

function lists(field: string, etag: string, comparison: "strong" | "weak"): boolean {
  if (field.trim() === "*") return true;
  return field.split(",").some((item) => {
    const tag = item.trim();
    return tag === etag || (comparison === "weak" && tag === `W/${etag}`);
  });
}

function dateOf(field: string | undefined): number | undefined {
  const ms = field === undefined ? NaN : Date.parse(field);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Dates in fields have whole seconds. */
function isNewer(file: OpenFile, sinceMs: number): boolean {
  return Math.floor(file.modifiedMs / 1000) * 1000 > sinceMs;
}

const CHUNK_BYTES = 64 * 1024;

/** The bytes of an open file; it is closed with the last one, or when nobody wants more. */
class FileBody implements AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly #file: OpenFile;
  readonly #end: number;
  #position: number;

  constructor(file: OpenFile, start: number, end: number) {
    this.#file = file;
    this.#position = start;
    this.#end = end;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next(), return: () => this.#close() };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const wanted = Math.min(CHUNK_BYTES, this.#end - this.#position + 1);
    if (wanted <= 0) return this.#close();
    const { bytesRead, buffer } = await this.#file.handle.read(Buffer.allocUnsafe(wanted), 0, wanted, this.#position);
    // A file that became shorter ends early: the response breaks off.
    if (bytesRead === 0) return this.#close();
    this.#position += bytesRead;
    return { done: false, value: buffer.subarray(0, bytesRead) };
  }

  async #close(): Promise<IteratorResult<Uint8Array>> {
    await this[Symbol.asyncDispose]();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.handle.close();
  }
}
