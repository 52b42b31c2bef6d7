// `memory.grow` for a memory whose size is kept in a global: it may already be bigger than the guest has been told.

import type { ByteWriter } from "./byte-writer.ts";
import { NO_VALUES, Op, ValueType } from "./instruction-table.ts";

/** More pages than this no memory has; sizes up to it are added without overflow. */
const MOST_PAGES = 2 ** 32;

/** The body of `(pages to add) -> (pages before, or -1)`. */
export function growBody(out: ByteWriter, memory: number, pages: number, wide: boolean): void {
  const [delta, wanted, real, before] = [0, 1, 2, 3];
  const widen = (): ByteWriter => (wide ? out : out.byte(Op.i64ExtendI32U));
  const narrow = (): ByteWriter => (wide ? out : out.byte(Op.i32WrapI64));
  const fail = (): ByteWriter => {
    out
      .byte(Op.if)
      .byte(NO_VALUES)
      .byte(wide ? Op.i64Const : Op.i32Const)
      .signed(-1)
      .byte(Op.return);
    return out.byte(Op.end);
  };
  out
    .unsigned(2)
    .unsigned(2)
    .byte(ValueType.i64)
    .unsigned(1)
    .byte(wide ? ValueType.i64 : ValueType.i32);
  if (wide) {
    out.byte(Op.localGet).unsigned(delta).byte(Op.i64Const).signed(MOST_PAGES).byte(Op.i64GtU);
    fail();
  }
  out.byte(Op.globalGet).unsigned(pages).byte(Op.localSet).unsigned(before);
  out.byte(Op.localGet).unsigned(before);
  widen().byte(Op.localGet).unsigned(delta);
  widen().byte(Op.i64Add).byte(Op.localSet).unsigned(wanted);
  out.byte(Op.memorySize).unsigned(memory);
  widen().byte(Op.localSet).unsigned(real);
  out.byte(Op.localGet).unsigned(wanted).byte(Op.localGet).unsigned(real).byte(Op.i64GtU).byte(Op.if).byte(NO_VALUES);
  out.byte(Op.localGet).unsigned(wanted).byte(Op.localGet).unsigned(real).byte(Op.i64Sub).byte(Op.i64Const).signed(MOST_PAGES);
  out.byte(Op.i64GeU);
  fail();
  out.byte(Op.localGet).unsigned(wanted).byte(Op.localGet).unsigned(real).byte(Op.i64Sub);
  narrow().byte(Op.memoryGrow).unsigned(memory);
  out
    .byte(wide ? Op.i64Const : Op.i32Const)
    .signed(-1)
    .byte(wide ? Op.i64Eq : Op.i32Eq);
  fail().byte(Op.end);
  out.byte(Op.localGet).unsigned(wanted);
  narrow().byte(Op.globalSet).unsigned(pages);
  out.byte(Op.localGet).unsigned(before).byte(Op.end);
}
