// The body of a request: bounded in size and in how long it may stall; a chunk is taken from the connection when it is asked for.

import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { HttpProblem } from "./problem.ts";

export type NodeRequest = IncomingMessage | Http2ServerRequest;

export interface BodyLimits {
  readonly bytes: number;
  readonly idleMs: number;
}

/** Whether a request has a body, as far as its head tells. */
export function hasBody(request: NodeRequest): boolean {
  if ("stream" in request) return !request.stream.endAfterHeaders;
  const length = request.headers["content-length"];
  return request.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** Can be iterated once. Fails with `HttpProblem`: 413 too large, 408 stalled, 400 broken off. */
export class RequestBody implements AsyncIterable<Uint8Array> {
  readonly #request: NodeRequest;
  readonly #limits: BodyLimits;
  readonly #onFirstRead: (() => void) | undefined;
  #state: "new" | "reading" | "ended" | "left" = "new";
  #received = 0;

  /** `onFirstRead`: the client waits for leave to send (`Expect: 100-continue`). */
  constructor(request: NodeRequest, limits: BodyLimits, onFirstRead: (() => void) | undefined) {
    this.#request = request;
    this.#limits = limits;
    this.#onFirstRead = onFirstRead;
  }

  /** Every byte was taken: the connection can carry another request. */
  get isDone(): boolean {
    return this.#state === "ended";
  }

  /** The whole body at once. */
  async readAll(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this) chunks.push(chunk);
    const [only] = chunks;
    return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#state !== "new") throw new HttpProblem(500, { detail: "the body was read before" });
    this.#state = "reading";
    this.#refuseAnnounced();
    this.#onFirstRead?.();
    const flow = new Flow(this.#request, this.#limits.idleMs);
    try {
      for (;;) {
        const chunk = flow.read();
        if (chunk !== undefined) {
          this.#count(chunk.length);
          yield chunk;
        } else if (flow.hasEnded) {
          this.#state = "ended";
          return;
        } else await flow.more();
      }
    } finally {
      flow.stop();
      if (!this.isDone) this.#state = "left";
    }
  }

  #refuseAnnounced(): void {
    const length = Number(this.#request.headers["content-length"] ?? 0);
    if (length > this.#limits.bytes) throw tooLarge(this.#limits.bytes);
  }

  #count(bytes: number): void {
    this.#received += bytes;
    if (this.#received > this.#limits.bytes) throw tooLarge(this.#limits.bytes);
  }
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem(413, { detail: `the body is larger than ${limit} bytes` });
}

/** What arrives on a connection, without taking more of it than is asked for. */
class Flow {
  readonly #request: NodeRequest;
  readonly #idleMs: number;
  #wake: (() => void) | undefined;
  #ended = false;
  #failure: HttpProblem | undefined;

  constructor(request: NodeRequest, idleMs: number) {
    this.#request = request;
    this.#idleMs = idleMs;
    this.#ended = request.readableEnded;
    request.on("readable", this.#onReadable);
    request.on("end", this.#onEnd);
    request.on("error", this.#onBroken);
    request.on("close", this.#onBroken);
    if (request.destroyed && !this.#ended) this.#onBroken();
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  read(): Uint8Array | undefined {
    const chunk: unknown = this.#ended ? null : this.#request.read();
    return chunk instanceof Uint8Array ? chunk : undefined;
  }

  async more(): Promise<void> {
    if (this.#failure === undefined && !this.#ended) {
      const timer = setTimeout(this.#onIdle, this.#idleMs);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      clearTimeout(timer);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  stop(): void {
    this.#request.off("readable", this.#onReadable);
    this.#request.off("end", this.#onEnd);
    this.#request.off("close", this.#onBroken);
    // The listener for errors stays: without one, a connection that breaks later would end the process.
  }

  readonly #onReadable = (): void => this.#wake?.();
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };
  readonly #onBroken = (): void => {
    if (this.#ended) return;
    this.#failure ??= new HttpProblem(400, { detail: "the request broke off" });
    this.#wake?.();
  };
  readonly #onIdle = (): void => {
    this.#failure ??= new HttpProblem(408, { detail: "the body did not arrive in time" });
    this.#wake?.();
  };
}
