// Streams of a run that is answered from a record: those of the host give what was recorded, those of the components are read as the host
// read them.

import type { Json } from "../../wit/json.ts";
import { sameJson } from "./difference.ts";

type Next = IteratorResult<unknown, undefined>;

/** A stream of the host. */
export class HostStream implements AsyncIterable<unknown> {
  readonly #ready: (() => Promise<Next>)[] = [];
  #asked: ((answer: Promise<Next>) => void) | undefined;

  get isAsked(): boolean {
    return this.#asked !== undefined;
  }

  give(value: unknown): void {
    this.#add(() => Promise.resolve({ done: false, value }));
  }

  end(error: Error | undefined): void {
    this.#add(() => (error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)));
  }

  #add(answer: () => Promise<Next>): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked === undefined) this.#ready.push(answer);
    else asked(answer());
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return {
      next: () => {
        const ready = this.#ready.shift();
        if (ready !== undefined) return ready();
        return new Promise<Next>((resolve) => {
          this.#asked = resolve;
        });
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }
}

/** A stream of a component. */
export class GuestStream {
  readonly #iterator: AsyncIterator<unknown> | undefined;
  readonly #asJson: (chunk: unknown) => Json;
  #read: Promise<Json | undefined> | undefined;
  isRead = false;

  constructor(stream: object, asJson: (chunk: unknown) => Json) {
    const iterate: unknown = Reflect.get(stream, Symbol.asyncIterator);
    this.#iterator = typeof iterate === "function" ? (Reflect.apply(iterate, stream, []) as AsyncIterator<unknown>) : undefined;
    this.#asJson = asJson;
  }

  read(then: () => void): void {
    this.isRead = false;
    this.#read = (async () => {
      const result = await this.#iterator?.next();
      return result === undefined || result.done === true ? undefined : this.#asJson(result.value);
    })();
    const done = (): void => {
      this.isRead = true;
      then();
    };
    this.#read.then(done, done);
  }

  /** Compares what was read with what is recorded, when it is there. */
  expect(recorded: Json | undefined, differs: (recorded: Json | undefined, actual: Json | undefined) => void): void {
    this.#read?.then(
      (actual) => {
        if (!sameJson(recorded, actual)) differs(recorded, actual);
      },
      () => undefined,
    );
  }

  stop(): void {
    void (async () => this.#iterator?.return?.())().catch(() => undefined);
  }
}
