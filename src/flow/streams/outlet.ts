// A stream as it leaves the run, to a component that reads it or to whoever called: an iterable of chunks. An element that failed
// breaks it.

import { CHUNKED, type Chunk } from "../../wit/streams.ts";
import type { Failure } from "../failure.ts";
import { FailedElement, type Stream } from "./stream.ts";

export interface OutletHost {
  /** What the reader is told of a failure; an output of the flow ends the run with it. */
  fail(failure: Failure): unknown;
  /** Why the run was stopped; undefined: it was not. */
  stopped(): { readonly error: unknown } | undefined;
  /** Nothing more comes out of it. Resolves when the reader may be told; rejects with what failed meanwhile. */
  ended(): Promise<void> | undefined;
}

export class Outlet implements AsyncIterable<Chunk>, AsyncIterator<Chunk, undefined>, AsyncDisposable {
  readonly [CHUNKED] = true;
  private readonly stream: Stream;
  private readonly host: OutletHost;
  private isOver = false;

  constructor(stream: Stream, host: OutletHost) {
    this.stream = stream;
    this.host = host;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Chunk, undefined>> {
    if (this.isOver) return { done: true, value: undefined };
    const step = this.host.stopped() === undefined ? await this.stream.pull() : undefined;
    if (this.isOver) return { done: true, value: undefined };
    const stopped = this.host.stopped();
    if (stopped !== undefined) {
      await this.end().catch(() => undefined);
      throw stopped.error;
    }
    if (step instanceof FailedElement) {
      const error = this.host.fail(step.failure);
      await this.end().catch(() => undefined);
      throw error;
    }
    if (step !== undefined) return { done: false, value: step };
    await this.end();
    return { done: true, value: undefined };
  }

  /** The reader wants no more. */
  async return(): Promise<IteratorResult<Chunk, undefined>> {
    if (!this.isOver) await this.end();
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  private async end(): Promise<void> {
    this.isOver = true;
    this.stream.close();
    await this.host.ended();
  }
}
