// Values with streams on their way into a transaction, or out of it: what passes is kept for the record, as far as that has room, and comes
// back from it.

import { CHUNKED, chunkOf, isChunked } from "../../wit/streams.ts";
import type { Json } from "../../wit/json.ts";
import type { ValType } from "../../wit/types.ts";
import { valueText } from "./difference.ts";
import type { HeldValue, RecordedStream } from "./record.ts";
import { failure, failureData } from "./recorded-failure.ts";
import { asJson, decode, encode, type Encoded, Numbering, replaceStreams, sizeOf } from "./values.ts";

interface Kept {
  readonly chunks: Encoded[];
  end: RecordedStream["end"];
}

type StreamType = ValType & { kind: "stream" | "future" };

/** A value whose streams are watched; `takes`: whether there is room for so many bytes more. */
export class StreamedValue {
  readonly value: unknown;
  /** When nobody reads its streams any more. */
  readonly ended: Promise<unknown>;
  readonly #type: ValType;
  readonly #numbers = new Numbering();
  readonly #streams = new Map<object, Kept>();

  constructor(type: ValType, value: unknown, takes: (bytes: number) => boolean) {
    const ends: Promise<void>[] = [];
    this.#type = type;
    this.value = replaceStreams(type, value, (of, stream) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      ends.push(promise);
      const kept: Kept = { chunks: [], end: "open" };
      const keep = (item: unknown): void => {
        const draft = encode(chunkTypeOf(of), Array.from(chunkOf(of.element, item, isChunked(stream))), this.#numbers);
        if (takes(sizeOf(draft))) kept.chunks.push(draft);
      };
      const end = (how: RecordedStream["end"]): void => {
        kept.end = how;
        resolve();
      };
      const watched = of.kind === "future" ? watchedFuture(stream, keep, end) : watchedStream(stream, keep, end);
      this.#streams.set(watched, kept);
      return watched;
    });
    this.ended = Promise.all(ends);
  }

  /** The value, and what its streams gave until now. */
  held(): HeldValue {
    const value = asJson(encode(this.#type, this.value, this.#numbers));
    const streams = [...this.#streams].map(
      ([stream, { chunks, end }]) => [this.#numbers.idOf(stream), { chunks: chunks.map(asJson), end }] as const,
    );
    return { value, streams: Object.fromEntries(streams) };
  }
}

/** A list of elements; elements without a type are counted. */
function chunkTypeOf({ element }: StreamType): ValType {
  return { kind: "list", element: element ?? { kind: "tuple", types: [] } };
}

type Keep = (item: unknown) => void;
type End = (how: RecordedStream["end"]) => void;

function watchedFuture(future: object, keep: Keep, end: End): object {
  const told = Promise.resolve(future as PromiseLike<unknown>);
  told.then(
    (value) => {
      keep([value]);
      end("done");
    },
    (error: unknown) => end(failureData(error)),
  );
  return told;
}

function watchedStream(stream: object, keep: Keep, end: End): object {
  const iterate: unknown = Reflect.get(stream, Symbol.asyncIterator) ?? Reflect.get(stream, Symbol.iterator);
  if (typeof iterate !== "function") {
    end("open");
    return stream;
  }
  const iterator = Reflect.apply(iterate, stream, []) as AsyncIterator<unknown> | Iterator<unknown>;
  const dispose: unknown = Reflect.get(stream, Symbol.asyncDispose);
  return {
    ...(isChunked(stream) ? { [CHUNKED]: true } : {}),
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        try {
          const step = await iterator.next();
          if (step.done === true) end("done");
          else keep(step.value);
          return step;
        } catch (error) {
          end(failureData(error));
          throw error;
        }
      },
      return: async () => {
        end("open");
        return (await iterator.return?.()) ?? { done: true, value: undefined };
      },
    }),
    [Symbol.asyncDispose]: async () => {
      end("open");
      if (typeof dispose === "function") await Reflect.apply(dispose, stream, []);
    },
  };
}

/** A value out of a record, whose streams give what they gave. @throws StarlaneError `replay/bad-record` */
export function unheld(type: ValType, { value, streams }: HeldValue): unknown {
  return decode(type, value, (of, id) => {
    const recorded = Object.hasOwn(streams, id) ? streams[id] : undefined;
    if (recorded === undefined || (of.kind !== "stream" && of.kind !== "future")) return {};
    const stream = chunksOf(of, recorded);
    return of.kind === "stream" ? { [CHUNKED]: true, [Symbol.asyncIterator]: () => stream } : onlyElement(stream);
  });
}

async function* chunksOf(of: StreamType, { chunks, end }: RecordedStream): AsyncGenerator<readonly unknown[]> {
  for (const chunk of chunks)
    yield await Promise.resolve(Array.from(decode(chunkTypeOf(of), chunk, () => ({})) as Iterable<unknown>));
  if (end === "open") await new Promise(() => undefined);
  if (end !== "done" && end !== "open") throw failure(end);
}

async function onlyElement(stream: AsyncGenerator<readonly unknown[]>): Promise<unknown> {
  const { value } = await stream.next();
  return Array.isArray(value) ? (value[0] as unknown) : undefined;
}

/** Reads the streams of a result as far as they were read when it was recorded. The answer is the same as a record has it. */
export async function readAgain(type: ValType, result: unknown, recorded: HeldValue): Promise<HeldValue> {
  const pending: Promise<void>[] = [];
  const lengths = Object.values(recorded.streams).map(({ chunks, end }) => ({ elements: elementsOf(chunks).length, end }));
  let next = 0;
  const streamed = new StreamedValue(type, result, () => true);
  replaceStreams(type, streamed.value, (of, stream) => {
    const until = lengths[next++];
    if (of.kind === "stream") pending.push(read(stream, until?.end === "open" ? until.elements : Infinity));
    else
      pending.push(
        Promise.resolve(stream as PromiseLike<unknown>).then(
          () => undefined,
          () => undefined,
        ),
      );
    return stream;
  });
  await Promise.all(pending);
  return streamed.held();
}

async function read(stream: object, elements: number): Promise<void> {
  let count = 0;
  try {
    for await (const chunk of stream as AsyncIterable<unknown>) {
      count += Array.isArray(chunk) || ArrayBuffer.isView(chunk) ? ((chunk as { readonly length?: number }).length ?? 1) : 1;
      if (count >= elements) return;
    }
  } catch {
    // How it failed was kept.
  }
}

/** How chunks were cut is chance; what they hold is not. */
export function sameHeld(recorded: HeldValue, now: HeldValue, same: (a: Json, b: Json) => boolean): boolean {
  const [before, after] = [Object.values(recorded.streams), Object.values(now.streams)];
  if (!same(recorded.value, now.value) || before.length !== after.length) return false;
  return before.every(({ chunks, end }, i) => {
    const other = after[i];
    if (other === undefined) return false;
    const [wanted, given] = [elementsOf(chunks), elementsOf(other.chunks)];
    if (end === "open") return same(wanted, given.slice(0, wanted.length));
    return same(wanted, given) && same(end as Json, other.end as Json);
  });
}

/** The elements of all chunks; of texts their characters' bytes. */
function elementsOf(chunks: readonly Json[]): Json[] {
  return chunks.flatMap((chunk): readonly Json[] => {
    if (typeof chunk === "string") return [...new TextEncoder().encode(chunk)];
    if (Array.isArray(chunk)) return chunk as readonly Json[];
    const base64 = typeof chunk === "object" && chunk !== null && "base64" in chunk ? chunk["base64"] : undefined;
    return typeof base64 === "string" ? [...Uint8Array.fromBase64(base64)] : [chunk];
  });
}

/** For people. */
export function heldText({ value, streams }: HeldValue): string {
  const told = Object.values(streams).map(({ chunks, end }) => ({ elements: elementsOf(chunks).length, end }));
  return `${valueText(value)}${told.length === 0 ? "" : ` with streams ${valueText(told as unknown as Json)}`}`;
}
