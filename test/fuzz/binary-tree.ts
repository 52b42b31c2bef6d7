// A component binary as a tree of numbers, names, counted items and sized parts, so that any of them can be changed and the whole put
// together again with lengths and counts that are right. What is a number or a name is learnt by watching the decoder read.

import { StarlaneError } from "../../src/base/errors.ts";
import { ByteReader } from "../../src/component/binary.ts";
import { readCoreModule } from "../../src/component/core-module.ts";
import { decode } from "../../src/component/decode.ts";

/** `what` is what the decoder calls it: "type index", "section", "export name". */
export type Piece =
  | { readonly kind: "bytes"; readonly what: string; bytes: Uint8Array }
  | { readonly kind: "number"; readonly what: string; value: number }
  | { readonly kind: "name"; readonly what: string; bytes: Uint8Array }
  | { readonly kind: "sized"; readonly what: string; pieces: Piece[] }
  | { readonly kind: "vec"; readonly what: string; items: Piece[][] };

interface Span {
  readonly kind: "byte" | "number" | "name" | "sized" | "vec" | "item" | "module" | "root";
  readonly what: string;
  readonly start: number;
  end: number;
  readonly children: Span[];
  /** Of a part whose items are counted, but not read as one vector: where the count stands, and where each item starts. */
  count?: Span | undefined;
  readonly starts: number[];
}

/** The tree of a binary; what the decoder could not read is left as bytes. */
export function treeOf(bytes: Uint8Array): Piece[] {
  const root = watch(bytes, () => decode(bytes));
  return piecesOf(bytes, root);
}

function watch(bytes: Uint8Array, read: () => unknown): Span {
  const root: Span = { kind: "root", what: "file", start: 0, end: bytes.length, children: [], starts: [] };
  const unwatch = install(bytes, root);
  try {
    read();
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
  } finally {
    unwatch();
  }
  return root;
}

/** Puts itself between the decoder and its reader; only the reader of `bytes` is watched. */
function install(bytes: Uint8Array, root: Span): () => void {
  const { prototype } = ByteReader;
  const { byte, u32, u64, signed, name, vec, count, within, item, take } = prototype;
  const stack = [root];
  const top = (): Span => stack.at(-1) ?? root;
  const record = <T>(reader: ByteReader, kind: Span["kind"], what: string, run: () => T): T => {
    if (reader.bytes !== bytes) return run();
    const span: Span = { kind, what, start: reader.pos, end: reader.pos, children: [], starts: [] };
    top().children.push(span);
    stack.push(span);
    const result = run();
    span.end = reader.pos;
    stack.pop();
    return result;
  };
  prototype.byte = function (what) {
    return record(this, "byte", what, () => byte.call(this, what));
  };
  prototype.u32 = function (what) {
    return record(this, "number", what, () => u32.call(this, what));
  };
  prototype.u64 = function (what) {
    return record(this, "number", what, () => u64.call(this, what));
  };
  prototype.signed = function (bits, what) {
    return record(this, "byte", what, () => signed.call(this, bits, what));
  };
  prototype.name = function (what) {
    return record(this, "name", what, () => name.call(this, what));
  };
  prototype.take = function (length, what) {
    return record(this, what === "core module" ? "module" : "byte", what, () => take.call(this, length, what));
  };
  prototype.within = function <T>(length: number, what: string, read: (reader: ByteReader) => T): T {
    return record(this, "sized", what, () => within.call(this, length, what, read as (reader: ByteReader) => unknown) as T);
  };
  prototype.vec = function <T>(what: string, read: (reader: ByteReader) => T): T[] {
    const each = (reader: ByteReader): T => record(reader, "item", what, () => read(reader));
    return record(this, "vec", what, () => vec.call(this, what, each as (reader: ByteReader) => unknown) as T[]);
  };
  prototype.count = function (what) {
    const parent = top();
    const result = count.call(this, what);
    if (this.bytes === bytes && parent.kind === "sized") parent.count = parent.children.at(-1);
    return result;
  };
  prototype.item = function () {
    if (this.bytes === bytes && top().count !== undefined) top().starts.push(this.pos);
    return item.call(this);
  };
  return () => Object.assign(prototype, { byte, u32, u64, signed, name, vec, count, within, item, take });
}

function piecesOf(bytes: Uint8Array, span: Span): Piece[] {
  return span.count === undefined ? between(bytes, span.start, span.end, span.children) : countedPieces(bytes, span, span.count);
}

/** The spans between two places, and the bytes between the spans. */
function between(bytes: Uint8Array, start: number, end: number, spans: readonly Span[]): Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  for (const [i, span] of spans.entries()) {
    const next = spans[i + 1];
    // The length of what follows: it is written anew.
    if (span.kind === "number" && next?.kind === "sized" && next.start === span.end) {
      if (span.start > at) pieces.push(raw(bytes, at, span.start));
      at = span.end;
      continue;
    }
    if (span.start > at) pieces.push(raw(bytes, at, span.start));
    pieces.push(pieceOf(bytes, span));
    at = span.end;
  }
  if (end > at) pieces.push(raw(bytes, at, end));
  return pieces;
}

function raw(bytes: Uint8Array, start: number, end: number, what = "bytes"): Piece {
  return { kind: "bytes", what, bytes: bytes.slice(start, end) };
}

function pieceOf(bytes: Uint8Array, span: Span): Piece {
  const { what, start, end } = span;
  switch (span.kind) {
    case "number":
      return { kind: "number", what, value: Number(readUnsigned(bytes, start, end)) };
    case "name":
      return { kind: "name", what, bytes: bytes.slice(span.children[0]?.end ?? start, end) };
    case "sized":
      return { kind: "sized", what, pieces: piecesOf(bytes, span) };
    case "vec":
      return {
        kind: "vec",
        what,
        items: span.children.filter((child) => child.kind === "item").map((child) => piecesOf(bytes, child)),
      };
    case "module":
      return { kind: "sized", what: `${what} without length`, pieces: moduleOf(bytes.slice(start, end)) };
    default:
      return raw(bytes, start, end, what);
  }
}

function moduleOf(bytes: Uint8Array): Piece[] {
  const root = watch(bytes, () => readCoreModule(bytes));
  return piecesOf(bytes, root);
}

function countedPieces(bytes: Uint8Array, span: Span, count: Span): Piece[] {
  const ends = [...span.starts.slice(1), span.end];
  const items = span.starts.map((start, i) => {
    const end = ends[i] ?? span.end;
    return between(
      bytes,
      start,
      end,
      span.children.filter((child) => child !== count && child.start >= start && child.end <= end),
    );
  });
  return [{ kind: "vec", what: `${span.what} ${count.what}`, items }];
}

function readUnsigned(bytes: Uint8Array, start: number, end: number): bigint {
  let value = 0n;
  for (let i = end - 1; i >= start; i--) value = (value << 7n) | BigInt((bytes[i] ?? 0) & 0x7f);
  return value;
}

export function encodeTree(pieces: readonly Piece[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap(encodePiece));
}

function encodePiece(piece: Piece): number[] {
  switch (piece.kind) {
    case "bytes":
      return [...piece.bytes];
    case "number":
      return leb(piece.value);
    case "name":
      return [...leb(piece.bytes.length), ...piece.bytes];
    case "sized": {
      const content = piece.pieces.flatMap(encodePiece);
      return piece.what.endsWith("without length") ? content : [...leb(content.length), ...content];
    }
    case "vec":
      return [...leb(piece.items.length), ...piece.items.flatMap((item) => item.flatMap(encodePiece))];
  }
}

function leb(value: number): number[] {
  const out: number[] = [];
  let left = BigInt(value);
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    out.push(left > 0n ? low | 0x80 : low);
  } while (left > 0n);
  return out;
}
