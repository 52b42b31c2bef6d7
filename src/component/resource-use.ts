// Whether a type refers to resources that it does not itself introduce.

import {
  infoOf,
  infoOfType,
  partsOf,
  type AnyType,
  type Entity,
  type Externs,
  type Resource,
  type TypeFactory,
  type ValNode,
} from "./type-model.ts";

/** Whether a type transitively refers to a resource from outside of it. */
export function mentionsResources(factory: TypeFactory, type: AnyType): boolean {
  if (!infoOfType(type).resources) return false;
  const used = new Set<Resource>();
  const bound = new Set<Resource>();
  const seen = new Set<object>();

  const visitType = (item: AnyType): void => {
    if (!infoOfType(item).resources || seen.has(item)) return;
    factory.step();
    seen.add(item);
    switch (item.kind) {
      case "resource":
        used.add(item.resource);
        return;
      case "value":
        visitVal(item);
        return;
      case "func":
        for (const param of item.params) visitType(param.type);
        if (item.result !== undefined) visitType(item.result);
        return;
      case "instance":
        for (const { resource } of item.defined) bound.add(resource);
        visitExterns(item.exports);
        return;
      case "component":
        for (const { resource } of [...item.imported, ...item.defined]) bound.add(resource);
        visitExterns(item.imports);
        visitExterns(item.exports);
    }
  };
  const visitVal = ({ shape }: ValNode): void => {
    if (shape.kind === "own" || shape.kind === "borrow") used.add(shape.resource.resource);
    for (const part of partsOf(shape)) visitType(part);
  };
  const visitExterns = (externs: Externs): void => {
    for (const { type: entity } of externs.values()) if (infoOf(entity).resources) visitEntity(entity);
  };
  const visitEntity = (entity: Entity): void => {
    if (entity.kind !== "core-module") visitType(entity.type);
  };

  visitType(type);
  return [...used].some((resource) => !bound.has(resource));
}
