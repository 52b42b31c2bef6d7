// Requests and responses of `wasi:http/types` as plain data. A guest makes outgoing ones; incoming ones are made by the host.

import { answerError, misuse } from "../guest.ts";
import { readyPollable, type Pollable } from "../io/poll.ts";
import { IncomingBody, OutgoingBody, Taken, type FutureResult } from "./body.ts";
import type { HttpErrorCode } from "./errors.ts";
import { immutableView, type Fields } from "./fields.ts";
import { isAuthority, isMethod, isPathWithQuery, isScheme } from "./syntax.ts";

export type Method =
  | { readonly tag: "get" | "head" | "post" | "put" | "delete" | "connect" | "options" | "trace" | "patch" }
  | { readonly tag: "other"; readonly val: string };

export type Scheme = { readonly tag: "HTTP" | "HTTPS" } | { readonly tag: "other"; readonly val: string };

/** A request as it arrived. */
export interface ReceivedRequest {
  readonly method: Method;
  readonly pathWithQuery?: string | undefined;
  readonly scheme?: Scheme | undefined;
  readonly authority?: string | undefined;
  readonly headers: Fields;
  readonly body: Uint8Array;
  readonly trailers?: Fields | undefined;
}

/** A response as it arrived. */
export interface ReceivedResponse {
  readonly status: number;
  readonly headers: Fields;
  readonly body: Uint8Array;
  readonly trailers?: Fields | undefined;
}

/** A body that can be asked for once, as every message has. */
class OneBody<Body> {
  #body: Body | undefined;

  constructor(body: Body) {
    this.#body = body;
  }

  take(): Body {
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined) throw answerError(undefined);
    return body;
  }
}

/** For a `result` without payloads: the guest's value does not fit. */
function requireValid(isValid: boolean): void {
  if (!isValid) throw answerError(undefined);
}

export class IncomingRequest {
  readonly #request: ReceivedRequest;
  readonly #body: OneBody<IncomingBody>;

  constructor(request: ReceivedRequest) {
    this.#request = request;
    this.#body = new OneBody(new IncomingBody(request.body, request.trailers));
  }

  method(): Method {
    return this.#request.method;
  }

  pathWithQuery(): string | undefined {
    return this.#request.pathWithQuery;
  }

  scheme(): Scheme | undefined {
    return this.#request.scheme;
  }

  authority(): string | undefined {
    return this.#request.authority;
  }

  headers(): Fields {
    return immutableView(this.#request.headers);
  }

  consume(): IncomingBody {
    return this.#body.take();
  }
}

export class OutgoingRequest {
  readonly #headers: Fields;
  readonly #body: OneBody<OutgoingBody>;
  #method: Method = { tag: "get" };
  #pathWithQuery: string | undefined;
  #scheme: Scheme | undefined;
  #authority: string | undefined;

  constructor(headers: Fields) {
    this.#headers = immutableView(headers);
    this.#body = new OneBody(new OutgoingBody("request", headers));
  }

  body(): OutgoingBody {
    return this.#body.take();
  }

  method(): Method {
    return this.#method;
  }

  setMethod(method: Method): void {
    requireValid(method.tag !== "other" || isMethod(method.val));
    this.#method = method;
  }

  pathWithQuery(): string | undefined {
    return this.#pathWithQuery;
  }

  setPathWithQuery(pathWithQuery: string | undefined): void {
    requireValid(pathWithQuery === undefined || isPathWithQuery(pathWithQuery));
    this.#pathWithQuery = pathWithQuery;
  }

  scheme(): Scheme | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Scheme | undefined): void {
    requireValid(scheme?.tag !== "other" || isScheme(scheme.val));
    this.#scheme = scheme;
  }

  authority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: string | undefined): void {
    requireValid(authority === undefined || isAuthority(authority));
    this.#authority = authority;
  }

  headers(): Fields {
    return immutableView(this.#headers);
  }
}

/** Timeouts in nanoseconds. */
export class RequestOptions {
  #connect: bigint | undefined;
  #firstByte: bigint | undefined;
  #betweenBytes: bigint | undefined;

  connectTimeout(): bigint | undefined {
    return this.#connect;
  }

  setConnectTimeout(duration: bigint | undefined): void {
    this.#connect = duration;
  }

  firstByteTimeout(): bigint | undefined {
    return this.#firstByte;
  }

  setFirstByteTimeout(duration: bigint | undefined): void {
    this.#firstByte = duration;
  }

  betweenBytesTimeout(): bigint | undefined {
    return this.#betweenBytes;
  }

  setBetweenBytesTimeout(duration: bigint | undefined): void {
    this.#betweenBytes = duration;
  }
}

export class OutgoingResponse {
  readonly #headers: Fields;
  readonly #body: OneBody<OutgoingBody>;
  #statusCode = 200;

  constructor(headers: Fields) {
    this.#headers = immutableView(headers);
    this.#body = new OneBody(new OutgoingBody("response", headers));
  }

  statusCode(): number {
    return this.#statusCode;
  }

  setStatusCode(statusCode: number): void {
    requireValid(Number.isInteger(statusCode) && statusCode >= 100 && statusCode <= 999);
    this.#statusCode = statusCode;
  }

  headers(): Fields {
    return immutableView(this.#headers);
  }

  body(): OutgoingBody {
    return this.#body.take();
  }
}

/** Takes the guest's answer to a request; the second argument of `incoming-handler`. */
export type AnswerReceiver = (answer: FutureResult<OutgoingResponse>) => void;

export class ResponseOutparam {
  #receive: AnswerReceiver | undefined;

  constructor(receive: AnswerReceiver) {
    this.#receive = receive;
  }

  sendInformational(status: number, _headers: Fields): void {
    if (status < 100 || status > 199) throw answerError({ tag: "HTTP-protocol-error" } satisfies HttpErrorCode);
    throw answerError({ tag: "internal-error", val: "informational responses are not supported" } satisfies HttpErrorCode);
  }

  static set(outparam: ResponseOutparam, response: FutureResult<OutgoingResponse>): void {
    const receive = outparam.#receive;
    if (receive === undefined) throw misuse("a response-outparam was set twice");
    outparam.#receive = undefined;
    receive(response);
  }
}

export class IncomingResponse {
  readonly #response: ReceivedResponse;
  readonly #body: OneBody<IncomingBody>;

  constructor(response: ReceivedResponse) {
    this.#response = response;
    this.#body = new OneBody(new IncomingBody(response.body, response.trailers));
  }

  status(): number {
    return this.#response.status;
  }

  headers(): Fields {
    return immutableView(this.#response.headers);
  }

  consume(): IncomingBody {
    return this.#body.take();
  }
}

export class FutureIncomingResponse {
  readonly #response: Taken<IncomingResponse>;

  constructor(response: FutureResult<IncomingResponse>) {
    this.#response = new Taken(response);
  }

  subscribe(): Pollable {
    return readyPollable();
  }

  get(): ReturnType<Taken<IncomingResponse>["take"]> | undefined {
    return this.#response.take();
  }
}
