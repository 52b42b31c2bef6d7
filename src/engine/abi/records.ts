// Records, tuples and flags. Source: Canonical ABI, `load_record`, `store_record`, `load_flags`, `store_flags`.

import { camelCase, type ValType } from "../../wit/types.ts";
import { badValue } from "../bad-value.ts";
import type { Codec, CodecMaker } from "./codec.ts";
import type { AbiContext } from "./context.ts";
import { fieldOffsets, layoutOf } from "./layout.ts";

interface Part {
  readonly codec: Codec;
  readonly offset: number;
  readonly flatOffset: number;
}

function partsOf(types: readonly ValType[], maker: CodecMaker): Part[] {
  const offsets = fieldOffsets(types, maker.pointer);
  let flatOffset = 0;
  return types.map((type, i) => {
    const codec = maker.of(type);
    const part = { codec, offset: offsets[i] ?? 0, flatOffset };
    flatOffset += codec.flat?.length ?? 0;
    return part;
  });
}

export function recordCodec(type: Extract<ValType, { kind: "record" }>, maker: CodecMaker): Codec {
  const parts = partsOf(
    type.fields.map((field) => field.type),
    maker,
  );
  const keys = type.fields.map((field) => camelCase(field.name));
  const count = parts.length;
  const accept = (value: unknown): Record<string, unknown> => {
    if (typeof value !== "object" || value === null) badValue(`a record with ${keys.join(", ")}`, value);
    return value as Record<string, unknown>;
  };
  return {
    ...layoutOf(type, maker.pointer),
    load(cx, at) {
      // Always the same keys in the same order: all records of a type share one hidden class.
      const record: Record<string, unknown> = {};
      for (let i = 0; i < count; i++) {
        const part = parts[i] as Part;
        record[keys[i] as string] = part.codec.load(cx, at + part.offset);
      }
      return record;
    },
    store(cx, at, value) {
      const record = accept(value);
      for (let i = 0; i < count; i++) {
        const part = parts[i] as Part;
        part.codec.store(cx, at + part.offset, record[keys[i] as string]);
      }
    },
    liftFlat(cx, flat, index) {
      const record: Record<string, unknown> = {};
      for (let i = 0; i < count; i++) {
        const part = parts[i] as Part;
        record[keys[i] as string] = part.codec.liftFlat(cx, flat, index + part.flatOffset);
      }
      return record;
    },
    lowerFlat(cx, value, flat, index) {
      const record = accept(value);
      for (let i = 0; i < count; i++) {
        const part = parts[i] as Part;
        part.codec.lowerFlat(cx, record[keys[i] as string], flat, index + part.flatOffset);
      }
    },
  };
}

export function tupleCodec(type: Extract<ValType, { kind: "tuple" }>, maker: CodecMaker): Codec {
  const parts = partsOf(type.types, maker);
  const accept = (value: unknown): readonly unknown[] =>
    Array.isArray(value) && value.length === parts.length ? value : badValue(`a tuple: an array of ${parts.length}`, value);
  return {
    ...layoutOf(type, maker.pointer),
    load: (cx, at) => parts.map((part) => part.codec.load(cx, at + part.offset)),
    store(cx, at, value) {
      const values = accept(value);
      parts.forEach((part, i) => part.codec.store(cx, at + part.offset, values[i]));
    },
    liftFlat: (cx, flat, index) => parts.map((part) => part.codec.liftFlat(cx, flat, index + part.flatOffset)),
    lowerFlat(cx, value, flat, index) {
      const values = accept(value);
      parts.forEach((part, i) => part.codec.lowerFlat(cx, values[i], flat, index + part.flatOffset));
    },
  };
}

export function flagsCodec(type: Extract<ValType, { kind: "flags" }>, maker: CodecMaker): Codec {
  const keys = type.labels.map(camelCase);
  const layout = layoutOf(type, maker.pointer);
  const lift = (bits: number): Record<string, boolean> => {
    const flags: Record<string, boolean> = {};
    keys.forEach((key, i) => (flags[key] = ((bits >>> i) & 1) === 1));
    return flags;
  };
  const lower = (value: unknown): number => {
    if (typeof value !== "object" || value === null) badValue(`flags: an object with ${keys.join(", ")}`, value);
    let bits = 0;
    keys.forEach((key, i) => {
      const set = (value as Record<string, unknown>)[key];
      if (set === true) bits |= 1 << i;
      else if (set !== false && set !== undefined) badValue(`flag ${key}: true or false`, set);
    });
    return bits >>> 0;
  };
  const load = (cx: AbiContext, at: number): number =>
    layout.size === 1
      ? cx.memory.view.getUint8(at)
      : layout.size === 2
        ? cx.memory.view.getUint16(at, true)
        : cx.memory.view.getUint32(at, true);
  return {
    ...layout,
    load: (cx, at) => lift(load(cx, at)),
    store(cx, at, value) {
      const bits = lower(value);
      if (layout.size === 1) cx.memory.view.setUint8(at, bits);
      else if (layout.size === 2) cx.memory.view.setUint16(at, bits, true);
      else cx.memory.view.setUint32(at, bits, true);
    },
    liftFlat: (_cx, flat, index) => lift(flat[index] as number),
    lowerFlat(_cx, value, flat, index) {
      flat[index] = lower(value);
    },
  };
}
