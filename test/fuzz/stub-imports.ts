// A host that provides whatever a component imports: functions that answer with random values, classes for resources.

import { ComponentError } from "../../src/engine/engine.ts";
import { className } from "../../src/engine/resources.ts";
import type { ExternType, FuncType, NamedExtern, WorldType } from "../../src/wit/types.ts";
import type { Random } from "./random.ts";
import { type Hoard, HostThing, keep, randomValue } from "./random-value.ts";

const MOST_CALLS = 200;

/** What a host throws on purpose: it must come out as it went in. */
export class HostRefusal extends Error {}

export function stubImports(random: Random, world: WorldType, hoard: Hoard): Record<string, unknown> {
  let calls = 0;
  const answer = (type: FuncType, args: readonly unknown[]): unknown => {
    if (++calls > MOST_CALLS) throw new HostRefusal("too many calls");
    keep(hoard, args);
    const { result } = type;
    if (random.chance(0.02)) throw new HostRefusal("not today");
    if (result?.kind === "result") {
      if (random.chance(0.3))
        throw new ComponentError(result.error === undefined ? undefined : randomValue(random, result.error, hoard));
      return result.ok === undefined ? undefined : randomValue(random, result.ok, hoard);
    }
    return result === undefined ? undefined : randomValue(random, result, hoard);
  };
  const provide = (type: ExternType): unknown => {
    switch (type.kind) {
      case "func": {
        const call = (...args: unknown[]): unknown => answer(type, args);
        if (!type.async) return call;
        return async (...args: unknown[]) => {
          if (random.chance(0.5)) await Promise.resolve();
          return call(...args);
        };
      }
      case "instance":
        return provideAll(type.exports);
      case "type":
        return type.type.kind === "resource" ? HostThing : undefined;
      case "core-module":
        return emptyModule();
      default:
        return undefined;
    }
  };
  const provideAll = (externs: readonly NamedExtern[]): Record<string, unknown> => {
    const provided = Object.create(null) as Record<string, unknown>;
    for (const { name, type } of externs) {
      if (random.chance(0.002)) continue;
      provided[name] = provide(type);
      if (type.kind === "type" && type.type.kind === "resource") provided[className(name)] = class extends HostThing {};
    }
    return provided;
  };
  return provideAll(world.imports);
}

function emptyModule(): WebAssembly.Module {
  return new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
}
