// Requests whose body has no length told in advance, over `node:http`: undici sends the head only with the first chunk, and no
// trailers. Connections are kept per set of address rules, as there.

import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { SendOptions } from "./http-client.ts";
import { HttpFailure, type HttpFields, type HttpRequest, type HttpResponse } from "./http-message.ts";
import { httpFailure } from "./node-errors.ts";
import { ResponseBody } from "./response-body.ts";

export interface ConnectionSettings {
  readonly lookup: LookupFunction;
  readonly maxHeaderBytes: number;
  readonly ca?: string | undefined;
}

export class ChunkedConnections {
  readonly #settings: ConnectionSettings;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.#http = new HttpAgent({ keepAlive: true, timeout: 4000 });
    this.#https = new HttpsAgent({ keepAlive: true, timeout: 4000, rejectUnauthorized: true, ca: settings.ca });
  }

  async send(request: HttpRequest, headers: readonly string[], options: SendOptions): Promise<HttpResponse> {
    // A turn of the event loop finds the kept connections that the server has closed meanwhile; a body cannot be sent twice.
    await turn();
    const { hostname, port } = new URL(`${request.scheme}://${request.authority}`);
    const isTls = request.scheme === "https";
    const sent = (isTls ? requestHttps : requestHttp)({
      agent: isTls ? this.#https : this.#http,
      hostname: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? undefined : Number(port),
      method: request.method,
      path: request.path,
      headers: ["host", request.authority, "transfer-encoding", "chunked", ...headers],
      setHost: false,
      lookup: this.#settings.lookup,
      maxHeaderSize: this.#settings.maxHeaderBytes,
      insecureHTTPParser: false,
    });
    return new Exchange(sent, request, options).response;
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

/** One request and its answer: ended by the signal, a timeout, an error of either side, or by whoever reads the answer. */
class Exchange {
  readonly #sent: ClientRequest;
  readonly #options: SendOptions;
  readonly #settled = Promise.withResolvers<HttpResponse>();
  #failure: HttpFailure | undefined;
  #body: ResponseBody | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(sent: ClientRequest, request: HttpRequest, options: SendOptions) {
    this.#sent = sent;
    this.#options = options;
    const { signal, timeouts } = options;
    const onAbort = (): void => this.#fail(new HttpFailure({ tag: "connection-terminated" }));
    sent.on("error", (error) => this.#fail(httpFailure(error, this.#body !== undefined)));
    sent.on("response", (incoming) => this.#receive(incoming));
    sent.on("upgrade", (_, socket) => {
      socket.destroy();
      this.#fail(new HttpFailure({ tag: "HTTP-upgrade-failed" }));
    });
    sent.on("finish", () => this.#limit(timeouts.firstByteMs, { tag: "connection-read-timeout" }));
    sent.once("close", () => {
      clearTimeout(this.#timer);
      signal.removeEventListener("abort", onAbort);
    });
    this.#limit(timeouts.connectMs, { tag: "connection-timeout" });
    sent.once("socket", (socket) => {
      const connected = (): void => clearTimeout(this.#timer);
      if (socket.connecting) socket.once("connect", connected);
      else connected();
    });
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    sent.flushHeaders();
    void this.#write(request);
  }

  get response(): Promise<HttpResponse> {
    return this.#settled.promise;
  }

  #limit(ms: number, code: ConstructorParameters<typeof HttpFailure>[0]): void {
    clearTimeout(this.#timer);
    if (ms > 0 && this.#body === undefined) this.#timer = setTimeout(() => this.#fail(new HttpFailure(code)), ms);
  }

  async #write({ body, trailers }: HttpRequest): Promise<void> {
    const sent = this.#sent;
    try {
      for await (const chunk of body ?? []) {
        if (this.#isOver()) return;
        if (!sent.write(chunk)) await drained(sent);
      }
      const fields = await trailers?.();
      if (this.#isOver()) return;
      if (fields !== undefined && fields.length > 0)
        sent.addTrailers(fields.map(([name, value]): [string, string] => [name, latin1(value)]));
      sent.end();
    } catch (error) {
      this.#fail(httpFailure(error));
    }
  }

  #isOver(): boolean {
    return this.#failure !== undefined || this.#sent.destroyed;
  }

  #receive(incoming: IncomingMessage): void {
    clearTimeout(this.#timer);
    const body = new ResponseBody(
      { pause: () => incoming.pause(), resume: () => incoming.resume(), cancel: () => this.#sent.destroy() },
      this.#options.timeouts.betweenBytesMs,
    );
    this.#body = body;
    incoming.pause();
    incoming.on("data", (chunk: Uint8Array) => body.push(chunk));
    incoming.on("end", () => {
      const fields = fieldsOf(incoming.rawTrailers);
      body.end(fields.length > 0 ? fields : undefined);
    });
    incoming.on("error", (error) => this.#fail(httpFailure(error, true)));
    incoming.on("close", () => body.fail(new HttpFailure({ tag: "HTTP-response-incomplete" })));
    incoming.pause();
    this.#settled.resolve({
      status: incoming.statusCode ?? 0,
      headers: fieldsOf(incoming.rawHeaders),
      body,
      trailers: body.trailers,
    });
  }

  #fail(failure: HttpFailure): void {
    this.#failure ??= failure;
    clearTimeout(this.#timer);
    this.#settled.reject(this.#failure);
    this.#body?.fail(this.#failure);
    this.#sent.destroy();
  }
}

function drained(sent: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      sent.off("drain", done);
      sent.off("close", done);
      resolve();
    };
    sent.on("drain", done);
    sent.on("close", done);
  });
}

function latin1(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
}

/** Names and values in turn, as Node gives them. */
export function fieldsOf(raw: readonly string[]): HttpFields {
  const fields: [string, Uint8Array][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2)
    fields.push([raw[i] ?? "", Uint8Array.from(Buffer.from(raw[i + 1] ?? "", "latin1"))]);
  return fields;
}
