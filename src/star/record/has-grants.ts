// Whether anything from outside can reach a target, and its components by name.

import type { LoadedComponent } from "../app.ts";

export function hasGrants(target: LoadedComponent): boolean {
  return target.kind === "app" && (target.manifest.grants.length > 0 || [...target.components.values()].some(hasGrants));
}

/** `shop/cart` is the component `cart` of the app that is the component `shop`; "" is the target itself. */
export function componentAt(target: LoadedComponent, path: string): LoadedComponent | undefined {
  const names = path === "" ? [] : path.split("/");
  return names.reduce<LoadedComponent | undefined>(
    (at, name) => (at?.kind === "app" ? at.components.get(name) : undefined),
    target,
  );
}
