// Two ends of a call that begin alike: one over a real memory for the engine, one of plain bytes for the oracle. Both ask the same
// allocator, which may move, stay, grow the memory, or answer wrongly.

import { codecsOf } from "../../src/engine/abi/codec.ts";
import { AbiContext } from "../../src/engine/abi/context.ts";
import { LinearMemory } from "../../src/engine/abi/memory.ts";
import { ComponentInstance } from "../../src/engine/instance.ts";
import { alignUp, type Pointer } from "./oracle-layout.ts";
import { type Encoding, OracleTrap, type Side } from "./oracle-side.ts";

import { Random } from "./random.ts";

const PAGE = 65536;

export const MOVES = ["move", "stay", "grow", "end", "misaligned", "outside", "huge", "fail"] as const;
export type Move = (typeof MOVES)[number];

export interface SideSettings {
  readonly encoding: Encoding;
  readonly pointer: Pointer;
  /** What the memory holds before. */
  readonly fill: number;
  /** What the allocator does, call by call; "move" once they are used up. */
  readonly moves: readonly Move[];
}

export class TooMuch extends Error {}

const MOST_LOADED = 50_000;

interface Heap {
  readonly size: () => number;
  readonly copy: (to: number, from: number, length: number) => void;
  readonly grow: () => void;
}

/** A bump allocator; what it is asked, and which bytes nobody owns any more. */
export class Allocator {
  readonly calls: string[] = [];
  readonly freed: [start: number, end: number][] = [];
  readonly live = new Map<number, number>();
  readonly #moves: readonly Move[];
  readonly #heap: Heap;
  #top = 4096;

  constructor(moves: readonly Move[], heap: Heap) {
    this.#moves = moves;
    this.#heap = heap;
  }

  /** Undefined: it fails. */
  allocate(old: number, oldSize: number, align: number, size: number): number | undefined {
    const move = this.#moves[this.calls.length] ?? "move";
    this.calls.push(`realloc(${old}, ${oldSize}, ${align}, ${size})`);
    switch (move) {
      case "fail":
        return undefined;
      case "misaligned":
        return align === 1 ? this.#move(old, oldSize, align, size) : alignUp(this.#top, align) + 1;
      case "outside":
        return alignUp(Math.max(0, this.#heap.size() - size) + 1, align);
      case "huge":
        return 2 ** 32 - 8;
      case "end": {
        const at = Math.floor((this.#heap.size() - size) / align) * align;
        if (at < this.#top) return this.#move(old, oldSize, align, size);
        this.#top = this.#heap.size();
        return this.#take(at, old, oldSize, size);
      }
      case "stay":
        if (oldSize === 0 || size > oldSize || old % align !== 0) return this.#move(old, oldSize, align, size);
        this.freed.push([old + size, old + oldSize]);
        this.live.set(old, size);
        return old;
      case "grow":
        this.#heap.grow();
        return this.#move(old, oldSize, align, size);
      case "move":
        return this.#move(old, oldSize, align, size);
    }
  }

  #move(old: number, oldSize: number, align: number, size: number): number {
    const at = alignUp(this.#top, align);
    while (at + size > this.#heap.size()) this.#heap.grow();
    this.#top = at + size;
    return this.#take(at, old, oldSize, size);
  }

  #take(at: number, old: number, oldSize: number, size: number): number {
    this.#heap.copy(at, old, Math.min(oldSize, size));
    if (oldSize > 0) this.freed.push([old, old + oldSize]);
    this.live.delete(old);
    this.live.set(at, size);
    return at;
  }
}

export interface EngineSide {
  readonly cx: AbiContext;
  readonly memory: LinearMemory;
  readonly allocator: Allocator;
}

export function engineSide({ encoding, pointer, fill, moves }: SideSettings): EngineSide {
  const descriptor = pointer === 4 ? { initial: 1 } : { initial: 1n, address: "i64" };
  const raw = new WebAssembly.Memory(descriptor as WebAssembly.MemoryDescriptor);
  const memory = new LinearMemory(raw);
  memory.bytes.set(filling(fill));
  const allocator = new Allocator(moves, {
    size: () => memory.size,
    copy: (to, from, length) => memory.bytes.copyWithin(to, from, from + length),
    grow: () => void raw.grow((pointer === 4 ? 1 : 1n) as number),
  });
  const realloc = (...args: unknown[]): unknown => {
    const [old = 0, oldSize = 0, align = 1, size = 0] = args.map(Number);
    const at = allocator.allocate(old >>> 0, oldSize >>> 0, align, size);
    if (at === undefined) throw new WebAssembly.RuntimeError("the allocator gives up");
    return pointer === 4 ? at | 0 : BigInt(at);
  };
  return {
    cx: new AbiContext(new ComponentInstance(undefined), encoding, memory, realloc, codecsOf(pointer)),
    memory,
    allocator,
  };
}

export interface OracleSide extends Side {
  readonly allocator: Allocator;
}

export function oracleSide({ encoding, pointer, fill, moves }: SideSettings): OracleSide {
  let bytes = new Uint8Array(PAGE);
  bytes.set(filling(fill));
  let loaded = 0;
  const allocator = new Allocator(moves, {
    size: () => bytes.length,
    copy: (to, from, length) => void bytes.copyWithin(to, from, from + length),
    grow() {
      const larger = new Uint8Array(bytes.length + PAGE);
      larger.set(bytes);
      bytes = larger;
    },
  });
  return {
    encoding,
    pointer,
    nans: [],
    allocator,
    memory: () => bytes,
    realloc(old, oldSize, align, size) {
      const at = allocator.allocate(old, oldSize, align, size);
      if (at === undefined) throw new OracleTrap("the allocator gives up");
      return at;
    },
    spend(amount) {
      loaded += amount;
      if (loaded > MOST_LOADED) throw new TooMuch();
    },
  };
}

const fillings = new Map<number, Uint8Array>();

/** A page of bytes that often make sense: small numbers, addresses, text. */
function filling(seed: number): Uint8Array {
  let bytes = fillings.get(seed);
  if (bytes !== undefined) return bytes;
  const random = new Random(seed);
  bytes = new Uint8Array(PAGE);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < PAGE; at += 4) {
    const word = random.pick([
      0,
      0,
      1,
      2,
      random.below(8),
      random.below(64),
      random.below(PAGE),
      random.below(PAGE) & ~7,
      random.bits(),
    ]);
    view.setUint32(at, word, true);
  }
  if (fillings.size > 32) fillings.clear();
  fillings.set(seed, bytes);
  return bytes;
}

/** The first place where the two memories differ in bytes that somebody owns; any NaN equals any other. */
export function difference(engine: EngineSide, oracle: OracleSide): string | undefined {
  const [a, b] = [engine.memory.bytes, oracle.memory()];
  if (a.length !== b.length) return `the memory has ${a.length} bytes, not ${b.length}`;
  if (Buffer.compare(a, b) === 0) return undefined;
  const view = engine.memory.view;
  const nans = oracle.nans.filter(({ at, bytes }) =>
    Number.isNaN(bytes === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true)),
  );
  const within = (at: number): boolean =>
    oracle.allocator.freed.some(([start, end]) => at >= start && at < end && !isLive(oracle.allocator, at)) ||
    nans.some((nan) => at >= nan.at && at < nan.at + nan.bytes);
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at] && !within(at)) return `byte ${at} is ${String(a[at])}, not ${String(b[at])}`;
  }
  return undefined;
}

function isLive(allocator: Allocator, at: number): boolean {
  for (const [start, size] of allocator.live) if (at >= start && at < start + size) return true;
  return false;
}
