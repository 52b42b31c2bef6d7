// What is told of a name that a component asked for, and that no grant binds to a resource.

import type { Denial } from "./capability.ts";

/** `what`: how people call such a name; `capability`: the word in grants. */
export function deniedName(what: string, name: string, capability: string): Denial {
  const quoted = JSON.stringify(name);
  return { target: `the ${what} ${quoted}`, grant: `${capability}: { ${quoted}: RESOURCE }` };
}
