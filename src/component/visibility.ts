// External visibility (component-model Explainer): a resource, record, variant, enum or flags type that an import or export
// uses must itself have a name outside. What was found visible once stays so, which keeps the walk linear.

import { quote } from "./extern-names.ts";
import type { Scope, Side } from "./scope.ts";
import { partsOf, type AnyType, type Entity, type FuncNode, type InstanceNode, type ValNode } from "./type-model.ts";

/** Checks that everything an import or export uses is visible, and makes the types it names visible. */
export function checkVisibility(scope: Scope, side: Side, name: string, entity: Entity): void {
  if (scope.kind === "instance-type") return;
  const visible = scope.visible[side];
  if (!isEntityVisible(scope, side, visible, entity)) {
    throw scope.factory.fail(
      `${side} ${quote(name)}: the ${entity.kind} uses a type that has no name of its own among the ${side}s`,
      `${side === "import" ? "Import" : "Export"} the type first, then use the index that this gives.`,
    );
  }
}

function isEntityVisible(scope: Scope, side: Side, visible: Set<object>, entity: Entity): boolean {
  switch (entity.kind) {
    case "func":
      return isFuncVisible(scope, visible, entity.type);
    case "instance":
      return isInstanceVisible(scope, side, visible, entity.type);
    case "value":
      return isValVisible(scope, visible, entity.type);
    case "type":
      if (!areTypePartsVisible(scope, side, visible, entity.type)) return false;
      reveal(scope, side, entity.type);
      return true;
    case "component": // checked where the component or its type is defined
    case "core-module":
      return true;
  }
}

/** Imported types may be used by imports and exports, exported types by exports. */
function reveal(scope: Scope, side: Side, type: AnyType): void {
  scope.visible.export.add(type);
  if (side === "import") scope.visible.import.add(type);
}

/** Whether what a type is directly made of is visible; the type itself is being named. */
function areTypePartsVisible(scope: Scope, side: Side, visible: Set<object>, type: AnyType): boolean {
  switch (type.kind) {
    case "resource": // an import may only come from outside
      return side === "export" || !scope.ownResources.has(type.resource);
    case "component":
      return true;
    case "func":
      return isFuncVisible(scope, visible, type);
    case "instance":
      return isInstanceVisible(scope, side, visible, type);
    case "value":
      return arePartsVisible(scope, visible, type);
  }
}

function isInstanceVisible(scope: Scope, side: Side, visible: Set<object>, node: InstanceNode): boolean {
  for (const { type } of node.exports.values()) {
    scope.factory.step();
    if (!isEntityVisible(scope, side, visible, type)) return false;
  }
  return true;
}

function isFuncVisible(scope: Scope, visible: Set<object>, node: FuncNode): boolean {
  if (node.result !== undefined && !isValVisible(scope, visible, node.result)) return false;
  return node.params.every((param) => isValVisible(scope, visible, param.type));
}

function isValVisible(scope: Scope, visible: Set<object>, node: ValNode): boolean {
  const { kind } = node.shape;
  if (kind === "primitive" || visible.has(node)) return true;
  if (kind === "record" || kind === "variant" || kind === "enum" || kind === "flags") return false;
  if (!arePartsVisible(scope, visible, node)) return false;
  visible.add(node);
  return true;
}

function arePartsVisible(scope: Scope, visible: Set<object>, node: ValNode): boolean {
  const { shape } = node;
  if (shape.kind === "own" || shape.kind === "borrow") return visible.has(shape.resource);
  const parts = partsOf(shape);
  scope.factory.step(parts.length + 1);
  return parts.every((part) => isValVisible(scope, visible, part));
}
