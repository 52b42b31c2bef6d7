// Decodes core types: rec groups, module types, and the types of core imports and exports (WebAssembly 3.0).
// Nesting of module types is bounded by the reader.

import { hexByte, type ByteReader } from "./binary.ts";
import type {
  CoreDeclarator,
  CoreExternType,
  CoreFieldType,
  CoreLimits,
  CoreNumType,
  CoreRefType,
  CoreSubType,
  CoreTypeDef,
  CoreValType,
} from "./component.ts";

/** `core:deftype` of a component: a module type (0x50), or a rec type, whose non-final `sub` is written 0x00 0x50 here. */
export function readCoreTypeDef(reader: ByteReader): CoreTypeDef {
  if (reader.peek() === 0x50) {
    reader.pos++;
    return reader.nested("module type", () => ({
      kind: "module",
      declarators: reader.vec("module type declarations", readCoreDeclarator),
    }));
  }
  if (reader.peek() === 0x00) {
    reader.pos++;
    if (reader.peek() !== 0x50) throw reader.fail("expected a sub type (0x50) after 0x00");
  }
  return { kind: "rec", types: readRecType(reader) };
}

/** `core:rectype`: a group of mutually recursive types, or a single type. */
export function readRecType(reader: ByteReader): CoreSubType[] {
  if (reader.peek() !== 0x4e) return [readSubType(reader)];
  reader.pos++;
  return reader.vec("types of the rec group", readSubType);
}

function readSubType(reader: ByteReader): CoreSubType {
  const code = reader.peek();
  if (code !== 0x50 && code !== 0x4f) return { final: true, supertypes: [], type: readCompositeType(reader) };
  reader.pos++;
  const supertypes = reader.vec("supertypes", (r) => r.u32("type index"));
  return { final: code === 0x4f, supertypes, type: readCompositeType(reader) };
}

function readCompositeType(reader: ByteReader): CoreSubType["type"] {
  const at = reader.pos;
  const code = reader.byte("core type");
  switch (code) {
    case 0x60:
      return { kind: "func", params: reader.vec("parameters", readCoreValType), results: reader.vec("results", readCoreValType) };
    case 0x5f:
      return { kind: "struct", fields: reader.vec("fields", readFieldType) };
    case 0x5e:
      return { kind: "array", field: readFieldType(reader) };
    default:
      throw reader.fail(`unknown core type ${hexByte(code)}`, at);
  }
}

function readFieldType(reader: ByteReader): CoreFieldType {
  const code = reader.peek();
  let type: CoreFieldType["type"];
  if (code === 0x78 || code === 0x77) {
    reader.pos++;
    type = code === 0x78 ? "i8" : "i16";
  } else {
    type = readCoreValType(reader);
  }
  return { type, mutable: reader.flag("mutability") };
}

export const NUMBER_TYPES: ReadonlyMap<number, CoreNumType> = new Map<number, CoreNumType>([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
]);

export const HEAP_TYPES: ReadonlyMap<number, string> = new Map([
  [0x75, "nocont"],
  [0x74, "noexn"],
  [0x73, "nofunc"],
  [0x72, "noextern"],
  [0x71, "none"],
  [0x70, "func"],
  [0x6f, "extern"],
  [0x6e, "any"],
  [0x6d, "eq"],
  [0x6c, "i31"],
  [0x6b, "struct"],
  [0x6a, "array"],
  [0x69, "exn"],
  [0x68, "cont"],
]);

export function readCoreValType(reader: ByteReader): CoreValType {
  const number = NUMBER_TYPES.get(reader.peek() ?? -1);
  if (number === undefined) return readRefType(reader);
  reader.pos++;
  return number;
}

function readRefType(reader: ByteReader): CoreRefType {
  const at = reader.pos;
  const code = reader.byte("core value type");
  if (code === 0x63 || code === 0x64) return { nullable: code === 0x63, heap: readHeapType(reader) };
  const heap = HEAP_TYPES.get(code);
  if (heap === undefined) throw reader.fail(`unknown core value type ${hexByte(code)}`, at);
  return { nullable: true, heap };
}

export function readHeapType(reader: ByteReader): string | number {
  const at = reader.pos;
  const abstract = HEAP_TYPES.get(reader.peek() ?? -1);
  if (abstract !== undefined) {
    reader.pos++;
    return abstract;
  }
  const index = reader.s33("heap type");
  if (index < 0) throw reader.fail("unknown heap type", at);
  return index;
}

const HAS_MAX = 1;
const SHARED = 2;
const IS_64 = 4;
const HAS_PAGE_SIZE = 8;

/** Limits of a table or memory; 32-bit limits are u32, 64-bit limits u64. */
function readLimits(reader: ByteReader, allowed: number): { limits: CoreLimits; pageSizeLog2?: number | undefined } {
  const at = reader.pos;
  const flags = reader.byte("limits");
  if ((flags & ~allowed) !== 0) throw reader.fail(`unknown flags ${hexByte(flags)} of limits`, at);
  const is64 = (flags & IS_64) !== 0;
  const size = (what: string): bigint => (is64 ? reader.u64(what) : BigInt(reader.u32(what)));
  const min = size("minimum");
  const max = (flags & HAS_MAX) !== 0 ? size("maximum") : undefined;
  const limits: CoreLimits = { min, max, shared: (flags & SHARED) !== 0, addressType: is64 ? "i64" : "i32" };
  return { limits, pageSizeLog2: (flags & HAS_PAGE_SIZE) !== 0 ? reader.u32("page size") : undefined };
}

export function readTableType(reader: ByteReader): Extract<CoreExternType, { kind: "table" }> {
  const element = readRefType(reader);
  return { kind: "table", element, limits: readLimits(reader, HAS_MAX | SHARED | IS_64).limits };
}

export function readMemoryType(reader: ByteReader): Extract<CoreExternType, { kind: "memory" }> {
  const { limits, pageSizeLog2 } = readLimits(reader, HAS_MAX | SHARED | IS_64 | HAS_PAGE_SIZE);
  return { kind: "memory", limits, pageSizeLog2 };
}

export function readGlobalType(reader: ByteReader): Extract<CoreExternType, { kind: "global" }> {
  const type = readCoreValType(reader);
  return { kind: "global", type, mutable: reader.flag("mutability") };
}

export function readTagType(reader: ByteReader): Extract<CoreExternType, { kind: "tag" }> {
  reader.expect(0x00, "tag attribute");
  return { kind: "tag", type: reader.u32("type index") };
}

/** `core:externtype`: what a core module imports or exports. */
export function readCoreExternType(reader: ByteReader): CoreExternType {
  const at = reader.pos;
  const code = reader.byte("type of a core import or export");
  switch (code) {
    case 0x00:
      return { kind: "func", type: reader.u32("type index") };
    case 0x01:
      return readTableType(reader);
    case 0x02:
      return readMemoryType(reader);
    case 0x03:
      return readGlobalType(reader);
    case 0x04:
      return readTagType(reader);
    default:
      throw reader.fail(`unknown kind ${hexByte(code)} of a core import or export`, at);
  }
}

function readCoreDeclarator(reader: ByteReader): CoreDeclarator {
  const offset = reader.offset;
  const at = reader.pos;
  const code = reader.byte("module type declaration");
  switch (code) {
    case 0x00:
      return {
        offset,
        kind: "import",
        module: reader.name("module name"),
        name: reader.name("import name"),
        type: readCoreExternType(reader),
      };
    case 0x01:
      return { offset, kind: "type", type: readCoreTypeDef(reader) };
    case 0x02:
      reader.expect(0x10, "sort of the alias: type");
      reader.expect(0x01, "target of the alias: outer");
      return { offset, kind: "alias", count: reader.u32("outer count"), index: reader.u32("type index") };
    case 0x03:
      return { offset, kind: "export", name: reader.name("export name"), type: readCoreExternType(reader) };
    default:
      throw reader.fail(`unknown module type declaration ${hexByte(code)}`, at);
  }
}
