// From bytes to a component that can be instantiated: decoded, validated, its core modules compiled, once.

import { StarlaneError } from "../base/errors.ts";
import type { Component, DefinitionOf } from "../component/component.ts";
import { decode } from "../component/decode.ts";
import { validate } from "../component/validate.ts";
import type { FuncType, NamedExtern } from "../wit/types.ts";
import { compileModule, compileModuleLater } from "./compiled-modules.ts";
import type { CompiledComponent, Imports, Instance } from "./engine.ts";
import { HostExports } from "./host-exports.ts";
import type { CoreModules } from "./items.ts";
import { instantiateRoot } from "./link.ts";

/**
 * Compiles a component binary.
 * @throws StarlaneError `component/malformed`, `component/invalid`
 */
export async function compile(bytes: Uint8Array): Promise<CompiledComponent> {
  const own = Uint8Array.from(bytes); // nobody may change the bytes between checking and compiling
  const component = decode(own);
  const type = validate(component);
  const [modules, digest] = await Promise.all([compileModules(component), sha256(own)]);
  const functions = new Map(exportedFunctions(type.exports));
  const instantiateSync = (imports: Imports = {}): Instance => makeInstance(component, modules, imports);
  return {
    digest,
    type,
    functions,
    instantiateSync,
    // oxlint-disable-next-line require-await -- a rejection, not a throw
    instantiate: async (imports) => instantiateSync(imports),
  };
}

function makeInstance(component: Component, modules: CoreModules, imports: Imports): Instance {
  const exports = new HostExports(instantiateRoot(component, modules, imports));
  return {
    function: (name) => exports.function(name),
    // oxlint-disable-next-line require-await -- a rejection, not a throw
    call: async (name, args = [], { signal } = {}) => exports.call(name, args, signal),
    get exports() {
      return exports.shaped;
    },
  };
}

// Compiling off this thread pays from about here on.
const SMALL_MODULE = 64 * 1024;

async function compileModules(component: Component): Promise<CoreModules> {
  const modules = new Map<object, WebAssembly.Module>();
  const compileOne = async (definition: DefinitionOf<"core-module">): Promise<void> => {
    try {
      const bytes = definition.bytes as Uint8Array<ArrayBuffer>;
      modules.set(definition, bytes.length <= SMALL_MODULE ? compileModule(bytes) : await compileModuleLater(bytes));
    } catch (error) {
      throw new StarlaneError(
        "component/invalid",
        `the core module at byte 0x${definition.offset.toString(16)} is invalid: ${String((error as Error).message)}`,
        {
          cause: error,
          at: `byte 0x${definition.offset.toString(16)}`,
        },
      );
    }
  };
  await Promise.all([...coreModules(component)].map(compileOne));
  return modules;
}

function* coreModules(component: Component): Iterable<DefinitionOf<"core-module">> {
  for (const definition of component.definitions) {
    if (definition.kind === "core-module") yield definition;
    if (definition.kind === "component") yield* coreModules(definition.component);
  }
}

function* exportedFunctions(exports: readonly NamedExtern[]): Iterable<[string, FuncType]> {
  for (const { name, type } of exports) {
    if (type.kind === "func") yield [name, type];
    if (type.kind === "instance") {
      for (const inner of type.exports) if (inner.type.kind === "func") yield [`${name}#${inner.name}`, inner.type];
    }
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
