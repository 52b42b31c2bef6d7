// Whether two types are equal as the component model has it: by structure, in order; names of types do not count, resources are
// equal when they are the same object. Pairs are compared once, so types that would be endless written out are no trouble.

import { partsOf } from "./type-size.ts";
import type { ValType } from "./types.ts";

/** Whether two types are equal. */
export function equalTypes(a: ValType, b: ValType): boolean {
  return new Comparison().equal(a, b);
}

class Comparison {
  readonly #equal = new Map<ValType, Set<ValType>>();

  equal(a: ValType, b: ValType): boolean {
    if (a === b || this.#equal.get(a)?.has(b) === true) return true;
    if (!sameOutside(a, b)) return false;
    const others = partsOf(b);
    if (!partsOf(a).every((part, i) => this.equal(part, others[i] ?? part))) return false;
    const known = this.#equal.get(a) ?? new Set();
    this.#equal.set(a, known.add(b));
    return true;
  }
}

/** Whether everything but the parts is the same; then there are equally many parts. */
function sameOutside(a: ValType, b: ValType): boolean {
  if (a.kind === "record" && b.kind === "record") return sameNames(a.fields, b.fields);
  if (a.kind === "variant" && b.kind === "variant")
    return sameNames(a.cases, b.cases) && a.cases.every((c, i) => isBare(c) === isBare(b.cases[i]));
  if ((a.kind === "enum" && b.kind === "enum") || (a.kind === "flags" && b.kind === "flags")) {
    return a.labels.length === b.labels.length && a.labels.every((label, i) => label === b.labels[i]);
  }
  if (a.kind === "result" && b.kind === "result") {
    return (a.ok === undefined) === (b.ok === undefined) && (a.error === undefined) === (b.error === undefined);
  }
  if (a.kind === "list" && b.kind === "list") return a.length === b.length;
  if ((a.kind === "own" && b.kind === "own") || (a.kind === "borrow" && b.kind === "borrow")) return a.resource === b.resource;
  return a.kind === b.kind && partsOf(a).length === partsOf(b).length;
}

interface Named {
  readonly name: string;
}

function sameNames(a: readonly Named[], b: readonly Named[]): boolean {
  return a.length === b.length && a.every((item, i) => item.name === b[i]?.name);
}

function isBare(item: { readonly type?: ValType | undefined } | undefined): boolean {
  return item?.type === undefined;
}
