// The type of a component as the rest of Starlane sees it: WIT types with the names that imports and exports give them.
// What was shared stays shared, so the result is never larger than what was validated.

import type { ExternType, FuncType, InterfaceType, NamedExtern, ResourceType, ValType, WorldType } from "../wit/types.ts";
import { coreExternText, type ModuleType } from "./core-types.ts";
import type {
  AnyType,
  ComponentNode,
  Entity,
  Externs,
  FuncNode,
  InstanceNode,
  Resource,
  TypeFactory,
  ValNode,
} from "./type-model.ts";

/** Everything a component asks for and offers. */
export function worldOf(factory: TypeFactory, component: ComponentNode): WorldType {
  const naming = new Naming(factory);
  naming.visit(component.imports, undefined);
  naming.visit(component.exports, undefined);
  const conversion = new Conversion(factory, naming);
  return { imports: conversion.externs(component.imports), exports: conversion.externs(component.exports) };
}

/** Collects the first name that each type is imported or exported under. */
class Naming {
  readonly values = new Map<ValNode, string>();
  readonly resources = new Map<Resource, ResourceType>();
  readonly #factory: TypeFactory;

  constructor(factory: TypeFactory) {
    this.#factory = factory;
  }

  visit(externs: Externs, inInterface: string | undefined): void {
    for (const [name, { type }] of externs) {
      this.#factory.step();
      if (type.kind === "instance") this.visit(type.type.exports, name);
      else if (type.kind === "component") this.#visitComponent(type.type);
      else if (type.kind === "type") this.#visitType(type.type, name, inInterface);
    }
  }

  #visitType(type: AnyType, name: string, inInterface: string | undefined): void {
    if (type.kind === "value" && !this.values.has(type)) this.values.set(type, name);
    if (type.kind === "instance") this.visit(type.exports, name);
    if (type.kind === "component") this.#visitComponent(type);
    if (type.kind === "resource" && !this.resources.has(type.resource)) {
      this.resources.set(type.resource, { kind: "resource", name, interface: inInterface });
    }
  }

  #visitComponent(component: ComponentNode): void {
    this.visit(component.imports, undefined);
    this.visit(component.exports, undefined);
  }

  resource(resource: Resource): ResourceType {
    let type = this.resources.get(resource);
    if (type === undefined) {
      type = { kind: "resource" };
      this.resources.set(resource, type);
    }
    return type;
  }
}

class Conversion {
  readonly #factory: TypeFactory;
  readonly #naming: Naming;
  readonly #values = new Map<ValNode, ValType>();
  readonly #funcs = new Map<FuncNode, FuncType>();
  readonly #interfaces = new Map<InstanceNode | ComponentNode, InterfaceType>();

  constructor(factory: TypeFactory, naming: Naming) {
    this.#factory = factory;
    this.#naming = naming;
  }

  externs(externs: Externs): NamedExtern[] {
    return Array.from(externs.values(), ({ name, type }) => ({
      name: name.name,
      type: this.#entity(type),
      ...(name.implements === undefined ? {} : { implements: name.implements }),
    }));
  }

  #entity(entity: Entity): ExternType {
    this.#factory.step();
    switch (entity.kind) {
      case "func":
        return this.#func(entity.type);
      case "instance":
      case "component":
        return this.#interface(entity.type);
      case "core-module":
        return this.#module(entity.type);
      case "value":
        return { kind: "value", type: this.#val(entity.type) };
      case "type":
        return { kind: "type", type: this.#type(entity.type) };
    }
  }

  #type(type: AnyType): ValType | ResourceType | FuncType | InterfaceType {
    switch (type.kind) {
      case "value":
        return this.#val(type);
      case "resource":
        return this.#naming.resource(type.resource);
      case "func":
        return this.#func(type);
      case "instance":
      case "component":
        return this.#interface(type);
    }
  }

  #interface(node: InstanceNode | ComponentNode): InterfaceType {
    let type = this.#interfaces.get(node);
    if (type === undefined) {
      const exports = this.externs(node.exports);
      type =
        node.kind === "instance"
          ? { kind: "instance", exports }
          : { kind: "component", imports: this.externs(node.imports), exports };
      this.#interfaces.set(node, type);
    }
    return type;
  }

  #module(type: ModuleType): ExternType {
    this.#factory.step(type.imports.length + type.exports.size);
    const { core } = this.#factory;
    return {
      kind: "core-module",
      imports: type.imports.map(({ module, name, type: item }) => ({ module, name, type: coreExternText(item, core) })),
      exports: Array.from(type.exports, ([name, item]) => ({ name, type: coreExternText(item, core) })),
    };
  }

  #func(node: FuncNode): FuncType {
    let type = this.#funcs.get(node);
    if (type === undefined) {
      const params = node.params.map((param) => ({ name: param.name, type: this.#val(param.type) }));
      type = {
        kind: "func",
        async: node.async,
        params,
        ...(node.result === undefined ? {} : { result: this.#val(node.result) }),
      };
      this.#funcs.set(node, type);
    }
    return type;
  }

  #optional(node: ValNode | undefined): ValType | undefined {
    return node === undefined ? undefined : this.#val(node);
  }

  #val(node: ValNode): ValType {
    let type = this.#values.get(node);
    if (type === undefined) {
      type = this.#convert(node);
      this.#values.set(node, type);
    }
    return type;
  }

  #convert(node: ValNode): ValType {
    const { shape } = node;
    const name = this.#naming.values.get(node);
    const named = name === undefined ? {} : { name };
    switch (shape.kind) {
      case "primitive":
        return { kind: shape.primitive };
      case "record":
        return {
          kind: "record",
          fields: shape.fields.map((field) => ({ name: field.name, type: this.#val(field.type) })),
          ...named,
        };
      case "variant":
        return { kind: "variant", cases: shape.cases.map((c) => ({ name: c.name, type: this.#optional(c.type) })), ...named };
      case "enum":
      case "flags":
        return { kind: shape.kind, labels: shape.labels, ...named };
      case "tuple":
        return { kind: "tuple", types: shape.types.map((type) => this.#val(type)) };
      case "list":
        return { kind: "list", element: this.#val(shape.element), length: shape.length };
      case "map":
        return { kind: "map", key: this.#val(shape.key), value: this.#val(shape.value) };
      case "option":
        return { kind: "option", type: this.#val(shape.type) };
      case "result":
        return { kind: "result", ok: this.#optional(shape.ok), error: this.#optional(shape.error) };
      case "own":
      case "borrow":
        return { kind: shape.kind, resource: this.#naming.resource(shape.resource.resource) };
      case "stream":
      case "future":
        return { kind: shape.kind, element: this.#optional(shape.element) };
    }
  }
}
