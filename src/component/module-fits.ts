// Whether a core module fits a module type: what the host gives for an import of a core module is held to the same rules as
// what a component gives. Source: Explainer, Type Checking; core WebAssembly, import matching.

import type { CoreTypeDef } from "./component.ts";
import { Scope } from "./scope.ts";
import { checkSubtype } from "./subtyping.ts";
import { TypeFactory } from "./type-model.ts";
import { validateCoreModule, validateCoreType } from "./validate-core.ts";

/** Whether a module type can be understood by itself: it uses no core types of the scopes around it. */
export function standsAlone(type: CoreTypeDef & { readonly kind: "module" }): boolean {
  return type.declarators.every((declarator) => declarator.kind !== "alias" || declarator.count === 0);
}

/** @throws StarlaneError `component/invalid` where the module has another type */
export function checkModuleFits(bytes: Uint8Array, type: CoreTypeDef & { readonly kind: "module" }, where: string): void {
  const scope = new Scope("component", new TypeFactory());
  const [expected] = validateCoreType(scope, type);
  if (expected?.kind !== "core-module") return;
  const actual = validateCoreModule(scope, bytes, 0);
  checkSubtype(scope.factory, { kind: "core-module", type: actual }, { kind: "core-module", type: expected }, where);
}
