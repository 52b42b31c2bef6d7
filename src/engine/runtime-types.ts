// Type index spaces at run time: definitions resolved to WIT types whose resources are those of this very instance.
// Source: Explainer, Type Definitions; resource types are generative: every instance makes its own.

import { StarlaneError } from "../base/errors.ts";
import type { CoreTypeDef, DefValType, FuncTypeDef, TypeDef, ValTypeRef, Declarator } from "../component/component.ts";
import type { FuncType, PrimitiveKind, ValType } from "../wit/types.ts";
import type { RuntimeResource } from "./instance.ts";

/** A component or instance type: evaluated when something is imported with it. */
export type DeclaredType =
  | { readonly kind: "component-type"; readonly declarators: readonly Declarator[]; readonly scope: TypeScope }
  | { readonly kind: "instance-type"; readonly declarators: readonly Declarator[]; readonly scope: TypeScope };

export type RuntimeType = ValType | FuncType | RuntimeResource | DeclaredType;

/** One scope of type indices; `outer` is the scope around it, as outer aliases count. */
export interface TypeScope {
  readonly outer: TypeScope | undefined;
  readonly types: RuntimeType[];
  /** Core module types by core type index; other core types only take their place. */
  readonly coreTypes: (CoreTypeDef | undefined)[];
}

export function pushCoreType(scope: TypeScope, def: CoreTypeDef): void {
  if (def.kind === "module") scope.coreTypes.push(def);
  else for (const _ of def.types) scope.coreTypes.push(undefined);
}

const PRIMITIVES = new Map<PrimitiveKind, ValType>();

function primitive(kind: PrimitiveKind): ValType {
  let type = PRIMITIVES.get(kind);
  if (type === undefined) PRIMITIVES.set(kind, (type = Object.freeze({ kind })));
  return type;
}

export function typeAt(scope: TypeScope, index: number): RuntimeType {
  const type = scope.types[index];
  if (type === undefined) throw new StarlaneError("starlane/internal", `unknown type index ${index}`);
  return type;
}

export function resourceAt(scope: TypeScope, index: number): RuntimeResource {
  const type = typeAt(scope, index);
  if (type.kind !== "resource") throw new StarlaneError("starlane/internal", `type ${index} is no resource`);
  return type;
}

export function funcTypeAt(scope: TypeScope, index: number): FuncType {
  const type = typeAt(scope, index);
  if (type.kind !== "func") throw new StarlaneError("starlane/internal", `type ${index} is no function type`);
  return type;
}

export function outerScope(scope: TypeScope, count: number): TypeScope {
  let at: TypeScope | undefined = scope;
  for (let i = 0; i < count; i++) at = at?.outer;
  if (at === undefined) throw new StarlaneError("starlane/internal", `no scope ${count} levels out`);
  return at;
}

/** A type reference to a value type. */
export function valType(ref: ValTypeRef, scope: TypeScope): ValType {
  if (typeof ref === "string") return primitive(ref);
  const type = typeAt(scope, ref);
  if (type.kind === "func" || type.kind === "resource" || type.kind === "component-type" || type.kind === "instance-type") {
    throw new StarlaneError("starlane/internal", `type ${ref} is no value type`);
  }
  return type;
}

/** Everything but a resource definition, which needs the instance that makes it. */
export function resolveType(def: Exclude<TypeDef, { kind: "resource" }>, scope: TypeScope): RuntimeType {
  switch (def.kind) {
    case "component":
      return { kind: "component-type", declarators: def.declarators, scope };
    case "instance":
      return { kind: "instance-type", declarators: def.declarators, scope };
    default:
      return resolveShared(def, scope);
  }
}

interface Resolved {
  readonly parts: readonly (ValType | RuntimeResource | undefined)[];
  readonly type: ValType | FuncType;
}

const resolved = new WeakMap<DefValType | FuncTypeDef, Resolved>();

/**
 * A definition resolves to the same object as long as its parts are the same objects: instances of one component share their
 * types, and with them the codecs built from these, wherever no resource is involved.
 */
function resolveShared(def: DefValType | FuncTypeDef, scope: TypeScope): ValType | FuncType {
  const parts = partsOf(def).map((ref) => partAt(ref, scope));
  const known = resolved.get(def);
  if (known !== undefined && known.parts.every((part, i) => part === parts[i])) return known.type;
  const type = build(def, scope);
  resolved.set(def, { parts, type });
  return type;
}

function partAt(ref: ValTypeRef | undefined, scope: TypeScope): ValType | RuntimeResource | undefined {
  if (ref === undefined) return undefined;
  if (typeof ref === "string") return primitive(ref);
  const type = typeAt(scope, ref);
  return type.kind === "resource" ? type : valType(ref, scope);
}

function partsOf(def: DefValType | FuncTypeDef): readonly (ValTypeRef | undefined)[] {
  switch (def.kind) {
    case "primitive":
    case "flags":
    case "enum":
      return [];
    case "record":
      return def.fields.map((field) => field.type);
    case "variant":
      return def.cases.map((one) => one.type);
    case "list":
    case "stream":
    case "future":
      return [def.element];
    case "tuple":
      return def.types;
    case "option":
    case "own":
    case "borrow":
      return [def.type];
    case "result":
      return [def.ok, def.error];
    case "map":
      return [def.key, def.value];
    case "func":
      return [...def.params.map((param) => param.type), def.result];
  }
}

function build(def: DefValType | FuncTypeDef, scope: TypeScope): ValType | FuncType {
  const of = (ref: ValTypeRef): ValType => valType(ref, scope);
  const maybe = (ref: ValTypeRef | undefined): ValType | undefined => (ref === undefined ? undefined : valType(ref, scope));
  switch (def.kind) {
    case "primitive":
      return primitive(def.primitive);
    case "flags":
    case "enum":
      return { kind: def.kind, labels: def.labels };
    case "record":
      return { kind: "record", fields: def.fields.map(({ name, type }) => ({ name, type: of(type) })) };
    case "variant":
      return { kind: "variant", cases: def.cases.map(({ name, type }) => ({ name, type: maybe(type) })) };
    case "list":
      return { kind: "list", element: of(def.element), length: def.length };
    case "tuple":
      return { kind: "tuple", types: def.types.map(of) };
    case "option":
      return { kind: "option", type: of(def.type) };
    case "result":
      return { kind: "result", ok: maybe(def.ok), error: maybe(def.error) };
    case "map":
      return { kind: "map", key: of(def.key), value: of(def.value) };
    case "own":
    case "borrow":
      return { kind: def.kind, resource: resourceAt(scope, def.type) };
    case "stream":
    case "future":
      return { kind: def.kind, element: maybe(def.element) };
    case "func":
      return {
        kind: "func",
        async: def.async,
        params: def.params.map(({ name, type }) => ({ name, type: of(type) })),
        result: maybe(def.result),
      };
  }
}
