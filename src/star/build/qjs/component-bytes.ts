// Changes in the bytes of a component: exports taken away, a core module inside it replaced. Only what its shape allows: components as
// wac and wit-component write them.

import type { Component, Definition, DefinitionOf } from "../../../component/component.ts";
import { decode } from "../../../component/decode.ts";
import { ByteWriter } from "../../../component/instrument/byte-writer.ts";

const SECTION = { module: 1, component: 4, alias: 6, export: 11 } as const;
/** Sorts of exports, as they are written. */
const SORT_BYTES: Readonly<Record<string, number>> = { func: 1, value: 2, type: 3, component: 4, instance: 5 };

interface Pair {
  readonly alias: DefinitionOf<"alias">;
  readonly exported: DefinitionOf<"export">;
}

/** Without these exports, where the component ends with what it exports: an alias and an export for each. Otherwise as it is. */
export function withoutExports(bytes: Uint8Array, names: readonly string[]): Uint8Array {
  const { definitions } = decode(bytes);
  const pairs = exportsAtTheEnd(definitions);
  const [first] = pairs;
  if (first === undefined || !pairs.some(({ exported }) => names.includes(exported.name.name))) return bytes;
  const sections = [...sectionsOf(bytes, PREAMBLE, bytes.length)];
  const cut = sections.findIndex(({ end }) => first.alias.offset < end);
  const { header, start } = sections[cut] ?? { header: 0, start: 0 };
  // Behind the number of its items, which is one byte, comes the first.
  if (first.alias.offset !== start + 1) return bytes;
  const out = new ByteWriter(bytes.length);
  out.copy(bytes, 0, header);
  const next = new Map<string, number>();
  for (const { alias, exported } of pairs) {
    const { sort, index } = exported.item;
    if (!next.has(sort)) next.set(sort, index);
    if (names.includes(exported.name.name) || alias.alias.kind !== "export") continue;
    const at = next.get(sort) ?? index;
    next.set(sort, at + 2);
    const sortByte = SORT_BYTES[sort] ?? 0;
    const one = new ByteWriter();
    one.unsigned(1).byte(sortByte).byte(0).unsigned(alias.alias.instance).name(alias.alias.name);
    writeSection(out, SECTION.alias, one.written);
    const two = new ByteWriter();
    two.unsigned(1).byte(0).name(exported.name.name).byte(sortByte).unsigned(at).byte(0);
    writeSection(out, SECTION.export, two.written);
  }
  for (const section of sections.slice(cut)) if (isProducers(bytes, section)) out.copy(bytes, section.header, section.end);
  return out.written.slice();
}

/** Empty where anything of it is of another shape. */
function exportsAtTheEnd(definitions: readonly Definition[]): readonly Pair[] {
  const pairs: Pair[] = [];
  const start = definitions.findIndex(({ kind }) => kind === "export") - 1;
  if (start < 0) return [];
  for (let i = start; i < definitions.length; i += 2) {
    const [alias, exported] = [definitions[i], definitions[i + 1]];
    if (alias?.kind !== "alias" || exported?.kind !== "export" || exported.type !== undefined) return [];
    const { name } = exported;
    const isPlain = name.implements === undefined && name.versionSuffix === undefined && name.externalId === undefined;
    const isOwn = alias.alias.kind === "export" && alias.alias.sort === exported.item.sort;
    if (!isPlain || !isOwn || SORT_BYTES[exported.item.sort] === undefined) return [];
    pairs.push({ alias, exported });
  }
  const counts = new Map<string, number>();
  const inOrder = pairs.every(({ exported: { item } }) => {
    const expected = counts.get(item.sort) ?? item.index;
    counts.set(item.sort, expected + 2);
    return item.index === expected;
  });
  return inOrder ? pairs : [];
}

/** The custom section that tells which tools made it; that of names would be wrong now. */
function isProducers(bytes: Uint8Array, { id, start, end }: Section): boolean {
  return id === 0 && new TextDecoder().decode(bytes.subarray(start, end)).startsWith("\tproducers");
}

const PREAMBLE = 8;

interface Section {
  readonly id: number;
  readonly header: number;
  readonly start: number;
  readonly end: number;
}

function* sectionsOf(bytes: Uint8Array, from: number, to: number): Iterable<Section> {
  for (let at = from; at < to;) {
    const { value, next } = unsignedAt(bytes, at + 1);
    yield { id: bytes[at] ?? 0, header: at, start: next, end: next + value };
    at = next + value;
  }
}

function unsignedAt(bytes: Uint8Array, from: number): { readonly value: number; readonly next: number } {
  let [value, scale, at] = [0, 1, from];
  for (;;) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, next: at };
    scale *= 0x80;
  }
}

function writeSection(out: ByteWriter, id: number, content: Uint8Array): void {
  out.byte(id).unsigned(content.length).append(content);
}

/** With other core modules in place of those that lie at some offsets, wherever in it they are. */
export function withModules(bytes: Uint8Array, modules: ReadonlyMap<number, Uint8Array>): Uint8Array {
  return replaced(bytes, 0, bytes.length, modules);
}

function replaced(bytes: Uint8Array, from: number, to: number, modules: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const out = new ByteWriter(to - from);
  out.copy(bytes, from, from + PREAMBLE);
  for (const { id, header, start, end } of sectionsOf(bytes, from + PREAMBLE, to)) {
    const module = id === SECTION.module ? modules.get(start) : undefined;
    const isAround = id === SECTION.component && [...modules.keys()].some((offset) => offset >= start && offset < end);
    if (module !== undefined) writeSection(out, id, module);
    else if (isAround) writeSection(out, id, replaced(bytes, start, end, modules));
    else out.copy(bytes, header, end);
  }
  return out.written.slice();
}

/** The component inside a component that imports something of this name. */
export function importerOf(component: Component, name: string): Component | undefined {
  for (const definition of component.definitions) {
    if (definition.kind !== "component") continue;
    const inner = definition.component;
    if (inner.definitions.some((one) => one.kind === "import" && one.name.name === name)) return inner;
    const deeper = importerOf(inner, name);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}
