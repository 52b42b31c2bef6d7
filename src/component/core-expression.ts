// Steps over constant expressions: the initial values of core globals and tables.

import { hexByte, type ByteReader } from "./binary.ts";
import { readHeapType } from "./decode-core-types.ts";

/** Moves the reader behind the `end` of a constant expression. */
export function skipConstantExpression(reader: ByteReader): void {
  for (;;) {
    const at = reader.pos;
    const opcode = reader.byte("constant expression");
    if (opcode === 0x0b) return;
    if (!skipImmediates(reader, opcode)) throw reader.fail(`instruction ${hexByte(opcode)} is not constant`, at);
  }
}

function skipImmediates(reader: ByteReader, opcode: number): boolean {
  switch (opcode) {
    case 0x23: // global.get
    case 0xd2: // ref.func
      reader.u32("index");
      return true;
    case 0x41:
      reader.signed(32, "i32.const");
      return true;
    case 0x42:
      reader.signed(64, "i64.const");
      return true;
    case 0x43:
      reader.take(4, "f32.const");
      return true;
    case 0x44:
      reader.take(8, "f64.const");
      return true;
    case 0x6a: // i32.add, sub, mul
    case 0x6b:
    case 0x6c:
    case 0x7c: // i64.add, sub, mul
    case 0x7d:
    case 0x7e:
      return true;
    case 0xd0:
      readHeapType(reader);
      return true;
    case 0xfb:
      return skipGcImmediates(reader, reader.u32("GC instruction"));
    case 0xfd:
      if (reader.u32("vector instruction") !== 12) return false;
      reader.take(16, "v128.const");
      return true;
    default:
      return false;
  }
}

function skipGcImmediates(reader: ByteReader, opcode: number): boolean {
  switch (opcode) {
    case 0: // struct.new, struct.new_default
    case 1:
    case 6: // array.new, array.new_default
    case 7:
      reader.u32("type index");
      return true;
    case 8: // array.new_fixed
      reader.u32("type index");
      reader.u32("length");
      return true;
    case 26: // any.convert_extern, extern.convert_any, ref.i31
    case 27:
    case 28:
      return true;
    default:
      return false;
  }
}
