// Lists, fixed-length lists and maps. Lists of numbers are typed arrays and move as bytes.
// Source: Canonical ABI, `load_list`, `store_list`, `lift_flat_list`, `lower_flat_list`.

import type { ValType } from "../../wit/types.ts";
import { badValue } from "../bad-value.ts";
import { trap } from "../trap.ts";
import type { Codec, CodecMaker } from "./codec.ts";
import type { AbiContext } from "./context.ts";
import { layoutOf } from "./layout.ts";
import { checkRange, type LinearMemory } from "./memory.ts";
import { pointerPairCodec } from "./pointer-pair.ts";

/** Canonical ABI, MAX_LIST_BYTE_LENGTH. */
const MAX_LIST_BYTES = 2 ** 28 - 1;
// What an element of a JS array costs the host, about, beside its own contents.
const ELEMENT_COST = 16;

type NumberArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;
type AnyTypedArray = NumberArray | BigInt64Array | BigUint64Array;
interface TypedArrayClass {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): AnyTypedArray;
  new (buffer: ArrayBufferLike, at: number, length: number): AnyTypedArray;
}

const TYPED: Partial<Record<ValType["kind"], TypedArrayClass>> = {
  s8: Int8Array,
  u8: Uint8Array,
  s16: Int16Array,
  u16: Uint16Array,
  s32: Int32Array,
  u32: Uint32Array,
  s64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** How the elements of a list lie one after another. */
export interface Elements {
  readonly align: number;
  readonly size: number;
  lift(cx: AbiContext, at: number, length: number): unknown;
  /** The value as something with a length and elements. */
  accept(value: unknown): ArrayLike<unknown>;
  lower(cx: AbiContext, at: number, values: ArrayLike<unknown>): void;
}

export function listCodec(type: Extract<ValType, { kind: "list" }>, maker: CodecMaker): Codec {
  if (type.length === undefined) return lengthAndPointer(type, elementsOf(type.element, maker), maker);
  // It may come as core values and go into memory, or the other way round: the same form on both ways.
  return fixedLength(type, type.length, ownElementsOf(type.element, maker), maker);
}

/** A map is a list of pairs in memory (Canonical ABI, Despecialization) and a Map outside. */
export function mapCodec(type: Extract<ValType, { kind: "map" }>, maker: CodecMaker): Codec {
  const pairs = elementsOf({ kind: "tuple", types: [type.key, type.value] }, maker);
  if (maker.domain === "guest") return lengthAndPointer(type, pairs, maker);
  return lengthAndPointer(
    type,
    {
      ...pairs,
      lift: (cx, at, length) => new Map(pairs.lift(cx, at, length) as [unknown, unknown][]),
      accept: (value) => (value instanceof Map ? [...value] : badValue("a Map", value)),
    },
    maker,
  );
}

export function elementsOf(type: ValType, maker: CodecMaker): Elements {
  const typed = TYPED[type.kind];
  return typed === undefined || maker.domain === "host" ? ownElementsOf(type, maker) : travellingElements(typed);
}

/** Elements that are taken out of the memory they lie in. */
function ownElementsOf(type: ValType, maker: CodecMaker): Elements {
  const typed = TYPED[type.kind];
  const codec = maker.of(type);
  return typed === undefined ? plainElements(codec) : typedElements(typed, codec);
}

function plainElements(codec: Codec): Elements {
  const { size, align } = codec;
  return {
    size,
    align,
    lift(cx, at, length) {
      cx.spend(length * ELEMENT_COST);
      const values = new Array<unknown>(length);
      for (let i = 0; i < length; i++) values[i] = codec.load(cx, at + i * size);
      return values;
    },
    accept: acceptIterable,
    lower(cx, at, values) {
      for (let i = 0; i < values.length; i++) codec.store(cx, at + i * size, values[i]);
    },
  };
}

function acceptIterable(value: unknown): ArrayLike<unknown> {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return value as unknown as ArrayLike<unknown>;
  if (typeof value === "object" && value !== null && Symbol.iterator in value) return Array.from(value as Iterable<unknown>);
  return badValue("a list: an array or another iterable", value);
}

function typedElements(Typed: TypedArrayClass, codec: Codec): Elements {
  const size = Typed.BYTES_PER_ELEMENT;
  return {
    size,
    align: size,
    lift(cx, at, length) {
      cx.spend(length * size);
      // Much faster than by way of a buffer where the bytes are few.
      if (Typed === Uint8Array) return cx.memory.bytes.slice(at, at + length);
      return new Typed(cx.memory.bytes.buffer.slice(at, at + length * size), 0, length);
    },
    accept: (value) => (value instanceof ArrayBuffer && size === 1 ? new Uint8Array(value) : acceptIterable(value)),
    lower(cx, at, values) {
      if (values instanceof Typed) {
        new Typed(cx.memory.bytes.buffer, at, values.length).set(values as unknown as ArrayLike<number> & ArrayLike<bigint>);
      } else for (let i = 0; i < values.length; i++) codec.store(cx, at + i * size, values[i]);
    },
  };
}

/** Numbers that stay in the memory of the guest they come from until another guest's memory takes them. */
interface GuestNumbers extends ArrayLike<unknown> {
  readonly memory: LinearMemory;
  readonly at: number;
}

function travellingElements(Typed: TypedArrayClass): Elements {
  const size = Typed.BYTES_PER_ELEMENT;
  return {
    size,
    align: size,
    // No view of the memory: where a guest calls itself, allocating for the list may grow that very memory.
    lift: (cx, at, length): GuestNumbers => ({ memory: cx.memory, at, length }),
    accept: (value) => value as GuestNumbers,
    lower(cx, at, values) {
      const source = values as GuestNumbers;
      cx.memory.bytes.set(source.memory.bytes.subarray(source.at, source.at + source.length * size), at);
    },
  };
}

function lengthAndPointer(type: ValType, elements: Elements, maker: CodecMaker): Codec {
  const { size, align } = elements;
  const lift = (cx: AbiContext, at: number, length: number): unknown => {
    if (length * size > MAX_LIST_BYTES) trap("list is too long");
    checkRange(cx.memory, at, length * size, align, "list");
    return elements.lift(cx, at, length);
  };
  const lower = (cx: AbiContext, value: unknown): void => {
    const values = elements.accept(value);
    const { length } = values;
    if (length * size > MAX_LIST_BYTES) badValue(`a list of at most ${MAX_LIST_BYTES} bytes`, `one of ${length * size} bytes`);
    const at = cx.allocate(align, length * size, "list");
    elements.lower(cx, at, values);
    cx.outPointer = at;
    cx.outLength = length;
  };
  return pointerPairCodec(type, maker.pointer, lift, lower);
}

function fixedLength(type: Extract<ValType, { kind: "list" }>, length: number, elements: Elements, maker: CodecMaker): Codec {
  const layout = layoutOf(type, maker.pointer);
  const element = maker.of(type.element);
  const step = element.flat?.length ?? 0;
  const Typed = TYPED[type.element.kind];
  const accept = (value: unknown): ArrayLike<unknown> => {
    const values = elements.accept(value);
    return values.length === length ? values : badValue(`a list of exactly ${length} elements`, `one of ${values.length}`);
  };
  return {
    ...layout,
    load: (cx, at) => elements.lift(cx, at, length),
    store: (cx, at, value) => elements.lower(cx, at, accept(value)),
    liftFlat(cx, flat, index) {
      const values = Array.from({ length }, (_, i) => element.liftFlat(cx, flat, index + i * step));
      if (Typed === undefined) return values;
      const typed = new Typed(length);
      values.forEach((value, i) => (typed[i] = value as never));
      return typed;
    },
    lowerFlat(cx, value, flat, index) {
      const values = accept(value);
      for (let i = 0; i < length; i++) element.lowerFlat(cx, values[i], flat, index + i * step);
    },
  };
}
