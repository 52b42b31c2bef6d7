// Random types and values through lifting and lowering, held against the oracle: the same core values, bytes, calls of `realloc`
// and traps, from the host to a guest, from there to the host and to another guest, with and without corrupted memory.

import { isDeepStrictEqual } from "node:util";
import fc, { type Arbitrary } from "fast-check";
import { layoutOf } from "../../src/engine/abi/layout.ts";
import { resultCodec, valuesCodec } from "../../src/engine/abi/signature.ts";
import { failureOf, isTrap } from "../../src/engine/trap.ts";
import { arbitraryType, arbitraryValue } from "../../src/wit/arbitrary.ts";
import { printTypeWhole } from "../../src/wit/type-text.ts";
import type { FuncType, ValType } from "../../src/wit/types.ts";
import { alignmentOf, alignUp, type Core, flatten, sizeOf } from "./oracle-layout.ts";
import { type Flat, floatFrom, liftValues, lowerValues, type Plain, reader } from "./oracle.ts";
import { OracleTrap } from "./oracle-side.ts";
import { forHost, plainOf, samePlain } from "./plain.ts";
import {
  difference,
  type EngineSide,
  engineSide,
  type Move,
  MOVES,
  type OracleSide,
  oracleSide,
  type SideSettings,
  TooMuch,
} from "./sides.ts";
import { Finding, type Report, type RunCase, type Target } from "./target.ts";

interface Corruption {
  /** How far into what was allocated. */
  readonly at: number;
  readonly width: 1 | 2 | 4 | 8;
  readonly value: bigint;
}

interface Case {
  readonly types: readonly ValType[];
  readonly values: readonly unknown[];
  readonly sender: SideSettings;
  readonly receiver: SideSettings;
  readonly most: number;
  readonly corruptions: readonly Corruption[];
  /** Core values that are replaced. */
  readonly flats: readonly (readonly [index: number, bits: bigint])[];
}

const PER_SEED = 12;

export const values: Target = {
  prepare: () => runValues,
};

const runValues: RunCase = (seed, report) => {
  report.stage("check");
  const property = fc.property(arbitraryCase, (one) => check(one, report));
  const result = fc.check(property, { seed, numRuns: PER_SEED, endOnFailure: false });
  if (!result.failed) return;
  const error: unknown = result.errorInstance;
  if (error instanceof Finding) throw error;
  throw new Finding(`${show(result.counterexample?.[0])}\n${String(error)}`, undefined, error);
};

function enumOf(count: number): ValType {
  return { kind: "enum", labels: Array.from({ length: count }, (_, i) => `l${i}`) };
}

const types: Arbitrary<ValType> = fc.oneof(
  arbitraryType({ depth: 1 }),
  arbitraryType({ depth: 2 }),
  arbitraryType({ depth: 3 }),
  fc.constantFrom<ValType>(
    { kind: "string" },
    { kind: "list", element: { kind: "string" } },
    { kind: "option", type: { kind: "string" } },
  ),
  fc.oneof(fc.constantFrom(1, 2, 255, 256, 257), fc.integer({ min: 1, max: 600 })).map(enumOf),
  fc
    .integer({ min: 1, max: 32 })
    .map((count): ValType => ({ kind: "flags", labels: Array.from({ length: count }, (_, i) => `f${i}`) })),
);

const move: Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<Move>("move", "stay", "grow", "end") },
  { weight: 1, arbitrary: fc.constantFrom(...MOVES) },
);

const side: Arbitrary<SideSettings> = fc.record({
  encoding: fc.constantFrom("utf8", "utf16", "latin1+utf16"),
  pointer: fc.constantFrom(4, 4, 8),
  fill: fc.nat({ max: 15 }),
  moves: fc.array(move, { maxLength: 8 }),
});

const odd: Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: 0n, max: 16n }),
  fc.bigInt({ min: 65520n, max: 65552n }),
  fc.bigInt({ min: 0n, max: 65536n }),
  fc.constantFrom(2n ** 31n, 2n ** 31n + 3n, 2n ** 32n - 1n, 2n ** 63n, 2n ** 63n + 2n, 2n ** 64n - 1n, 2n ** 28n, 0xd800n, 0x110000n, 2n ** 52n, 2n ** 53n + 1n, 0x7fc00001n, 0x7ff8000000000001n), // prettier-ignore
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

const corruption: Arbitrary<Corruption> = fc.record({ at: fc.nat({ max: 255 }), width: fc.constantFrom(1, 2, 4, 8), value: odd });

const arbitraryCase: Arbitrary<Case> = fc.array(types, { minLength: 1, maxLength: 4 }).chain((some) =>
  fc.record({
    types: fc.constant(some),
    values: fc.tuple(...some.map(arbitraryValue)),
    sender: side,
    receiver: side,
    most: fc.constantFrom(16, 16, 4, 0),
    corruptions: fc.oneof(fc.constant([]), fc.array(corruption, { maxLength: 4 })),
    flats: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat({ max: 15 }), odd), { maxLength: 3 }) },
    ),
  }),
);

function check(one: Case, report: Report): void {
  try {
    one.types.forEach((type) => checkLayout(type, one.sender.pointer));
    checkParams(one, report);
    checkResult(one, report);
  } catch (error) {
    if (error instanceof TooMuch) return report.count("too much");
    throw error;
  }
}

function checkLayout(type: ValType, pointer: 4 | 8): void {
  const layout = layoutOf(type, pointer);
  same("size", layout.size, sizeOf(type, pointer));
  same("alignment", layout.align, alignmentOf(type, pointer));
  const flat = flatten(type, pointer);
  same("flat types", layout.flat, flat.length > 16 ? undefined : flat);
}

function checkParams(one: Case, report: Report): void {
  const { types, sender, receiver, most } = one;
  const hostOut = valuesCodec(types, "host", sender.pointer, most);
  const [engine, oracle] = [engineSide(sender), oracleSide(sender)];
  const plain = types.map((type, i) => plainOf(type, one.values[i], sender.encoding));
  const lowered = both(
    "lowering from the host",
    () => {
      const flat = new Array<unknown>(hostOut.flatCount);
      hostOut.lower(engine.cx, one.values, flat);
      return flat;
    },
    () => lowerValues(oracle, most, plain, types),
  );
  if (lowered === undefined) return report.count("lower: trap");
  report.count("lower: value");
  sameFlats("lowering from the host", hostOut.core, lowered.engine, lowered.oracle);
  sameSides("lowering from the host", engine, oracle);

  corrupt(one, engine, oracle);
  const flats = corruptFlats(one, hostOut.core, lowered.oracle);
  const core = flats.map(coreOf);
  sameLift(
    "lifting to the host",
    types,
    () => hostOut.lift(starting(engine), core),
    () => liftValues(oracle, most, reader(flats), types),
    report,
  );

  const guestOut = valuesCodec(types, "guest", sender.pointer, most);
  const guestIn = valuesCodec(types, "guest", receiver.pointer, 16);
  const [into, intoOracle] = [engineSide(receiver), oracleSide(receiver)];
  const passed = both(
    "passing to another guest",
    () => {
      const flat = new Array<unknown>(guestIn.flatCount);
      guestIn.lower(into.cx, guestOut.lift(starting(engine), core), flat);
      return flat;
    },
    () => lowerValues(intoOracle, 16, liftValues(oracle, most, reader(flats), types), types),
  );
  if (passed === undefined) return report.count("pass: trap");
  report.count("pass: value");
  sameFlats("passing to another guest", guestIn.core, passed.engine, passed.oracle);
  sameSides("passing to another guest", into, intoOracle);
}

/** One value as a result: answered by a callee, and put where a caller wants it. */
function checkResult(one: Case, report: Report): void {
  const [type] = one.types;
  if (type === undefined) return;
  const { sender, receiver } = one;
  const func: FuncType = { kind: "func", async: false, params: [], result: type };
  const [engine, oracle] = [engineSide(sender), oracleSide(sender)];
  const place = alignUp(1024, alignmentOf(type, sender.pointer)) + (one.flats[0]?.[0] === 3 ? 1 : 0);
  const plain = plainOf(type, one.values[0], sender.encoding);
  const host = resultCodec(func, "host", sender.pointer);
  const placed = both(
    "lowering a result from the host",
    () => [host.lower(engine.cx, one.values[0], word(place, sender.pointer))],
    () => lowerValues(oracle, 1, [plain], [type], BigInt(place)),
  );
  if (placed === undefined) return;
  if (!host.inMemory) sameFlats("lowering a result from the host", host.core, placed.engine, placed.oracle);
  sameSides("lowering a result from the host", engine, oracle);

  corrupt(one, engine, oracle);
  const answer: Flat[] = host.inMemory
    ? [{ core: sender.pointer === 4 ? "i32" : "i64", bits: BigInt(place) }]
    : [...placed.oracle];
  const flats = corruptFlats(one, host.core, answer);
  const core = flats.map(coreOf);
  sameLift(
    "lifting a result to the host",
    [type],
    () => [host.lift(starting(engine), core[0])],
    () => liftValues(oracle, 1, reader(flats), [type]),
    report,
  );

  const [out, into] = [resultCodec(func, "guest", sender.pointer), resultCodec(func, "guest", receiver.pointer)];
  const [to, toOracle] = [engineSide(receiver), oracleSide(receiver)];
  const target = alignUp(512, alignmentOf(type, receiver.pointer));
  const passed = both(
    "passing a result to another guest",
    () => [into.lower(to.cx, out.lift(starting(engine), core[0]), word(target, receiver.pointer))],
    () => lowerValues(toOracle, 1, liftValues(oracle, 1, reader(flats), [type]), [type], BigInt(target)),
  );
  if (passed === undefined) return;
  if (!into.inMemory) sameFlats("passing a result to another guest", into.core, passed.engine, passed.oracle);
  sameSides("passing a result to another guest", to, toOracle);
}

function starting(side: EngineSide): EngineSide["cx"] {
  side.cx.startLifting();
  return side.cx;
}

function word(at: number, pointer: 4 | 8): unknown {
  return pointer === 4 ? at : BigInt(at);
}

/** Runs both; undefined where both trap. One that traps alone, or anything else that is thrown, is a mistake. */
function both<E, O>(what: string, engine: () => E, oracle: () => O): { readonly engine: E; readonly oracle: O } | undefined {
  const expected = outcome(oracle, (error) => error instanceof OracleTrap);
  const actual = outcome(engine, isTrap);
  if (expected.trap !== undefined && actual.trap !== undefined) return undefined;
  if (expected.trap !== undefined)
    throw new Error(`${what}: the engine did not trap, the specification does: ${expected.trap.message}`);
  if (actual.trap !== undefined)
    throw new Error(`${what}: the engine trapped, the specification does not: ${String(failureOf(actual.trap))}`);
  return { engine: actual.value, oracle: expected.value };
}

type Outcome<T> = { readonly trap: undefined; readonly value: T } | { readonly trap: Error };

function outcome<T>(run: () => T, isExpected: (error: unknown) => boolean): Outcome<T> {
  try {
    return { trap: undefined, value: run() };
  } catch (error) {
    if (isExpected(error) && error instanceof Error) return { trap: error };
    throw error;
  }
}

function sameLift(
  what: string,
  types: readonly ValType[],
  engine: () => readonly unknown[],
  oracle: () => readonly Plain[],
  report: Report,
): void {
  const lifted = both(what, engine, oracle);
  report.count(lifted === undefined ? "lift: trap" : "lift: value");
  types.forEach((type, i) => {
    if (lifted === undefined) return;
    const actual = plainOf(type, lifted.engine[i], "utf8");
    const expected = forHost(type, lifted.oracle[i] as Plain);
    if (!samePlain(actual, expected)) throw new Error(`${what}: value ${i} is ${show(actual)}, not ${show(expected)}`);
  });
}

function sameSides(what: string, engine: EngineSide, oracle: OracleSide): void {
  same(`${what}: calls of realloc`, engine.allocator.calls, oracle.allocator.calls);
  const differs = difference(engine, oracle);
  if (differs !== undefined) throw new Error(`${what}: ${differs}`);
}

function sameFlats(what: string, core: readonly Core[], engine: readonly unknown[], oracle: readonly Flat[]): void {
  same(
    `${what}: core types`,
    core,
    oracle.map((flat) => flat.core),
  );
  oracle.forEach((flat, i) => {
    const actual = flatOf(flat.core, engine[i]);
    const equal =
      "float" in flat
        ? "float" in actual && Object.is(actual.float, flat.float)
        : "bits" in actual && sameBits(actual.bits, flat);
    if (!equal) throw new Error(`${what}: core value ${i} is ${show(actual)}, not ${show(flat)}`);
  });
}

function sameBits(actual: bigint, expected: Extract<Flat, { bits: bigint }>): boolean {
  if (expected.nan === undefined) return actual === expected.bits;
  if (expected.nan === "f32" && actual >= 2n ** 32n) return false;
  return Number.isNaN(floatFrom(actual, expected.nan === "f32" ? 4 : 8));
}

/** What the engine has as a core value; anything that V8 would convert on the way is a mistake too. */
function flatOf(core: Core, value: unknown): Flat {
  if (core === "i64" && typeof value === "bigint") return { core, bits: BigInt.asUintN(64, value) };
  if (core === "i32" && typeof value === "number" && (value >>> 0 === value || (value | 0) === value))
    return { core, bits: BigInt(value >>> 0) };
  if ((core === "f32" || core === "f64") && typeof value === "number") return { core, float: value };
  throw new Error(`${show(value)} is no ${core}`);
}

/** As a guest would give it. */
function coreOf(flat: Flat): unknown {
  if ("float" in flat) return flat.float;
  return flat.core === "i32" ? Number(BigInt.asIntN(32, flat.bits)) : BigInt.asIntN(64, flat.bits);
}

function corruptFlats(one: Case, core: readonly Core[], flats: readonly Flat[]): Flat[] {
  const changed = [...flats];
  for (const [index, bits] of one.flats) {
    const at = index % Math.max(1, changed.length);
    const type = core[at];
    if (type === "i32") changed[at] = { core: type, bits: BigInt.asUintN(32, bits) };
    if (type === "i64") changed[at] = { core: type, bits };
    if (type === "f32" || type === "f64") changed[at] = { core: type, float: floatFrom(bits, type === "f32" ? 4 : 8) };
  }
  return changed;
}

function corrupt({ corruptions }: Case, engine: EngineSide, oracle: OracleSide): void {
  // From here on both must have the same bytes, whatever stood where nobody looks and as whichever NaN.
  oracle.memory().set(engine.memory.bytes);
  for (const { at, width, value } of corruptions) {
    const place = placeIn(oracle, at);
    for (const bytes of [engine.memory.bytes, oracle.memory()]) {
      for (let i = 0; i < width; i++) if (place + i < bytes.length) bytes[place + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
  }
}

function placeIn({ allocator }: OracleSide, at: number): number {
  let left = at & ~3;
  for (const [start, size] of allocator.live) {
    if (left < size) return start + left;
    left -= size;
  }
  return 1024 + (at % 64);
}

function same(what: string, actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) throw new Error(`${what}: ${show(actual)}, not ${show(expected)}`);
}

function show(value: unknown): string {
  const shown = (key: string, inner: unknown): unknown => {
    if (typeof inner === "bigint") return `${inner}n`;
    if (key === "types") return (inner as readonly ValType[]).map((type) => printTypeWhole(type));
    if (inner instanceof Map) return [...inner];
    if (ArrayBuffer.isView(inner)) return [...(inner as unknown as Iterable<unknown>)].map(String);
    return typeof inner === "number" && !Number.isFinite(inner) ? String(inner) : inner;
  };
  return JSON.stringify(value, shown) ?? "nothing";
}
