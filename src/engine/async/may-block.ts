// Whether anything in a component can block: only then its guests need stacks that can be suspended.

import type { Canon, Component, Declarator, TypeDef } from "../../component/component.ts";

const SYNCHRONOUS = new Set<Canon["kind"]>(["resource.new", "resource.drop", "resource.rep", "lift", "lower"]);

export function mayBlock(component: Component): boolean {
  return component.definitions.some((definition) => {
    switch (definition.kind) {
      case "component":
        return mayBlock(definition.component);
      case "type":
        return hasAsync(definition.type);
      case "canon": {
        const { canon } = definition;
        if (canon.kind === "lift" || canon.kind === "lower") return canon.options.async;
        return !SYNCHRONOUS.has(canon.kind);
      }
      default:
        return false;
    }
  });
}

function hasAsync(type: TypeDef): boolean {
  switch (type.kind) {
    case "func":
      return type.async;
    case "component":
    case "instance":
      return type.declarators.some((declarator: Declarator) => declarator.kind === "type" && hasAsync(declarator.type));
    case "stream":
    case "future":
      return true;
    default:
      return false;
  }
}
