// Requests and responses of `wasi:http/types@0.2`. A guest makes outgoing ones; incoming ones are made by the host.

import { ANEW } from "../../engine/restart.ts";
import { answerError, misuse } from "../guest.ts";
import type { ByteSink } from "../io/streams.ts";
import type { Pollable } from "../io/poll.ts";
import { BodyPipe, type FutureResult, FutureValue, IncomingBody, OutgoingBody } from "./body.ts";
import type { HttpErrorCode } from "./errors.ts";
import { type Fields, freeze, immutableView, plainFields, receivedFields } from "./fields.ts";
import type { Gate } from "./gate.ts";
import { codeOf, type HttpFields, type HttpRequest, type HttpResponse, NO_TRAILERS } from "./http-message.ts";
import { type AskedTimeouts, type OutgoingMessage, timeoutMs } from "./outgoing.ts";
import { isAuthority, isPathWithQuery } from "./syntax.ts";
import { type Method, methodOf, type Scheme, schemeOf, validMethod, validScheme } from "./target.ts";

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

  /** Where it was not asked for. */
  get rest(): Body | undefined {
    return this.#body;
  }
}

/** For a `result` without payloads: fails where the guest's value does not fit. */
function requireValid<Value>(value: Value | undefined): Value {
  if (value === undefined) throw answerError(undefined);
  return value;
}

export class IncomingRequest {
  readonly #request: HttpRequest;
  readonly #gate: Gate | undefined;
  #headers: Fields | undefined;
  readonly #body: OneBody<IncomingBody>;

  /** `gate`: where the body is to be left alone for now. */
  constructor(request: HttpRequest, gate?: Gate) {
    this.#request = request;
    this.#gate = gate;
    this.#body = new OneBody(new IncomingBody(request.body, request.trailers ?? NO_TRAILERS, gate));
  }

  [ANEW](): IncomingRequest {
    this.#gate?.forget();
    return new IncomingRequest(this.#request, this.#gate);
  }

  method(): Method {
    return methodOf(this.#request.method);
  }

  pathWithQuery(): string | undefined {
    return this.#request.path;
  }

  scheme(): Scheme | undefined {
    return schemeOf(this.#request.scheme);
  }

  authority(): string | undefined {
    return this.#request.authority;
  }

  headers(): Fields {
    return immutableView((this.#headers ??= receivedFields(this.#request.headers)));
  }

  consume(): IncomingBody {
    return this.#body.take();
  }

  [Symbol.dispose](): void {
    this.#body.rest?.[Symbol.dispose]();
  }
}

/** The body of a message that a guest makes; most of what it needs is made when it is asked for. */
class MadeBody {
  readonly #kind: "request" | "response";
  readonly #headers: Fields;
  readonly #newSink: () => ByteSink;
  #sink: ByteSink | undefined;

  constructor(kind: "request" | "response", headers: Fields, newSink: () => ByteSink) {
    this.#kind = kind;
    this.#headers = headers;
    this.#newSink = newSink;
  }

  take(): OutgoingBody {
    if (this.#sink !== undefined) throw answerError(undefined);
    this.#sink = this.#newSink();
    return new OutgoingBody(this.#kind, this.#headers, this.#sink);
  }

  /** Where the guest asked for it. Asked for later, it would be the same; but what was given away cannot be asked any more. */
  get pipe(): BodyPipe | undefined {
    return this.#sink instanceof BodyPipe ? this.#sink : undefined;
  }
}

/** Takes a request that a guest gave away. A function, not a method, so that no guest can name it. */
export let takeRequest: (request: OutgoingRequest) => { readonly message: OutgoingMessage; readonly pipe: BodyPipe | undefined };

export class OutgoingRequest {
  readonly #headers: Fields;
  readonly #body: MadeBody;
  #method: Method = { tag: "get" };
  #pathWithQuery: string | undefined;
  #scheme: Scheme | undefined;
  #authority: string | undefined;

  static {
    takeRequest = (request) => {
      const { pipe } = request.#body;
      const message = {
        method: request.#method,
        scheme: request.#scheme,
        authority: request.#authority,
        pathWithQuery: request.#pathWithQuery,
        headers: plainFields(request.#headers),
        ...(pipe === undefined ? {} : { body: pipe.body, trailers: pipe.trailers }),
      };
      return { message, pipe };
    };
  }

  constructor(headers: Fields, newSink: () => ByteSink) {
    this.#headers = freeze(headers);
    this.#body = new MadeBody("request", headers, newSink);
  }

  body(): OutgoingBody {
    return this.#body.take();
  }

  method(): Method {
    return this.#method;
  }

  setMethod(method: Method): void {
    this.#method = requireValid(validMethod(method));
  }

  pathWithQuery(): string | undefined {
    return this.#pathWithQuery;
  }

  setPathWithQuery(pathWithQuery: string | undefined): void {
    if (pathWithQuery !== undefined && !isPathWithQuery(pathWithQuery)) throw answerError(undefined);
    this.#pathWithQuery = pathWithQuery;
  }

  scheme(): Scheme | undefined {
    return this.#scheme;
  }

  setScheme(scheme: Scheme | undefined): void {
    this.#scheme = scheme === undefined ? undefined : requireValid(validScheme(scheme));
  }

  authority(): string | undefined {
    return this.#authority;
  }

  setAuthority(authority: string | undefined): void {
    if (authority !== undefined && !isAuthority(authority)) throw answerError(undefined);
    this.#authority = authority;
  }

  headers(): Fields {
    return immutableView(this.#headers);
  }
}

/** What a guest asked for. A function, not a method, so that no guest can name it. */
export let timeoutsOf: (options: RequestOptions | undefined) => AskedTimeouts;

/** Timeouts in nanoseconds. */
export class RequestOptions {
  #connect: bigint | undefined;
  #firstByte: bigint | undefined;
  #betweenBytes: bigint | undefined;

  static {
    timeoutsOf = (options) =>
      options === undefined
        ? {}
        : {
            connectMs: timeoutMs(options.#connect),
            firstByteMs: timeoutMs(options.#firstByte),
            betweenBytesMs: timeoutMs(options.#betweenBytes),
          };
  }

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

/** What a guest answers. The body is there when the guest asked for it; `pipe` is broken where nobody reads it any more. */
export interface AnsweredResponse {
  readonly status: number;
  readonly headers: HttpFields;
  readonly pipe: BodyPipe | undefined;
}

/** Takes a response that a guest gave away. A function, not a method, so that no guest can name it. */
let takeResponse: (response: OutgoingResponse) => AnsweredResponse;

export class OutgoingResponse {
  readonly #headers: Fields;
  readonly #body: MadeBody;
  #statusCode = 200;

  static {
    takeResponse = (response) => {
      const { pipe } = response.#body;
      return { status: response.#statusCode, headers: plainFields(response.#headers), pipe };
    };
  }

  constructor(headers: Fields, newSink: () => ByteSink) {
    this.#headers = freeze(headers);
    this.#body = new MadeBody("response", headers, newSink);
  }

  statusCode(): number {
    return this.#statusCode;
  }

  setStatusCode(statusCode: number): void {
    if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 999) throw answerError(undefined);
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
export interface AnswerReceiver {
  /** The answer, once. */
  answer(answer: FutureResult<AnsweredResponse>): void;
  /** 100 to 199, before the answer. @throws ComponentError where that cannot be sent */
  informational(status: number, headers: HttpFields): void;
  /** The guest gave the chance to answer away. */
  dropped(): void;
  /** The call is begun anew: nothing was answered. */
  forget(): void;
}

export class ResponseOutparam {
  readonly #receiver: AnswerReceiver;
  #isSet = false;

  constructor(receiver: AnswerReceiver) {
    this.#receiver = receiver;
  }

  [ANEW](): ResponseOutparam {
    this.#receiver.forget();
    return new ResponseOutparam(this.#receiver);
  }

  sendInformational(status: number, headers: Fields): void {
    if (status < 100 || status > 199) throw answerError({ tag: "HTTP-protocol-error" } satisfies HttpErrorCode);
    this.#receiver.informational(status, plainFields(headers));
  }

  static set(outparam: ResponseOutparam, response: FutureResult<OutgoingResponse>): void {
    if (outparam.#isSet) throw misuse("a response-outparam was set twice");
    outparam.#isSet = true;
    outparam.#receiver.answer(response.tag === "err" ? response : { tag: "ok", val: takeResponse(response.val) });
  }

  [Symbol.dispose](): void {
    if (!this.#isSet) this.#receiver.dropped();
    this.#isSet = true;
  }
}

export class IncomingResponse {
  readonly #status: number;
  readonly #headers: Fields;
  readonly #body: OneBody<IncomingBody>;

  constructor({ status, headers, body, trailers }: HttpResponse) {
    this.#status = status;
    this.#headers = receivedFields(headers);
    this.#body = new OneBody(new IncomingBody(body, trailers));
  }

  status(): number {
    return this.#status;
  }

  headers(): Fields {
    return immutableView(this.#headers);
  }

  consume(): IncomingBody {
    return this.#body.take();
  }

  [Symbol.dispose](): void {
    this.#body.rest?.[Symbol.dispose]();
  }
}

export class FutureIncomingResponse {
  readonly #response = new FutureValue<IncomingResponse>();
  readonly #cancel: () => void;

  /** `cancel` is called where the guest no longer wants the response. */
  constructor(response: Promise<HttpResponse>, cancel: () => void) {
    this.#cancel = cancel;
    response.then(
      (received) => this.#response.settle({ tag: "ok", val: new IncomingResponse(received) }),
      (error: unknown) => this.#response.settle({ tag: "err", val: codeOf(error) }),
    );
  }

  subscribe(): Pollable {
    return this.#response.subscribe();
  }

  get(): ReturnType<FutureValue<IncomingResponse>["take"]> {
    return this.#response.take();
  }

  [Symbol.dispose](): void {
    if (this.#response.isPending) return this.#cancel();
    const left = this.#response.take();
    if (left?.tag === "ok" && left.val.tag === "ok") left.val.val[Symbol.dispose]();
  }
}
