// Static validation of a component (component-model Explainer, Binary and Canonical ABI, August 2026). Executes nothing; the
// bodies of core functions are validated by V8 when it compiles them. Bounds: see `type-model.ts`.

import type { WorldType } from "../wit/types.ts";
import type { Component, Definition, DefinitionOf } from "./component.ts";
import { Scope } from "./scope.ts";
import { checkSubtype } from "./subtyping.ts";
import { TypeFactory, type ComponentNode } from "./type-model.ts";
import { validateCanon } from "./validate-canon.ts";
import { validateCoreInstance, validateCoreModule, validateCoreType } from "./validate-core.ts";
import { defineExtern, enterBound, resolveBound } from "./validate-externs.ts";
import { validateInstance } from "./validate-instances.ts";
import { validateAlias, validateType } from "./validate-types.ts";
import { checkValuesUsed, validateStart, validateValue } from "./validate-values.ts";
import { quote } from "./extern-names.ts";
import { worldOf } from "./world.ts";

/**
 * Proves a component sound and gives its type: what it imports and exports, with WIT types and their names.
 * @throws StarlaneError `component/invalid` (`component/malformed` for a broken core module) with the byte offset of the
 *   definition at fault in `at` and `data.offset`
 */
export function validate(component: Component): WorldType {
  const factory = new TypeFactory();
  return worldOf(factory, validateComponent(component, factory, undefined));
}

function validateComponent(component: Component, factory: TypeFactory, parent: Scope | undefined): ComponentNode {
  const scope = new Scope("component", factory, parent);
  for (const definition of component.definitions) {
    factory.offset = definition.offset;
    factory.step();
    validateDefinition(scope, definition);
  }
  factory.offset = component.offset;
  checkValuesUsed(scope);
  return factory.component(scope.imports, scope.exports, scope.importedResources, scope.definedResources());
}

function validateDefinition(scope: Scope, definition: Definition): void {
  switch (definition.kind) {
    case "core-module":
      scope.coreModules.push(validateCoreModule(scope, definition.bytes, definition.offset));
      return;
    case "core-instance":
      scope.coreInstances.push(validateCoreInstance(scope, definition.expr));
      return;
    case "core-type":
      scope.coreTypes.push(...validateCoreType(scope, definition.type));
      return;
    case "component":
      scope.components.push(validateComponent(definition.component, scope.factory, scope));
      return;
    case "instance":
      scope.instances.push(validateInstance(scope, definition.expr));
      return;
    case "alias":
      validateAlias(scope, definition.alias);
      return;
    case "type":
      scope.types.push(validateType(scope, definition.type));
      return;
    case "canon":
      validateCanon(scope, definition.canon);
      return;
    case "start":
      validateStart(scope, definition);
      return;
    case "import":
      defineExtern(
        scope,
        "import",
        definition.name,
        enterBound(scope, "import", definition.name.name, resolveBound(scope, definition.type)),
      );
      return;
    case "export":
      validateExport(scope, definition);
      return;
    case "value":
      validateValue(scope, definition);
  }
}

/** An export has the type of what is exported, or one that is written with it and may only be weaker. */
function validateExport(scope: Scope, { name, item, type }: DefinitionOf<"export">): void {
  const actual = scope.entity(item.sort, item.index);
  const bound = type === undefined ? actual : resolveBound(scope, type);
  if (bound.kind === "sub-resource") {
    if (actual.kind !== "type" || actual.type.kind !== "resource")
      throw scope.fail(`export ${quote(name.name)}: the type is not a resource type`);
  } else if (bound !== actual) {
    checkSubtype(scope.factory, actual, bound, `the ascribed type of export ${quote(name.name)} is not compatible`);
  }
  defineExtern(scope, "export", name, enterBound(scope, "export", name.name, bound));
}
