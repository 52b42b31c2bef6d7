// What the words of `invoke` name: JSON behind `--input`, and the values of ports, written on the command line, in a file (`@file`),
// or on standard input. Bound: LARGEST_INPUT bytes each.

import { createReadStream } from "node:fs";
import { StarlaneError } from "../base/errors.ts";
import { fileProblem } from "../star/files.ts";
import type { SignatureParam } from "../flow/flow.ts";
import { decodeText, type PortContent, type PortSource, type PortText } from "../star/inputs.ts";
import { takesStream } from "../wit/streams.ts";

const LARGEST_INPUT = 256 * 1024 * 1024;
const STANDARD_INPUT = "standard input";

/** The JSON behind `--input`. @throws StarlaneError `cli/bad-input` where it cannot be read or is no JSON */
export async function readInput(word: string): Promise<unknown> {
  if (word === "-") return parse(decodeText(await readNamed("-")), STANDARD_INPUT);
  if (!word.startsWith("@")) return parse(word, "--input");
  const content = await readNamed(word.slice(1));
  return parse(decodeText(content), content.from);
}

/** Ports with what their `@file` and `@-` name; `@@…` is a text that starts with one `@`. What feeds a stream is read later, by pieces. */
export async function readPorts(ports: readonly PortText[], params: readonly SignatureParam[]): Promise<PortText[]> {
  const out: PortText[] = [];
  for (const port of ports) {
    const { name, text = "" } = port;
    const param = params.find((one) => one.name === name);
    if (!text.startsWith("@") || param === undefined) out.push(port);
    else if (text.startsWith("@@")) out.push({ name, text: text.slice(1) });
    else if (takesStream(param.type)) out.push({ name, text, source: sourceOf(text.slice(1)) });
    else out.push({ name, text, content: await contentOf(name, text) });
  }
  return out;
}

/** Those that read standard input, as they are written. @throws StarlaneError `cli/usage` where there are several */
export function checkStandardInput(input: string | undefined, ports: readonly PortText[]): void {
  const readers = [
    ...(input === "-" || input === "@-" ? [`--input ${input}`] : []),
    ...ports.filter(({ text }) => text === "@-").map(({ name, text }) => `--${name} ${text}`),
  ];
  if (readers.length < 2) return;
  throw new StarlaneError("cli/usage", `standard input can be read once, not for ${readers.join(" and ")}`, {
    cure: "name files for the others: @FILE",
  });
}

/** Those of the streams that are needed and were not given: standard input is meant for the only one. */
export function withPipedStream(ports: readonly PortText[], params: readonly SignatureParam[], input: unknown): PortText[] {
  const given = typeof input === "object" && input !== null ? input : {};
  const open = params.filter(
    ({ name, type, optional }) =>
      takesStream(type) && !optional && !Object.hasOwn(given, name) && !ports.some((port) => port.name === name),
  );
  const [only] = open;
  const isTaken = ports.some(({ text }) => text === "@-");
  if (only === undefined || open.length > 1 || isTaken || process.stdin.isTTY) return [...ports];
  return [...ports, { name: only.name, text: "@-" }];
}

/** A file, or standard input (`-`). @throws StarlaneError `cli/bad-input` where there is no such file */
function sourceOf(path: string): PortSource {
  if (path === "") throw new StarlaneError("cli/bad-input", "there is no name of a file behind @");
  const problem = path === "-" ? undefined : fileProblem(path);
  if (problem !== undefined) throw new StarlaneError("cli/bad-input", problem.problem, { cure: problem.cure });
  const from = path === "-" ? STANDARD_INPUT : path;
  const stream = path === "-" ? process.stdin : createReadStream(path);
  return { bytes: bytesOf(stream, from), from, close: () => void stream.destroy() };
}

async function* bytesOf(stream: AsyncIterable<unknown>, from: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
  } catch (error) {
    throw new StarlaneError("cli/bad-input", `${from} could not be read`, { cause: error });
  }
}

async function contentOf(port: string, text: string): Promise<PortContent | StarlaneError> {
  try {
    return await readNamed(text.slice(1));
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    const { code, message, cure, cause } = error;
    const literal = `for the text ${text} itself write --${port} @${text}`;
    return new StarlaneError(code, message, {
      at: `--${port}`,
      cure: cure === undefined ? literal : `${cure}; ${literal}`,
      cause,
    });
  }
}

/** A file, or standard input (`-`). @throws StarlaneError `cli/bad-input` */
async function readNamed(path: string): Promise<PortContent> {
  if (path === "-") return { bytes: await collect(process.stdin, STANDARD_INPUT), from: STANDARD_INPUT };
  if (path === "") throw new StarlaneError("cli/bad-input", "there is no name of a file behind @");
  const problem = fileProblem(path);
  if (problem !== undefined) throw new StarlaneError("cli/bad-input", problem.problem, { cure: problem.cure });
  try {
    return { bytes: await collect(createReadStream(path), path), from: path };
  } catch (error) {
    if (error instanceof StarlaneError) throw error;
    throw new StarlaneError("cli/bad-input", `${path} could not be read`, { cause: error });
  }
}

/** By pieces: how much a pipe or a device gives is known only at its end. */
async function collect(stream: AsyncIterable<unknown>, from: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > LARGEST_INPUT)
      throw new StarlaneError("cli/bad-input", `${from} has more than ${LARGEST_INPUT / 1024 / 1024} MiB`);
    chunks.push(bytes);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function parse(text: string, from: string): unknown {
  if (text.trim() === "") throw new StarlaneError("cli/bad-input", `${from} is empty; a JSON value was expected`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StarlaneError("cli/bad-input", `${from} is not JSON: ${error instanceof Error ? error.message : ""}`, {
      cure: from === "--input" ? `write it like --input '{"name":"Ada"}', or @FILE` : undefined,
    });
  }
}
