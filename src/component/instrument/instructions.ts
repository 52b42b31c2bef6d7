// Reads the instructions of function bodies and constant expressions one by one, without an object for each, and checks every index
// against what the module has: a rewritten module has more than that, and nothing invalid may become valid by it. Types and the
// rest are validated by V8 when it compiles the result. Every read is bounded by `end`.

import { hexByte, malformed } from "../binary.ts";
import { StarlaneError } from "../../base/errors.ts";
import {
  IMMEDIATES,
  Immediates,
  instruction,
  isPrefix,
  Op,
  opcodeBehindPrefix,
  OPCODES_PER_PREFIX,
} from "./instruction-table.ts";

/** How many of each kind the module has that is read. */
export interface IndexCounts {
  readonly type: number;
  readonly func: number;
  readonly table: number;
  readonly memory: number;
  readonly global: number;
}

/** From this kind of catch clause on (`catch_all`, `catch_all_ref`) there is no tag. */
const FIRST_CATCH_ALL = 2;
/** In the flags of a memory access: a memory index follows. */
const HAS_MEMORY_INDEX = 0x40;

export class InstructionReader {
  readonly bytes: Uint8Array;
  /** Where `bytes` lies in its file, for offsets in errors. */
  readonly base: number;
  readonly #counts: IndexCounts;
  pos = 0;
  end = 0;
  /** How many locals the function has that is read, and how many frames are open: both bound indices. */
  locals = 0;
  depth = 0;

  /** The instruction last read (a number of `instruction`), where it starts, and its first and second index (but no local). */
  op = 0;
  start = 0;
  first = 0;
  second = 0;
  /** Of a memory access: its flags, static offset, and where that offset is written. */
  flags = 0;
  memoryOffset = 0;
  memoryOffsetAt = 0;
  /** The labels of the instruction, and where each of them is written: the first `labelCount`. */
  readonly labels: number[] = [];
  readonly labelPlaces: number[] = [];
  labelCount = 0;
  /** The type index of a block type, or -1. */
  blockTypeIndex = -1;

  constructor(bytes: Uint8Array, counts: IndexCounts, base = 0) {
    this.bytes = bytes;
    this.base = base;
    this.#counts = counts;
  }

  fail(message: string, pos = this.pos): StarlaneError {
    return malformed(this.base + pos, message);
  }

  byte(): number {
    const value = this.pos < this.end ? this.bytes[this.pos] : undefined;
    if (value === undefined) throw this.fail("unexpected end of the code");
    this.pos++;
    return value;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.byte();
    if (last > 0x0f) throw this.fail("integer is too long or too large", this.pos - 1);
    return value + last * 2 ** 28;
  }

  /** An unsigned LEB128 of at most 64 bits; beyond 2^53 the number is not exact. */
  unsigned64(): number {
    const at = this.pos;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw this.fail("integer is too long", at);
  }

  /** The count of items of at least one byte each. */
  count(): number {
    const at = this.pos;
    const count = this.u32();
    if (count > this.end - this.pos) throw this.fail(`unexpected end: ${count} items do not fit`, at);
    return count;
  }

  func(): number {
    return this.#index(this.#counts.func, "function");
  }

  table(): number {
    return this.#index(this.#counts.table, "table");
  }

  memory(): number {
    return this.#index(this.#counts.memory, "memory");
  }

  #index(count: number, what: string): number {
    const at = this.pos;
    const index = this.u32();
    if (index >= count) throw this.fail(`unknown ${what} ${index}`, at);
    return index;
  }

  #type(): number {
    return this.#index(this.#counts.type, "type");
  }

  valueType(): void {
    const code = this.byte();
    if (code === 0x63 || code === 0x64) this.heapType();
    else if (code < 0x68 || code > 0x7f) throw this.fail(`unknown value type ${hexByte(code)}`, this.pos - 1);
  }

  heapType(): void {
    const code = this.bytes[this.pos] ?? 0;
    // Abstract heap types are negative numbers of one byte; others are type indices, written as signed numbers.
    if (code >= 0x68 && code <= 0x75) this.byte();
    else this.#signedTypeIndex();
  }

  /** Reads the next instruction into the fields. */
  next(): void {
    const { bytes, pos } = this;
    const first = pos < this.end ? (bytes[pos] ?? 0) : Op.end;
    const kind = IMMEDIATES[first] ?? Immediates.unknown;
    this.start = pos;
    this.op = first;
    // Most instructions are of one byte, or of two: a local or a small constant.
    const short = pos + 1 < this.end && (bytes[pos + 1] ?? 0) < 0x80;
    if (kind === Immediates.none && first !== Op.end) {
      this.pos = pos + 1;
    } else if (kind === Immediates.local && short && (bytes[pos + 1] ?? 0) < this.locals) {
      this.pos = pos + 2;
    } else if (kind === Immediates.i32 && short) {
      this.pos = pos + 2;
    } else {
      this.byte();
      this.#nextLong(first, kind);
    }
  }

  #nextLong(first: number, kind: number): void {
    if (isPrefix(first)) {
      const second = this.u32();
      if (second >= OPCODES_PER_PREFIX) throw this.#unknown(first, second);
      this.op = instruction(first, second);
      this.#readImmediates(IMMEDIATES[this.op] ?? Immediates.unknown);
    } else {
      this.#readImmediates(kind);
      if (first === Op.end) this.depth--;
    }
  }

  #readImmediates(kind: number): void {
    switch (kind) {
      case Immediates.none:
        return;
      case Immediates.local:
        this.#index(this.locals, "local");
        return;
      case Immediates.memoryAccess:
        this.#memoryAccess();
        return;
      case Immediates.i32:
        this.#skipLeb(5);
        return;
      case Immediates.label:
        this.#readLabel();
        return;
      case Immediates.blockType:
        this.#blockType();
        this.depth++;
        return;
      case Immediates.func:
        this.first = this.func();
        return;
      case Immediates.global:
        this.first = this.#index(this.#counts.global, "global");
        return;
      case Immediates.i64:
        this.#skipLeb(10);
        return;
      case Immediates.typeTable:
        this.first = this.#type();
        this.second = this.table();
        return;
      case Immediates.labels:
        this.#readLabels();
        return;
      case Immediates.bytes1:
        this.#skip(1);
        return;
      case Immediates.bytes4:
        this.#skip(4);
        return;
      case Immediates.bytes8:
        this.#skip(8);
        return;
      case Immediates.bytes16:
        this.#skip(16);
        return;
      default:
        this.#readRareImmediates(kind);
    }
  }

  #readRareImmediates(kind: number): void {
    switch (kind) {
      case Immediates.type:
        this.first = this.#type();
        return;
      case Immediates.table:
        this.first = this.table();
        return;
      case Immediates.memory:
        this.first = this.memory();
        return;
      case Immediates.tag:
      case Immediates.data:
      case Immediates.element:
        this.first = this.u32();
        return;
      case Immediates.memoryAccessLane:
        this.#memoryAccess();
        this.#skip(1);
        return;
      case Immediates.valueTypes:
        for (let left = this.count(); left > 0; left--) this.valueType();
        return;
      case Immediates.heapType:
        this.heapType();
        return;
      case Immediates.tryTable:
        this.#blockType();
        this.#readCatches();
        this.depth++;
        return;
      case Immediates.dataMemory:
        this.first = this.u32();
        this.second = this.memory();
        return;
      case Immediates.memoryMemory:
        this.first = this.memory();
        this.second = this.memory();
        return;
      case Immediates.elementTable:
        this.first = this.u32();
        this.second = this.table();
        return;
      case Immediates.tableTable:
        this.first = this.table();
        this.second = this.table();
        return;
      case Immediates.typeNumber:
      case Immediates.typeData:
      case Immediates.typeElement:
        this.first = this.#type();
        this.second = this.u32();
        return;
      case Immediates.typeType:
        this.first = this.#type();
        this.second = this.#type();
        return;
      case Immediates.castLabel:
        this.#skip(1);
        this.#readLabel();
        this.heapType();
        this.heapType();
        return;
      case Immediates.delegate:
        // The frame that it ends does not count.
        this.depth--;
        this.#readLabel();
        return;
      default:
        throw this.#unknown(this.bytes[this.start] ?? 0, this.op < 0x100 ? undefined : opcodeBehindPrefix(this.op));
    }
  }

  #blockType(): void {
    this.blockTypeIndex = -1;
    const code = this.bytes[this.pos] ?? 0;
    if (code === 0x40) this.byte();
    else if (code >= 0x63 && code <= 0x7f) this.valueType();
    else this.blockTypeIndex = this.#signedTypeIndex();
  }

  /** A type index, written as a signed LEB128 of at most 33 bits. */
  #signedTypeIndex(): number {
    const at = this.pos;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if ((byte & 0x40) !== 0 || value >= this.#counts.type) throw this.fail("unknown type", at);
      return value;
    }
    throw this.fail("integer is too long", at);
  }

  #memoryAccess(): void {
    this.flags = this.u32();
    this.first = 0;
    if ((this.flags & HAS_MEMORY_INDEX) !== 0) this.first = this.u32();
    if (this.first >= this.#counts.memory) throw this.fail(`unknown memory ${this.first}`);
    this.memoryOffsetAt = this.pos;
    const first = this.byte();
    this.memoryOffset = first < 0x80 ? first : this.#longOffset();
  }

  #longOffset(): number {
    this.pos = this.memoryOffsetAt;
    return this.unsigned64();
  }

  #label(): void {
    const at = this.pos;
    const label = this.u32();
    if (label >= this.depth) throw this.fail(`unknown label ${label}`, at);
    this.labels[this.labelCount] = label;
    this.labelPlaces[this.labelCount++] = at;
  }

  #readLabel(): void {
    this.labelCount = 0;
    this.#label();
  }

  #readLabels(): void {
    const count = this.count();
    this.labelCount = 0;
    for (let i = 0; i <= count; i++) this.#label();
  }

  #readCatches(): void {
    this.labelCount = 0;
    for (let left = this.count(); left > 0; left--) {
      const kind = this.byte();
      if (kind > 3) throw this.fail(`unknown catch clause ${hexByte(kind)}`, this.pos - 1);
      if (kind < FIRST_CATCH_ALL) this.u32();
      this.#label();
    }
  }

  #skip(length: number): void {
    if (length > this.end - this.pos) throw this.fail("unexpected end of the code");
    this.pos += length;
  }

  #skipLeb(longest: number): void {
    for (let i = 0; i < longest; i++) if (this.byte() < 0x80) return;
    throw this.fail("integer is too long");
  }

  #unknown(first: number, second?: number): StarlaneError {
    const name = second === undefined ? hexByte(first) : `${hexByte(first)} ${second}`;
    const offset = this.base + this.start;
    return new StarlaneError("component/not-supported-yet", `unknown instruction ${name}`, {
      at: `byte 0x${offset.toString(16)}`,
      cure: "Build the component without this feature: it is no part of WebAssembly 3.0.",
      data: { offset },
    });
  }
}
