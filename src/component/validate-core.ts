// Core types, core modules and core instances of a component. Bodies of functions are left to V8, which validates them when
// the module is compiled.

import type { CoreDeclarator, CoreExternType, CoreInstanceExpr, CoreLimits, CoreTypeDef, SortIndex } from "./component.ts";
import { readCoreModule } from "./core-module.ts";
import { coreExternText, mapExternType, type ModuleType } from "./core-types.ts";
import { quote } from "./extern-names.ts";
import type { CoreInstance, CoreTypeEntry, Scope } from "./scope.ts";

export function validateCoreType(scope: Scope, def: CoreTypeDef): CoreTypeEntry[] {
  if (def.kind === "module") return [validateModuleType(scope, def.declarators)];
  const ids = scope.factory.core.group(def.types, scope.coreTypes.length, (index) =>
    plainType(scope, scope.coreType(index), index),
  );
  scope.factory.step(ids.length);
  return ids.map((id) => ({ kind: "type", id }));
}

function plainType(scope: Scope, type: CoreTypeEntry, index: number): number {
  if (type.kind !== "type")
    throw scope.fail(`core type ${index} is a module type; a core function, struct or array type is needed here`);
  return type.id;
}

/** A module type has a type index space of its own, which starts empty. */
function validateModuleType(scope: Scope, declarators: readonly CoreDeclarator[]): ModuleType {
  const { factory } = scope;
  const outer = factory.offset;
  const types: number[] = [];
  const typeAt = (index: number): number => {
    const id = types[index];
    if (id === undefined) throw scope.fail(`unknown core type ${index}: type index out of bounds`);
    return id;
  };
  const resolve = (type: CoreExternType): CoreExternType => {
    const resolved = mapExternType(type, typeAt);
    checkExternType(scope, resolved);
    return resolved;
  };
  const builder = new ModuleTypeBuilder(scope);
  for (const declarator of declarators) {
    factory.offset = declarator.offset;
    factory.step();
    switch (declarator.kind) {
      case "type":
        if (declarator.type.kind === "module") throw scope.fail("a module type cannot be defined inside a module type");
        types.push(...factory.core.group(declarator.type.types, types.length, typeAt));
        break;
      case "alias":
        types.push(declarator.count === 0 ? typeAt(declarator.index) : outerType(scope, declarator.count - 1, declarator.index));
        break;
      case "import":
        builder.import(declarator.module, declarator.name, resolve(declarator.type));
        break;
      case "export":
        builder.export(declarator.name, resolve(declarator.type));
        break;
    }
  }
  factory.offset = outer;
  return builder.type;
}

function outerType(scope: Scope, count: number, index: number): number {
  let target: Scope | undefined = scope;
  for (let i = 0; i < count; i++) target = target?.parent;
  if (target === undefined) throw scope.fail(`invalid outer alias count of ${count + 1}`);
  return plainType(scope, target.coreType(index), index);
}

class ModuleTypeBuilder {
  readonly #scope: Scope;
  readonly #imported = new Set<string>();
  readonly #imports: { module: string; name: string; type: CoreExternType }[] = [];
  readonly #exports = new Map<string, CoreExternType>();
  readonly type: ModuleType;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.type = { kind: "core-module", imports: this.#imports, exports: this.#exports };
  }

  /** Both names of an import together are one name of the component model, so they must be unique. */
  import(module: string, name: string, type: CoreExternType): void {
    const key = `${module}\0${name}`;
    if (this.#imported.has(key)) throw this.#scope.fail(`duplicate import name ${quote(`${module}:${name}`)} of a core module`);
    this.#imported.add(key);
    this.#imports.push({ module, name, type });
  }

  export(name: string, type: CoreExternType): void {
    if (this.#exports.has(name)) throw this.#scope.fail(`core module export name ${quote(name)} is already defined`);
    this.#exports.set(name, type);
  }
}

function checkExternType(scope: Scope, type: CoreExternType): void {
  const { core } = scope.factory;
  if ((type.kind === "func" || type.kind === "tag") && core.funcType(type.type) === undefined) {
    throw scope.fail("the type of a core func or tag must be a function type");
  }
  if (type.kind === "memory") {
    const bytes = type.limits.addressType === "i32" ? 2n ** 32n : 2n ** 64n;
    checkLimits(scope, type.limits, bytes >> BigInt(Math.min(type.pageSizeLog2 ?? 16, 64)), "memory size");
  }
  if (type.kind === "table")
    checkLimits(scope, type.limits, type.limits.addressType === "i32" ? 2n ** 32n - 1n : 2n ** 64n - 1n, "table size");
}

function checkLimits(scope: Scope, { min, max }: CoreLimits, most: bigint, what: string): void {
  if (min > most || (max ?? 0n) > most) throw scope.fail(`${what} must be at most ${most}`);
  if (max !== undefined && min > max) throw scope.fail(`${what}: the minimum must not be greater than the maximum`);
}

/** What a core module that lies in the component imports and exports. */
export function validateCoreModule(scope: Scope, bytes: Uint8Array, offset: number): ModuleType {
  const module = readCoreModule(bytes, offset);
  const { factory } = scope;
  const ids: number[] = [];
  const typeAt = (index: number): number => {
    const id = ids[index];
    if (id === undefined) throw scope.fail(`unknown core type ${index}: type index out of bounds`);
    return id;
  };
  for (const [i, first] of module.groups.entries()) {
    const group = module.types.slice(first, module.groups[i + 1]);
    factory.step(group.length);
    ids.push(...factory.core.group(group, first, typeAt));
  }
  const builder = new ModuleTypeBuilder(scope);
  factory.step(module.imports.length + module.exports.length);
  for (const { module: from, name, type } of module.imports) builder.import(from, name, mapExternType(type, typeAt));
  for (const { name, type } of module.exports) builder.export(name, mapExternType(type, typeAt));
  return builder.type;
}

export function validateCoreInstance(scope: Scope, expr: CoreInstanceExpr): CoreInstance {
  if (expr.kind === "instantiate") return instantiateModule(scope, scope.coreModule(expr.module), expr.args);
  const exports = new Map<string, CoreExternType>();
  for (const { name, item } of expr.exports) {
    if (exports.has(name)) throw scope.fail(`export name ${quote(name)} of a core instance is already defined`);
    exports.set(name, coreItem(scope, item));
  }
  scope.factory.step(exports.size);
  return exports;
}

function coreItem(scope: Scope, { sort, index }: SortIndex): CoreExternType {
  const kind = ITEM_SORTS.find((each) => sort === `core ${each}`);
  if (kind === undefined) throw scope.fail(`a core instance cannot export a ${sort}`);
  return scope.coreItem(kind, index);
}

const ITEM_SORTS = ["func", "table", "memory", "global", "tag"] as const;

function instantiateModule(
  scope: Scope,
  module: ModuleType,
  args: readonly { readonly name: string; readonly instance: number }[],
): CoreInstance {
  const given = new Map<string, CoreInstance>();
  for (const { name, instance } of args) {
    if (given.has(name)) throw scope.fail(`argument ${quote(name)} is given more than once`);
    given.set(name, scope.coreInstance(instance));
  }
  const { core } = scope.factory;
  scope.factory.step(module.imports.length + args.length + 1);
  for (const { module: from, name, type } of module.imports) {
    const instance = given.get(from);
    if (instance === undefined) throw scope.fail(`missing argument ${quote(from)}, which the core module imports from`);
    const found = instance.get(name);
    if (found === undefined)
      throw scope.fail(`the core module imports ${quote(name)} from ${quote(from)}, which has no such export`);
    if (!core.matches(found, type)) {
      throw scope.fail(
        `type mismatch for ${quote(name)} of ${quote(from)}: the core module imports ${coreExternText(type, core)}, ` +
          `given is ${coreExternText(found, core)}`,
      );
    }
  }
  return module.exports;
}
