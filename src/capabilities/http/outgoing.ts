// What stands between a guest's request and the client that sends it: grants, limits and the end of the transaction. The same for
// every version of `wasi:http`. Bounded per transaction: exchanges open at once; per exchange: bytes of both bodies, each wait.

import { allowedAddresses, type HttpGrant } from "./http-grant.ts";
import type { CapabilityTransaction, TransactionOutcome } from "../capability.ts";
import { allowsAddress } from "../sockets/host-pattern.ts";
import { heldBody, unlessAborted } from "./body-rules.ts";
import type { HttpErrorCode } from "./errors.ts";
import { deniedAddress, deniedRequest } from "./denied.ts";
import { contentLengthOf, fieldBytes, LARGEST_FIELDS_BYTES } from "./field-list.ts";
import type { HttpClient, HttpTimeouts } from "./http-client.ts";
import { type HttpBody, HttpFailure, type HttpFields, type HttpRequest, type HttpResponse, NO_BODY } from "./http-message.ts";
import { type RequestLine, resolveTarget, type ResolvedTarget } from "./target.ts";

export interface HttpLimits {
  /** Exchanges whose answer was not read to its end, per transaction. */
  readonly openRequests: number;
  readonly requestBodyBytes: number;
  readonly responseBodyBytes: number;
  /** The longest that a guest may ask for, and what holds where it does not ask. */
  readonly timeouts: HttpTimeouts;
}

export const HTTP_LIMITS: HttpLimits = {
  openRequests: 64,
  requestBodyBytes: 2 ** 32,
  responseBodyBytes: 2 ** 32,
  timeouts: { connectMs: 30_000, firstByteMs: 300_000, betweenBytesMs: 300_000 },
};

/** A guest's request. */
export interface OutgoingMessage extends RequestLine {
  readonly headers: HttpFields;
  readonly body?: HttpBody | undefined;
  readonly trailers?: (() => Promise<HttpFields | undefined>) | undefined;
}

/** In milliseconds, as the guest asked. */
export type AskedTimeouts = { readonly [Key in keyof HttpTimeouts]?: number | undefined };

/** An answer; it ends with the transaction, but for whoever takes it over and sees to its end. */
export interface SentResponse extends HttpResponse {
  readonly outlive: () => void;
}

type End = (failure?: HttpFailure) => void;

const BROKEN_OFF = new HttpFailure({ tag: "connection-terminated" });

/** Methods for which a server expects no body: without one, none is announced. */
const BODYLESS = new Set(["GET", "HEAD", "DELETE", "OPTIONS"]);

/** The outgoing HTTP of one transaction after another. */
export class OutgoingHttp {
  readonly #client: HttpClient;
  readonly #grants: readonly HttpGrant[];
  readonly #limits: HttpLimits;
  #isRunning = false;
  #transaction: AbortSignal | undefined;
  /** Made when it is first needed: most transactions send nothing. */
  #controller: AbortController | undefined;
  #forget: () => void = () => undefined;
  #denied: CapabilityTransaction["denied"];
  #open = 0;

  constructor(client: HttpClient, grants: readonly HttpGrant[], limits: HttpLimits) {
    this.#client = client;
    this.#grants = grants;
    this.#limits = limits;
  }

  /** A transaction begins; until then, and after `finish`, everything is denied. */
  prepare(signal: AbortSignal | undefined, denied?: CapabilityTransaction["denied"]): void {
    this.finish("failed");
    this.#denied = denied;
    this.#transaction = signal;
    this.#isRunning = true;
    this.#open = 0;
  }

  /**
   * The transaction ended: everything that is still open is broken off. Where it ended well, the host has until its next turn to take
   * over a response that the guest answered with (`outlive`).
   */
  finish(outcome: TransactionOutcome): void {
    this.#isRunning = false;
    const controller = this.#controller;
    if (controller === undefined) return;
    const forget = this.#forget;
    this.#controller = undefined;
    this.#forget = () => undefined;
    const breakOff = (): void => {
      forget();
      controller.abort(BROKEN_OFF);
    };
    if (outcome === "done" && this.#open > 0) setTimeout(breakOff, 0);
    else breakOff();
  }

  /** Aborts when the transaction ends; undefined outside of one. */
  get signal(): AbortSignal | undefined {
    return this.#running()?.signal;
  }

  #running(): AbortController | undefined {
    if (!this.#isRunning || this.#controller !== undefined) return this.#controller;
    const controller = new AbortController();
    const signal = this.#transaction;
    const onAbort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted === true) onAbort();
    this.#forget = () => signal?.removeEventListener("abort", onAbort);
    return (this.#controller = controller);
  }

  /**
   * Sends, if a grant allows it. `onSent` is told once, when the request was sent in full or will never be; `cancel` gives it up.
   * @throws HttpFailure (as a rejection)
   */
  async send(
    message: OutgoingMessage,
    asked: AskedTimeouts,
    onSent: (failure?: HttpFailure) => void,
    cancel = new AbortController(),
  ): Promise<SentResponse> {
    const sent = new Transmission(onSent);
    try {
      const response = await this.#exchange(message, asked, sent, cancel);
      if (message.body === undefined) sent.tell();
      return response;
    } catch (error) {
      const failure = failureOf(error);
      sent.tell(failure);
      throw failure;
    }
  }

  async #exchange(
    message: OutgoingMessage,
    asked: AskedTimeouts,
    sent: Transmission,
    own: AbortController,
  ): Promise<SentResponse> {
    const controller = this.#running();
    if (controller === undefined) throw new HttpFailure({ tag: "HTTP-request-denied" });
    const target = resolveTarget(message);
    const addresses = this.#allowed(target);
    if (this.#open >= this.#limits.openRequests) throw new HttpFailure({ tag: "connection-limit-reached" });
    const { end, outlive } = this.#begin(controller, own, sent);
    const { signal } = own;
    try {
      const request = await this.#request(message, target, signal, sent);
      const timeouts = withinLimits(asked, this.#limits.timeouts);
      const response = await unlessAborted(this.#client.send(request, { addresses, timeouts, signal }), signal);
      return { ...this.#received(response, target.method, signal, end), outlive };
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code.tag === "destination-IP-prohibited") this.#denied?.(deniedAddress(target));
      end(failure);
      throw error;
    }
  }

  #allowed(target: ResolvedTarget): ReturnType<typeof allowedAddresses> {
    const rules = allowedAddresses(this.#grants, target);
    if (rules.length === 0) {
      this.#denied?.(deniedRequest(target));
      throw new HttpFailure({ tag: "HTTP-request-denied" });
    }
    if (target.host.kind === "address" && !allowsAddress(rules, target.host.address))
      throw new HttpFailure({ tag: "destination-IP-prohibited" });
    return rules;
  }

  /**
   * Counts an exchange until `end` is called; the transaction's end aborts it. Where it ends in full nothing is aborted, so that its
   * connection can be used again.
   */
  #begin(transaction: AbortController, own: AbortController, sent: Transmission): Pick<SentResponse, "outlive"> & { end: End } {
    this.#open++;
    const onAbort = (): void => own.abort(BROKEN_OFF);
    const outlive = (): void => transaction.signal.removeEventListener("abort", onAbort);
    transaction.signal.addEventListener("abort", onAbort);
    let ended = false;
    const end: End = (failure) => {
      if (ended) return;
      ended = true;
      outlive();
      if (this.#controller === transaction) this.#open--;
      if (failure !== undefined || !sent.isTold) own.abort(BROKEN_OFF);
      sent.tell(BROKEN_OFF);
    };
    return { end, outlive };
  }

  async #request(
    message: OutgoingMessage,
    target: ResolvedTarget,
    signal: AbortSignal,
    sent: Transmission,
  ): Promise<HttpRequest> {
    const { headers, trailers } = message;
    const { method, scheme, authority, pathWithQuery: path } = target;
    const promised = contentLengthOf(headers);
    if (promised === "wrong") throw new HttpFailure({ tag: "HTTP-protocol-error" });
    const base = { method, scheme, authority, path, headers };
    if (message.body === undefined) {
      if (promised !== undefined && promised !== 0 && !BODYLESS.has(method)) throw new HttpFailure(wrongRequestSize(0));
      return base;
    }
    const rule = { promised, limitBytes: this.#limits.requestBodyBytes, wrong: wrongRequestSize };
    const held = heldBody(message.body, rule, signal, (failure, isComplete) => {
      if (!isComplete) sent.tell(failure ?? BROKEN_OFF);
      else if (trailers === undefined) sent.tell();
    });
    const complete = (): Promise<HttpFields | undefined> =>
      trailers === undefined ? Promise.resolve(undefined) : sent.after(unlessAborted(trailers(), signal));
    if (promised !== undefined || !BODYLESS.has(method)) return { ...base, body: held, trailers: complete };
    const body = await unlessEmpty(held);
    if (body !== undefined) return { ...base, body, trailers: complete };
    const fields = await complete();
    return fields === undefined ? base : { ...base, body: NO_BODY, trailers: () => Promise.resolve(fields) };
  }

  #received(response: HttpResponse, method: string, signal: AbortSignal, end: End): HttpResponse {
    const { status, headers, trailers } = response;
    const bytes = fieldBytes(headers);
    if (bytes > LARGEST_FIELDS_BYTES) throw new HttpFailure({ tag: "HTTP-response-header-section-size", val: bytes });
    const promised = contentLengthOf(headers);
    const hasBody = method !== "HEAD" && status !== 204 && status !== 304;
    const rule = {
      promised: hasBody && promised !== "wrong" ? promised : undefined,
      limitBytes: this.#limits.responseBodyBytes,
      wrong: (count: number, ended: boolean): HttpErrorCode =>
        ended ? { tag: "HTTP-response-incomplete" } : { tag: "HTTP-response-body-size", val: BigInt(count) },
    };
    const body = heldBody(response.body, rule, signal, end);
    return { status, headers, body, trailers: async () => boundedTrailers(await trailers()) };
  }
}

/** Whether a request was sent in full: told once. */
class Transmission {
  readonly #onSent: (failure?: HttpFailure) => void;
  #isTold = false;

  constructor(onSent: (failure?: HttpFailure) => void) {
    this.#onSent = onSent;
  }

  get isTold(): boolean {
    return this.#isTold;
  }

  tell(failure?: HttpFailure): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#onSent(failure);
  }

  /** The same promise; what comes of it is told. */
  async after<Value>(promise: Promise<Value>): Promise<Value> {
    try {
      const value = await promise;
      this.tell();
      return value;
    } catch (error) {
      this.tell(failureOf(error));
      throw error;
    }
  }
}

function failureOf(error: unknown): HttpFailure {
  return error instanceof HttpFailure ? error : new HttpFailure({ tag: "internal-error" }, { cause: error });
}

function wrongRequestSize(bytes: number): HttpErrorCode {
  return { tag: "HTTP-request-body-size", val: BigInt(bytes) };
}

function boundedTrailers(trailers: HttpFields | undefined): HttpFields | undefined {
  const bytes = fieldBytes(trailers ?? []);
  if (bytes > LARGEST_FIELDS_BYTES) throw new HttpFailure({ tag: "HTTP-response-trailer-section-size", val: bytes });
  return trailers;
}

/** The same body, or undefined where it ends without a byte; waits for the first. */
async function unlessEmpty(body: HttpBody): Promise<HttpBody | undefined> {
  const iterator = body[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return undefined;
  let given = false;
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        if (given) return iterator.next();
        given = true;
        return Promise.resolve(first);
      },
      return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    }),
  };
}

function withinLimits(asked: AskedTimeouts, limits: HttpTimeouts): HttpTimeouts {
  return {
    connectMs: shorter(asked.connectMs, limits.connectMs),
    firstByteMs: shorter(asked.firstByteMs, limits.firstByteMs),
    betweenBytesMs: shorter(asked.betweenBytesMs, limits.betweenBytesMs),
  };
}

/** 0 is no limit. */
function shorter(asked: number | undefined, limit: number): number {
  if (asked === undefined) return limit;
  const atLeast = Math.max(1, asked);
  return limit === 0 ? atLeast : Math.min(atLeast, limit);
}

const NS_PER_MS = 1_000_000n;

/** A guest's timeout in milliseconds, rounded up. */
export function timeoutMs(durationNs: bigint | undefined): number | undefined {
  if (durationNs === undefined) return undefined;
  const ms = (durationNs + NS_PER_MS - 1n) / NS_PER_MS;
  return ms > 2n ** 31n - 1n ? 2 ** 31 - 1 : Number(ms);
}
