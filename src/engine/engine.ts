// The engine's contract: runs WebAssembly components on V8. Portable: Node, browsers, workers; no dependencies.
//
//   import { compile } from "starlane/engine";
//   const component = await compile(bytes);
//   const instance = await component.instantiate(imports);
//   const greeting = await instance.call("acme:text/case@1.0.0#upper", ["hi"]);
//
// JS values follow the convention written down in `wit/types.ts`.

import type { FuncType, WorldType } from "../wit/types.ts";
import type { ModuleCache } from "./module-cache.ts";

export interface CompileOptions {
  /** Keeps what compiling takes most of its time for. */
  readonly cache?: ModuleCache | undefined;
  /** SHA-256 of the bytes, lower-case hex, where it is known. */
  readonly digest?: string | undefined;
  /** The bytes belong to the engine from now on: nobody changes them, so they are not copied. */
  readonly handOver?: boolean | undefined;
  /** Only pools will be made of it: core modules are compiled, and invalid ones found, when a pool is made. */
  readonly onlyPools?: boolean | undefined;
}

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
  /**
   * Instances for transactions: every call sees memory as it was right after instantiation. Compiles the core modules once more,
   * rewritten so that they can be metered and put back.
   * @throws StarlaneError `component/not-supported-yet` for an instruction that is not known
   */
  pool<T = undefined>(options?: PoolOptions<T>): Promise<Pool<T>>;
}

export interface PoolOptions<T = undefined> {
  /** What all instances are given, or makes what one instance is given. */
  readonly imports?: Imports | (() => InstanceImports<T>) | undefined;
  readonly limits?: Limits | undefined;
  /**
   * `shared`: one instance serves all transactions, one at a time, and keeps its memory; it is replaced when it failed. `transaction`, the
   * default: fresh memory for each.
   */
  readonly isolation?: "transaction" | "shared" | undefined;
  /**
   * `false`: each instance serves one transaction and is thrown away, and calls take no turns with others. Begins sooner: for processes
   * that make a call or two.
   */
  readonly reuse?: boolean | undefined;
  /**
   * Whether there is room for so many more bytes, about. Asked from time to time while a guest runs that makes structs and arrays
   * (WebAssembly's garbage-collected types): they lie in the heap of V8, and a process whose heap is full ends. Always, where it is left out.
   */
  readonly mayAllocate?: ((bytes: number) => boolean) | undefined;
  /** Instances at a time; further calls wait for one. 1000 where it is left out. */
  readonly maxInstances?: number | undefined;
  /** Calls that may wait for an instance; 1 000 000 where it is left out. */
  readonly maxWaiting?: number | undefined;
}

/** What one instance is given, for as long as it lives: it serves one transaction after the other. */
export interface InstanceImports<T> {
  readonly imports: Imports;
  /** Begins a transaction: nothing may be left of the one before. What it throws the call throws, after `finish("failed")`. */
  readonly prepare?: ((transaction: T) => void) | undefined;
  /**
   * Ends it: nothing of the guest runs any more. The answer of the call waits for this, but where a guest goes on after its answer
   * (async tasks, streams that it gave): then this is called when all of that has ended. Where it fails, so does the call.
   */
  readonly finish?: ((outcome: "done" | "failed") => void | Promise<void>) | undefined;
  /**
   * Where everything that was done since `prepare` can be undone: does that, as if the transaction had only been prepared. A call
   * of such an instance is begun without the cost of a stack that can be suspended, and begun again when it takes long.
   */
  readonly restart?: (() => void) | undefined;
  readonly intercept?: Intercept | undefined;
}

/** Bounds of every transaction; what is left out has a generous default. */
export interface Limits {
  /** Of each memory of the component; 1 GiB where it is left out. */
  readonly memoryBytes?: number | undefined;
  /** Of each table; 10 000 000 where it is left out. */
  readonly tableElements?: number | undefined;
  /** Units: about one an instruction. A call is stopped at most 20 000 later. Unlimited where it is left out. */
  readonly fuel?: number | undefined;
  /** Open handles of each instance in the component; 100 000 where it is left out. */
  readonly handles?: number | undefined;
  /** Host memory, about, that the values of one call may take; 256 MiB where it is left out. */
  readonly valueBytes?: number | undefined;
}

export interface CallOptions<T = undefined> {
  /** Milliseconds since 1970. The guest is stopped then, whatever it does. */
  readonly deadline?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** At most the limit of the pool. */
  readonly fuel?: number | undefined;
  /** What `prepare` is given. */
  readonly transaction?: T | undefined;
  /** Told when the transaction has ended. */
  readonly onUsage?: ((usage: Usage) => void) | undefined;
}

export interface Usage {
  /** Units; the same in every run of the same call, on every machine. */
  readonly fuel: number;
  /** The most that the memories of the component had. */
  readonly memoryBytes: number;
}

export interface Pool<T = undefined> {
  /**
   * One transaction. @throws as `Instance.call`, and StarlaneError `engine/out-of-fuel`, `engine/deadline`, `engine/busy`; rejects with the
   * signal's reason when that aborts
   */
  call(name: string, args?: readonly unknown[], options?: CallOptions<T>): Promise<unknown>;
  /** The same, which answers (or throws) at once where nothing has to wait; else it gives a promise. */
  callNow(name: string, args?: readonly unknown[], options?: CallOptions<T>): unknown;
  readonly state: PoolState;
  /** Lets go of all instances; calls under way end. */
  close(): void;
}

export interface PoolState {
  readonly instances: number;
  readonly idle: number;
  readonly waiting: number;
  /** Why every transaction needs a new instance; undefined where instances are put back. */
  readonly obstacle: string | undefined;
}

/**
 * What the host provides, by import name. An interface is an object of functions and classes (camelCase, as in jco, or WIT's
 * own names); `wasi:io/streams@0.2.6` is also served by a key of a compatible version (`wasi:io/streams@0.2.0`, `wasi:io/streams`).
 * A function reports its WIT error by throwing an object with a `payload`. Where its type is async it may answer with a promise; where
 * it is not, only when it was marked with `mayWait`.
 */
export type Imports = Readonly<Record<string, unknown>>;

/**
 * Stands between guests and a function of the host, to write down what it answers or to answer instead of it. `name` is
 * `interface#function` as WIT has them, `[method]input-stream.read` of an interface with its object as first argument.
 */
export type Intercept = (name: string, type: FuncType, call: ComponentFunction) => ComponentFunction;

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
