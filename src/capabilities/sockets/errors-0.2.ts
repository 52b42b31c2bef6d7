// Failures of sockets and lookups in the words of `wasi:sockets@0.2`.

import { answerError } from "../guest.ts";
import { IoError } from "../io/error.ts";
import { LookupFailure, SocketFailure } from "./network.ts";
import { LookupRefused } from "./open-sockets.ts";

/** `error-code` of `wasi:sockets/network@0.2`. */
export function errorOf(error: unknown): string {
  if (error instanceof LookupFailure || error instanceof LookupRefused) return error.code;
  if (!(error instanceof SocketFailure)) return "unknown";
  if (error.code === "connection-broken") return "connection-aborted";
  return error.code === "other" ? "unknown" : error.code;
}

/** As streams carry it. */
export function ioErrorOf(error: unknown): IoError {
  const code = errorOf(error);
  return new IoError(`the connection failed: ${code}`, { network: code });
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
