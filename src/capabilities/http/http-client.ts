// What sends requests: the one thing of outgoing HTTP that is not portable. A client follows no redirect, adds no credentials, keeps
// no cookies, decodes nothing, and connects only to addresses that it was allowed.

import type { AddressRule } from "../sockets/host-pattern.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";

/** Milliseconds; 0 is no limit. */
export interface HttpTimeouts {
  readonly connectMs: number;
  /** From the end of the request to the first byte of the answer. */
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
}

export interface SendOptions {
  /** A name is resolved once, each of its addresses is held against these rules, and one that fits is connected to. */
  readonly addresses: readonly AddressRule[];
  readonly timeouts: HttpTimeouts;
  /** Aborts the exchange at any moment, the streaming of bodies included. */
  readonly signal: AbortSignal;
}

export interface HttpClient {
  /**
   * Sends; answers when the head of the answer is there, while both bodies may go on. The answer's body has to be read to its end
   * or returned. @throws HttpFailure (as a rejection)
   */
  send(request: HttpRequest, options: SendOptions): Promise<HttpResponse>;
}
