// Outgoing HTTP over undici, for Node. Connections are kept per set of address rules, so none that one grant opened serves another;
// HTTP/1.1 only. Bounded: the head of an answer, the connections to one place, and the time of each step.

import { Agent, type Dispatcher, errors } from "undici";
import type { AddressRule } from "../sockets/host-pattern.ts";
import { lookupWithin, type Resolve } from "../sockets/node-lookup.ts";
import { ChunkedConnections, type ConnectionSettings } from "./chunked-request.ts";
import type { HttpClient, SendOptions } from "./http-client.ts";
import { type HttpBody, HttpFailure, type HttpFields, type HttpRequest, type HttpResponse } from "./http-message.ts";
import { httpFailure } from "./node-errors.ts";
import { ResponseBody } from "./response-body.ts";

export interface UndiciClientSettings {
  /** Connections to one origin; requests beyond wait. 1024 where it is left out. */
  readonly connectionsPerOrigin?: number | undefined;
  /** Of the head of an answer, and of its trailers; 64 KiB where it is left out. */
  readonly maxHeaderBytes?: number | undefined;
  /** Certificates to trust instead of the system's, as PEM. */
  readonly ca?: string | undefined;
  /** Resolves names instead of the system. What it answers is held against the rules all the same. */
  readonly resolve?: Resolve | undefined;
}

export interface ClosableHttpClient extends HttpClient, AsyncDisposable {}

/** Connections under one set of rules. */
interface Connections {
  readonly agent: Agent;
  readonly chunked: ChunkedConnections;
}

/** A client for one app. Closing it ends every connection. */
export function undiciClient(settings: UndiciClientSettings = {}): ClosableHttpClient {
  const byRules = new Map<string, Connections>();
  const connectionsFor = (rules: readonly AddressRule[]): Connections => {
    const key = JSON.stringify(rules);
    let made = byRules.get(key);
    if (made === undefined) byRules.set(key, (made = connections(rules, settings)));
    return made;
  };
  return {
    send(request, options) {
      if (options.signal.aborted) return Promise.reject(new HttpFailure({ tag: "connection-terminated" }));
      const { agent, chunked } = connectionsFor(options.addresses);
      const headers = headerTexts(request.headers);
      const isChunked = request.body !== undefined && !request.headers.some(([name]) => name.toLowerCase() === "content-length");
      return isChunked ? chunked.send(request, headers, options) : sendSafely(agent, request, headers, options);
    },
    async [Symbol.asyncDispose]() {
      const all = [...byRules.values()];
      byRules.clear();
      for (const { chunked } of all) chunked.close();
      await Promise.all(all.map(({ agent }) => agent.destroy()));
    },
  };
}

function connections(rules: readonly AddressRule[], settings: UndiciClientSettings): Connections {
  const { connectionsPerOrigin = 1024, maxHeaderBytes = 64 << 10, ca } = settings;
  const shared: ConnectionSettings = { lookup: lookupWithin(rules, settings.resolve), maxHeaderBytes, ca };
  const agent = new Agent({
    connections: connectionsPerOrigin,
    maxHeaderSize: maxHeaderBytes,
    allowH2: false,
    pipelining: 1,
    strictContentLength: true,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { lookup: shared.lookup, rejectUnauthorized: true, timeout: 0, ...(ca === undefined ? {} : { ca }) },
  });
  return { agent, chunked: new ChunkedConnections(shared) };
}

/** Names and values in turn, one character per byte. `expect` is left out: nobody would wait for its answer. */
function headerTexts(headers: HttpFields): string[] {
  return headers.flatMap(([name, value]) =>
    name.toLowerCase() === "expect"
      ? []
      : [name, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1")],
  );
}

/** Methods that change nothing: sent again, they do no harm. */
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** A server may close a kept connection in the very moment that it is used again: then the request is sent once more. */
async function sendSafely(agent: Agent, request: HttpRequest, headers: string[], options: SendOptions): Promise<HttpResponse> {
  try {
    return await new Exchange(agent, request, headers, options).response;
  } catch (error) {
    const isSafe = SAFE.has(request.method) && request.body === undefined && !options.signal.aborted;
    if (!isSafe || !(error instanceof HttpFailure) || !wasKept(error.cause)) throw error;
    return await new Exchange(agent, request, headers, options).response;
  }
}

/** Whether a connection that had served before was closed without an answer. */
function wasKept(error: unknown): boolean {
  return error instanceof errors.SocketError && (error.socket?.bytesRead ?? 0) > 0;
}

/** One request and its answer: ended by the signal, a timeout, an error of either side, or by whoever reads the answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: SendOptions;
  readonly #settled = Promise.withResolvers<HttpResponse>();
  readonly #onAbort = (): void => this.#fail(new HttpFailure({ tag: "connection-terminated" }));
  #controller: Dispatcher.DispatchController | undefined;
  #failure: HttpFailure | undefined;
  #body: ResponseBody | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(agent: Agent, request: HttpRequest, headers: string[], options: SendOptions) {
    this.#options = options;
    options.signal.addEventListener("abort", this.#onAbort);
    this.#limit(options.timeouts.connectMs, { tag: "connection-timeout" });
    const { body } = request;
    const dispatch: Dispatcher.DispatchOptions = {
      origin: `${request.scheme}://${request.authority}`,
      path: request.path,
      method: request.method,
      headers,
    };
    // The types leave out what the documentation offers: any iterable.
    if (body !== undefined) Object.assign(dispatch, { body: this.#whileWanted(body, request.trailers) });
    try {
      agent.dispatch(dispatch, this);
    } catch (error) {
      this.#fail(httpFailure(error));
    }
  }

  get response(): Promise<HttpResponse> {
    return this.#settled.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    clearTimeout(this.#timer);
    if (this.#failure !== undefined) controller.abort(this.#failure);
  }

  onRequestSent(): void {
    this.#limit(this.#options.timeouts.firstByteMs, { tag: "connection-read-timeout" });
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    clearTimeout(this.#timer);
    const body = new ResponseBody(
      {
        pause: () => controller.pause(),
        resume: () => controller.resume(),
        cancel: () => controller.abort(new Error("not wanted any more")),
      },
      this.#options.timeouts.betweenBytesMs,
    );
    this.#body = body;
    this.#settled.resolve({ status, headers: rawFields(controller.rawHeaders), body, trailers: body.trailers });
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#end();
    const trailers = rawFields(controller.rawTrailers);
    this.#body?.end(trailers.length > 0 ? trailers : undefined);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(httpFailure(error, this.#body !== undefined));
  }

  #limit(ms: number, code: HttpFailure["code"]): void {
    clearTimeout(this.#timer);
    if (ms > 0 && this.#body === undefined && this.#failure === undefined)
      this.#timer = setTimeout(() => this.#fail(new HttpFailure(code)), ms);
  }

  #fail(failure: HttpFailure): void {
    this.#failure ??= failure;
    this.#end();
    this.#settled.reject(this.#failure);
    this.#body?.fail(this.#failure);
    this.#controller?.abort(this.#failure);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#options.signal.removeEventListener("abort", this.#onAbort);
  }

  /**
   * undici asks for the next chunk until the body ends, whatever became of the exchange. It sends no trailers, and where a length
   * was promised HTTP/1.1 has no place for them; still they say whether the message is complete.
   */
  async *#whileWanted(body: HttpBody, trailers: HttpRequest["trailers"]): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      if (this.#failure !== undefined) return;
      yield chunk;
    }
    await trailers?.();
  }
}

/** Names and values in turn, as undici gives them. */
function rawFields(raw: Dispatcher.DispatchController["rawHeaders"]): HttpFields {
  const fields: [string, Uint8Array][] = [];
  if (!Array.isArray(raw)) return fields;
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([text(raw[i]), bytes(raw[i + 1])]);
  return fields;
}

function text(raw: Buffer | string | undefined): string {
  return typeof raw === "string" ? raw : (raw?.toString("latin1") ?? "");
}

function bytes(raw: Buffer | string | undefined): Uint8Array {
  return Uint8Array.from(typeof raw === "string" ? Buffer.from(raw, "latin1") : (raw ?? []));
}
