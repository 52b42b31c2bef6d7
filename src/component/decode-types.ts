// Decodes component types: value, function, resource, component and instance types.
// Nesting of component and instance types is bounded by the reader; value types refer to each other by index only.

import { hexByte, type ByteReader } from "./binary.ts";
import type { Declarator, DefValType, FieldRef, FuncTypeDef, ResourceTypeDef, TypeDef, ValTypeRef } from "./component.ts";
import { readCoreTypeDef, readCoreValType } from "./decode-core-types.ts";
import { readAlias, readExternName, readExternType } from "./decode-externs.ts";
import { PRIMITIVES, readValType } from "./decode-val-type.ts";

function readOptionalValType(reader: ByteReader): ValTypeRef | undefined {
  return reader.optional("optional type", readValType);
}

function readField(reader: ByteReader): FieldRef {
  return { name: reader.name("label"), type: readValType(reader) };
}

function readLabel(reader: ByteReader): string {
  return reader.name("label");
}

/** `deftype`: anything that the type index space may hold. */
export function readTypeDef(reader: ByteReader): TypeDef {
  const at = reader.pos;
  const code = reader.byte("type");
  const primitive = PRIMITIVES.get(code);
  if (primitive !== undefined) return { kind: "primitive", primitive };
  switch (code) {
    case 0x40:
    case 0x43:
      return readFuncType(reader, code === 0x43);
    case 0x41:
      return reader.nested("component type", () => ({
        kind: "component",
        declarators: reader.vec("declarations", readComponentDeclarator),
      }));
    case 0x42:
      return reader.nested("instance type", () => ({
        kind: "instance",
        declarators: reader.vec("declarations", readInstanceDeclarator),
      }));
    case 0x3f:
      return readResourceType(reader);
    default:
      return readDefValType(reader, code, at);
  }
}

function readDefValType(reader: ByteReader, code: number, at: number): DefValType {
  switch (code) {
    case 0x72:
      return { kind: "record", fields: reader.vec("fields", readField) };
    case 0x71:
      return { kind: "variant", cases: reader.vec("cases", readCase) };
    case 0x70:
      return { kind: "list", element: readValType(reader) };
    case 0x67:
      return { kind: "list", element: readValType(reader), length: reader.u32("length of a list") };
    case 0x6f:
      return { kind: "tuple", types: reader.vec("types of a tuple", readValType) };
    case 0x6e:
      return { kind: "flags", labels: reader.vec("flags", readLabel) };
    case 0x6d:
      return { kind: "enum", labels: reader.vec("labels", readLabel) };
    case 0x6b:
      return { kind: "option", type: readValType(reader) };
    case 0x6a:
      return { kind: "result", ok: readOptionalValType(reader), error: readOptionalValType(reader) };
    case 0x69:
      return { kind: "own", type: reader.u32("type index") };
    case 0x68:
      return { kind: "borrow", type: reader.u32("type index") };
    case 0x66:
      return { kind: "stream", element: readOptionalValType(reader) };
    case 0x65:
      return { kind: "future", element: readOptionalValType(reader) };
    case 0x63:
      return { kind: "map", key: readValType(reader), value: readValType(reader) };
    default:
      throw reader.fail(`unknown type ${hexByte(code)}`, at);
  }
}

function readCase(reader: ByteReader): { readonly name: string; readonly type?: ValTypeRef | undefined } {
  const name = reader.name("label of a case");
  const type = readOptionalValType(reader);
  reader.expect(0x00, "end of a case");
  return { name, type };
}

function readFuncType(reader: ByteReader, async: boolean): FuncTypeDef {
  return { kind: "func", async, params: reader.vec("parameters", readField), result: readResult(reader) };
}

/** `resultlist`: `0x00` and a type, or `0x01 0x00` for none. */
export function readResult(reader: ByteReader): ValTypeRef | undefined {
  if (!reader.flag("result of a function")) return readValType(reader);
  reader.expect(0x00, "no results (named results are no longer part of the format)");
  return undefined;
}

function readResourceType(reader: ByteReader): ResourceTypeDef {
  const at = reader.pos;
  const rep = readCoreValType(reader);
  if (rep !== "i32" && rep !== "i64") throw reader.fail("a resource must be represented by i32 or i64", at);
  return { kind: "resource", rep, dtor: reader.optional("destructor", (r) => r.u32("core func index")) };
}

function readComponentDeclarator(reader: ByteReader): Declarator {
  if (reader.peek() !== 0x03) return readInstanceDeclarator(reader);
  const offset = reader.offset;
  reader.pos++;
  return { offset, kind: "import", name: readExternName(reader), type: readExternType(reader) };
}

function readInstanceDeclarator(reader: ByteReader): Declarator {
  const offset = reader.offset;
  const at = reader.pos;
  const code = reader.byte("declaration");
  switch (code) {
    case 0x00:
      return { offset, kind: "core-type", type: readCoreTypeDef(reader) };
    case 0x01:
      return { offset, kind: "type", type: readTypeDef(reader) };
    case 0x02:
      return { offset, kind: "alias", alias: readAlias(reader) };
    case 0x04:
      return { offset, kind: "export", name: readExternName(reader), type: readExternType(reader) };
    default:
      throw reader.fail(`unknown declaration ${hexByte(code)}`, at);
  }
}
