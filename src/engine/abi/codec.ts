// How values of one type cross the boundary of a guest: composed closures, built once per type.
// Two domains: values for the host are JS values as `wit/types.ts` describes; values on their way to another guest keep strings
// in the memory they come from and handles as bare representations.

import type { ValType } from "../../wit/types.ts";
import type { AbiContext } from "./context.ts";
import { handleCodec } from "./handles.ts";
import { type CoreType, type PointerSize } from "./layout.ts";
import { listCodec, mapCodec } from "./lists.ts";
import { flagsCodec, recordCodec, tupleCodec } from "./records.ts";
import { scalarCodec } from "./scalars.ts";
import { stringCodec } from "./string-codec.ts";
import { enumCodec, optionCodec, resultCodec, variantCodec } from "./variants.ts";

export type Domain = "host" | "guest";

export interface Codec {
  readonly size: number;
  readonly align: number;
  /** The core types that carry a value, or undefined where it never travels flat. */
  readonly flat: readonly CoreType[] | undefined;
  /** Canonical ABI `load`: the value at an address that was checked to be aligned and in bounds. */
  load(cx: AbiContext, at: number): unknown;
  /** Canonical ABI `store`. */
  store(cx: AbiContext, at: number, value: unknown): void;
  /** Canonical ABI `lift_flat`: the value carried by the core values from `index` on. */
  liftFlat(cx: AbiContext, flat: readonly unknown[], index: number): unknown;
  /** Canonical ABI `lower_flat`: writes the core values from `index` on. */
  lowerFlat(cx: AbiContext, value: unknown, flat: unknown[], index: number): void;
  /** Of a type that is one core value and needs no context: the bare conversions. */
  readonly scalar?: ScalarConversion | undefined;
}

export interface ScalarConversion {
  lift(core: unknown): unknown;
  lower(value: unknown): unknown;
}

/** Where a codec comes from: which domain, which pointer size; `of` builds those of its parts. */
export interface CodecMaker {
  readonly domain: Domain;
  readonly pointer: PointerSize;
  of(type: ValType): Codec;
}

function maker(domain: Domain, pointer: PointerSize): CodecMaker {
  const cache = new WeakMap<ValType, Codec>();
  const self: CodecMaker = {
    domain,
    pointer,
    of(type) {
      let codec = cache.get(type);
      if (codec === undefined) {
        codec = make(type, self);
        cache.set(type, codec);
      }
      return codec;
    },
  };
  return self;
}

const makers = {
  host: { 4: maker("host", 4), 8: maker("host", 8) },
  guest: { 4: maker("guest", 4), 8: maker("guest", 8) },
};

/** Both domains of one pointer size. */
export function codecsOf(pointer: PointerSize): Readonly<Record<Domain, CodecMaker>> {
  return pointer === 4 ? { host: makers.host[4], guest: makers.guest[4] } : { host: makers.host[8], guest: makers.guest[8] };
}

export function codecs(domain: Domain, pointer: PointerSize): CodecMaker {
  return makers[domain][pointer];
}

function make(type: ValType, maker: CodecMaker): Codec {
  switch (type.kind) {
    case "string":
      return stringCodec(type, maker);
    case "list":
      return listCodec(type, maker);
    case "map":
      return mapCodec(type, maker);
    case "record":
      return recordCodec(type, maker);
    case "tuple":
      return tupleCodec(type, maker);
    case "flags":
      return flagsCodec(type, maker);
    case "enum":
      return enumCodec(type, maker);
    case "variant":
      return variantCodec(type, maker);
    case "option":
      return optionCodec(type, maker);
    case "result":
      return resultCodec(type, maker);
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return handleCodec(type, maker);
    default:
      return scalarCodec(type.kind);
  }
}
