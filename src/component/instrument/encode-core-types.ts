// Writes core value types, as `decode-core-types.ts` reads them.

import type { ByteWriter } from "./byte-writer.ts";
import type { CoreRefType, CoreValType } from "../component.ts";
import { HEAP_TYPES, NUMBER_TYPES } from "../decode-core-types.ts";

const CODES: ReadonlyMap<string, number> = new Map([...NUMBER_TYPES, ...HEAP_TYPES].map(([code, name]) => [name, code]));

const NULLABLE = 0x63;
const NOT_NULLABLE = 0x64;

export function writeValType(out: ByteWriter, type: CoreValType): void {
  if (typeof type === "string") out.byte(CODES.get(type) ?? 0);
  else writeRefType(out, type);
}

export function writeRefType(out: ByteWriter, { nullable, heap }: CoreRefType): void {
  out.byte(nullable ? NULLABLE : NOT_NULLABLE);
  writeHeapType(out, heap);
}

export function writeHeapType(out: ByteWriter, heap: CoreRefType["heap"]): void {
  if (typeof heap === "string") out.byte(CODES.get(heap) ?? 0);
  else out.signed(heap);
}
