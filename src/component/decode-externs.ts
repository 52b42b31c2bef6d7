// Decodes what definitions share: sorts, names with attributes, aliases and the types of imports and exports.

import { hexByte, type ByteReader } from "./binary.ts";
import type { Alias, ComponentSort, CoreSort, ExternName, ExternTypeRef, Sort, SortIndex } from "./component.ts";
import { readValType } from "./decode-val-type.ts";

const CORE_SORTS = new Map<number, CoreSort>([
  [0x00, "core func"],
  [0x01, "core table"],
  [0x02, "core memory"],
  [0x03, "core global"],
  [0x04, "core tag"],
  [0x10, "core type"],
  [0x11, "core module"],
  [0x12, "core instance"],
]);

const COMPONENT_SORTS = new Map<number, ComponentSort>([
  [0x01, "func"],
  [0x02, "value"],
  [0x03, "type"],
  [0x04, "component"],
  [0x05, "instance"],
]);

function readCoreSort(reader: ByteReader): CoreSort {
  const at = reader.pos;
  const code = reader.byte("core sort");
  const sort = CORE_SORTS.get(code);
  if (sort === undefined) throw reader.fail(`unknown core sort ${hexByte(code)}`, at);
  return sort;
}

export function readSort(reader: ByteReader): Sort {
  const at = reader.pos;
  const code = reader.byte("sort");
  if (code === 0x00) return readCoreSort(reader);
  const sort = COMPONENT_SORTS.get(code);
  if (sort === undefined) throw reader.fail(`unknown sort ${hexByte(code)}`, at);
  return sort;
}

export function readSortIndex(reader: ByteReader): SortIndex {
  const sort = readSort(reader);
  return { sort, index: reader.u32(`${sort} index`) };
}

export function readCoreSortIndex(reader: ByteReader): SortIndex {
  const sort = readCoreSort(reader);
  return { sort, index: reader.u32(`${sort} index`) };
}

/** `nameattributes`: a name, and in the layout 0x02 attributes, each kind at most once. */
export function readExternName(reader: ByteReader): ExternName {
  const at = reader.pos;
  const layout = reader.byte("name of an import or export");
  if (layout > 0x02) throw reader.fail(`unknown layout ${hexByte(layout)} of a name`, at);
  const name = reader.name("name of an import or export");
  if (layout !== 0x02) return { name };
  const attributes: { implements?: string; versionSuffix?: string; externalId?: string } = {};
  reader.vec("attributes", () => readAttribute(reader, attributes));
  return { name, ...attributes };
}

const ATTRIBUTES = ["implements", "versionSuffix", "externalId"] as const;

function readAttribute(reader: ByteReader, into: { -readonly [K in (typeof ATTRIBUTES)[number]]?: string }): void {
  const at = reader.pos;
  const code = reader.byte("attribute");
  const kind = ATTRIBUTES[code];
  if (kind === undefined) throw reader.fail(`unknown attribute ${hexByte(code)}`, at);
  if (into[kind] !== undefined) throw reader.fail(`duplicate attribute ${kind}`, at);
  into[kind] = reader.name("attribute");
}

export function readAlias(reader: ByteReader): Alias {
  const at = reader.pos;
  const sort = readSort(reader);
  const targetAt = reader.pos;
  const target = reader.byte("target of an alias");
  switch (target) {
    case 0x00:
      if (isCoreSort(sort) && sort !== "core module") throw reader.fail(`an instance has no exports of sort ${sort}`, at);
      return { kind: "export", sort, instance: reader.u32("instance index"), name: reader.name("export name") };
    case 0x01:
      if (!isCoreSort(sort)) throw reader.fail(`a core instance has no exports of sort ${sort}`, at);
      return { kind: "core-export", sort, instance: reader.u32("core instance index"), name: reader.name("export name") };
    case 0x02:
      return { kind: "outer", sort, count: reader.u32("outer count"), index: reader.u32(`${sort} index`) };
    default:
      throw reader.fail(`unknown target ${hexByte(target)} of an alias`, targetAt);
  }
}

function isCoreSort(sort: Sort): sort is CoreSort {
  return sort.startsWith("core ");
}

/** `externtype`: the type of an import or export. */
export function readExternType(reader: ByteReader): ExternTypeRef {
  const at = reader.pos;
  const code = reader.byte("type of an import or export");
  switch (code) {
    case 0x00:
      reader.expect(0x11, "core module");
      return { kind: "core-module", type: reader.u32("core type index") };
    case 0x01:
      return { kind: "func", type: reader.u32("type index") };
    case 0x02:
      return { kind: "value", bound: readValueBound(reader) };
    case 0x03:
      return { kind: "type", bound: readTypeBound(reader) };
    case 0x04:
      return { kind: "component", type: reader.u32("type index") };
    case 0x05:
      return { kind: "instance", type: reader.u32("type index") };
    default:
      throw reader.fail(`unknown type ${hexByte(code)} of an import or export`, at);
  }
}

function readTypeBound(reader: ByteReader): Extract<ExternTypeRef, { kind: "type" }>["bound"] {
  return reader.flag("bound of a type") ? { kind: "sub-resource" } : { kind: "eq", type: reader.u32("type index") };
}

function readValueBound(reader: ByteReader): Extract<ExternTypeRef, { kind: "value" }>["bound"] {
  return reader.flag("bound of a value")
    ? { kind: "type", type: readValType(reader) }
    : { kind: "eq", value: reader.u32("value index") };
}
