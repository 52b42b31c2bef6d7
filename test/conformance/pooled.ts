// The form that pools run components in, for the scripts: core modules rewritten to be metered and put back. An instance is put back once
// before it is used: what initialization made of it must be there still.

import type { Component, DefinitionOf } from "../../src/component/component.ts";
import { decode } from "../../src/component/decode.ts";
import type { CompiledComponent, Imports, Instance } from "../../src/engine/engine.ts";
import { PooledInstance } from "../../src/engine/pool/pooled-instance.ts";
import { rewriteModules } from "../../src/engine/pool/rewrite.ts";

/** As much as a memory can have: a script fills it. */
const LIMITS = { memoryBytes: 2 ** 32 };

/** The same component, whose instances are made of rewritten modules. */
export async function pooled(bytes: Uint8Array, compiled: CompiledComponent): Promise<CompiledComponent> {
  const component = decode(bytes);
  const { digest } = compiled;
  const modules = await rewriteModules([...coreModules(component)], { limits: LIMITS }, { cache: undefined, digest });
  return {
    ...compiled,
    instantiateSync(imports: Imports = {}): Instance {
      const instance = new PooledInstance(component, modules, { imports }, { limits: LIMITS }, "plain", []);
      instance.restore();
      instance.begin(undefined, { fuel: Infinity, deadline: undefined, signal: undefined });
      const { exports } = instance;
      return {
        function: (name) => exports.function(name),
        // oxlint-disable-next-line require-await -- a rejection, not a throw
        call: async (name, args = []) => exports.call(name, args, undefined),
        get exports() {
          return exports.shaped;
        },
      };
    },
  };
}

function* coreModules(component: Component): Iterable<DefinitionOf<"core-module">> {
  for (const definition of component.definitions) {
    if (definition.kind === "core-module") yield definition;
    if (definition.kind === "component") yield* coreModules(definition.component);
  }
}
