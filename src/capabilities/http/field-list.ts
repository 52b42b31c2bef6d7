// Header fields and trailers, beneath the `fields` of every version of `wasi:http/types`. Names are compared without regard to case;
// those of one name share the writing of the first. One list holds at most 128 KiB, counted as HTTP/2 counts header lists.

import { answerError, bytesOf } from "../guest.ts";
import type { HttpFields } from "./http-message.ts";
import { isFieldName, isFieldValue } from "./syntax.ts";

export const LARGEST_FIELDS_BYTES = 128 << 10;
/** What each entry costs beside its bytes (RFC 9113, section 6.5.2); so entries are bounded too, at 4096. */
const ENTRY_BYTES = 32;

/** Fields of one connection or of the host's own making: neither a guest nor a peer says them to the other. */
const FORBIDDEN = new Set([
  "connection",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

export type FieldEntry = [name: string, value: Uint8Array];

interface Entry {
  readonly name: string;
  readonly key: string;
  readonly value: Uint8Array;
}

function error(tag: "invalid-syntax" | "forbidden" | "immutable"): Error {
  return answerError({ tag });
}

export class FieldList {
  /** What is thrown where the list would grow over its bound. */
  readonly #tooLarge: (bytes: number) => Error;
  #entries: Entry[] = [];
  #bytes = 0;
  #frozen = false;

  constructor(tooLarge: (bytes: number) => Error) {
    this.#tooLarge = tooLarge;
  }

  get(name: string): Uint8Array[] {
    const key = name.toLowerCase();
    return this.#entries.filter((entry) => entry.key === key).map((entry) => entry.value.slice());
  }

  has(name: string): boolean {
    const key = name.toLowerCase();
    return this.#entries.some((entry) => entry.key === key);
  }

  set(name: string, values: readonly Uint8Array[]): void {
    const key = this.#writableKey(name);
    const added = values.map((value) => checkedEntry(name, key, value));
    const at = this.#entries.findIndex((entry) => entry.key === key);
    const before = at < 0 ? this.#entries : this.#entries.slice(0, at);
    const after = at < 0 ? [] : this.#entries.slice(at).filter((entry) => entry.key !== key);
    this.#replace([...before, ...added, ...after]);
  }

  delete(name: string): void {
    const key = this.#writableKey(name);
    this.#replace(this.#entries.filter((entry) => entry.key !== key));
  }

  append(name: string, value: Uint8Array): void {
    const key = this.#writableKey(name);
    const first = this.#entries.find((entry) => entry.key === key);
    this.#add(checkedEntry(first?.name ?? name, key, value));
  }

  entries(): FieldEntry[] {
    return this.#entries.map((entry) => [entry.name, entry.value.slice()]);
  }

  /** A list of its own that can be changed. */
  clone(): FieldList {
    const copy = new FieldList(this.#tooLarge);
    copy.#entries = [...this.#entries];
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** No more changes; gives itself. */
  freeze(): this {
    this.#frozen = true;
    return this;
  }

  /** The same values with no more changes, without a copy of the bytes. */
  frozenCopy(): FieldList {
    return this.#frozen ? this : this.clone().freeze();
  }

  /** As they go out: what belongs to the connection is left out. The arrays are the list's own. */
  plain(): HttpFields {
    const plain: (readonly [string, Uint8Array])[] = [];
    for (const { name, key, value } of this.#entries) if (!FORBIDDEN.has(key)) plain.push([name, value]);
    return plain;
  }

  /** As `contentLengthOf`. */
  promisedLength(): number | "wrong" | undefined {
    let found: Uint8Array | undefined;
    for (const { key, value } of this.#entries) {
      if (key !== CONTENT_LENGTH) continue;
      if (found !== undefined) return "wrong";
      found = value;
    }
    return found === undefined ? undefined : lengthIn(found);
  }

  /** Takes fields as they came in: what a guest could not have written is kept, what belongs to the connection is left out but `host`. */
  receive(fields: HttpFields): this {
    for (const [name, value] of fields) {
      const key = name.toLowerCase();
      if (key === "host" || !FORBIDDEN.has(key)) this.#add({ name, key, value });
    }
    return this;
  }

  #writableKey(name: string): string {
    if (this.#frozen) throw error("immutable");
    if (!isFieldName(name)) throw error("invalid-syntax");
    const key = name.toLowerCase();
    if (FORBIDDEN.has(key)) throw error("forbidden");
    return key;
  }

  #add(entry: Entry): void {
    this.#bytes = this.#checkedSize(this.#bytes + costOf(entry));
    this.#entries.push(entry);
  }

  #replace(entries: Entry[]): void {
    this.#bytes = this.#checkedSize(entries.reduce((sum, entry) => sum + costOf(entry), 0));
    this.#entries = entries;
  }

  #checkedSize(bytes: number): number {
    if (bytes > LARGEST_FIELDS_BYTES) throw this.#tooLarge(bytes);
    return bytes;
  }
}

function checkedEntry(name: string, key: string, value: Uint8Array): Entry {
  if (!isFieldValue(bytesOf(value))) throw error("invalid-syntax");
  return { name, key, value };
}

function costOf(entry: Entry): number {
  return entry.name.length + entry.value.length + ENTRY_BYTES;
}

/** What of a received message's fields fits into a list: `undefined` where they are too many. */
export function fieldBytes(fields: HttpFields): number {
  return fields.reduce((sum, [name, value]) => sum + name.length + value.length + ENTRY_BYTES, 0);
}

const CONTENT_LENGTH = "content-length";

/** The number of `content-length`; undefined where there is none, `"wrong"` where it is not one number. */
export function contentLengthOf(fields: HttpFields): number | "wrong" | undefined {
  let found: Uint8Array | undefined;
  for (const [name, value] of fields) {
    if (name.length !== CONTENT_LENGTH.length || name.toLowerCase() !== CONTENT_LENGTH) continue;
    if (found !== undefined) return "wrong";
    found = value;
  }
  return found === undefined ? undefined : lengthIn(found);
}

/** Above 2^53 it is not exact, and further than anything is long. */
function lengthIn(digits: Uint8Array): number | "wrong" {
  if (digits.length === 0 || digits.length > 19) return "wrong";
  let length = 0;
  for (const digit of digits) {
    if (digit < 0x30 || digit > 0x39) return "wrong";
    length = length * 10 + (digit - 0x30);
  }
  return length;
}
