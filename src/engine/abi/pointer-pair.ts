// Values that are a pointer and a length: strings, lists, maps. Source: Canonical ABI, `load_string`, `load_list` and their kin.

import type { ValType } from "../../wit/types.ts";
import type { Codec } from "./codec.ts";
import { type AbiContext, loadPointer, pointerFrom, pointerTo, storePointer } from "./context.ts";
import { layoutOf, type PointerSize } from "./layout.ts";

/** `lower` leaves what it allocated in `cx.outPointer` and `cx.outLength`. */
export function pointerPairCodec(
  type: ValType,
  pointer: PointerSize,
  lift: (cx: AbiContext, at: number, length: number) => unknown,
  lower: (cx: AbiContext, value: unknown) => void,
): Codec {
  return {
    ...layoutOf(type, pointer),
    load: (cx, at) => lift(cx, loadPointer(cx, at), loadPointer(cx, at + pointer)),
    store(cx, at, value) {
      lower(cx, value);
      storePointer(cx, at, cx.outPointer);
      storePointer(cx, at + pointer, cx.outLength);
    },
    liftFlat: (cx, flat, index) => lift(cx, pointerFrom(flat[index]), pointerFrom(flat[index + 1])),
    lowerFlat(cx, value, flat, index) {
      lower(cx, value);
      flat[index] = pointerTo(cx.outPointer, pointer);
      flat[index + 1] = pointerTo(cx.outLength, pointer);
    },
  };
}
