// Whether a value of one type may go where another is expected, and how it is changed on the way: data first, compiled afterwards.
// The component model lets value types only be equal today (`Explainer.md`, type checking); Starlane adds: `T` to `option<T>`, integers
// to wider ones, records to records that need no more, enums, flags and variants to ones that have more, a fixed-length list to a list,
// and all of these inside lists, options, tuples, results and maps. Streams change only as a whole: `T` to `stream<T>`, `stream<T>` to `T`.

import { assertNever, StarlaneError } from "../base/errors.ts";
import { BIGINT_ARRAYS, isBigInteger, isNumberArrayKind, NUMBER_ARRAYS } from "./numeric.ts";
import { Relation, type Conversion, type FieldConversion, type Mismatch, type MissingField } from "./relation.ts";
import { property } from "./shape.ts";
import { camelCase, type ValType } from "./types.ts";
import { isRereadable } from "./value.ts";

export type { Conversion, Mismatch } from "./relation.ts";

/** How a value of `from` becomes one of `to`; undefined where it cannot. */
export function assignable(from: ValType, to: ValType): Conversion | undefined {
  const result = new Relation().port(from, to);
  return "mismatch" in result ? undefined : result.conversion;
}

/** Where and why `from` does not fit `to`; undefined where it does. */
export function explainMismatch(from: ValType, to: ValType): Mismatch | undefined {
  const result = new Relation().port(from, to);
  return "mismatch" in result ? result.mismatch : undefined;
}

/** The conversion changes, makes or takes apart a stream: whoever runs it does that element by element. */
export function needsStreams({ kind }: Conversion): boolean {
  return kind === "stream" || kind === "to-stream" || kind === "each";
}

type Convert = (value: unknown) => unknown;

/** What `convert` gives where nothing has to be done: compare with it to skip the call. */
export const identity: Convert = (value) => value;

/**
 * The function that changes a JS value by a conversion; `identity` where nothing changes. The value must be of the type that the
 * conversion is from; the result shares what did not change.
 * @throws StarlaneError `starlane/internal` for conversions that make or change streams: whoever runs them changes their elements
 */
export function convert(conversion: Conversion): Convert {
  return new Compiler().compile(conversion);
}

class Compiler {
  readonly #known = new Map<Conversion, Convert>();

  compile(conversion: Conversion): Convert {
    let known = this.#known.get(conversion);
    if (known === undefined) {
      known = this.#compile(conversion);
      this.#known.set(conversion, known);
    }
    return known;
  }

  #compile(conversion: Conversion): Convert {
    switch (conversion.kind) {
      case "same":
        return identity;
      case "widen":
        return conversion.big ? toBigInt : identity;
      case "some": {
        const payload = this.compile(conversion.payload);
        return conversion.nested ? (value) => ({ tag: "some", val: payload(value) }) : payload;
      }
      case "option": {
        const payload = this.compile(conversion.payload);
        if (payload === identity) return identity;
        if (!conversion.nested) return (value) => (value === undefined ? undefined : payload(value));
        return convertCases(new Map([["some", payload]]));
      }
      case "record":
        return this.#record(conversion.fields, conversion.missing);
      case "flags": {
        const unset = Object.fromEntries(conversion.missing.map((label) => [camelCase(label), false]));
        return (value) => ({ ...objectOf(value), ...unset });
      }
      case "tuple": {
        const items = conversion.items.map((item) => this.compile(item));
        if (items.every((item) => item === identity)) return identity;
        return (value) => items.map((item, i) => item(Reflect.get(objectOf(value), i)));
      }
      case "list":
        return convertList(this.compile(conversion.element), conversion.element, conversion.to);
      case "map": {
        const [key, item] = [this.compile(conversion.key), this.compile(conversion.value)];
        if (key === identity && item === identity) return identity;
        return (value) =>
          new Map(value instanceof Map ? Array.from(value, ([k, v]): [unknown, unknown] => [key(k), item(v)]) : []);
      }
      case "cases": {
        const cases = new Map(Array.from(conversion.cases, ([tag, payload]) => [tag, this.compile(payload)]));
        return [...cases.values()].every((payload) => payload === identity) ? identity : convertCases(cases);
      }
      case "stream":
      case "to-stream":
      case "each":
        throw new StarlaneError("starlane/internal", "a stream is converted element by element");
      default:
        return assertNever(conversion);
    }
  }

  #record(fields: readonly FieldConversion[], missing: readonly MissingField[]): Convert {
    const steps = fields.map(({ name, conversion }) => ({ key: camelCase(name), step: this.compile(conversion) }));
    const nones = missing.map(({ name, nested }) => ({ key: camelCase(name), nested }));
    return (value) => {
      const source = objectOf(value);
      const result: Record<string, unknown> = {};
      for (const { key, step } of steps) result[key] = step(property(source, key));
      for (const { key, nested } of nones) result[key] = nested ? { tag: "none" } : undefined;
      return result;
    };
  }
}

function toBigInt(value: unknown): bigint {
  return typeof value === "number" ? BigInt(value) : unfit(value);
}

function objectOf(value: unknown): object {
  return typeof value === "object" && value !== null ? value : unfit(value);
}

function unfit(value: unknown): never {
  throw new StarlaneError("wit/bad-value", `a ${typeof value} reached a conversion of another type`);
}

function convertCases(cases: ReadonlyMap<string, Convert>): Convert {
  return (value) => {
    const source = objectOf(value);
    const tag = property(source, "tag");
    const payload = typeof tag === "string" ? cases.get(tag) : undefined;
    return payload === undefined ? value : { tag, val: payload(property(source, "val")) };
  };
}

function convertList(step: Convert, element: Conversion, to: ValType): Convert {
  const { kind } = to;
  const items = (value: unknown): Iterable<unknown> => (isRereadable(value) ? value : unfit(value));
  if (element.kind === "widen" && isNumberArrayKind(kind))
    return (value) => NUMBER_ARRAYS[kind].from(Array.from(items(value), Number));
  if (element.kind === "widen" && isBigInteger(kind)) {
    return (value) =>
      BIGINT_ARRAYS[kind].from(Array.from(items(value), (item) => (typeof item === "bigint" ? item : toBigInt(item))));
  }
  if (step === identity && element.kind === "same") return identity;
  // A typed array is no list of, say, options, even where its elements stay what they are.
  return (value) => (step === identity && Array.isArray(value) ? value : Array.from(items(value), step));
}
