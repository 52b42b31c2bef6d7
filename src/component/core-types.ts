// Core types made comparable across modules: each type gets one number, the same for structurally equal recursion groups
// (iso-recursive equality of WebAssembly 3.0), and the matching rules of core imports work on those numbers.

import type { CoreExternType, CoreLimits, CoreRefType, CoreSubType, CoreValType } from "./component.ts";

/** What a core module imports and exports; type numbers are those of the `CoreTypes` it was made with. */
export interface ModuleType {
  readonly kind: "core-module";
  readonly imports: readonly { readonly module: string; readonly name: string; readonly type: CoreExternType }[];
  readonly exports: ReadonlyMap<string, CoreExternType>;
}

export type CoreFuncType = Extract<CoreSubType["type"], { kind: "func" }>;

export class CoreTypes {
  readonly #types: CoreSubType[] = [];
  readonly #groups = new Map<string, number>();

  /**
   * Gives each type of a group its number. `resolve` turns a type index outside the group into a number; indices from
   * `first` on mean the group itself. `resolve` throws where there is no such type.
   */
  group(types: readonly CoreSubType[], first: number, resolve: (index: number) => number): number[] {
    const within = (index: number): boolean => index >= first && index < first + types.length;
    const known = new Map<number, number>();
    const outside = (index: number): number => {
      const id = known.get(index) ?? resolve(index);
      known.set(index, id);
      return id;
    };
    const key = types
      .map((type) => keyOf(type, (index) => (within(index) ? `r${index - first}` : `${outside(index)}`)))
      .join(";");
    let start = this.#groups.get(key);
    if (start === undefined) {
      start = this.#types.length;
      const base = start;
      this.#groups.set(key, base);
      for (const type of types)
        this.#types.push(mapSubType(type, (index) => (within(index) ? base + index - first : outside(index))));
    }
    const base = start;
    return types.map((_, i) => base + i);
  }

  /** The number of a plain function type. */
  func(params: readonly CoreValType[], results: readonly CoreValType[]): number {
    const [id = 0] = this.group(
      [{ final: true, supertypes: [], type: { kind: "func", params, results } }],
      Infinity,
      (index) => index,
    );
    return id;
  }

  get(id: number): CoreSubType | undefined {
    return this.#types[id];
  }

  funcType(id: number): CoreFuncType | undefined {
    const type = this.#types[id]?.type;
    return type?.kind === "func" ? type : undefined;
  }

  /** Whether a type is another or declares it as a supertype. */
  isSubtype(id: number, of: number): boolean {
    for (let at: number | undefined = id; at !== undefined;) {
      if (at === of) return true;
      const next: number | undefined = this.#types[at]?.supertypes[0];
      at = next !== undefined && next < at ? next : undefined;
    }
    return false;
  }

  /** Whether something of type `actual` may be given where a core module expects `expected`. */
  matches(actual: CoreExternType, expected: CoreExternType): boolean {
    switch (expected.kind) {
      case "func":
        return actual.kind === "func" && this.isSubtype(actual.type, expected.type);
      case "table":
        return (
          actual.kind === "table" && sameType(actual.element, expected.element) && limitsMatch(actual.limits, expected.limits)
        );
      case "memory":
        return (
          actual.kind === "memory" &&
          (actual.pageSizeLog2 ?? 16) === (expected.pageSizeLog2 ?? 16) &&
          limitsMatch(actual.limits, expected.limits)
        );
      case "global":
        if (actual.kind !== "global" || actual.mutable !== expected.mutable) return false;
        return expected.mutable ? sameType(actual.type, expected.type) : this.valueMatches(actual.type, expected.type);
      case "tag":
        return actual.kind === "tag" && actual.type === expected.type;
    }
  }

  valueMatches(actual: CoreValType, expected: CoreValType): boolean {
    if (typeof actual === "string" || typeof expected === "string") return actual === expected;
    if (actual.nullable && !expected.nullable) return false;
    return this.#heapMatches(actual.heap, expected.heap);
  }

  #heapMatches(actual: string | number, expected: string | number): boolean {
    if (actual === expected) return true;
    if (typeof actual === "number") {
      if (typeof expected === "number") return this.isSubtype(actual, expected);
      const kind = this.#types[actual]?.type.kind;
      return kind !== undefined && (kind === expected || (ABOVE[kind] ?? []).includes(expected));
    }
    if (typeof expected === "string") return (ABOVE[actual] ?? []).includes(expected);
    const kind = this.#types[expected]?.type.kind;
    return kind === "func" ? actual === "nofunc" : kind !== undefined && actual === "none";
  }
}

/** The abstract heap types above each abstract heap type. */
const ABOVE: Readonly<Record<string, readonly string[]>> = {
  none: ["i31", "struct", "array", "eq", "any"],
  i31: ["eq", "any"],
  struct: ["eq", "any"],
  array: ["eq", "any"],
  eq: ["any"],
  nofunc: ["func"],
  noextern: ["extern"],
  noexn: ["exn"],
  nocont: ["cont"],
};

function limitsMatch(actual: CoreLimits, expected: CoreLimits): boolean {
  if (actual.addressType !== expected.addressType || actual.shared !== expected.shared || actual.min < expected.min) return false;
  return expected.max === undefined || (actual.max !== undefined && actual.max <= expected.max);
}

function sameType(a: CoreValType, b: CoreValType): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  return a.nullable === b.nullable && a.heap === b.heap;
}

/** Applies `map` to every type index in the type of an import or export. */
export function mapExternType(type: CoreExternType, map: (index: number) => number): CoreExternType {
  switch (type.kind) {
    case "func":
    case "tag":
      return { kind: type.kind, type: map(type.type) };
    case "table":
      return { ...type, element: mapRefType(type.element, map) };
    case "global":
      return { ...type, type: mapValType(type.type, map) };
    case "memory":
      return type;
  }
}

function mapRefType(type: CoreRefType, map: (index: number) => number): CoreRefType {
  return typeof type.heap === "number" ? { nullable: type.nullable, heap: map(type.heap) } : type;
}

function mapValType(type: CoreValType, map: (index: number) => number): CoreValType {
  return typeof type === "string" ? type : mapRefType(type, map);
}

function mapSubType(sub: CoreSubType, map: (index: number) => number): CoreSubType {
  const { final, type } = sub;
  const supertypes = sub.supertypes.map(map);
  const value = (t: CoreValType): CoreValType => mapValType(t, map);
  const storage = (t: CoreValType | "i8" | "i16"): CoreValType | "i8" | "i16" => (typeof t === "string" ? t : mapRefType(t, map));
  switch (type.kind) {
    case "func":
      return { final, supertypes, type: { kind: "func", params: type.params.map(value), results: type.results.map(value) } };
    case "struct":
      return { final, supertypes, type: { kind: "struct", fields: type.fields.map((f) => ({ ...f, type: storage(f.type) })) } };
    case "array":
      return { final, supertypes, type: { kind: "array", field: { ...type.field, type: storage(type.field.type) } } };
  }
}

function keyOf(sub: CoreSubType, index: (index: number) => string): string {
  const value = (type: CoreValType | "i8" | "i16"): string =>
    typeof type === "string"
      ? type
      : `${type.nullable ? "?" : "!"}${typeof type.heap === "number" ? index(type.heap) : type.heap}`;
  const field = (f: { type: CoreValType | "i8" | "i16"; mutable: boolean }): string => `${f.mutable ? "m" : "c"}${value(f.type)}`;
  const head = `${sub.final ? "f" : "o"}(${sub.supertypes.map(index).join(",")})`;
  const { type } = sub;
  switch (type.kind) {
    case "func":
      return `${head}func(${type.params.map(value).join(",")})(${type.results.map(value).join(",")})`;
    case "struct":
      return `${head}struct(${type.fields.map(field).join(",")})`;
    case "array":
      return `${head}array(${field(type.field)})`;
  }
}

/** A core type as it is written in text: `(func (param i32) (result i64))`, `(memory 1)`, `(global (mut i32))`. */
export function coreExternText(type: CoreExternType, types: CoreTypes): string {
  switch (type.kind) {
    case "func":
    case "tag":
      return `(${type.kind}${signatureText(types.funcType(type.type))})`;
    case "table":
      return `(table ${limitsText(type.limits)} ${coreValText(type.element)})`;
    case "memory":
      return `(memory ${limitsText(type.limits)})`;
    case "global":
      return type.mutable ? `(global (mut ${coreValText(type.type)}))` : `(global ${coreValText(type.type)})`;
  }
}

export function signatureText(type: CoreFuncType | undefined): string {
  if (type === undefined) return "";
  const part = (word: string, list: readonly CoreValType[]): string =>
    list.length === 0 ? "" : ` (${word} ${list.map(coreValText).join(" ")})`;
  return part("param", type.params) + part("result", type.results);
}

function limitsText({ min, max, shared, addressType }: CoreLimits): string {
  const words = [addressType === "i64" ? "i64" : "", `${min}`, max === undefined ? "" : `${max}`, shared ? "shared" : ""];
  return words.filter((word) => word !== "").join(" ");
}

function coreValText(type: CoreValType): string {
  if (typeof type === "string") return type;
  return type.nullable && typeof type.heap === "string" ? `${type.heap}ref` : `(ref ${type.nullable ? "null " : ""}${type.heap})`;
}
