// From bytes to a component that can be instantiated: decoded, validated, its core modules compiled, once.

import { StarlaneError } from "../base/errors.ts";
import type { Component, DefinitionOf } from "../component/component.ts";
import { decode } from "../component/decode.ts";
import { validate } from "../component/validate.ts";
import type { FuncType, NamedExtern } from "../wit/types.ts";
import { AS_THEY_ARE, type Caching, compileModules, ordinary } from "./compiled-modules.ts";
import type { CompiledComponent, CompileOptions, Imports, Instance, Pool, PoolOptions } from "./engine.ts";
import { HostExports } from "./host-exports.ts";
import type { CoreModules } from "./items.ts";
import { instantiateRoot } from "./link.ts";
import type { RewrittenModules } from "./pool/pooled-instance.ts";

/**
 * Compiles a component binary.
 * @throws StarlaneError `component/malformed`, `component/invalid`
 */
export async function compile(bytes: Uint8Array, options: CompileOptions = {}): Promise<CompiledComponent> {
  // Nobody may change the bytes between checking and compiling.
  const own = options.handOver === true ? ordinary(bytes) : Uint8Array.from(bytes);
  const component = decode(own);
  const type = validate(component);
  const definitions = [...coreModules(component)];
  const hashing = options.digest ?? sha256(own);
  const caching = { cache: options.cache, digest: hashing };
  const [digest, modules] = await Promise.all([
    hashing,
    options.onlyPools === true ? undefined : asTheyAre(definitions, caching),
  ]);
  // Pools of the same form share their code.
  const rewritten = new Map<string, Promise<RewrittenModules>>();
  const functions = new Map(exportedFunctions(type.exports));
  const instantiateSync = (imports: Imports = {}): Instance => makeInstance(component, modules ?? onlyPools(), imports);
  return {
    digest,
    type,
    functions,
    instantiateSync,
    // oxlint-disable-next-line require-await -- a rejection, not a throw
    instantiate: async (imports) => instantiateSync(imports),
    async pool<T>(poolOptions: PoolOptions<T> = {}): Promise<Pool<T>> {
      const { rewriteModules } = await import("./pool/rewrite.ts");
      const { TransactionPool } = await import("./pool/pool.ts");
      const { limits, reuse } = poolOptions;
      const form = JSON.stringify([limits?.memoryBytes, limits?.tableElements, reuse]);
      let making = rewritten.get(form);
      if (making === undefined) rewritten.set(form, (making = rewriteModules(definitions, poolOptions, caching)));
      return new TransactionPool<T>(component, await making, poolOptions);
    },
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

async function asTheyAre(definitions: readonly DefinitionOf<"core-module">[], caching: Caching): Promise<CoreModules> {
  const compiled = await compileModules(definitions, AS_THEY_ARE, caching);
  return new Map(compiled.map(({ source, module }) => [source, module]));
}

function onlyPools(): never {
  throw new StarlaneError("starlane/internal", "a component that was compiled for pools only has no other instances");
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
