// The body of a request as the elements of a stream: bytes as they come, everything else as one JSON value a line (NDJSON). Nothing is
// read from the client before somebody asks for it; a line is at most 1 MiB long.

import { valueError } from "../../wit/mistakes.ts";
import { readJson } from "../../wit/read-json.ts";
import type { ValType } from "../../wit/types.ts";
import { HttpProblem } from "./problem.ts";

const LONGEST_LINE = 1024 * 1024;

/** Chunks of bytes of a `stream<u8>`, else one element at a time. Fails with `HttpProblem` 400. */
export function elementsOf(element: ValType | undefined, body: AsyncIterable<Uint8Array>, name: string): AsyncIterable<unknown> {
  return element?.kind === "u8" ? body : jsonLines(element, body, name);
}

async function* jsonLines(element: ValType | undefined, body: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<unknown> {
  let index = 0;
  for await (const line of lines(body)) {
    if (line.trim() === "") continue;
    yield elementOf(element, line, `${name}[${index++}]`);
  }
}

/** One element from its JSON text. Fails with `HttpProblem` 400. */
export function elementOf(element: ValType | undefined, text: string, path: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new HttpProblem(400, { detail: `${path} is no JSON` });
  }
  if (element === undefined) return undefined;
  const { value, mistakes } = readJson(element, json, { path });
  if (mistakes.length === 0) return value;
  throw new HttpProblem(400, {
    detail: valueError(mistakes).message,
    mistakes: mistakes.map((m) => ({ in: "body", name: m.path, message: m.message, cure: m.cure })),
  });
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of body) {
    const parts = (rest + decode(() => decoder.decode(chunk, { stream: true }))).split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new HttpProblem(413, { detail: `a line is longer than ${LONGEST_LINE} characters` });
    yield* parts;
  }
  rest += decode(() => decoder.decode());
  if (rest !== "") yield rest;
}

function decode(run: () => string): string {
  try {
    return run();
  } catch {
    throw new HttpProblem(400, { detail: "the body is not UTF-8 text" });
  }
}
