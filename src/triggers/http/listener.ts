// One listening socket: HTTP/1.1, or with a certificate HTTP/2 and HTTP/1.1 by ALPN. It bounds heads, connections and how long they idle;
// requests go on to the dispatcher.

import { createServer, Server, ServerResponse, type IncomingMessage } from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { StarlaneError } from "../../base/errors.ts";
import type { Arrival } from "./arrival.ts";
import { Dispatcher, type Shared } from "./dispatcher.ts";
import { DEFAULT_LIMITS, type Certificate, type HttpLimits, type LimitOptions, type ListenerOptions } from "./http.ts";

/** How often connections are looked at that take too long with a head. */
const CHECK_MS = 1000;
const MOST_STREAMS = 128;

export class Listener {
  readonly #server: Server | Http2SecureServer;
  readonly #shared: Shared;
  #options: ListenerOptions;
  #limits: HttpLimits;
  #dispatcher: Dispatcher;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();

  /** @throws StarlaneError `http/bad-route`, `http/conflicting-routes`, `http/listen` */
  constructor(options: ListenerOptions, shared: Shared) {
    this.#shared = shared;
    this.#options = options;
    this.#limits = completed(options.limits);
    this.#dispatcher = this.prepare(options);
    this.#server = options.tls === undefined ? this.#plain() : this.#secure(options.tls);
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  get dispatcher(): Dispatcher {
    return this.#dispatcher;
  }

  /** What would answer with other options. @throws StarlaneError `http/bad-route`, `http/conflicting-routes` */
  prepare({ hosts = [], limits }: ListenerOptions): Dispatcher {
    return new Dispatcher(hosts, completed(limits), this.#shared);
  }

  /** Whether it can go on with other options without listening anew. */
  canBecome(options: ListenerOptions): boolean {
    const { address, port, tls, reusePort, serves } = this.#options;
    return (
      address === options.address &&
      port === options.port &&
      (tls === undefined) === (options.tls === undefined) &&
      reusePort === options.reusePort &&
      serves === options.serves &&
      this.#limits.headBytes === completed(options.limits).headBytes
    );
  }

  /** Goes on with other options, from the next request on; the answer is who answered until now. */
  become(options: ListenerOptions, dispatcher: Dispatcher): Dispatcher {
    const before = this.#dispatcher;
    this.#options = options;
    this.#limits = completed(options.limits);
    this.#dispatcher = dispatcher;
    const server = this.#server;
    this.#bound(server);
    Reflect.set(server, "keepAliveTimeout", this.#limits.keepAliveMs);
    Reflect.set(server, "headersTimeout", this.#limits.headTimeoutMs);
    const [first, ...others] = options.tls ?? [];
    if (first !== undefined && "setSecureContext" in server) {
      server.setSecureContext({ cert: first.cert, key: first.key });
      for (const { cert, key, hostnames } of [first, ...others])
        for (const name of hostnames ?? []) server.addContext(name, { cert, key });
    }
    return before;
  }

  /** The port it was asked to listen at; 0 is another one each time. */
  get wantedPort(): number {
    return this.#options.port;
  }

  get isAdmin(): boolean {
    return this.#options.serves === "admin";
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get address(): { readonly host: string; readonly port: number; readonly isSecure: boolean } {
    const address: AddressInfo | string | null = this.#server.address();
    const isSecure = this.#options.tls !== undefined;
    if (typeof address !== "object" || address === null) return { host: "", port: 0, isSecure };
    return { host: address.address, port: address.port, isSecure };
  }

  #httpOptions(): object {
    const { headBytes, headTimeoutMs, keepAliveMs } = this.#limits;
    return {
      maxHeaderSize: headBytes,
      headersTimeout: headTimeoutMs,
      // Bodies have limits of their own: a long upload is no mistake.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: CHECK_MS,
      noDelay: true,
      insecureHTTPParser: false,
      requireHostHeader: true,
    };
  }

  #plain(): Server {
    const server = createServer(this.#httpOptions());
    this.#serve(server, false);
    return server;
  }

  #secure(certificates: readonly Certificate[]): Http2SecureServer {
    const [first] = certificates;
    if (first === undefined) throw new StarlaneError("http/listen", "a listener with TLS needs a certificate");
    const { headBytes, headerCount, headTimeoutMs } = this.#limits;
    const server = createSecureServer({
      ...this.#httpOptions(),
      cert: first.cert,
      key: first.key,
      allowHTTP1: true,
      handshakeTimeout: headTimeoutMs,
      maxHeaderListPairs: headerCount + 8,
      settings: { maxConcurrentStreams: MOST_STREAMS, maxHeaderListSize: headBytes, enablePush: false },
    });
    for (const { cert, key, hostnames } of certificates)
      for (const name of hostnames ?? []) server.addContext(name, { cert, key });
    server.on("session", (session) => this.#track(session));
    this.#serve(server, true);
    return server;
  }

  /** Between requests a session may idle as long as any connection. */
  #track(session: ServerHttp2Session): void {
    let streams = 0;
    this.#sessions.add(session);
    session.once("close", () => this.#sessions.delete(session));
    session.on("error", () => undefined);
    session.on("stream", (stream) => {
      streams++;
      stream.once("close", () => streams--);
    });
    session.setTimeout(this.#limits.keepAliveMs, () => {
      if (streams === 0) session.close();
    });
  }

  #bound(server: Server | Http2SecureServer): void {
    server.maxConnections = this.#limits.connections;
    Reflect.set(server, "maxHeadersCount", this.#limits.headerCount + 1);
  }

  #serve(server: Server | Http2SecureServer, isSecure: boolean): void {
    const { isAdmin } = this;
    const arrival: Arrival = { isSecure, isAdmin };
    this.#bound(server);
    const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
      this.dispatcher.handle(request, response, arrival);
    };
    const onContinue = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
      this.dispatcher.handle(request, response, { isSecure, isAdmin, onFirstRead: () => response.writeContinue() });
    };
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      this.#upgrade(request, socket, head, arrival);
    };
    Reflect.set(server, "shouldUpgradeCallback", (request: IncomingMessage) => !isAdmin && this.dispatcher.wantsUpgrade(request));
    if (server instanceof Server) {
      server.on("request", onRequest).on("checkContinue", onContinue).on("upgrade", onUpgrade).on("connect", refuseTunnel);
      server.on("dropRequest", () => undefined);
      return;
    }
    server.on("request", onRequest).on("checkContinue", onContinue);
    server.on("upgrade", onUpgrade);
    server.on("connect", refuseTunnel);
    server.on("sessionError", () => undefined);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, arrival: Arrival): void {
    socket.on("error", () => undefined);
    const response = new ServerResponse(request);
    response.assignSocket(request.socket);
    response.once("finish", () => {
      response.detachSocket(request.socket);
      socket.end();
    });
    this.dispatcher.handle(request, response, { ...arrival, upgrade: { socket, head } });
  }

  /** @throws StarlaneError `http/listen` (as a rejection) */
  listen(): Promise<void> {
    const { address: host = "127.0.0.1", port, reusePort = false } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (cause: Error): void => {
        reject(
          new StarlaneError("http/listen", `cannot listen on ${host}:${port}: ${reasonOf(cause)}`, {
            cause,
            cure: "Choose another port or address.",
          }),
        );
      };
      this.#server.once("error", onError);
      this.#server.listen({ host, port, reusePort, backlog: 4096 }, () => {
        this.#server.off("error", onError);
        this.#server.on("error", () => undefined);
        resolve();
      });
    });
  }

  /** Frees the port at once; connections that are there stay. */
  stopListening(): void {
    this.#server.close();
  }

  /** Takes no further connections, ends those that are idle; resolves when every connection has ended. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    return closed;
  }

  /** Connections that carry no request now. */
  closeIdle(): void {
    if (this.#server instanceof Server) return this.#server.closeIdleConnections();
    const close: unknown = Reflect.get(this.#server, "closeIdleConnections");
    if (typeof close === "function") Reflect.apply(close, this.#server, []);
  }

  destroyAll(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }
}

function completed({ route, ...limits }: LimitOptions = {}): HttpLimits {
  return { ...DEFAULT_LIMITS, ...limits, route: { ...DEFAULT_LIMITS.route, ...route } };
}

function reasonOf(error: Error): string {
  const code = "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE") return "it is in use";
  if (code === "EACCES") return "that is not permitted";
  return code === "EADDRNOTAVAIL" ? "this machine does not have the address" : typeof code === "string" ? code : "it failed";
}

function refuseTunnel(_request: unknown, socket: unknown): void {
  if (!(typeof socket === "object" && socket !== null && "end" in socket && typeof socket.end === "function")) return;
  Reflect.apply(socket.end, socket, [
    "HTTP/1.1 405 Method Not Allowed\r\nallow: \r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
  ]);
}
