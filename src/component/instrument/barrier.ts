// Writes the barrier into functions: every store marks a page, in a map of one byte a page that lies in a memory of its own; bulk
// operations mark all pages they write to. Marked is the page of the address with the offset rounded down to a window, so that one mark
// does for all stores by one local in that window; a store may so reach behind the marked page.
// Measured: looking before marking is several times faster for consecutive stores than marking always.

import type { ByteWriter } from "./byte-writer.ts";
import type { InstructionReader } from "./instructions.ts";
import { comparesAndExchanges, NO_VALUES, Op, STORED, ValueType } from "./instruction-table.ts";
import { DIRTY_PAGE_SHIFT, WINDOW } from "./dirty-map.ts";
import { KnownMarks } from "./known-marks.ts";
import type { Patches } from "./patches.ts";
import type { Temporaries } from "./temporaries.ts";

/** In the flags of a memory access: a memory index follows. */
const HAS_MEMORY_INDEX = 0x40;
/** Beyond any memory that V8 gives: the store traps, whatever was marked. */
const TRAPS_ANYWAY = 2 ** 36;

export interface BarrierPlan {
  /** By memory: the memory with its map, and the function `(address, size)` that marks a range; undefined where nothing is marked. */
  readonly maps: readonly (MapPlan | undefined)[];
  /** Which memories have 64-bit addresses. */
  readonly wide: readonly boolean[];
}

export interface MapPlan {
  readonly memory: number;
  readonly markRange: number;
}

export class Barrier {
  readonly #plan: BarrierPlan;
  readonly #patches: Patches;
  readonly #temporaries: Temporaries;
  readonly #known = new KnownMarks();

  constructor(plan: BarrierPlan, patches: Patches, temporaries: Temporaries) {
    this.#plan = plan;
    this.#patches = patches;
    this.#temporaries = temporaries;
  }

  begin(): void {
    this.#known.begin();
  }

  /** Takes an instruction that neither stores nor jumps. */
  takePlain(reader: InstructionReader): void {
    this.#known.take(reader);
  }

  /** Takes the instruction that the reader has read. */
  take(reader: InstructionReader): void {
    const { op } = reader;
    const stored = STORED[op] ?? 0;
    const covered = stored !== 0 && this.#known.covers(reader);
    this.#known.take(reader);
    if (covered) return;
    if (stored !== 0) this.#store(reader, stored);
    else if (op === Op.memoryFill || op === Op.memoryCopy || op === Op.memoryInit) this.#bulk(reader);
  }

  #store(reader: InstructionReader, stored: number): void {
    const map = this.#plan.maps[reader.first];
    if (map === undefined) return;
    const wide = this.#isWide(reader.first);
    const value = this.#temporaries.local(stored, "value");
    const other = comparesAndExchanges(reader.op) ? this.#temporaries.local(stored, "replacement") : undefined;
    const address = this.#temporaries.local(wide ? ValueType.i64 : ValueType.i32, "address");
    const patch = this.#patches.note(reader.start);
    const out = this.#patches.fill(patch, reader.start);
    if (other !== undefined) out.byte(Op.localSet).unsigned(other);
    out.byte(Op.localSet).unsigned(value).byte(Op.localTee).unsigned(address);
    addOffset(out, reader.memoryOffset - (reader.memoryOffset % WINDOW), wide);
    pageOf(out, wide);
    mark(out, map.memory, this.#temporaries.local(ValueType.i32, "page"));
    out.byte(Op.localGet).unsigned(address).byte(Op.localGet).unsigned(value);
    if (other !== undefined) out.byte(Op.localGet).unsigned(other);
    this.#patches.close(patch);
  }

  /** The operands are a target, something else, and a size. */
  #bulk(reader: InstructionReader): void {
    const { op, first, second } = reader;
    const { maps } = this.#plan;
    const target = op === Op.memoryInit ? second : first;
    const map = maps[target];
    if (map === undefined) return;
    const { i32, i64 } = ValueType;
    const wide = this.#isWide(target);
    const wideSize = wide && op !== Op.memoryInit && (op === Op.memoryFill || this.#isWide(second));
    const other = op === Op.memoryCopy && this.#isWide(second) ? i64 : i32;
    const [address, middle, size] = [
      this.#temporaries.local(wide ? i64 : i32, "address"),
      this.#temporaries.local(other, "middle"),
      this.#temporaries.local(wideSize ? i64 : i32, "extent"),
    ];
    const patch = this.#patches.note(reader.start);
    const out = this.#patches.fill(patch, reader.start);
    out.byte(Op.localSet).unsigned(size).byte(Op.localSet).unsigned(middle).byte(Op.localTee).unsigned(address);
    out.byte(Op.localGet).unsigned(size);
    if (wide && !wideSize) out.byte(Op.i64ExtendI32U);
    out.byte(Op.call).unsigned(map.markRange);
    for (const local of [address, middle, size]) out.byte(Op.localGet).unsigned(local);
    this.#patches.close(patch);
  }

  #isWide(memory: number): boolean {
    return this.#plan.wide[memory] ?? false;
  }
}

function addOffset(out: ByteWriter, offset: number, wide: boolean): void {
  if (offset === 0 || offset >= TRAPS_ANYWAY) return;
  if (wide) out.byte(Op.i64Const).signed(offset).byte(Op.i64Add);
  else
    out
      .byte(Op.i32Const)
      .signed(offset | 0)
      .byte(Op.i32Add);
}

/** Address to page. A page beyond the map makes looking there trap as the store would. */
function pageOf(out: ByteWriter, wide: boolean): void {
  if (wide) out.byte(Op.i64Const).signed(DIRTY_PAGE_SHIFT).byte(Op.i64ShrU).byte(Op.i32WrapI64);
  else out.byte(Op.i32Const).signed(DIRTY_PAGE_SHIFT).byte(Op.i32ShrU);
}

/** Marks the page on top of the stack. */
function mark(out: ByteWriter, map: number, page: number): void {
  out.byte(Op.localTee).unsigned(page).byte(Op.i32Load8U).byte(HAS_MEMORY_INDEX).unsigned(map).byte(0).byte(Op.i32Eqz);
  out.byte(Op.if).byte(NO_VALUES).byte(Op.localGet).unsigned(page).byte(Op.i32Const).signed(1);
  out.byte(Op.i32Store8).byte(HAS_MEMORY_INDEX).unsigned(map).byte(0).byte(Op.end);
}

/**
 * The body of `(address, size)`, which marks the pages of a range: the first, the last, and when there is more than a page, those between.
 * Nothing is marked for a size of 0. A range that does not lie in the memory traps, here or in what follows.
 */
export function markRangeBody(out: ByteWriter, map: number, wide: boolean): void {
  const [address, size, first, last] = [0, 1, 2, 3];
  out.unsigned(1).unsigned(2).byte(ValueType.i32);
  out
    .byte(Op.localGet)
    .unsigned(size)
    .byte(wide ? Op.i64Eqz : Op.i32Eqz)
    .byte(Op.brIf)
    .unsigned(0);
  out.byte(Op.localGet).unsigned(address);
  pageOf(out, wide);
  mark(out, map, first);
  out
    .byte(Op.localGet)
    .unsigned(address)
    .byte(Op.localGet)
    .unsigned(size)
    .byte(wide ? Op.i64Add : Op.i32Add);
  if (wide) out.byte(Op.i64Const).signed(1).byte(Op.i64Sub);
  else out.byte(Op.i32Const).signed(1).byte(Op.i32Sub);
  pageOf(out, wide);
  mark(out, map, last);
  for (const local of [last, first]) out.byte(Op.localGet).unsigned(local);
  out.byte(Op.i32Sub).byte(Op.i32Const).signed(1).byte(Op.i32GtU).byte(Op.if).byte(NO_VALUES);
  out
    .byte(Op.localGet)
    .unsigned(first)
    .byte(Op.i32Const)
    .signed(1)
    .byte(Op.localGet)
    .unsigned(last)
    .byte(Op.localGet)
    .unsigned(first);
  out.byte(Op.i32Sub).byte(0xfc).unsigned(11).unsigned(map).byte(Op.end).byte(Op.end);
}
