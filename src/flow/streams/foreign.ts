// A stream that comes from outside the run: of a trigger, of a component, of another flow. Where it breaks, a failure stands for what
// would have come, and then it ends.

import { chunkOf, isChunked, isIterable } from "../../wit/streams.ts";
import type { ValType } from "../../wit/types.ts";
import { badStream } from "../endings.ts";
import type { Failure } from "../failure.ts";
import type { Pace } from "./pace.ts";
import { FailedElement, type Step, type Stream } from "./stream.ts";

/** What a foreign stream needs to know of the run. */
export interface ForeignHost {
  readonly pace: Pace;
  /** What a stream that breaks failed with. */
  failureOf(thrown: unknown): Failure;
  /** It has ended, or was closed. */
  ended(stream: Stream): void;
}

export class ForeignStream implements Stream {
  private readonly element: ValType | undefined;
  private readonly value: unknown;
  private readonly host: ForeignHost;
  private readonly chunked: boolean;
  private iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  private isOver = false;
  /** Answers a pull that waits. */
  private release: (() => void) | undefined;

  constructor(element: ValType | undefined, value: unknown, host: ForeignHost) {
    this.element = element;
    this.value = value;
    this.host = host;
    this.chunked = isChunked(value);
  }

  async pull(): Promise<Step> {
    for (;;) {
      if (this.isOver) return undefined;
      const breath = this.host.pace.breath();
      if (breath !== undefined) {
        await breath;
        continue;
      }
      let next: IteratorResult<unknown> | undefined;
      try {
        next = await this.next();
      } catch (error) {
        if (this.isOver) return undefined;
        this.end();
        return new FailedElement(this.host.failureOf(error));
      }
      if (next === undefined || this.isOver) return undefined;
      if (next.done === true) {
        this.end();
        return undefined;
      }
      const chunk = chunkOf(this.element, next.value, this.chunked);
      if (chunk.length > 0) return chunk;
    }
  }

  close(): void {
    if (this.isOver) return;
    this.end();
    this.release?.();
    letGo(this.value, this.iterator);
  }

  private end(): void {
    this.isOver = true;
    this.host.ended(this);
  }

  /** The next item; undefined where the stream was closed meanwhile. */
  private next(): Promise<IteratorResult<unknown> | undefined> {
    return new Promise((resolve, reject) => {
      this.release = () => resolve(undefined);
      this.iterator ??= iteratorOf(this.value);
      Promise.resolve(this.iterator.next()).then(resolve, reject);
    });
  }
}

function iteratorOf(value: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  if (!isIterable(value)) throw badStream();
  return Symbol.asyncIterator in value ? value[Symbol.asyncIterator]() : value[Symbol.iterator]();
}

/** Tells whoever makes a stream that nobody reads it any more; what comes of that interests nobody. */
export function letGo(value: unknown, begun?: AsyncIterator<unknown> | Iterator<unknown>): void {
  if (!isIterable(value)) return;
  const tell = async (): Promise<unknown> => {
    // An iterator that waits for its next item hears of `return` only then; a disposable stream at once.
    const dispose: unknown = Reflect.get(value, Symbol.asyncDispose);
    if (typeof dispose === "function") return Reflect.apply(dispose, value, []);
    return (begun ?? iteratorOf(value)).return?.();
  };
  tell().catch(() => undefined);
}
