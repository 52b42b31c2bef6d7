// A bounded reader over the bytes of a WebAssembly binary. Every read is checked against the end of what is being read, every
// count against the bytes that are left, and nesting and the number of items have limits: hostile bytes end in one
// `component/malformed` error that names the byte.

import { StarlaneError } from "../base/errors.ts";

/** How deep components, component types and module types may be nested. */
export const MAX_NESTING = 100;
/** How many items (definitions, declarations, sections, elements of vectors) a component file may have in all. */
export const MAX_ITEMS = 250_000;
/** The same for a core module, whose functions are counted too. */
export const MAX_CORE_ITEMS = 2_000_000;

const LONGEST_MESSAGE = 1000;

/** The error for bytes that do not follow the binary format; `offset` counts from the start of the file. */
export function malformed(offset: number, message: string, cure?: string): StarlaneError {
  return new StarlaneError("component/malformed", message, { at: placeOfByte(offset), cure, data: { offset } });
}

/** The error for a component that decodes but breaks a rule; `offset` is that of the definition at fault. */
export function invalid(offset: number, message: string, cure?: string): StarlaneError {
  // Names that nest in each other add up.
  const shown = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
  return new StarlaneError("component/invalid", shown, { at: placeOfByte(offset), cure, data: { offset } });
}

/** How a place in a binary is written in errors: `byte 0x1f`. */
function placeOfByte(offset: number): string {
  return `byte 0x${offset.toString(16)}`;
}

/** A byte as it is written in the specification: `0x0d`. */
export function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const LONGEST_ASCII = 64;

/** Short ASCII text, which is nearly every name, several times faster than the decoder gives it. */
function asciiOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > LONGEST_ASCII) return undefined;
  let text = "";
  for (const byte of bytes) {
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

export class ByteReader {
  readonly bytes: Uint8Array;
  /** Added to every reported offset: where `bytes` lies in the file it came from. */
  readonly base: number;
  pos: number;
  end: number;
  #depth = 0;
  #items = 0;
  readonly #maxItems: number;

  constructor(bytes: Uint8Array, base = 0, maxItems = MAX_ITEMS) {
    this.bytes = bytes;
    this.base = base;
    this.#maxItems = maxItems;
    this.pos = 0;
    this.end = bytes.length;
  }

  /** The offset of the next byte, counted from the start of the file. */
  get offset(): number {
    return this.base + this.pos;
  }

  get remaining(): number {
    return this.end - this.pos;
  }

  /** The error for the byte at `pos` (by default the next one). */
  fail(message: string, pos = this.pos): StarlaneError {
    return malformed(this.base + pos, message);
  }

  peek(): number | undefined {
    return this.pos < this.end ? this.bytes[this.pos] : undefined;
  }

  byte(what: string): number {
    const value = this.pos < this.end ? this.bytes[this.pos] : undefined;
    if (value === undefined) throw this.fail(`unexpected end: expected ${what}`);
    this.pos++;
    return value;
  }

  /** Reads one byte that must be `expected`. */
  expect(expected: number, what: string): void {
    const at = this.pos;
    const value = this.byte(what);
    if (value !== expected) throw this.fail(`expected ${what} (${hexByte(expected)}), found ${hexByte(value)}`, at);
  }

  /** A byte that may only be 0 or 1. */
  flag(what: string): boolean {
    const at = this.pos;
    const value = this.byte(what);
    if (value > 1) throw this.fail(`${what} must be 0x00 or 0x01, found ${hexByte(value)}`, at);
    return value === 1;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(what: string): number {
    const at = this.pos;
    const first = this.peek();
    if (first !== undefined && first < 0x80) {
      this.pos++;
      return first;
    }
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte(what);
      if (shift === 28 && byte > 0x0f)
        throw this.fail(byte > 0x7f ? `${what}: integer is too long` : `${what}: integer is too large`, at);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw this.fail(`${what}: integer is too long`, at);
  }

  /** An unsigned LEB128 of at most 64 bits. */
  u64(what: string): bigint {
    const at = this.pos;
    let value = 0n;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte(what);
      if (shift === 63 && byte > 0x01)
        throw this.fail(byte > 0x7f ? `${what}: integer is too long` : `${what}: integer is too large`, at);
      value |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return value;
    }
    throw this.fail(`${what}: integer is too long`, at);
  }

  /** A signed LEB128 of at most `bits` (7 to 64) bits. */
  signed(bits: number, what: string): bigint {
    const at = this.pos;
    const longest = Math.ceil(bits / 7);
    let value = 0n;
    for (let i = 0; i < longest; i++) {
      const byte = this.byte(what);
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte >= 0x80) continue;
      const result = BigInt.asIntN(7 * (i + 1), value);
      if (result !== BigInt.asIntN(bits, result)) throw this.fail(`${what}: integer is too large`, at);
      return result;
    }
    throw this.fail(`${what}: integer is too long`, at);
  }

  /** A signed LEB128 of at most 33 bits, as core WebAssembly writes heap types and component types write value types. */
  s33(what: string): number {
    return Number(this.signed(33, what));
  }

  /** The next `length` bytes, without a copy. */
  take(length: number, what: string): Uint8Array {
    if (length > this.remaining) throw this.fail(`unexpected end: ${what} needs ${length} bytes, ${this.remaining} are left`);
    const start = this.pos;
    this.pos += length;
    return this.bytes.subarray(start, this.pos);
  }

  /** A length and that many bytes of strict UTF-8. */
  name(what: string): string {
    const length = this.u32(`length of ${what}`);
    const at = this.pos;
    const bytes = this.take(length, what);
    try {
      return asciiOf(bytes) ?? utf8.decode(bytes);
    } catch {
      throw this.fail(`${what} is not valid UTF-8`, at);
    }
  }

  /** A count that cannot be right when there are fewer bytes left than `count` items of at least one byte take. */
  count(what: string): number {
    const at = this.pos;
    const count = this.u32(`number of ${what}`);
    if (count > this.remaining) throw this.fail(`unexpected end: ${count} ${what} do not fit in ${this.remaining} bytes`, at);
    return count;
  }

  /** A counted vector of items. */
  vec<T>(what: string, read: (reader: ByteReader) => T): T[] {
    const count = this.count(what);
    const items: T[] = [];
    for (let i = 0; i < count; i++) {
      this.item();
      items.push(read(this));
    }
    return items;
  }

  /** `0x00`, or `0x01` and an item. */
  optional<T>(what: string, read: (reader: ByteReader) => T): T | undefined {
    return this.flag(what) ? read(this) : undefined;
  }

  /** Reads the next `length` bytes with `read`, which must use all of them. */
  within<T>(length: number, what: string, read: (reader: ByteReader) => T): T {
    if (length > this.remaining) throw this.fail(`unexpected end: ${what} needs ${length} bytes, ${this.remaining} are left`);
    const outerEnd = this.end;
    this.end = this.pos + length;
    const result = read(this);
    if (this.pos !== this.end) throw this.fail(`${what} is longer than what it holds`);
    this.end = outerEnd;
    return result;
  }

  /** Reads one level deeper; too many levels are an error, so that recursion is bounded. */
  nested<T>(what: string, read: (reader: ByteReader) => T): T {
    if (++this.#depth > MAX_NESTING) throw this.fail(`${what} is nested more than ${MAX_NESTING} levels deep`);
    const result = read(this);
    this.#depth--;
    return result;
  }

  /** Counts one item against the limit and gives its offset. */
  item(): number {
    if (++this.#items > this.#maxItems) throw this.fail(`there are more than ${this.#maxItems} items`);
    return this.offset;
  }
}
