// Rules for bodies on their way: how long they may be and must be, and that nothing is waited for once the exchange has ended.

import type { HttpErrorCode } from "./errors.ts";
import { HttpFailure, type HttpBody } from "./http-message.ts";

export interface LengthRule {
  /** What `content-length` says; undefined where nothing was promised. */
  readonly promised?: number | undefined;
  readonly limitBytes: number;
  /** The failure for a body of another length; told how many bytes there were, and whether that was the end. */
  readonly wrong: (bytes: number, ended: boolean) => HttpErrorCode;
}

type OnEnd = (failure: HttpFailure | undefined, complete: boolean) => void;

/**
 * The same body, held to a rule. It ends with the signal, also where the next chunk never comes. `onEnd` is told once, however it
 * ends: in full (`complete`), failing, or given up.
 */
export function heldBody(body: HttpBody, rule: LengthRule, signal: AbortSignal, onEnd: OnEnd): HttpBody {
  return { [Symbol.asyncIterator]: () => new HeldBody(body[Symbol.asyncIterator](), rule, signal, onEnd) };
}

type Step = IteratorResult<Uint8Array, undefined>;

class HeldBody implements AsyncIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #rule: LengthRule;
  readonly #signal: AbortSignal;
  readonly #onEnd: OnEnd;
  readonly #onAbort = (): void => this.#abort();
  #bytes = 0;
  #ended = false;
  #failure: HttpFailure | undefined;
  #waiting: ((failure: HttpFailure) => void) | undefined;

  constructor(source: AsyncIterator<Uint8Array>, rule: LengthRule, signal: AbortSignal, onEnd: OnEnd) {
    this.#source = source;
    this.#rule = rule;
    this.#signal = signal;
    this.#onEnd = onEnd;
    signal.addEventListener("abort", this.#onAbort);
    if (signal.aborted) this.#abort();
  }

  async next(): Promise<Step> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) return { done: true, value: undefined };
    try {
      const step = await this.#nextOrAbort();
      if (this.#isEnded()) return { done: true, value: undefined };
      if (step.done === true) return this.#finish();
      return { done: false, value: this.#counted(step.value) };
    } catch (error) {
      const failure = error instanceof HttpFailure ? error : new HttpFailure({ tag: "internal-error" }, { cause: error });
      this.#end(failure);
      throw failure;
    }
  }

  return(): Promise<Step> {
    if (!this.#ended) {
      this.#end();
      this.#giveUp();
    }
    return Promise.resolve({ done: true, value: undefined });
  }

  #nextOrAbort(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#waiting = reject;
      this.#source.next().then(resolve, reject);
    });
  }

  #isEnded(): boolean {
    return this.#ended;
  }

  #counted(chunk: Uint8Array): Uint8Array {
    this.#bytes += chunk.length;
    const { promised, limitBytes } = this.#rule;
    if (this.#bytes <= limitBytes && (promised === undefined || this.#bytes <= promised)) return chunk;
    this.#giveUp();
    throw new HttpFailure(this.#rule.wrong(this.#bytes, false));
  }

  #finish(): Step {
    const { promised } = this.#rule;
    if (promised !== undefined && promised !== this.#bytes) throw new HttpFailure(this.#rule.wrong(this.#bytes, true));
    this.#end(undefined, true);
    return { done: true, value: undefined };
  }

  #abort(): void {
    if (this.#ended) return;
    const failure = new HttpFailure({ tag: "connection-terminated" });
    this.#end(failure);
    this.#waiting?.(failure);
    this.#giveUp();
  }

  #giveUp(): void {
    void (async () => this.#source.return?.())().catch(() => undefined);
  }

  #end(failure?: HttpFailure, complete = false): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#onEnd(failure, complete);
  }
}

/** The promise, or a failure as soon as the signal aborts. */
export function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new HttpFailure({ tag: "connection-terminated" }));
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
