// Websocket routes: the messages of a client are the stream of one port, the stream that the operation answers with is what is sent.
// Both with back-pressure: no message is read before somebody wants it, none is asked for before the last one was taken.
// Source: RFC 6455; the protocol itself is the library's.

import { WebSocket, type RawData } from "ws";
import { StarlaneError } from "../../base/errors.ts";
import { toJson } from "../../wit/json.ts";
import type { ValType } from "../../wit/types.ts";
import { bindPorts } from "./bindings.ts";
import { streamPart } from "./answer.ts";
import { Exchange, fieldOf } from "./exchange.ts";
import { failureOf, type Log } from "./failure.ts";
import type { Handle, PlainRequest, PlainResponse, RequestContext, WebSocketRoute } from "./http.ts";
import { inputReader } from "./inputs.ts";
import { HttpProblem } from "./problem.ts";
import { chunkElements, isChunks, type Chunks } from "./stream-answer.ts";
import { elementOf } from "./stream-input.ts";

/** The response to a request that becomes a websocket; `run` takes it over after the handshake, and answers when it has closed. */
export interface UpgradeResponse extends PlainResponse {
  readonly status: 101;
  readonly run: (socket: WebSocket) => Promise<void>;
  readonly protocols: readonly string[];
}

export function isUpgrade(response: PlainResponse): response is UpgradeResponse {
  return response.status === 101 && "run" in response;
}

const CLOSE = { normal: 1000, goingAway: 1001, unsupported: 1003, badData: 1007, failed: 1011 } as const;
const PING_MS = 30_000;

/** The handler of a websocket route. @throws StarlaneError `http/bad-route` */
export function webSocketHandle(route: WebSocketRoute, log: Log | undefined): Handle {
  const { params } = route.signature;
  const messagesIndex = params.findIndex((param) => param.name === route.messages);
  const type = params[messagesIndex]?.type;
  if (route.messages !== undefined && type?.kind !== "stream") {
    throw new StarlaneError("http/bad-route", `the websocket ${route.path} has no stream port ${JSON.stringify(route.messages)}`);
  }
  const element = type?.kind === "stream" ? type.element : undefined;
  streamPart(route.signature.result, route.sends);
  const others = {
    ...route.signature,
    params: params.map((param, i) => ({ ...param, optional: param.optional || i === messagesIndex })),
  };
  const inputs = inputReader(bindPorts(route.path, others, route.bindings ?? defaultsOf(route)), params.length, {});
  const answer = async (request: PlainRequest, context: RequestContext): Promise<PlainResponse> => {
    refuseOthers(route, request);
    if (!(context instanceof Exchange) || !context.isUpgrade) {
      throw new HttpProblem(426, { detail: "this is a websocket", headers: [["upgrade", "websocket"]] });
    }
    const args = await inputs.read(request, context);
    const run = (socket: WebSocket): Promise<void> => {
      const session = new Session(socket, context, route, log);
      if (messagesIndex >= 0) args[messagesIndex] = session.messages(element);
      return session.run(args, messagesIndex >= 0);
    };
    const upgrade: UpgradeResponse = { status: 101, headers: [], run, protocols: route.protocols ?? [] };
    return upgrade;
  };
  return answer;
}

function defaultsOf(route: WebSocketRoute): NonNullable<WebSocketRoute["bindings"]> {
  return route.signature.params
    .filter((param) => param.name !== route.messages)
    .map((param) => ({ port: param.name, from: route.path.includes(`{${param.name}`) ? "path" : "query" }));
}

/** A page of another origin could otherwise use the cookies of whoever looks at it. Programs send no origin. */
function refuseOthers(route: WebSocketRoute, request: PlainRequest): void {
  const origin = fieldOf(request, "origin");
  if (origin === undefined || route.origins?.includes("*") === true || route.origins?.includes(origin) === true) return;
  if (origin === `${request.scheme}://${request.authority}`) return;
  throw new HttpProblem(403, { detail: "pages of this origin may not connect" });
}

const MOST_QUEUED = 16;

class Session {
  readonly #socket: WebSocket;
  readonly #context: Exchange;
  readonly #route: WebSocketRoute;
  readonly #log: Log | undefined;
  readonly #queue: { readonly data: Buffer; readonly isBinary: boolean }[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(socket: WebSocket, context: Exchange, route: WebSocketRoute, log: Log | undefined) {
    this.#socket = socket;
    this.#context = context;
    this.#route = route;
    this.#log = log;
  }

  async run(args: readonly unknown[], takesMessages: boolean): Promise<void> {
    const socket = this.#socket;
    const closed = new Promise<void>((resolve) => {
      socket.once("close", () => {
        this.#isClosed = true;
        this.#wake?.();
        resolve();
      });
    });
    socket.on("error", () => undefined);
    socket.on("message", (data, isBinary) => {
      if (takesMessages) this.#take(bytesOf(data), isBinary);
      else socket.close(CLOSE.unsupported, "no messages are taken here");
    });
    const stopPinging = keepAlive(socket);
    this.#context.onEnd(() => socket.close(CLOSE.goingAway, "the server stops"));
    await this.#answer(args);
    await closed;
    stopPinging();
  }

  async #answer(args: readonly unknown[]): Promise<void> {
    try {
      const result: unknown = await this.#route.call(args, this.#context);
      const part = streamPart(this.#route.signature.result, this.#route.sends);
      const sent = part.of(result);
      if (part.type?.kind === "stream" && isChunks(sent)) await this.#send(part.type.element, sent);
      this.#socket.close(CLOSE.normal);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(thrown: unknown): void {
    if (this.#isClosed) return;
    if (thrown instanceof HttpProblem && thrown.status < 500) return this.#socket.close(CLOSE.badData, shortened(thrown.message));
    const { error } = failureOf(thrown, this.#context);
    const { id, route } = this.#context;
    if (error !== undefined) this.#log?.({ level: "error", message: "a websocket failed", requestId: id, route, error });
    this.#socket.close(CLOSE.failed, `failed: ${id}`);
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#queue.push({ data, isBinary });
    if (this.#queue.length >= MOST_QUEUED) this.#socket.pause();
    this.#wake?.();
  }

  /** What the client sends, until it closes. */
  async *messages(element: ValType | undefined): AsyncGenerator<unknown> {
    let index = 0;
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        if (this.#queue.length < MOST_QUEUED && this.#socket.isPaused) this.#socket.resume();
        yield this.#read(element, next.data, next.isBinary, index++);
      } else if (this.#isClosed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #read(element: ValType | undefined, data: Buffer, isBinary: boolean, index: number): unknown {
    try {
      if (element?.kind === "u8") return Uint8Array.from(data);
      if (isBinary) throw new HttpProblem(400, { detail: "a message is binary, but must be JSON text" });
      return elementOf(element, data.toString("utf8"), `message[${index}]`);
    } catch (error) {
      // Whoever reads the messages may keep the failure to itself: the client is told here.
      this.#fail(error);
      throw error;
    }
  }

  async #send(element: ValType | undefined, chunks: Chunks): Promise<void> {
    const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
    this.#socket.once("close", () => void Promise.resolve(iterator.return?.()).catch(() => undefined));
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true || this.#isClosed) return;
      if (element?.kind === "u8") {
        await this.#sendOne(value instanceof Uint8Array ? value : Uint8Array.from(Array.from(chunkElements(value), Number)));
        continue;
      }
      for (const item of Array.from(chunkElements(value))) {
        await this.#sendOne(element === undefined ? "null" : JSON.stringify(toJson(element, item, { path: "message" })));
      }
    }
  }

  #sendOne(data: string | Uint8Array): Promise<void> | undefined {
    if (this.#socket.readyState !== WebSocket.OPEN) return undefined;
    return new Promise((resolve) => {
      // An error here is that of a socket that has closed: its end is heard of otherwise.
      this.#socket.send(data, () => resolve());
    });
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}

/** A client that answers no ping is gone. */
function keepAlive(socket: WebSocket): () => void {
  let hasAnswered = true;
  socket.on("pong", () => {
    hasAnswered = true;
  });
  const timer = setInterval(() => {
    // A socket that is paused does not hear the answer either.
    if (!hasAnswered && !socket.isPaused) return socket.terminate();
    hasAnswered = false;
    socket.ping();
  }, PING_MS);
  return () => clearInterval(timer);
}

/** Reasons are at most 123 bytes long. */
function shortened(text: string): string {
  let short = text.slice(0, 120);
  while (Buffer.byteLength(short) > 123) short = short.slice(0, -1);
  return short.toWellFormed();
}
