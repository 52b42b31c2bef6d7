// The instructions of core WebAssembly as tables: which immediates follow each opcode. They are the instructions that V8 accepts
// without flags (Node 26): WebAssembly 3.0, threads, relaxed SIMD and the legacy exceptions. A test asks V8 whether they are still all.
// Source: WebAssembly 3.0, "Binary format: instructions", and the threads and legacy exceptions proposals.

/** What follows an opcode. */
export const Immediates = {
  /** The opcode is not known. */
  unknown: 0,
  none: 1,
  blockType: 2,
  label: 3,
  /** `br_table`: labels. */
  labels: 4,
  func: 5,
  /** `call_indirect`: type, table. */
  typeTable: 6,
  type: 7,
  local: 8,
  global: 9,
  table: 10,
  memory: 11,
  memoryAccess: 12,
  memoryAccessLane: 13,
  /** A signed LEB128 of 32 or 64 bits. */
  i32: 14,
  i64: 15,
  bytes1: 16,
  bytes4: 17,
  bytes8: 18,
  bytes16: 19,
  valueTypes: 20,
  heapType: 21,
  tag: 22,
  /** `try_table`: block type, catch clauses. */
  tryTable: 23,
  /** `memory.init`: data, memory. */
  dataMemory: 24,
  data: 25,
  memoryMemory: 26,
  elementTable: 27,
  element: 28,
  tableTable: 29,
  /** A type and a plain number: field, length. */
  typeNumber: 30,
  typeType: 31,
  typeData: 32,
  typeElement: 33,
  /** `br_on_cast`: flags, label, two heap types. */
  castLabel: 34,
  /** The label of `delegate`, which also ends a frame. */
  delegate: 35,
} as const;

type Kind = (typeof Immediates)[keyof typeof Immediates];
/** First and last opcode of a range, and what follows each of them. */
type Row = readonly [first: number, last: number, immediates: Kind];

const {
  none, blockType, label, labels, func, typeTable, type, local, global, table, memory, memoryAccess, memoryAccessLane, i32, i64,
  bytes1, bytes4, bytes8, bytes16, valueTypes, heapType, tag, tryTable, dataMemory, data, memoryMemory, elementTable, element,
  tableTable, typeNumber, typeType, typeData, typeElement, castLabel, delegate,
} = Immediates; // prettier-ignore

const ONE_BYTE: readonly Row[] = [
  [0x00, 0x01, none], // unreachable, nop
  [0x02, 0x04, blockType], // block, loop, if
  [0x05, 0x05, none], // else
  [0x06, 0x06, blockType], // try (legacy)
  [0x07, 0x08, tag], // catch (legacy), throw
  [0x09, 0x09, label], // rethrow (legacy)
  [0x0a, 0x0b, none], // throw_ref, end
  [0x0c, 0x0d, label], // br, br_if
  [0x0e, 0x0e, labels], // br_table
  [0x0f, 0x0f, none], // return
  [0x10, 0x10, func], // call
  [0x11, 0x11, typeTable], // call_indirect
  [0x12, 0x12, func], // return_call
  [0x13, 0x13, typeTable], // return_call_indirect
  [0x14, 0x15, type], // call_ref, return_call_ref
  [0x18, 0x18, delegate], // delegate (legacy)
  [0x19, 0x1b, none], // catch_all (legacy), drop, select
  [0x1c, 0x1c, valueTypes], // select with types
  [0x1f, 0x1f, tryTable],
  [0x20, 0x22, local], // local.get, local.set, local.tee
  [0x23, 0x24, global], // global.get, global.set
  [0x25, 0x26, table], // table.get, table.set
  [0x28, 0x3e, memoryAccess], // loads and stores
  [0x3f, 0x40, memory], // memory.size, memory.grow
  [0x41, 0x41, i32], // i32.const
  [0x42, 0x42, i64], // i64.const
  [0x43, 0x43, bytes4], // f32.const
  [0x44, 0x44, bytes8], // f64.const
  [0x45, 0xc4, none], // numeric instructions
  [0xd0, 0xd0, heapType], // ref.null
  [0xd1, 0xd1, none], // ref.is_null
  [0xd2, 0xd2, func], // ref.func
  [0xd3, 0xd4, none], // ref.eq, ref.as_non_null
  [0xd5, 0xd6, label], // br_on_null, br_on_non_null
];

/** 0xfb: garbage-collected structs, arrays, casts. */
const GC: readonly Row[] = [
  [0, 1, type], // struct.new, struct.new_default
  [2, 5, typeNumber], // struct.get*, struct.set
  [6, 7, type], // array.new, array.new_default
  [8, 8, typeNumber], // array.new_fixed
  [9, 9, typeData], // array.new_data
  [10, 10, typeElement], // array.new_elem
  [11, 14, type], // array.get*, array.set
  [15, 15, none], // array.len
  [16, 16, type], // array.fill
  [17, 17, typeType], // array.copy
  [18, 18, typeData], // array.init_data
  [19, 19, typeElement], // array.init_elem
  [20, 23, heapType], // ref.test, ref.cast
  [24, 25, castLabel], // br_on_cast, br_on_cast_fail
  [26, 30, none], // any.convert_extern, extern.convert_any, ref.i31, i31.get_s, i31.get_u
];

/** 0xfc: saturating truncations, bulk operations. */
const BULK: readonly Row[] = [
  [0, 7, none], // *.trunc_sat_*
  [8, 8, dataMemory], // memory.init
  [9, 9, data], // data.drop
  [10, 10, memoryMemory], // memory.copy
  [11, 11, memory], // memory.fill
  [12, 12, elementTable], // table.init
  [13, 13, element], // elem.drop
  [14, 14, tableTable], // table.copy
  [15, 17, table], // table.grow, table.size, table.fill
];

/** 0xfd: vectors. The gaps of the numbering are left out: they are no instructions. */
const VECTOR: readonly Row[] = [
  [0, 11, memoryAccess], // v128.load*, v128.store
  [12, 13, bytes16], // v128.const, i8x16.shuffle
  [14, 20, none], // swizzle, splats
  [21, 34, bytes1], // extract_lane, replace_lane
  [35, 83, none],
  [84, 91, memoryAccessLane], // v128.load*_lane, v128.store*_lane
  [92, 93, memoryAccess], // v128.load*_zero
  [94, 153, none],
  [155, 161, none],
  [163, 164, none],
  [167, 174, none],
  [177, 177, none],
  [181, 186, none],
  [188, 193, none],
  [195, 196, none],
  [199, 206, none],
  [209, 209, none],
  [213, 225, none],
  [227, 237, none],
  [239, 275, none], // the last twenty are the relaxed ones
];

/** 0xfe: atomics. */
const ATOMIC: readonly Row[] = [
  [0, 2, memoryAccess], // memory.atomic.notify, wait32, wait64
  [3, 3, bytes1], // atomic.fence
  [16, 78, memoryAccess], // atomic loads, stores and read-modify-writes
];

const FIRST_PREFIX = 0xfb;
const LAST_PREFIX = 0xfe;
/** No prefix has more opcodes than this. */
export const OPCODES_PER_PREFIX = 0x200;

/** One number for an instruction: its opcode, or what prefix and opcode make together. */
export function instruction(first: number, second?: number): number {
  return second === undefined ? first : 0x100 + (first - FIRST_PREFIX) * OPCODES_PER_PREFIX + second;
}

/** The opcode that follows the prefix. */
export function opcodeBehindPrefix(op: number): number {
  return (op - 0x100) % OPCODES_PER_PREFIX;
}

export function isPrefix(byte: number): boolean {
  return byte >= FIRST_PREFIX && byte <= LAST_PREFIX;
}

/** How many numbers `instruction` can give. */
export const INSTRUCTIONS = instruction(LAST_PREFIX, OPCODES_PER_PREFIX);

/** The kind of immediates of each instruction, by its number. */
export const IMMEDIATES: Uint8Array = immediatesTable();

function immediatesTable(): Uint8Array {
  const kinds = new Uint8Array(INSTRUCTIONS);
  for (const [first, last, kind] of ONE_BYTE) kinds.fill(kind, first, last + 1);
  for (const [prefix, rows] of [
    [0xfb, GC],
    [0xfc, BULK],
    [0xfd, VECTOR],
    [0xfe, ATOMIC],
  ] as const)
    // prettier-ignore
    for (const [first, last, kind] of rows) kinds.fill(kind, instruction(prefix, first), instruction(prefix, last) + 1);
  return kinds;
}

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;

/** The type of the value that an instruction stores in memory, by the number of the instruction; 0 where it stores none. */
export const STORED: Uint8Array = storedTable();

function storedTable(): Uint8Array {
  const types = new Uint8Array(INSTRUCTIONS);
  types.set([I32, I64, F32, F64, I32, I32, I64, I64, I64], 0x36); // i32.store to i64.store32
  types[instruction(0xfd, 11)] = V128;
  types.fill(V128, instruction(0xfd, 88), instruction(0xfd, 91) + 1); // v128.store*_lane
  // Atomic stores, six operations that read, modify and write, and the one that compares and exchanges: each in seven widths.
  for (let first = 0x17; first <= 0x48; first += 7) types.set([I32, I64, I32, I32, I64, I64, I64], instruction(0xfe, first));
  return types;
}

/** `*.atomic.rmw*.cmpxchg` has two values of the stored type. */
export function comparesAndExchanges(op: number): boolean {
  return op >= instruction(0xfe, 0x48) && op <= instruction(0xfe, 0x4e);
}

export const ValueType = { i32: I32, i64: I64, f32: F32, f64: F64, v128: V128 } as const;

/** A block type without parameters and results. */
export const NO_VALUES = 0x40;

/** The instructions that others name. */
export const Op = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  callRef: 0x14,
  returnCallRef: 0x15,
  delegate: 0x18,
  catchAll: 0x19,
  drop: 0x1a,
  select: 0x1b,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableGet: 0x25,
  firstLoad: 0x28,
  i32Load8U: 0x2d,
  lastLoad: 0x35,
  i32Store8: 0x3a,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64Ne: 0x52,
  i32GtU: 0x4b,
  i64LtS: 0x53,
  i64GtU: 0x56,
  i64GeU: 0x5a,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Or: 0x72,
  i32ShrU: 0x76,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64And: 0x83,
  i64ShrU: 0x88,
  i32WrapI64: 0xa7,
  i64ExtendI32U: 0xad,
  lastNumeric: 0xc4,
  refNull: 0xd0,
  refFunc: 0xd2,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
  structNew: instruction(0xfb, 0),
  structNewDefault: instruction(0xfb, 1),
  structSet: instruction(0xfb, 5),
  arrayNew: instruction(0xfb, 6),
  arrayNewDefault: instruction(0xfb, 7),
  arrayNewFixed: instruction(0xfb, 8),
  arrayNewData: instruction(0xfb, 9),
  arrayNewElem: instruction(0xfb, 10),
  arraySet: instruction(0xfb, 14),
  arrayFill: instruction(0xfb, 16),
  arrayCopy: instruction(0xfb, 17),
  arrayInitData: instruction(0xfb, 18),
  arrayInitElem: instruction(0xfb, 19),
  brOnCast: instruction(0xfb, 24),
  brOnCastFail: instruction(0xfb, 25),
  memoryInit: instruction(0xfc, 8),
  dataDrop: instruction(0xfc, 9),
  memoryCopy: instruction(0xfc, 10),
  memoryFill: instruction(0xfc, 11),
  tableInit: instruction(0xfc, 12),
  elemDrop: instruction(0xfc, 13),
  tableCopy: instruction(0xfc, 14),
  tableGrow: instruction(0xfc, 15),
  tableSize: instruction(0xfc, 16),
  tableFill: instruction(0xfc, 17),
  atomicWait32: instruction(0xfe, 1),
  atomicWait64: instruction(0xfe, 2),
} as const;
