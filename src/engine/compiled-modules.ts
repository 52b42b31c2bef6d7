// Core modules, compiled: made ready and validated, or taken from a cache of what was made ready before. Remembers what a module's
// imports and exports are in bytes, because the JS API does not tell their types.

import { StarlaneError } from "../base/errors.ts";
import {
  compiledAhead,
  decodeEntry,
  encodeEntry,
  type ModuleCache,
  type Preparation,
  type ReadyModule,
  WORTH_A_THREAD,
} from "./module-cache.ts";

/** A core module of a component. */
export interface ModuleSource {
  readonly bytes: Uint8Array;
  /** Where it lies in its component. */
  readonly offset: number;
}

export interface CompiledModule<Source, Facts> {
  readonly source: Source;
  readonly module: WebAssembly.Module;
  readonly facts: Facts;
}

export interface Caching {
  readonly cache: ModuleCache | undefined;
  /** Of the component that all the modules are from. */
  readonly digest: string | Promise<string>;
}

/** Components whose core modules are smaller are made ready faster than an entry is found. */
const WORTH_CACHING = 256 * 1024;

/** Compiles core modules as they are. */
export const AS_THEY_ARE: Preparation<true> = {
  name: "plain",
  prepare: (bytes) => ({ bytes, facts: true }),
  readFacts: (value) => (value === true ? true : undefined),
};

/**
 * Makes the modules of a component ready and compiles them; the results are in the order of `sources`.
 * @throws StarlaneError `component/invalid`, and what the preparation throws
 */
export async function compileModules<Source extends ModuleSource, Facts>(
  sources: readonly Source[],
  preparation: Preparation<Facts>,
  { cache, digest }: Caching,
): Promise<CompiledModule<Source, Facts>[]> {
  const originals = sources.map(({ bytes, offset }): Original => ({ bytes: ordinary(bytes), offset }));
  const size = originals.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const compiled =
    cache === undefined || size < WORTH_CACHING
      ? await compileAll(originals, preparation)
      : await compileOnce(originals, preparation, cache, `${preparation.name}-${await digest}`);
  return compiled.map(({ module, ready }, i) => ({ source: at(sources, i), module, facts: ready.facts }));
}

interface Original extends ModuleSource {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Compiled<Facts> {
  readonly module: WebAssembly.Module;
  readonly ready: ReadyModule<Facts>;
}

function compileAll<Facts>(originals: readonly Original[], preparation: Preparation<Facts>): Promise<Compiled<Facts>[]> {
  return Promise.all(originals.map((original) => makeReady(original, preparation)));
}

/** From the cache, or for it. */
async function compileOnce<Facts>(
  originals: readonly Original[],
  preparation: Preparation<Facts>,
  cache: ModuleCache,
  name: string,
): Promise<Compiled<Facts>[]> {
  const bytes = originals.map((original) => original.bytes);
  const entry = await cache.load(name);
  const known = entry === undefined ? undefined : await compileEntry(decodeEntry(entry, bytes, preparation.readFacts));
  if (known !== undefined) return known;
  const compiled = await compileAll(originals, preparation);
  const parts = encodeEntry(
    compiled.map(({ ready }) => ready),
    bytes,
  );
  // Nobody waits for it.
  void cache.store(name, parts);
  return compiled;
}

/** On this thread, what is not on its way: without validation little is left to do. */
async function compileEntry<Facts>(entry: readonly ReadyModule<Facts>[] | undefined): Promise<Compiled<Facts>[] | undefined> {
  if (entry === undefined) return undefined;
  try {
    return await Promise.all(
      entry.map(async (ready) => {
        const module = await compiledAhead(ready.bytes);
        return { module: module === undefined ? compileModule(ready.bytes) : remember(module, ready.bytes), ready };
      }),
    );
  } catch {
    return undefined;
  }
}

async function makeReady<Facts>(original: Original, preparation: Preparation<Facts>): Promise<Compiled<Facts>> {
  const { offset } = original;
  try {
    const ready = await preparation.prepare(original.bytes, offset);
    const { bytes } = ready;
    validateWhole(bytes);
    return { module: bytes.length < WORTH_A_THREAD ? compileModule(bytes) : await compileModuleLater(bytes), ready };
  } catch (error) {
    // What is wrong with the module itself is told in its own terms.
    checkValid(original.bytes, offset);
    throw error instanceof StarlaneError ? error : invalid(offset, error);
  }
}

function checkValid(bytes: Uint8Array<ArrayBuffer>, offset: number): void {
  try {
    validateWhole(bytes);
    void new WebAssembly.Module(bytes);
  } catch (error) {
    throw invalid(offset, error);
  }
}

let validateWhole: (bytes: Uint8Array<ArrayBuffer>) => void = () => undefined;

/**
 * For who told V8 to validate functions only when they first run: every module that is not from a cache is from now on given to
 * `validate`, which throws a `WebAssembly.CompileError` where any of it is invalid. (Otherwise compiling does that.)
 */
export function validateBy(validate: (bytes: Uint8Array<ArrayBuffer>) => void): void {
  validateWhole = validate;
}

function invalid(offset: number, error: unknown): StarlaneError {
  const place = `byte 0x${offset.toString(16)}`;
  const message = error instanceof Error ? error.message : String(error);
  return new StarlaneError("component/invalid", `the core module at ${place} is invalid: ${message}`, {
    cause: error,
    at: place,
  });
}

function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new StarlaneError("starlane/internal", `no core module ${index}`);
  return value;
}

/** V8 takes no bytes that another thread may change; such are copied. */
export function ordinary(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return isOrdinary(bytes) ? bytes : Uint8Array.from(bytes);
}

function isOrdinary(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}

const interfaces = new WeakMap<WebAssembly.Module, Uint8Array>();

export function compileModule(code: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  return remember(new WebAssembly.Module(code), code);
}

/** The same off this thread. */
export async function compileModuleLater(code: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  return remember(await WebAssembly.compile(code), code);
}

/** A module with the same imports and exports, and no code or data. Undefined for modules that were compiled elsewhere. */
export function bytesOf(module: WebAssembly.Module): Uint8Array | undefined {
  return interfaces.get(module);
}

function remember(module: WebAssembly.Module, code: Uint8Array): WebAssembly.Module {
  interfaces.set(module, withoutContents(code));
  return module;
}

const PREAMBLE_BYTES = 8;
/** Types, imports, functions, tables, memories, globals, exports, tags. */
const INTERFACE_SECTIONS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 7, 13]);

/** The sections of a valid module that tell its type; as a copy, so that nothing holds on to the rest. */
function withoutContents(code: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = [code.subarray(0, PREAMBLE_BYTES)];
  for (let at = PREAMBLE_BYTES; at < code.length;) {
    let size = 0;
    let next = at + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = code[next++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const end = next + size;
    if (INTERFACE_SECTIONS.has(code[at] ?? 0)) kept.push(code.subarray(at, end));
    at = end;
  }
  const bytes = new Uint8Array(kept.reduce((sum, part) => sum + part.length, 0));
  let end = 0;
  for (const part of kept) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}
