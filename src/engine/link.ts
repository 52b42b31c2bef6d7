// Instantiation: walks a component's definitions in order, fills its index spaces, instantiates core modules and nested components.
// Source: Explainer, Instance Definitions, Alias Definitions, Canonical Definitions, Import and Export Definitions.

import { StarlaneError } from "../base/errors.ts";
import type {
  CanonOptions,
  Component,
  CoreInstanceExpr,
  CoreTypeDef,
  Definition,
  DefinitionOf,
  InstanceExpr,
  SortIndex,
} from "../component/component.ts";
import { codecsOf } from "./abi/codec.ts";
import { AbiContext } from "./abi/context.ts";
import { asyncBuiltin, type BuiltinScope } from "./async/builtins.ts";
import { lowerOnStack, lowerWaitingFunction } from "./async/lower.ts";
import { mayBlock } from "./async/may-block.ts";
import { asImport } from "./async/stack.ts";
import { canonBuiltin } from "./builtins.ts";
import type { Imports } from "./engine.ts";
import { findImport, hostImport, HostLinking } from "./host-imports.ts";
import { ComponentInstance, enter, leave, notSupportedYet, type RuntimeResource } from "./instance.ts";
import type { ComponentClosure, ComponentScope, CoreModules, Item, Items } from "./items.ts";
import { type CoreFunction, LiftedFunction } from "./lift.ts";
import { anyMayWait } from "./may-wait.ts";
import { type HostFunction, lowerGuestFunction, lowerHostFunction } from "./lower.ts";
import {
  funcTypeAt,
  outerScope,
  pushCoreType,
  resolveType,
  resourceAt,
  type RuntimeType,
  typeAt,
  valType,
} from "./runtime-types.ts";
import { plain, type Surroundings } from "./surroundings.ts";
import { failureOf } from "./trap.ts";

/** Instantiates a root component against what the host provides. */
export function instantiateRoot(
  component: Component,
  modules: CoreModules,
  imports: Imports,
  around: Surroundings = plain(),
): Items {
  const linking = new HostLinking(around.intercept);
  const importItem: Import = (definition, scope) =>
    hostImport(definition.name.name, definition.type, scope, findImport(imports, definition.name.name), linking);
  const linker = new Linker({ component, modules, scope: undefined }, undefined, importItem, around);
  const { store } = linker.instance;
  store.isAttempt = around.isAttempt;
  store.mayBlock = around.onStacks || (around.isAttempt ? mayBlock(component) : needsStacks(component, imports));
  // Imports come before what uses them, so all that is missing is known before anything of the guest runs.
  linker.beforeRunning = () => linking.throwIfAny();
  return linker.link();
}

/** Whether something can block: guests then run on stacks that can be suspended. */
export function needsStacks(component: Component, imports: Imports): boolean {
  return mayBlock(component) || anyMayWait(imports);
}

type CoreOther = "core table" | "core memory" | "core global" | "core tag";

function isCoreOther(sort: string): sort is CoreOther {
  return sort === "core table" || sort === "core memory" || sort === "core global" || sort === "core tag";
}

type Import = (definition: DefinitionOf<"import">, scope: ComponentScope) => Item | undefined;

class Linker implements ComponentScope {
  readonly outer: ComponentScope | undefined;
  readonly types: RuntimeType[] = [];
  readonly coreTypes: (CoreTypeDef | undefined)[] = [];
  readonly components: ComponentClosure[] = [];
  readonly coreModules: WebAssembly.Module[] = [];
  beforeRunning: () => void = () => undefined;
  readonly #component: Component;
  readonly #modules: CoreModules;
  readonly instance: ComponentInstance;
  readonly #import: Import;
  readonly #funcs: (LiftedFunction | HostFunction)[] = [];
  readonly #instances: Items[] = [];
  readonly #coreFuncs: CoreFunction[] = [];
  /** The core instances that are no module's but were put together here. */
  readonly #bags = new WeakSet<object>();
  readonly #coreInstances: WebAssembly.ModuleImports[] = [];
  readonly #coreOthers: Record<CoreOther, unknown[]> = { "core table": [], "core memory": [], "core global": [], "core tag": [] };
  readonly #around: Surroundings;
  readonly #exports = new Map<string, Item>();

  constructor(closure: ComponentClosure, parent: ComponentInstance | undefined, importItem: Import, around: Surroundings) {
    this.#component = closure.component;
    this.#modules = closure.modules;
    this.outer = closure.scope;
    this.#around = around;
    this.instance = new ComponentInstance(parent, around.maxHandles);
    around.added(this.instance);
    this.#import = importItem;
  }

  link(): Items {
    for (const definition of this.#component.definitions) this.#define(definition);
    this.beforeRunning();
    return this.#exports;
  }

  #define(definition: Definition): void {
    switch (definition.kind) {
      case "core-module":
        this.coreModules.push(this.#compiled(definition));
        return;
      case "core-instance":
        this.#coreInstances.push(this.#coreInstance(definition.expr));
        return;
      case "core-type":
        pushCoreType(this, definition.type);
        return;
      case "component":
        this.components.push({ component: definition.component, modules: this.#modules, scope: this });
        return;
      case "instance":
        this.#instances.push(this.#makeInstance(definition.expr));
        return;
      case "alias":
        this.#alias(definition);
        return;
      case "type":
        this.types.push(
          definition.type.kind === "resource" ? this.#resource(definition.type.dtor) : resolveType(definition.type, this),
        );
        return;
      case "canon":
        this.#canon(definition);
        return;
      case "import": {
        const item = this.#import(definition, this);
        if (item !== undefined) this.#push(item);
        return;
      }
      case "export": {
        const item = this.#item(definition.item);
        this.#exports.set(definition.name.name, item);
        this.#push(item);
        return;
      }
      case "start":
      case "value":
        throw notSupportedYet(`a component with a ${definition.kind} definition`);
    }
  }

  #push(item: Item): void {
    switch (item.sort) {
      case "func":
        this.#funcs.push(item.func);
        return;
      case "instance":
        this.#instances.push(item.items);
        return;
      case "type":
        this.types.push(item.type);
        return;
      case "component":
        this.components.push(item.component);
        return;
      case "core module":
        this.coreModules.push(item.module);
    }
  }

  #item({ sort, index }: SortIndex): Item {
    switch (sort) {
      case "func":
        return { sort, func: at(this.#funcs, index) };
      case "instance":
        return { sort, items: at(this.#instances, index) };
      case "type":
        return { sort, type: typeAt(this, index) };
      case "component":
        return { sort, component: at(this.components, index) };
      case "core module":
        return { sort, module: at(this.coreModules, index) };
      default:
        throw notSupportedYet(`an import or export of sort ${sort}`);
    }
  }

  #compiled(definition: DefinitionOf<"core-module">): WebAssembly.Module {
    const module = this.#modules.get(definition);
    if (module === undefined) throw new StarlaneError("starlane/internal", "a core module was not compiled");
    return module;
  }

  #coreInstance(expr: CoreInstanceExpr): WebAssembly.ModuleImports {
    if (expr.kind === "exports") {
      const bag = Object.create(null) as WebAssembly.ModuleImports;
      this.#bags.add(bag);
      for (const { name, item } of expr.exports) bag[name] = this.#coreItem(item) as WebAssembly.ImportValue;
      return bag;
    }
    this.beforeRunning();
    const imports = Object.create(null) as WebAssembly.Imports;
    for (const { name, instance } of expr.args) imports[name] = this.#asImports(at(this.#coreInstances, instance));
    return this.#around.instantiate(at(this.coreModules, expr.module), imports);
  }

  /** Functions that may suspend their caller are given to modules in a form of their own. */
  #asImports(bag: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
    if (!this.instance.store.mayBlock || !this.#bags.has(bag)) return bag;
    const mapped = Object.create(null) as WebAssembly.ModuleImports;
    for (const [name, value] of Object.entries(bag)) mapped[name] = asImport(value) as WebAssembly.ImportValue;
    return mapped;
  }

  #coreItem({ sort, index }: SortIndex): unknown {
    switch (sort) {
      case "core func":
        return at(this.#coreFuncs, index);
      case "core table":
      case "core memory":
      case "core global":
      case "core tag":
        return at(this.#coreOthers[sort], index);
      default:
        throw notSupportedYet(`a core export of sort ${sort}`);
    }
  }

  #makeInstance(expr: InstanceExpr): Items {
    if (expr.kind === "exports") return new Map(expr.exports.map(({ name, item }) => [name.name, this.#item(item)]));
    const args = new Map(expr.args.map(({ name, item }) => [name, this.#item(item)]));
    const argument: Import = (definition) => {
      const item = args.get(definition.name.name);
      if (item === undefined) throw new StarlaneError("starlane/internal", `no argument for import ${definition.name.name}`);
      return item;
    };
    const linker = new Linker(at(this.components, expr.component), this.instance, argument, this.#around);
    linker.beforeRunning = () => this.beforeRunning();
    return linker.link();
  }

  #alias({ alias }: DefinitionOf<"alias">): void {
    switch (alias.kind) {
      case "export": {
        const item = at(this.#instances, alias.instance).get(alias.name);
        if (item === undefined) throw new StarlaneError("starlane/internal", `no export ${alias.name}`);
        this.#push(item);
        return;
      }
      case "core-export": {
        const value = at(this.#coreInstances, alias.instance)[alias.name];
        if (alias.sort === "core func") this.#coreFuncs.push(value as CoreFunction);
        else if (isCoreOther(alias.sort)) this.#coreOthers[alias.sort].push(value);
        else throw notSupportedYet(`an alias of sort ${alias.sort}`);
        return;
      }
      case "outer":
        this.#outerAlias(alias.sort, outerScope(this, alias.count) as ComponentScope, alias.index);
    }
  }

  #outerAlias(sort: SortIndex["sort"], scope: ComponentScope, index: number): void {
    if (sort === "type") this.types.push(typeAt(scope, index));
    else if (sort === "component") this.components.push(at(scope.components, index));
    else if (sort === "core module") this.coreModules.push(at(scope.coreModules, index));
    else if (sort === "core type") this.coreTypes.push(scope.coreTypes[index]);
    else throw notSupportedYet(`an outer alias of sort ${sort}`);
  }

  /** A resource type of this instance; its destructor runs as a call into the instance. */
  #resource(dtor: number | undefined): RuntimeResource {
    const impl = this.instance;
    const core = dtor === undefined ? undefined : at(this.#coreFuncs, dtor);
    const entering = impl.entering(undefined);
    return {
      kind: "resource",
      impl,
      dtor: (rep) => {
        try {
          enter(entering);
          impl.store.direct++;
          core?.(rep);
          impl.store.direct--;
          leave(entering);
        } catch (error) {
          throw failureOf(error);
        }
      },
      dtorFrom: (caller, rep) => {
        const instances = impl.entering(caller);
        enter(instances);
        impl.store.direct++;
        core?.(rep);
        impl.store.direct--;
        leave(instances);
      },
    };
  }

  #canon({ canon }: DefinitionOf<"canon">): void {
    switch (canon.kind) {
      case "lift": {
        const type = funcTypeAt(this, canon.type);
        const name = `function ${this.#funcs.length}`;
        const { async, callback, postReturn } = canon.options;
        const maybe = (index: number | undefined): CoreFunction | undefined =>
          index === undefined ? undefined : at(this.#coreFuncs, index);
        this.#funcs.push(
          new LiftedFunction(name, type, this.#context(canon.options), at(this.#coreFuncs, canon.func), {
            async,
            callback: maybe(callback),
            postReturn: maybe(postReturn),
          }),
        );
        return;
      }
      case "lower": {
        const func = at(this.#funcs, canon.func);
        const cx = this.#context(canon.options);
        const { async } = canon.options;
        if (async || func.type.async) this.#coreFuncs.push(lowerOnStack(func, cx, async));
        else if (!(func instanceof LiftedFunction)) {
          const waits = func.mayWait && !this.instance.store.isAttempt;
          this.#coreFuncs.push(waits ? lowerWaitingFunction(func, cx) : lowerHostFunction(func, cx));
        } else this.#coreFuncs.push(func.instance.store.mayBlock ? lowerOnStack(func, cx, false) : lowerGuestFunction(func, cx));
        return;
      }
      default:
        this.#coreFuncs.push(
          (this.instance.store.mayBlock ? asyncBuiltin(canon, this.#builtinScope()) : undefined) ??
            canonBuiltin(canon, this.instance, (index) => resourceAt(this, index)),
        );
    }
  }

  #builtinScope(): BuiltinScope {
    return {
      instance: this.instance,
      elementAt: (index) => {
        const type = typeAt(this, index);
        return type.kind === "stream" || type.kind === "future" ? type.element : undefined;
      },
      valType: (ref) => valType(ref, this),
      context: (options) => this.#context(options),
      memory: (index) => this.#around.memory(at(this.#coreOthers["core memory"], index)),
      table: (index) => at(this.#coreOthers["core table"], index) as WebAssembly.Table,
    };
  }

  #context(options: CanonOptions): AbiContext {
    const memory =
      options.memory === undefined ? undefined : this.#around.memory(at(this.#coreOthers["core memory"], options.memory));
    const realloc = options.realloc === undefined ? undefined : at(this.#coreFuncs, options.realloc);
    return new AbiContext(
      this.instance,
      options.stringEncoding,
      memory,
      realloc,
      codecsOf(memory?.pointer ?? 4),
      this.#around.maxValueBytes,
    );
  }
}

function at<T>(space: readonly T[], index: number): T {
  const value = space[index];
  if (value === undefined) throw new StarlaneError("starlane/internal", `index ${index} out of bounds`);
  return value;
}
