// The resource of `wasi:io/error`: its text goes to the guest, so it says nothing of the host.

import { ComponentError } from "../../engine/engine.ts";
import { guestInterface, madeByHost } from "../guest.ts";
import type { HttpErrorCode } from "../http/errors.ts";

/** What an `IoError` is in the words of other packages; asked for by `filesystem-error-code` and its like. */
export interface ErrorOrigin {
  readonly filesystem?: string | undefined;
  readonly network?: string | undefined;
  readonly http?: HttpErrorCode | undefined;
}

/** What an error is in the words of other packages. A function, not a method, so that no guest can name it. */
export let originOf: (error: IoError) => ErrorOrigin;

export class IoError {
  readonly #message: string;
  readonly #origin: ErrorOrigin;

  static {
    originOf = (error) => error.#origin;
  }

  constructor(message: string, origin: ErrorOrigin = {}) {
    this.#message = message;
    this.#origin = origin;
  }

  toDebugString(): string {
    return this.#message;
  }
}

/** `stream-error` of `wasi:io/streams`. */
export type StreamError = { readonly tag: "closed" } | { readonly tag: "last-operation-failed"; readonly val: IoError };

export function closed(): ComponentError {
  return new ComponentError({ tag: "closed" } satisfies StreamError);
}

export function failed(error: IoError): ComponentError {
  return new ComponentError({ tag: "last-operation-failed", val: error } satisfies StreamError);
}

/** `wasi:io/error`. */
export const errorInterface = guestInterface({ Error: madeByHost(IoError) });
