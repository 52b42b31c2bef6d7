// Writes a response to the connection, HTTP/1.1 or HTTP/2: what is known whole goes out in one write; a stream chunk by chunk, as
// the client takes them. Fields of the connection are the server's own business.

import { ServerResponse } from "node:http";
import { StarlaneError } from "../../base/errors.ts";
import type { Exchange } from "./exchange.ts";
import { fieldText, isAscii, isFieldName, isFieldValue } from "./fields.ts";
import type { HeaderPair, PlainResponse } from "./http.ts";

export interface SendOptions {
  /** The server stops: the client is to open another connection. */
  readonly isClosing: boolean;
  readonly sendIdleMs: number;
  /** Further fields, such as those of CORS. */
  readonly further: readonly HeaderPair[];
}

const CONNECTION_FIELDS = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
]);
/** An unread body up to this size is read and forgotten, so that the connection lives on. */
const MOST_SKIPPED = 64 * 1024;
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * Undefined where everything was handed over at once, else a promise of the end. Nothing was written yet where it throws.
 * @throws StarlaneError `http/bad-response`
 */
export function send(exchange: Exchange, answer: PlainResponse, options: SendOptions): Promise<void> | undefined {
  const { request, response } = exchange;
  const { body, status } = answer;
  if (!Number.isInteger(status) || status < 200 || status > 599) throw badResponse(`the status ${status}`);
  const head = new Head(answer.headers, options.further);
  if (mustClose(exchange, options)) head.list.push("connection", "close");
  const isBodiless = request.method === "HEAD" || NO_BODY.has(status);
  if (isStream(body)) {
    if (!isBodiless) return sendStream(exchange, answer, body, head, options);
    if (head.length !== undefined && request.method === "HEAD") head.list.push("content-length", String(head.length));
    dismiss(body);
  } else {
    const length = body === undefined ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
    const told = request.method === "HEAD" && body === undefined ? (head.length ?? 0) : length;
    if (request.method === "HEAD" || !isBodiless) head.list.push("content-length", String(told));
  }
  writeHead(response, status, head.list);
  if (isBodiless || body === undefined || isStream(body)) response.end();
  else response.end(typeof body === "string" && !head.isAscii ? Buffer.from(body) : body);
  limitSending(exchange, options.sendIdleMs);
  return undefined;
}

function isStream(body: PlainResponse["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && !(body instanceof Uint8Array);
}

/** The same pairs, which must not change any more, to be written faster. @throws StarlaneError `http/bad-response` */
export function fixedHead(headers: readonly HeaderPair[]): readonly HeaderPair[] {
  Head.remember(headers);
  return headers;
}

/** Heads of answers that are always the same: those were looked at before. */
const KNOWN = new WeakMap<readonly HeaderPair[], Head>();

class Head {
  /** Names and values in turn. */
  readonly list: string[];
  /** What the response says of its own length. */
  length: number | undefined;
  /** Node writes a head together with a text as UTF-8: what is not ASCII would become something else. */
  isAscii = true;

  constructor(headers: readonly HeaderPair[], further: readonly HeaderPair[]) {
    const known = KNOWN.get(headers);
    this.list = known === undefined ? [] : known.list.slice();
    if (known === undefined) for (const pair of headers) this.#add(pair);
    else [this.length, this.isAscii] = [known.length, known.isAscii];
    for (const pair of further) this.#add(pair);
  }

  /** Pairs that will never change, and are checked once. */
  static remember(headers: readonly HeaderPair[]): void {
    KNOWN.set(headers, new Head(headers, []));
  }

  #add([name, value]: HeaderPair): void {
    const lower = name.toLowerCase();
    if (CONNECTION_FIELDS.has(lower)) return;
    const text = fieldText(value);
    if (!isFieldName(name) || !isFieldValue(text)) throw badResponse(`the field ${JSON.stringify(name.slice(0, 60))}`);
    if (!isAscii(text)) this.isAscii = false;
    if (lower !== "content-length") this.list.push(name, text);
    else if (!/^\d{1,15}$/.test(text) || (this.length !== undefined && this.length !== Number(text)))
      throw badResponse("its length");
    else this.length = Number(text);
  }
}

function badResponse(what: string): StarlaneError {
  return new StarlaneError("http/bad-response", `a response cannot be sent: ${what} is not allowed in HTTP`);
}

function mustClose({ request, response }: Exchange, { isClosing }: SendOptions): boolean {
  if (!(response instanceof ServerResponse)) return false;
  if (isClosing) return true;
  if (!request.hasUnreadBody) return false;
  const length = Number(response.req.headers["content-length"] ?? Infinity);
  return length > MOST_SKIPPED;
}

function writeHead(response: Exchange["response"], status: number, list: string[]): void {
  if (response instanceof ServerResponse) response.writeHead(status, list);
  else response.writeHead(status, list);
}

/** A client that takes nothing of what is left to send loses its connection. */
function limitSending({ response }: Exchange, idleMs: number): void {
  if (response instanceof ServerResponse && response.socket !== null && response.socket.writableLength > 0) {
    const { socket } = response;
    // Between two requests of a connection Node sets its own limit, in place of this one.
    socket.setTimeout(idleMs, () => socket.destroy());
  }
}

async function sendStream(
  exchange: Exchange,
  answer: PlainResponse,
  body: AsyncIterable<Uint8Array>,
  head: Head,
  options: SendOptions,
): Promise<void> {
  const { response } = exchange;
  if (head.length !== undefined) head.list.push("content-length", String(head.length));
  if (answer.trailers !== undefined && head.length === undefined && response instanceof ServerResponse) {
    head.list.push("transfer-encoding", "chunked");
  }
  writeHead(response, answer.status, head.list);
  // A first chunk that is nearly there goes out together with the head.
  if (response instanceof ServerResponse && head.isAscii) {
    const http1 = response;
    setImmediate(() => {
      if (!exchange.hasEnded && !exchange.hasWritten) http1.flushHeaders();
    });
  }
  const iterator = body[Symbol.asyncIterator]();
  await new Promise<void>((resolve, reject) => {
    exchange.onEnd(() => {
      resolve();
      stop(iterator, body);
    });
    pump(exchange, iterator, head.length, options.sendIdleMs)
      .then(() => sendTrailers(exchange, answer))
      .then(resolve, reject);
  }).catch((error: unknown) => {
    // What was promised cannot be kept: only a broken connection says so.
    stop(iterator, body);
    endEarly(exchange, options.sendIdleMs);
    throw error;
  });
}

async function pump(
  exchange: Exchange,
  iterator: AsyncIterator<Uint8Array>,
  length: number | undefined,
  idleMs: number,
): Promise<void> {
  let sent = 0;
  for (;;) {
    const { done, value } = await iterator.next();
    if (exchange.hasEnded || done === true) break;
    sent += value.length;
    if (length !== undefined && sent > length) throw badResponse("a body longer than its content-length");
    if (value.length > 0 && !write(exchange, value)) await drained(exchange, idleMs);
  }
  if (length !== undefined && sent < length && !exchange.hasEnded) throw badResponse("a body shorter than its content-length");
}

function write(exchange: Exchange, chunk: Uint8Array): boolean {
  exchange.hasWritten = true;
  const { response } = exchange;
  return response instanceof ServerResponse ? response.write(chunk) : response.write(chunk);
}

function drained(exchange: Exchange, idleMs: number): Promise<void> {
  const { response } = exchange;
  return new Promise((resolve) => {
    const timer = setTimeout(() => breakOff(exchange), idleMs);
    const done = (): void => {
      clearTimeout(timer);
      response.off("drain", done);
      resolve();
    };
    response.once("drain", done);
    exchange.onEnd(done);
  });
}

async function sendTrailers(exchange: Exchange, answer: PlainResponse): Promise<void> {
  if (exchange.hasEnded) return;
  const { response } = exchange;
  const trailers = await answer.trailers?.();
  for (const [name, value] of trailers ?? []) {
    const text = fieldText(value);
    if (!isFieldName(name) || !isFieldValue(text)) throw badResponse("a trailer");
    if (response instanceof ServerResponse) response.addTrailers([[name, text]]);
    else response.addTrailers({ [name.toLowerCase()]: text });
  }
  response.end();
}

/** What was sent still arrives; that it is not all does too. */
function endEarly(exchange: Exchange, idleMs: number): void {
  const { response } = exchange;
  if (!(response instanceof ServerResponse) || response.socket === null) return breakOff(exchange);
  const { socket } = response;
  // Node keeps small chunks back until the end of the current turn.
  setImmediate(() => {
    limitSending(exchange, idleMs);
    socket.destroySoon();
  });
}

/** Ends a connection, or with HTTP/2 a stream, in the middle of a response. */
export function breakOff({ response }: Exchange): void {
  if (response instanceof ServerResponse) response.destroy();
  else response.stream.close(2); // INTERNAL_ERROR
}

/** Gives up a response that will not be sent. */
export function discard({ body }: PlainResponse): void {
  if (isStream(body)) dismiss(body);
}

/** A stream that nobody reads is told so; what it says to that interests nobody. */
export function dismiss(body: AsyncIterable<unknown>): void {
  stop(body[Symbol.asyncIterator](), body);
}

export function stop(iterator: AsyncIterator<unknown>, body: AsyncIterable<unknown>): void {
  iterator.return?.()?.catch(() => undefined);
  // An iterator that waits for its next value hears of `return` only then; a disposable stream at once.
  const dispose: unknown = Reflect.get(body, Symbol.asyncDispose);
  if (typeof dispose === "function") Promise.resolve(Reflect.apply(dispose, body, [])).catch(() => undefined);
}
