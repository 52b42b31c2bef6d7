// What component index spaces hold at run time.

import type { Component } from "../component/component.ts";
import type { LiftedFunction } from "./lift.ts";
import type { HostFunction } from "./lower.ts";
import type { RuntimeType, TypeScope } from "./runtime-types.ts";

/** A component with the scope it was defined in: outer aliases reach into that. */
export interface ComponentClosure {
  readonly component: Component;
  readonly modules: CoreModules;
  readonly scope: ComponentScope | undefined;
}

/** The compiled core modules of a component and all inside it, by their definition. */
export type CoreModules = ReadonlyMap<object, WebAssembly.Module>;

/** What outer aliases can reach. */
export interface ComponentScope extends TypeScope {
  readonly outer: ComponentScope | undefined;
  readonly components: ComponentClosure[];
  readonly coreModules: WebAssembly.Module[];
}

export type Item =
  | { readonly sort: "func"; readonly func: LiftedFunction | HostFunction }
  | { readonly sort: "instance"; readonly items: Items }
  | { readonly sort: "type"; readonly type: RuntimeType }
  | { readonly sort: "component"; readonly component: ComponentClosure }
  | { readonly sort: "core module"; readonly module: WebAssembly.Module };

export type Items = ReadonlyMap<string, Item>;
