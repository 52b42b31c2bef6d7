// Types as a person reads them in an error: short, and bounded in length.

import type { AnyType, ValNode } from "./type-model.ts";

const LONGEST = 3;
const LONGEST_LABEL = 40;

function short(label: string): string {
  return label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL)}…` : label;
}

export function describeVal(node: ValNode, depth = 0): string {
  const { shape } = node;
  const part = (type: ValNode | undefined): string =>
    type === undefined ? "_" : depth >= LONGEST ? "…" : describeVal(type, depth + 1);
  const names = (list: readonly string[]): string => (list.length > LONGEST ? [...list.slice(0, LONGEST), "…"] : list).join(", ");
  switch (shape.kind) {
    case "primitive":
      return shape.primitive;
    case "record":
      return `record { ${names(shape.fields.slice(0, LONGEST + 1).map((field) => `${short(field.name)}: ${part(field.type)}`))} }`;
    case "variant":
      return `variant { ${names(shape.cases.slice(0, LONGEST + 1).map((c) => (c.type === undefined ? short(c.name) : `${short(c.name)}(${part(c.type)})`)))} }`;
    case "flags":
    case "enum":
      return `${shape.kind} { ${names(shape.labels.slice(0, LONGEST + 1).map(short))} }`;
    case "tuple":
      return `tuple<${names(shape.types.slice(0, LONGEST + 1).map(part))}>`;
    case "list":
      return shape.length === undefined ? `list<${part(shape.element)}>` : `list<${part(shape.element)}, ${shape.length}>`;
    case "option":
      return `option<${part(shape.type)}>`;
    case "result":
      return `result<${part(shape.ok)}, ${part(shape.error)}>`;
    case "own":
    case "borrow":
      return `${shape.kind} handle`;
    case "stream":
    case "future":
      return shape.element === undefined ? shape.kind : `${shape.kind}<${part(shape.element)}>`;
    case "map":
      return `map<${part(shape.key)}, ${part(shape.value)}>`;
  }
}

export function describeType(type: AnyType): string {
  switch (type.kind) {
    case "value":
      return describeVal(type);
    case "resource":
      return "resource";
    case "func":
    case "instance":
    case "component":
      return `${type.kind} type`;
  }
}
