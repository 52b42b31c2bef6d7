// The parameters and the result of a function as core values: flat where there are few, in memory where there are many.
// Source: Canonical ABI, `flatten_functype`, `lift_flat_values`, `lower_flat_values` (synchronous functions).

import type { FuncType, ValType } from "../../wit/types.ts";
import { type Codec, codecs, type Domain } from "./codec.ts";
import { type AbiContext, pointerFrom, pointerTo } from "./context.ts";
import {
  alignTo,
  type CoreType,
  fieldOffsets,
  MAX_FLAT_PARAMS,
  MAX_FLAT_RESULTS,
  type PointerSize,
  recordLayout,
} from "./layout.ts";
import { inParameter } from "../bad-value.ts";
import { checkRange, checkWrite } from "./memory.ts";

/** The parameters of one function at one of its two ends. */
export interface ParamsCodec {
  /** How many core values carry them; 1 where they are spilled into memory. */
  readonly flatCount: number;
  readonly core: readonly CoreType[];
  readonly parts: readonly Codec[];
  readonly spilled: boolean;
  lift(cx: AbiContext, flat: readonly unknown[]): unknown[];
  lower(cx: AbiContext, values: readonly unknown[], flat: unknown[]): void;
}

export function paramsCodec(type: FuncType, domain: Domain, pointer: PointerSize, maxFlat = MAX_FLAT_PARAMS): ParamsCodec {
  return valuesCodec(
    type.params.map((param) => param.type),
    domain,
    pointer,
    maxFlat,
    type.params.map((param) => param.name),
  );
}

/** Values that travel together, as parameters do. */
export function valuesCodec(
  types: readonly ValType[],
  domain: Domain,
  pointer: PointerSize,
  maxFlat: number,
  names: readonly string[] = [],
): ParamsCodec {
  const parts = types.map((one) => codecs(domain, pointer).of(one));
  const layout = recordLayout(types, pointer);
  return layout.flat === undefined || layout.flat.length > maxFlat
    ? spilledParams(types, parts, layout, pointer, names)
    : flatParams(parts, layout.flat, names);
}

function flatParams(parts: readonly Codec[], core: readonly CoreType[], names: readonly string[]): ParamsCodec {
  const offsets: number[] = [];
  let at = 0;
  for (const part of parts) {
    offsets.push(at);
    at += part.flat?.length ?? 0;
  }
  return {
    flatCount: core.length,
    core,
    parts,
    spilled: false,
    lift: liftAll(parts, offsets),
    lower(cx, values, flat) {
      let i = 0;
      try {
        for (; i < parts.length; i++) (parts[i] as Codec).lowerFlat(cx, values[i], flat, offsets[i] as number);
      } catch (error) {
        throw inParameter(names[i], error);
      }
    },
  };
}

/** The common small numbers without a loop. */
function liftAll(parts: readonly Codec[], offsets: readonly number[]): ParamsCodec["lift"] {
  const [first, second] = parts;
  const [, at = 0] = offsets;
  if (first === undefined) return () => [];
  if (second === undefined) return (cx, flat) => [first.liftFlat(cx, flat, 0)];
  if (parts.length === 2) return (cx, flat) => [first.liftFlat(cx, flat, 0), second.liftFlat(cx, flat, at)];
  return (cx, flat) => {
    const values = new Array<unknown>(parts.length);
    for (let i = 0; i < parts.length; i++) values[i] = (parts[i] as Codec).liftFlat(cx, flat, offsets[i] as number);
    return values;
  };
}

function spilledParams(
  types: readonly ValType[],
  parts: readonly Codec[],
  layout: { readonly size: number; readonly align: number },
  pointer: PointerSize,
  names: readonly string[],
): ParamsCodec {
  const offsets = fieldOffsets(types, pointer);
  const size = alignTo(layout.size, layout.align);
  return {
    flatCount: 1,
    core: [pointerType(pointer)],
    parts,
    spilled: true,
    lift(cx, flat) {
      const at = pointerFrom(flat[0]);
      checkRange(cx.memory, at, size, layout.align, "parameters");
      return parts.map((part, i) => part.load(cx, at + (offsets[i] as number)));
    },
    lower(cx, values, flat) {
      const at = cx.allocate(layout.align, size, "parameters");
      let i = 0;
      try {
        for (; i < parts.length; i++) (parts[i] as Codec).store(cx, at + (offsets[i] as number), values[i]);
      } catch (error) {
        throw inParameter(names[i], error);
      }
      flat[0] = pointerTo(at, pointer);
    },
  };
}

function pointerType(pointer: PointerSize): CoreType {
  return pointer === 4 ? "i32" : "i64";
}

/** The result of one function at one of its two ends. */
export interface ResultCodec {
  readonly codec: Codec | undefined;
  /** Whether it lies in memory: a lifted function answers with its address, a lowered one is given the place as its last parameter. */
  readonly inMemory: boolean;
  /** What a lifted function answers with. */
  readonly core: readonly CoreType[];
  lift(cx: AbiContext, core: unknown): unknown;
  /** `at` is the place a lowered function was given, where `inMemory`. */
  lower(cx: AbiContext, value: unknown, at: unknown): unknown;
}

export function resultCodec(type: FuncType, domain: Domain, pointer: PointerSize): ResultCodec {
  if (type.result === undefined)
    return { codec: undefined, inMemory: false, core: [], lift: () => undefined, lower: () => undefined };
  const codec = codecs(domain, pointer).of(type.result);
  return codec.flat === undefined || codec.flat.length > MAX_FLAT_RESULTS ? resultInMemory(codec, pointer) : flatResult(codec);
}

function flatResult(codec: Codec): ResultCodec {
  return {
    codec,
    inMemory: false,
    core: codec.flat ?? [],
    lift: (cx, core) => codec.liftFlat(cx, [core], 0),
    lower(cx, value) {
      const flat: unknown[] = [undefined];
      codec.lowerFlat(cx, value, flat, 0);
      return flat[0];
    },
  };
}

export function resultInMemory(codec: Codec, pointer: PointerSize): ResultCodec {
  return {
    codec,
    inMemory: true,
    core: [pointerType(pointer)],
    lift(cx, core) {
      const at = pointerFrom(core);
      checkRange(cx.memory, at, codec.size, codec.align, "result");
      return codec.load(cx, at);
    },
    lower(cx, value, place) {
      const at = pointerFrom(place);
      checkWrite(cx.memory, at, codec.size, codec.align, "result");
      codec.store(cx, at, value);
      return undefined;
    },
  };
}

/** Whether a value of the type can hold a borrowed handle: only then a call keeps account of what it lends. */
export function containsBorrow(type: ValType | undefined): boolean {
  switch (type?.kind) {
    case "borrow":
      return true;
    case "record":
      return type.fields.some((field) => containsBorrow(field.type));
    case "variant":
      return type.cases.some((one) => containsBorrow(one.type));
    case "tuple":
      return type.types.some(containsBorrow);
    case "list":
      return containsBorrow(type.element);
    case "map":
      return containsBorrow(type.key) || containsBorrow(type.value);
    case "option":
      return containsBorrow(type.type);
    case "result":
      return containsBorrow(type.ok) || containsBorrow(type.error);
    default:
      return false;
  }
}
