// A core module as it was, and the same rewritten with a host that gives it fuel, puts its state back and uses it again.

import type { CoreModule } from "../../src/component/core-module.ts";
import { DIRTY_PAGE_SHIFT, DIRTY_SPILL } from "../../src/component/instrument/dirty-map.ts";
import { type Instrumented } from "../../src/component/instrument/instrument.ts";
import { type Calls, coreImports, show } from "./core-host.ts";

/** What came of a call; `text` is what both sides must agree on. */
export interface Outcome {
  readonly kind: "value" | "trap" | "exception" | "stopped" | "exhausted" | "not callable";
  readonly text: string;
}

/** Outcomes that depend on how much there is of something; behind them nothing can be compared. */
export const UNCOMPARABLE: ReadonlySet<Outcome["kind"]> = new Set(["stopped", "exhausted", "not callable"]);

const FUEL = 2_000_000n;
const LARGEST_COMPARED = 16 << 20;
const PAGE = 1 << DIRTY_PAGE_SHIFT;

const trapModule = new WebAssembly.Module(
  new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 116, 0, 0, 10, 5, 1, 3, 0, 0, 11]),
);
const trap = new WebAssembly.Instance(trapModule).exports["t"] as () => void;

function attempt(calls: Calls, run: () => unknown): Outcome {
  const from = calls.length;
  const asked = (): string => (calls.length === from ? "" : ` after ${calls.slice(from).join(", ")}`);
  try {
    return { kind: "value", text: `${show(run())}${asked()}` };
  } catch (error) {
    return failure(error, asked);
  }
}

/**
 * Waiting is a trap when fuel is counted; without, V8 does not let it happen either. An address that is both unaligned and too big
 * for any memory is the one or the other.
 */
const OTHER_REASONS: ReadonlyMap<string, string> = new Map([
  ["Atomics.wait cannot be called in this context", "unreachable"],
  ["operation does not support unaligned accesses", "memory access out of bounds"],
]);

function failure(error: unknown, asked: () => string): Outcome {
  if (error instanceof WebAssembly.RuntimeError) {
    return { kind: "trap", text: `trap: ${OTHER_REASONS.get(error.message) ?? error.message}${asked()}` };
  }
  if (error instanceof RangeError) return { kind: "exhausted", text: error.message };
  if (error instanceof TypeError) return { kind: "not callable", text: error.message };
  if (error instanceof WebAssembly.LinkError) return { kind: "exception", text: "link error" };
  return { kind: "exception", text: `exception ${error instanceof Error ? error.message : typeof error}${asked()}` };
}

/** Digests of the memories and values of the globals that a module exports itself. */
function exportedState(
  module: CoreModule,
  exports: WebAssembly.Exports,
  sizes: (name: string, memory: WebAssembly.Memory) => number,
): string {
  const parts = module.exports.flatMap(({ name }) => {
    const item = exports[name];
    if (item instanceof WebAssembly.Memory) {
      const size = sizes(name, item);
      if (size > LARGEST_COMPARED) return [];
      return [`${name}: ${digest(new Uint32Array(item.buffer, 0, size / 4))}`];
    }
    if (item instanceof WebAssembly.Global) return [`${name}: ${globalText(item)}`];
    return item instanceof WebAssembly.Table ? [`${name}: ${item.length}`] : [];
  });
  return parts.join("; ");
}

/** Of all words and their places; it only has to tell memories apart that were not made to look alike. */
function digest(words: Uint32Array): string {
  let [a, b] = [0x811c9dc5, 0];
  for (const word of words) {
    a = Math.imul(a ^ word, 0x01000193);
    b = (Math.imul(b, 31) + (a >>> 15)) | 0;
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}

function globalText(global: WebAssembly.Global): string {
  try {
    return show(global.value);
  } catch {
    return "not readable";
  }
}

export class Original {
  readonly #module: CoreModule;
  readonly #compiled: WebAssembly.Module;
  readonly #calls: Calls = [];
  exports: WebAssembly.Exports = {};

  constructor(module: CoreModule, compiled: WebAssembly.Module) {
    this.#module = module;
    this.#compiled = compiled;
  }

  instantiate(): Outcome {
    const imports = coreImports(this.#module, this.#calls);
    return attempt(this.#calls, () => {
      this.exports = new WebAssembly.Instance(this.#compiled, imports).exports;
    });
  }

  call(name: string, args: readonly unknown[]): Outcome {
    return attempt(this.#calls, () => (this.exports[name] as (...args: readonly unknown[]) => unknown)(...args));
  }

  state(_theirs: Original): Outcome {
    return { kind: "value", text: exportedState(this.#module, this.exports, (_, memory) => memory.buffer.byteLength) };
  }
}

interface Snapshot {
  readonly memory: WebAssembly.Memory;
  readonly content: Uint8Array;
  readonly map: Uint8Array | undefined;
}

export class Rewritten {
  readonly #module: CoreModule;
  readonly #compiled: WebAssembly.Module;
  readonly #made: Instrumented;
  readonly #calls: Calls = [];
  readonly #fuel = new WebAssembly.Global({ value: "i64", mutable: true }, FUEL);
  #exports: WebAssembly.Exports = {};
  #stopped = false;
  #callsOfStart = 0;
  #snapshots: readonly Snapshot[] | undefined;
  #start: Outcome = { kind: "value", text: "" };
  /** Whether a memory may be bigger than the guest was told. */
  mayHoldMore = false;

  constructor(module: CoreModule, compiled: WebAssembly.Module, made: Instrumented) {
    this.#module = module;
    this.#compiled = compiled;
    this.#made = made;
  }

  instantiate(): Outcome {
    const imports = coreImports(this.#module, this.#calls);
    const additions = this.#additions(imports);
    this.#start = this.#bounded(() => {
      this.#exports = new WebAssembly.Instance(this.#compiled, { ...imports, [this.#made.module]: additions }).exports;
    });
    this.#callsOfStart = this.#calls.length;
    if (this.#start.kind === "value") this.#save();
    return this.#start;
  }

  /** What instantiation gave; for an instance that is used again. */
  begun(): Outcome {
    return this.#start;
  }

  #additions(imports: Record<string, Record<string, WebAssembly.ImportValue>>): Record<string, WebAssembly.ImportValue> {
    const additions: Record<string, WebAssembly.ImportValue> = {
      fuel: this.#fuel,
      "out-of-fuel": () => {
        this.#stopped = true;
        trap();
      },
    };
    const imported = this.#module.imports.filter(({ type }) => type.kind === "memory");
    for (const [i, { module, name, type }] of imported.entries()) {
      const { dirty, pages } = this.#made.memories[i] ?? {};
      if (type.kind !== "memory") continue;
      const wide = type.limits.addressType === "i64";
      if (dirty !== undefined) additions[dirty] = new WebAssembly.Memory({ initial: wide ? 64 : 16, maximum: wide ? 64 : 16 });
      const memory = imports[module]?.[name];
      if (pages === undefined || !(memory instanceof WebAssembly.Memory)) continue;
      const size = memory.buffer.byteLength / 65536;
      additions[pages] = wide
        ? new WebAssembly.Global({ value: "i64", mutable: true }, BigInt(size))
        : new WebAssembly.Global({ value: "i32", mutable: true }, size);
    }
    return additions;
  }

  #bounded(run: () => unknown): Outcome {
    this.#fuel.value = FUEL;
    const outcome = attempt(this.#calls, run);
    return this.#stopped ? { kind: "stopped", text: "" } : outcome;
  }

  call(name: string, args: readonly unknown[]): Outcome {
    return this.#bounded(() => (this.#exports[name] as (...args: readonly unknown[]) => unknown)(...args));
  }

  /** As much of each memory as the original has: behind that there must be zeros only, but for what is not yet given back. */
  state(theirs: Original): Outcome {
    const sizes = (name: string, memory: WebAssembly.Memory): number => {
      const other = theirs.exports[name];
      const size = other instanceof WebAssembly.Memory ? other.buffer.byteLength : 0;
      return Math.min(size, memory.buffer.byteLength);
    };
    return { kind: "value", text: exportedState(this.#module, this.#exports, sizes) };
  }

  #named(name: string | undefined): WebAssembly.ExportValue | undefined {
    return name === undefined ? undefined : this.#exports[name];
  }

  #save(): void {
    const { state, memories } = this.#made;
    const ofOthers = this.#module.imports.some(({ type }) => type.kind !== "func" && !(type.kind === "global" && !type.mutable));
    if (state === undefined || state.obstacles.length > 0 || ofOthers) return;
    (this.#named(state.save) as () => void)();
    const snapshots: Snapshot[] = [];
    for (const { memory: name, dirty } of memories) {
      const memory = this.#named(name);
      const map = this.#named(dirty);
      if (!(memory instanceof WebAssembly.Memory) || memory.buffer.byteLength > LARGEST_COMPARED) return;
      const marks = map instanceof WebAssembly.Memory ? new Uint8Array(map.buffer) : undefined;
      marks?.fill(0);
      snapshots.push({ memory, content: new Uint8Array(memory.buffer).slice(), map: marks });
    }
    this.#snapshots = snapshots;
  }

  /** Puts everything back as it was behind the instantiation; false where this cannot be used again. */
  putBack(): boolean {
    const { state } = this.#made;
    if (this.#snapshots === undefined || state === undefined) return false;
    if ((this.#named(state.restore) as () => unknown)() !== 1) return false;
    for (const { memory, content, map } of this.#snapshots) {
      if (memory.buffer.byteLength > LARGEST_COMPARED) return false;
      if (memory.buffer.byteLength > content.length) {
        if (this.#made.memories[0]?.pages === undefined) return false;
        this.mayHoldMore = true;
      }
      putMemoryBack(new Uint8Array(memory.buffer), content, map);
    }
    this.#stopped = false;
    this.#calls.length = this.#callsOfStart;
    return true;
  }
}

/** Without a map everything is copied. */
function putMemoryBack(memory: Uint8Array, content: Uint8Array, map: Uint8Array | undefined): void {
  for (let page = 0; page * PAGE < memory.length; page++) {
    if (map !== undefined && map[page] === 0) continue;
    const from = page * PAGE;
    const to = Math.min(from + PAGE + DIRTY_SPILL, memory.length);
    const kept = Math.min(Math.max(content.length, from), to);
    memory.set(content.subarray(from, kept), from);
    memory.fill(0, kept, to);
  }
  map?.fill(0, 0, Math.ceil(memory.length / PAGE));
}
