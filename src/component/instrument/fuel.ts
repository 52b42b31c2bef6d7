// Writes the counting of fuel into functions. What was measured (bench/metering.ts) decides how:
// - A function keeps its count in a local, an allowance that it counts down, and takes it off the shared global when it ends: a chain
//   of reads and writes of one memory word costs more than all else. When the allowance is used up, it settles and takes another.
//   Exceptions are caught on their way through the functions that may let them through: otherwise work that ends with one is free.
// - A call inside of a loop keeps V8 from unrolling it and from keeping values in registers. A loop that has used up the allowance
//   is therefore left, settled outside, and entered again: at its head nothing but locals is alive.
// - Functions of a few instructions that call nothing are not touched, so that V8 can inline them: their callers pay.

import type { ByteWriter } from "./byte-writer.ts";
import {
  FIELDS_PER_UNIT, GROWTH, LOCALS_PER_UNIT, MEMORY64_UNITS, SIZE_UNITS, TABLE_OPERATIONS, TABLE_UNITS, UNKNOWN_CALL, UNWINDING,
} from "./costs.ts"; // prettier-ignore
import type { InstructionReader } from "./instructions.ts";
import { NO_VALUES, Op, ValueType } from "./instruction-table.ts";
import { Metering } from "./metering.ts";
import type { Patches } from "./patches.ts";
import type { Temporaries } from "./temporaries.ts";

/** The most that a function uses before it settles; a loop whose head costs more is settled inside. */
export const ALLOWANCE = 10_000;
/** Not a function that is known. */
const UNKNOWN = -1;
const NO_PATCH = -1;
/** How many frames stand around a loop that can be left to settle. */
const FRAMES_OF_LOOP = 3;

/** `exnref`, and the catch clause that gives one for every exception. */
const EXNREF = 0x69;
const CATCH_ALL_REF = 3;

export interface FuelPlan {
  /** Indices in the rewritten module. */
  readonly global: number;
  readonly outOfFuel: number;
  /** `(allowance left) -> (new allowance)`: settles. */
  readonly settle: number;
  readonly importedFunctions: number;
  /** What the callers of each function pay for it; 0 where it pays for itself. */
  readonly tiny: Uint8Array;
  readonly hasParameters: (type: number) => boolean;
  /** How many fields a struct type has. */
  readonly fields: (type: number) => number;
  /** Which memories and tables have 64-bit addresses. */
  readonly memory64: readonly boolean[];
  readonly table64: readonly boolean[];
}

interface Loop {
  /** Which frame it is, counted from the function's. */
  readonly frame: number;
  readonly stretch: number;
  /** Whether it is left to settle; the patch at its end does that. */
  readonly leaves: boolean;
  end: number;
  resume: number;
}

interface Exit {
  readonly patch: number;
  readonly place: number;
  readonly resume: number;
  /** The label of the whole function for `return`; -1 for tail calls. */
  readonly label: number;
}

export class Fuel {
  readonly metering = new Metering();
  readonly #plan: FuelPlan;
  readonly #patches: Patches;
  readonly #temporaries: Temporaries;
  /** The local with the rest of the allowance. */
  #allowance = 0;
  /** Whether the count is kept in a local; otherwise the only stretch is taken off the global at once. */
  #local = false;
  #calls = false;
  /** Whether an exception may leave the function, so that it must be caught on its way to take off what was used. */
  #unwinds = false;
  /** V8 wants one kind of exceptions in a module: whether it is the legacy kind, and whether an instruction of that was met. */
  readonly #legacy: boolean;
  metLegacy = false;
  readonly #loops: Loop[] = [];
  readonly #open: Loop[] = [];
  /** The frames of the open loops that are left to settle, the outermost first. */
  readonly #wrapped: number[] = [];
  readonly #exits: Exit[] = [];
  readonly #loopOf = new Map<number, Loop>();

  constructor(plan: FuelPlan, patches: Patches, temporaries: Temporaries, legacy: boolean) {
    this.#plan = plan;
    this.#legacy = legacy;
    this.#patches = patches;
    this.#temporaries = temporaries;
  }

  begin(place: number, locals: number): void {
    this.metering.begin(place);
    this.metering.add(Math.floor(locals / LOCALS_PER_UNIT));
    this.#allowance = this.#temporaries.local(ValueType.i64, "allowance");
    this.#local = this.#calls = this.#unwinds = false;
    this.#loops.length = this.#open.length = this.#wrapped.length = this.#exits.length = 0;
    this.#loopOf.clear();
  }

  /** Takes the instruction that the reader has read. */
  take(reader: InstructionReader): void {
    const { op } = reader;
    switch (op) {
      case Op.loop:
        this.#loop(reader);
        return;
      case Op.end:
        this.#end(reader);
        break;
      case Op.call:
      case Op.returnCall:
        this.#call(reader.first);
        if (op === Op.returnCall) this.#exit(reader, -1);
        break;
      case Op.callIndirect:
      case Op.callRef:
        this.#call(UNKNOWN);
        break;
      case Op.returnCallIndirect:
      case Op.returnCallRef:
        this.#call(UNKNOWN);
        this.#exit(reader, -1);
        break;
      case Op.throw:
      case Op.throwRef:
      case Op.rethrow:
        this.#unwinds = true;
        this.metering.add(UNWINDING);
        if (op === Op.rethrow) this.#shiftLabels(reader);
        break;
      case Op.try:
        this.metLegacy = true;
        break;
      case Op.memoryGrow:
        this.metering.add(GROWTH);
        break;
      case Op.structNew:
      case Op.structNewDefault:
        this.metering.add(Math.floor(this.#plan.fields(reader.first) / FIELDS_PER_UNIT));
        break;
      case Op.arrayNewFixed:
        this.metering.add(Math.floor(reader.second / FIELDS_PER_UNIT));
        break;
      case Op.atomicWait32:
      case Op.atomicWait64:
        this.#trap(reader);
        break;
      case Op.return:
        this.#exit(reader, reader.depth - 1 + FRAMES_OF_LOOP * this.#wrapped.length);
        break;
      case Op.br:
      case Op.brIf:
      case Op.brTable:
      case Op.brOnNull:
      case Op.brOnNonNull:
      case Op.brOnCast:
      case Op.brOnCastFail:
      case Op.delegate:
      case Op.tryTable:
        this.#shiftLabels(reader);
        break;
      default:
        if ((SIZE_UNITS[op] ?? 0) > 0) this.#paySize(reader, SIZE_UNITS[op] ?? 0);
    }
    this.metering.take(reader);
  }

  #call(func: number): void {
    if (func >= this.#plan.importedFunctions) {
      const price = this.#plan.tiny[func] ?? 0;
      this.metering.add(price);
      this.#calls ||= price === 0;
    } else {
      this.metering.add(UNKNOWN_CALL);
      this.#calls = true;
    }
    this.#unwinds ||= this.#calls;
  }

  /** The function may end in front of the instruction: if it keeps a count, it settles there. */
  #exit(reader: InstructionReader, label: number): void {
    this.#exits.push({ patch: this.#patches.note(reader.start), place: reader.start, resume: reader.pos, label });
  }

  /** Waiting would block the thread that everything else runs on, and no fuel would count it. */
  #trap(reader: InstructionReader): void {
    const patch = this.#patches.note(reader.start);
    this.#patches.fill(patch, reader.start).byte(Op.unreachable);
    this.#patches.close(patch);
  }

  #loop(reader: InstructionReader): void {
    const reachable = this.metering.reachable;
    const { blockTypeIndex, start, pos } = reader;
    this.metering.take(reader);
    if (!reachable) return;
    // Parameters of a loop lie on the stack at its head, so it cannot be left there.
    const leaves = blockTypeIndex < 0 || !this.#plan.hasParameters(blockTypeIndex);
    const frame = reader.depth - 1;
    const loop: Loop = { frame, stretch: this.metering.count - 1, leaves, end: NO_PATCH, resume: 0 };
    this.#loops.push(loop);
    this.#open.push(loop);
    this.#loopOf.set(loop.stretch, loop);
    if (!leaves) return;
    this.#wrapped.push(frame);
    const patch = this.#patches.note(start);
    this.#patches
      .fill(patch, start)
      .byte(Op.block)
      .copy(reader.bytes, start + 1, pos)
      .byte(Op.loop)
      .byte(NO_VALUES)
      .byte(Op.block)
      .byte(NO_VALUES);
    this.#patches.close(patch);
  }

  #end(reader: InstructionReader): void {
    const loop = this.#open.at(-1);
    if (loop?.frame !== reader.depth) return;
    this.#open.pop();
    if (!loop.leaves) return;
    this.#wrapped.pop();
    loop.end = this.#patches.note(reader.start);
    loop.resume = reader.pos;
  }

  /** Labels count the frames that were put around loops. */
  #shiftLabels(reader: InstructionReader): void {
    if (this.#wrapped.length === 0) return;
    const frames = reader.op === Op.tryTable ? reader.depth - 1 : reader.depth;
    for (let i = 0; i < reader.labelCount; i++) {
      const label = reader.labels[i] ?? 0;
      const place = reader.labelPlaces[i] ?? 0;
      const crossed = this.#wrapped.length - countUpTo(this.#wrapped, frames - 1 - label);
      if (crossed === 0) continue;
      const patch = this.#patches.note(place);
      const resume = endOfLeb(reader.bytes, place, reader.pos);
      this.#patches.fill(patch, resume).unsigned(label + FRAMES_OF_LOOP * crossed);
      this.#patches.close(patch);
    }
  }

  /** Operations that take longer the more they move pay for that; the size lies on top of the stack. */
  #paySize(reader: InstructionReader, unit: number): void {
    const { op, first, second } = reader;
    const { memory64, table64 } = this.#plan;
    const wide =
      op === Op.memoryFill ? memory64[first]
      : op === Op.memoryCopy ? memory64[first] && memory64[second]
      : op === Op.tableFill || op === Op.tableGrow ? table64[first]
      : op === Op.tableCopy ? table64[first] && table64[second]
      : false; // prettier-ignore
    this.#local = true;
    const size = this.#temporaries.local(wide ? ValueType.i64 : ValueType.i32, "size");
    const patch = this.#patches.note(reader.start);
    const out = this.#patches.fill(patch, reader.start);
    out.byte(Op.localTee).unsigned(size).byte(Op.localGet).unsigned(this.#allowance).byte(Op.localGet).unsigned(size);
    if (!wide) out.byte(Op.i64ExtendI32U);
    if (unit > 1)
      out
        .byte(Op.i64Const)
        .unsigned(unit - 1)
        .byte(Op.i64ShrU);
    // Without this a 64-bit size would be a negative number of units: fuel for free.
    if (TABLE_OPERATIONS.has(op)) out.byte(Op.i64Const).signed(TABLE_UNITS).byte(Op.i64And);
    else if (wide) out.byte(Op.i64Const).signed(MEMORY64_UNITS).byte(Op.i64And);
    out.byte(Op.i64Sub);
    this.#settleIfUsedUp(out);
    this.#patches.close(patch);
  }

  /** Decides how the function is metered, now that all of it was read, and whether it keeps its count in a local. */
  finish(): boolean {
    const { costs } = this.metering;
    this.#local ||= this.#loops.length > 0 || this.metering.paid > 1;
    if (!this.#local) return false;
    for (const { patch, place, resume, label } of this.#exits) {
      const out = this.#patches.fill(patch, label < 0 ? place : resume);
      if (label < 0) this.#settle(out, 0);
      else out.byte(Op.br).unsigned(label);
      this.#patches.close(patch);
    }
    for (const { leaves, end, resume, stretch } of this.#loops) {
      if (!leaves || end === NO_PATCH) continue;
      const out = this.#patches.fill(end, resume);
      // The end of the loop, and past what settles; that gives back what the head has taken, because it is run again.
      out.byte(Op.end).byte(Op.br).unsigned(2).byte(Op.end);
      out
        .byte(Op.localGet)
        .unsigned(this.#allowance)
        .byte(Op.i64Const)
        .signed(costs[stretch] ?? 0)
        .byte(Op.i64Add);
      out.byte(Op.call).unsigned(this.#plan.settle).byte(Op.localSet).unsigned(this.#allowance);
      out.byte(Op.br).unsigned(0).byte(Op.end).byte(Op.unreachable).byte(Op.end);
      this.#patches.close(end);
    }
    return true;
  }

  /** Stands in front of the body of a function that keeps its count in a local; `blockType` has the results of the function. */
  open(out: ByteWriter, blockType: Uint8Array): void {
    out.byte(Op.i64Const).signed(ALLOWANCE).byte(Op.localSet).unsigned(this.#allowance);
    if (!this.#unwinds) {
      out.byte(Op.block).append(blockType);
    } else if (this.#legacy) {
      out.byte(Op.try).append(blockType).byte(Op.block).append(blockType);
    } else {
      out.byte(Op.block).append(blockType).byte(Op.block).byte(EXNREF);
      out.byte(Op.tryTable).append(blockType).unsigned(1).byte(CATCH_ALL_REF).unsigned(0);
    }
  }

  /** Stands behind the body of such a function: however it is left, what it used is taken off the global. */
  close(out: ByteWriter): void {
    if (this.#unwinds) {
      out.byte(this.#legacy ? Op.catchAll : Op.br);
      if (!this.#legacy) out.unsigned(1).byte(Op.end);
      this.#settle(out, UNWINDING);
      if (this.#legacy) out.byte(Op.rethrow).unsigned(0);
      else out.byte(Op.throwRef);
      out.byte(Op.end);
    }
    this.#settle(out, 0);
    out.byte(Op.end);
  }

  /** Takes what was used of the allowance off the global, and something more. */
  #settle(out: ByteWriter, more: number): void {
    const { global } = this.#plan;
    out.byte(Op.globalGet).unsigned(global).byte(Op.localGet).unsigned(this.#allowance).byte(Op.i64Add);
    out
      .byte(Op.i64Const)
      .signed(ALLOWANCE + more)
      .byte(Op.i64Sub)
      .byte(Op.globalSet)
      .unsigned(global);
  }

  /** Writes the payment for a stretch; `hinted` gets the places of branches that are hardly ever taken. */
  pay(stretch: number, out: ByteWriter, hinted: number[]): void {
    const cost = this.metering.costs[stretch] ?? 0;
    if (!this.#local) {
      if (stretch === 0) this.#payAtOnce(cost, out, hinted);
      return;
    }
    // Without this look a loop that calls another would run as often as its own allowance lets it, each time as long as the other's.
    if (stretch === 0 && (this.#calls || this.#loops.length > 0)) this.#callIfOutOfFuel(out, hinted);
    const loop = this.#loopOf.get(stretch);
    if (cost === 0 && loop === undefined) return;
    out.byte(Op.localGet).unsigned(this.#allowance).byte(Op.i64Const).signed(cost).byte(Op.i64Sub);
    if (loop === undefined) {
      out.byte(Op.localSet).unsigned(this.#allowance);
    } else if (loop.leaves && cost <= ALLOWANCE) {
      out.byte(Op.localTee).unsigned(this.#allowance).byte(Op.i64Const).signed(0).byte(Op.i64LtS);
      hinted.push(out.length);
      out.byte(Op.brIf).unsigned(1);
    } else {
      this.#settleIfUsedUp(out, hinted);
    }
  }

  /** The new allowance lies on the stack. */
  #settleIfUsedUp(out: ByteWriter, hinted?: number[]): void {
    out.byte(Op.localTee).unsigned(this.#allowance).byte(Op.i64Const).signed(0).byte(Op.i64LtS);
    hinted?.push(out.length);
    out.byte(Op.if).byte(NO_VALUES).byte(Op.localGet).unsigned(this.#allowance);
    out.byte(Op.call).unsigned(this.#plan.settle).byte(Op.localSet).unsigned(this.#allowance).byte(Op.end);
  }

  #payAtOnce(cost: number, out: ByteWriter, hinted: number[]): void {
    const { global } = this.#plan;
    out.byte(Op.globalGet).unsigned(global).byte(Op.i64Const).signed(cost).byte(Op.i64Sub).byte(Op.globalSet).unsigned(global);
    if (this.#calls) this.#callIfOutOfFuel(out, hinted);
  }

  #callIfOutOfFuel(out: ByteWriter, hinted: number[]): void {
    const { global, outOfFuel } = this.#plan;
    out.byte(Op.globalGet).unsigned(global).byte(Op.i64Const).signed(0).byte(Op.i64LtS);
    hinted.push(out.length);
    out.byte(Op.if).byte(NO_VALUES).byte(Op.call).unsigned(outOfFuel).byte(Op.end);
  }
}

/** The body of `FuelPlan.settle`. */
export function settleBody(out: ByteWriter, global: number, outOfFuel: number): void {
  out.unsigned(0);
  out.byte(Op.globalGet).unsigned(global).byte(Op.localGet).unsigned(0).byte(Op.i64Add);
  out.byte(Op.i64Const).signed(ALLOWANCE).byte(Op.i64Sub).byte(Op.globalSet).unsigned(global);
  out.byte(Op.globalGet).unsigned(global).byte(Op.i64Const).signed(0).byte(Op.i64LtS);
  out.byte(Op.if).byte(NO_VALUES).byte(Op.call).unsigned(outOfFuel).byte(Op.end);
  out.byte(Op.i64Const).signed(ALLOWANCE).byte(Op.end);
}

/** How many of the ascending numbers are at most `limit`. */
function countUpTo(numbers: readonly number[], limit: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? 0) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

function endOfLeb(bytes: Uint8Array, start: number, limit: number): number {
  let end = start;
  while (end < limit && (bytes[end] ?? 0) >= 0x80) end++;
  return end + 1;
}
