// Streams and futures on their way through a recording: each is replaced by one that tells what passes it.

import { CHUNKED, isChunked } from "../../wit/streams.ts";
import type { ValType } from "../../wit/types.ts";
import { failureData } from "./recorded-failure.ts";
import { asChunk, chunkType, type DraftEvent, encode, type Numbering } from "./values.ts";

/** What is told of things that came later than they were asked for. */
export interface Tape {
  readonly numbers: Numbering;
  arrived(event: DraftEvent): void;
}

export class RecordedStreams {
  readonly #call: Tape;

  constructor(call: Tape) {
    this.#call = call;
  }

  /** What the host gives to the component. */
  readonly ofHost = (type: ValType & { kind: "stream" | "future" }, value: object): object =>
    type.kind === "future" ? this.#future(type.element, value) : this.#hostStream(type.element, value);

  /** What the component gives to the host. A future is read at once, whatever the host does. */
  readonly ofGuest = (type: ValType & { kind: "stream" | "future" }, value: object): object =>
    type.kind === "future" ? value : this.#guestStream(type.element, value);

  #future(element: ValType | undefined, value: object): object {
    if (!(value instanceof Promise)) return value;
    const call = this.#call;
    const told: Promise<unknown> = value.then(
      (result: unknown) => {
        call.arrived({
          future: call.numbers.idOf(told),
          ok: element === undefined ? null : encode(element, result, call.numbers),
        });
        return result;
      },
      (error: unknown) => {
        call.arrived({ future: call.numbers.idOf(told), failed: failureData(error) });
        throw error;
      },
    );
    return told;
  }

  #hostStream(element: ValType | undefined, value: object): object {
    const iterator = iteratorOf(value);
    if (iterator === undefined) return value;
    const call = this.#call;
    const stream: AsyncIterable<unknown> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          try {
            const result = await iterator.next();
            const id = call.numbers.idOf(stream);
            if (result.done === true) call.arrived({ end: id });
            else
              call.arrived({
                chunk: id,
                value: element === undefined ? null : encode(chunkType(element), asChunk(element, result.value), call.numbers),
              });
            return result;
          } catch (error) {
            call.arrived({ end: call.numbers.idOf(stream), failed: failureData(error) });
            throw error;
          }
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }),
    };
    return stream;
  }

  #guestStream(element: ValType | undefined, value: object): object {
    const call = this.#call;
    const dispose: unknown = Reflect.get(value, Symbol.asyncDispose);
    const stream: AsyncIterable<unknown> & AsyncDisposable = {
      ...(isChunked(value) ? { [CHUNKED]: true } : {}),
      [Symbol.asyncIterator]: () => {
        const iterator = iteratorOf(value);
        const id = call.numbers.idOf(stream);
        return {
          next: async () => {
            call.arrived({ ask: id });
            const result = (await iterator?.next()) ?? { done: true, value: undefined };
            if (result.done === true) call.arrived({ got: id });
            else
              call.arrived({
                got: id,
                value: element === undefined ? null : encode({ kind: "list", element }, result.value, call.numbers),
              });
            return result;
          },
          return: async () => {
            call.arrived({ stop: id });
            return (await iterator?.return?.()) ?? { done: true, value: undefined };
          },
        };
      },
      [Symbol.asyncDispose]: async () => {
        call.arrived({ stop: call.numbers.idOf(stream) });
        if (typeof dispose === "function") await Reflect.apply(dispose, value, []);
      },
    };
    return stream;
  }
}

function iteratorOf(value: object): AsyncIterator<unknown> | Iterator<unknown> | undefined {
  for (const name of [Symbol.asyncIterator, Symbol.iterator]) {
    const iterate: unknown = Reflect.get(value, name);
    if (typeof iterate === "function") return Reflect.apply(iterate, value, []) as AsyncIterator<unknown>;
  }
  return undefined;
}
