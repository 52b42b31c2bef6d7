// A body on its way from a connection to whoever reads it: at most what one read of the connection gave waits here; the connection
// rests meanwhile.

import { HttpFailure, type HttpFields } from "./http-message.ts";

/** The connection behind a body. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  /** Nobody reads any more. */
  cancel(): void;
}

type Ended = { readonly trailers: HttpFields | undefined } | { readonly failure: HttpFailure };
type Step = IteratorResult<Uint8Array, undefined>;
type Reader = { readonly resolve: (step: Step) => void; readonly reject: (failure: HttpFailure) => void };

export class ResponseBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #flow: BodyFlow;
  readonly #betweenBytesMs: number;
  readonly #chunks: Uint8Array[] = [];
  #ended: Ended | undefined;
  #cancelled = false;
  #reader: Reader | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #trailers = Promise.withResolvers<HttpFields | undefined>();

  constructor(flow: BodyFlow, betweenBytesMs: number) {
    this.#flow = flow;
    this.#betweenBytesMs = betweenBytesMs;
    this.#trailers.promise.catch(() => undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Takes a chunk; the connection rests where nobody waits for it. */
  push(chunk: Uint8Array): void {
    if (this.#cancelled || this.#ended !== undefined || chunk.length === 0) return;
    const reader = this.#takeReader();
    if (reader !== undefined) return reader.resolve({ done: false, value: chunk });
    this.#chunks.push(chunk);
    this.#flow.pause();
  }

  end(trailers: HttpFields | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = { trailers };
    this.#trailers.resolve(trailers);
    this.#takeReader()?.resolve({ done: true, value: undefined });
  }

  fail(failure: HttpFailure): void {
    if (this.#ended !== undefined) return;
    this.#ended = { failure };
    this.#trailers.reject(failure);
    this.#takeReader()?.reject(failure);
  }

  next(): Promise<Step> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return Promise.resolve({ done: false, value: chunk });
    if (this.#ended !== undefined && "failure" in this.#ended) return Promise.reject(this.#ended.failure);
    if (this.#ended !== undefined || this.#cancelled) return Promise.resolve({ done: true, value: undefined });
    const step = Promise.withResolvers<Step>();
    this.#reader = step;
    if (this.#betweenBytesMs > 0) this.#timer = setTimeout(() => this.#timeOut(), this.#betweenBytesMs);
    this.#flow.resume();
    return step.promise;
  }

  return(): Promise<Step> {
    if (!this.#cancelled) {
      this.#cancelled = true;
      this.#chunks.length = 0;
      if (this.#ended === undefined) this.#flow.cancel();
      this.#trailers.resolve(undefined);
      this.#takeReader()?.resolve({ done: true, value: undefined });
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Settles when the body has ended; nothing where it was given up. */
  readonly trailers = (): Promise<HttpFields | undefined> => this.#trailers.promise;

  #timeOut(): void {
    this.fail(new HttpFailure({ tag: "connection-read-timeout" }));
    this.#flow.cancel();
  }

  #takeReader(): Reader | undefined {
    clearTimeout(this.#timer);
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }
}
