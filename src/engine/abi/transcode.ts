// A string from one guest's memory straight into another's. The calls of `realloc`, their sizes and their order are the
// specification's, because a guest can see them. Source: Canonical ABI, `store_string_into_range` and what it calls.

import type { AbiContext } from "./context.ts";
import { type GuestString, tagUtf16, textOf } from "./strings.ts";

const encoder = new TextEncoder();

/** Leaves pointer and tagged length in `cx.outPointer`, `cx.outLength`. */
export function transcodeString(cx: AbiContext, source: GuestString, fromLatin1OrUtf16: boolean): void {
  switch (cx.encoding) {
    case "utf8":
      if (source.encoding === "utf8") return copy(cx, source, 1, 1);
      return toUtf8(cx, source, source.encoding === "utf16" ? 3 : 2);
    case "utf16":
      if (source.encoding === "utf8") return utf8ToUtf16(cx, source);
      return copy(cx, source, 2, 2);
    case "latin1+utf16":
      if (!fromLatin1OrUtf16) return toLatin1OrUtf16(cx, source);
      if (source.encoding === "latin1") return copy(cx, source, 1, 2);
      return probablyUtf16(cx, source);
  }
}

function done(cx: AbiContext, at: number, tagged: number): void {
  cx.outPointer = at;
  cx.outLength = tagged;
}

/** `store_string_copy`: the code units as they are, widened where Latin-1 becomes UTF-16. */
function copy(cx: AbiContext, source: GuestString, unitBytes: 1 | 2, align: 1 | 2): void {
  const at = cx.allocate(align, unitBytes * source.units, "string");
  if (source.encoding !== "latin1") textOf(source); // traps where the source is not well-formed
  const { bytes } = cx.memory;
  const from = source.memory.bytes.subarray(source.at, source.at + source.bytes);
  if (source.bytes === unitBytes * source.units) bytes.set(from, at);
  else writeUtf16(bytes, at, textOf(source));
  done(cx, at, source.units);
}

/** `store_string_to_utf8`: hopes for ASCII, grows to the worst case once, then shrinks to fit. */
function toUtf8(cx: AbiContext, source: GuestString, worstPerUnit: 2 | 3): void {
  const at = cx.allocate(1, source.units, "string");
  const encoded = encoder.encode(textOf(source));
  if (encoded.length === source.units) {
    cx.memory.bytes.set(encoded, at);
    return done(cx, at, source.units);
  }
  done(cx, growThenFit(cx, at, source.units, 1, source.units * worstPerUnit, encoded), encoded.length);
}

function utf8ToUtf16(cx: AbiContext, source: GuestString): void {
  const worst = 2 * source.units;
  const at = cx.allocate(2, worst, "string");
  const encoded = utf16Of(textOf(source));
  cx.memory.bytes.set(encoded, at);
  const fitted = encoded.length < worst ? cx.reallocate(at, worst, 2, encoded.length, "string") : at;
  done(cx, fitted, encoded.length / 2);
}

/** `store_string_to_latin1_or_utf16`. */
function toLatin1OrUtf16(cx: AbiContext, source: GuestString): void {
  const at = cx.allocate(2, source.units, "string");
  const text = textOf(source);
  if (isLatin1(text)) {
    writeLatin1(cx.memory.bytes, at, text);
    return done(cx, text.length < source.units ? cx.reallocate(at, source.units, 2, text.length, "string") : at, text.length);
  }
  const encoded = utf16Of(text);
  const fitted = growThenFit(cx, at, source.units, 2, 2 * source.units, encoded);
  done(cx, fitted, tagUtf16(cx, encoded.length / 2));
}

/** `store_probably_utf16_to_latin1_or_utf16`: keeps UTF-16 unless all of it fits Latin-1. */
function probablyUtf16(cx: AbiContext, source: GuestString): void {
  const at = cx.allocate(2, source.bytes, "string");
  const text = textOf(source);
  cx.memory.bytes.set(source.memory.bytes.subarray(source.at, source.at + source.bytes), at);
  if (!isLatin1(text)) return done(cx, at, tagUtf16(cx, source.units));
  writeLatin1(cx.memory.bytes, at, text);
  done(cx, cx.reallocate(at, source.bytes, 1, text.length, "string"), text.length);
}

function growThenFit(cx: AbiContext, at: number, size: number, align: 1 | 2, worst: number, encoded: Uint8Array): number {
  const grown = cx.reallocate(at, size, align, worst, "string");
  cx.memory.bytes.set(encoded, grown);
  return worst > encoded.length ? cx.reallocate(grown, worst, align, encoded.length, "string") : grown;
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x100) return false;
  return true;
}

function writeLatin1(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

function writeUtf16(bytes: Uint8Array, at: number, text: string): void {
  const units = new Uint16Array(bytes.buffer, at, text.length);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
}

function utf16Of(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * text.length);
  writeUtf16(bytes, 0, text);
  return bytes;
}
