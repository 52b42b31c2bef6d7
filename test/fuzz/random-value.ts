// Random JS values for random WIT types, handles, streams and futures among them; now and then one that does not fit.

import { camelCase, type FuncType, type ValType } from "../../src/wit/types.ts";
import type { Random } from "./random.ts";

/** A resource of the host. */
export class HostThing {
  [Symbol.dispose](): void {}
}

/** What earlier calls answered with: handles among it can be given back. */
export interface Hoard {
  readonly objects: unknown[];
}

const MISFITS: readonly unknown[] = [undefined, null, 0, -1, 1.5, NaN, 2 ** 53, 1n, -(2n ** 70n), "", "\ud800", [], {}, { tag: "x" }, Symbol.iterator, () => 1, new Map(), new Proxy({}, {}), Object.create(null)]; // prettier-ignore

const TEXTS = ["", "a", "straße", "Ā", "\u{1f600}", "\ufeffx", "x".repeat(300), "\u0000", "line\nline", "7"];

export function randomArguments(random: Random, type: FuncType, hoard: Hoard): unknown[] {
  const args = type.params.map((param) => randomValue(random, param.type, hoard));
  if (random.chance(0.03)) args.pop();
  if (random.chance(0.03)) args.push(1);
  return args;
}

// oxlint-disable-next-line complexity -- one case a kind
export function randomValue(random: Random, type: ValType, hoard: Hoard, depth = 0): unknown {
  if (random.chance(depth === 0 ? 0.02 : 0.004)) return random.pick(MISFITS);
  const inner = (part: ValType | undefined): unknown =>
    part === undefined ? undefined : randomValue(random, part, hoard, depth + 1);
  const count = (): number => (depth > 6 ? 0 : random.below(4));
  switch (type.kind) {
    case "bool":
      return random.chance(0.5);
    case "s8":
    case "u8":
    case "s16":
    case "u16":
    case "s32":
    case "u32":
      return randomInteger(random, type.kind.startsWith("s"), Number(type.kind.slice(1)));
    case "s64":
      return BigInt.asIntN(64, (BigInt(random.bits()) << 32n) | BigInt(random.bits()));
    case "u64":
      return random.chance(0.5) ? BigInt(random.below(9)) : (BigInt(random.bits()) << 32n) | BigInt(random.bits());
    case "f32":
    case "f64":
      return random.pick([0, -0, 1.5, NaN, Infinity, -Infinity, Math.fround(random.bits() / 7), 1e300]);
    case "char":
      return random.pick(["a", "ß", "\u{10ffff}", "\u0000", "€"]);
    case "string":
      return random.pick(TEXTS);
    case "enum":
      return random.pick(type.labels);
    case "flags":
      return Object.fromEntries(type.labels.map((label) => [camelCase(label), random.chance(0.5)]));
    case "record":
      return Object.fromEntries(type.fields.map((field) => [camelCase(field.name), inner(field.type)]));
    case "tuple":
      return type.types.map(inner);
    case "option":
      if (type.type.kind === "option") return random.chance(0.5) ? { tag: "none" } : { tag: "some", val: inner(type.type) };
      return random.chance(0.5) ? undefined : inner(type.type);
    case "variant": {
      const one = random.pick(type.cases);
      return { tag: one.name, val: inner(one.type) };
    }
    case "result":
      return random.chance(0.7) ? { tag: "ok", val: inner(type.ok) } : { tag: "err", val: inner(type.error) };
    case "list":
      return Array.from({ length: Math.min(type.length ?? count(), 10_000) }, () => inner(type.element));
    case "map":
      return new Map(Array.from({ length: count() }, () => [inner(type.key), inner(type.value)]));
    case "own":
    case "borrow":
      return random.chance(0.5) && hoard.objects.length > 0 ? random.pick(hoard.objects) : new HostThing();
    case "stream":
      return random.pick([
        Array.from({ length: count() }, () => inner(type.element)),
        generate(random, type.element, hoard),
        ...hoard.objects.slice(-2),
      ]);
    case "future":
      return random.pick([Promise.resolve(inner(type.element)), inner(type.element), ...hoard.objects.slice(-2)]);
    case "error-context":
      return random.pick([new Error("of the host"), "text", ...hoard.objects.slice(-2)]);
    default:
      return type;
  }
}

function randomInteger(random: Random, signed: boolean, width: number): number {
  const whole = random.chance(0.5) ? random.below(5) : random.bits();
  return Number(signed ? BigInt.asIntN(width, BigInt(whole)) : BigInt.asUintN(width, BigInt(whole)));
}

async function* generate(random: Random, element: ValType | undefined, hoard: Hoard): AsyncGenerator<unknown> {
  for (let i = random.below(4); i > 0; i--) {
    await Promise.resolve();
    yield element === undefined ? undefined : randomValue(random, element, hoard);
  }
}

/** Everything in a value that may be a handle, a stream or a future. */
export function keep(hoard: Hoard, value: unknown, depth = 0): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || depth > 3 || hoard.objects.length > 50) return;
  if (Object.getPrototypeOf(value) !== Object.prototype && !Array.isArray(value)) hoard.objects.push(value);
  for (const inner of Object.values(value).slice(0, 5)) keep(hoard, inner, depth + 1);
}
