// Edits a core module that a compiler made: exports get the names that WIT gives them, custom sections (names, producers, debug
// information) go, so that the result does not depend on where it was built. Trusts the compiler: bounds are checked, types not.

import type { ExportNames } from "./recipes.ts";

const CUSTOM_SECTION = 0;
const EXPORT_SECTION = 7;
const HEADER_BYTES = 8;

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.at];
  if (byte === undefined) throw new Error("the core module ends too early");
  reader.at += 1;
  return byte;
}

function readNumber(reader: Reader): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = readByte(reader);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new Error("the core module has a number of more than 32 bits");
}

function readBytes(reader: Reader, length: number): Uint8Array {
  if (length > reader.bytes.length - reader.at) throw new Error("the core module ends too early");
  reader.at += length;
  return reader.bytes.subarray(reader.at - length, reader.at);
}

function number(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

function renamedExports(section: Uint8Array, names: ExportNames): number[] {
  const reader = { bytes: section, at: 0 };
  const count = readNumber(reader);
  const out = number(count);
  for (let n = 0; n < count; n++) {
    const name = new TextDecoder().decode(readBytes(reader, readNumber(reader)));
    const renamed = new TextEncoder().encode(names[name] ?? name);
    out.push(...number(renamed.length), ...renamed, readByte(reader), ...number(readNumber(reader)));
  }
  return out;
}

/** The module without custom sections, and with the exports that have another name in `names` under that one. */
export function finishCoreModule(module: Uint8Array, names: ExportNames = {}): Uint8Array {
  const reader: Reader = { bytes: module, at: 0 };
  const parts: Uint8Array[] = [readBytes(reader, HEADER_BYTES)];
  while (reader.at < module.length) {
    const id = readByte(reader);
    const section = readBytes(reader, readNumber(reader));
    if (id === CUSTOM_SECTION) continue;
    const content = id === EXPORT_SECTION ? Uint8Array.from(renamedExports(section, names)) : section;
    parts.push(Uint8Array.of(id, ...number(content.length)), content);
  }
  return new Uint8Array(Buffer.concat(parts));
}
