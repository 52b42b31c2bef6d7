// The streams of a result: the result itself, or fields of the record that it is. A transaction that gives streams goes on until the last
// of them has ended or nobody reads it any more; only then it is concluded.

import { StarlaneError } from "../base/errors.ts";
import { CHUNKED, chunkOf, isChunked, isIterable, type Chunk } from "../wit/streams.ts";
import { camelCase, type ValType } from "../wit/types.ts";

/** One stream of a result. */
export interface ResultStream {
  /** The port; undefined: the result as a whole. */
  readonly name: string | undefined;
  readonly element: ValType | undefined;
}

/** By its type; none where it gives all at once. */
export function streamsOf(type: ValType | undefined): readonly ResultStream[] {
  if (type?.kind === "stream") return [{ name: undefined, element: type.element }];
  if (type?.kind !== "record") return [];
  return type.fields.flatMap((field) =>
    field.type.kind === "stream" ? [{ name: field.name, element: field.type.element }] : [],
  );
}

/** The value of a stream in a result. */
export function streamIn(result: unknown, { name }: ResultStream): unknown {
  if (name === undefined) return result;
  return typeof result === "object" && result !== null ? Reflect.get(result, camelCase(name)) : undefined;
}

/** The result with other streams in place of its own. */
function withStreams(result: unknown, streams: readonly ResultStream[], other: (stream: ResultStream) => unknown): unknown {
  const [first] = streams;
  if (first === undefined) return result;
  if (first.name === undefined) return other(first);
  const record: Record<string, unknown> = { ...(typeof result === "object" ? result : {}) };
  for (const stream of streams) record[camelCase(stream.name ?? "")] = other(stream);
  return record;
}

type Outcome = { readonly error: unknown } | "done";

/**
 * The same result, whose streams call `conclude` once when the last of them is over; the end of that stream waits for it, and
 * fails where it does. `signal`: ends them, whether or not somebody reads.
 */
export function heldOpen(
  type: ValType,
  result: unknown,
  signal: AbortSignal | undefined,
  conclude: (outcome: Outcome) => unknown,
): unknown {
  const streams = streamsOf(type);
  let open = streams.length;
  let failed: { readonly error: unknown } | undefined;
  const over = async (outcome: Outcome): Promise<void> => {
    if (outcome !== "done") failed ??= outcome;
    if (--open === 0) await conclude(failed ?? "done");
  };
  return withStreams(result, streams, (stream) => new HeldStream(stream.element, streamIn(result, stream), signal, over));
}

class HeldStream implements AsyncIterable<Chunk>, AsyncIterator<Chunk, undefined>, AsyncDisposable {
  readonly [CHUNKED] = true;
  readonly #element: ValType | undefined;
  readonly #value: unknown;
  readonly #signal: AbortSignal | undefined;
  readonly #over: (outcome: Outcome) => Promise<void>;
  readonly #onAbort = (): void => void this.#abort();
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | undefined;
  #isOver = false;
  #aborted: { readonly error: unknown } | undefined;

  constructor(
    element: ValType | undefined,
    value: unknown,
    signal: AbortSignal | undefined,
    over: (outcome: Outcome) => Promise<void>,
  ) {
    this.#element = element;
    this.#value = value;
    this.#signal = signal;
    this.#over = over;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Chunk, undefined>> {
    if (this.#aborted !== undefined) throw this.#aborted.error;
    while (!this.#isOver) {
      let next: IteratorResult<unknown>;
      try {
        next = await this.#begun().next();
      } catch (error) {
        await this.#end({ error }).catch(() => undefined);
        throw error;
      }
      if (next.done === true) break;
      const chunk = chunkOf(this.#element, next.value, isChunked(this.#value));
      if (chunk.length > 0) return { done: false, value: chunk };
    }
    await this.#end("done");
    return { done: true, value: undefined };
  }

  /** Who reads needs no more. */
  async return(): Promise<IteratorResult<Chunk, undefined>> {
    if (!this.#isOver) {
      this.#isOver = true;
      let outcome: Outcome = "done";
      try {
        await this.#dispose();
      } catch (error) {
        outcome = { error };
      }
      await this.#over(outcome);
    }
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #begun(): AsyncIterator<unknown> | Iterator<unknown> {
    if (this.#iterator !== undefined) return this.#iterator;
    if (!isIterable(this.#value)) throw new StarlaneError("starlane/internal", "an operation gave something that is no stream");
    const value = this.#value;
    return (this.#iterator = Symbol.asyncIterator in value ? value[Symbol.asyncIterator]() : value[Symbol.iterator]());
  }

  /** An iterator that waits for its next item hears of `return` only then; a disposable stream at once. */
  async #dispose(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const dispose: unknown =
      typeof this.#value === "object" && this.#value !== null ? Reflect.get(this.#value, Symbol.asyncDispose) : undefined;
    if (typeof dispose === "function") await Reflect.apply(dispose, this.#value, []);
    else await this.#begun().return?.();
  }

  async #end(outcome: Outcome): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    await this.#over(outcome);
  }

  async #abort(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#aborted = { error: this.#signal?.reason };
    await this.#dispose().catch(() => undefined);
    await this.#over(this.#aborted).catch(() => undefined);
  }
}

/** A bound on what is kept of the streams of one result. */
export const MOST_GATHERED = 1_000_000;

/**
 * The result with lists in place of its streams, and its type then; all streams are read at once.
 * @throws StarlaneError `star/too-many-elements` where one has more than MOST_GATHERED elements, and what the streams fail with (rejects)
 */
export async function gathered(type: ValType, result: unknown): Promise<{ readonly type: ValType; readonly value: unknown }> {
  const streams = streamsOf(type);
  if (streams.length === 0) return { type, value: result };
  const lists = new Map(
    await Promise.all(
      streams.map(async (stream): Promise<[string | undefined, unknown[]]> => [
        stream.name,
        await listOf(streamIn(result, stream)),
      ]),
    ),
  );
  return { type: withLists(type), value: withStreams(result, streams, ({ name }) => lists.get(name)) };
}

function withLists(type: ValType): ValType {
  const listed = (one: ValType): ValType =>
    one.kind === "stream" ? { kind: "list", element: one.element ?? { kind: "tuple", types: [] } } : one;
  if (type.kind !== "record") return listed(type);
  return { ...type, fields: type.fields.map((field) => ({ ...field, type: listed(field.type) })) };
}

async function listOf(stream: unknown): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const chunk of stream as AsyncIterable<Chunk>) {
    for (let i = 0; i < chunk.length; i++) list.push(chunk[i]);
    if (list.length > MOST_GATHERED)
      throw new StarlaneError("star/too-many-elements", `a stream of the result has more than ${MOST_GATHERED} elements`);
  }
  return list;
}

/** Reads all streams of a result to their ends, for nobody. */
export async function drained(type: ValType | undefined, result: unknown): Promise<void> {
  await Promise.all(
    streamsOf(type).map(async (stream) => {
      for await (const _ of streamIn(result, stream) as AsyncIterable<Chunk>);
    }),
  );
}
