// What is worth showing of a component beside its types: who made it, how big its parts are, which features it uses.
// Reads only; what cannot be read of a custom section is left out. Bounded by what was decoded.

import { StarlaneError } from "../base/errors.ts";
import { ByteReader } from "./binary.ts";
import type { Canon, Component, CustomSection } from "./component.ts";
import { readCoreModule, type CoreModule } from "./core-module.ts";

export interface ComponentFacts {
  /** The name in the `component-name` section. */
  readonly name?: string | undefined;
  readonly bytes: number;
  readonly offset: number;
  /** The `producers` section: languages, tools and libraries, each with its version. */
  readonly producers: readonly ProducerField[];
  readonly coreModules: readonly CoreModuleFacts[];
  readonly components: readonly ComponentFacts[];
  readonly customs: readonly { readonly name: string; readonly bytes: number }[];
  /** How many definitions there are of each kind, without those of nested components. */
  readonly definitions: Readonly<Record<string, number>>;
  /** How often each canonical definition is used, without nested components: `lift`, `resource.drop`, `stream.read` … */
  readonly canons: Readonly<Partial<Record<Canon["kind"], number>>>;
}

interface ProducerField {
  readonly field: string;
  readonly values: readonly { readonly name: string; readonly version: string }[];
}

interface CoreModuleFacts {
  readonly name?: string | undefined;
  readonly bytes: number;
  readonly offset: number;
  readonly functions: number;
  readonly imports: number;
  readonly exports: number;
  /** Initial pages of each memory that the module defines; a page is 64 KiB. */
  readonly memoryPages: readonly number[];
  readonly producers: readonly ProducerField[];
}

/** Facts about a component and everything nested in it. @throws StarlaneError `component/malformed` for a broken core module */
export function describeComponent(component: Component): ComponentFacts {
  const coreModules: CoreModuleFacts[] = [];
  const components: ComponentFacts[] = [];
  const definitions: Record<string, number> = {};
  const canons: Partial<Record<Canon["kind"], number>> = {};
  for (const definition of component.definitions) {
    definitions[definition.kind] = (definitions[definition.kind] ?? 0) + 1;
    if (definition.kind === "component") components.push(describeComponent(definition.component));
    if (definition.kind === "core-module") coreModules.push(describeCoreModule(definition.bytes, definition.offset));
    if (definition.kind === "canon") canons[definition.canon.kind] = (canons[definition.canon.kind] ?? 0) + 1;
  }
  return {
    name: component.names?.component,
    bytes: component.end - component.offset,
    offset: component.offset,
    producers: producersOf(component.customs),
    coreModules,
    components,
    customs: component.customs.map(({ name, bytes }) => ({ name, bytes: bytes.length })),
    definitions,
    canons,
  };
}

function describeCoreModule(bytes: Uint8Array, offset: number): CoreModuleFacts {
  const module = readCoreModule(bytes, offset);
  const imported = module.imports.filter((item) => item.type.kind === "memory").length;
  return {
    name: coreModuleName(module),
    bytes: bytes.length,
    offset,
    functions: module.spaces.func.length - module.imports.filter((item) => item.type.kind === "func").length,
    imports: module.imports.length,
    exports: module.exports.length,
    memoryPages: module.spaces.memory.slice(imported).map((memory) => (memory.kind === "memory" ? Number(memory.limits.min) : 0)),
    producers: producersOf(customsOf(module)),
  };
}

function customsOf(module: CoreModule): CustomSection[] {
  return module.sections.flatMap(({ name, start, end, header }) =>
    name === undefined ? [] : [{ name, bytes: module.bytes.subarray(start, end), offset: header }],
  );
}

/** The module name in the `name` section (subsection 0). */
function coreModuleName(module: CoreModule): string | undefined {
  const section = customsOf(module).find((custom) => custom.name === "name");
  return section === undefined
    ? undefined
    : readLeniently(section.bytes, (reader) => (reader.byte("subsection") === 0 ? subsectionName(reader) : undefined));
}

function subsectionName(reader: ByteReader): string {
  reader.u32("size of the subsection");
  return reader.name("module name");
}

function producersOf(customs: readonly CustomSection[]): readonly ProducerField[] {
  const section = customs.find((custom) => custom.name === "producers");
  if (section === undefined) return [];
  return readLeniently(section.bytes, readProducers) ?? [];
}

function readProducers(reader: ByteReader): ProducerField[] {
  return reader.vec("fields", (r) => ({
    field: r.name("field"),
    values: r.vec("values", (each) => ({ name: each.name("name"), version: each.name("version") })),
  }));
}

/** Custom sections are for people: one that cannot be read says nothing. */
function readLeniently<T>(bytes: Uint8Array, read: (reader: ByteReader) => T): T | undefined {
  try {
    return read(new ByteReader(bytes));
  } catch (error) {
    if (error instanceof StarlaneError) return undefined;
    throw error;
  }
}
