// Bytes as the elements of a stream: those of a `stream<u8>` as they are, of other types one element a line, JSON or what people write for
// the type. Read as they are wanted; a line is at most LONGEST_LINE characters long.

import { StarlaneError } from "../base/errors.ts";
import { fromText } from "../wit/from-text.ts";
import { CHUNKED, type Chunk } from "../wit/streams.ts";
import type { ValType } from "../wit/types.ts";
import type { PortSource } from "./inputs.ts";

const LONGEST_LINE = 16 * 1024 * 1024;

/** The stream of a port. Fails, where it is read, with `wit/bad-value` or `cli/bad-input`. */
export function elementsFrom(element: ValType | undefined, source: PortSource, port: string): unknown {
  const chunks = element?.kind === "u8" ? source.bytes : parsedLines(element, source, port);
  return {
    [CHUNKED]: true,
    [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator](),
    // A read that waits for more bytes would not hear of `return` before they come.
    [Symbol.asyncDispose]: () => {
      source.close();
      return Promise.resolve();
    },
  };
}

async function* parsedLines(element: ValType | undefined, source: PortSource, port: string): AsyncGenerator<Chunk> {
  let index = 0;
  for await (const lines of linesOf(source)) {
    const elements: unknown[] = [];
    for (const line of lines) {
      if (line.trim() === "") continue;
      elements.push(elementOf(element, line, `${port}[${index++}]`));
    }
    if (elements.length > 0) yield elements;
  }
}

function elementOf(element: ValType | undefined, line: string, path: string): unknown {
  if (element === undefined) return undefined;
  const isText = element.kind === "string" || (element.kind === "option" && element.type.kind === "string");
  const text = isText ? unquoted(line) : line;
  return fromText(element, text, { path });
}

/** What was printed as JSON is read back; any other line is the text itself. */
function unquoted(line: string): string {
  const word = line.trim();
  if (!word.startsWith('"')) return line;
  try {
    const value: unknown = JSON.parse(word);
    return typeof value === "string" ? value : line;
  } catch {
    return line;
  }
}

/** The lines that each piece of bytes completes. */
async function* linesOf({ bytes, from }: PortSource): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (error) {
      throw new StarlaneError("cli/bad-input", `${from} is not UTF-8 text`, { cause: error });
    }
  };
  let rest = "";
  for await (const chunk of bytes) {
    const lines = (rest + decode(chunk)).split(/\r?\n/);
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE)
      throw new StarlaneError("cli/bad-input", `a line of ${from} is longer than ${LONGEST_LINE} characters`);
    if (lines.length > 0) yield lines;
  }
  rest += decode();
  if (rest !== "") yield [rest];
}
