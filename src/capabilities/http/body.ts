// Bodies of `wasi:http/types@0.2`: what comes in is read as it arrives, what goes out is counted, held to its Content-Length and
// taken by whoever sends it. At most 64 KiB wait between a guest that writes and the connection.

import { answerError, bytesOf, misuse } from "../guest.ts";
import { Changes } from "../io/changes.ts";
import { IoError } from "../io/error.ts";
import { changingPollable, type Pollable } from "../io/poll.ts";
import { closeOutput, InputStream, OutputStream, type ByteSink, type ByteSource } from "../io/streams.ts";
import type { HttpErrorCode } from "./errors.ts";
import { contentLengthOf } from "./field-list.ts";
import { type Fields, plainFields, receivedFields } from "./fields.ts";
import { codeOf, type HttpBody, HttpFailure, type HttpFields } from "./http-message.ts";

const CAPACITY = 1 << 16;
const NOTHING = new Uint8Array(0);

type Once<Value> =
  | {
      readonly tag: "ok";
      readonly val: { readonly tag: "ok"; readonly val: Value } | { readonly tag: "err"; readonly val: HttpErrorCode };
    }
  | { readonly tag: "err"; readonly val: undefined };

export type FutureResult<Value> =
  | { readonly tag: "ok"; readonly val: Value }
  | { readonly tag: "err"; readonly val: HttpErrorCode };

/** What both futures of `wasi:http` are: a result that comes, and can be taken once. */
export class FutureValue<Value> {
  readonly changes = new Changes();
  #result: FutureResult<Value> | undefined;
  #state: "pending" | "there" | "taken" = "pending";

  settle(result: FutureResult<Value>): void {
    if (this.#state !== "pending") return;
    this.#result = result;
    this.#state = "there";
    this.changes.notify();
  }

  get isPending(): boolean {
    return this.#state === "pending";
  }

  subscribe(): Pollable {
    return changingPollable(() => !this.isPending, this.changes);
  }

  take(): Once<Value> | undefined {
    if (this.#state === "pending") return undefined;
    const result = this.#result;
    this.#result = undefined;
    this.#state = "taken";
    return result === undefined ? { tag: "err", val: undefined } : { tag: "ok", val: result };
  }
}

/** Trailers that come, or do not, after a body. A function, not a method, so that no guest can name it. */
let settleTrailers: (future: FutureTrailers, result: FutureResult<Fields | undefined>) => void;

export class FutureTrailers {
  readonly #trailers = new FutureValue<Fields | undefined>();

  static {
    settleTrailers = (future, result) => future.#trailers.settle(result);
  }

  subscribe(): Pollable {
    return this.#trailers.subscribe();
  }

  get(): Once<Fields | undefined> | undefined {
    return this.#trailers.take();
  }
}

/** A received body as a stream reads it. */
class BodySource implements ByteSource {
  readonly changes = new Changes();
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = NOTHING;
  #state: "idle" | "asking" | "ended" = "idle";
  #failure: IoError | undefined;

  constructor(iterator: AsyncIterator<Uint8Array>) {
    this.#iterator = iterator;
  }

  ready(): boolean {
    if (this.#chunk.length === 0 && this.#state === "idle") void this.#ask();
    return this.#chunk.length > 0 || this.#state === "ended";
  }

  read(limit: number): Uint8Array | undefined {
    if (!this.ready()) return NOTHING;
    if (this.#chunk.length === 0) return undefined;
    const taken = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(taken.length);
    return taken;
  }

  failure(): IoError | undefined {
    return this.#failure;
  }

  async #ask(): Promise<void> {
    this.#state = "asking";
    try {
      const step = await this.#iterator.next();
      if (step.done === true) this.#state = "ended";
      else {
        this.#chunk = step.value;
        this.#state = "idle";
      }
    } catch (error) {
      const code = codeOf(error);
      this.#failure = new IoError(`the body failed: ${code.tag}`, { http: code });
      this.#state = "ended";
    }
    this.changes.notify();
  }
}

export class IncomingBody {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #trailers: () => Promise<HttpFields | undefined>;
  #streamTaken = false;
  #isFinished = false;

  constructor(body: HttpBody, trailers: () => Promise<HttpFields | undefined>) {
    this.#iterator = body[Symbol.asyncIterator]();
    this.#trailers = trailers;
  }

  stream(): InputStream {
    if (this.#streamTaken) throw answerError(undefined);
    this.#streamTaken = true;
    return new InputStream(new BodySource(this.#iterator));
  }

  /** What was not read of the body is skipped. */
  static finish(body: IncomingBody): FutureTrailers {
    body.#isFinished = true;
    const future = new FutureTrailers();
    void body.#skipToTrailers().then((result) => settleTrailers(future, result));
    return future;
  }

  async #skipToTrailers(): Promise<FutureResult<Fields | undefined>> {
    try {
      while ((await this.#iterator.next()).done !== true);
      const trailers = await this.#trailers();
      return { tag: "ok", val: trailers === undefined ? undefined : receivedFields(trailers) };
    } catch (error) {
      return { tag: "err", val: codeOf(error) };
    }
  }

  [Symbol.dispose](): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    void (async () => this.#iterator.return?.())().catch(() => undefined);
  }
}

/** The end of a body: with its trailers, or why there is none. */
type End = { readonly trailers: HttpFields | undefined } | { readonly failure: HttpFailure };

/** What a guest writes, for whoever sends it. */
export class BodyPipe implements ByteSink {
  readonly changes = new Changes();
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #end: End | undefined;
  #broken: IoError | undefined;
  #wake: (() => void) | undefined;

  room(): number {
    return this.#broken === undefined && this.#end === undefined ? CAPACITY - this.#bytes : 0;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    this.#tell();
  }

  failure(): IoError | undefined {
    return this.#broken;
  }

  end(end: End): void {
    this.#end ??= end;
    this.#tell();
  }

  /** The bytes for the sender; a sender that stops, stops the writer. */
  readonly body: HttpBody = { [Symbol.asyncIterator]: () => ({ next: () => this.#next(), return: () => this.#stop() }) };

  readonly trailers = (): Promise<HttpFields | undefined> =>
    Promise.resolve(this.#end !== undefined && "trailers" in this.#end ? this.#end.trailers : undefined);

  /** Nobody takes what is written any more. */
  break(code: HttpErrorCode): void {
    this.#broken ??= new IoError(`the body is not sent: ${code.tag}`, { http: code });
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.changes.notify();
    this.#tell();
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        this.changes.notify();
        return { done: false, value: chunk };
      }
      if (this.#end !== undefined && "failure" in this.#end) throw this.#end.failure;
      if (this.#end !== undefined || this.#broken !== undefined) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #stop(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#end === undefined) this.break({ tag: "connection-terminated" });
    return Promise.resolve({ done: true, value: undefined });
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** Takes what is written and forgets it: for messages that nobody can send. It always has room. */
export const discard: ByteSink = { room: () => CAPACITY, write: () => undefined };

export class OutgoingBody {
  readonly #sizeError: "HTTP-request-body-size" | "HTTP-response-body-size";
  readonly #expected: bigint | undefined;
  readonly #stream: OutputStream;
  readonly #pipe: BodyPipe | undefined;
  #written = 0n;
  #streamTaken = false;
  #isFinished = false;

  constructor(kind: "request" | "response", headers: Fields, sink: ByteSink) {
    this.#sizeError = `HTTP-${kind}-body-size`;
    const length = contentLengthOf(plainFields(headers));
    this.#expected = length === "wrong" ? undefined : length;
    this.#pipe = sink instanceof BodyPipe ? sink : undefined;
    this.#stream = new OutputStream(this.#counted(sink));
  }

  write(): OutputStream {
    if (this.#streamTaken) throw answerError(undefined);
    this.#streamTaken = true;
    return this.#stream;
  }

  static finish(body: OutgoingBody, trailers: Fields | undefined): void {
    if (body.#isFinished) throw misuse("an outgoing-body was finished twice");
    body.#isFinished = true;
    closeOutput(body.#stream);
    if (body.#expected !== undefined && body.#expected !== body.#written) {
      const code: HttpErrorCode = { tag: body.#sizeError, val: body.#written };
      body.#pipe?.end({ failure: new HttpFailure(code) });
      throw answerError(code);
    }
    body.#pipe?.end({ trailers: trailers === undefined ? undefined : plainFields(trailers) });
  }

  /** Without `finish` a body is not complete, and whoever receives it must not think so. */
  [Symbol.dispose](): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    closeOutput(this.#stream);
    this.#pipe?.end({ failure: new HttpFailure({ tag: "HTTP-protocol-error" }) });
  }

  /** Counts, and lets no more bytes through than were promised. */
  #counted(sink: ByteSink): ByteSink {
    return {
      ...(sink.changes === undefined ? {} : { changes: sink.changes }),
      room: () => sink.room(),
      failure: () => sink.failure?.(),
      write: (bytes) => {
        this.#written += BigInt(bytesOf(bytes).length);
        if (this.#expected !== undefined && this.#written > this.#expected) {
          this.#pipe?.end({ failure: new HttpFailure({ tag: this.#sizeError, val: this.#written }) });
          return;
        }
        sink.write(bytes);
      },
    };
  }
}
