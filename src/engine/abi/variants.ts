// Variants, and the types that are variants in disguise: enum, option, result.
// Source: Canonical ABI, `load_variant`, `store_variant`, `lift_flat_variant`, `lower_flat_variant`.

import { type Case, ERROR_TAG, type ValType } from "../../wit/types.ts";
import { badValue } from "../bad-value.ts";
import { trap } from "../trap.ts";
import type { Codec, CodecMaker } from "./codec.ts";
import type { AbiContext } from "./context.ts";
import { casesOf, type CoreType, discriminantSize, layoutOf, payloadOffset } from "./layout.ts";

/** How the cases of one kind of variant look as JS values. */
interface Shape {
  make(index: number, payload: unknown): unknown;
  /** The case of a value; throws where the value is of none. */
  caseOf(value: unknown): number;
  payloadOf(value: unknown): unknown;
}

export function enumCodec(type: Extract<ValType, { kind: "enum" }>, maker: CodecMaker): Codec {
  const index = new Map(type.labels.map((label, i) => [label, i]));
  return caseCodec(type, maker, {
    make: (i) => type.labels[i],
    caseOf: (value) => index.get(value as string) ?? badValue(`an enum: one of ${list(type.labels)}`, value),
    payloadOf: () => undefined,
  });
}

export function variantCodec(type: Extract<ValType, { kind: "variant" }>, maker: CodecMaker): Codec {
  return caseCodec(type, maker, taggedShape(type.cases, "a variant"));
}

export function resultCodec(type: Extract<ValType, { kind: "result" }>, maker: CodecMaker): Codec {
  const [ok = { name: "ok" }, error] = casesOf(type);
  return caseCodec(type, maker, taggedShape([ok, { ...error, name: ERROR_TAG }], "a result"));
}

/** `T | undefined`; where the payload is an option itself, `{ tag: "some", val }` and `{ tag: "none" }`. */
export function optionCodec(type: Extract<ValType, { kind: "option" }>, maker: CodecMaker): Codec {
  if (type.type.kind === "option") return caseCodec(type, maker, taggedShape(casesOf(type), "an option of an option"));
  return caseCodec(type, maker, {
    make: (index, payload) => (index === 0 ? undefined : payload),
    caseOf: (value) => (value === undefined || value === null ? 0 : 1),
    payloadOf: (value) => value,
  });
}

function taggedShape(cases: readonly Case[], what: string): Shape {
  const index = new Map(cases.map(({ name }, i) => [name, i]));
  const expected = `${what}: { tag, val } with tag one of ${list([...index.keys()])}`;
  return {
    make(i, payload) {
      const { name, type } = cases[i] as Case;
      return type === undefined ? { tag: name } : { tag: name, val: payload };
    },
    caseOf(value) {
      const tag = typeof value === "object" && value !== null ? (value as { tag?: unknown }).tag : undefined;
      return index.get(tag as string) ?? badValue(expected, tag === undefined ? value : tag);
    },
    payloadOf: (value) => (value as { val?: unknown }).val,
  };
}

function list(names: readonly string[]): string {
  return names.length <= 12 ? names.join(", ") : `${names.slice(0, 12).join(", ")} and ${names.length - 12} more`;
}

function caseCodec(
  type: Extract<ValType, { kind: "variant" | "enum" | "option" | "result" }>,
  maker: CodecMaker,
  shape: Shape,
): Codec {
  const cases = casesOf(type);
  const payloads = cases.map((one) => (one.type === undefined ? undefined : maker.of(one.type)));
  const layout = layoutOf(type, maker.pointer);
  const size = discriminantSize(cases.length);
  const offset = payloadOffset(cases, maker.pointer);
  const check = (index: number): number => (index < cases.length ? index : trap(`invalid variant discriminant ${index}`));
  return {
    ...layout,
    load(cx, at) {
      const index = check(loadDiscriminant(cx, at, size));
      return shape.make(index, payloads[index]?.load(cx, at + offset));
    },
    store(cx, at, value) {
      const index = shape.caseOf(value);
      storeDiscriminant(cx, at, size, index);
      payloads[index]?.store(cx, at + offset, shape.payloadOf(value));
    },
    ...flatConversions(payloads, layout.flat, shape, check),
  };
}

function loadDiscriminant(cx: AbiContext, at: number, size: 1 | 2 | 4): number {
  const { view } = cx.memory;
  return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

function storeDiscriminant(cx: AbiContext, at: number, size: 1 | 2 | 4, index: number): void {
  const { view } = cx.memory;
  if (size === 1) view.setUint8(at, index);
  else if (size === 2) view.setUint16(at, index, true);
  else view.setUint32(at, index, true);
}

function flatConversions(
  payloads: readonly (Codec | undefined)[],
  joined: readonly CoreType[] | undefined,
  shape: Shape,
  check: (index: number) => number,
): Pick<Codec, "liftFlat" | "lowerFlat"> {
  const slots = joined?.slice(1) ?? [];
  const coerced = payloads.map((payload) => payload?.flat !== undefined && payload.flat.some((core, i) => core !== slots[i]));
  return {
    liftFlat(cx, flat, index) {
      const which = check((flat[index] as number) >>> 0);
      const payload = payloads[which];
      if (payload === undefined) return shape.make(which, undefined);
      if (!coerced[which]) return shape.make(which, payload.liftFlat(cx, flat, index + 1));
      const own = (payload.flat ?? []).map((want, i) => narrow(flat[index + 1 + i], slots[i] ?? want, want));
      return shape.make(which, payload.liftFlat(cx, own, 0));
    },
    lowerFlat(cx, value, flat, index) {
      const which = shape.caseOf(value);
      const payload = payloads[which];
      flat[index] = which;
      payload?.lowerFlat(cx, shape.payloadOf(value), flat, index + 1);
      const used = payload?.flat ?? [];
      if (coerced[which]) used.forEach((have, i) => (flat[index + 1 + i] = widen(flat[index + 1 + i], have, slots[i] ?? have)));
      for (let i = used.length; i < slots.length; i++) flat[index + 1 + i] = slots[i] === "i64" ? 0n : 0;
    },
  };
}

const bits = new DataView(new ArrayBuffer(8));

function narrow(core: unknown, have: CoreType, want: CoreType): unknown {
  if (have === want) return core;
  const low = have === "i64" ? Number(BigInt.asIntN(32, core as bigint)) : (core as number);
  if (want === "i32") return low;
  if (want === "f64") {
    bits.setBigInt64(0, BigInt.asIntN(64, core as bigint), true);
    return bits.getFloat64(0, true);
  }
  bits.setInt32(0, low, true);
  return bits.getFloat32(0, true);
}

function widen(core: unknown, have: CoreType, want: CoreType): unknown {
  if (have === want) return core;
  if (have === "f64") {
    bits.setFloat64(0, core as number, true);
    return bits.getBigInt64(0, true);
  }
  let low = core as number;
  if (have === "f32") {
    bits.setFloat32(0, low, true);
    low = bits.getInt32(0, true);
  }
  return want === "i64" ? BigInt(low >>> 0) : low;
}
