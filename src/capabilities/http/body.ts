// Bodies of HTTP messages: what came in is bytes in memory; what goes out is counted, held to its Content-Length and given to a
// sink.

import { answerError, misuse } from "../guest.ts";
import { readyPollable, type Pollable } from "../io/poll.ts";
import { closeOutput, InputStream, OutputStream } from "../io/streams.ts";
import type { HttpErrorCode } from "./errors.ts";
import { immutableView, type Fields } from "./fields.ts";

const ROOM = 1 << 16;

type Once<Value> =
  | {
      readonly tag: "ok";
      readonly val: { readonly tag: "ok"; readonly val: Value } | { readonly tag: "err"; readonly val: HttpErrorCode };
    }
  | { readonly tag: "err"; readonly val: undefined };

export type FutureResult<Value> =
  | { readonly tag: "ok"; readonly val: Value }
  | { readonly tag: "err"; readonly val: HttpErrorCode };

/** What both futures of `wasi:http` are: a result that is there already and can be taken once. */
export class Taken<Value> {
  #result: FutureResult<Value> | undefined;

  constructor(result: FutureResult<Value>) {
    this.#result = result;
  }

  take(): Once<Value> {
    const result = this.#result;
    this.#result = undefined;
    return result === undefined ? { tag: "err", val: undefined } : { tag: "ok", val: result };
  }
}

export class FutureTrailers {
  readonly #trailers: Taken<Fields | undefined>;

  constructor(trailers: Fields | undefined) {
    this.#trailers = new Taken({ tag: "ok", val: trailers === undefined ? undefined : immutableView(trailers) });
  }

  subscribe(): Pollable {
    return readyPollable();
  }

  get(): Once<Fields | undefined> | undefined {
    return this.#trailers.take();
  }
}

export class IncomingBody {
  readonly #contents: Uint8Array;
  readonly #trailers: Fields | undefined;
  #streamTaken = false;

  constructor(contents: Uint8Array, trailers?: Fields) {
    this.#contents = contents;
    this.#trailers = trailers;
  }

  stream(): InputStream {
    if (this.#streamTaken) throw answerError(undefined);
    this.#streamTaken = true;
    return new InputStream(this.#contents);
  }

  static finish(body: IncomingBody): FutureTrailers {
    return new FutureTrailers(body.#trailers);
  }
}

/** Takes a body's bytes as they are written. */
export type BodySink = (bytes: Uint8Array) => void;

export class OutgoingBody {
  readonly #sizeError: "HTTP-request-body-size" | "HTTP-response-body-size";
  readonly #expected: bigint | undefined;
  readonly #stream: OutputStream;
  #written = 0n;
  #streamTaken = false;
  #isFinished = false;

  constructor(kind: "request" | "response", headers: Fields, sink: BodySink = () => {}) {
    this.#sizeError = `HTTP-${kind}-body-size`;
    this.#expected = contentLengthOf(headers);
    this.#stream = new OutputStream({
      room: () => ROOM,
      write: (bytes) => {
        this.#written += BigInt(bytes.length);
        sink(bytes);
      },
    });
  }

  write(): OutputStream {
    if (this.#streamTaken) throw answerError(undefined);
    this.#streamTaken = true;
    return this.#stream;
  }

  static finish(body: OutgoingBody, _trailers: Fields | undefined): void {
    if (body.#isFinished) throw misuse("an outgoing-body was finished twice");
    body.#isFinished = true;
    closeOutput(body.#stream);
    if (body.#expected !== undefined && body.#expected !== body.#written) {
      throw answerError({ tag: body.#sizeError, val: body.#written } satisfies HttpErrorCode);
    }
  }
}

/** Undefined where there is none, or none that is one number. */
function contentLengthOf(headers: Fields): bigint | undefined {
  const [value, ...more] = headers.get("content-length");
  if (value === undefined || more.length > 0 || value.length > 19) return undefined;
  const text = String.fromCharCode(...value);
  return /^[0-9]+$/.test(text) ? BigInt(text) : undefined;
}
