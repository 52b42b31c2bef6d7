// Whether an app may be served by several processes side by side, and how.

import type { LoadedComponent } from "./app.ts";

/** Whether the system shares out the connections to a port among all processes that listen to it. */
export const REUSES_PORTS = ["linux", "freebsd", "sunos", "aix"].includes(process.platform);

/** What of an app lives in the memory of one process, so that several would each have their own; undefined where nothing does. */
export function heldInMemory(target: LoadedComponent): string | undefined {
  if (target.kind === "wasm") return undefined;
  const resource = target.manifest.resources.find(({ address }) => address.startsWith("memory:"));
  if (resource !== undefined) return `the resource \`${resource.name}\` of ${target.name} is in memory`;
  return target.components
    .values()
    .map(heldInMemory)
    .find((held) => held !== undefined);
}
