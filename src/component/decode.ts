// Turns the bytes of a component into plain data (`component.ts`), or says where they stop being a component.
// Bounds: nesting (MAX_NESTING), items of a file (MAX_ITEMS), every count and length by the bytes that are left.
// Source: component-model `design/mvp/Binary.md`, August 2026. Nothing is resolved or checked for sense here: see `validate.ts`.

import { ByteReader, hexByte, malformed } from "./binary.ts";
import type { Component, CoreInstanceExpr, CustomSection, Definition, DefinitionOf, InstanceExpr } from "./component.ts";
import { readCanon } from "./decode-canon.ts";
import { readCoreTypeDef } from "./decode-core-types.ts";
import { readAlias, readCoreSortIndex, readExternName, readExternType, readSortIndex } from "./decode-externs.ts";
import { readComponentNames } from "./decode-names.ts";
import { readTypeDef } from "./decode-types.ts";
import { readValType } from "./decode-val-type.ts";

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = 0x0d;
const COMPONENT_LAYER = 0x01;

/** Whether the bytes begin like a component (they may still be malformed). */
export function isComponent(bytes: Uint8Array): boolean {
  return hasMagic(bytes) && bytes[6] === COMPONENT_LAYER && bytes[7] === 0x00;
}

/** Whether the bytes begin like a core module. */
export function isCoreModule(bytes: Uint8Array): boolean {
  return hasMagic(bytes) && bytes[4] === 0x01 && bytes[5] === 0x00 && bytes[6] === 0x00 && bytes[7] === 0x00;
}

function hasMagic(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * Decodes a component binary. The result shares the memory of `bytes` where it holds bytes.
 * @throws StarlaneError `component/malformed` with the byte offset in `at` (`byte 0x1f`) and in `data.offset`
 */
export function decode(bytes: Uint8Array): Component {
  if (isCoreModule(bytes)) {
    throw malformed(
      4,
      "this is a core WebAssembly module, not a component",
      "Make a component of it with `wasm-tools component new module.wasm -o component.wasm` (add `--adapt wasi_snapshot_preview1=…` " +
        "where it imports WASI preview 1), or build it with a toolchain that emits components.",
    );
  }
  return readComponent(new ByteReader(bytes));
}

/** A component from the reader's position to its end. */
function readComponent(reader: ByteReader): Component {
  const offset = reader.offset;
  readPreamble(reader);
  const definitions: Definition[] = [];
  const customs: CustomSection[] = [];
  while (reader.remaining > 0) readSection(reader, definitions, customs);
  const section = customs.find((custom) => custom.name === "component-name");
  const names = section === undefined ? undefined : readComponentNames(section.bytes);
  return { kind: "component", definitions, offset, end: reader.offset, customs, names };
}

function readPreamble(reader: ByteReader): void {
  const at = reader.pos;
  for (const [i, expected] of MAGIC.entries()) {
    if (reader.byte("the magic bytes of a WebAssembly file") !== expected)
      throw reader.fail("this is not a WebAssembly file", at + i);
  }
  const version = reader.byte("version") | (reader.byte("version") << 8);
  const layer = reader.byte("layer") | (reader.byte("layer") << 8);
  if (layer !== COMPONENT_LAYER)
    throw reader.fail(layer === 0 ? "expected a component, found a core module" : `unknown layer ${layer}`, at + 6);
  if (version !== VERSION) throw reader.fail(`unknown component version ${version}: only ${VERSION} is supported`, at + 4);
}

function readSection(reader: ByteReader, definitions: Definition[], customs: CustomSection[]): void {
  const offset = reader.item();
  const at = reader.pos;
  const id = reader.byte("section");
  const size = reader.u32("size of the section");
  if (id > 12) throw reader.fail(`unknown section ${hexByte(id)}`, at);
  reader.within(size, SECTIONS[id] ?? "section", () => {
    if (id === 0)
      customs.push({
        name: reader.name("name of a custom section"),
        bytes: reader.take(reader.remaining, "custom section"),
        offset,
      });
    else readDefinitions(reader, id, definitions);
  });
}

const SECTIONS = [
  "custom section",
  "core module section",
  "core instance section",
  "core type section",
  "component section",
  "instance section",
  "alias section",
  "type section",
  "canon section",
  "start section",
  "import section",
  "export section",
  "value section",
];

function readDefinitions(reader: ByteReader, section: number, into: Definition[]): void {
  switch (section) {
    case 1:
      into.push({ kind: "core-module", offset: reader.item(), bytes: reader.take(reader.remaining, "core module") });
      return;
    case 4:
      into.push({ kind: "component", offset: reader.item(), component: reader.nested("component", readComponent) });
      return;
    case 9:
      into.push(readStart(reader));
      return;
    default: {
      const count = reader.count("definitions");
      for (let i = 0; i < count; i++) into.push(readVectorDefinition(reader, section));
    }
  }
}

function readVectorDefinition(reader: ByteReader, section: number): Definition {
  const offset = reader.item();
  switch (section) {
    case 2:
      return { kind: "core-instance", offset, expr: readCoreInstance(reader) };
    case 3:
      return { kind: "core-type", offset, type: readCoreTypeDef(reader) };
    case 5:
      return { kind: "instance", offset, expr: readInstance(reader) };
    case 6:
      return { kind: "alias", offset, alias: readAlias(reader) };
    case 7:
      return { kind: "type", offset, type: readTypeDef(reader) };
    case 8:
      return { kind: "canon", offset, canon: readCanon(reader) };
    case 10:
      return { kind: "import", offset, name: readExternName(reader), type: readExternType(reader) };
    case 11:
      return {
        kind: "export",
        offset,
        name: readExternName(reader),
        item: readSortIndex(reader),
        type: reader.optional("type of an export", readExternType),
      };
    default:
      return readValue(reader, offset);
  }
}

function readCoreInstance(reader: ByteReader): CoreInstanceExpr {
  if (reader.flag("core instance")) {
    return {
      kind: "exports",
      exports: reader.vec("exports", (r) => ({ name: r.name("export name"), item: readCoreSortIndex(r) })),
    };
  }
  return {
    kind: "instantiate",
    module: reader.u32("core module index"),
    args: reader.vec("arguments", (r) => {
      const name = r.name("argument name");
      r.expect(0x12, "core instance");
      return { name, instance: r.u32("core instance index") };
    }),
  };
}

function readInstance(reader: ByteReader): InstanceExpr {
  if (reader.flag("instance")) {
    return { kind: "exports", exports: reader.vec("exports", (r) => ({ name: readExternName(r), item: readSortIndex(r) })) };
  }
  return {
    kind: "instantiate",
    component: reader.u32("component index"),
    args: reader.vec("arguments", (r) => ({ name: r.name("argument name"), item: readSortIndex(r) })),
  };
}

function readStart(reader: ByteReader): DefinitionOf<"start"> {
  return {
    kind: "start",
    offset: reader.item(),
    func: reader.u32("func index"),
    args: reader.vec("arguments", (r) => r.u32("value index")),
    results: reader.u32("number of results"),
  };
}

function readValue(reader: ByteReader, offset: number): DefinitionOf<"value"> {
  const type = readValType(reader);
  return { kind: "value", offset, type, bytes: reader.take(reader.u32("length of a value"), "value") };
}
