// Imports and exports: their names and attributes, the rules of `[constructor]`, `[method]` and `[static]` names, and what
// entering them into a scope brings about.

import type { ExternName, ExternTypeRef } from "./component.ts";
import {
  isCanonicalVersion,
  isSemver,
  parseExternName,
  parseInterfaceName,
  quote,
  uniquenessKey,
  type ParsedName,
} from "./extern-names.ts";
import type { Scope, Side } from "./scope.ts";
import { openInstance } from "./substitution.ts";
import type { AnyType, Entity, FuncNode, Resource } from "./type-model.ts";
import { resolveVal } from "./validate-val-types.ts";
import { checkVisibility } from "./visibility.ts";

/** The type of an import or export before it is entered: `sub-resource` is any resource type. */
export type Bound = Entity | { readonly kind: "sub-resource" };

export function resolveBound(scope: Scope, ref: ExternTypeRef): Bound {
  switch (ref.kind) {
    case "core-module": {
      const type = scope.coreType(ref.type);
      if (type.kind !== "core-module") throw scope.fail(`core type ${ref.type} is not a module type`);
      return { kind: "core-module", type };
    }
    case "func": {
      const type = scope.type(ref.type);
      if (type.kind !== "func") throw scope.fail(`type ${ref.type} is not a function type`);
      return { kind: "func", type };
    }
    case "instance": {
      const type = scope.type(ref.type);
      if (type.kind !== "instance") throw scope.fail(`type ${ref.type} is not an instance type`);
      return { kind: "instance", type };
    }
    case "component": {
      const type = scope.type(ref.type);
      if (type.kind !== "component") throw scope.fail(`type ${ref.type} is not a component type`);
      return { kind: "component", type };
    }
    case "type":
      return ref.bound.kind === "eq" ? { kind: "type", type: scope.type(ref.bound.type) } : { kind: "sub-resource" };
    case "value": {
      const type = ref.bound.kind === "eq" ? scope.values[ref.bound.value]?.type : resolveVal(scope, ref.bound.type);
      if (type === undefined) throw scope.fail("unknown value: index out of bounds");
      return { kind: "value", type };
    }
  }
}

/** What an import or export of a bound stands for inside the scope: abstract resources are fresh, types get a new identity. */
export function enterBound(scope: Scope, side: Side, name: string, bound: Bound): Entity {
  const onResource = (resource: Resource, path: readonly string[]): void => {
    if (side === "import") scope.importedResources.push({ resource, path: [name, ...path] });
    else scope.ownResources.add(resource);
  };
  if (bound.kind === "sub-resource") {
    const ref = scope.factory.resource();
    onResource(ref.resource, []);
    return { kind: "type", type: ref };
  }
  if (bound.kind === "instance") return { kind: "instance", type: openInstance(scope.factory, bound.type, onResource) };
  return bound.kind === "type" ? { kind: "type", type: renamed(bound.type) } : bound;
}

/** The same type with an identity of its own, as an import or export of it has. */
function renamed(type: AnyType): AnyType {
  return { ...type };
}

/** Enters an import or export into a scope: checks its name and type, and appends it to the index space of its sort. */
export function defineExtern(scope: Scope, side: Side, name: ExternName, entity: Entity): void {
  const parsed = checkName(scope, name, entity, `${side} name`);
  takeName(scope, scope.taken[side], name.name, side);
  checkAnnotation(scope, side, name.name, parsed, entity);
  checkVisibility(scope, side, name.name, entity);
  if (entity.kind === "value" && entity.type.info.borrow)
    throw scope.fail(`${side} ${quote(name.name)}: a value may not hold a \`borrow\``);
  if (parsed.kind === "plain" && entity.kind === "type" && entity.type.kind === "resource") {
    scope.resourceNames[side].set(parsed.label, entity.type.resource);
  }
  scope.add(entity, side);
  (side === "import" ? scope.imports : scope.exports).set(name.name, { name, type: entity });
}

/** Checks the grammar of a name and its attributes. */
export function checkName(scope: Scope, name: ExternName, entity: Entity, what: string): ParsedName {
  const parsed = parseExternName(name.name);
  if (typeof parsed === "string") throw scope.fail(`${what} ${parsed}`);
  if (name.implements !== undefined) {
    const implemented = parseInterfaceName(name.implements);
    if (typeof implemented === "string") throw scope.fail(`\`implements\` of ${quote(name.name)}: ${implemented}`);
    if (parsed.kind !== "plain") throw scope.fail(`${what} ${quote(name.name)} cannot have \`implements\`: only plain names can`);
    if (entity.kind !== "instance")
      throw scope.fail(`${what} ${quote(name.name)} cannot have \`implements\`: only instances can`);
  }
  if (name.versionSuffix !== undefined) checkVersionSuffix(scope, name.name, name.versionSuffix, parsed);
  return parsed;
}

function checkVersionSuffix(scope: Scope, name: string, suffix: string, parsed: ParsedName): void {
  const version = parsed.kind === "interface" ? parsed.version : undefined;
  if (version === undefined || !isCanonicalVersion(version)) {
    throw scope.fail(`${quote(name)} cannot have a version suffix: it does not end in a canonical version`);
  }
  if (!isSemver(version + suffix)) throw scope.fail(`${quote(version + suffix)} is not a version`);
}

/** Takes a name, which must be strongly unique among those taken. */
export function takeName(scope: Scope, taken: Map<string, string>, name: string, what: string): void {
  const key = uniquenessKey(name);
  const previous = taken.get(key);
  if (previous !== undefined) throw scope.fail(`${what} name ${quote(name)} conflicts with previous name ${quote(previous)}`);
  taken.set(key, name);
}

function checkAnnotation(scope: Scope, side: Side, name: string, parsed: ParsedName, entity: Entity): void {
  if (parsed.kind === "plain" || parsed.kind === "interface") return;
  if (entity.kind !== "func") throw scope.fail(`${side} ${quote(name)} is not a func`);
  const resource = scope.resourceNames[side].get(parsed.resource);
  switch (parsed.kind) {
    case "constructor":
      return checkConstructor(scope, name, entity.type, resource);
    case "method":
      return checkMethod(scope, name, entity.type, resource);
    case "static":
      if (resource === undefined)
        throw scope.fail(`${quote(name)}: no resource \`${parsed.resource}\` among the ${side}s before it`);
  }
}

function checkConstructor(scope: Scope, name: string, func: FuncNode, resource: Resource | undefined): void {
  if (func.result === undefined) throw scope.fail(`${quote(name)}: a constructor should return one value`);
  const { shape } = func.result;
  const made = shape.kind === "result" ? shape.ok?.shape : shape;
  if (made?.kind !== "own") throw scope.fail(`${quote(name)}: a constructor should return \`(own $T)\` or \`(result (own $T))\``);
  if (made.resource.resource !== resource)
    throw scope.fail(`${quote(name)}: the constructor returns another resource than its name says`);
}

function checkMethod(scope: Scope, name: string, func: FuncNode, resource: Resource | undefined): void {
  const self = func.params[0];
  if (self === undefined) throw scope.fail(`${quote(name)}: a method should have at least one parameter`);
  if (self.name !== "self") throw scope.fail(`${quote(name)}: a method should have a first parameter called \`self\``);
  const { shape } = self.type;
  if (shape.kind !== "borrow") throw scope.fail(`${quote(name)}: a method should take a first parameter of type \`(borrow $T)\``);
  if (shape.resource.resource !== resource)
    throw scope.fail(`${quote(name)}: the method borrows another resource than its name says`);
}
