// The steps of rewriting a module: plan what is added, rewrite the code, write the sections.

import { tinyCost } from "./costs.ts";
import { Additions } from "./additions.ts";
import { markRangeBody, type MapPlan } from "./barrier.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { CoreExternType, CoreValType } from "../component.ts";
import { type CoreModule, SECTION_ORDER } from "../core-module.ts";
import { type FuelPlan, settleBody } from "./fuel.ts";
import { Op, ValueType } from "./instruction-table.ts";
import { InstructionReader } from "./instructions.ts";
import type { FuelNames, Instrumented, InstrumentOptions, MemoryAdditions } from "./instrument.ts";
import { CodeRewriter, type Shifts, type SizePlan } from "./rewrite-code.ts";
import { rewriteNames, rewriteSection, type SectionPlan } from "./rewrite-sections.ts";
import { growBody } from "./grow.ts";
import { addState, type State } from "./state.ts";

type MemoryType = Extract<CoreExternType, { kind: "memory" }>;

/** Wasm pages of a map with a byte for each 4 KiB of what V8 can address: 4 GiB, or 16 GiB with 64-bit addresses. */
const MAP_PAGES = { i32: 16, i64: 64 } as const;
/** Limits with a maximum. */
const HAS_MAXIMUM = 1;
const MUTABLE = 1;
const CODE_SECTION = 10;
/** Custom sections that stay true; others may tell of places in the code. */
const KEPT_CUSTOMS: ReadonlySet<string | undefined> = new Set(["producers", "target_features"]);
const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

interface PlannedMemory {
  readonly type: MemoryType;
  readonly imported: boolean;
  /** Indices of imports that were added. */
  dirty?: number | undefined;
  pages?: number | undefined;
}

export class Instrumenting {
  readonly #module: CoreModule;
  readonly #options: InstrumentOptions;
  readonly #additions: Additions;
  readonly #reader: InstructionReader;
  readonly #memories: PlannedMemory[];
  readonly #maps: (MapPlan | undefined)[] = [];
  readonly #sizes: (SizePlan | undefined)[] = [];
  readonly #blockTypes = new Map<number, Uint8Array>();

  constructor(module: CoreModule, options: InstrumentOptions, base: number) {
    this.#module = module;
    this.#options = options;
    this.#additions = new Additions(module);
    const { types, spaces } = module;
    const counts = {
      type: types.length,
      func: spaces.func.length,
      table: spaces.table.length,
      memory: spaces.memory.length,
      global: spaces.global.length,
    };
    this.#reader = new InstructionReader(module.bytes, counts, base);
    const imported = module.imports.filter(({ type }) => type.kind === "memory").length;
    this.#memories = spaces.memory
      .filter((type) => type.kind === "memory")
      .map((type, index) => ({ type, imported: index < imported }));
  }

  result(): Instrumented {
    this.#checkTypes();
    const additions = this.#additions;
    const fuel = this.#options.fuel === true && this.#has(CODE_SECTION) ? this.#importFuel() : undefined;
    this.#importMemoryAdditions();
    const shifts = additions.shifts;
    const fuelPlan = fuel === undefined ? undefined : this.#planFuel(fuel.global, fuel.outOfFuel, shifts);
    const memories = this.#addMemoryAdditions(shifts);
    const spoiled = this.#options.expose === true ? this.#addNumber(ValueType.i32, 0) : undefined;
    const rewriter = this.#rewriteCode(shifts, fuelPlan, spoiled);
    const plan = { module: this.#module, shifts, additions, limits: this.#options.limits };
    const state = spoiled === undefined ? undefined : this.#addState(plan, rewriter, spoiled);
    const allocates = this.#module.types.some(({ type }) => type.kind !== "func");
    return { bytes: this.#write(plan, rewriter), module: additions.prefix, fuel: fuel?.names, state, allocates, memories };
  }

  #has(section: number): boolean {
    return this.#module.sections.some(({ id }) => id === section);
  }

  /** Types that are added stand behind the module's own: none of its imports may name them. */
  #checkTypes(): void {
    const { spaces, types, imports } = this.#module;
    const check = (index: string | number): void => {
      if (typeof index === "number" && index >= types.length) throw this.#reader.fail(`unknown core type ${index}`, 0);
    };
    for (const type of [...imports.map((item) => item.type), ...spaces.tag]) {
      if (type.kind === "func" || type.kind === "tag") check(type.type);
      else if (type.kind === "table") check(type.element.heap);
      else if (type.kind === "global" && typeof type.type !== "string") check(type.type.heap);
    }
  }

  #importFuel(): { readonly names: FuelNames; readonly global: number; readonly outOfFuel: number } {
    const additions = this.#additions;
    const names = { global: "fuel", outOfFuel: "out-of-fuel" };
    const outOfFuel = additions.import("func", names.outOfFuel);
    outOfFuel.out.unsigned(additions.type([], []));
    const global = additions.import("global", names.global);
    global.out.byte(ValueType.i64).byte(MUTABLE);
    return { names, global: global.index, outOfFuel: outOfFuel.index };
  }

  #importMemoryAdditions(): void {
    for (const [i, memory] of this.#memories.entries()) {
      if (!memory.imported || memory.type.limits.shared) continue;
      if (this.#options.barrier === true) {
        const { index, out } = this.#additions.import("memory", `dirty:${i}`);
        writeMapType(out, memory.type);
        memory.dirty = index;
      }
      if (this.#options.shrink === true) {
        const { index, out } = this.#additions.import("global", `pages:${i}`);
        out.byte(addressType(memory.type)).byte(MUTABLE);
        memory.pages = index;
      }
    }
  }

  #planFuel(global: number, outOfFuel: number, shifts: Shifts): FuelPlan {
    const { types, spaces } = this.#module;
    const settle = this.#addFunction(["i64"], ["i64"], (out) => settleBody(out, global, outOfFuel));
    return {
      global,
      outOfFuel,
      settle,
      importedFunctions: shifts.func.from,
      tiny: this.#tinyFunctions(shifts.func.from),
      hasParameters: (index) => {
        const type = types[index]?.type;
        return type?.kind !== "func" || type.params.length > 0;
      },
      fields: (index) => {
        const type = types[index]?.type;
        return type?.kind === "struct" ? type.fields.length : 0;
      },
      memory64: spaces.memory.map((type) => type.kind === "memory" && type.limits.addressType === "i64"),
      table64: spaces.table.map((type) => type.kind === "table" && type.limits.addressType === "i64"),
    };
  }

  #tinyFunctions(imported: number): Uint8Array {
    const costs = new Uint8Array(this.#module.spaces.func.length);
    this.#bodies(imported, (func, end) => {
      costs[func] = tinyCost(this.#reader, end);
      this.#reader.pos = end;
    });
    return costs;
  }

  /** Calls `take` at the start of each function body. */
  #bodies(imported: number, take: (func: number, end: number) => void): void {
    const section = this.#module.sections.find(({ id }) => id === CODE_SECTION);
    if (section === undefined) return;
    const reader = this.#reader;
    reader.pos = section.start;
    reader.end = section.end;
    const count = reader.count();
    if (count !== this.#module.spaces.func.length - imported)
      throw reader.fail("there are not as many function bodies as functions", section.start);
    for (let i = 0; i < count; i++) {
      reader.end = section.end;
      const size = reader.count();
      take(imported + i, reader.pos + size);
    }
    if (reader.pos !== section.end) throw reader.fail("the code section is longer than what it holds");
  }

  #addFunction(params: CoreValType[], results: CoreValType[], write: (out: ByteWriter) => void): number {
    const out = new ByteWriter(128);
    write(out);
    const index = this.#additions.func(this.#additions.type(params, results));
    this.#additions.body(out.written);
    return index;
  }

  #addNumber(type: number, value: number): number {
    const { index, out } = this.#additions.global();
    out.byte(type).byte(MUTABLE);
    out
      .byte(type === ValueType.i64 ? Op.i64Const : Op.i32Const)
      .signed(value)
      .byte(Op.end);
    return index;
  }

  #addMemoryAdditions(shifts: Shifts): MemoryAdditions[] {
    const { expose, barrier, shrink } = this.#options;
    const additions = this.#additions;
    return this.#memories.map((memory, i): MemoryAdditions => {
      const { type, imported } = memory;
      const own = !imported;
      const index = i < shifts.memory.from ? i : i + shifts.memory.by;
      const name = own && (expose === true || barrier === true) ? additions.export(`memory:${i}`, "memory", index) : undefined;
      let dirty: string | undefined;
      let pages: string | undefined;
      if (barrier === true && !type.limits.shared) {
        const map = memory.dirty ?? this.#addMap(type);
        dirty = own ? additions.export(`dirty:${i}`, "memory", map) : `dirty:${i}`;
        const address = type.limits.addressType;
        const markRange = this.#addFunction([address, address], [], (out) => markRangeBody(out, map, address === "i64"));
        this.#maps[i] = { memory: map, markRange };
      }
      if (shrink === true && !type.limits.shared) {
        const global = memory.pages ?? this.#addNumber(addressType(type), Number(type.limits.min));
        pages = own ? additions.export(`pages:${i}`, "global", global) : `pages:${i}`;
        const address = type.limits.addressType;
        const grow = this.#addFunction([address], [address], (out) => growBody(out, index, global, address === "i64"));
        this.#sizes[i] = { global, grow };
        if (own) memory.pages = global;
      }
      return { imported, memory: name, dirty, pages };
    });
  }

  #addMap(type: MemoryType): number {
    const { index, out } = this.#additions.memory();
    writeMapType(out, type);
    return index;
  }

  #rewriteCode(shifts: Shifts, fuel: FuelPlan | undefined, spoiled: number | undefined, legacyExceptions = false): CodeRewriter {
    const { sections, spaces, imports } = this.#module;
    const section = sections.find(({ id }) => id === CODE_SECTION);
    const plan = {
      shifts,
      fuel,
      legacyExceptions,
      barrier:
        this.#options.barrier === true
          ? { maps: this.#maps, wide: this.#memories.map(({ type }) => type.limits.addressType === "i64") }
          : undefined,
      sizes: this.#sizes,
      spoiled,
      importedTables: imports.filter(({ type }) => type.kind === "table").length,
      resultsOf: (func: number) => this.#resultsOf(spaces.func[func]),
    };
    const size = section === undefined ? 0 : section.end - section.start;
    const rewriter = new CodeRewriter(this.#module, plan, this.#reader, size);
    this.#bodies(shifts.func.from, (func, end) => rewriter.rewrite(func, end));
    return rewriter.mixesExceptions ? this.#rewriteCode(shifts, fuel, spoiled, true) : rewriter;
  }

  /** The block type without parameters that has the results of a function. */
  #resultsOf(func: CoreExternType | undefined): Uint8Array {
    const index = func?.kind === "func" ? func.type : 0;
    const known = this.#blockTypes.get(index);
    if (known !== undefined) return known;
    const type = this.#module.types[index]?.type;
    const results = type?.kind === "func" ? type.results : [];
    const out = new ByteWriter(4);
    if (results.length === 0) out.byte(0x40);
    else if (results.length === 1 && typeof results[0] === "string") out.byte(ValueType[results[0]]);
    else out.signed(this.#additions.type([], results));
    this.#blockTypes.set(index, out.written);
    return out.written;
  }

  #addState(plan: SectionPlan, { writes }: CodeRewriter, spoiled: number): State {
    const numbers = this.#memories.flatMap(({ imported, pages, type }) =>
      imported || pages === undefined ? [] : [{ index: pages, type: addressType(type) }],
    );
    return addState(plan, this.#reader, { writes, spoiled, numbers });
  }

  #write(plan: SectionPlan, rewriter: CodeRewriter): Uint8Array {
    const { module, shifts } = plan;
    const out = new ByteWriter(module.bytes.length + rewriter.code.length + 1024);
    for (const byte of PREAMBLE) out.byte(byte);
    for (const id of SECTION_ORDER) {
      if (id === CODE_SECTION) this.#writeCode(out, rewriter);
      else writeSection(out, id, rewriteSection(id, plan, this.#reader));
    }
    for (const section of module.sections) {
      if (section.id !== 0) continue;
      if (section.name === "name") writeSection(out, 0, rewriteNames(section, shifts, this.#reader));
      else if (KEPT_CUSTOMS.has(section.name))
        writeSection(out, 0, new ByteWriter(64).name(section.name ?? "").copy(module.bytes, section.start, section.end));
    }
    return out.bytes.slice(0, out.length);
  }

  #writeCode(out: ByteWriter, rewriter: CodeRewriter): void {
    const own = this.#has(CODE_SECTION) ? this.#module.spaces.func.length - this.#additions.shifts.func.from : 0;
    const { code } = this.#additions;
    if (own + code.count === 0) return;
    if (rewriter.hintedFunctions > 0) {
      const hints = new ByteWriter(rewriter.hints.length + 64).name("metadata.code.branch_hint");
      writeSection(out, 0, hints.unsigned(rewriter.hintedFunctions).append(rewriter.hints.written));
    }
    const count = new ByteWriter(8).unsigned(own + code.count);
    out.byte(CODE_SECTION).unsigned(count.length + rewriter.code.length + code.bytes.length);
    out.append(count.written).append(rewriter.code.written).append(code.bytes.written);
  }
}

function writeSection(out: ByteWriter, id: number, content: ByteWriter | undefined): void {
  if (content !== undefined) out.byte(id).unsigned(content.length).append(content.written);
}

function writeMapType(out: ByteWriter, { limits }: MemoryType): void {
  const pages = MAP_PAGES[limits.addressType];
  out.byte(HAS_MAXIMUM).unsigned(pages).unsigned(pages);
}

function addressType({ limits }: MemoryType): number {
  return ValueType[limits.addressType];
}
