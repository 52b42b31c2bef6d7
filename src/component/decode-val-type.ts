// Decodes a reference to a value type: one byte for a primitive, else an index.

import type { PrimitiveKind } from "../wit/types.ts";
import { hexByte, type ByteReader } from "./binary.ts";
import type { ValTypeRef } from "./component.ts";

export const PRIMITIVES = new Map<number, PrimitiveKind>([
  [0x7f, "bool"],
  [0x7e, "s8"],
  [0x7d, "u8"],
  [0x7c, "s16"],
  [0x7b, "u16"],
  [0x7a, "s32"],
  [0x79, "u32"],
  [0x78, "s64"],
  [0x77, "u64"],
  [0x76, "f32"],
  [0x75, "f64"],
  [0x74, "char"],
  [0x73, "string"],
  [0x64, "error-context"],
]);

/** `valtype`: a primitive, or the index of a defined type. */
export function readValType(reader: ByteReader): ValTypeRef {
  const at = reader.pos;
  const code = reader.peek();
  const primitive = PRIMITIVES.get(code ?? -1);
  if (primitive !== undefined) {
    reader.pos++;
    return primitive;
  }
  const index = reader.s33("value type");
  if (index < 0) throw reader.fail(`unknown value type ${hexByte(code ?? 0)}`, at);
  return index;
}
