// The streams of a result on standard output, as they come: one line a packet. Of a result that is one stream, its elements; of one with
// several ports `{"port": element}`. The bytes of an only `stream<u8>` are written as they are. Whoever reads slowly slows the streams.

import { once } from "node:events";
import { streamIn, streamsOf, type ResultStream } from "../star/result-streams.ts";
import type { Json } from "../wit/json.ts";
import { toJson } from "../wit/json.ts";
import { isChunked, chunkOf } from "../wit/streams.ts";
import { camelCase, type ValType } from "../wit/types.ts";
import { printValue } from "./print-value.ts";
import { paintFor } from "./terminal.ts";

/** Prints what has to be printed until all streams have ended. Rejects with what one of them fails with. */
export async function printStreams(type: ValType | undefined, result: unknown, asJson: boolean): Promise<void> {
  const streams = streamsOf(type);
  const fields = type?.kind === "record" ? type.fields : [];
  const values = fields.filter((field) => field.type.kind !== "stream");
  const isOnly = streams.length === 1 && values.length === 0;
  const show = asJson || !process.stdout.isTTY ? jsonLine : readable;
  const print = async (name: string | undefined, json: Json): Promise<void> => {
    await write(show(isOnly || name === undefined ? json : { [name]: json }));
  };
  for (const { name, type: one } of values) {
    const value: unknown = typeof result === "object" && result !== null ? Reflect.get(result, camelCase(name)) : undefined;
    await print(name, toJson(one, value, { path: name }));
  }
  await Promise.all(
    streams.map(async (stream) => {
      for await (const chunk of chunksOf(stream, result)) {
        if (stream.element?.kind === "u8") {
          const bytes = Uint8Array.from(Array.from(chunk, Number));
          if (isOnly) await write(bytes);
          else await print(stream.name, toJson({ kind: "list", element: stream.element }, bytes));
          continue;
        }
        await printAll(stream, chunk, print);
      }
    }),
  );
}

async function* chunksOf(stream: ResultStream, result: unknown): AsyncGenerator<ArrayLike<unknown>> {
  const value = streamIn(result, stream);
  for await (const item of value as AsyncIterable<unknown>) yield chunkOf(stream.element, item, isChunked(value));
}

async function printAll(
  { name, element }: ResultStream,
  chunk: ArrayLike<unknown>,
  print: (name: string | undefined, json: Json) => Promise<void>,
): Promise<void> {
  for (let i = 0; i < chunk.length; i++) {
    await print(name, element === undefined ? null : toJson(element, chunk[i], { path: name ?? "the result" }));
  }
}

function jsonLine(json: Json): string {
  return `${JSON.stringify(json)}\n`;
}

function readable(json: Json): string {
  return `${printValue(json, paintFor(process.stdout))}\n`;
}

async function write(text: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}
