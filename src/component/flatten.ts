// Flattening (component-model Canonical ABI): the core types that a value is passed as, cut off beyond the longest list
// that any signature may have.

import type { PrimitiveKind } from "../wit/types.ts";
import type { CoreNumType } from "./component.ts";
import { partsOf, type FuncNode, type ValInfo, type ValNode } from "./type-model.ts";

export type AddressType = "i32" | "i64";
/** A core type that flattening gives. */
type FlatType = Exclude<CoreNumType, "v128">;

export const MAX_FLAT_PARAMS = 16;
const MAX_FLAT_ASYNC_PARAMS = 4;
export const MAX_FLAT_RESULTS = 1;
/** One more than any signature may have: a list of this length means too many. */
const CUT_OFF = MAX_FLAT_PARAMS + 1;

const caches = { i32: new WeakMap<ValInfo, readonly FlatType[]>(), i64: new WeakMap<ValInfo, readonly FlatType[]>() };

/** The flat types of a value, at most MAX_FLAT_PARAMS + 1 of them. */
export function flattenVal(node: ValNode, address: AddressType): readonly FlatType[] {
  const cache = caches[address];
  let flat = cache.get(node.info);
  if (flat === undefined) {
    flat = computeFlat(node, address).slice(0, CUT_OFF);
    cache.set(node.info, flat);
  }
  return flat;
}

function flattenAll(nodes: readonly ValNode[], address: AddressType): readonly FlatType[] {
  const flat: FlatType[] = [];
  for (const node of nodes) {
    flat.push(...flattenVal(node, address));
    if (flat.length >= CUT_OFF) break;
  }
  return flat.slice(0, CUT_OFF);
}

function computeFlat(node: ValNode, address: AddressType): readonly FlatType[] {
  const { shape } = node;
  switch (shape.kind) {
    case "primitive":
      return flattenPrimitive(shape.primitive, address);
    case "map":
      return [address, address];
    case "list": {
      if (shape.length === undefined) return [address, address];
      const element = flattenVal(shape.element, address);
      return Array.from({ length: Math.min(shape.length, CUT_OFF) }, () => element).flat();
    }
    case "record":
    case "tuple":
      return flattenAll(partsOf(shape), address);
    case "variant":
    case "option":
    case "result":
      return flattenCases(partsOf(shape), address);
    case "enum":
    case "flags":
    case "own":
    case "borrow":
    case "stream":
    case "future":
      return ["i32"];
  }
}

function flattenPrimitive(primitive: PrimitiveKind, address: AddressType): readonly FlatType[] {
  if (primitive === "string") return [address, address];
  if (primitive === "s64" || primitive === "u64") return ["i64"];
  return primitive === "f32" || primitive === "f64" ? [primitive] : ["i32"];
}

function flattenCases(cases: readonly ValNode[], address: AddressType): readonly FlatType[] {
  const flat: FlatType[] = [];
  for (const type of cases) {
    for (const [i, each] of flattenVal(type, address).entries()) {
      const other = flat[i];
      flat[i] = other === undefined ? each : join(other, each);
    }
  }
  return ["i32", ...flat];
}

function join(a: FlatType, b: FlatType): FlatType {
  if (a === b) return a;
  return (a === "i32" && b === "f32") || (a === "f32" && b === "i32") ? "i32" : "i64";
}

interface FlatSignature {
  readonly params: readonly FlatType[];
  readonly results: readonly FlatType[];
  /** Whether parameters or results did not fit and go through memory. */
  readonly paramsInMemory: boolean;
  readonly resultsInMemory: boolean;
}

/** The core signature of a function that is lifted or lowered. */
export function flattenFunc(
  node: Pick<FuncNode, "params" | "result">,
  use: "lift" | "lower",
  options: { readonly async: boolean; readonly callback: boolean; readonly address: AddressType },
): FlatSignature {
  const { async, callback, address } = options;
  const types = node.params.map((param) => param.type);
  const flatParams = flattenAll(types, address);
  const flatResults = node.result === undefined ? [] : flattenVal(node.result, address);
  const paramsInMemory = flatParams.length > (async && use === "lower" ? MAX_FLAT_ASYNC_PARAMS : MAX_FLAT_PARAMS);
  const params = paramsInMemory ? [address] : flatParams;
  if (async && use === "lift") {
    return { params, results: callback ? ["i32"] : [], paramsInMemory, resultsInMemory: flatResults.length > MAX_FLAT_PARAMS };
  }
  if (async) {
    const resultsInMemory = flatResults.length > 0;
    return { params: resultsInMemory ? [...params, address] : params, results: ["i32"], paramsInMemory, resultsInMemory };
  }
  const resultsInMemory = flatResults.length > MAX_FLAT_RESULTS;
  if (!resultsInMemory) return { params, results: flatResults, paramsInMemory, resultsInMemory };
  return use === "lift"
    ? { params, results: [address], paramsInMemory, resultsInMemory }
    : { params: [...params, address], results: [], paramsInMemory, resultsInMemory };
}
