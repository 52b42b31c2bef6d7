// A request to a component that exports `wasi:http/incoming-handler@0.2` or `wasi:http/handler@0.3`, and its answer: what a server
// needs, as plain values. The head of the answer is there as soon as the guest has set it; the body streams on, or is there whole where
// the guest has written all of it already.

import { StarlaneError } from "../../base/errors.ts";
import { type Maybe } from "../../engine/async/maybe.ts";
import { ComponentError } from "../../engine/engine.ts";
import { answerError } from "../guest.ts";
import type { FutureResult } from "./body.ts";
import { heldBody } from "./body-rules.ts";
import type { HttpErrorCode } from "./errors.ts";
import { contentLengthOf, fieldBytes, LARGEST_FIELDS_BYTES } from "./field-list.ts";
import { Gate } from "./gate.ts";
import type { HttpHandler } from "./handler.ts";
import {
  bodyOf,
  type HttpBody,
  HttpFailure,
  type HttpFields,
  type HttpRequest,
  type HttpResponse,
  NO_BODY,
  NO_TRAILERS,
} from "./http-message.ts";
import { type AnsweredResponse, type AnswerReceiver, IncomingRequest, ResponseOutparam } from "./message.ts";
import { receivedRequest, Response, takeResponse } from "./messages-0.3.ts";

/**
 * Calls an export of an instance that is linked with `grantedHttp` (its grant may be empty) and prepared: as `Pool.callNow` does, it
 * answers or throws at once, or gives a promise.
 */
export type GuestCall = (name: string, args: readonly unknown[]) => unknown;

export interface IncomingOptions {
  /** The transaction's: aborts when the client goes away or the time is over. */
  readonly signal: AbortSignal;
  /** Sends an informational response (100 to 199). Without it guests hear that they cannot be sent; 0.3 has none. */
  readonly informational?: ((status: number, headers: HttpFields) => void) | undefined;
  /** Of the answer's body; 4 GiB where it is left out. */
  readonly responseBodyBytes?: number | undefined;
}

export interface GuestResponse extends HttpResponse {
  /** All of the body, where that is there already and no trailers follow: then nobody need read it from `body`. */
  readonly whole?: Uint8Array | undefined;
  /**
   * Resolves when the guest has nothing left to do for this request and the instance is free; rejects where the guest was stopped
   * after it had answered. The body has to be read to its end or returned, or the signal aborted, before it settles.
   */
  readonly finished: Promise<void>;
}

/**
 * Lets a guest answer a request: at once where it does. `call` has to end with the signal too.
 * @throws (or rejects with) HttpFailure where the guest answers with an `error-code`, or the request's fields are too many;
 *   StarlaneError `capability/no-response` where it ends without an answer, `engine/trap` and others where it is stopped; the
 *   signal's reason. A body that goes wrong later throws HttpFailure: `HTTP-response-body-size` (more or less than
 *   content-length), `HTTP-protocol-error` (never finished), `internal-error` with the reason as cause (the guest was stopped).
 */
export function handleWithGuest(
  call: GuestCall,
  handler: HttpHandler,
  request: HttpRequest,
  options: IncomingOptions,
): Maybe<GuestResponse> {
  const bytes = fieldBytes(request.headers);
  if (bytes > LARGEST_FIELDS_BYTES) throw new HttpFailure({ tag: "HTTP-request-header-section-size", val: bytes });
  return handler.version === "0.3"
    ? handle03(call, handler.name, request, options)
    : handle02(call, handler.name, request, options);
}

const FINISHED = Promise.resolve();

function handle03(call: GuestCall, name: string, request: HttpRequest, options: IncomingOptions): Maybe<GuestResponse> {
  const gate = request.body === undefined ? undefined : new Gate();
  const respond = (answered: unknown): GuestResponse => {
    if (!(answered instanceof Response))
      throw new StarlaneError("starlane/internal", `${name} answered with something else than a response`);
    return response03(answered, request.method, options);
  };
  let answered: unknown;
  try {
    answered = call(name, [receivedRequest(request, gate)]);
  } catch (error) {
    return failed03(error);
  } finally {
    gate?.open();
  }
  return answered instanceof Promise ? answered.then(respond, failed03) : respond(answered);
}

function failed03(error: unknown): never {
  throw error instanceof ComponentError ? new HttpFailure(errorCodeOf(error.payload), { cause: error }) : error;
}

class WholeResponse implements GuestResponse {
  readonly status: number;
  readonly headers: HttpFields;
  readonly whole: Uint8Array;
  readonly trailers = NO_TRAILERS;
  readonly finished: Promise<void>;

  constructor(status: number, headers: HttpFields, whole: Uint8Array, finished: Promise<void>) {
    this.status = status;
    this.headers = headers;
    this.whole = whole;
    this.finished = finished;
  }

  get body(): HttpBody {
    return bodyOf([this.whole]);
  }
}

function response03(answered: Response, method: string, options: IncomingOptions): GuestResponse {
  const { status, headers, whole, rest, tellSent } = takeResponse(answered);
  const bytes = whole === undefined ? undefined : wholeBody(whole, status, headers, method, options);
  if (bytes !== undefined) {
    tellSent();
    return new WholeResponse(status, headers, bytes, FINISHED);
  }
  const { body = NO_BODY, trailers } = rest();
  const finished = Promise.withResolvers<void>();
  const held = held03({ status, headers, body, trailers }, method, options, (failure) => {
    tellSent(failure);
    finished.resolve();
  });
  return { ...held, finished: finished.promise };
}

/** `finish` is told once: after the trailers, or when the body failed or was given up. */
function held03(
  response: HttpResponse,
  method: string,
  options: IncomingOptions,
  finish: (failure?: HttpFailure) => void,
): HttpResponse {
  const { status, headers } = response;
  let isOver = false;
  const trailers = Promise.withResolvers<HttpFields | undefined>();
  trailers.promise.catch(() => undefined);
  const body = heldToLength(response, method, options, (failure, complete) => {
    isOver = true;
    if (!complete) {
      trailers.resolve(undefined);
      return finish(failure ?? new HttpFailure({ tag: "connection-terminated" }));
    }
    response.trailers().then(
      (fields) => {
        trailers.resolve(fields);
        finish();
      },
      (error: unknown) => {
        const reason = error instanceof HttpFailure ? error : new HttpFailure({ tag: "internal-error" }, { cause: error });
        trailers.reject(reason);
        finish(reason);
      },
    );
  });
  return {
    status,
    headers,
    body,
    trailers: () =>
      isOver ? trailers.promise : Promise.reject(new StarlaneError("starlane/internal", "trailers are asked for after the body")),
  };
}

function handle02(call: GuestCall, name: string, request: HttpRequest, options: IncomingOptions): Maybe<GuestResponse> {
  const gate = request.body === undefined ? undefined : new Gate();
  const answering = new Answering(name, options.informational);
  let called: unknown;
  try {
    called = call(name, [new IncomingRequest(request, gate), new ResponseOutparam(answering)]);
  } catch (error) {
    answering.stopped(error);
    return response02(answering.now(), rejected(error), request.method, options);
  } finally {
    gate?.open();
  }
  if (!(called instanceof Promise)) {
    answering.ended();
    return response02(answering.now(), FINISHED, request.method, options);
  }
  const finished = called.then(
    () => answering.ended(),
    (error: unknown) => {
      answering.stopped(error);
      throw error;
    },
  );
  finished.catch(() => undefined);
  return answering.later().then((answer) => response02(answer, finished, request.method, options));
}

function rejected(error: unknown): Promise<void> {
  const promise = Promise.reject<void>(error);
  promise.catch(() => undefined);
  return promise;
}

/** Takes what a guest answers. Nobody hears of it before the call has come back for the first time: until then it may be begun anew. */
class Answering implements AnswerReceiver {
  readonly #name: string;
  readonly #send: IncomingOptions["informational"];
  #answer: FutureResult<AnsweredResponse> | undefined;
  #noAnswer: { readonly reason: unknown } | undefined;
  /** Informational responses that are to be sent when the call has come back; undefined from then on. */
  #held: Parameters<NonNullable<IncomingOptions["informational"]>>[] | undefined = [];
  #tell: (() => void) | undefined;

  constructor(name: string, send: IncomingOptions["informational"]) {
    this.#name = name;
    this.#send = send;
  }

  answer(answer: FutureResult<AnsweredResponse>): void {
    this.#answer = answer;
    this.#tell?.();
  }

  informational(status: number, headers: HttpFields): void {
    if (this.#send === undefined) {
      throw answerError({ tag: "internal-error", val: "informational responses cannot be sent here" } satisfies HttpErrorCode);
    }
    if (this.#held === undefined) this.#send(status, headers);
    else this.#held.push([status, headers]);
  }

  dropped(): void {
    this.#noResponse("dropped its response-outparam");
  }

  forget(): void {
    this.#answer = this.#noAnswer = undefined;
    this.#held = [];
  }

  /** The guest has ended: a body that nobody can finish any more would never end. */
  ended(): void {
    this.#noResponse("ended");
    this.#endBody({ tag: "HTTP-protocol-error" });
  }

  /** The guest was stopped. */
  stopped(reason: unknown): void {
    this.#noAnswer ??= { reason };
    this.#endBody({ tag: "internal-error" }, reason);
    this.#tell?.();
  }

  #endBody(code: HttpErrorCode, cause?: unknown): void {
    const pipe = this.#answer?.tag === "ok" ? this.#answer.val.pipe : undefined;
    if (pipe?.hasEnded === false) pipe.end({ failure: new HttpFailure(code, { cause }) });
  }

  #noResponse(how: string): void {
    if (this.#answer !== undefined) return;
    this.#noAnswer ??= {
      reason: new StarlaneError("capability/no-response", `${this.#name} ${how} without an answer`, {
        cure: "Let the component set its response-outparam for every request.",
      }),
    };
    this.#tell?.();
  }

  /** The answer of a guest that has ended. @throws HttpFailure, StarlaneError */
  now(): AnsweredResponse {
    this.#sendHeld();
    if (this.#answer?.tag === "ok") return this.#answer.val;
    if (this.#answer !== undefined) throw new HttpFailure(this.#answer.val);
    throw this.#noAnswer?.reason;
  }

  /** The answer of a guest that goes on. */
  later(): Promise<AnsweredResponse> {
    this.#sendHeld();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#tell = undefined;
        try {
          resolve(this.now());
        } catch (error) {
          reject(error);
        }
      };
      if (this.#answer !== undefined || this.#noAnswer !== undefined) settle();
      else this.#tell = settle;
    });
  }

  #sendHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    for (const [status, headers] of held ?? []) this.#send?.(status, headers);
  }
}

function response02(answer: AnsweredResponse, finished: Promise<void>, method: string, options: IncomingOptions): GuestResponse {
  const { status, headers, pipe } = answer;
  const chunks = pipe === undefined ? NOTHING : pipe.takeWhole();
  const bytes = chunks === undefined ? undefined : wholeBody(chunks, status, headers, method, options);
  if (bytes !== undefined) return new WholeResponse(status, headers, bytes, finished);
  const written = chunks === undefined ? (pipe?.body ?? NO_BODY) : bodyOf(chunks);
  const body = heldToLength({ status, headers, body: written }, method, options, (_, complete) => {
    if (!complete) pipe?.break({ tag: "connection-terminated" });
  });
  return { status, headers, body, trailers: pipe?.trailers ?? NO_TRAILERS, finished };
}

const NOTHING: readonly Uint8Array[] = [];
const NO_BYTES = new Uint8Array(0);
/** Statuses of responses without a body, whatever the guest wrote. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** All of a body that has ended, where it keeps to the rules; else it is left to those who see to them chunk by chunk. */
function wholeBody(
  chunks: readonly Uint8Array[],
  status: number,
  headers: HttpFields,
  method: string,
  { responseBodyBytes = MOST_BYTES }: IncomingOptions,
): Uint8Array | undefined {
  if (method === "HEAD" || BODILESS.has(status)) return undefined;
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const promised = contentLengthOf(headers);
  if (length > responseBodyBytes || (typeof promised === "number" && promised !== length)) return undefined;
  const [first = NO_BYTES] = chunks;
  if (chunks.length <= 1) return first;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

const MOST_BYTES = 2 ** 32;

function heldToLength(
  response: Omit<HttpResponse, "trailers">,
  method: string,
  options: IncomingOptions,
  onEnd: (failure: HttpFailure | undefined, complete: boolean) => void,
): HttpResponse["body"] {
  const { status, headers, body } = response;
  const promised = contentLengthOf(headers);
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
  const rule = {
    promised: hasBody && promised !== "wrong" ? promised : undefined,
    limitBytes: options.responseBodyBytes ?? MOST_BYTES,
    wrong: (bytes: number): HttpErrorCode => ({ tag: "HTTP-response-body-size", val: BigInt(bytes) }),
  };
  return heldBody(body, rule, options.signal, onEnd);
}

function errorCodeOf(payload: unknown): HttpErrorCode {
  return isErrorCode(payload) ? payload : { tag: "internal-error" };
}

/** The engine lifted it by the type `error-code`. */
function isErrorCode(payload: unknown): payload is HttpErrorCode {
  return typeof payload === "object" && payload !== null && "tag" in payload && typeof payload.tag === "string";
}
