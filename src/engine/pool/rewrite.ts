// Compiles the core modules of a component in the form that pools run: metered, and with their state in reach.

import { StarlaneError } from "../../base/errors.ts";
import type { DefinitionOf } from "../../component/component.ts";
import { readCoreModule } from "../../component/core-module.ts";
import type { Instrumented, InstrumentOptions } from "../../component/instrument/instrument.ts";
import { type Caching, compileModules } from "../compiled-modules.ts";
import type { Limits, PoolOptions } from "../engine.ts";
import type { Preparation } from "../module-cache.ts";
import { DEFAULT_MEMORY_BYTES } from "./limits.ts";
import type { RewrittenModules } from "./pooled-instance.ts";

const PAGE_BYTES = 65_536;
/** Memories up to here that cannot grow are put back as a whole: an account of every store would cost more. */
const SMALL_PAGES = 2n;

type RewriteOptions = Pick<PoolOptions, "limits" | "reuse">;

/** What was added to a module; its bytes are compiled, and keeping them would only cost memory. */
export type Added = Omit<Instrumented, "bytes">;

/** @throws StarlaneError `component/invalid`, `component/not-supported-yet` */
export async function rewriteModules(
  definitions: readonly DefinitionOf<"core-module">[],
  options: RewriteOptions,
  caching: Caching,
): Promise<RewrittenModules> {
  const compiled = await compileModules(definitions, rewriting(definitions, options), caching);
  return {
    modules: new Map(compiled.map(({ source, module }) => [source, module])),
    additions: new Map(compiled.map(({ module, facts }) => [module, facts])),
  };
}

function rewriting(definitions: readonly DefinitionOf<"core-module">[], options: RewriteOptions): Preparation<Added> {
  const { limits = {}, reuse = true } = options;
  let chosen: InstrumentOptions | undefined;
  return {
    name: `${reuse ? "pool" : "once"}-${limits.memoryBytes}-${limits.tableElements}`,
    async prepare(original, offset) {
      // What the cache knows needs none of it.
      const { instrument } = await import("../../component/instrument/instrument.ts");
      chosen ??= optionsFor(limits, reuse && definitions.some(({ bytes, offset: at }) => hasLargeMemory(bytes, at)));
      const { bytes, ...facts } = instrument(original, chosen, offset);
      return { bytes: bytes as Uint8Array<ArrayBuffer>, facts };
    },
    readFacts: (value) => (isAdded(value) ? value : undefined),
  };
}

/** The cache gives back what it was given, so the kind is enough. */
function isAdded(value: unknown): value is Added {
  return typeof value === "object" && value !== null && "module" in value && "memories" in value && Array.isArray(value.memories);
}

function optionsFor({ memoryBytes = DEFAULT_MEMORY_BYTES, tableElements }: Limits, isTracked: boolean): InstrumentOptions {
  return {
    fuel: true,
    expose: true,
    barrier: isTracked,
    shrink: isTracked,
    limits: {
      memoryPages: Math.floor(memoryBytes / PAGE_BYTES),
      tableElements,
    },
  };
}

function hasLargeMemory(bytes: Uint8Array, offset: number): boolean {
  return readCoreModule(bytes, offset).spaces.memory.some((memory) => {
    if (memory.kind !== "memory") throw new StarlaneError("starlane/internal", "not a memory");
    const { min, max } = memory.limits;
    return max === undefined || BigInt(max) > BigInt(min) || BigInt(min) > SMALL_PAGES;
  });
}
