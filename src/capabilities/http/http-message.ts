// HTTP messages as plain values: what the resources of every version of `wasi:http` are made from and made into, and what clients
// and servers take and give. Bodies are iterables: a chunk is asked for when somebody wants it.

import type { HttpErrorCode } from "./errors.ts";

/** Fields in order; names as written. */
export type HttpFields = readonly (readonly [name: string, value: Uint8Array])[];

/** Chunks of a body, not empty. It ends where the body ends, and throws `HttpFailure` where it fails; who stops early returns it. */
export type HttpBody = AsyncIterable<Uint8Array>;

export interface HttpRequest {
  readonly method: string;
  readonly scheme: string;
  /** Host and perhaps port. */
  readonly authority: string;
  /** With the query; begins with a slash, or is `*`. */
  readonly path: string;
  readonly headers: HttpFields;
  /** Left out: a request without a body. */
  readonly body?: HttpBody | undefined;
  /** Asked for when the body has ended; rejects with `HttpFailure` where the message must not be completed. */
  readonly trailers?: (() => Promise<HttpFields | undefined>) | undefined;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpFields;
  readonly body: HttpBody;
  /** Asked for when the body has ended. */
  readonly trailers: () => Promise<HttpFields | undefined>;
}

/** Why a request, a response or a body failed, in the words of `wasi:http`. Its message is for the host. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly code: HttpErrorCode;

  constructor(code: HttpErrorCode, options?: ErrorOptions) {
    super(`HTTP failed: ${code.tag}`, options);
    this.code = code;
  }
}

/** The code of a failure; what is none is told to the guest without any detail. */
export function codeOf(error: unknown): HttpErrorCode {
  return error instanceof HttpFailure ? error.code : { tag: "internal-error" };
}

/** A body of these chunks. */
export function bodyOf(chunks: readonly Uint8Array[]): HttpBody {
  return {
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
  };
}

/** A body of nothing. */
export const NO_BODY: HttpBody = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

export const NO_TRAILERS = (): Promise<HttpFields | undefined> => Promise.resolve(undefined);
