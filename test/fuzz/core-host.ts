// A host for core modules: provides whatever is imported, always the same, and writes down what it is called with.

import type { CoreExternType, CoreValType } from "../../src/component/component.ts";
import type { CoreModule } from "../../src/component/core-module.ts";

/** The module asks for something that JavaScript cannot make or hand over: there is nothing to run. */
export class CannotProvide extends Error {}

const LARGEST_MEMORY = 64n;
const LARGEST_TABLE = 100_000n;

/** What imported functions were called with, a line for each call; what they give depends on how many there were. */
export type Calls = string[];

export function coreImports(module: CoreModule, calls: Calls): Record<string, Record<string, WebAssembly.ImportValue>> {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = Object.create(null) as typeof imports;
  for (const { module: from, name, type } of module.imports) {
    const space = (imports[from] ??= Object.create(null) as Record<string, WebAssembly.ImportValue>);
    space[name] = provide(module, `${from}.${name}`, type, calls);
  }
  return imports;
}

function provide(module: CoreModule, name: string, type: CoreExternType, calls: Calls): WebAssembly.ImportValue {
  switch (type.kind) {
    case "func":
      return hostFunction(module, name, type.type, calls);
    case "memory": {
      const { min, max, shared, addressType } = type.limits;
      if (shared || min > LARGEST_MEMORY) throw new CannotProvide();
      const size = (pages: bigint): number => (addressType === "i64" ? (pages as unknown as number) : Number(pages));
      const descriptor = { initial: size(min), ...(max === undefined ? {} : { maximum: size(max) }) };
      return new WebAssembly.Memory({ ...descriptor, ...(addressType === "i64" ? { address: "i64" } : {}) });
    }
    case "table": {
      const { min, max, addressType } = type.limits;
      const { heap, nullable } = type.element;
      if (addressType === "i64" || !nullable || (heap !== "func" && heap !== "extern") || min > LARGEST_TABLE)
        throw new CannotProvide();
      const element = heap === "func" ? "anyfunc" : "externref";
      return new WebAssembly.Table({ element, initial: Number(min), ...(max === undefined ? {} : { maximum: Number(max) }) });
    }
    case "global":
      if (typeof type.type !== "string" || type.type === "v128") throw new CannotProvide();
      return new WebAssembly.Global({ value: type.type, mutable: type.mutable }, valueOf(type.type, 3) as never);
    case "tag":
      throw new CannotProvide();
  }
}

function hostFunction(module: CoreModule, name: string, index: number, calls: Calls): WebAssembly.ImportValue {
  const type = module.types[index]?.type;
  if (type?.kind !== "func") throw new CannotProvide();
  const results = type.results.map((result) => valueOf(result, 0));
  return (...args: unknown[]) => {
    calls.push(`${name}(${args.map(show).join(", ")})`);
    const called = calls.length;
    if (called % 50 === 0) throw new Error("the host is not in the mood");
    const numbered = type.results.map((result, i) => (typeof result === "string" ? valueOf(result, called) : results[i]));
    return numbered.length > 1 ? numbered : numbered[0];
  };
}

/** A small value of a type. */
export function valueOf(type: CoreValType, seed: number): unknown {
  if (typeof type !== "string") {
    if (!type.nullable || type.heap === "exn" || type.heap === "noexn") throw new CannotProvide();
    return null;
  }
  if (type === "v128") throw new CannotProvide();
  return type === "i64" ? BigInt(seed) : seed;
}

export function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "number":
      return Object.is(value, -0) ? "-0" : `${value}`;
    default:
      return value === null ? "null" : typeof value;
  }
}
