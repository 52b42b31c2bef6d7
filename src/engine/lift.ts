// `canon lift`: a core function as a component function, called by the host or by another guest.
// Source: Canonical ABI, `canon_lift` for synchronous functions.

import { StarlaneError } from "../base/errors.ts";
import type { FuncType } from "../wit/types.ts";
import type { AbiContext } from "./abi/context.ts";
import { containsBorrow, paramsCodec, type ParamsCodec, resultCodec, type ResultCodec } from "./abi/signature.ts";
import type { Domain } from "./abi/codec.ts";
import { inParameter } from "./bad-value.ts";
import { callOnStack, type HostCall, unwrap } from "./async/host-call.ts";
import { type LiftOptions, StackLift } from "./async/lift.ts";
import type { ComponentFunction } from "./engine.ts";
import { BorrowScope, type ComponentInstance, enter, leave } from "./instance.ts";
import { failureOf, isTrap, trap } from "./trap.ts";

export type CoreFunction = (...args: unknown[]) => unknown;

export class LiftedFunction {
  readonly name: string;
  readonly type: FuncType;
  readonly instance: ComponentInstance;
  readonly cx: AbiContext;
  readonly #core: CoreFunction;
  readonly #postReturn: CoreFunction | undefined;
  readonly #borrows: boolean;

  readonly #callback: CoreFunction | undefined;
  readonly #async: boolean;
  #stack: StackLift | undefined;
  #host: ComponentFunction | undefined;
  #hostCall: HostCall | undefined;

  constructor(name: string, type: FuncType, cx: AbiContext, core: CoreFunction, options: LiftOptions) {
    const { postReturn } = options;
    this.#callback = options.callback;
    this.#async = options.async;
    this.name = name;
    this.type = type;
    this.instance = cx.instance;
    this.cx = cx;
    this.#core = core;
    this.#postReturn = postReturn;
    this.#borrows = type.params.some((param) => containsBorrow(param.type));
  }

  params(domain: Domain): ParamsCodec {
    return paramsCodec(this.type, domain, this.cx.pointer);
  }

  result(domain: Domain): ResultCodec {
    return resultCodec(this.type, domain, this.cx.pointer);
  }

  /** The function where something may block: every call is a task. */
  onStack(): StackLift {
    return (this.#stack ??= new StackLift(
      this.type,
      this.cx,
      this.#core,
      { async: this.#async, callback: this.#callback, postReturn: this.#postReturn },
      this.params("guest").core,
      this.result("guest").core,
    ));
  }

  /**
   * One call, after the callee was entered: lowers the arguments, runs the core function, lifts the result, hands it to `deliver`
   * (which may lower it into the caller) and only then lets the callee clean up.
   */
  run<T>(params: ParamsCodec, result: ResultCodec, args: readonly unknown[], deliver: (value: unknown) => T): T {
    const { cx, instance } = this;
    const scope = this.#borrows ? new BorrowScope() : undefined;
    cx.scope = scope;
    const outerContext = instance.context;
    if (instance.usesContext) instance.context = [0, 0];
    const flat = new Array<unknown>(params.flatCount);
    params.lower(cx, args, flat);
    const core = callWith(this.#core, flat);
    cx.startLifting();
    const value = result.lift(cx, core);
    if (scope !== undefined && scope.borrows > 0) trap("borrow handles still remain at the end of the call");
    const delivered = deliver(value);
    if (this.#postReturn !== undefined) {
      instance.mayLeave = false;
      if (result.codec === undefined) this.#postReturn();
      else this.#postReturn(core);
      instance.mayLeave = true;
    }
    scope?.giveBack();
    instance.context = outerContext;
    return delivered;
  }

  /** The function as the host calls it: JS values in and out, a WIT error thrown as `ComponentError`. */
  forHost(): ComponentFunction {
    const params = this.params("host");
    const result = this.result("host");
    if (this.instance.store.mayBlock) {
      const call = (this.#hostCall ??= callOnStack(this, params, result));
      return (...args) => call(args);
    }
    const call = this.#scalarForHost(params, result) ?? this.#anyForHost(params, result);
    return this.type.result?.kind === "result" ? (...args) => unwrap(call(...args)) : call;
  }

  /** One call, with a signal that ends it. @throws StarlaneError `engine/bad-value` for more arguments than parameters */
  callForHost(args: readonly unknown[], signal: AbortSignal | undefined): unknown {
    if (args.length > this.type.params.length) tooMany(args.length, this.type.params.length);
    signal?.throwIfAborted();
    if (!this.instance.store.mayBlock) return (this.#host ??= this.forHost())(...args);
    return (this.#hostCall ??= callOnStack(this, this.params("host"), this.result("host")))(args, signal);
  }

  #anyForHost(params: ParamsCodec, result: ResultCodec): ComponentFunction {
    const entering = this.instance.entering(undefined);
    const { instance } = this;
    return (...args) => {
      enterFromHost(entering);
      try {
        const value = this.run(params, result, args, identity);
        leave(entering);
        return value;
      } catch (error) {
        if (isTrap(error)) throw failureOf(error);
        const failure = failureOf(error);
        // A wrong argument is the host's mistake: the guest was not run and can be called again.
        if (failure === error) {
          instance.mayLeave = true;
          leave(entering);
        }
        throw failure;
      }
    };
  }

  /** Functions of a few numbers need no memory, no scopes and no arrays. */
  #scalarForHost(params: ParamsCodec, result: ResultCodec): ComponentFunction | undefined {
    const lowers = params.parts.map((part, i) => named(part.scalar?.lower, this.type.params[i]?.name));
    if (params.spilled || lowers.length > 3 || lowers.includes(undefined) || this.#postReturn !== undefined) return undefined;
    if ((result.codec !== undefined && result.codec.scalar === undefined) || this.instance.usesContext) return undefined;
    const core = this.#core;
    const lift = result.codec?.scalar?.lift ?? (() => undefined);
    const entering = this.instance.entering(undefined);
    const only = entering.length === 1 ? entering[0] : undefined;
    if (only === undefined) return undefined;
    const [a = identity, b = identity, c = identity] = lowers;
    const begin = (): void => {
      if (!only.mayEnter) enterFromHost(entering);
      only.mayEnter = false;
    };
    const fail = (error: unknown): never => {
      throw failureOf(error);
    };
    const end = (value: unknown): unknown => {
      only.mayEnter = true;
      try {
        return lift(value);
      } catch (error) {
        only.mayEnter = false;
        throw failureOf(error);
      }
    };
    switch (lowers.length) {
      case 0:
        return () => {
          begin();
          let value;
          try {
            value = core();
          } catch (error) {
            return fail(error);
          }
          return end(value);
        };
      case 1:
        return (x) => {
          const x1 = a(x);
          begin();
          let value;
          try {
            value = core(x1);
          } catch (error) {
            return fail(error);
          }
          return end(value);
        };
      case 2:
        return (x, y) => {
          const x1 = a(x);
          const y1 = b(y);
          begin();
          let value;
          try {
            value = core(x1, y1);
          } catch (error) {
            return fail(error);
          }
          return end(value);
        };
      default:
        return (x, y, z) => {
          const x1 = a(x);
          const y1 = b(y);
          const z1 = c(z);
          begin();
          let value;
          try {
            value = core(x1, y1, z1);
          } catch (error) {
            return fail(error);
          }
          return end(value);
        };
    }
  }
}

function named(lower: ((value: unknown) => unknown) | undefined, name: string | undefined): typeof lower {
  if (lower === undefined) return undefined;
  return (value) => {
    try {
      return lower(value);
    } catch (error) {
      throw inParameter(name, error);
    }
  };
}

function tooMany(given: number, taken: number): never {
  throw new StarlaneError(
    "engine/bad-value",
    `the function takes ${taken} argument${taken === 1 ? "" : "s"}, ${given} were given`,
  );
}

function identity(value: unknown): unknown {
  return value;
}

function enterFromHost(instances: readonly ComponentInstance[]): void {
  try {
    enter(instances);
  } catch (error) {
    throw failureOf(error);
  }
}

/** Calls with the core values of an array; the common small numbers without the cost of spreading. */
export function callWith(core: CoreFunction, flat: readonly unknown[]): unknown {
  switch (flat.length) {
    case 0:
      return core();
    case 1:
      return core(flat[0]);
    case 2:
      return core(flat[0], flat[1]);
    case 3:
      return core(flat[0], flat[1], flat[2]);
    case 4:
      return core(flat[0], flat[1], flat[2], flat[3]);
    default:
      return core(...flat);
  }
}
