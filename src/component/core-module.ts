// Reads core modules as far as linking needs: sections with their places, types, imports, exports, and the index spaces
// that exports refer to. Code, element and data sections are left as ranges: V8 validates them when it compiles the module.

import { ByteReader, hexByte, malformed, MAX_CORE_ITEMS } from "./binary.ts";
import type { CoreExternType, CoreSubType } from "./component.ts";
import { skipConstantExpression } from "./core-expression.ts";
import {
  readCoreExternType,
  readGlobalType,
  readMemoryType,
  readRecType,
  readTableType,
  readTagType,
} from "./decode-core-types.ts";

export interface CoreModule {
  readonly bytes: Uint8Array;
  readonly sections: readonly CoreSection[];
  /** Types by index; `groups` says where each group of mutually recursive types begins. */
  readonly types: readonly CoreSubType[];
  readonly groups: readonly number[];
  readonly imports: readonly CoreModuleImport[];
  readonly exports: readonly CoreModuleExport[];
  /** What each index space holds, imports first; type indices are those of this module. */
  readonly spaces: CoreIndexSpaces;
  readonly start?: number | undefined;
}

/** A section; offsets count from the start of the module. */
export interface CoreSection {
  readonly id: number;
  /** Of a custom section. */
  readonly name?: string | undefined;
  /** Where the section's id byte lies. */
  readonly header: number;
  /** Where its content lies (of a custom section: after the name). */
  readonly start: number;
  readonly end: number;
}

interface CoreModuleImport {
  readonly module: string;
  readonly name: string;
  readonly type: CoreExternType;
}

interface CoreModuleExport {
  readonly name: string;
  readonly kind: CoreExternType["kind"];
  readonly index: number;
  readonly type: CoreExternType;
}

interface CoreIndexSpaces {
  readonly func: CoreExternType[];
  readonly table: CoreExternType[];
  readonly memory: CoreExternType[];
  readonly global: CoreExternType[];
  readonly tag: CoreExternType[];
}

interface UnresolvedExport {
  readonly name: string;
  readonly kind: CoreExternType["kind"];
  readonly index: number;
  readonly offset: number;
}

class ModuleReading {
  readonly sections: CoreSection[] = [];
  readonly types: CoreSubType[] = [];
  readonly groups: number[] = [];
  readonly imports: CoreModuleImport[] = [];
  readonly exports: UnresolvedExport[] = [];
  readonly spaces: CoreIndexSpaces = { func: [], table: [], memory: [], global: [], tag: [] };
  start: number | undefined;
  /** Where the last section stands in the order of sections. */
  rank = -1;
}

/** The order that sections must have; custom sections may stand anywhere. */
export const SECTION_ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/**
 * Reads a core module; `base` is where it lies in its file, for offsets in errors.
 * @throws StarlaneError `component/malformed`
 */
export function readCoreModule(bytes: Uint8Array, base = 0): CoreModule {
  const reader = new ByteReader(bytes, base, MAX_CORE_ITEMS);
  readPreamble(reader);
  const reading = new ModuleReading();
  while (reader.remaining > 0) readSection(reader, reading);
  const { sections, types, groups, imports, spaces, start } = reading;
  const exports = reading.exports.map(({ name, kind, index, offset }): CoreModuleExport => {
    const type = spaces[kind][index];
    if (type === undefined) throw malformed(offset, `core module exports ${kind} ${index}, which it does not have`);
    return { name, kind, index, type };
  });
  return { bytes, sections, types, groups, imports, exports, spaces, start };
}

const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

function readPreamble(reader: ByteReader): void {
  for (const expected of PREAMBLE) {
    const at = reader.pos;
    if (reader.byte("the preamble of a core module") !== expected)
      throw reader.fail("this is not a core WebAssembly module (version 1)", at);
  }
}

function readSection(reader: ByteReader, into: ModuleReading): void {
  reader.item();
  const header = reader.pos;
  const id = reader.byte("core section");
  const size = reader.u32("size of the core section");
  if (id > 13) throw reader.fail(`unknown core section ${hexByte(id)}`, header);
  if (id !== 0) {
    const rank = SECTION_ORDER.indexOf(id);
    if (rank <= into.rank) throw reader.fail("core section out of order", header);
    into.rank = rank;
  }
  reader.within(size, "core section", () => {
    const name = id === 0 ? reader.name("name of a custom section") : undefined;
    into.sections.push({ id, name, header, start: reader.pos, end: reader.end });
    readContent(reader, id, into);
  });
}

function readContent(reader: ByteReader, id: number, into: ModuleReading): void {
  const { spaces } = into;
  switch (id) {
    case 1:
      reader.vec("types", () => readTypeGroup(reader, into));
      return;
    case 2:
      readImports(reader, into);
      return;
    case 3:
      reader.vec("functions", () => void spaces.func.push({ kind: "func", type: typeIndex(reader, into) }));
      return;
    case 4:
      reader.vec("tables", () => void spaces.table.push(readTable(reader)));
      return;
    case 5:
      reader.vec("memories", () => void spaces.memory.push(readMemoryType(reader)));
      return;
    case 6:
      reader.vec("globals", () => {
        spaces.global.push(readGlobalType(reader));
        skipConstantExpression(reader);
      });
      return;
    case 7:
      reader.vec("exports", () => void into.exports.push(readExport(reader)));
      return;
    case 8:
      into.start = reader.u32("start function");
      return;
    case 13:
      reader.vec("tags", () => void spaces.tag.push(readTagType(reader)));
      return;
    default:
      reader.pos = reader.end;
  }
}

function readTypeGroup(reader: ByteReader, into: ModuleReading): void {
  into.groups.push(into.types.length);
  for (const type of readRecType(reader)) into.types.push(type);
}

function typeIndex(reader: ByteReader, into: ModuleReading): number {
  const at = reader.pos;
  const index = reader.u32("type index");
  if (index >= into.types.length) throw reader.fail(`unknown core type ${index}`, at);
  return index;
}

/** A table type, or `0x40 0x00` with a table type and the initial value of its elements. */
function readTable(reader: ByteReader): CoreExternType {
  if (reader.peek() !== 0x40) return readTableType(reader);
  reader.pos++;
  reader.expect(0x00, "table with an initial value");
  const type = readTableType(reader);
  skipConstantExpression(reader);
  return type;
}

/** Imports, also in the compact layouts that share a module name (0x7f) or a module name and a type (0x7e). */
function readImports(reader: ByteReader, into: ModuleReading): void {
  const add = (module: string, name: string, type: CoreExternType): void => {
    into.imports.push({ module, name, type });
    into.spaces[type.kind].push(type);
  };
  reader.vec("imports", () => {
    const module = reader.name("module name");
    const name = reader.name("import name");
    const layout = name === "" ? reader.peek() : undefined;
    if (layout === 0x7f) {
      reader.pos++;
      reader.vec("imports", () => add(module, reader.name("import name"), readCoreExternType(reader)));
    } else if (layout === 0x7e) {
      reader.pos++;
      const type = readCoreExternType(reader);
      reader.vec("imports", () => add(module, reader.name("import name"), type));
    } else {
      add(module, name, readCoreExternType(reader));
    }
  });
}

const EXPORT_KINDS = ["func", "table", "memory", "global", "tag"] as const;

function readExport(reader: ByteReader): UnresolvedExport {
  const offset = reader.offset;
  const name = reader.name("export name");
  const at = reader.pos;
  const code = reader.byte("kind of a core export");
  const kind = EXPORT_KINDS[code];
  if (kind === undefined) throw reader.fail(`unknown kind ${hexByte(code)} of a core export`, at);
  return { name, kind, index: reader.u32(`${kind} index`), offset };
}
