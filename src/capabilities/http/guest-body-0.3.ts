// Bodies and trailers of `wasi:http@0.3`: streams and futures of a guest as bodies of the host, and the other way round.

import { ComponentError } from "../../engine/engine.ts";
import { bytesOf } from "../guest.ts";
import type { HttpErrorCode } from "./errors.ts";
import { type Fields, plainFields, receivedFields } from "./fields-0.3.ts";
import { codeOf, type HttpBody, HttpFailure, type HttpFields } from "./http-message.ts";

/** `result<T, error-code>`, as a future carries it. */
export type Outcome<Value> = { readonly tag: "ok"; readonly val: Value } | { readonly tag: "err"; readonly val: HttpErrorCode };
type Step = IteratorResult<Uint8Array, undefined>;
const DONE: Step = { done: true, value: undefined };
export type TrailersOutcome = Outcome<Fields | undefined>;

/** A body of a guest, the chunks as they were written. */
export function bodyOfGuest(contents: AsyncIterable<unknown> | undefined): HttpBody | undefined {
  return contents === undefined ? undefined : { [Symbol.asyncIterator]: () => new GuestChunks(contents) };
}

class GuestChunks implements AsyncIterator<Uint8Array, undefined> {
  readonly #contents: AsyncIterable<unknown>;
  readonly #iterator: AsyncIterator<unknown>;

  constructor(contents: AsyncIterable<unknown>) {
    this.#contents = contents;
    this.#iterator = contents[Symbol.asyncIterator]();
  }

  async next(): Promise<Step> {
    const step = await this.#iterator.next();
    return step.done === true ? DONE : { done: false, value: bytesOf(step.value as Uint8Array) };
  }

  async return(): Promise<Step> {
    await giveUpContents(this.#contents);
    return DONE;
  }
}

/** The guest hears at once that nobody reads, also where a chunk is waited for. */
export async function giveUpContents(contents: AsyncIterable<unknown>): Promise<void> {
  if (isDisposable(contents)) await contents[Symbol.asyncDispose]();
}

function isDisposable(value: object): value is AsyncDisposable {
  return Symbol.asyncDispose in value && typeof value[Symbol.asyncDispose] === "function";
}

/** The trailers that a guest promised, when they are asked for. */
export function trailersOfGuest(promised: Promise<TrailersOutcome>): () => Promise<HttpFields | undefined> {
  promised.catch(() => undefined);
  return async () => {
    const outcome = await promised;
    if (outcome.tag === "err") throw new HttpFailure(outcome.val);
    return outcome.val === undefined ? undefined : plainFields(outcome.val);
  };
}

/** A received body for a guest: a stream that ends when the body does, and a future that then says how, with the trailers. */
export function bodyForGuest(
  body: HttpBody,
  trailers: () => Promise<HttpFields | undefined>,
): [AsyncIterable<Uint8Array>, Promise<TrailersOutcome>] {
  const settled = Promise.withResolvers<TrailersOutcome>();
  const settle = async (): Promise<void> => {
    try {
      const fields = await trailers();
      settled.resolve({ tag: "ok", val: fields === undefined ? undefined : receivedFields(fields) });
    } catch (error) {
      settled.resolve({
        tag: "err",
        val: error instanceof ComponentError ? { tag: "HTTP-response-trailer-section-size" } : codeOf(error),
      });
    }
  };
  return [
    { [Symbol.asyncIterator]: () => new StreamForGuest(body[Symbol.asyncIterator](), settle, settled.resolve) },
    settled.promise,
  ];
}

/** Never throws: what goes wrong ends the stream, and the future says what it was. */
class StreamForGuest implements AsyncIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #atEnd: () => Promise<void>;
  readonly #settle: (outcome: TrailersOutcome) => void;

  constructor(source: AsyncIterator<Uint8Array>, atEnd: () => Promise<void>, settle: (outcome: TrailersOutcome) => void) {
    this.#source = source;
    this.#atEnd = atEnd;
    this.#settle = settle;
  }

  async next(): Promise<Step> {
    try {
      const step = await this.#source.next();
      if (step.done !== true) return { done: false, value: step.value };
      void this.#atEnd();
    } catch (error) {
      this.#settle({ tag: "err", val: codeOf(error) });
    }
    return DONE;
  }

  /** The guest gave the stream up: it hears of no trailers. */
  return(): Promise<Step> {
    this.#settle({ tag: "ok", val: undefined });
    void (async () => this.#source.return?.())().catch(() => undefined);
    return Promise.resolve(DONE);
  }
}
