// Core functions run on stacks that can be suspended (JSPI). A promise tells of the end of a call only later, even where the call
// never waited: a small module around the function calls back with the results the moment it returns.

import type { CoreType } from "../abi/layout.ts";
import type { CoreFunction } from "../lift.ts";
import type { Store } from "./store.ts";
import type { Thread } from "./thread.ts";

const CODES: Record<CoreType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };
const modules = new Map<string, WebAssembly.Module>();
const suspending = new WeakMap<object, object>();

/** JSPI is not in TypeScript's library yet. */
interface Jspi {
  readonly Suspending: new (f: CoreFunction) => object;
  promising(f: CoreFunction): (...args: unknown[]) => Promise<unknown>;
}
const jspi = WebAssembly as unknown as Jspi;

/** Marks a function of the host as one that may suspend its caller; as an import it is given to core modules in that form. */
export function maySuspend(store: Store, f: CoreFunction): CoreFunction {
  if (store.isAttempt) return f;
  suspending.set(f, new jspi.Suspending(f));
  return f;
}

/** What a core module is given for a function. */
export function asImport(value: unknown): unknown {
  return typeof value === "function" ? (suspending.get(value) ?? value) : value;
}

/** A function that starts a core function on a stack of its own, as the thread given. */
export type StackFunction = (thread: Thread, args: readonly unknown[], after: (results: readonly unknown[]) => void) => void;

export function onStack(
  store: Store,
  core: CoreFunction,
  params: readonly CoreType[],
  results: readonly CoreType[],
): StackFunction {
  if (store.isAttempt) return directly(core, results);
  const returned = (...values: unknown[]): void => {
    const thread = store.running;
    const { afterCore } = thread;
    thread.afterCore = undefined;
    afterCore?.(values);
    thread.progressed = true;
    thread.stackEnded = true;
    store.endStack();
  };
  const instance = new WebAssembly.Instance(moduleFor(params, results), {
    "": { f: asImport(core) as WebAssembly.ImportValue, r: returned as WebAssembly.ImportValue },
  });
  const start = jspi.promising(instance.exports.s as CoreFunction);
  return (thread, args, after) => {
    store.beginStack();
    thread.progressed = thread.stackEnded = false;
    thread.afterCore = after;
    start(...args).catch((error: unknown) => {
      store.explain(error);
      if (!thread.stackEnded) store.endStack();
      if (thread.state !== "finished") thread.finish();
      store.noticeEnd();
    });
    if (!thread.progressed) store.trapped();
  };
}

/** In an attempt nothing is suspended: it is called as it is. */
function directly(core: CoreFunction, results: readonly CoreType[]): StackFunction {
  return (_thread, args, after) => {
    const result = core(...args);
    after(results.length === 0 ? NOTHING : [result]);
  };
}

const NOTHING: readonly unknown[] = [];

/** `(func $s (param P*) local.get* call $f call $r)` */
function moduleFor(params: readonly CoreType[], results: readonly CoreType[]): WebAssembly.Module {
  const key = `${params.join()}>${results.join()}`;
  let module = modules.get(key);
  if (module === undefined) modules.set(key, (module = new WebAssembly.Module(encode(params, results))));
  return module;
}

/** `\0asm`, version 1. */
const HEADER = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

function encode(params: readonly CoreType[], results: readonly CoreType[]): Uint8Array<ArrayBuffer> {
  const types = (list: readonly CoreType[]): number[] => [list.length, ...list.map((type) => CODES[type])];
  const section = (id: number, ...content: number[]): number[] => [id, content.length, ...content];
  const body = [0, ...params.flatMap((_, i) => [0x20, i]), 0x10, 0, 0x10, 1, 0x0b];
  return Uint8Array.from([
    ...HEADER,
    ...section(1, 3, 0x60, ...types(params), ...types(results), 0x60, ...types(results), 0, 0x60, ...types(params), 0),
    ...section(2, 2, 0, 1, 0x66, 0, 0, 0, 1, 0x72, 0, 1),
    ...section(3, 1, 2),
    ...section(7, 1, 1, 0x73, 0, 2),
    ...section(10, 1, body.length, ...body),
  ]);
}
