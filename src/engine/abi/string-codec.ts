// The `string` type in both domains: JS strings for the host, a place in memory on the way to another guest.

import type { ValType } from "../../wit/types.ts";
import type { Codec, CodecMaker } from "./codec.ts";
import type { AbiContext } from "./context.ts";
import { pointerPairCodec } from "./pointer-pair.ts";
import { type GuestString, liftString, locateString, lowerString } from "./strings.ts";
import { transcodeString } from "./transcode.ts";

interface TravellingString {
  readonly source: GuestString;
  readonly fromLatin1OrUtf16: boolean;
}

export function stringCodec(type: ValType, { domain, pointer }: CodecMaker): Codec {
  return domain === "host"
    ? pointerPairCodec(type, pointer, liftString, lowerString)
    : pointerPairCodec(type, pointer, locateTravelling, lowerTravelling);
}

function locateTravelling(cx: AbiContext, at: number, tagged: number): TravellingString {
  return { source: locateString(cx, at, tagged), fromLatin1OrUtf16: cx.encoding === "latin1+utf16" };
}

function lowerTravelling(cx: AbiContext, value: unknown): void {
  const { source, fromLatin1OrUtf16 } = value as TravellingString;
  transcodeString(cx, source, fromLatin1OrUtf16);
}
