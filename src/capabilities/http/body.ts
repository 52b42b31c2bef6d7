// Bodies of `wasi:http/types@0.2`: what comes in is read as it arrives, what goes out is counted, held to its Content-Length and
// taken by whoever sends it. At most 64 KiB wait between a guest that writes and the connection.

import { answerError, bytesOf, misuse } from "../guest.ts";
import { Changes } from "../io/changes.ts";
import { IoError } from "../io/error.ts";
import { changingPollable, type Pollable } from "../io/poll.ts";
import { closeOutput, InputStream, OutputStream, type ByteSink, type ByteSource } from "../io/streams.ts";
import type { HttpErrorCode } from "./errors.ts";
import { type Fields, plainFields, promisedLength, receivedFields } from "./fields.ts";
import type { Gate } from "./gate.ts";
import { codeOf, type HttpBody, HttpFailure, type HttpFields, NO_TRAILERS } from "./http-message.ts";

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
  readonly #incoming: Incoming;
  #chunk: Uint8Array = NOTHING;
  #state: "idle" | "asking" | "ended" = "idle";
  #failure: IoError | undefined;

  constructor(incoming: Incoming) {
    this.#incoming = incoming;
  }

  ready(): boolean {
    if (this.#chunk.length === 0 && this.#state === "idle") {
      this.#state = "asking";
      this.#incoming.pass(() => void this.#ask());
    }
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
    try {
      const step = await this.#incoming.iterator.next();
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

/** A body that came in; what the guest does to it goes through the gate, where there is one. */
class Incoming {
  readonly #body: HttpBody;
  readonly #gate: Gate | undefined;
  #iterator: AsyncIterator<Uint8Array> | undefined;

  constructor(body: HttpBody, gate: Gate | undefined) {
    this.#body = body;
    this.#gate = gate;
    if (gate === undefined) this.#iterator = body[Symbol.asyncIterator]();
  }

  pass(action: () => void): void {
    if (this.#gate === undefined) action();
    else this.#gate.pass(action);
  }

  get iterator(): AsyncIterator<Uint8Array> {
    return (this.#iterator ??= this.#body[Symbol.asyncIterator]());
  }
}

export class IncomingBody {
  /** Undefined: there is no body. */
  readonly #incoming: Incoming | undefined;
  readonly #trailers: () => Promise<HttpFields | undefined>;
  #streamTaken = false;
  #isFinished = false;

  constructor(body: HttpBody | undefined, trailers: () => Promise<HttpFields | undefined>, gate?: Gate) {
    this.#incoming = body === undefined ? undefined : new Incoming(body, gate);
    this.#trailers = trailers;
  }

  stream(): InputStream {
    if (this.#streamTaken) throw answerError(undefined);
    this.#streamTaken = true;
    return new InputStream(this.#incoming === undefined ? undefined : new BodySource(this.#incoming));
  }

  /** What was not read of the body is skipped. */
  static finish(body: IncomingBody): FutureTrailers {
    body.#isFinished = true;
    const future = new FutureTrailers();
    const incoming = body.#incoming;
    if (incoming === undefined && body.#trailers === NO_TRAILERS) settleTrailers(future, { tag: "ok", val: undefined });
    else {
      const skip = (): void => void body.#skipToTrailers(incoming).then((result) => settleTrailers(future, result));
      if (incoming === undefined) skip();
      else incoming.pass(skip);
    }
    return future;
  }

  async #skipToTrailers(incoming: Incoming | undefined): Promise<FutureResult<Fields | undefined>> {
    try {
      if (incoming !== undefined) while ((await incoming.iterator.next()).done !== true);
      const trailers = await this.#trailers();
      return { tag: "ok", val: trailers === undefined ? undefined : receivedFields(trailers) };
    } catch (error) {
      return { tag: "err", val: codeOf(error) };
    }
  }

  [Symbol.dispose](): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const incoming = this.#incoming;
    incoming?.pass(() => void (async () => incoming.iterator.return?.())().catch(() => undefined));
  }
}

/** The end of a body: with its trailers, or why there is none. */
type End = { readonly trailers: HttpFields | undefined } | { readonly failure: HttpFailure };

/** What a guest writes, for whoever sends it. */
export class BodyPipe implements ByteSink {
  readonly #signal: () => AbortSignal | undefined;
  /** Made for the first who may have to wait. */
  #changes: Changes | undefined;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #end: End | undefined;
  #broken: IoError | undefined;
  #wake: (() => void) | undefined;

  /** Who waits for the pipe waits no longer than until the signal aborts. */
  constructor(signal: () => AbortSignal | undefined = () => undefined) {
    this.#signal = signal;
  }

  get changes(): Changes {
    if (this.#changes === undefined) {
      this.#changes = new Changes();
      this.#changes.failOn(this.#signal());
    }
    return this.#changes;
  }

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

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  end(end: End): void {
    this.#end ??= end;
    this.#tell();
  }

  /** The bytes for the sender; a sender that stops, stops the writer. */
  get body(): HttpBody {
    return { [Symbol.asyncIterator]: () => ({ next: () => this.#next(), return: () => this.#stop() }) };
  }

  /** All of it, where it has ended well and without trailers; it has been taken then. */
  takeWhole(): readonly Uint8Array[] | undefined {
    const end = this.#end;
    if (end === undefined || "failure" in end || end.trailers !== undefined || this.#broken !== undefined) return undefined;
    this.#bytes = 0;
    return this.#chunks.splice(0);
  }

  get trailers(): () => Promise<HttpFields | undefined> {
    return () => Promise.resolve(this.#end !== undefined && "trailers" in this.#end ? this.#end.trailers : undefined);
  }

  /** Nobody takes what is written any more. */
  break(code: HttpErrorCode): void {
    this.#broken ??= new IoError(`the body is not sent: ${code.tag}`, { http: code });
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.#changes?.notify();
    this.#tell();
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        this.#bytes -= chunk.length;
        this.#changes?.notify();
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

/** Counts what is written, and lets no more bytes through than were promised. */
class CountedSink implements ByteSink {
  readonly #sink: ByteSink;
  readonly #sizeError: SizeError;
  readonly promised: number | undefined;
  written = 0;

  constructor(sink: ByteSink, promised: number | undefined, sizeError: SizeError) {
    this.#sink = sink;
    this.promised = promised;
    this.#sizeError = sizeError;
  }

  get pipe(): BodyPipe | undefined {
    return this.#sink instanceof BodyPipe ? this.#sink : undefined;
  }

  get changes(): Changes | undefined {
    return this.#sink.changes;
  }

  room(): number {
    return this.#sink.room();
  }

  failure(): IoError | undefined {
    return this.#sink.failure?.();
  }

  write(bytes: Uint8Array): void {
    this.written += bytesOf(bytes).length;
    if (this.promised === undefined || this.written <= this.promised) this.#sink.write(bytes);
    else this.pipe?.end({ failure: new HttpFailure(this.wrongSize) });
  }

  get wrongSize(): HttpErrorCode {
    return { tag: this.#sizeError, val: BigInt(this.written) };
  }
}

type SizeError = "HTTP-request-body-size" | "HTTP-response-body-size";

export class OutgoingBody {
  readonly #sink: CountedSink;
  readonly #stream: OutputStream;
  #streamTaken = false;
  #isFinished = false;

  constructor(kind: "request" | "response", headers: Fields, sink: ByteSink) {
    const length = promisedLength(headers);
    this.#sink = new CountedSink(sink, length === "wrong" ? undefined : length, `HTTP-${kind}-body-size`);
    this.#stream = new OutputStream(this.#sink);
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
    const { pipe, promised, written } = body.#sink;
    if (promised !== undefined && promised !== written) {
      const { wrongSize } = body.#sink;
      pipe?.end({ failure: new HttpFailure(wrongSize) });
      throw answerError(wrongSize);
    }
    pipe?.end({ trailers: trailers === undefined ? undefined : plainFields(trailers) });
  }

  /** Without `finish` a body is not complete, and whoever receives it must not think so. */
  [Symbol.dispose](): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    closeOutput(this.#stream);
    this.#sink.pipe?.end({ failure: new HttpFailure({ tag: "HTTP-protocol-error" }) });
  }
}
