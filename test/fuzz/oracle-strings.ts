// Canonical ABI, slow and direct: strings as code points, and how they get from one memory into another.

import { alignUp } from "./oracle-layout.ts";
import { type Encoding, OracleTrap, type Side } from "./oracle-side.ts";

/** A string as it was lifted: its characters, and how its sender had it. `units` carries the sender's tag, if there is one. */
export interface PlainText {
  readonly points: readonly number[];
  readonly encoding: Encoding;
  readonly units: number;
  /** Of `latin1+utf16`: whether it lay in UTF-16. */
  readonly wide: boolean;
}

const LONGEST = 2 ** 28 - 1;

export function utf16Tag(side: Side): bigint {
  return 1n << BigInt(side.pointer * 8 - 1);
}

/** Characters from a pointer and a length, which may be tagged. */
export function loadText(side: Side, begin: bigint, tagged: bigint): PlainText {
  const tag = utf16Tag(side);
  const wide = side.encoding === "latin1+utf16" && (tagged & tag) !== 0n;
  const units = wide ? tagged ^ tag : tagged;
  const unitBytes = side.encoding === "utf16" || wide ? 2n : 1n;
  const length = units * unitBytes;
  if (length > BigInt(LONGEST)) throw new OracleTrap("string too long");
  if (side.encoding !== "utf8" && begin % 2n !== 0n) throw new OracleTrap("string not aligned");
  if (begin + length > BigInt(side.memory().length)) throw new OracleTrap("string out of bounds");
  side.spend(Number(length));
  const bytes = side.memory().subarray(Number(begin), Number(begin + length));
  const points = unitBytes === 2n ? decodeUtf16(bytes) : side.encoding === "utf8" ? decodeUtf8(bytes) : [...bytes];
  return { points, encoding: side.encoding, units: Number(units), wide };
}

function decodeUtf8(bytes: Uint8Array): number[] {
  const points: number[] = [];
  let i = 0;
  while (i < bytes.length) {
    const lead = bytes[i++] ?? 0;
    const more = lead < 0x80 ? 0 : lead < 0xc0 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf8 ? 3 : -1;
    if (more < 0) throw new OracleTrap("not utf-8");
    let point = more === 0 ? lead : lead & (0x3f >> more);
    for (let k = 0; k < more; k++) {
      const next = bytes[i++];
      if (next === undefined || next >> 6 !== 2) throw new OracleTrap("not utf-8");
      point = (point << 6) | (next & 0x3f);
    }
    const least = [0, 0x80, 0x800, 0x10000][more] ?? 0;
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) throw new OracleTrap("not utf-8");
    points.push(point);
  }
  return points;
}

function decodeUtf16(bytes: Uint8Array): number[] {
  const points: number[] = [];
  for (let i = 0; i < bytes.length; i += 2) {
    const unit = (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8);
    if (unit < 0xd800 || unit >= 0xe000) {
      points.push(unit);
      continue;
    }
    i += 2;
    const low = i < bytes.length ? (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8) : 0;
    if (unit >= 0xdc00 || low < 0xdc00 || low >= 0xe000) throw new OracleTrap("unpaired surrogate");
    points.push(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
  }
  return points;
}

export function encodeUtf8(points: readonly number[]): number[] {
  return points.flatMap((p) => {
    if (p < 0x80) return [p];
    if (p < 0x800) return [0xc0 | (p >> 6), 0x80 | (p & 0x3f)];
    if (p < 0x10000) return [0xe0 | (p >> 12), 0x80 | ((p >> 6) & 0x3f), 0x80 | (p & 0x3f)];
    return [0xf0 | (p >> 18), 0x80 | ((p >> 12) & 0x3f), 0x80 | ((p >> 6) & 0x3f), 0x80 | (p & 0x3f)];
  });
}

export function encodeUtf16(points: readonly number[]): number[] {
  return points.flatMap((p) => {
    const units = p < 0x10000 ? [p] : [0xd800 + ((p - 0x10000) >> 10), 0xdc00 + ((p - 0x10000) & 0x3ff)];
    return units.flatMap((unit) => [unit & 0xff, unit >> 8]);
  });
}

interface Placed {
  readonly begin: number;
  readonly tagged: bigint;
}

export function storeText(side: Side, text: PlainText): Placed {
  const from = text.encoding === "latin1+utf16" ? (text.wide ? "utf16" : "latin1") : text.encoding;
  switch (side.encoding) {
    case "utf8":
      if (from === "utf8") return storeCopy(side, text, 1, 1, encodeUtf8(text.points));
      return storeAsUtf8(side, text, from === "utf16" ? 3 : 2);
    case "utf16":
      if (from === "utf8") return storeUtf8AsUtf16(side, text);
      return storeCopy(side, text, 2, 2, encodeUtf16(text.points));
    case "latin1+utf16":
      if (text.encoding !== "latin1+utf16") return storeAsLatin1OrUtf16(side, text);
      return text.wide ? storeProbablyUtf16(side, text) : storeCopy(side, text, 1, 2, text.points);
  }
}

/** Asks for memory, and holds the answer against the two rules for it. */
export function reallocate(side: Side, old: number, oldSize: number, align: number, size: number): number {
  const at = side.realloc(old, oldSize, align, size);
  if (at !== alignUp(at, align)) throw new OracleTrap("realloc: not aligned");
  if (at + size > side.memory().length) throw new OracleTrap("realloc: out of bounds");
  return at;
}

function storeCopy(side: Side, text: PlainText, unitBytes: 1 | 2, align: 1 | 2, encoded: readonly number[]): Placed {
  const size = unitBytes * text.units;
  const begin = reallocate(side, 0, 0, align, size);
  if (encoded.length !== size) throw new Error("the oracle is wrong about the size of a copied string");
  side.memory().set(encoded, begin);
  return { begin, tagged: BigInt(text.units) };
}

function storeAsUtf8(side: Side, text: PlainText, worstPerUnit: 2 | 3): Placed {
  let begin = reallocate(side, 0, 0, 1, text.units);
  const plainAscii = text.points.findIndex((p) => p >= 0x80);
  side.memory().set(plainAscii < 0 ? text.points : text.points.slice(0, plainAscii), begin);
  if (plainAscii < 0) return { begin, tagged: BigInt(text.units) };
  const worst = text.units * worstPerUnit;
  begin = reallocate(side, begin, text.units, 1, worst);
  const encoded = encodeUtf8(text.points);
  side.memory().set(encoded.slice(plainAscii), begin + plainAscii);
  if (worst > encoded.length) begin = reallocate(side, begin, worst, 1, encoded.length);
  return { begin, tagged: BigInt(encoded.length) };
}

function storeUtf8AsUtf16(side: Side, text: PlainText): Placed {
  const worst = 2 * text.units;
  let begin = reallocate(side, 0, 0, 2, worst);
  const encoded = encodeUtf16(text.points);
  side.memory().set(encoded, begin);
  if (encoded.length < worst) begin = reallocate(side, begin, worst, 2, encoded.length);
  return { begin, tagged: BigInt(encoded.length / 2) };
}

function storeAsLatin1OrUtf16(side: Side, text: PlainText): Placed {
  let begin = reallocate(side, 0, 0, 2, text.units);
  const narrow = text.points.findIndex((p) => p >= 0x100);
  side.memory().set(narrow < 0 ? text.points : text.points.slice(0, narrow), begin);
  if (narrow < 0) {
    const size = text.points.length;
    if (size < text.units) begin = reallocate(side, begin, text.units, 2, size);
    return { begin, tagged: BigInt(size) };
  }
  const worst = 2 * text.units;
  begin = reallocate(side, begin, text.units, 2, worst);
  const encoded = encodeUtf16(text.points);
  side.memory().set(encoded, begin);
  if (worst > encoded.length) begin = reallocate(side, begin, worst, 2, encoded.length);
  return { begin, tagged: BigInt(encoded.length / 2) | utf16Tag(side) };
}

function storeProbablyUtf16(side: Side, text: PlainText): Placed {
  const size = 2 * text.units;
  let begin = reallocate(side, 0, 0, 2, size);
  side.memory().set(encodeUtf16(text.points), begin);
  if (text.points.some((p) => p >= 0x100)) return { begin, tagged: BigInt(text.units) | utf16Tag(side) };
  side.memory().set(text.points, begin);
  begin = reallocate(side, begin, size, 1, text.points.length);
  return { begin, tagged: BigInt(text.points.length) };
}
