// `fields` of `wasi:http/types`: headers and trailers. Names keep their writing and are compared without regard to case; one
// `fields` holds at most 128 KiB, counted as HTTP/2 counts header lists.

import { answerError, bytesOf, tooMuch } from "../guest.ts";
import { isFieldName, isFieldValue } from "./syntax.ts";

const LARGEST_FIELDS_BYTES = 128 << 10;
/** What each entry costs beside its bytes (RFC 9113, section 6.5.2); so entries are bounded too, at 4096. */
const ENTRY_BYTES = 32;

/** Fields of one connection or of the host's own making: a message that a guest writes may not have them. */
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

interface EntryList {
  entries: Entry[];
  bytes: number;
}

function error(tag: "invalid-syntax" | "forbidden" | "immutable"): Error {
  return answerError({ tag });
}

/** A handle on the same entries that cannot change them. A function, not a method, so that no guest can name it. */
export let immutableView: (fields: Fields) => Fields;
/** Fields of a message that came in: they are what they are, so nothing is forbidden. */
export let receivedFields: (entries: readonly FieldEntry[]) => Fields;

export class Fields {
  #list: EntryList = { entries: [], bytes: 0 };
  #isImmutable = false;

  static {
    immutableView = (fields) => {
      const view = new Fields();
      view.#list = fields.#list;
      view.#isImmutable = true;
      return view;
    };
    receivedFields = (entries) => {
      const fields = new Fields();
      for (const [name, value] of entries) fields.#add({ name, key: name.toLowerCase(), value });
      fields.#isImmutable = true;
      return fields;
    };
  }

  static fromList(entries: readonly FieldEntry[]): Fields {
    const fields = new Fields();
    for (const [name, value] of entries) fields.append(name, value);
    return fields;
  }

  get(name: string): Uint8Array[] {
    const key = name.toLowerCase();
    return this.#list.entries.filter((entry) => entry.key === key).map((entry) => entry.value.slice());
  }

  has(name: string): boolean {
    const key = name.toLowerCase();
    return this.#list.entries.some((entry) => entry.key === key);
  }

  set(name: string, values: readonly Uint8Array[]): void {
    const key = this.#writableKey(name);
    const added = values.map((value) => checkedEntry(name, key, value));
    const at = this.#list.entries.findIndex((entry) => entry.key === key);
    const before = at < 0 ? this.#list.entries : this.#list.entries.slice(0, at);
    const after = at < 0 ? [] : this.#list.entries.slice(at).filter((entry) => entry.key !== key);
    this.#replace([...before, ...added, ...after]);
  }

  delete(name: string): void {
    const key = this.#writableKey(name);
    this.#replace(this.#list.entries.filter((entry) => entry.key !== key));
  }

  append(name: string, value: Uint8Array): void {
    const key = this.#writableKey(name);
    this.#add(checkedEntry(name, key, value));
  }

  entries(): FieldEntry[] {
    return this.#list.entries.map((entry) => [entry.name, entry.value.slice()]);
  }

  clone(): Fields {
    const copy = new Fields();
    copy.#list = { entries: [...this.#list.entries], bytes: this.#list.bytes };
    return copy;
  }

  #writableKey(name: string): string {
    if (this.#isImmutable) throw error("immutable");
    if (!isFieldName(name)) throw error("invalid-syntax");
    const key = name.toLowerCase();
    if (FORBIDDEN.has(key)) throw error("forbidden");
    return key;
  }

  #add(entry: Entry): void {
    this.#list.bytes = checkedSize(this.#list.bytes + costOf(entry));
    this.#list.entries.push(entry);
  }

  #replace(entries: Entry[]): void {
    this.#list.bytes = checkedSize(entries.reduce((sum, entry) => sum + costOf(entry), 0));
    this.#list.entries = entries;
  }
}

function checkedEntry(name: string, key: string, value: Uint8Array): Entry {
  if (!isFieldValue(bytesOf(value))) throw error("invalid-syntax");
  return { name, key, value };
}

function costOf(entry: Entry): number {
  return entry.name.length + entry.value.length + ENTRY_BYTES;
}

// No error of `header-error` says "too large", so the guest is stopped.
function checkedSize(bytes: number): number {
  if (bytes > LARGEST_FIELDS_BYTES) throw tooMuch(`${bytes} bytes of header fields`, LARGEST_FIELDS_BYTES);
  return bytes;
}
