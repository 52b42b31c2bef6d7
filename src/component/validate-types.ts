// Type definitions: resources, component and instance types with their declarations, and aliases, which types share with
// components. Nesting is bounded by the decoder.

import type { Alias, ComponentSort, Declarator, ResourceTypeDef, TypeDef } from "./component.ts";
import { mapExternType } from "./core-types.ts";
import { quote } from "./extern-names.ts";
import { mentionsResources } from "./resource-use.ts";
import { Scope } from "./scope.ts";
import type { AnyType, ComponentNode, InstanceNode, ResourceRef } from "./type-model.ts";
import { validateCoreType } from "./validate-core.ts";
import { defineExtern, enterBound, resolveBound } from "./validate-externs.ts";
import { validateFuncType, validateValType } from "./validate-val-types.ts";

export function validateType(scope: Scope, def: TypeDef): AnyType {
  if (def.kind === "func") return validateFuncType(scope, def);
  if (def.kind === "resource") return validateResource(scope, def);
  if (def.kind === "component") return validateComponentType(scope, def.declarators);
  return def.kind === "instance" ? validateInstanceType(scope, def.declarators) : validateValType(scope, def);
}

function validateResource(scope: Scope, def: ResourceTypeDef): ResourceRef {
  if (scope.kind !== "component") throw scope.fail("resources can only be defined within a concrete component");
  if (def.dtor !== undefined) {
    const type = scope.factory.core.funcType(scope.coreItem("func", def.dtor).type);
    if (type?.params.length !== 1 || type.params[0] !== def.rep || type.results.length > 0) {
      throw scope.fail(
        `core func ${def.dtor} has the wrong signature for a destructor: it must take one ${def.rep} and return nothing`,
      );
    }
  }
  const ref = scope.factory.resource();
  scope.ownResources.add(ref.resource);
  scope.localResources.set(ref.resource, def.rep);
  return ref;
}

function validateComponentType(parent: Scope, declarators: readonly Declarator[]): ComponentNode {
  const scope = new Scope("component-type", parent.factory, parent);
  validateDeclarators(scope, declarators);
  return parent.factory.component(scope.imports, scope.exports, scope.importedResources, scope.definedResources());
}

function validateInstanceType(parent: Scope, declarators: readonly Declarator[]): InstanceNode {
  const scope = new Scope("instance-type", parent.factory, parent);
  validateDeclarators(scope, declarators);
  return parent.factory.instance(scope.exports, scope.definedResources());
}

function validateDeclarators(scope: Scope, declarators: readonly Declarator[]): void {
  const { factory } = scope;
  const outer = factory.offset;
  for (const declarator of declarators) {
    factory.offset = declarator.offset;
    validateDeclarator(scope, declarator);
  }
  factory.offset = outer;
}

function validateDeclarator(scope: Scope, declarator: Declarator): void {
  switch (declarator.kind) {
    case "core-type":
      scope.coreTypes.push(...validateCoreType(scope, declarator.type));
      return;
    case "type":
      scope.types.push(validateType(scope, declarator.type));
      return;
    case "alias":
      checkDeclaredAlias(scope, declarator.alias);
      validateAlias(scope, declarator.alias);
      return;
    case "import":
    case "export": {
      const { kind, name, type } = declarator;
      defineExtern(scope, kind, name, enterBound(scope, kind, name.name, resolveBound(scope, type)));
    }
  }
}

/** Inside a type, only types and instances may be aliased. */
function checkDeclaredAlias(scope: Scope, alias: Alias): void {
  const allowed =
    (alias.kind === "export" && (alias.sort === "instance" || alias.sort === "type")) ||
    (alias.kind === "outer" && (alias.sort === "core type" || alias.sort === "type"));
  if (!allowed)
    throw scope.fail(`aliases inside a component or instance type may only refer to types or instances, not to a ${alias.sort}`);
}

export function validateAlias(scope: Scope, alias: Alias): void {
  scope.factory.step();
  switch (alias.kind) {
    case "export":
      return aliasExport(scope, alias.sort, alias.instance, alias.name);
    case "core-export":
      return aliasCoreExport(scope, alias);
    case "outer":
      return aliasOuter(scope, alias);
  }
}

function aliasExport(scope: Scope, sort: ComponentSort | "core module", instance: number, name: string): void {
  const found = scope.instance(instance).exports.get(name)?.type;
  const kind = sort === "core module" ? "core-module" : sort;
  if (found === undefined) throw scope.fail(`instance ${instance} has no export named ${quote(name)}`);
  if (found.kind !== kind) throw scope.fail(`export ${quote(name)} of instance ${instance} is not a ${sort}`);
  scope.add(found);
}

function aliasCoreExport(scope: Scope, alias: Extract<Alias, { kind: "core-export" }>): void {
  const found = scope.coreInstance(alias.instance).get(alias.name);
  if (found === undefined) throw scope.fail(`core instance ${alias.instance} has no export named ${quote(alias.name)}`);
  if (`core ${found.kind}` !== alias.sort) {
    throw scope.fail(`export ${quote(alias.name)} of core instance ${alias.instance} is not a ${alias.sort}`);
  }
  scope.addCore(mapExternType(found, (index) => index));
}

/** Takes something from an enclosing scope; what depends on resources may not cross into a component. */
function aliasOuter(scope: Scope, alias: Extract<Alias, { kind: "outer" }>): void {
  let target = scope;
  let intoComponent = false;
  for (let i = 0; i < alias.count; i++) {
    if (target.parent === undefined) throw scope.fail(`invalid outer alias count of ${alias.count}`);
    intoComponent ||= target.kind === "component";
    target = target.parent;
  }
  if (alias.sort === "type") {
    const type = target.type(alias.index);
    if (intoComponent && mentionsResources(scope.factory, type)) {
      throw scope.fail("an outer alias into a component cannot name a type that transitively refers to resources");
    }
    scope.types.push(type);
  } else if (alias.sort === "component") {
    scope.components.push(target.component(alias.index));
  } else if (alias.sort === "core type") {
    scope.coreTypes.push(target.coreType(alias.index));
  } else if (alias.sort === "core module") {
    scope.coreModules.push(target.coreModule(alias.index));
  } else {
    throw scope.fail(`an outer alias cannot name the sort ${alias.sort}: only types, components and core modules`);
  }
}
