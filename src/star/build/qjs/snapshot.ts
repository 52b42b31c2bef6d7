// Puts a program into a prepared component: runs it on V8 until its modules are evaluated, and writes its memory and globals as they are
// then into a new component, as Wizer does. Only where nothing but the modules was asked for: what a component has got from outside (a
// time, a handle) must not be frozen into it.

import { decode } from "../../../component/decode.ts";
import type { Component, DefinitionOf } from "../../../component/component.ts";
import { readCoreModule } from "../../../component/core-module.ts";
import { validate } from "../../../component/validate.ts";
import { HostExports } from "../../../engine/host-exports.ts";
import { instantiateRoot } from "../../../engine/link.ts";
import { instantiateCore, plain } from "../../../engine/surroundings.ts";
import type { ExternType, NamedExtern } from "../../../wit/types.ts";
import { importerOf, withModules } from "./component-bytes.ts";
import { type CoreState, exposed, type ExposedModule, withState } from "./core-state.ts";

/** The import that componentize-qjs takes modules from. */
export const MODULE_LOADER = "local:init/module-loader";

export interface ModuleLoader {
  /** Both throw what the program is told. */
  readonly resolve: (from: string, specifier: string) => string;
  readonly load: (path: string) => string;
}

/** A prepared component, compiled. */
export interface Program {
  readonly bytes: Uint8Array;
  readonly component: Component;
  readonly imports: readonly NamedExtern[];
  readonly modules: ReadonlyMap<DefinitionOf<"core-module">, ExposedModule>;
}

/** Undefined where the component has another shape than is known here. */
export function openPrepared(bytes: Uint8Array): Program | undefined {
  const component = importerOf(decode(bytes), MODULE_LOADER);
  if (component === undefined) return undefined;
  const { imports } = validate(decode(bytes.subarray(component.offset, component.end)));
  const modules = new Map<DefinitionOf<"core-module">, ExposedModule>();
  for (const definition of component.definitions) {
    if (definition.kind === "core-module") modules.set(definition, exposed(definition.bytes));
    // Core modules deeper inside would not be written down.
    if (definition.kind === "component" && definition.component.definitions.some(({ kind }) => kind === "core-module"))
      return undefined;
  }
  return { bytes, component, imports, modules };
}

export type Snapshot =
  | { readonly kind: "taken"; readonly component: Uint8Array }
  /** The program cannot be loaded: what it, or the interpreter, says. */
  | { readonly kind: "refused"; readonly message: string }
  /** It cannot be done in this way. */
  | { readonly kind: "impossible" };

/** Loads a program into the prepared component; `load` is the name of the export that does it. */
export async function takeSnapshot(program: Program, load: string, loader: ModuleLoader): Promise<Snapshot> {
  let hasAsked = false;
  const outside = (): never => {
    hasAsked = true;
    throw new Error("nothing outside can be used while a component is built");
  };
  const imports = { ...standIns(program.imports, outside), [MODULE_LOADER]: loader };
  const states: { readonly definition: DefinitionOf<"core-module">; readonly state: CoreState }[] = [];
  const definitions = new Map([...program.modules].map(([definition, { module }]) => [module, definition]));
  const compiled = new Map([...program.modules].map(([definition, { module }]) => [definition, module]));
  const items = instantiateRoot(program.component, compiled, imports, {
    ...plain(),
    instantiate(module, given) {
      const exports = instantiateCore(module, given);
      const definition = definitions.get(module);
      const known = definition === undefined ? undefined : program.modules.get(definition);
      if (definition !== undefined && known !== undefined) states.push({ definition, state: known.stateOf(exports) });
      return exports;
    },
  });
  const answer = await answerOf(new HostExports(items), load);
  if (hasAsked || answer === "trapped") return { kind: "impossible" };
  if (answer !== "done") return { kind: "refused", message: answer.refused };
  // A module that has several instances has no one state.
  if (new Set(states.map(({ definition }) => definition)).size < states.length) return { kind: "impossible" };
  const changed = new Map<number, Uint8Array>();
  for (const { definition, state } of states) {
    if (state.memory === undefined && state.changedGlobals().size === 0) continue;
    const written = withState(readCoreModule(definition.bytes), state);
    if (written === undefined) return { kind: "impossible" };
    changed.set(definition.offset, written);
  }
  return { kind: "taken", component: withModules(program.bytes, changed) };
}

async function answerOf(exports: HostExports, load: string): Promise<"done" | "trapped" | { readonly refused: string }> {
  try {
    await exports.call(load, [], undefined);
    return "done";
  } catch (error) {
    // The error of its result; anything else is a trap.
    const payload = typeof error === "object" && error !== null && "payload" in error ? error.payload : undefined;
    return typeof payload === "string" ? { refused: payload } : "trapped";
  }
}

/** Something for each import, so that all are there; each function calls `outside`. */
function standIns(imports: readonly NamedExtern[], outside: () => never): Record<string, unknown> {
  return Object.fromEntries(imports.map(({ name, type }) => [name, standIn(type, outside)]));
}

function standIn(type: ExternType, outside: () => never): unknown {
  if (type.kind === "func") return outside;
  if (type.kind !== "instance") return class {};
  const members: Record<string, unknown> = {};
  for (const { name, type: inner } of type.exports) {
    if (inner.kind === "type" && !name.startsWith("[")) members[name] = class {};
    else if (inner.kind === "func") members[name] = outside;
  }
  return members;
}
