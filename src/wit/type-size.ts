// How deep a type nests and how many parts it has when written out whole, so that nothing works through a type that is too big:
// shared parts make a few lines of WIT into a type of 2^100 fields.

import { assertNever, StarlaneError } from "../base/errors.ts";
import type { ValType } from "./types.ts";

interface TypeSize {
  readonly depth: number;
  readonly parts: number;
}

/** What a type may be at most; component-model tools set similar bounds. */
export const LARGEST_TYPE: TypeSize = { depth: 100, parts: 100_000 };

const known = new WeakMap<ValType, TypeSize>();

/** Depth and parts of a type; the work follows the number of different parts. @throws StarlaneError `wit/type-too-big` */
function typeSize(type: ValType, below = 0): TypeSize {
  const before = known.get(type);
  if (before !== undefined) return before;
  if (below > 1000) throw new StarlaneError("wit/type-too-big", "a type is nested deeper than 1000 levels");
  let [depth, parts] = [0, 1];
  for (const part of partsOf(type)) {
    const size = typeSize(part, below + 1);
    depth = Math.max(depth, size.depth);
    parts += size.parts;
  }
  const size = { depth: depth + 1, parts };
  known.set(type, size);
  return size;
}

/** Whether a type is within `LARGEST_TYPE`. */
export function isTooBig(type: ValType): boolean {
  const { depth, parts } = typeSize(type);
  return depth > LARGEST_TYPE.depth || parts > LARGEST_TYPE.parts;
}

/** The types that a type is made of; none for handles. */
export function partsOf(type: ValType): readonly ValType[] {
  switch (type.kind) {
    case "record":
      return type.fields.map((field) => field.type);
    case "variant":
      return type.cases.flatMap((item) => item.type ?? []);
    case "tuple":
      return type.types;
    case "map":
      return [type.key, type.value];
    case "option":
      return [type.type];
    case "result":
      return [type.ok ?? [], type.error ?? []].flat();
    case "list":
    case "stream":
    case "future":
      return type.element === undefined ? [] : [type.element];
    case "bool":
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
    case "s64":
    case "u64":
    case "f32":
    case "f64":
    case "char":
    case "string":
    case "error-context":
    case "enum":
    case "flags":
    case "own":
    case "borrow":
      return [];
    default:
      return assertNever(type);
  }
}
