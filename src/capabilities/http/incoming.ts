// A request to a component that exports `wasi:http/incoming-handler@0.2` or `wasi:http/handler@0.3`, and its answer: what a server
// needs, as plain values. The head of the answer is there as soon as the guest has set it; the body streams on.

import { StarlaneError } from "../../base/errors.ts";
import { ComponentError } from "../../engine/engine.ts";
import { answerError } from "../guest.ts";
import type { FutureResult } from "./body.ts";
import { heldBody } from "./body-rules.ts";
import type { HttpErrorCode } from "./errors.ts";
import { contentLengthOf, fieldBytes, LARGEST_FIELDS_BYTES } from "./field-list.ts";
import { HttpFailure, type HttpFields, type HttpRequest, type HttpResponse } from "./http-message.ts";
import { type AnsweredResponse, type AnswerReceiver, IncomingRequest, ResponseOutparam } from "./message.ts";
import { receivedRequest, Response, takeResponse } from "./messages-0.3.ts";

/** An exported handler, by the name that `call` takes. */
export interface HttpHandler {
  readonly version: "0.2" | "0.3";
  readonly name: string;
}

/** Calls an export of an instance that is linked with `grantedHttp` (its grant may be empty) and prepared: as `Pool.call` does. */
export type GuestCall = (name: string, args: readonly unknown[]) => Promise<unknown>;

export interface IncomingOptions {
  /** The transaction's: aborts when the client goes away or the time is over. */
  readonly signal: AbortSignal;
  /** Sends an informational response (100 to 199). Without it guests hear that they cannot be sent; 0.3 has none. */
  readonly informational?: ((status: number, headers: HttpFields) => void) | undefined;
  /** Of the answer's body; 4 GiB where it is left out. */
  readonly responseBodyBytes?: number | undefined;
}

export interface GuestResponse extends HttpResponse {
  /**
   * Resolves when the guest has nothing left to do for this request and the instance is free; rejects where the guest was stopped
   * after it had answered. The body has to be read to its end or returned, or the signal aborted, before it settles.
   */
  readonly finished: Promise<void>;
}

/** What a component exports to be served, among the names of its functions; 0.3 where it has both. */
export function httpHandlerOf(functions: Iterable<string>): HttpHandler | undefined {
  const names = [...functions];
  const newer = names.find((name) => /^wasi:http\/handler@0\.3\.\d+#handle$/.test(name));
  if (newer !== undefined) return { version: "0.3", name: newer };
  const older = names.find((name) => /^wasi:http\/incoming-handler@0\.2\.\d+#handle$/.test(name));
  return older === undefined ? undefined : { version: "0.2", name: older };
}

/**
 * Lets a guest answer a request. `call` has to end with the signal too.
 * @throws HttpFailure where the guest answers with an `error-code`, or the request's fields are too many;
 *   StarlaneError `capability/no-response` where it ends without an answer, `engine/trap` and others where it is stopped; the
 *   signal's reason. A body that goes wrong later throws HttpFailure: `HTTP-response-body-size` (more or less than
 *   content-length), `HTTP-protocol-error` (never finished), `internal-error` with the reason as cause (the guest was stopped).
 */
export async function handleWithGuest(
  call: GuestCall,
  handler: HttpHandler,
  request: HttpRequest,
  options: IncomingOptions,
): Promise<GuestResponse> {
  const bytes = fieldBytes(request.headers);
  if (bytes > LARGEST_FIELDS_BYTES) throw new HttpFailure({ tag: "HTTP-request-header-section-size", val: bytes });
  return handler.version === "0.3"
    ? handle03(call, handler.name, request, options)
    : handle02(call, handler.name, request, options);
}

async function handle03(call: GuestCall, name: string, request: HttpRequest, options: IncomingOptions): Promise<GuestResponse> {
  const answered = await call(name, [receivedRequest(request)]).catch((error: unknown) => {
    throw error instanceof ComponentError ? new HttpFailure(errorCodeOf(error.payload), { cause: error }) : error;
  });
  if (!(answered instanceof Response))
    throw new StarlaneError("starlane/internal", `${name} answered with something else than a response`);
  const { response, tellSent } = takeResponse(answered);
  const finished = Promise.withResolvers<void>();
  const held = held03(response, request.method, options, (failure) => {
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

async function handle02(call: GuestCall, name: string, request: HttpRequest, options: IncomingOptions): Promise<GuestResponse> {
  const answered = Promise.withResolvers<AnsweredResponse>();
  let answer: AnsweredResponse | undefined;
  const noResponse = (how: string): void => {
    if (answer !== undefined) return;
    answered.reject(
      new StarlaneError("capability/no-response", `${name} ${how} without an answer`, {
        cure: "Let the component set its response-outparam for every request.",
      }),
    );
  };
  const receiver: AnswerReceiver = {
    answer: (result: FutureResult<AnsweredResponse>) => {
      if (result.tag === "err") return answered.reject(new HttpFailure(result.val));
      answer = result.val;
      answered.resolve(result.val);
    },
    informational: (status, headers) => {
      if (options.informational === undefined) {
        throw answerError({ tag: "internal-error", val: "informational responses cannot be sent here" } satisfies HttpErrorCode);
      }
      options.informational(status, headers);
    },
    dropped: () => noResponse("dropped its response-outparam"),
  };
  const called = call(name, [new IncomingRequest(request), new ResponseOutparam(receiver)]);
  const finished = called.then(
    () => {
      noResponse("ended");
      // A body that nobody can finish any more would never end.
      answer?.pipe?.end({ failure: new HttpFailure({ tag: "HTTP-protocol-error" }) });
    },
    (error: unknown) => {
      answered.reject(error);
      answer?.pipe?.end({ failure: new HttpFailure({ tag: "internal-error" }, { cause: error }) });
      throw error;
    },
  );
  finished.catch(() => undefined);
  const response = await answered.promise;
  const body = heldToLength(response, request.method, options, (_, complete) => {
    if (!complete) response.pipe?.break({ tag: "connection-terminated" });
  });
  return { status: response.status, headers: response.headers, body, trailers: response.trailers, finished };
}

function heldToLength(
  response: HttpResponse,
  method: string,
  options: IncomingOptions,
  onEnd: (failure: HttpFailure | undefined, complete: boolean) => void,
): HttpResponse["body"] {
  const { status, headers, body } = response;
  const promised = contentLengthOf(headers);
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
  const rule = {
    promised: hasBody && promised !== "wrong" ? promised : undefined,
    limitBytes: options.responseBodyBytes ?? 2 ** 32,
    wrong: (bytes: bigint): HttpErrorCode => ({ tag: "HTTP-response-body-size", val: bytes }),
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
