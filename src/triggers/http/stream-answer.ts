// A stream as the body of a response: bytes as they are, elements as NDJSON or as Server-Sent Events. The next chunk is asked for when
// the client has room for it; when the client leaves, the stream is returned. Source: HTML standard (section 9.2) for events.

import { toJson } from "../../wit/json.ts";
import type { ValType } from "../../wit/types.ts";

/** What streams give: chunks of elements. */
export type Chunks = AsyncIterable<unknown> | Iterable<unknown>;

export function isChunks(value: unknown): value is Chunks {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** Nobody reads a stream; what comes of telling that interests nobody. */
export function letGo(stream: unknown): void {
  if (!isChunks(stream)) return;
  const tell = async (): Promise<unknown> => {
    const dispose: unknown = Reflect.get(stream, Symbol.asyncDispose);
    if (typeof dispose === "function") return Reflect.apply(dispose, stream, []);
    const iterator = Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
    return iterator.return?.();
  };
  tell().catch(() => undefined);
}

/** The elements of a chunk; what is no list of any kind is one element. */
export function chunkElements(chunk: unknown): ArrayLike<unknown> {
  if (Array.isArray(chunk)) return chunk;
  return isTypedArray(chunk) ? chunk : [chunk];
}

function isTypedArray(value: unknown): value is ArrayLike<unknown> & ArrayBufferView {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

export async function* byteChunks(chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const bytes = chunk instanceof Uint8Array ? chunk : Uint8Array.from(Array.from(chunkElements(chunk), Number));
    if (bytes.length > 0) yield bytes;
  }
}

/** One JSON value a line. A stream that fails breaks the response off. */
export async function* jsonLines(element: ValType | undefined, chunks: Chunks): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const text = eachJson(element, chunk, (json) => `${json}\n`);
    if (text !== "") yield Buffer.from(text);
  }
}

const HEARTBEAT_MS = 15_000;
const HEARTBEAT = Buffer.from(":\n\n");

/** One event an element. While nothing comes, a comment every 15 s keeps the connection; a stream that fails ends with an `error` event. */
export async function* serverSentEvents(
  element: ValType | undefined,
  chunks: Chunks,
  failed: (error: unknown) => string,
): AsyncGenerator<Uint8Array> {
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let hasEnded = false;
  try {
    for (;;) {
      const next = Promise.resolve(iterator.next());
      let step = await beforeHeartbeat(next);
      while (step === undefined) {
        yield HEARTBEAT;
        step = await beforeHeartbeat(next);
      }
      if (step.done === true) {
        hasEnded = true;
        return;
      }
      const text = eachJson(element, step.value, (json) => `data: ${json}\n\n`);
      if (text !== "") yield Buffer.from(text);
    }
  } catch (error) {
    hasEnded = true;
    yield Buffer.from(`event: error\ndata: ${failed(error)}\n\n`);
  } finally {
    if (!hasEnded) await iterator.return?.();
  }
}

async function beforeHeartbeat(next: Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown> | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const beat = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), HEARTBEAT_MS).unref();
  });
  try {
    return await Promise.race([next, beat]);
  } finally {
    clearTimeout(timer);
  }
}

function eachJson(element: ValType | undefined, chunk: unknown, line: (json: string) => string): string {
  const elements = chunkElements(chunk);
  let text = "";
  for (let i = 0; i < elements.length; i++) {
    text += line(element === undefined ? "null" : JSON.stringify(toJson(element, elements[i], { path: "element" })));
  }
  return text;
}
