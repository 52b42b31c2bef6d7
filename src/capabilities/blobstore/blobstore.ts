// The contract of a blob store: one container of named objects, read and written as streams. An object is there whole or not at all.
// Bounded: names, pages, and what is kept in memory of one object.

import type { Maybe } from "../../engine/async/maybe.ts";
import { type Address, type AddressForm, badAddress, parseAddress, plainName } from "../resources/address.ts";
import { isLonger, type OpenSettings, overLimit } from "../resources/resource.ts";

/** In UTF-8. */
export const LARGEST_NAME_BYTES = 1024;
export const LARGEST_PAGE_NAMES = 1000;

export interface BlobInfo {
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
}

export type BlobBytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface BlobBody {
  /** Of what is read, not of the whole object. */
  readonly sizeBytes: number;
  /** To be read once; what is not read to its end is to be returned (`iterator.return`). Stays as it was when the read began. */
  readonly bytes: BlobBytes;
}

export interface NamePage {
  readonly names: readonly string[];
  readonly cursor: string | undefined;
}

/** Methods throw or reject with StarlaneError `resource/…`. */
export interface BlobStore {
  /** When the container was made, milliseconds since 1970; 0 where nobody knows. */
  createdMs(): Maybe<number>;
  info(name: string): Maybe<BlobInfo | undefined>;
  /** The bytes from `start` up to, not including, `end`, as far as there are any; undefined where there is no such object. */
  read(name: string, start: number, end: number): Maybe<BlobBody | undefined>;
  /** Takes all bytes, then replaces the object in one step; where the bytes or the signal fail, it is as it was. */
  write(name: string, bytes: BlobBytes, signal?: AbortSignal): Promise<void>;
  /** Names in no order that means anything. */
  list(cursor: string | undefined, limit: number): Maybe<NamePage>;
  /** What is not there is passed over. */
  delete(names: readonly string[]): Maybe<void>;
  close(): Maybe<void>;
}

export type BlobAddress =
  | { readonly kind: "memory" }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "nats"; readonly server: Address; readonly bucket: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly endpoint: URL; readonly region: string; readonly server: Address };

const WHAT = "a blob store";

const FORMS: Readonly<Record<string, AddressForm>> = {
  memory: { kind: "bare", example: "memory:" },
  folder: { kind: "path", example: "folder:./pictures" },
  nats: { kind: "server", example: "nats://HOST:4222/BUCKET", path: "required" },
  s3: { kind: "server", example: "s3://BUCKET?region=eu-west-1", options: ["endpoint", "region"] },
};

/** Checks an address without opening anything. @throws StarlaneError `resource/bad-address` */
export function parseBlobStoreAddress(text: string): BlobAddress {
  const address = parseAddress(text, WHAT, FORMS);
  switch (address.scheme) {
    case "memory":
      return { kind: "memory" };
    case "folder":
      return { kind: "folder", path: address.path };
    case "nats":
      return { kind: "nats", server: address, bucket: plainName(address.path, WHAT) };
    default:
      return s3Address(address);
  }
}

function s3Address(server: Address): BlobAddress {
  const region = server.options.get("region") ?? "us-east-1";
  const endpoint = server.options.get("endpoint") ?? `https://s3.${region}.amazonaws.com`;
  const examples = ["s3://BUCKET?endpoint=https://HOST:9000"];
  if (!/^[a-z0-9-]{1,40}$/.test(region)) throw badAddress(WHAT, "has a region that cannot be one", examples);
  if (!/^[a-zA-Z0-9._-]{1,63}$/.test(server.host)) throw badAddress(WHAT, "has a name that no bucket can have", examples);
  if (!URL.canParse(endpoint) || !/^https?:\/\/[^@?#]+$/.test(endpoint)) {
    throw badAddress(WHAT, "has an endpoint that is no http or https address", examples);
  }
  return { kind: "s3", bucket: server.host, endpoint: new URL(endpoint), region, server };
}

export interface BlobSettings extends OpenSettings {}

/** @throws StarlaneError `resource/limit` */
export function checkName(name: string): void {
  if (name === "") throw overLimit("the name of an object has to have at least 1 character", 1);
  if (isLonger(name, LARGEST_NAME_BYTES)) throw overLimit("the name of an object has too many bytes", LARGEST_NAME_BYTES);
}

/** Sorted names behind the cursor. */
export function pageOf(names: readonly string[], cursor: string | undefined, limit: number): NamePage {
  const count = Math.max(1, Math.min(limit, LARGEST_PAGE_NAMES));
  const rest = names.filter((name) => cursor === undefined || name > cursor).toSorted();
  const page = rest.slice(0, count);
  return { names: page, cursor: rest.length > count ? page.at(-1) : undefined };
}

/** What `start` and `end` leave of an object. */
export function rangeOf(sizeBytes: number, start: number, end: number): { readonly start: number; readonly end: number } {
  const first = Math.min(Math.max(0, start), sizeBytes);
  return { start: first, end: Math.max(first, Math.min(end, sizeBytes)) };
}
