// Whether anything from outside can reach a target.

import type { LoadedComponent } from "../app.ts";

export function hasGrants(target: LoadedComponent): boolean {
  return target.kind === "app" && (target.manifest.grants.length > 0 || [...target.components.values()].some(hasGrants));
}
