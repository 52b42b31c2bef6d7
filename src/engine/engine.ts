// The engine's contract: runs WebAssembly components on V8. Portable: Node, browsers, workers; no dependencies.
//
//   import { compile } from "starlane/engine";
//   const component = await compile(bytes);
//   const instance = await component.instantiate(imports);
//   const greeting = await instance.call("acme:text/case@1.0.0#upper", ["hi"]);
//
// JS values follow the convention written down in `wit/types.ts`.

import type { FuncType, WorldType } from "../wit/types.ts";

/** A component, decoded, validated and compiled once; it can be instantiated any number of times. */
export interface CompiledComponent {
  /** SHA-256 of the binary, lower-case hex. */
  readonly digest: string;
  /** What it imports and exports, with WIT types. */
  readonly type: WorldType;
  /** Every function it exports, by the name that `call` takes. */
  readonly functions: ReadonlyMap<string, FuncType>;
  /**
   * A new instance with fresh memory.
   * @throws StarlaneError `engine/missing-import` (lists every import that is not provided), `engine/instantiate`, `engine/trap`
   */
  instantiate(imports?: Imports): Promise<Instance>;
  /** The same without a promise: the core modules were compiled by `compile`. */
  instantiateSync(imports?: Imports): Instance;
}

/**
 * What the host provides, by import name. An interface is an object of functions and classes (camelCase, as in jco, or WIT's
 * own names); `wasi:io/streams@0.2.6` is also served by a key of a compatible version (`wasi:io/streams@0.2.0`, `wasi:io/streams`).
 * A function reports its WIT error by throwing an object with a `payload`. Where its type is async it may answer with a promise; where
 * it is not, only when it was marked with `mayWait`.
 */
export type Imports = Readonly<Record<string, unknown>>;

export type ComponentFunction = (...args: unknown[]) => unknown;

export interface Instance {
  /**
   * Calls an export by `name` or `interface#function`; a WIT error result rejects with `ComponentError`. When `signal` aborts,
   * the promise rejects with its reason and an async guest is asked to end; a synchronous call that runs is not interrupted.
   */
  call(name: string, args?: readonly unknown[], options?: { readonly signal?: AbortSignal | undefined }): Promise<unknown>;
  /** The export as a plain synchronous function. @throws StarlaneError `engine/unknown-export` */
  function(name: string): ComponentFunction;
  /** The exports in jco's shape: functions in camelCase, interfaces and resource classes as objects. */
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The `error` case of a function's result, as it is thrown. */
export class ComponentError extends Error {
  override readonly name = "ComponentError";
  readonly payload: unknown;

  constructor(payload: unknown) {
    super(typeof payload === "string" ? payload : "the operation answered with an error");
    this.payload = payload;
  }
}
