import assert from "node:assert/strict";
import { test } from "node:test";
import { CHUNKED, chunkOf, isChunked, isIterable, takesStream } from "./streams.ts";
import type { ValType } from "./types.ts";

const U8: ValType = { kind: "u8" };
const LIST: ValType = { kind: "list", element: U8 };

test("typed arrays and arrays of numbers are chunks, everything else is one element", () => {
  assert.deepEqual(chunkOf(U8, Uint8Array.of(1, 2), false), Uint8Array.of(1, 2));
  assert.deepEqual(chunkOf(U8, [1, 2], false), [1, 2]);
  assert.deepEqual(chunkOf(U8, 1, false), [1]);
  assert.deepEqual(chunkOf({ kind: "string" }, "ab", false), ["ab"]);
  assert.deepEqual(chunkOf(LIST, [1, 2], false), [[1, 2]]);
  assert.deepEqual(chunkOf(LIST, Uint8Array.of(1), false), [Uint8Array.of(1)]);
});

test("in a stream that is marked every array is a chunk", () => {
  assert.deepEqual(chunkOf(LIST, [[1], [2]], true), [[1], [2]]);
  assert.deepEqual(chunkOf({ kind: "string" }, ["a"], true), ["a"]);
  assert(isChunked({ [CHUNKED]: true }));
  assert(!isChunked([]) && !isChunked(null) && !isChunked("text"));
});

test("a stream is an iterable, and no text", () => {
  assert(isIterable([]) && isIterable(new Uint8Array()) && isIterable((async function* () {})()));
  assert(!isIterable("text") && !isIterable(undefined) && !isIterable({}));
});

test("ports of streams may be optional", () => {
  assert(takesStream({ kind: "stream", element: U8 }));
  assert(takesStream({ kind: "option", type: { kind: "stream", element: U8 } }));
  assert(!takesStream({ kind: "list", element: { kind: "stream", element: U8 } }));
});
