// Room in the heap of V8. A process whose heap is full is ended by V8, and with it everybody it works for.

import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Kept free for what is not a guest's. */
const MOST_OF_LIMIT = 0.75;
/** Collecting stops everybody, and takes long where most is not garbage: a heap that is this full afterwards is left alone for a while. */
const CROWDED = 0.5;
const CROWDED_MS = 1000;

/** Whether the heap has room for so many more bytes; garbage is collected where that may make room. */
export function hasRoom(bytes: number): boolean {
  if (fits(bytes) || (collectGarbage() && fits(bytes))) return true;
  // Who is refused ends, and leaves garbage.
  leaveUntil = 0;
  return false;
}

function fits(bytes: number): boolean {
  return isBelow(MOST_OF_LIMIT, bytes);
}

function isBelow(share: number, bytes = 0): boolean {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used + bytes <= limit * share;
}

let collect: (() => void) | undefined;
let leaveUntil = 0;

function collectGarbage(): boolean {
  if (performance.now() < leaveUntil) return false;
  collect ??= collector();
  collect();
  if (!isBelow(CROWDED)) leaveUntil = performance.now() + CROWDED_MS;
  return true;
}

/** V8 shows it only to contexts that are made while the flag is set. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  const found: unknown = process.getBuiltinModule("node:vm").runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return typeof found === "function" ? () => void Reflect.apply(found, undefined, []) : () => undefined;
}
