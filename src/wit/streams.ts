// Streams as JS values, the same wherever one is handed on: an iterable, async or not, that is read once. What it gives at a time is a
// typed array of numbers, an array of numbers, or one element; an iterable that is marked with `CHUNKED` gives arrays or typed arrays of
// elements only, so that an element that is a list itself cannot be mistaken for a chunk.

import type { ValType } from "./types.ts";

/** The property that marks iterables that give chunks. */
export const CHUNKED: unique symbol = Symbol("chunked");

/** Elements of a stream; nobody changes them. */
export type Chunk = ArrayLike<unknown>;

export type Chunks = AsyncIterable<Chunk> & { readonly [CHUNKED]: true };

export function isChunked(value: unknown): value is Chunks {
  return typeof value === "object" && value !== null && CHUNKED in value;
}

/** Something that can be a stream: an iterable that is no text. */
export function isIterable(value: unknown): value is AsyncIterable<unknown> | Iterable<unknown> {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

const NUMBERS = new Set(["u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"]);

/** The elements among what a stream of `element` gave at a time; `chunked`: the stream is marked. */
export function chunkOf(element: ValType | undefined, item: unknown, chunked: boolean): Chunk {
  if (!chunked && element !== undefined && !NUMBERS.has(element.kind)) return [item];
  if (ArrayBuffer.isView(item) && !(item instanceof DataView)) return item as unknown as Chunk;
  return Array.isArray(item) && (chunked || element !== undefined) ? item : [item];
}

/** Whether a type is `stream<T>`, or an option of one. */
export function takesStream(type: ValType): boolean {
  return type.kind === "stream" || (type.kind === "option" && type.type.kind === "stream");
}
