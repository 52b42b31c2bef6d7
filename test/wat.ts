// WebAssembly text as bytes, and compiled: tests keep their components beside what they say of them.

import { parse } from "@bytecodealliance/jco-transpile/wasm-tools";
import { compile } from "../src/engine/compile.ts";
import type { CompiledComponent, Imports, Instance } from "../src/engine/engine.ts";

export async function wat(text: string): Promise<Uint8Array> {
  return await parse(text);
}

export async function compileWat(text: string): Promise<CompiledComponent> {
  return await compile(await wat(text));
}

export async function instantiateWat(text: string, imports?: Imports): Promise<Instance> {
  return await (await compileWat(text)).instantiate(imports);
}
