// What things cost in units of fuel, beside the unit that every instruction costs; and which functions are paid by their callers.

import type { InstructionReader } from "./instructions.ts";
import { INSTRUCTIONS, Op } from "./instruction-table.ts";

/** What a call costs whose target is not known: it may be a function that does not pay for itself. */
export const UNKNOWN_CALL = 10;
export const GROWTH = 100;
/** Throwing, and going on to unwind one frame, takes about as long as this many instructions. */
export const UNWINDING = 500;
const TINY_BYTES = 100;
const TINY_COST = 40;
const TINY_LOCALS = 32;
/** So many locals are set up in about the time of an instruction; so many fields of a struct or an array are. */
export const LOCALS_PER_UNIT = 16;
export const FIELDS_PER_UNIT = 4;

/** No table has more elements than this, no memory more units: an operation of a greater size fails at once, whatever it was charged. */
export const TABLE_UNITS = 0xff_ffff;
export const MEMORY64_UNITS = 0xffff_ffff;

/** For operations that take longer the more they move: which power of two of the size costs a unit, plus one; for others 0. */
export const SIZE_UNITS: Uint8Array = sizeUnits();

function sizeUnits(): Uint8Array {
  const units = new Uint8Array(INSTRUCTIONS);
  for (const op of [Op.memoryInit, Op.memoryCopy, Op.memoryFill]) units[op] = 5;
  for (const op of [Op.tableInit, Op.tableCopy, Op.tableFill, Op.tableGrow]) units[op] = 1;
  for (const op of [Op.arrayNew, Op.arrayNewDefault, Op.arrayNewData, Op.arrayNewElem]) units[op] = 3;
  for (const op of [Op.arrayFill, Op.arrayCopy, Op.arrayInitData, Op.arrayInitElem]) units[op] = 3;
  return units;
}

export const TABLE_OPERATIONS: ReadonlySet<number> = new Set([Op.tableInit, Op.tableCopy, Op.tableFill, Op.tableGrow]);

/** Functions with these are never paid for by their callers. */
const PAYS_ITSELF: ReadonlySet<number> = new Set([
  Op.loop, Op.call, Op.callIndirect, Op.callRef, Op.returnCall, Op.returnCallIndirect, Op.returnCallRef, Op.memoryGrow,
  Op.try, Op.tryTable, Op.throw, Op.throwRef, Op.rethrow, Op.delegate, Op.atomicWait32, Op.atomicWait64, Op.structNewDefault,
]); // prettier-ignore

/**
 * What the callers of a function pay for it: its cost when it has few instructions, no loop, and calls nothing; otherwise 0.
 * The reader stands at the start of the body.
 */
export function tinyCost(reader: InstructionReader, end: number): number {
  if (end - reader.pos > TINY_BYTES) return 0;
  reader.end = end;
  let locals = 0;
  for (let groups = reader.count(); groups > 0; groups--) {
    locals += reader.u32();
    reader.valueType();
  }
  if (locals > TINY_LOCALS) return 0;
  // Locals are counted when the function is rewritten.
  reader.locals = Number.MAX_SAFE_INTEGER;
  reader.depth = 1;
  let cost = 0;
  while (reader.depth > 0) {
    reader.next();
    if (PAYS_ITSELF.has(reader.op) || (SIZE_UNITS[reader.op] ?? 0) > 0) return 0;
    if (reader.op !== Op.end && reader.op !== Op.block && reader.op !== Op.nop && reader.op !== Op.else) cost++;
  }
  return cost <= TINY_COST ? Math.max(1, cost) : 0;
}
