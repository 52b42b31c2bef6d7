// Rewrites the bodies of functions: indices that moved, fuel, barrier. One pass reads a body and notes patches, one writes it.

import { ByteWriter } from "./byte-writer.ts";
import { Barrier, type BarrierPlan } from "./barrier.ts";
import type { CoreModule } from "../core-module.ts";
import { Fuel, type FuelPlan } from "./fuel.ts";
import { IMMEDIATES, Immediates, instruction, INSTRUCTIONS, Op, opcodeBehindPrefix } from "./instruction-table.ts";
import type { InstructionReader } from "./instructions.ts";
import { Patches } from "./patches.ts";
import { Temporaries } from "./temporaries.ts";

/** Definitions move behind the imports that are added. */
export interface Shift {
  /** Indices from this one on move */
  readonly from: number;
  /** by so many. */
  readonly by: number;
}

export interface Shifts {
  readonly func: Shift;
  readonly memory: Shift;
  readonly global: Shift;
}

export function shifted(index: number, { from, by }: Shift): number {
  return index < from ? index : index + by;
}

/** What stands for the size of a memory: indices of a global and a function. */
export interface SizePlan {
  readonly global: number;
  readonly grow: number;
}

export interface CodePlan {
  readonly shifts: Shifts;
  /** By memory. */
  readonly sizes: readonly (SizePlan | undefined)[];
  /** The global that is set when something happens that cannot be put back. */
  readonly spoiled?: number | undefined;
  readonly importedTables: number;
  readonly fuel?: FuelPlan | undefined;
  /** Added exception handling is of the legacy kind. */
  readonly legacyExceptions: boolean;
  readonly barrier?: BarrierPlan | undefined;
  /** The block type without parameters that has the results of a function, as it is written. */
  readonly resultsOf: (func: number) => Uint8Array;
}

/** What the code of a module can do to its state. */
export interface Writes {
  /** The indices of tables that are written to. */
  readonly tables: Set<number>;
  /** Garbage-collected structs and arrays are written to. */
  objects: boolean;
}

/** Instructions that cost a unit and need nothing else: 1 by the number of the instruction. */
function plainInstructions({ memory, global }: Shifts): Uint8Array {
  const plain = new Uint8Array(INSTRUCTIONS);
  if (memory.by === 0) plain.fill(1, Op.firstLoad, Op.lastLoad + 1);
  if (global.by === 0) plain.fill(1, Op.globalGet, Op.globalSet + 1);
  plain.fill(1, Op.drop, Op.select + 1);
  plain.fill(1, Op.localGet, Op.localTee + 1);
  plain.fill(1, Op.i32Const, Op.lastNumeric + 1);
  plain.fill(1, instruction(0xfd, 12), instruction(0xfd, 83) + 1);
  plain.fill(1, instruction(0xfd, 94), instruction(0xfe, 0));
  return plain;
}

const HAS_MEMORY_INDEX = 0x40;
const NO_PLACES: readonly number[] = [];

export class CodeRewriter {
  /** Rewritten bodies, each with its size in front. */
  readonly code: ByteWriter;
  /** The content of a branch hint section, without the number of functions. */
  readonly hints = new ByteWriter(1024);
  hintedFunctions = 0;
  readonly writes: Writes = { tables: new Set(), objects: false };
  readonly #module: CoreModule;
  readonly #plan: CodePlan;
  readonly #reader: InstructionReader;
  readonly #plain: Uint8Array;
  readonly #patches = new Patches();
  readonly #temporaries = new Temporaries();
  readonly #fuel: Fuel | undefined;
  readonly #barrier: Barrier | undefined;
  readonly #body = new ByteWriter(4096);
  readonly #hinted: number[] = [];

  constructor(module: CoreModule, plan: CodePlan, reader: InstructionReader, size: number) {
    this.#module = module;
    this.#plan = plan;
    this.#reader = reader;
    this.#plain = plainInstructions(plan.shifts);
    this.code = new ByteWriter(size * 2);
    if (plan.fuel !== undefined) this.#fuel = new Fuel(plan.fuel, this.#patches, this.#temporaries, plan.legacyExceptions);
    if (plan.barrier !== undefined) this.#barrier = new Barrier(plan.barrier, this.#patches, this.#temporaries);
  }

  /** Whether added exception handling was not of the kind that the module has: all must be written again. */
  get mixesExceptions(): boolean {
    return this.#fuel?.metLegacy === true && !this.#plan.legacyExceptions;
  }

  /** Rewrites the body of a function: the reader stands at its start. */
  rewrite(func: number, end: number): void {
    const reader = this.#reader;
    const start = reader.pos;
    reader.end = end;
    this.#patches.clear();
    const groups = this.#readLocals(func);
    const codeStart = reader.pos;
    const fuel = (this.#plan.fuel?.tiny[func] ?? 0) > 0 ? undefined : this.#fuel;
    fuel?.begin(codeStart, reader.locals);
    reader.depth = 1;
    const plain = this.#plain;
    const barrier = this.#barrier;
    barrier?.begin();
    let units = 0;
    while (reader.depth > 0) {
      reader.next();
      if (plain[reader.op] === 1) {
        units++;
        barrier?.takePlain(reader);
        continue;
      }
      fuel?.metering.add(units);
      units = 0;
      fuel?.take(reader);
      barrier?.take(reader);
      this.#takeIndices(IMMEDIATES[reader.op] ?? 0);
    }
    if (reader.pos !== end) throw reader.fail("the body of a function goes on behind its end");
    this.#write(func, start, groups, codeStart, end, fuel);
  }

  /** The number of groups of locals. */
  #readLocals(func: number): number {
    const reader = this.#reader;
    const groups = reader.count();
    let locals = paramsOf(this.#module, func, reader);
    for (let i = 0; i < groups; i++) {
      locals += reader.u32();
      reader.valueType();
    }
    reader.locals = locals;
    this.#temporaries.begin(locals);
    return groups;
  }

  /** Notes indices that moved, and what the instruction does to the state of the module. */
  #takeIndices(kind: number): void {
    const { op, first, second } = this.#reader;
    const { shifts } = this.#plan;
    switch (kind) {
      case Immediates.func:
        if (first >= shifts.func.from && shifts.func.by > 0) this.#renumber(shifted(first, shifts.func));
        return;
      case Immediates.global:
        if (first >= shifts.global.from && shifts.global.by > 0) this.#renumber(shifted(first, shifts.global));
        return;
      case Immediates.table:
        if (op !== Op.tableGet && op !== Op.tableSize) this.#writesTable(first);
        return;
      case Immediates.tableTable:
        this.#writesTable(first);
        return;
      case Immediates.elementTable:
        this.#writesTable(second);
        return;
      case Immediates.element:
      case Immediates.data:
        this.#spoils();
        return;
      case Immediates.memory:
        this.#memory();
        return;
      case Immediates.memoryAccess:
      case Immediates.memoryAccessLane:
        if (shifts.memory.by > 0 && first >= shifts.memory.from) this.#renumberAccess(shifted(first, shifts.memory));
        return;
      case Immediates.dataMemory:
        if (shifts.memory.by > 0) this.#renumber(first, shifted(second, shifts.memory));
        return;
      case Immediates.memoryMemory:
        if (shifts.memory.by > 0) this.#renumber(shifted(first, shifts.memory), shifted(second, shifts.memory));
        return;
      default:
        if (op >= 0x100 && CHANGES_OBJECTS.has(op)) this.writes.objects = true;
    }
  }

  #writesTable(table: number): void {
    this.writes.tables.add(table);
    if (table < this.#plan.importedTables) this.#spoils();
  }

  #spoils(): void {
    if (this.#plan.spoiled === undefined) return;
    const patch = this.#patches.note(this.#reader.start);
    const out = this.#patches.fill(patch, this.#reader.start);
    out.byte(Op.i32Const).signed(1).byte(Op.globalSet).unsigned(this.#plan.spoiled);
    this.#patches.close(patch);
  }

  #memory(): void {
    const { op, first, start, pos } = this.#reader;
    const size = op === Op.memorySize || op === Op.memoryGrow ? this.#plan.sizes[first] : undefined;
    if (size === undefined) {
      if (this.#plan.shifts.memory.by > 0) this.#renumber(shifted(first, this.#plan.shifts.memory));
      return;
    }
    const patch = this.#patches.note(start);
    const out = this.#patches.fill(patch, pos);
    if (op === Op.memorySize) out.byte(Op.globalGet).unsigned(size.global);
    else out.byte(Op.call).unsigned(size.grow);
    this.#patches.close(patch);
  }

  /** Writes the instruction again with other indices. */
  #renumber(first: number, second?: number): void {
    const reader = this.#reader;
    const patch = this.#patches.note(reader.start);
    const out = this.#patches.fill(patch, reader.pos);
    this.#opcode(out);
    out.unsigned(first);
    if (second !== undefined) out.unsigned(second);
    this.#patches.close(patch);
  }

  #renumberAccess(memory: number): void {
    const reader = this.#reader;
    const patch = this.#patches.note(reader.start);
    const out = this.#patches.fill(patch, reader.memoryOffsetAt);
    this.#opcode(out);
    out.unsigned(reader.flags | HAS_MEMORY_INDEX).unsigned(memory);
    this.#patches.close(patch);
  }

  #opcode(out: ByteWriter): void {
    const { op, bytes, start } = this.#reader;
    out.byte(bytes[start] ?? 0);
    if (op >= 0x100) out.unsigned(opcodeBehindPrefix(op));
  }

  #write(func: number, start: number, groups: number, codeStart: number, end: number, fuel: Fuel | undefined): void {
    const body = this.#body;
    const { bytes } = this.#reader;
    const counts = fuel?.finish() ?? false;
    // A function that pays at once has no use for the local of the allowance.
    const unused = fuel !== undefined && !counts && this.#temporaries.types.length === 1;
    const types = unused ? [] : this.#temporaries.types;
    // The groups begin behind their number, which may be written longer than it must.
    let groupsAt = start;
    while ((bytes[groupsAt] ?? 0) >= 0x80) groupsAt++;
    body.length = 0;
    body.unsigned(groups + types.length).copy(bytes, groupsAt + 1, codeStart);
    for (const type of types) body.byte(1).byte(type);
    this.#hinted.length = 0;
    if (fuel !== undefined && counts) fuel.open(body, this.#plan.resultsOf(func));
    this.#writeInstructions(codeStart, end, fuel);
    if (counts) fuel?.close(body);
    this.#writeHints(func);
    this.code.unsigned(body.length).copy(body.bytes, 0, body.length);
  }

  #writeInstructions(codeStart: number, end: number, fuel: Fuel | undefined): void {
    const body = this.#body;
    const { bytes } = this.#reader;
    const patches = this.#patches;
    const stretches = fuel?.metering.places ?? NO_PLACES;
    const stretchCount = fuel?.metering.count ?? 0;
    let at = codeStart;
    let stretch = 0;
    for (let patch = 0; patch < patches.count; patch++) {
      const place = patches.places[patch] ?? end;
      for (; stretch < stretchCount && (stretches[stretch] ?? end) <= place; stretch++) {
        body.copy(bytes, at, stretches[stretch] ?? end);
        at = stretches[stretch] ?? end;
        fuel?.pay(stretch, body, this.#hinted);
      }
      body.copy(bytes, at, place);
      at = patches.apply(patch, body);
    }
    for (; stretch < stretchCount; stretch++) {
      body.copy(bytes, at, stretches[stretch] ?? end);
      at = stretches[stretch] ?? end;
      fuel?.pay(stretch, body, this.#hinted);
    }
    body.copy(bytes, at, end);
  }

  #writeHints(func: number): void {
    if (this.#hinted.length === 0) return;
    this.hintedFunctions++;
    this.hints.unsigned(shifted(func, this.#plan.shifts.func)).unsigned(this.#hinted.length);
    for (const place of this.#hinted) this.hints.unsigned(place).byte(1).byte(0);
  }
}

const CHANGES_OBJECTS: ReadonlySet<number> = new Set([
  Op.structSet, Op.arraySet, Op.arrayFill, Op.arrayCopy, Op.arrayInitData, Op.arrayInitElem,
]); // prettier-ignore

function paramsOf(module: CoreModule, func: number, reader: InstructionReader): number {
  const external = module.spaces.func[func];
  const type = external?.kind === "func" ? module.types[external.type]?.type : undefined;
  if (type?.kind !== "func") throw reader.fail("the type of a function is no function type");
  return type.params.length;
}
