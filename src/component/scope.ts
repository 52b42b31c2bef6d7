// The index spaces of a component, component type or instance type while it is validated, and what it imports and exports
// so far. Every lookup is checked.

import type { ComponentSort, CoreExternType as CoreExtern, CoreSort } from "./component.ts";
import type { ModuleType } from "./core-types.ts";
import type {
  AnyType,
  BoundResource,
  ComponentNode,
  Entity,
  Extern,
  Externs,
  FuncNode,
  InstanceNode,
  Resource,
  ResourceRef,
  TypeFactory,
  ValNode,
} from "./type-model.ts";

export type Side = "import" | "export";

/** A core type: a module type, or a type number of `CoreTypes`. */
export type CoreTypeEntry = ModuleType | { readonly kind: "type"; readonly id: number };

/** A value of the value index space; each must be used exactly once. */
interface ValueEntry {
  readonly type: ValNode;
  used: boolean;
}

export type CoreInstance = ReadonlyMap<string, CoreExtern>;

export class Scope {
  readonly kind: "component" | "component-type" | "instance-type";
  readonly parent: Scope | undefined;
  readonly factory: TypeFactory;

  readonly funcs: FuncNode[] = [];
  readonly values: ValueEntry[] = [];
  readonly types: AnyType[] = [];
  readonly components: ComponentNode[] = [];
  readonly instances: InstanceNode[] = [];
  readonly coreTypes: CoreTypeEntry[] = [];
  readonly coreModules: ModuleType[] = [];
  readonly coreInstances: CoreInstance[] = [];
  readonly coreItems: { readonly [K in CoreExtern["kind"]]: Extract<CoreExtern, { kind: K }>[] } = {
    func: [],
    table: [],
    memory: [],
    global: [],
    tag: [],
  };

  readonly imports = new Map<string, Extern>();
  readonly exports = new Map<string, Extern>();
  /** Uniqueness keys of the names taken, with the names. */
  readonly taken: Readonly<Record<Side, Map<string, string>>> = { import: new Map(), export: new Map() };
  /** Types that have a name outside: what imports may use, and what exports may use. */
  readonly visible: Readonly<Record<Side, Set<object>>> = { import: new Set(), export: new Set() };
  /** Resources by the label they are imported or exported under. */
  readonly resourceNames: Readonly<Record<Side, Map<string, Resource>>> = { import: new Map(), export: new Map() };
  readonly importedResources: BoundResource[] = [];
  /** Resources that come into being in this scope: defined, fresh from an instantiation, or abstract in an export. */
  readonly ownResources = new Set<Resource>();
  /** Resources defined by this component itself, with the core type that represents them. */
  readonly localResources = new Map<Resource, "i32" | "i64">();
  /** The type that `context.get` and `context.set` of this component agree on. */
  contextType: string | undefined;

  constructor(kind: Scope["kind"], factory: TypeFactory, parent?: Scope) {
    this.kind = kind;
    this.factory = factory;
    this.parent = parent;
  }

  fail(message: string): Error {
    return this.factory.fail(message);
  }

  #get<T>(space: readonly T[], index: number, sort: string): T {
    const item = space[index];
    if (item === undefined) throw this.fail(`unknown ${sort} ${index}: index out of bounds`);
    return item;
  }

  func(index: number): FuncNode {
    return this.#get(this.funcs, index, "func");
  }

  type(index: number): AnyType {
    return this.#get(this.types, index, "type");
  }

  component(index: number): ComponentNode {
    return this.#get(this.components, index, "component");
  }

  instance(index: number): InstanceNode {
    return this.#get(this.instances, index, "instance");
  }

  coreType(index: number): CoreTypeEntry {
    return this.#get(this.coreTypes, index, "core type");
  }

  coreModule(index: number): ModuleType {
    return this.#get(this.coreModules, index, "core module");
  }

  coreInstance(index: number): CoreInstance {
    return this.#get(this.coreInstances, index, "core instance");
  }

  coreItem<K extends CoreExtern["kind"]>(kind: K, index: number): Extract<CoreExtern, { kind: K }> {
    return this.#get(this.coreItems[kind], index, `core ${kind}`);
  }

  /** The value at an index, which is hereby used. */
  useValue(index: number): ValNode {
    const value = this.#get(this.values, index, "value");
    if (value.used) throw this.fail(`value ${index} is used more than once`);
    value.used = true;
    return value.type;
  }

  resourceType(index: number): ResourceRef {
    const type = this.type(index);
    if (type.kind !== "resource") throw this.fail(`type ${index} is not a resource type`);
    return type;
  }

  /** What an index of a sort refers to, as something that can be passed or exported. */
  entity(sort: ComponentSort | CoreSort, index: number): Entity {
    switch (sort) {
      case "func":
        return { kind: "func", type: this.func(index) };
      case "value":
        return { kind: "value", type: this.useValue(index) };
      case "type":
        return { kind: "type", type: this.type(index) };
      case "component":
        return { kind: "component", type: this.component(index) };
      case "instance":
        return { kind: "instance", type: this.instance(index) };
      case "core module":
        return { kind: "core-module", type: this.coreModule(index) };
      case "core func":
      case "core table":
      case "core memory":
      case "core global":
      case "core tag":
      case "core type":
      case "core instance":
        throw this.fail(`a ${sort} cannot be passed or exported`);
    }
  }

  /** Appends something to the index space of its sort; the value that an export gives counts as used. */
  add(entity: Entity, side?: Side): void {
    this.factory.step();
    switch (entity.kind) {
      case "func":
        this.funcs.push(entity.type);
        return;
      case "value":
        this.values.push({ type: entity.type, used: side === "export" });
        return;
      case "type":
        this.types.push(entity.type);
        return;
      case "component":
        this.components.push(entity.type);
        return;
      case "instance":
        this.instances.push(entity.type);
        return;
      case "core-module":
        this.coreModules.push(entity.type);
    }
  }

  addCore(item: CoreExtern): void {
    switch (item.kind) {
      case "func":
        this.coreItems.func.push(item);
        return;
      case "table":
        this.coreItems.table.push(item);
        return;
      case "memory":
        this.coreItems.memory.push(item);
        return;
      case "global":
        this.coreItems.global.push(item);
        return;
      case "tag":
        this.coreItems.tag.push(item);
    }
  }

  /** The resources of this scope that its exports introduce, each with the first names that lead to it. */
  definedResources(): BoundResource[] {
    const found = new Map<Resource, BoundResource>();
    const walk = (externs: Externs, path: readonly string[]): void => {
      for (const [name, { type: entity }] of externs) {
        this.factory.step();
        if (entity.kind === "instance" && entity.type.info.resources) walk(entity.type.exports, [...path, name]);
        if (entity.kind !== "type" || entity.type.kind !== "resource") continue;
        const { resource } = entity.type;
        if (this.ownResources.has(resource) && !found.has(resource)) found.set(resource, { resource, path: [...path, name] });
      }
    };
    walk(this.exports, []);
    return [...found.values()];
  }
}
