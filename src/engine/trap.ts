// Traps: how the host stops a guest in the middle of a call, and what a caught failure means.
//
// A plain JS exception thrown by a host function could be caught by the guest (`catch_all`). A real trap can not: so `trap` runs
// an `unreachable` instruction and throws on what comes out of it; what it was about is kept beside it.

import { StarlaneError } from "../base/errors.ts";

// (module (func (export "t") unreachable))
const UNREACHABLE = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  4,
  1,
  96,
  0,
  0,
  3,
  2,
  1,
  0,
  7,
  5,
  1,
  1,
  116,
  0,
  0,
  10,
  5,
  1,
  3,
  0,
  0,
  11,
);

let unreachable: (() => void) | undefined;
const causes = new WeakMap<object, unknown>();

/** Stops the guest. `message` says which rule it broke (component-model Canonical ABI, every `trap_if`). */
export function trap(message: string): never {
  return stopWith(new StarlaneError("engine/trap", message));
}

/** Stops the guest because of something on the host's side; `cause` is what the caller of the guest is told. */
export function stopWith(cause: unknown): never {
  const marker = uncatchable();
  causes.set(marker, cause);
  throw marker;
}

function uncatchable(): object {
  unreachable ??= new WebAssembly.Instance(new WebAssembly.Module(UNREACHABLE)).exports.t as () => void;
  try {
    unreachable();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new StarlaneError("starlane/internal", "unreachable was reached");
}

/** Whether a caught value is a trap, of the engine or of V8: nothing of the guest may run because of it. */
export function isTrap(error: unknown): boolean {
  return (
    error instanceof WebAssembly.RuntimeError || isSuspendError(error) || (error instanceof RangeError && isStackOverflow(error))
  );
}

function isStackOverflow(error: RangeError): boolean {
  return error.message.startsWith("Maximum call stack");
}

/** What to tell the caller about a failure that came out of a guest: the host's own error, or `engine/trap` with the reason. */
export function failureOf(error: unknown): unknown {
  if (error instanceof Error && causes.has(error)) return causes.get(error);
  if (error instanceof WebAssembly.RuntimeError) return new StarlaneError("engine/trap", error.message, { cause: error });
  if (error instanceof RangeError && isStackOverflow(error)) {
    return new StarlaneError("engine/trap", "call stack exhausted", { cause: error });
  }
  if (isSuspendError(error)) {
    return new StarlaneError("engine/trap", "cannot block a synchronous task before returning", { cause: error });
  }
  if (isCoreException(error)) {
    return new StarlaneError("engine/trap", "the component threw an exception that nothing in it caught", { cause: error });
  }
  return error;
}

/** A core WebAssembly exception: it must not cross a component boundary (Canonical ABI, `call_and_trap_on_throw`). */
export function isCoreException(error: unknown): boolean {
  return error instanceof WebAssembly.Exception;
}

/** Something that may block was called where the stack cannot be suspended: in a start function, a destructor, `realloc`. */
function isSuspendError(error: unknown): boolean {
  return error instanceof Error && error.name === "SuspendError";
}
