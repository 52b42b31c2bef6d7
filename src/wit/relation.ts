// Compares two types, part by part: what `assignable.ts` answers from.

import { nearest } from "../base/diagnostics.ts";
import { assertNever } from "../base/errors.ts";
import { integerWidens, isBigInteger } from "./numeric.ts";
import { printType, printTypeWhole } from "./print-type.ts";
import { isNestedOption } from "./shape.ts";
import { ERROR_TAG, type Case, type ValType } from "./types.ts";

/** What is done to a JS value on the way from one type to another. */
export type Conversion =
  /** Nothing: the value is of the other type already. */
  | { readonly kind: "same" }
  /** An integer becomes a wider one; `big`: a number becomes a bigint. */
  | { readonly kind: "widen"; readonly big: boolean }
  /** The value becomes the payload of an option; `nested`: of one that is `{ tag, val }`. */
  | { readonly kind: "some"; readonly nested: boolean; readonly payload: Conversion }
  | { readonly kind: "option"; readonly nested: boolean; readonly payload: Conversion }
  /** `missing` are fields that become none; fields that nobody needs are dropped. */
  | { readonly kind: "record"; readonly fields: readonly FieldConversion[]; readonly missing: readonly MissingField[] }
  /** Flags with further labels, which stay unset. */
  | { readonly kind: "flags"; readonly missing: readonly string[] }
  | { readonly kind: "tuple"; readonly items: readonly Conversion[] }
  | { readonly kind: "list"; readonly element: Conversion; readonly to: ValType }
  | { readonly kind: "map"; readonly key: Conversion; readonly value: Conversion }
  /** A variant or result: by tag, only the cases whose payload changes. */
  | { readonly kind: "cases"; readonly cases: ReadonlyMap<string, Conversion> }
  /** Of each element of a stream. */
  | { readonly kind: "stream"; readonly element: Conversion }
  /** A value becomes a stream of one element. */
  | { readonly kind: "to-stream"; readonly element: Conversion }
  /** What takes the value goes through the elements of the stream. */
  | { readonly kind: "each"; readonly element: Conversion };

export interface FieldConversion {
  readonly name: string;
  readonly conversion: Conversion;
}

export interface MissingField {
  readonly name: string;
  /** The option is nested: none is `{ tag: "none" }`. */
  readonly nested: boolean;
}

/** Why and where a value of one type does not fit another: `path` is `.items[].age`, empty at the top. */
export interface Mismatch {
  readonly path: string;
  readonly message: string;
  readonly cure?: string | undefined;
}

export type Outcome = { readonly conversion: Conversion } | { readonly mismatch: Mismatch };

const SAME: Outcome = { conversion: { kind: "same" } };

/** Compares pairs of types, each pair once: types share parts, and written out whole they can be endless. */
export class Relation {
  readonly #known = new Map<ValType, Map<ValType, Outcome>>();

  /** At a port, where streams may become values and the other way round. */
  port(from: ValType, to: ValType): Outcome {
    if (from.kind === "stream" && to.kind === "stream") return this.#streams(from, to);
    if (to.kind === "stream" && to.element !== undefined && from.kind !== "future") {
      return wrap(this.value(from, to.element), (element) => ({ kind: "to-stream", element }));
    }
    if (from.kind === "stream" && from.element !== undefined && to.kind !== "future") {
      return wrap(this.value(from.element, to), (element) => ({ kind: "each", element }));
    }
    return this.value(from, to);
  }

  value(from: ValType, to: ValType): Outcome {
    if (from === to) return SAME;
    const row = this.#known.get(from) ?? new Map<ValType, Outcome>();
    this.#known.set(from, row);
    const known = row.get(to);
    if (known !== undefined) return known;
    const outcome = this.#compare(from, to);
    row.set(to, outcome);
    return outcome;
  }

  // oxlint-disable-next-line complexity -- one case a kind
  #compare(from: ValType, to: ValType): Outcome {
    switch (to.kind) {
      case "bool":
      case "f32":
      case "f64":
      case "char":
      case "string":
      case "error-context":
        return from.kind === to.kind ? SAME : differ(from, to);
      case "s8":
      case "u8":
      case "s16":
      case "u16":
      case "s32":
      case "u32":
      case "s64":
      case "u64":
        return integers(from, to);
      case "record":
        return from.kind === "record" ? this.#records(from, to) : differ(from, to);
      case "tuple":
        return from.kind === "tuple" ? this.#tuples(from, to) : differ(from, to);
      case "enum":
      case "flags":
        return from.kind === to.kind ? labels(from, to) : differ(from, to);
      case "variant":
        return from.kind === "variant" ? this.#cases(from.cases, to.cases) : differ(from, to);
      case "result":
        return from.kind === "result"
          ? this.#cases(resultCases(from), resultCases(to), new Map([["error", ERROR_TAG]]))
          : differ(from, to);
      case "option":
        return this.#options(from, to);
      case "list":
        return from.kind === "list" ? this.#lists(from, to) : differ(from, to);
      case "map":
        return from.kind === "map" ? this.#maps(from, to) : differ(from, to);
      case "own":
      case "borrow":
        return from.kind === to.kind && from.resource === to.resource ? SAME : differ(from, to);
      case "stream":
      case "future":
        return from.kind === to.kind ? this.#unchanged(from, to) : differ(from, to);
      default:
        return assertNever(to);
    }
  }

  #records(from: ValType & { kind: "record" }, to: ValType & { kind: "record" }): Outcome {
    const given = new Map(from.fields.map((field) => [field.name, field.type]));
    const fields: FieldConversion[] = [];
    const missing: MissingField[] = [];
    for (const { name, type } of to.fields) {
      const source = given.get(name);
      if (source === undefined && type.kind === "option") missing.push({ name, nested: isNestedOption(type.type) });
      else if (source === undefined) return missingField(name, [...given.keys()]);
      else {
        const outcome = at(`.${name}`, this.value(source, type));
        if ("mismatch" in outcome) return outcome;
        fields.push({ name, conversion: outcome.conversion });
      }
    }
    const isSame =
      missing.length === 0 && fields.length === given.size && fields.every((field) => field.conversion.kind === "same");
    return isSame ? SAME : { conversion: { kind: "record", fields, missing } };
  }

  #tuples(from: ValType & { kind: "tuple" }, to: ValType & { kind: "tuple" }): Outcome {
    if (from.types.length !== to.types.length)
      return differ(from, to, `a tuple of ${from.types.length} is not one of ${to.types.length}`);
    const items: Conversion[] = [];
    for (const [i, type] of to.types.entries()) {
      const outcome = at(`[${i}]`, this.value(from.types[i] ?? type, type));
      if ("mismatch" in outcome) return outcome;
      items.push(outcome.conversion);
    }
    return items.every((item) => item.kind === "same") ? SAME : { conversion: { kind: "tuple", items } };
  }

  /** `tags`: of cases that have another tag in JS than their name. */
  #cases(from: readonly Case[], to: readonly Case[], tags?: ReadonlyMap<string, string>): Outcome {
    const known = new Map(to.map((item) => [item.name, item]));
    const cases = new Map<string, Conversion>();
    for (const { name, type } of from) {
      const target = known.get(name);
      if (target === undefined) return unknownName("case", name, [...known.keys()]);
      if ((type === undefined) !== (target.type === undefined)) {
        return mismatch(`.${name}`, `the case \`${name}\` ${type === undefined ? "needs a payload" : "must have no payload"}`);
      }
      if (type === undefined || target.type === undefined) continue;
      const outcome = at(`.${name}`, this.value(type, target.type));
      if ("mismatch" in outcome) return outcome;
      if (outcome.conversion.kind !== "same") cases.set(tags?.get(name) ?? name, outcome.conversion);
    }
    return cases.size === 0 ? SAME : { conversion: { kind: "cases", cases } };
  }

  /** `T` becomes some `T` where it can, otherwise an option is changed inside: so `option<T>` to `option<option<T>>` keeps its none. */
  #options(from: ValType, to: ValType & { kind: "option" }): Outcome {
    const nested = isNestedOption(to.type);
    const asPayload = this.value(from, to.type);
    if ("conversion" in asPayload) return wrap(asPayload, (payload) => ({ kind: "some", nested, payload }));
    if (from.kind !== "option") return asPayload;
    const inside = this.value(from.type, to.type);
    if (!("conversion" in inside) || inside.conversion.kind === "same") return inside;
    // An option of a plain payload cannot become a nested one here: it would have become its payload above.
    return wrap(inside, (payload) => ({ kind: "option", nested, payload }));
  }

  #lists(from: ValType & { kind: "list" }, to: ValType & { kind: "list" }): Outcome {
    if (to.length !== undefined && from.length !== to.length) {
      return differ(
        from,
        to,
        `${from.length === undefined ? "a list of any length" : `a list of ${from.length}`} is not one of ${to.length}`,
      );
    }
    return wrap(at("[]", this.value(from.element, to.element)), (element) => ({ kind: "list", element, to: to.element }));
  }

  #maps(from: ValType & { kind: "map" }, to: ValType & { kind: "map" }): Outcome {
    const key = at("[key]", this.value(from.key, to.key));
    const value = at("[value]", this.value(from.value, to.value));
    if ("mismatch" in key) return key;
    if ("mismatch" in value) return value;
    const isSame = key.conversion.kind === "same" && value.conversion.kind === "same";
    return isSame ? SAME : { conversion: { kind: "map", key: key.conversion, value: value.conversion } };
  }

  #streams(from: ValType & { kind: "stream" }, to: ValType & { kind: "stream" }): Outcome {
    if (from.element === undefined || to.element === undefined) return from.element === to.element ? SAME : differ(from, to);
    return wrap(at("[]", this.value(from.element, to.element)), (element) => ({ kind: "stream", element }));
  }

  /** Streams and futures inside other types are passed on as they are. */
  #unchanged(from: ValType & { kind: "stream" | "future" }, to: ValType & { kind: "stream" | "future" }): Outcome {
    if (from.element === undefined || to.element === undefined) return from.element === to.element ? SAME : differ(from, to);
    const outcome = this.value(from.element, to.element);
    return "conversion" in outcome && outcome.conversion.kind === "same" ? SAME : differ(from, to);
  }
}

/** The outcome of a part as that of the whole; what is the same inside is the same outside, except where a value is wrapped. */
function wrap(outcome: Outcome, build: (conversion: Conversion) => Conversion): Outcome {
  if ("mismatch" in outcome) return outcome;
  const conversion = build(outcome.conversion);
  const changes = conversion.kind === "some" || conversion.kind === "to-stream" || conversion.kind === "each";
  return outcome.conversion.kind === "same" && !changes ? SAME : { conversion };
}

function at(step: string, outcome: Outcome): Outcome {
  if ("conversion" in outcome) return outcome;
  const { path, message, cure } = outcome.mismatch;
  return mismatch(step + path, message, cure);
}

function mismatch(path: string, message: string, cure?: string): { readonly mismatch: Mismatch } {
  return { mismatch: { path, message, cure } };
}

const LONGEST_TYPE = 200;

function differ(from: ValType, to: ValType, why?: string): { readonly mismatch: Mismatch } {
  const [short, expected] = [printType(from, LONGEST_TYPE), printType(to, LONGEST_TYPE)];
  // Two types of the same name: the name explains nothing.
  const [a, b] = short === expected ? [printTypeWhole(from, LONGEST_TYPE), printTypeWhole(to, LONGEST_TYPE)] : [short, expected];
  return mismatch("", `\`${a}\` does not fit \`${b}\`${why === undefined ? "" : `: ${why}`}`);
}

function integers(from: ValType, to: ValType): Outcome {
  if (from.kind === to.kind) return SAME;
  if (integerWidens(from.kind, to.kind))
    return { conversion: { kind: "widen", big: isBigInteger(to.kind) && !isBigInteger(from.kind) } };
  return differ(from, to, isInteger(from) ? `not every ${from.kind} is a ${to.kind}` : undefined);
}

function isInteger({ kind }: ValType): boolean {
  return integerWidens(kind, kind);
}

function labels(from: ValType & { kind: "enum" | "flags" }, to: ValType & { kind: "enum" | "flags" }): Outcome {
  const known = new Set(to.labels);
  const unknown = from.labels.find((label) => !known.has(label));
  if (unknown !== undefined) return unknownName(to.kind === "enum" ? "case" : "flag", unknown, to.labels);
  const given = new Set(from.labels);
  const missing = to.kind === "flags" ? to.labels.filter((label) => !given.has(label)) : [];
  return missing.length === 0 ? SAME : { conversion: { kind: "flags", missing } };
}

function unknownName(what: string, name: string, known: readonly string[]): Outcome {
  const guess = nearest(name, known);
  return mismatch(
    "",
    `the ${what} \`${name}\` is not known there`,
    guess === undefined ? undefined : `Did you mean \`${guess}\`?`,
  );
}

function missingField(name: string, given: readonly string[]): Outcome {
  const guess = nearest(name, given);
  return mismatch(`.${name}`, "the field is missing", guess === undefined ? undefined : `There is a field \`${guess}\`.`);
}

function resultCases(type: ValType & { kind: "result" }): readonly Case[] {
  return [
    { name: "ok", type: type.ok },
    { name: "error", type: type.error },
  ];
}
