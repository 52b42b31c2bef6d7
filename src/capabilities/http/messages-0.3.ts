// `request`, `response` and `request-options` of `wasi:http/types@0.3`. A message is a guest's own or came in from outside.

import { StarlaneError } from "../../base/errors.ts";
import { ANEW } from "../../engine/restart.ts";
import { answerError } from "../guest.ts";
import { type Fields, freeze, immutableView, plainFields, receivedFields } from "./fields-0.3.ts";
import { type Gate, gatedBody } from "./gate.ts";
import type { TrailersOutcome } from "./guest-body-0.3.ts";
import { bodyOf, type HttpFailure, type HttpFields, type HttpRequest, NO_TRAILERS } from "./http-message.ts";
import { type AskedTimeouts, type OutgoingMessage, type SentResponse, timeoutMs } from "./outgoing.ts";
import { type Consumed, Payload, type SentOutcome, type TakenPayload } from "./payload-0.3.ts";
import { isAuthority, isPathWithQuery } from "./syntax.ts";
import { type Method, methodOf, type Scheme, schemeOf, validMethod, validScheme } from "./target.ts";

/** For a `result` without payloads: fails where the guest's value does not fit. */
function requireValid<Value>(value: Value | undefined): Value {
  if (value === undefined) throw answerError(undefined);
  return value;
}

let lockedOptions: (options: RequestOptions) => RequestOptions;
let timeoutsOf: (options: RequestOptions | undefined) => AskedTimeouts;

/** Timeouts in nanoseconds. */
export class RequestOptions {
  #connect: bigint | undefined;
  #firstByte: bigint | undefined;
  #betweenBytes: bigint | undefined;
  #locked = false;

  static {
    lockedOptions = (options) => {
      const copy = options.clone();
      copy.#locked = true;
      return copy;
    };
    timeoutsOf = (options) =>
      options === undefined
        ? {}
        : {
            connectMs: timeoutMs(options.#connect),
            firstByteMs: timeoutMs(options.#firstByte),
            betweenBytesMs: timeoutMs(options.#betweenBytes),
          };
  }

  getConnectTimeout(): bigint | undefined {
    return this.#connect;
  }

  setConnectTimeout(duration: bigint | undefined): void {
    this.#checkUnlocked();
    this.#connect = duration;
  }

  getFirstByteTimeout(): bigint | undefined {
    return this.#firstByte;
  }

  setFirstByteTimeout(duration: bigint | undefined): void {
    this.#checkUnlocked();
    this.#firstByte = duration;
  }

  getBetweenBytesTimeout(): bigint | undefined {
    return this.#betweenBytes;
  }

  setBetweenBytesTimeout(duration: bigint | undefined): void {
    this.#checkUnlocked();
    this.#betweenBytes = duration;
  }

  clone(): RequestOptions {
    const copy = new RequestOptions();
    copy.#connect = this.#connect;
    copy.#firstByte = this.#firstByte;
    copy.#betweenBytes = this.#betweenBytes;
    return copy;
  }

  #checkUnlocked(): void {
    if (this.#locked) throw answerError({ tag: "immutable" });
  }
}

/** A request on its way out: what is sent, and whom to tell when it was. */
export interface TakenRequest {
  readonly message: OutgoingMessage;
  readonly timeouts: AskedTimeouts;
  readonly tellSent: (failure?: HttpFailure) => void;
}

/** A request that came in; `gate`: where its body is to be left alone for now. Functions, not methods, so that no guest can name them. */
export let receivedRequest: (request: HttpRequest, gate?: Gate) => Request;
/** Takes a request that a guest gave away. */
export let takeRequest: (request: Request) => TakenRequest;

export class Request {
  readonly #headers: Fields;
  readonly #payload: Payload;
  readonly #options: RequestOptions | undefined;
  #method: Method = { tag: "get" };
  #pathWithQuery: string | undefined;
  #scheme: Scheme | undefined;
  #authority: string | undefined;
  #anew: (() => Request) | undefined;

  static {
    receivedRequest = (received, gate) => {
      const { method, scheme, authority, path, headers, trailers } = received;
      const body = received.body === undefined || gate === undefined ? received.body : gatedBody(received.body, gate);
      const request = new Request(receivedFields(headers), Payload.received(body, trailers), undefined);
      request.#anew = () => {
        gate?.forget();
        return receivedRequest(received, gate);
      };
      request.#method = methodOf(method);
      request.#scheme = schemeOf(scheme);
      request.#authority = authority;
      request.#pathWithQuery = path;
      return request;
    };
    takeRequest = (request) => {
      const { body, trailers } = request.#payload.take();
      const message = {
        method: request.#method,
        scheme: request.#scheme,
        authority: request.#authority,
        pathWithQuery: request.#pathWithQuery,
        headers: plainFields(request.#headers),
        ...(body === undefined ? {} : { body, trailers }),
      };
      return {
        message,
        timeouts: timeoutsOf(request.#options),
        tellSent: (failure) => request.#payload.tellSent(failure),
      };
    };
  }

  constructor(headers: Fields, payload: Payload, options: RequestOptions | undefined) {
    this.#headers = freeze(headers);
    this.#payload = payload;
    this.#options = options === undefined ? undefined : lockedOptions(options);
  }

  static new(
    headers: Fields,
    contents: AsyncIterable<unknown> | undefined,
    trailers: Promise<TrailersOutcome>,
    options: RequestOptions | undefined,
  ): [Request, Promise<SentOutcome>] {
    const payload = Payload.ofGuest(contents, trailers);
    return [new Request(headers, payload, options), payload.sent];
  }

  [ANEW](): Request {
    if (this.#anew === undefined) throw new StarlaneError("starlane/internal", "a guest's own request is never made anew");
    return this.#anew();
  }

  getMethod(): Method {
    return this.#method;
  }

  setMethod(method: Method): void {
    this.#method = requireValid(validMethod(method));
  }

  getPathWithQuery(): string | undefined {
    return this.#pathWithQuery;
  }

  setPathWithQuery(pathWithQuery: string | undefined): void {
    if (pathWithQuery !== undefined && !isPathWithQuery(pathWithQuery)) throw answerError(undefined);
    this.#pathWithQuery = pathWithQuery === "" ? "/" : pathWithQuery;
  }

  getScheme(): Scheme | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Scheme | undefined): void {
    this.#scheme = scheme === undefined ? undefined : requireValid(validScheme(scheme));
  }

  getAuthority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: string | undefined): void {
    if (authority !== undefined && !isAuthority(authority)) throw answerError(undefined);
    this.#authority = authority;
  }

  getOptions(): RequestOptions | undefined {
    return this.#options;
  }

  getHeaders(): Fields {
    return immutableView(this.#headers);
  }

  static consumeBody(request: Request, result: Promise<SentOutcome>): Consumed {
    return request.#payload.consume(result);
  }

  [Symbol.dispose](): void {
    this.#payload.drop();
  }
}

/** A response that came in. Functions, not methods, so that no guest can name them. */
export let receivedResponse: (response: SentResponse) => Response;
/** A response that a guest gave away. */
export interface TakenResponse {
  readonly status: number;
  readonly headers: HttpFields;
  /** The body, where all of it is there already and no trailers will follow. */
  readonly whole: readonly Uint8Array[] | undefined;
  /** The body in any case, and what follows it. */
  readonly rest: () => TakenPayload;
  /** What became of it. */
  readonly tellSent: (failure?: HttpFailure) => void;
}

/** Takes a response that a guest gave away. */
export let takeResponse: (response: Response) => TakenResponse;

export class Response {
  readonly #headers: Fields;
  readonly #payload: Payload;
  #status = 200;

  static {
    receivedResponse = ({ status, headers, body, trailers, outlive }) => {
      const response = new Response(receivedFields(headers), Payload.received(body, trailers, outlive));
      response.#status = status;
      return response;
    };
    takeResponse = (response) => {
      const payload = response.#payload;
      const whole = payload.takeWhole();
      return {
        status: response.#status,
        headers: plainFields(response.#headers),
        whole,
        rest: () => (whole === undefined ? payload.take() : { body: bodyOf(whole), trailers: NO_TRAILERS }),
        tellSent: (failure) => payload.tellSent(failure),
      };
    };
  }

  constructor(headers: Fields, payload: Payload) {
    this.#headers = freeze(headers);
    this.#payload = payload;
  }

  static new(
    headers: Fields,
    contents: AsyncIterable<unknown> | undefined,
    trailers: Promise<TrailersOutcome>,
  ): [Response, Promise<SentOutcome>] {
    const payload = Payload.ofGuest(contents, trailers);
    payload.readAhead();
    return [new Response(headers, payload), payload.sent];
  }

  getStatusCode(): number {
    return this.#status;
  }

  setStatusCode(statusCode: number): void {
    if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 599) throw answerError(undefined);
    this.#status = statusCode;
  }

  getHeaders(): Fields {
    return immutableView(this.#headers);
  }

  static consumeBody(response: Response, result: Promise<SentOutcome>): Consumed {
    return response.#payload.consume(result);
  }

  [Symbol.dispose](): void {
    this.#payload.drop();
  }
}
