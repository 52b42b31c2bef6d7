// All targets by name, loaded when they are needed.

import type { Target } from "./target.ts";

const TARGETS: Readonly<Record<string, () => Promise<Target>>> = {
  decode: async () => (await import("./decode.ts")).decode,
  values: async () => (await import("./values.ts")).values,
  text: async () => (await import("./text.ts")).text,
  rewrite: async () => (await import("./rewrite.ts")).rewrite,
  calls: async () => (await import("./calls.ts")).calls,
};

export const TARGET_NAMES = Object.keys(TARGETS);

export async function loadTarget(name: string): Promise<Target> {
  const load = TARGETS[name];
  if (load === undefined) throw new Error(`no target ${JSON.stringify(name)}: there are ${TARGET_NAMES.join(", ")}`);
  return await load();
}
