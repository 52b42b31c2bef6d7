// Adds functions that save and put back the globals and tables of a module: each has a second one beside it. So values that
// JavaScript cannot see or compare are put back too, and all of it takes one call.

import type { Additions } from "./additions.ts";
import { ByteWriter } from "./byte-writer.ts";
import { writeHeapType, writeRefType } from "./encode-core-types.ts";
import { NO_VALUES, Op, ValueType } from "./instruction-table.ts";
import type { InstructionReader } from "./instructions.ts";
import type { Writes } from "./rewrite-code.ts";
import { rewriteGlobal, type SectionPlan } from "./rewrite-sections.ts";

/** Names of exports. */
export interface State {
  /** A function without parameters and results: saves globals and tables as they are. Called once, when all initialization is done. */
  readonly save: string;
  /**
   * A function without parameters that puts back what was saved. It gives 1; or 0 when something has happened that it cannot put back,
   * and the instance has to be thrown away: a data or element segment was dropped, a table of the module has grown, or the table of
   * another module was written to.
   */
  readonly restore: string;
  /** Why instances of this module can never be put back exactly; empty for nearly all modules. */
  readonly obstacles: readonly Obstacle[];
}

/** Memory that other threads can write to; structs and arrays that are written to; a written table whose elements are never null. */
export type Obstacle = "shared-memory" | "objects" | "table";

interface Copy {
  readonly original: number;
  readonly copy: number;
}

interface TableCopy extends Copy {
  readonly heap: string | number;
  readonly wide: boolean;
}

export interface StateParts {
  readonly writes: Writes;
  /** Set when something happens that cannot be put back. */
  readonly spoiled: number;
  /** Added globals that are state too, all of them numbers. */
  readonly numbers: readonly { readonly index: number; readonly type: number }[];
}

export function addState(plan: SectionPlan, reader: InstructionReader, parts: StateParts): State {
  const { additions, module } = plan;
  const globals = [...copyGlobals(plan, reader), ...copyNumbers(additions, parts)];
  const tables = copyTables(plan, parts.writes);
  const obstacles: Obstacle[] = [];
  if (module.spaces.memory.some((memory) => memory.kind === "memory" && memory.limits.shared)) obstacles.push("shared-memory");
  if (parts.writes.objects) obstacles.push("objects");
  if (tables === undefined) obstacles.push("table");
  const save = new ByteWriter(256);
  writeSave(save, globals, tables ?? [], parts.spoiled);
  const saveIndex = additions.func(additions.type([], []));
  additions.body(save.written);
  const restore = new ByteWriter(256);
  writeRestore(restore, globals, tables ?? [], parts.spoiled);
  const restoreIndex = additions.func(additions.type([], ["i32"]));
  additions.body(restore.written);
  return {
    save: additions.export("save", "func", saveIndex),
    restore: additions.export("restore", "func", restoreIndex),
    obstacles,
  };
}

/** A global beside each mutable one, defined in the same way. */
function copyGlobals(plan: SectionPlan, reader: InstructionReader): Copy[] {
  const { additions, module, shifts } = plan;
  const section = module.sections.find(({ id }) => id === 6);
  if (section === undefined) return [];
  const copies: Copy[] = [];
  reader.pos = section.start;
  reader.end = section.end;
  const count = reader.count();
  const definition = new ByteWriter(16);
  for (let i = 0; i < count; i++) {
    definition.length = 0;
    rewriteGlobal(reader, definition, plan);
    const original = shifts.global.from + i;
    const type = module.spaces.global[original];
    if (type?.kind !== "global" || !type.mutable) continue;
    const { index, out } = additions.global();
    out.append(definition.written);
    copies.push({ original: original + shifts.global.by, copy: index });
  }
  return copies;
}

function copyNumbers(additions: Additions, { numbers }: StateParts): Copy[] {
  return numbers.map(({ index: original, type }) => {
    const { index, out } = additions.global();
    out
      .byte(type)
      .byte(1)
      .byte(type === ValueType.i64 ? Op.i64Const : Op.i32Const)
      .byte(0)
      .byte(Op.end);
    return { original, copy: index };
  });
}

/** A table beside each one that is written to; undefined when there is one that cannot be copied. */
function copyTables({ additions, module }: SectionPlan, writes: Writes): TableCopy[] | undefined {
  const imported = module.imports.filter(({ type }) => type.kind === "table").length;
  const copies: TableCopy[] = [];
  for (const original of writes.tables) {
    const type = module.spaces.table[original];
    if (original < imported || type?.kind !== "table") continue;
    if (!type.element.nullable) return undefined;
    const wide = type.limits.addressType === "i64";
    const { index, out } = additions.table();
    writeRefType(out, type.element);
    out.byte(wide ? 4 : 0).byte(0);
    copies.push({ original, copy: index, heap: type.element.heap, wide });
  }
  return copies;
}

const BULK_PREFIX = 0xfc;
const TABLE_COPY = 14;
const TABLE_GROW = 15;
const TABLE_SIZE = 16;

function tableSize(out: ByteWriter, table: number): ByteWriter {
  return out.byte(BULK_PREFIX).unsigned(TABLE_SIZE).unsigned(table);
}

/** Copies all elements of a table over those of another of at least that size. */
function copyTable(out: ByteWriter, from: number, to: number, wide: boolean): void {
  const zero = wide ? Op.i64Const : Op.i32Const;
  out.byte(zero).byte(0).byte(zero).byte(0);
  tableSize(out, from).byte(BULK_PREFIX).unsigned(TABLE_COPY).unsigned(to).unsigned(from);
}

function writeSave(out: ByteWriter, globals: readonly Copy[], tables: readonly TableCopy[], spoiled: number): void {
  out.unsigned(0);
  for (const { original, copy } of globals) out.byte(Op.globalGet).unsigned(original).byte(Op.globalSet).unsigned(copy);
  for (const { original, copy, heap, wide } of tables) {
    out.byte(Op.refNull);
    writeHeapType(out, heap);
    tableSize(tableSize(out, original), copy).byte(wide ? Op.i64Sub : Op.i32Sub);
    out.byte(BULK_PREFIX).unsigned(TABLE_GROW).unsigned(copy).byte(Op.drop);
    copyTable(out, original, copy, wide);
  }
  out.byte(Op.i32Const).byte(0).byte(Op.globalSet).unsigned(spoiled).byte(Op.end);
}

function writeRestore(out: ByteWriter, globals: readonly Copy[], tables: readonly TableCopy[], spoiled: number): void {
  const giveUp = (): ByteWriter => out.byte(Op.if).byte(NO_VALUES).byte(Op.i32Const).byte(0).byte(Op.return).byte(Op.end);
  out.unsigned(0);
  out.byte(Op.globalGet).unsigned(spoiled);
  giveUp();
  for (const { original, copy, wide } of tables) {
    tableSize(tableSize(out, original), copy).byte(wide ? Op.i64Ne : Op.i32Ne);
    giveUp();
  }
  for (const { original, copy } of globals) out.byte(Op.globalGet).unsigned(copy).byte(Op.globalSet).unsigned(original);
  for (const { original, copy, wide } of tables) copyTable(out, copy, original, wide);
  out.byte(Op.i32Const).byte(1).byte(Op.end);
}
