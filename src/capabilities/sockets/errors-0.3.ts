// Failures of sockets and lookups in the words of `wasi:sockets@0.3`.

import { answerError } from "../guest.ts";
import { LookupFailure, SocketFailure, type SocketErrorCode } from "./network.ts";
import { LookupRefused } from "./open-sockets.ts";

export type ErrorCode =
  | { readonly tag: Exclude<SocketErrorCode, "new-socket-limit" | "other"> }
  | { readonly tag: "other"; readonly val: string | undefined };

export function errorOf(error: unknown): ErrorCode {
  if (!(error instanceof SocketFailure)) return { tag: "other", val: undefined };
  if (error.code === "new-socket-limit") return { tag: "out-of-memory" };
  return error.code === "other" ? { tag: "other", val: undefined } : { tag: error.code };
}

export function lookupErrorOf(error: unknown): { readonly tag: string; readonly val?: string | undefined } {
  if (error instanceof LookupRefused || error instanceof LookupFailure) return { tag: error.code };
  return error instanceof SocketFailure && error.code === "access-denied"
    ? { tag: "access-denied" }
    : { tag: "other", val: undefined };
}

/** Does something; a failure is the error of the function's result. */
export function answering<Value>(act: () => Value): Value {
  try {
    return act();
  } catch (error) {
    if (error instanceof SocketFailure) throw answerError(errorOf(error));
    throw error;
  }
}
