// How values lie in memory and in flat core values (Canonical ABI: Alignment, Element Size, Flattening).
// Sizes depend on the pointer size of the memory: 4 bytes, or 8 for a 64-bit memory.

import type { Case, ValType } from "../../wit/types.ts";

export type CoreType = "i32" | "i64" | "f32" | "f64";
export type PointerSize = 4 | 8;

export const MAX_FLAT_PARAMS = 16;
export const MAX_FLAT_RESULTS = 1;

export interface Layout {
  readonly size: number;
  readonly align: number;
  /** The core values that carry it, or undefined where there are more than any call carries flat. */
  readonly flat: readonly CoreType[] | undefined;
}

const caches = { 4: new WeakMap<ValType, Layout>(), 8: new WeakMap<ValType, Layout>() };

export function layoutOf(type: ValType, pointer: PointerSize): Layout {
  const cache = caches[pointer];
  let layout = cache.get(type);
  if (layout === undefined) {
    layout = computeLayout(type, pointer);
    cache.set(type, layout);
  }
  return layout;
}

const scalar = (size: number, flat: CoreType): Layout => ({ size, align: size, flat: [flat] });

function computeLayout(type: ValType, pointer: PointerSize): Layout {
  switch (type.kind) {
    case "bool":
    case "s8":
    case "u8":
      return scalar(1, "i32");
    case "s16":
    case "u16":
      return scalar(2, "i32");
    case "s32":
    case "u32":
    case "char":
    case "own":
    case "borrow":
    case "stream":
    case "future":
    case "error-context":
      return scalar(4, "i32");
    case "s64":
    case "u64":
      return scalar(8, "i64");
    case "f32":
      return scalar(4, "f32");
    case "f64":
      return scalar(8, "f64");
    case "string":
    case "map":
      return pointerAndLength(pointer);
    case "list":
      return type.length === undefined ? pointerAndLength(pointer) : fixedList(layoutOf(type.element, pointer), type.length);
    case "record":
      return recordLayout(
        type.fields.map((field) => field.type),
        pointer,
      );
    case "tuple":
      return recordLayout(type.types, pointer);
    case "flags": {
      const size = type.labels.length <= 8 ? 1 : type.labels.length <= 16 ? 2 : 4;
      return scalar(size, "i32");
    }
    case "enum":
    case "variant":
    case "option":
    case "result":
      return variantLayout(casesOf(type), pointer);
  }
}

function pointerAndLength(pointer: PointerSize): Layout {
  const word: CoreType = pointer === 4 ? "i32" : "i64";
  return { size: 2 * pointer, align: pointer, flat: [word, word] };
}

function fixedList(element: Layout, length: number): Layout {
  const count = element.flat === undefined ? Infinity : element.flat.length * length;
  const { flat } = element;
  return {
    size: element.size * length,
    align: element.align,
    flat: flat !== undefined && count <= MAX_FLAT_PARAMS ? Array.from({ length }, () => flat).flat() : undefined,
  };
}

export function recordLayout(types: readonly ValType[], pointer: PointerSize): Layout {
  const flat: CoreType[] = [];
  let size = 0;
  let align = 1;
  let fits = true;
  for (const type of types) {
    const layout = layoutOf(type, pointer);
    size = alignTo(size, layout.align) + layout.size;
    align = Math.max(align, layout.align);
    if (layout.flat === undefined || flat.length + layout.flat.length > MAX_FLAT_PARAMS) fits = false;
    else flat.push(...layout.flat);
  }
  return { size: alignTo(size, align), align, flat: fits ? flat : undefined };
}

/** Where each field of a record starts. */
export function fieldOffsets(types: readonly ValType[], pointer: PointerSize): number[] {
  let at = 0;
  return types.map((type) => {
    const layout = layoutOf(type, pointer);
    const offset = alignTo(at, layout.align);
    at = offset + layout.size;
    return offset;
  });
}

/** The cases of a variant, and of the types that are variants in disguise (Canonical ABI, Despecialization). */
export function casesOf(type: Extract<ValType, { kind: "variant" | "enum" | "option" | "result" }>): readonly Case[] {
  switch (type.kind) {
    case "variant":
      return type.cases;
    case "enum":
      return type.labels.map((name) => ({ name }));
    case "option":
      return [{ name: "none" }, { name: "some", type: type.type }];
    case "result":
      return [
        { name: "ok", type: type.ok },
        { name: "error", type: type.error },
      ];
  }
}

export function discriminantSize(cases: number): 1 | 2 | 4 {
  return cases <= 0x100 ? 1 : cases <= 0x10000 ? 2 : 4;
}

/** Where a variant's payload starts. */
export function payloadOffset(cases: readonly Case[], pointer: PointerSize): number {
  return alignTo(discriminantSize(cases.length), payloadAlign(cases, pointer));
}

function payloadAlign(cases: readonly Case[], pointer: PointerSize): number {
  let align = 1;
  for (const { type } of cases) if (type !== undefined) align = Math.max(align, layoutOf(type, pointer).align);
  return align;
}

function variantLayout(cases: readonly Case[], pointer: PointerSize): Layout {
  const discriminant = discriminantSize(cases.length);
  const align = Math.max(discriminant, payloadAlign(cases, pointer));
  const flat: CoreType[] = ["i32"];
  let payload = 0;
  let fits = true;
  for (const { type } of cases) {
    if (type === undefined) continue;
    const layout = layoutOf(type, pointer);
    payload = Math.max(payload, layout.size);
    if (layout.flat === undefined || layout.flat.length >= MAX_FLAT_PARAMS) fits = false;
    else layout.flat.forEach((core, i) => (flat[i + 1] = joinCore(flat[i + 1], core)));
  }
  return { size: alignTo(payloadOffset(cases, pointer) + payload, align), align, flat: fits ? flat : undefined };
}

function joinCore(a: CoreType | undefined, b: CoreType): CoreType {
  if (a === undefined || a === b) return b;
  return (a === "i32" || a === "f32") && (b === "i32" || b === "f32") ? "i32" : "i64";
}

export function alignTo(at: number, align: number): number {
  return Math.ceil(at / align) * align;
}
