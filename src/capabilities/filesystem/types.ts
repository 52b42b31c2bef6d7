// Values of `wasi:filesystem` in the conventions of 0.2 and 0.3: kinds of files, times, metadata and its hash.

import { datetimeOf, type Datetime } from "../clocks/interfaces.ts";
import { misuse } from "../guest.ts";
import { FileError, type FileStat, type NewTime } from "./filesystem.ts";
import type { DescriptorFlags, OpenDescriptor } from "./open-descriptor.ts";

const NS_PER_SECOND = 1_000_000_000n;
/** What a system keeps in its own times; further than year 200 000. */
const FURTHEST_SECOND = 2n ** 43n;

/** `new-timestamp` of both. */
export type NewTimestamp =
  | { readonly tag: "no-change" }
  | { readonly tag: "now" }
  | { readonly tag: "timestamp"; readonly val: Datetime };

export function newTimeOf(time: NewTimestamp): NewTime {
  if (time.tag !== "timestamp") return time.tag === "now" ? "now" : "keep";
  const { seconds, nanoseconds } = time.val;
  if (nanoseconds >= NS_PER_SECOND || seconds > FURTHEST_SECOND || seconds < -FURTHEST_SECOND) throw new FileError("invalid");
  return seconds * NS_PER_SECOND + BigInt(nanoseconds);
}

/** `descriptor-type` of 0.3: a variant, whose last case stands for everything else. */
export function typeOf03(type: FileStat["type"]): { readonly tag: string; readonly val?: undefined } {
  return type === "unknown" ? { tag: "other", val: undefined } : { tag: type };
}

interface StatValue<Type> {
  readonly type: Type;
  readonly linkCount: bigint;
  readonly size: bigint;
  readonly dataAccessTimestamp: Datetime | undefined;
  readonly dataModificationTimestamp: Datetime | undefined;
  readonly statusChangeTimestamp: Datetime | undefined;
}

/** `descriptor-stat` of 0.2, which has no times before 1970. */
export function statOf02(stat: FileStat): StatValue<string> {
  return statValue(stat, stat.type, (ns) => (ns < 0n ? undefined : datetimeOf(ns)));
}

/** `descriptor-stat` of 0.3. */
export function statOf03(stat: FileStat): StatValue<{ readonly tag: string }> {
  return statValue(stat, typeOf03(stat.type), datetimeOf);
}

function statValue<Type>(stat: FileStat, type: Type, time: (ns: bigint) => Datetime | undefined): StatValue<Type> {
  return {
    type,
    linkCount: stat.linkCount,
    size: stat.size,
    dataAccessTimestamp: time(stat.accessNs),
    dataModificationTimestamp: time(stat.modificationNs),
    statusChangeTimestamp: time(stat.statusChangeNs),
  };
}

/** Of `metadata-hash`: the same for the same object, as long as nothing of it was changed. */
export function metadataHashOf(stat: FileStat): { readonly lower: bigint; readonly upper: bigint } {
  const text = [stat.identity, stat.type, stat.size, stat.linkCount, stat.modificationNs, stat.statusChangeNs].join(" ");
  return { lower: hash(text, 0x811c9dc5, 0x9747b28c), upper: hash(text, 0x1b873593, 0x85ebca6b) };
}

/** Two rounds of FNV-1a side by side, finished as in MurmurHash3. */
function hash(text: string, seedLow: number, seedHigh: number): bigint {
  let low = seedLow;
  let high = seedHigh;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit ^ (low >>> 16), 0x5bd1e995);
  }
  return (BigInt(finish(high ^ low) >>> 0) << 32n) | BigInt(finish(low) >>> 0);
}

function finish(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** The flags of a granted folder. */
export function rootFlags(isReadonly: boolean): DescriptorFlags {
  return {
    read: true,
    write: false,
    fileIntegritySync: false,
    dataIntegritySync: false,
    requestedWriteSync: false,
    mutateDirectory: !isReadonly,
  };
}

/** Flags as a guest gives them, whole. */
export function flagsOf(flags: Partial<DescriptorFlags>): DescriptorFlags {
  const is = (name: keyof DescriptorFlags): boolean => flags[name] === true;
  return {
    read: is("read"),
    write: is("write"),
    fileIntegritySync: is("fileIntegritySync"),
    dataIntegritySync: is("dataIntegritySync"),
    requestedWriteSync: is("requestedWriteSync"),
    mutateDirectory: is("mutateDirectory"),
  };
}

/** The descriptor behind a guest's handle; other values, which a hostile import can declare, stop the guest. */
export function openOf(known: WeakMap<object, OpenDescriptor>, descriptor: object): OpenDescriptor {
  const open = known.get(descriptor);
  if (open === undefined) throw misuse("a descriptor has to be a descriptor");
  return open;
}
