// Follows straight code to find stores whose page is marked already: those to a place near an earlier one, by the same local, as in the
// fields of a struct or a stack frame. What is known ends where ways of the code meet. Bounds: so many marks are remembered.

import { WINDOW } from "./dirty-map.ts";
import { Op, instruction, INSTRUCTIONS } from "./instruction-table.ts";
import type { InstructionReader } from "./instructions.ts";

const MOST_MARKS = 32;
const MOST_OPERANDS = 64;
/** The operand is no local as it is now. */
const OTHER = -1;

/** What an instruction does to the operands and marks that are known. */
const Effect = {
  /** Its operands are not counted: those below are not known any more. */
  forget: 0,
  /** Ways of the code meet. */
  meet: 1,
  nothing: 2,
  push: 3,
  pop: 4,
  /** One operand, one result. */
  unary: 5,
  binary: 6,
  select: 7,
  localGet: 8,
  localSet: 9,
  localTee: 10,
  /** An address and a value. */
  store: 11,
} as const;

const EFFECTS: Uint8Array = effects();

function effects(): Uint8Array {
  const table = new Uint8Array(INSTRUCTIONS);
  for (const op of [Op.loop, Op.else, Op.end, Op.catch, Op.catchAll, Op.delegate]) table[op] = Effect.meet;
  table[Op.nop] = Effect.nothing;
  table[Op.drop] = table[Op.globalSet] = Effect.pop;
  table[Op.select] = Effect.select;
  table[Op.localGet] = Effect.localGet;
  table[Op.localSet] = Effect.localSet;
  table[Op.localTee] = Effect.localTee;
  table[Op.globalGet] = table[Op.memorySize] = Effect.push;
  table.fill(Effect.unary, Op.firstLoad, Op.lastLoad + 1);
  table.fill(Effect.store, Op.lastLoad + 1, Op.memorySize);
  table.fill(Effect.push, Op.i32Const, Op.i32Eqz);
  table.fill(Effect.binary, Op.i32Eqz, Op.i32WrapI64);
  // Tests for zero, then counting of bits and rounding.
  for (const [first, last] of [
    [0x45, 0x45],
    [0x50, 0x50],
    [0x67, 0x69],
    [0x79, 0x7b],
    [0x8b, 0x91],
    [0x99, 0x9f],
  ] as const)
    // prettier-ignore
    table.fill(Effect.unary, first, last + 1);
  table.fill(Effect.unary, Op.i32WrapI64, Op.lastNumeric + 1);
  table.fill(Effect.unary, instruction(0xfc, 0), instruction(0xfc, 7) + 1);
  return table;
}

export class KnownMarks {
  /** The locals that the topmost operands come from. */
  readonly #operands = new Int32Array(MOST_OPERANDS);
  #depth = 0;
  /** What is marked: windows of locals. */
  readonly #locals = new Int32Array(MOST_MARKS);
  readonly #windows = new Float64Array(MOST_MARKS);
  readonly #memories = new Int32Array(MOST_MARKS);
  #marks = 0;

  begin(): void {
    this.#depth = this.#marks = 0;
  }

  /** Whether the store that the reader has read needs no mark; from now on the next ones near it do not need one. */
  covers(reader: InstructionReader): boolean {
    if (EFFECTS[reader.op] !== Effect.store || this.#depth < 2) return false;
    const local = this.#operands[this.#depth - 2] ?? OTHER;
    if (local === OTHER) return false;
    const window = Math.floor(reader.memoryOffset / WINDOW);
    for (let i = 0; i < this.#marks; i++)
      if (this.#locals[i] === local && this.#windows[i] === window && this.#memories[i] === reader.first) return true;
    if (this.#marks === MOST_MARKS) this.#marks = 0;
    this.#locals[this.#marks] = local;
    this.#windows[this.#marks] = window;
    this.#memories[this.#marks++] = reader.first;
    return false;
  }

  /** Takes the instruction that the reader has read. */
  take(reader: InstructionReader): void {
    switch (EFFECTS[reader.op]) {
      case Effect.meet:
        this.#depth = this.#marks = 0;
        return;
      case Effect.nothing:
        return;
      case Effect.push:
        this.#push(OTHER);
        return;
      case Effect.pop:
        this.#pop(1);
        return;
      case Effect.unary:
        this.#pop(1);
        this.#push(OTHER);
        return;
      case Effect.binary:
        this.#pop(2);
        this.#push(OTHER);
        return;
      case Effect.select:
        this.#pop(3);
        this.#push(OTHER);
        return;
      case Effect.store:
        this.#pop(2);
        return;
      case Effect.localGet:
        this.#push(localIndex(reader));
        return;
      case Effect.localSet:
        this.#pop(1);
        this.#change(localIndex(reader));
        return;
      case Effect.localTee: {
        const local = localIndex(reader);
        this.#pop(1);
        this.#change(local);
        this.#push(local);
        return;
      }
      default:
        this.#depth = 0;
    }
  }

  #push(local: number): void {
    // The lower half is forgotten: what is known of the topmost stays true.
    if (this.#depth === MOST_OPERANDS) {
      this.#operands.copyWithin(0, MOST_OPERANDS / 2);
      this.#depth = MOST_OPERANDS / 2;
    }
    this.#operands[this.#depth++] = local;
  }

  #pop(count: number): void {
    this.#depth = Math.max(0, this.#depth - count);
  }

  /** The local gets another value. */
  #change(local: number): void {
    for (let i = 0; i < this.#depth; i++) if (this.#operands[i] === local) this.#operands[i] = OTHER;
    let kept = 0;
    for (let i = 0; i < this.#marks; i++) {
      if (this.#locals[i] === local) continue;
      this.#locals[kept] = this.#locals[i] ?? OTHER;
      this.#windows[kept] = this.#windows[i] ?? 0;
      this.#memories[kept++] = this.#memories[i] ?? 0;
    }
    this.#marks = kept;
  }
}

/** The index behind the opcode, whose bytes the reader has checked. */
function localIndex({ bytes, start, pos }: InstructionReader): number {
  let index = 0;
  let shift = 0;
  for (let at = start + 1; at < pos; at++, shift += 7) index |= ((bytes[at] ?? 0) & 0x7f) << shift;
  return index;
}
