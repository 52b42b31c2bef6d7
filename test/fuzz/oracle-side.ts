// One end of a call as the oracle sees it, and how it says that the specification traps.

import type { Pointer } from "./oracle-layout.ts";

export type Encoding = "utf8" | "utf16" | "latin1+utf16";

export class OracleTrap extends Error {
  override readonly name = "OracleTrap";
}

/** One end of a call. */
export interface Side {
  readonly encoding: Encoding;
  readonly pointer: Pointer;
  memory(): Uint8Array;
  realloc(old: number, oldSize: number, align: number, size: number): number;
  /** Counts bytes and elements that were loaded. */
  spend(amount: number): void;
  /** Where a NaN was stored: any NaN may stand there. */
  readonly nans: { readonly at: number; readonly bytes: 4 | 8 }[];
}
