// Strings between guests and the host, in each of the three encodings of the canonical ABI.
// Source: Canonical ABI, `load_string_from_range`, `store_string_into_range`.

import { badValue } from "../bad-value.ts";
import { trap } from "../trap.ts";
import { type AbiContext, utf16Tag } from "./context.ts";
import { checkRange, type LinearMemory } from "./memory.ts";

/** Canonical ABI, MAX_STRING_BYTE_LENGTH. */
const MAX_STRING_BYTES = 2 ** 28 - 1;

export type SimpleEncoding = "utf8" | "utf16" | "latin1";

/** A string that stays in the memory of the guest it comes from until another guest's memory takes it. */
export interface GuestString {
  readonly memory: LinearMemory;
  readonly at: number;
  readonly bytes: number;
  /** Code units of its encoding. */
  readonly units: number;
  readonly encoding: SimpleEncoding;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Where a string lies, checked; nothing is decoded yet. */
export function locateString(cx: AbiContext, at: number, tagged: number): GuestString {
  const { memory } = cx;
  const { encoding, units } = untag(cx, tagged);
  const bytes = encoding === "utf16" ? 2 * units : units;
  if (bytes > MAX_STRING_BYTES) trap("string is too long");
  checkRange(memory, at, bytes, cx.encoding === "utf8" ? 1 : 2, "string");
  return { memory, at, bytes, units, encoding };
}

function untag(cx: AbiContext, tagged: number): { encoding: SimpleEncoding; units: number } {
  if (cx.encoding !== "latin1+utf16") return { encoding: cx.encoding, units: tagged };
  const tag = utf16Tag(cx.pointer);
  return tagged >= tag ? { encoding: "utf16", units: tagged - tag } : { encoding: "latin1", units: tagged };
}

/** The JS string at a place in guest memory. */
export function liftString(cx: AbiContext, at: number, tagged: number): string {
  if (cx.encoding === "utf8") {
    if (tagged > MAX_STRING_BYTES) trap("string is too long");
    const { memory } = cx;
    if (!memory.holds(at + tagged)) trap("string: pointer/length out of bounds of memory");
    cx.spend(tagged);
    const { bytes } = memory;
    return tagged <= SHORT ? decodeShort(bytes, at, tagged) : decodeUtf8(bytes.subarray(at, at + tagged));
  }
  const source = locateString(cx, at, tagged);
  cx.spend(2 * source.units);
  return textOf(source);
}

// Up to here a loop over ASCII beats calling the decoder, and the encoder.
const SHORT = 16;

/** Eight characters at a time: making the string costs more than looking at the bytes. */
function decodeShort(bytes: Uint8Array, at: number, length: number): string {
  const end = at + length;
  let text = "";
  let seen = 0;
  let i = at;
  for (; i + 8 <= end; i += 8) {
    const a = bytes[i] as number;
    const b = bytes[i + 1] as number;
    const c = bytes[i + 2] as number;
    const d = bytes[i + 3] as number;
    const e = bytes[i + 4] as number;
    const f = bytes[i + 5] as number;
    const g = bytes[i + 6] as number;
    const h = bytes[i + 7] as number;
    seen |= a | b | c | d | e | f | g | h;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; i < end; i++) {
    const byte = bytes[i] as number;
    seen |= byte;
    text += String.fromCharCode(byte);
  }
  return seen < 0x80 ? text : decodeUtf8(bytes.subarray(at, end));
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return trap("string: invalid utf-8, or an incomplete utf-8 byte sequence");
  }
}

export function textOf(source: GuestString): string {
  const bytes = source.memory.bytes.subarray(source.at, source.at + source.bytes);
  switch (source.encoding) {
    case "utf8":
      return decodeUtf8(bytes);
    case "utf16":
      try {
        return utf16.decode(bytes);
      } catch {
        return trap("string: invalid utf-16, an unpaired surrogate");
      }
    case "latin1":
      return decodeLatin1(bytes);
  }
}

const CHUNK = 8192;

function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  return text;
}

const SCRATCH_BYTES = 16 * 1024;
let scratch: Uint8Array | undefined;

/** Puts a JS string into guest memory; leaves pointer and tagged length in `cx.outPointer`, `cx.outLength`. */
export function lowerString(cx: AbiContext, value: unknown): void {
  if (typeof value !== "string") badValue("a string", value);
  if (cx.encoding === "utf8") return lowerUtf8(cx, value);
  if (!value.isWellFormed()) badValue("a string without unpaired surrogates", value);
  if (value.length * 2 > MAX_STRING_BYTES)
    badValue(`a string of at most ${MAX_STRING_BYTES} bytes`, `${value.length} characters`);
  if (cx.encoding === "utf16" || !isLatin1(value)) {
    writeCodeUnits(cx, value, 2);
    cx.outLength = cx.encoding === "utf16" ? value.length : tagUtf16(cx, value.length);
  } else {
    writeCodeUnits(cx, value, 1);
    cx.outLength = value.length;
  }
}

function lowerUtf8(cx: AbiContext, text: string): void {
  const { length } = text;
  if (length <= SHORT && isAscii(text)) {
    const at = cx.allocate(1, length, "string");
    const { bytes } = cx.memory;
    for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
    cx.outPointer = at;
    cx.outLength = length;
    return;
  }
  const encoded = encodeUtf8(text);
  if (encoded.length !== length && !text.isWellFormed()) badValue("a string without unpaired surrogates", text);
  if (encoded.length > MAX_STRING_BYTES) badValue(`a string of at most ${MAX_STRING_BYTES} bytes`, `${encoded.length} bytes`);
  const at = cx.allocate(1, encoded.length, "string");
  cx.memory.bytes.set(encoded, at);
  cx.outPointer = at;
  cx.outLength = encoded.length;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return false;
  return true;
}

/** The bytes of a text, in a buffer that the next call reuses. */
function encodeUtf8(text: string): Uint8Array {
  if (text.length * 3 > SCRATCH_BYTES) return encoder.encode(text);
  scratch ??= new Uint8Array(SCRATCH_BYTES);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x100) return false;
  return true;
}

function writeCodeUnits(cx: AbiContext, text: string, unitBytes: 1 | 2): void {
  const at = cx.allocate(2, text.length * unitBytes, "string");
  const { bytes } = cx.memory;
  if (unitBytes === 1) {
    for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  } else {
    const units = new Uint16Array(bytes.buffer, at, text.length);
    for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  }
  cx.outPointer = at;
}

export function tagUtf16(cx: AbiContext, units: number): number {
  return units + utf16Tag(cx.pointer);
}
