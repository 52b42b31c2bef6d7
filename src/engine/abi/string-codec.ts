// The `string` type in both domains: JS strings for the host, a place in memory on the way to another guest.

import type { ValType } from "../../wit/types.ts";
import type { Codec, CodecMaker } from "./codec.ts";
import { type AbiContext, loadPointer, pointerFrom, pointerTo, storePointer } from "./context.ts";
import { layoutOf } from "./layout.ts";
import { type GuestString, liftString, locateString, lowerString } from "./strings.ts";
import { transcodeString } from "./transcode.ts";

interface TravellingString {
  readonly source: GuestString;
  readonly fromLatin1OrUtf16: boolean;
}

export function stringCodec(type: ValType, maker: CodecMaker): Codec {
  const { pointer } = maker;
  const lift = maker.domain === "host" ? liftString : locateTravelling;
  const lower = maker.domain === "host" ? lowerString : lowerTravelling;
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

function locateTravelling(cx: AbiContext, at: number, tagged: number): TravellingString {
  return { source: locateString(cx, at, tagged), fromLatin1OrUtf16: cx.encoding === "latin1+utf16" };
}

function lowerTravelling(cx: AbiContext, value: unknown): void {
  const { source, fromLatin1OrUtf16 } = value as TravellingString;
  transcodeString(cx, source, fromLatin1OrUtf16);
}
