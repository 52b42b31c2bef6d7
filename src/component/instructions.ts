// Reads the instruction stream of function bodies and constant expressions, one instruction at a time and without an object for each.
// Every read is bounded by `end`; V8 validates types and the rest when it compiles what is made of it.

import { hexByte, malformed } from "./binary.ts";
import { StarlaneError } from "../base/errors.ts";
import { IMMEDIATES, Immediates, instruction, isPrefix, OPCODES_PER_PREFIX } from "./instruction-table.ts";

/** A catch clause without a tag (`catch_all`, `catch_all_ref`). */
const FIRST_CATCH_ALL = 2;
/** In the flags of a memory access: a memory index follows. */
const HAS_MEMORY_INDEX = 0x40;
const NO_TYPE = -1;

export class InstructionReader {
  readonly bytes: Uint8Array;
  /** Where `bytes` lies in its file, for offsets in errors. */
  readonly base: number;
  pos = 0;
  end = 0;

  /** The instruction last read (a number of `instruction`), where it starts, and its first and second immediate index. */
  op = 0;
  start = 0;
  first = 0;
  second = 0;
  /** Of a memory access: its alignment, static offset, and where that offset is written. */
  align = 0;
  memoryOffset = 0;
  memoryOffsetAt = 0;
  /** Labels of `br_table` and `try_table`. */
  labels: number[] = [];
  /** The greatest type index that the instruction names inside a type, or -1. */
  typeIndex = NO_TYPE;

  constructor(bytes: Uint8Array, base = 0) {
    this.bytes = bytes;
    this.base = base;
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

  /** Reads the next instruction into the fields. */
  next(): void {
    this.start = this.pos;
    let op = this.byte();
    if (isPrefix(op)) {
      const second = this.u32();
      if (second >= OPCODES_PER_PREFIX) throw this.unknown(op, second);
      op = instruction(op, second);
    }
    this.op = op;
    this.readImmediates(IMMEDIATES[op] ?? 0);
  }

  readImmediates(kind: number): void {
    switch (kind) {
      case Immediates.none:
        return;
      case Immediates.label:
      case Immediates.func:
      case Immediates.type:
      case Immediates.local:
      case Immediates.global:
      case Immediates.table:
      case Immediates.memory:
      case Immediates.tag:
      case Immediates.data:
      case Immediates.element:
        this.first = this.u32();
        return;
      case Immediates.memoryAccess:
        this.memoryAccess();
        return;
      case Immediates.i32:
        this.skipLeb(5);
        return;
      case Immediates.i64:
        this.skipLeb(10);
        return;
      case Immediates.blockType:
        this.typeIndex = NO_TYPE;
        this.blockType();
        return;
      case Immediates.typeTable:
      case Immediates.dataMemory:
      case Immediates.memoryMemory:
      case Immediates.elementTable:
      case Immediates.tableTable:
      case Immediates.typeNumber:
      case Immediates.typeType:
      case Immediates.typeData:
      case Immediates.typeElement:
        this.first = this.u32();
        this.second = this.u32();
        return;
      case Immediates.bytes1:
        this.skip(1);
        return;
      case Immediates.bytes4:
        this.skip(4);
        return;
      case Immediates.bytes8:
        this.skip(8);
        return;
      case Immediates.bytes16:
        this.skip(16);
        return;
      default:
        this.readRareImmediates(kind);
    }
  }

  private readRareImmediates(kind: number): void {
    this.typeIndex = NO_TYPE;
    switch (kind) {
      case Immediates.memoryAccessLane:
        this.memoryAccess();
        this.skip(1);
        return;
      case Immediates.labels:
        this.readLabels();
        return;
      case Immediates.valueTypes:
        for (let left = this.count(); left > 0; left--) this.valueType();
        return;
      case Immediates.heapType:
        this.heapType();
        return;
      case Immediates.tryTable:
        this.blockType();
        this.readCatches();
        return;
      case Immediates.castLabel:
        this.skip(1);
        this.first = this.u32();
        this.heapType();
        this.heapType();
        return;
      default:
        throw this.unknown(this.bytes[this.start] ?? 0, this.op < 0x100 ? undefined : (this.op - 0x100) % OPCODES_PER_PREFIX);
    }
  }

  /** The count of items of at least one byte each. */
  count(): number {
    const at = this.pos;
    const count = this.u32();
    if (count > this.end - this.pos) throw this.fail(`unexpected end: ${count} items do not fit`, at);
    return count;
  }

  valueType(): void {
    const code = this.byte();
    if (code === 0x63 || code === 0x64) this.heapType();
    else if (code < 0x68 || code > 0x7f) throw this.fail(`unknown value type ${hexByte(code)}`, this.pos - 1);
  }

  heapType(): void {
    const at = this.pos;
    const code = this.byte();
    // Abstract heap types are negative numbers of one byte; others are type indices, written as signed numbers.
    if (code >= 0x68 && code <= 0x75) return;
    this.pos = at;
    this.typeIndex = Math.max(this.typeIndex, this.signedIndex());
  }

  private blockType(): void {
    const at = this.pos;
    const code = this.byte();
    if (code === 0x40 || (code >= 0x68 && code <= 0x7f)) return;
    this.pos = at;
    if (code === 0x63 || code === 0x64) this.valueType();
    else this.typeIndex = Math.max(this.typeIndex, this.signedIndex());
  }

  /** An index written as a signed LEB128 of at most 33 bits. */
  private signedIndex(): number {
    const at = this.pos;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      if ((byte & 0x40) !== 0 || value > 0xffff_ffff) throw this.fail("unknown type", at);
      return value;
    }
    throw this.fail("integer is too long", at);
  }

  private memoryAccess(): void {
    const flags = this.u32();
    this.align = flags & ~HAS_MEMORY_INDEX;
    this.first = (flags & HAS_MEMORY_INDEX) === 0 ? 0 : this.u32();
    this.memoryOffsetAt = this.pos;
    const first = this.byte();
    if (first < 0x80) {
      this.memoryOffset = first;
      return;
    }
    let value = first & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte >= 0x80) continue;
      this.memoryOffset = value;
      return;
    }
    throw this.fail("integer is too long", this.memoryOffsetAt);
  }

  private readLabels(): void {
    const count = this.count();
    const { labels } = this;
    labels.length = 0;
    for (let i = 0; i <= count; i++) labels.push(this.u32());
  }

  private readCatches(): void {
    const { labels } = this;
    labels.length = 0;
    for (let left = this.count(); left > 0; left--) {
      const kind = this.byte();
      if (kind > 3) throw this.fail(`unknown catch clause ${hexByte(kind)}`, this.pos - 1);
      if (kind < FIRST_CATCH_ALL) this.u32();
      labels.push(this.u32());
    }
  }

  private skip(length: number): void {
    if (length > this.end - this.pos) throw this.fail("unexpected end of the code");
    this.pos += length;
  }

  private skipLeb(longest: number): void {
    for (let i = 0; i < longest; i++) if (this.byte() < 0x80) return;
    throw this.fail("integer is too long");
  }

  private unknown(first: number, second?: number): StarlaneError {
    const name = second === undefined ? hexByte(first) : `${hexByte(first)} ${second}`;
    return new StarlaneError("component/not-supported-yet", `unknown instruction ${name}`, {
      at: `byte 0x${(this.base + this.start).toString(16)}`,
      cure: "Build the component without this feature: it is no part of WebAssembly 3.0.",
      data: { offset: this.base + this.start },
    });
  }
}
