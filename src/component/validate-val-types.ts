// Value and function types: their labels, that they are not empty, where `borrow` may stand.

import type { DefValType, FieldRef, FuncTypeDef, ValTypeRef } from "./component.ts";
import { isLabel, quote } from "./extern-names.ts";
import type { Scope } from "./scope.ts";
import type { FuncNode, NamedVal, ValNode, ValShape } from "./type-model.ts";

export function resolveVal(scope: Scope, ref: ValTypeRef): ValNode {
  if (typeof ref === "string") return scope.factory.primitive(ref);
  const type = scope.type(ref);
  if (type.kind !== "value") throw scope.fail(`type ${ref} is not a defined type: it is a ${type.kind} type`);
  return type;
}

function resolveOptional(scope: Scope, ref: ValTypeRef | undefined): ValNode | undefined {
  return ref === undefined ? undefined : resolveVal(scope, ref);
}

const MAX_FLAGS = 32;
const KEY_TYPES: ReadonlySet<string> = new Set(["bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "char", "string"]);

export function validateValType(scope: Scope, def: DefValType): ValNode {
  return def.kind === "primitive" ? scope.factory.primitive(def.primitive) : scope.factory.value(shapeOf(scope, def));
}

function shapeOf(scope: Scope, def: Exclude<DefValType, { kind: "primitive" }>): ValShape {
  switch (def.kind) {
    case "record":
      return { kind: "record", fields: resolveFields(scope, def.fields, "record field", 1) };
    case "variant":
      checkLabels(scope, def.cases, "variant case", 1);
      return { kind: "variant", cases: def.cases.map(({ name, type }) => ({ name, type: resolveOptional(scope, type) })) };
    case "list":
      if (def.length === 0) throw scope.fail("a list of fixed length must have at least one element");
      return { kind: "list", element: resolveVal(scope, def.element), length: def.length };
    case "tuple":
      if (def.types.length === 0) throw scope.fail("a tuple type must have at least one type");
      return { kind: "tuple", types: def.types.map((type) => resolveVal(scope, type)) };
    case "flags":
    case "enum":
      return { kind: def.kind, labels: resolveLabels(scope, def.kind, def.labels) };
    case "option":
      return { kind: "option", type: resolveVal(scope, def.type) };
    case "result":
      return { kind: "result", ok: resolveOptional(scope, def.ok), error: resolveOptional(scope, def.error) };
    case "own":
    case "borrow":
      return { kind: def.kind, resource: scope.resourceType(def.type) };
    case "stream":
    case "future":
      return { kind: def.kind, element: resolveElement(scope, def.kind, def.element) };
    case "map":
      return { kind: "map", key: resolveKey(scope, def.key), value: resolveVal(scope, def.value) };
  }
}

function resolveLabels(scope: Scope, kind: "flags" | "enum", labels: readonly string[]): readonly string[] {
  const what = kind === "flags" ? "flag" : "enum case";
  checkLabels(
    scope,
    labels.map((name) => ({ name })),
    what,
    1,
  );
  if (kind === "flags" && labels.length > MAX_FLAGS) throw scope.fail(`a flags type cannot have more than ${MAX_FLAGS} flags`);
  return labels;
}

function resolveElement(scope: Scope, kind: "stream" | "future", ref: ValTypeRef | undefined): ValNode | undefined {
  const element = resolveOptional(scope, ref);
  if (element?.info.borrow === true) throw scope.fail(`a ${kind} cannot carry a \`borrow\``);
  if (kind === "stream" && element?.shape.kind === "primitive" && element.shape.primitive === "char") {
    throw scope.fail("a stream of `char` is not allowed yet");
  }
  return element;
}

function resolveKey(scope: Scope, ref: ValTypeRef): ValNode {
  const key = resolveVal(scope, ref);
  if (key.shape.kind !== "primitive" || !KEY_TYPES.has(key.shape.primitive))
    throw scope.fail("a map cannot have keys of this type");
  return key;
}

export function validateFuncType(scope: Scope, def: FuncTypeDef): FuncNode {
  const params = resolveFields(scope, def.params, "function parameter", 0);
  const result = resolveOptional(scope, def.result);
  if (result?.info.borrow === true) throw scope.fail("a function's result cannot contain a `borrow`");
  return scope.factory.func(def.async, params, result);
}

function resolveFields(scope: Scope, fields: readonly FieldRef[], what: string, least: number): NamedVal[] {
  checkLabels(scope, fields, what, least);
  return fields.map(({ name, type }) => ({ name, type: resolveVal(scope, type) }));
}

function checkLabels(scope: Scope, labels: readonly { readonly name: string }[], what: string, least: number): void {
  if (labels.length < least) throw scope.fail(`the type must have at least one ${what}`);
  const taken = new Map<string, string>();
  for (const { name } of labels) {
    if (name === "") throw scope.fail(`${what} name cannot be empty`);
    if (!isLabel(name)) throw scope.fail(`${what} name ${quote(name)} is not in kebab case`);
    const key = name.toLowerCase();
    const previous = taken.get(key);
    if (previous !== undefined) throw scope.fail(`${what} name ${quote(name)} conflicts with previous name ${quote(previous)}`);
    taken.set(key, name);
  }
}
