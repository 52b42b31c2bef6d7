// Rewrites the sections beside the code: what is added stands behind what is there, and indices that moved are written anew.

import { ByteWriter } from "./byte-writer.ts";
import type { Additions } from "./additions.ts";
import type { CoreModule, CoreSection } from "../core-module.ts";
import { Op } from "./instruction-table.ts";
import type { InstructionReader } from "./instructions.ts";
import { type Shift, type Shifts, shifted } from "./rewrite-code.ts";

export interface SectionPlan {
  readonly module: CoreModule;
  readonly shifts: Shifts;
  readonly additions: Additions;
  readonly limits?: Limits | undefined;
}

/** The most that memories and tables may grow to. */
export interface Limits {
  readonly memoryPages?: number | undefined;
  readonly tableElements?: number | undefined;
}

/** The content of a section that may get additions; undefined when it stays away. */
export function rewriteSection(id: number, plan: SectionPlan, reader: InstructionReader): ByteWriter | undefined {
  const section = plan.module.sections.find((candidate) => candidate.id === id);
  const { additions } = plan;
  switch (id) {
    case 1:
      return extended(section, additions.types, reader);
    case 2:
      return extended(section, additions.imports, reader);
    case 3:
      return extended(section, additions.funcs, reader);
    case 4:
      return extended(section, additions.tables, reader, (out) => rewriteTable(reader, out, plan));
    case 5:
      return extended(section, additions.memories, reader, (out) => rewriteLimits(reader, out, plan.limits?.memoryPages));
    case 6:
      return extended(section, additions.globals, reader, (out) => rewriteGlobal(reader, out, plan));
    case 7:
      return extended(section, additions.exports, reader, (out) => rewriteExport(reader, out, plan));
    case 8:
      return section === undefined ? undefined : rewriteStart(section, plan, reader);
    case 9:
      return extended(section, NOTHING, reader, (out) => rewriteElements(reader, out, plan));
    case 11:
      return extended(section, NOTHING, reader, (out) => rewriteData(reader, out, plan));
    default:
      return section === undefined ? undefined : new ByteWriter(16).copy(reader.bytes, section.start, section.end);
  }
}

interface Added {
  readonly count: number;
  readonly bytes: ByteWriter;
}

const NOTHING: Added = { count: 0, bytes: new ByteWriter(0) };

/** A vector with more items behind its own; without `rewrite` its own are copied as they are. */
function extended(
  section: CoreSection | undefined,
  added: Added,
  reader: InstructionReader,
  rewrite?: (out: ByteWriter) => void,
): ByteWriter | undefined {
  if (section === undefined && added.count === 0) return undefined;
  const out = new ByteWriter((section === undefined ? 0 : section.end - section.start) + added.bytes.length + 16);
  reader.pos = section?.start ?? 0;
  reader.end = section?.end ?? 0;
  const count = section === undefined ? 0 : reader.u32();
  out.unsigned(count + added.count);
  if (rewrite === undefined) {
    out.copy(reader.bytes, reader.pos, reader.end);
  } else {
    for (let i = 0; i < count; i++) rewrite(out);
    if (reader.pos !== reader.end) throw reader.fail("the section is longer than what it holds");
  }
  return out.append(added.bytes.written);
}

/** Copies a constant expression. */
function rewriteExpression(reader: InstructionReader, out: ByteWriter, { shifts }: SectionPlan): void {
  reader.depth = 1;
  reader.locals = 0;
  while (reader.depth > 0) {
    reader.next();
    if (reader.op === Op.refFunc) out.byte(Op.refFunc).unsigned(shifted(reader.first, shifts.func));
    else if (reader.op === Op.globalGet) out.byte(Op.globalGet).unsigned(shifted(reader.first, shifts.global));
    else out.copy(reader.bytes, reader.start, reader.pos);
  }
}

function copySince(reader: InstructionReader, start: number, out: ByteWriter): void {
  out.copy(reader.bytes, start, reader.pos);
}

/** A length and that many bytes: a name, or the bytes of a data segment. */
function skipName(reader: InstructionReader): void {
  const length = reader.count();
  reader.pos += length;
}

const HAS_MAXIMUM = 1;
const HAS_PAGE_SIZE = 8;

/** Limits whose maximum is at most `limit`, but not less than the minimum. */
function rewriteLimits(reader: InstructionReader, out: ByteWriter, limit: number | undefined): void {
  const start = reader.pos;
  const flags = reader.byte();
  const minimum = reader.unsigned64();
  const maximum = (flags & HAS_MAXIMUM) === 0 ? undefined : reader.unsigned64();
  // V8 refuses a module with other page sizes than its own.
  if ((flags & HAS_PAGE_SIZE) !== 0) reader.u32();
  if (limit === undefined || (maximum !== undefined && maximum <= limit)) copySince(reader, start, out);
  else
    out
      .byte(flags | HAS_MAXIMUM)
      .unsigned(minimum)
      .unsigned(Math.max(minimum, limit));
}

/** A table type, or `0x40 0x00`, a table type, and the initial value of its elements. */
function rewriteTable(reader: InstructionReader, out: ByteWriter, plan: SectionPlan): void {
  const start = reader.pos;
  const initialized = reader.bytes[start] === 0x40;
  if (initialized) reader.pos += 2;
  reader.valueType();
  copySince(reader, start, out);
  rewriteLimits(reader, out, plan.limits?.tableElements);
  if (initialized) rewriteExpression(reader, out, plan);
}

export function rewriteGlobal(reader: InstructionReader, out: ByteWriter, plan: SectionPlan): void {
  const start = reader.pos;
  reader.valueType();
  reader.byte();
  copySince(reader, start, out);
  rewriteExpression(reader, out, plan);
}

const EXPORTED_SPACES = ["func", undefined, "memory", "global", undefined] as const;

function rewriteExport(reader: InstructionReader, out: ByteWriter, { shifts }: SectionPlan): void {
  const start = reader.pos;
  skipName(reader);
  const space = EXPORTED_SPACES[reader.byte()];
  copySince(reader, start, out);
  const index = reader.u32();
  out.unsigned(space === undefined ? index : shifted(index, shifts[space]));
}

function rewriteStart(section: CoreSection, { shifts }: SectionPlan, reader: InstructionReader): ByteWriter {
  reader.pos = section.start;
  reader.end = section.end;
  return new ByteWriter(8).unsigned(shifted(reader.func(), shifts.func));
}

/** Flags of an element segment. */
const NOT_ACTIVE = 1;
const EXPLICIT = 2;
const EXPRESSIONS = 4;

function rewriteElements(reader: InstructionReader, out: ByteWriter, plan: SectionPlan): void {
  const flags = reader.u32();
  if (flags > 7) throw reader.fail(`unknown flags ${flags} of an element segment`);
  out.unsigned(flags);
  if ((flags & NOT_ACTIVE) === 0) {
    if ((flags & EXPLICIT) !== 0) out.unsigned(reader.table());
    rewriteExpression(reader, out, plan);
  }
  const typeStart = reader.pos;
  if ((flags & (NOT_ACTIVE | EXPLICIT)) !== 0) {
    if ((flags & EXPRESSIONS) !== 0) reader.valueType();
    else reader.byte();
  }
  copySince(reader, typeStart, out);
  const count = reader.count();
  out.unsigned(count);
  for (let i = 0; i < count; i++) {
    if ((flags & EXPRESSIONS) !== 0) rewriteExpression(reader, out, plan);
    else out.unsigned(shifted(reader.func(), plan.shifts.func));
  }
}

function rewriteData(reader: InstructionReader, out: ByteWriter, plan: SectionPlan): void {
  const flags = reader.u32();
  if (flags > 2) throw reader.fail(`unknown flags ${flags} of a data segment`);
  out.unsigned(flags);
  if (flags === 2) out.unsigned(shifted(reader.memory(), plan.shifts.memory));
  if (flags !== 1) rewriteExpression(reader, out, plan);
  const start = reader.pos;
  skipName(reader);
  copySince(reader, start, out);
}

/** Subsections of the name section that map indices to names, and the indices that may have moved. */
const NAME_MAPS: ReadonlyMap<number, keyof Shifts> = new Map([
  [1, "func"],
  [6, "memory"],
  [7, "global"],
]);
/** Names of locals and labels are those of function bodies that have changed. */
const DROPPED_NAMES: ReadonlySet<number> = new Set([2, 3]);

/** The name section with the names of what moved; undefined when it does not follow the format. */
export function rewriteNames(section: CoreSection, shifts: Shifts, reader: InstructionReader): ByteWriter | undefined {
  const out = new ByteWriter(section.end - section.start + 16).name("name");
  reader.pos = section.start;
  reader.end = section.end;
  try {
    while (reader.pos < section.end) {
      const start = reader.pos;
      const id = reader.byte();
      const end = reader.count() + reader.pos;
      const space = NAME_MAPS.get(id);
      if (space !== undefined && shifts[space].by > 0) rewriteNameMap(id, shifts[space], reader, out);
      else if (!DROPPED_NAMES.has(id)) out.copy(reader.bytes, start, end);
      reader.pos = end;
    }
    return out;
  } catch {
    return undefined;
  }
}

function rewriteNameMap(id: number, shift: Shift, reader: InstructionReader, out: ByteWriter): void {
  const map = new ByteWriter(256);
  const count = reader.count();
  map.unsigned(count);
  for (let i = 0; i < count; i++) {
    map.unsigned(shifted(reader.u32(), shift));
    const start = reader.pos;
    skipName(reader);
    copySince(reader, start, map);
  }
  out.byte(id).unsigned(map.length).append(map.written);
}
