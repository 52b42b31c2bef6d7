// The state of an instance of a core module: its own memory and globals; and the module with another state to start with.

import { ByteReader } from "../../../component/binary.ts";
import { skipConstantExpression } from "../../../component/core-expression.ts";
import { type CoreModule, readCoreModule, SECTION_ORDER } from "../../../component/core-module.ts";
import { readGlobalType } from "../../../component/decode-core-types.ts";
import { ByteWriter } from "../../../component/instrument/byte-writer.ts";

const SECTION = { memory: 5, global: 6, export: 7, data: 11, dataCount: 12 } as const;
const PREAMBLE = 8;
const PAGE = 65_536;
/** Zeroes between two pieces of data that are cheaper to write than to leave out. */
const SHORT_GAP = 16;
/** V8 takes no more. */
const MOST_SEGMENTS = 100_000;
const GLOBAL = "starlane:global:";
const MEMORY = "starlane:memory";

export interface ExposedModule {
  readonly module: WebAssembly.Module;
  /** The state of a new instance, from its exports. */
  stateOf(exports: WebAssembly.ModuleImports): CoreState;
}

export interface CoreState {
  readonly memory: WebAssembly.Memory | undefined;
  /** Those that are different from when the instance was new, by index. */
  changedGlobals(): ReadonlyMap<number, unknown>;
}

/** Compiles a module so that its own memory and mutable globals can be seen. */
export function exposed(bytes: Uint8Array): ExposedModule {
  const core = readCoreModule(bytes);
  const globals = ownMutableGlobals(core);
  const hasMemory = hasOwnMemory(core);
  const module = new WebAssembly.Module(new Uint8Array(withExports(core, globals, hasMemory)));
  return {
    module,
    stateOf(exports) {
      const found = new Map<number, WebAssembly.Global>();
      for (const index of globals) {
        const value = exports[`${GLOBAL}${index}`];
        if (value instanceof WebAssembly.Global) found.set(index, value);
      }
      const memory = exports[MEMORY];
      const values = [...found].map(([index, global]): [number, unknown] => [index, global.value]);
      return {
        memory: memory instanceof WebAssembly.Memory ? memory : undefined,
        changedGlobals: () =>
          new Map(
            values.flatMap(([index, before]): [number, unknown][] => {
              const now: unknown = found.get(index)?.value;
              return Object.is(now, before) ? [] : [[index, now]];
            }),
          ),
      };
    },
  };
}

function ownMutableGlobals({ imports, spaces }: CoreModule): readonly number[] {
  const imported = imports.filter(({ type }) => type.kind === "global").length;
  return [...spaces.global.entries()].flatMap(([index, type]) =>
    index >= imported && type.kind === "global" && type.mutable ? [index] : [],
  );
}

function hasOwnMemory({ imports, spaces }: CoreModule): boolean {
  return spaces.memory.length > 0 && imports.every(({ type }) => type.kind !== "memory");
}

function withExports(core: CoreModule, globals: readonly number[], memory: boolean): Uint8Array {
  const added = globals.length + (memory ? 1 : 0);
  if (added === 0) return core.bytes;
  const section = new ByteWriter();
  section.unsigned(core.exports.length + added);
  const own = core.sections.find(({ id }) => id === SECTION.export);
  if (own !== undefined) section.copy(core.bytes, own.start + lengthOfUnsigned(core.exports.length), own.end);
  for (const index of globals) section.name(`${GLOBAL}${index}`).byte(3).unsigned(index);
  if (memory) section.name(MEMORY).byte(2).unsigned(0);
  return withSections(core, new Map([[SECTION.export, section.written]]));
}

/** As the writers of modules write it: without padding. */
function lengthOfUnsigned(value: number): number {
  return new ByteWriter(8).unsigned(value).length;
}

/** The module as it would be after instantiation in this state; undefined where the module has parts that cannot be written down. */
export function withState(core: CoreModule, state: CoreState): Uint8Array | undefined {
  const sections = new Map<number, Uint8Array>();
  const changed = state.changedGlobals();
  if (changed.size > 0) {
    const globals = globalSection(core, changed);
    if (globals === undefined) return undefined;
    sections.set(SECTION.global, globals);
  }
  if (state.memory !== undefined) {
    const memory = memorySection(core, state.memory);
    const data = dataSection(new Uint8Array(state.memory.buffer));
    const hasOther = core.spaces.memory.length > 1 || core.sections.some(({ id }) => id === SECTION.dataCount);
    if (memory === undefined || data === undefined || hasOther) return undefined;
    sections.set(SECTION.memory, memory).set(SECTION.data, data);
  }
  return withSections(core, sections);
}

function memorySection({ spaces }: CoreModule, memory: WebAssembly.Memory): Uint8Array | undefined {
  const [type] = spaces.memory;
  if (type?.kind !== "memory" || type.limits.addressType !== "i32" || type.limits.shared) return undefined;
  const { max } = type.limits;
  const out = new ByteWriter();
  out
    .unsigned(1)
    .byte(max === undefined ? 0 : 1)
    .unsigned(memory.buffer.byteLength / PAGE);
  return max === undefined ? out.written : out.unsigned(Number(max)).written;
}

function dataSection(bytes: Uint8Array): Uint8Array | undefined {
  const segments = [...piecesOf(bytes)];
  if (segments.length > MOST_SEGMENTS) return undefined;
  const out = new ByteWriter(bytes.length);
  out.unsigned(segments.length);
  for (const [from, to] of segments) {
    out
      .byte(0)
      .byte(0x41)
      .signed(from | 0)
      .byte(0x0b);
    out.unsigned(to - from).copy(bytes, from, to);
  }
  return out.written;
}

/** Where memory is not zero: starts and ends. */
function* piecesOf(bytes: Uint8Array): Iterable<readonly [from: number, to: number]> {
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 3);
  let from = -1;
  let to = -1;
  for (let word = 0; word < words.length; word++) {
    if (words[word] === 0n) continue;
    const at = word * 8;
    if (from >= 0 && at - to > SHORT_GAP) {
      yield [from, to];
      from = -1;
    }
    if (from < 0) from = at;
    to = at + 8;
  }
  if (from >= 0) yield [from, to];
}

const I32 = { type: 0x7f, constant: 0x41, end: 0x0b } as const;

/** With the values that have changed; undefined where one of them is of another type than i32. */
function globalSection(core: CoreModule, changed: ReadonlyMap<number, unknown>): Uint8Array | undefined {
  const section = core.sections.find(({ id }) => id === SECTION.global);
  if (section === undefined) return undefined;
  const imported = core.imports.filter(({ type }) => type.kind === "global").length;
  const reader = new ByteReader(core.bytes.subarray(section.start, section.end));
  const out = new ByteWriter(section.end - section.start);
  let index = imported;
  let isWritable = true;
  out.unsigned(core.spaces.global.length - imported);
  reader.vec("globals", () => {
    const from = reader.pos;
    const { type } = readGlobalType(reader);
    skipConstantExpression(reader);
    const value = changed.get(index++);
    if (value === undefined) out.copy(core.bytes, section.start + from, section.start + reader.pos);
    else if (type === "i32" && typeof value === "number")
      out.byte(I32.type).byte(1).byte(I32.constant).signed(value).byte(I32.end);
    else isWritable = false;
  });
  return isWritable ? out.written : undefined;
}

/** The module with other contents of some sections; those that it does not have are put where they belong. */
function withSections(core: CoreModule, sections: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const out = new ByteWriter(core.bytes.length);
  out.copy(core.bytes, 0, PREAMBLE);
  const missing = SECTION_ORDER.filter((id) => sections.has(id) && !core.sections.some((own) => own.id === id));
  const write = (id: number): void => {
    const content = sections.get(id);
    if (content !== undefined) out.byte(id).unsigned(content.length).append(content);
  };
  for (const { id, header, end } of core.sections) {
    const rank = SECTION_ORDER.indexOf(id);
    while (id !== 0 && missing.length > 0 && SECTION_ORDER.indexOf(missing[0] ?? 0) < rank) write(missing.shift() ?? 0);
    if (sections.has(id)) write(id);
    else out.copy(core.bytes, header, end);
  }
  for (const id of missing) write(id);
  return out.written;
}
