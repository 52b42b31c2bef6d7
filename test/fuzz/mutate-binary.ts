// Mutations of component binaries: of their tree (numbers, names, counted items, sections), which mostly gives something that can be
// decoded, and of their bytes. Bounds: a mutated binary has at most `LARGEST` bytes.

import { encodeTree, type Piece, treeOf } from "./binary-tree.ts";
import type { Random } from "./random.ts";

const LARGEST = 400_000;

export interface Seeded {
  readonly name: string;
  readonly bytes: Uint8Array;
}

type Vec = Extract<Piece, { kind: "vec" }>;

interface Spots {
  readonly numbers: Extract<Piece, { kind: "number" }>[];
  readonly names: Extract<Piece, { kind: "name" }>[];
  readonly bytes: Extract<Piece, { kind: "bytes" }>[];
  readonly vecs: Vec[];
  /** Lists of pieces in which sections stand: an id byte, then a sized part. */
  readonly sequences: Piece[][];
}

const trees = new WeakMap<Uint8Array, readonly Piece[]>();

function freshTree(seeded: Seeded): Piece[] {
  let tree = trees.get(seeded.bytes);
  if (tree === undefined) trees.set(seeded.bytes, (tree = treeOf(seeded.bytes)));
  return structuredClone(tree) as Piece[];
}

/** A binary of the corpus after a few mutations; parts of `other` may find their way into it. */
export function mutate(random: Random, one: Seeded, other: Seeded): Uint8Array {
  let bytes = one.bytes;
  if (random.chance(0.85)) {
    const tree = freshTree(one);
    const spots = spotsOf(tree);
    const donor = random.chance(0.3) ? spotsOf(freshTree(other)) : spots;
    for (let i = 0; i <= random.below(4); i++) mutateTree(random, spots, donor);
    const encoded = encodeTree(tree);
    if (encoded.length <= LARGEST) bytes = encoded;
  }
  if (random.chance(0.2)) bytes = mutateBytes(random, bytes);
  return bytes;
}

function spotsOf(tree: Piece[]): Spots {
  const spots: Spots = { numbers: [], names: [], bytes: [], vecs: [], sequences: [tree] };
  const visit = (pieces: Piece[]): void => {
    for (const piece of pieces) {
      switch (piece.kind) {
        case "number":
          spots.numbers.push(piece);
          break;
        case "name":
          spots.names.push(piece);
          break;
        case "bytes":
          if (piece.bytes.length > 0) spots.bytes.push(piece);
          break;
        case "vec":
          spots.vecs.push(piece);
          piece.items.forEach(visit);
          break;
        case "sized":
          if (piece.pieces.some((inner) => inner.kind === "sized")) spots.sequences.push(piece.pieces);
          visit(piece.pieces);
      }
    }
  };
  visit(tree);
  return spots;
}

function mutateTree(random: Random, spots: Spots, donor: Spots): void {
  const kind = random.below(16);
  if (kind < 6) return changeNumber(random, spots.numbers);
  if (kind < 8) return changeName(random, spots.names, donor.names);
  if (kind < 11) return changeItems(random, spots.vecs, donor.vecs);
  if (kind < 13) return changeSections(random, spots.sequences, donor.sequences);
  return changeByte(random, spots.bytes);
}

function changeNumber(random: Random, numbers: Spots["numbers"]): void {
  if (numbers.length === 0) return;
  const number = random.pick(numbers);
  const alike = numbers.filter(({ what }) => what === number.what);
  number.value = random.pick([
    random.pick(alike).value,
    random.pick(alike).value,
    number.value + 1,
    Math.max(0, number.value - 1),
    random.below(8),
    random.below(300),
    random.pick([0, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 2 ** 28, 2 ** 48]),
  ]);
}

const ODD_NAMES = [
  "", "a", "constructor", "__proto__", "[method]a.b", "[constructor]a", "[static]a.b", "a:b/c@1.0.0", "wasi:io/streams@0.2.0", "A-B", "a--b", "then",
  "toString", "x".repeat(5000), "unlocked-dep=<a:b>", "\u{1f600}", "a\u0000b", "url=<https://x>", "integrity=<sha256-x>", "[async]a", "prototype",
]; // prettier-ignore

function changeName(random: Random, names: Spots["names"], donor: Spots["names"]): void {
  if (names.length === 0) return;
  const name = random.pick(names);
  const bytes = Uint8Array.from(name.bytes);
  switch (random.below(4)) {
    case 0:
      name.bytes = new TextEncoder().encode(random.pick(ODD_NAMES));
      return;
    case 1:
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.bits() & 0xff;
      name.bytes = bytes;
      return;
    default:
      name.bytes = random.pick(random.chance(0.7) || donor.length === 0 ? names : donor).bytes;
  }
}

function changeItems(random: Random, vecs: readonly Vec[], donor: readonly Vec[]): void {
  if (vecs.length === 0) return;
  const { what, items } = random.pick(vecs);
  const at = random.below(items.length);
  switch (random.below(6)) {
    case 0:
      items.splice(at, 1);
      return;
    case 1:
      items.splice(at, 0, ...structuredClone(items.slice(at, at + 1)));
      return;
    case 2:
      items.splice(at, 0, ...items.splice(random.below(items.length), 1));
      return;
    case 3:
      items.length = at;
      return;
    case 4: {
      const [item] = structuredClone(items.slice(at, at + 1));
      if (item !== undefined) for (let i = random.pick([2, 20, 300]); i > 0; i--) items.splice(at, 0, structuredClone(item));
      return;
    }
    default: {
      const alike = donor.filter((vec) => vec.what === what && vec.items.length > 0);
      if (alike.length > 0) items.splice(at, 0, structuredClone(random.pick(random.pick(alike).items)));
    }
  }
}

/** Where the pairs of an id and a sized part start. */
function sections(pieces: readonly Piece[]): number[] {
  return pieces.flatMap((piece, i) => (piece.kind === "sized" && i > 0 && pieces[i - 1]?.kind === "bytes" ? [i - 1] : []));
}

function changeSections(random: Random, sequences: readonly Piece[][], donor: readonly Piece[][]): void {
  const pieces = random.pick(sequences);
  const starts = sections(pieces);
  if (starts.length === 0) return;
  const at = random.pick(starts);
  switch (random.below(4)) {
    case 0:
      pieces.splice(at, 2);
      return;
    case 1:
      pieces.splice(random.pick(starts), 0, ...structuredClone(pieces.slice(at, at + 2)));
      return;
    case 2: {
      const moved = pieces.splice(at, 2);
      const left = sections(pieces);
      pieces.splice(left.length === 0 ? pieces.length : random.pick(left), 0, ...moved);
      return;
    }
    default: {
      const from = random.pick(donor);
      const others = sections(from);
      if (others.length === 0) return;
      const start = random.pick(others);
      pieces.splice(at, 0, ...structuredClone(from.slice(start, start + 2)));
    }
  }
}

const CODES = [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x40, 0x41, 0x42, 0x43, 0x0d, 0x10, 0x11, 0x1f];

function changeByte(random: Random, all: Spots["bytes"]): void {
  if (all.length === 0) return;
  const piece = random.pick(all);
  const at = random.below(piece.bytes.length);
  const before = piece.bytes[at] ?? 0;
  piece.bytes[at] = random.pick([
    random.bits() & 0xff,
    before ^ (1 << random.below(8)),
    before + 1,
    before - 1,
    random.pick(CODES),
    // Value types, then small type indices.
    0x62 + random.below(0x1e),
    random.below(24),
  ]);
}

function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let out = [...bytes];
  for (let i = 0; i <= random.below(3); i++) {
    const at = random.below(out.length + 1);
    switch (random.below(6)) {
      case 0:
        out[at] = random.bits() & 0xff;
        break;
      case 1:
        out.splice(at, 1 + random.below(4));
        break;
      case 2:
        out.splice(at, 0, ...random.bytes(1 + random.below(4)));
        break;
      case 3:
        out = out.slice(0, at);
        break;
      case 4:
        out.splice(at, 0, ...out.slice(at, at + random.below(64)));
        break;
      default:
        out.splice(at, 5, 0xff, 0xff, 0xff, 0xff, random.pick([0x0f, 0x7f, 0x80]));
    }
  }
  return Uint8Array.from(out);
}
