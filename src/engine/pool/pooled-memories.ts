// The memories of a pooled instance: their contents after initialization, the account of what was written to them since, and how they
// get back to what they were.

import { StarlaneError } from "../../base/errors.ts";
import { DIRTY_PAGE_SHIFT } from "../../component/instrument/dirty-map.ts";
import type { MemoryAdditions } from "../../component/instrument/instrument.ts";
import { LinearMemory } from "../abi/memory.ts";
import { asMemory } from "../surroundings.ts";
import { Marks } from "./marks.ts";
import { MemoryImage, reserve } from "./memory-image.ts";

/**
 * How much a memory is grown ahead: a transaction that stays within this leaves the memory as it is. It is the same for all instances, so
 * that what lies behind the end of the guest's memory is too: zeros, which can be written to, up to here.
 */
const HEADROOM = 16 * 2 ** 20;
const MOST_MEMORIES = 64;

interface PooledMemory {
  readonly memory: LinearMemory;
  readonly marks: Marks | undefined;
  image: MemoryImage | undefined;
  /** Bytes, with those it was grown ahead. */
  size: number;
}

export class PooledMemories {
  readonly #memories = new Map<unknown, PooledMemory>();
  /** The same, in the order they were made in. */
  readonly #list: PooledMemory[] = [];
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The view of a memory; functions of one memory share it. */
  view(memory: unknown): LinearMemory {
    return (this.#memories.get(memory) ?? this.#add(asMemory(memory))).memory;
  }

  /** Takes the memories that a module made. @throws StarlaneError `engine/limit` */
  adopt(exports: WebAssembly.ModuleImports, additions: readonly MemoryAdditions[]): void {
    for (const { imported, memory: name, dirty, pages } of additions) {
      if (imported || name === undefined) continue;
      const memory = asMemory(exports[name]);
      this.#checkSize(memory);
      const marks = dirty === undefined ? undefined : asMemory(exports[dirty]);
      this.#add(memory, marks, pages === undefined ? undefined : (exports[pages] as WebAssembly.Global));
    }
  }

  /** What was added to a memory belongs to it: who imports the memory imports that too. */
  giveImported(
    own: WebAssembly.ModuleImports,
    additions: readonly MemoryAdditions[],
    module: WebAssembly.Module,
    imports: WebAssembly.Imports,
  ): void {
    if (!additions.some(({ imported }) => imported)) return;
    const given = importedMemories(module, imports);
    for (const [i, { imported, dirty, pages }] of additions.entries()) {
      const known = imported ? this.#memories.get(given[i]) : undefined;
      if (known === undefined) continue;
      if (dirty !== undefined && known.marks !== undefined) own[dirty] = known.marks.memory;
      if (pages !== undefined && known.memory.state.pages !== undefined) own[pages] = known.memory.state.pages;
    }
  }

  #add(memory: WebAssembly.Memory, marksMemory?: WebAssembly.Memory, pages?: WebAssembly.Global): PooledMemory {
    const marks = marksMemory === undefined ? undefined : new Marks(marksMemory);
    const view = new LinearMemory(memory, { pages, dirty: marks?.bytes });
    const added = { memory: view, marks, image: undefined, size: memory.buffer.byteLength };
    this.#memories.set(memory, added);
    this.#list.push(added);
    return added;
  }

  #checkSize({ buffer }: WebAssembly.Memory): void {
    if (buffer.byteLength > this.#maxBytes) {
      throw new StarlaneError(
        "engine/limit",
        `the component needs ${buffer.byteLength} bytes of memory: ${this.#maxBytes} are allowed`,
      );
    }
    if (this.#list.length >= MOST_MEMORIES) {
      throw new StarlaneError("engine/limit", `the component has more than ${MOST_MEMORIES} memories`);
    }
  }

  /** Keeps the contents as they are now; `like`: what another instance kept, to have equal bytes once. */
  save(like: readonly MemoryImage[]): readonly MemoryImage[] {
    return this.#list.map((pooled, i) => {
      const { memory, marks } = pooled;
      pooled.image = new MemoryImage(memory, like[i]);
      if (marks !== undefined) reserve(memory, HEADROOM);
      // Of the account only what can be marked: clearing all of it would take a megabyte of memory that is never used.
      marks?.bytes.fill(0, 0, Math.ceil(memory.bytes.length / 2 ** DIRTY_PAGE_SHIFT) + 1);
      pooled.size = memory.bytes.length;
      return pooled.image;
    });
  }

  /** Bytes, as the guests see them. */
  get bytes(): number {
    let bytes = 0;
    for (const { memory } of this.#list) bytes += memory.size;
    return bytes;
  }

  /** Puts the contents back; the sizes that guests see are theirs already. False where a memory has grown beyond what it may keep. */
  restore(): boolean {
    for (const { memory, image, marks, size } of this.#list) {
      if (memory.bytes.length !== size || image === undefined) return false;
      if (marks === undefined) image.restoreAll(memory);
      else image.restoreMarked(memory, marks);
      memory.forgetSize();
    }
    return true;
  }
}

/** The memories that a module imports, in the order of their indices. */
function importedMemories(module: WebAssembly.Module, imports: WebAssembly.Imports): unknown[] {
  return WebAssembly.Module.imports(module)
    .filter(({ kind }) => kind === "memory")
    .map(({ module: from, name }) => imports[from]?.[name])
    .filter((memory) => memory !== undefined);
}
