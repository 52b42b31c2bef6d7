// Replaces resources in types: what instantiation does with the imports of a component and with what it defines afresh.
// What mentions none of the resources keeps its identity, so names given to it stay valid.

import type {
  AnyType,
  BoundResource,
  Entity,
  Extern,
  Externs,
  FuncNode,
  Resource,
  ResourceRef,
  TypeFactory,
  ValNode,
} from "./type-model.ts";
import { infoOfType, mapShape, type ComponentNode, type InstanceNode } from "./type-model.ts";

export class Substitution {
  readonly #factory: TypeFactory;
  readonly #resources = new Map<Resource, Resource>();
  readonly #values = new Map<ValNode, ValNode>();
  readonly #refs = new Map<ResourceRef, ResourceRef>();
  readonly #others = new Map<FuncNode | InstanceNode | ComponentNode, FuncNode | InstanceNode | ComponentNode>();

  constructor(factory: TypeFactory) {
    this.#factory = factory;
  }

  /** Every mention of a resource becomes another. */
  set(from: Resource, to: Resource): void {
    this.#resources.set(from, to);
  }

  /** What is given for an import also takes its place as a name: types made of the import are then made of what is given. */
  rename(from: Entity, to: Entity): void {
    this.#factory.step();
    if (from.kind === "instance" && to.kind === "instance") {
      for (const [name, { type }] of from.type.exports) {
        const given = to.type.exports.get(name);
        if (given !== undefined) this.rename(type, given.type);
      }
    }
    if (from.kind !== "type" || to.kind !== "type") return;
    if (from.type.kind === "value" && to.type.kind === "value") this.#values.set(from.type, to.type);
    if (from.type.kind === "resource" && to.type.kind === "resource") this.#refs.set(from.type, to.type);
  }

  entity(entity: Entity): Entity {
    switch (entity.kind) {
      case "func":
        return this.#same(entity, this.func(entity.type), (type) => ({ kind: "func", type }));
      case "instance":
        return this.#same(entity, this.instance(entity.type), (type) => ({ kind: "instance", type }));
      case "component":
        return this.#same(entity, this.component(entity.type), (type) => ({ kind: "component", type }));
      case "value":
        return this.#same(entity, this.val(entity.type), (type) => ({ kind: "value", type }));
      case "type":
        return this.#same(entity, this.type(entity.type), (type) => ({ kind: "type", type }));
      case "core-module":
        return entity;
    }
  }

  #same<T>(entity: Entity & { readonly type: T }, type: T, make: (type: T) => Entity): Entity {
    return type === entity.type ? entity : make(type);
  }

  externs(externs: Externs): Externs {
    const result = new Map<string, Extern>();
    let changed = false;
    for (const [name, item] of externs) {
      const type = this.entity(item.type);
      changed ||= type !== item.type;
      result.set(name, type === item.type ? item : { name: item.name, type });
    }
    return changed ? result : externs;
  }

  type(type: AnyType): AnyType {
    switch (type.kind) {
      case "value":
        return this.val(type);
      case "resource":
        return this.ref(type);
      case "func":
        return this.func(type);
      case "instance":
        return this.instance(type);
      case "component":
        return this.component(type);
    }
  }

  ref(ref: ResourceRef): ResourceRef {
    const done = this.#refs.get(ref);
    if (done !== undefined) return done;
    const to = this.#resources.get(ref.resource);
    const result: ResourceRef = to === undefined ? ref : { kind: "resource", resource: to };
    this.#refs.set(ref, result);
    return result;
  }

  val(node: ValNode): ValNode {
    if (this.#isUntouched(node)) return node;
    const done = this.#values.get(node);
    if (done !== undefined) return done;
    this.#factory.step();
    let changed = false;
    const part = <T>(from: T, to: T): T => {
      changed ||= from !== to;
      return to;
    };
    const shape = mapShape(
      node.shape,
      (val) => part(val, this.val(val)),
      (ref) => part(ref, this.ref(ref)),
    );
    const result = changed ? this.#factory.value(shape) : node;
    this.#values.set(node, result);
    return result;
  }

  func(node: FuncNode): FuncNode {
    return this.#once(node, () => {
      const params = node.params.map(({ name, type }) => ({ name, type: this.val(type) }));
      const result = node.result === undefined ? undefined : this.val(node.result);
      const same = result === node.result && params.every((param, i) => param.type === node.params[i]?.type);
      return same ? node : this.#factory.func(node.async, params, result);
    });
  }

  instance(node: InstanceNode): InstanceNode {
    return this.#once(node, () => {
      const exports = this.externs(node.exports);
      return exports === node.exports ? node : this.#factory.instance(exports, node.defined);
    });
  }

  component(node: ComponentNode): ComponentNode {
    return this.#once(node, () => {
      const [imports, exports] = [this.externs(node.imports), this.externs(node.exports)];
      if (imports === node.imports && exports === node.exports) return node;
      return this.#factory.component(imports, exports, node.imported, node.defined);
    });
  }

  /** Whether nothing in a type can change. */
  #isUntouched(type: AnyType): boolean {
    return !infoOfType(type).identities || this.#resources.size + this.#values.size + this.#refs.size === 0;
  }

  /** Maps a type once, so that what was shared stays shared. */
  #once<T extends FuncNode | InstanceNode | ComponentNode>(type: T, make: () => T): T {
    if (this.#isUntouched(type)) return type;
    this.#factory.step();
    const done = this.#others.get(type);
    if (isSameKind(done, type)) return done;
    const made = make();
    this.#others.set(type, made);
    return made;
  }
}

function isSameKind<T extends AnyType>(done: AnyType | undefined, type: T): done is T {
  return done?.kind === type.kind;
}

/** What a path of export names leads to, if anything. */
export function find(externs: Externs, path: readonly string[]): Entity | undefined {
  let at: Externs = externs;
  for (const [i, name] of path.entries()) {
    const entity = at.get(name)?.type;
    if (i === path.length - 1 || entity?.kind !== "instance") return i === path.length - 1 ? entity : undefined;
    at = entity.type.exports;
  }
  return undefined;
}

/** Maps each of `bound` to the resource that lies at its path in `externs`; one that is not there stays as it is. */
export function bindTo(substitution: Substitution, bound: readonly BoundResource[], externs: Externs): void {
  for (const { resource, path } of bound) {
    const found = find(externs, path);
    if (found?.kind === "type" && found.type.kind === "resource") substitution.set(resource, found.type.resource);
  }
}

/** An instance type as an actual instance: what it defines is fresh, and told to `onResource`. */
export function openInstance(
  factory: TypeFactory,
  node: InstanceNode,
  onResource: (resource: Resource, path: readonly string[]) => void,
): InstanceNode {
  if (node.defined.length === 0) return node;
  const substitution = new Substitution(factory);
  for (const { resource, path } of node.defined) {
    const fresh = factory.resource().resource;
    substitution.set(resource, fresh);
    onResource(fresh, path);
  }
  return factory.instance(substitution.externs(node.exports));
}
