// From a request to the arguments of an operation: every port is read by its type, and every mistake of a request is told at once.

import { StarlaneError } from "../../base/errors.ts";
import { fromText } from "../../wit/from-text.ts";
import type { ValueMistake } from "../../wit/mistakes.ts";
import { readJson } from "../../wit/read-json.ts";
import { isBytes, type BoundPort } from "./bindings.ts";
import { Exchange, fieldOf } from "./exchange.ts";
import { cookiesOf, pairField, utf8 } from "./fields.ts";
import type { BodyOptions, PlainRequest, PlainResponse, RequestContext } from "./http.ts";
import { mediaTypeOf } from "./negotiate.ts";
import { HttpProblem, type RequestMistake } from "./problem.ts";
import { elementsOf } from "./stream-input.ts";
import { formOf, splitTarget } from "./target.ts";

type Args = unknown[];

export interface InputReader {
  /** The arguments; a promise where a body has to arrive first. Fails with `HttpProblem` 400, 413, 415. */
  read(request: PlainRequest, context: RequestContext): Args | Promise<Args>;
}

type ReadHead = (
  request: PlainRequest,
  context: RequestContext,
  mistakes: RequestMistake[],
  answer: PlainResponse | undefined,
) => Args;

/**
 * What reads the arguments for `count` ports, none of them from a body. Where there is an answer already, headers are those of the
 * answer. Fails with `HttpProblem` 400.
 */
export function headReader(
  ports: readonly BoundPort[],
  count: number,
): (request: PlainRequest, context: RequestContext, answer?: PlainResponse) => readonly unknown[] {
  const readHead = headParts(ports, count);
  return (request, context, answer) => {
    const mistakes: RequestMistake[] = [];
    const args = readHead(request, context, mistakes, answer);
    if (mistakes.length > 0) throw badRequest(mistakes);
    return args;
  };
}

function headParts(ports: readonly BoundPort[], count: number): ReadHead {
  const query = ports.filter((port) => port.from === "query");
  const others = ports.filter((port) => port.from === "path" || port.from === "header" || port.from === "cookie");
  const made = ports.filter((port) => port.from === "made");
  return (request, context, mistakes, answer) => {
    const args: Args = new Array<unknown>(count).fill(undefined);
    if (query.length > 0) {
      const form = formOf(splitTarget(request.path).query);
      for (const port of query) args[port.index] = readTexts(port, form.get(port.name), "query", mistakes);
    }
    for (const port of others) {
      const where = port.from === "path" ? "path" : port.from === "header" ? "header" : "cookie";
      args[port.index] = readTexts(port, textsAt(port, request, context, answer), where, mistakes);
    }
    for (const port of made) args[port.index] = port.make?.(request, context, answer);
    return args;
  };
}

/** What reads the arguments for `count` ports from a request. */
export function inputReader(ports: readonly BoundPort[], count: number, body: BodyOptions): InputReader {
  const fields = ports.filter((port) => port.from === "field");
  const whole = ports.find((port) => port.from === "body");
  const readHead = headParts(ports, count);
  if (whole === undefined && fields.length === 0) {
    return {
      read: (request, context) => {
        const mistakes: RequestMistake[] = [];
        const args = readHead(request, context, mistakes, undefined);
        if (mistakes.length > 0) throw badRequest(mistakes);
        return args;
      },
    };
  }
  const read = async (request: PlainRequest, context: RequestContext): Promise<Args> => {
    const mistakes: RequestMistake[] = [];
    const args = readHead(request, context, mistakes, undefined);
    if (whole !== undefined) args[whole.index] = await readWhole(whole, request, mistakes, body);
    else await readFields(fields, request, args, mistakes, body);
    if (mistakes.length > 0) throw badRequest(mistakes);
    return args;
  };
  return { read };
}

export function badRequest(mistakes: readonly RequestMistake[]): HttpProblem {
  const what = mistakes.length === 1 ? "a value" : `${mistakes.length} values`;
  return new HttpProblem(400, { detail: `${what} of the request cannot be accepted`, mistakes });
}

function textsAt(
  port: BoundPort,
  request: PlainRequest,
  context: RequestContext,
  answer: PlainResponse | undefined,
): readonly string[] | undefined {
  if (port.from === "path") {
    const text = context instanceof Exchange ? context.param(port.name) : context.params.get(port.name);
    if (text === undefined) return undefined;
    return port.type.kind === "list" && !isBytes(port.type) ? text.split("/").filter((part) => part !== "") : [text];
  }
  const text =
    port.from === "cookie"
      ? cookiesOf(fieldOf(request, "cookie")).get(port.name)
      : answer === undefined
        ? fieldOf(request, port.name)
        : pairField(answer.headers, port.name);
  if (text === undefined) return undefined;
  return port.type.kind === "list" && !isBytes(port.type) ? text.split(",").map((part) => part.trim()) : [utf8(text)];
}

type Place = RequestMistake["in"];

/** The value that some texts mean: a list takes one for each element, everything else exactly one. */
function readTexts(port: BoundPort, texts: readonly string[] | undefined, where: Place, mistakes: RequestMistake[]): unknown {
  const first = texts?.[0];
  const { type } = port;
  if (texts === undefined || (first === undefined && type.kind !== "list")) return absent(port, where, mistakes);
  if (type.kind === "list" && !isBytes(type)) {
    if (texts.length === 1 && first?.startsWith("[") === true) return readText(port, type, first, port.name, where, mistakes);
    return texts.map((text, i) => readText(port, type.element, text, `${port.name}[${i}]`, where, mistakes));
  }
  if (texts.length > 1) {
    mistakes.push({ in: where, name: port.name, message: `it is given ${texts.length} times, but takes one value` });
    return undefined;
  }
  // `?verbose` means what a flag of a command line means.
  if (type.kind === "bool" && where === "query" && first === "") return true;
  return readText(port, type, first ?? "", port.name, where, mistakes);
}

function readText(
  port: BoundPort,
  type: BoundPort["type"],
  text: string,
  path: string,
  where: Place,
  mistakes: RequestMistake[],
): unknown {
  if (type.kind === "string" && text.isWellFormed()) return text;
  try {
    return fromText(type, text, { path });
  } catch (error) {
    if (!(error instanceof StarlaneError)) throw error;
    addMistakes(mistakes, where, mistakesIn(error), port.name);
    return undefined;
  }
}

function isMistake(value: unknown): value is ValueMistake {
  return typeof value === "object" && value !== null && "path" in value && "message" in value;
}

function mistakesIn(error: StarlaneError): readonly ValueMistake[] {
  const mistakes = error.data?.["mistakes"];
  return Array.isArray(mistakes)
    ? mistakes.filter(isMistake)
    : [{ path: error.at ?? "$", message: error.message, cure: error.cure }];
}

const MOST_MISTAKES = 100;

function addMistakes(to: RequestMistake[], where: Place, found: readonly ValueMistake[], fallbackName: string): void {
  for (const { path, message, cure } of found) {
    if (to.length >= MOST_MISTAKES) return;
    to.push({ in: where, name: path === "$" ? fallbackName : path, message, ...(cure === undefined ? {} : { cure }) });
  }
}

function absent(port: BoundPort, where: Place, mistakes: RequestMistake[]): unknown {
  if (port.hasDefault) return port.default;
  if (port.param.optional) return undefined;
  if (where !== "body" && port.type.kind === "list" && !isBytes(port.type)) return [];
  mistakes.push({ in: where, name: port.name, message: "it is missing" });
  return undefined;
}

const JSON_TYPES: readonly string[] = ["application/json"];
const FIELD_TYPES: readonly string[] = ["application/json", "application/x-www-form-urlencoded"];
const TEXT_TYPES: readonly string[] = ["text/*"];
const LINE_TYPES: readonly string[] = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
const ANY_TYPE: readonly string[] = ["*/*"];

/** The value of a port that the whole body is. */
async function readWhole(
  port: BoundPort,
  request: PlainRequest,
  mistakes: RequestMistake[],
  options: BodyOptions,
): Promise<unknown> {
  const { type } = port;
  refuseEncoded(request);
  if (!request.hasBody && type.kind !== "stream" && (port.hasDefault || port.param.optional || !isBytes(type))) {
    return absent(port, "body", mistakes);
  }
  const form = formOfBody(port, request, options);
  requireType(request, options.contentTypes ?? form.types);
  if (type.kind === "stream") return elementsOf(type.element, request.body, port.name);
  const bytes = await readBytes(request);
  if (form.kind === "bytes") return bytes;
  if (form.kind === "text") return readText(port, type, decodeUtf8(bytes), port.name, "body", mistakes);
  const json = parseJson(bytes, mistakes, port.name);
  if (json === undefined) return undefined;
  const { value, mistakes: found } = readJson(port.param.type, json, { path: port.name });
  addMistakes(mistakes, "body", found, port.name);
  return value;
}

/** How a body is read, and the media types it may have. */
function formOfBody(
  { type }: BoundPort,
  request: PlainRequest,
  { as = "auto" }: BodyOptions,
): { readonly kind: "bytes" | "text" | "json" | "stream"; readonly types: readonly string[] } {
  if (type.kind === "stream") return { kind: "stream", types: type.element?.kind === "u8" ? ANY_TYPE : LINE_TYPES };
  if (as === "bytes" || (as === "auto" && isBytes(type))) return { kind: "bytes", types: ANY_TYPE };
  const isText = as === "text" || (as === "auto" && type.kind === "string" && typeOf(request)?.type.startsWith("text/") === true);
  if (isText) return { kind: "text", types: TEXT_TYPES };
  return { kind: "json", types: as === "auto" && type.kind === "string" ? [...JSON_TYPES, ...TEXT_TYPES] : JSON_TYPES };
}

async function readFields(
  fields: readonly BoundPort[],
  request: PlainRequest,
  args: Args,
  mistakes: RequestMistake[],
  options: BodyOptions,
): Promise<void> {
  refuseEncoded(request);
  if (request.hasBody) requireType(request, options.contentTypes ?? FIELD_TYPES);
  const media = request.hasBody ? typeOf(request) : undefined;
  if (media?.type === "application/x-www-form-urlencoded") {
    const form = formOf(decodeUtf8(await readBytes(request)));
    for (const port of fields) args[port.index] = readTexts(port, form.get(port.name), "body", mistakes);
    return;
  }
  const bytes = request.hasBody ? await readBytes(request) : undefined;
  const json: unknown = bytes === undefined || bytes.length === 0 ? {} : parseJson(bytes, mistakes, "body");
  if (json === undefined) return;
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    const names = fields.map((port) => JSON.stringify(port.name)).join(", ");
    mistakes.push({ in: "body", name: "body", message: `expected an object with ${names}` });
    return;
  }
  const known = new Set(fields.map((port) => port.name));
  for (const key of Object.keys(json)) {
    if (!known.has(key))
      addMistakes(mistakes, "body", [{ path: key.slice(0, 100), message: "there is no field of that name" }], "body");
  }
  for (const port of fields) {
    if (!Object.hasOwn(json, port.name)) {
      args[port.index] = absent(port, "body", mistakes);
      continue;
    }
    const { value, mistakes: found } = readJson(port.param.type, Reflect.get(json, port.name), { path: port.name });
    addMistakes(mistakes, "body", found, port.name);
    args[port.index] = value;
  }
}

function typeOf(request: PlainRequest): ReturnType<typeof mediaTypeOf> {
  const field = fieldOf(request, "content-type");
  return field === undefined ? undefined : mediaTypeOf(field);
}

/** Without a `content-type` the body is taken for what fits. Fails with `HttpProblem` 415. */
function requireType(request: PlainRequest, types: readonly string[]): void {
  const field = fieldOf(request, "content-type");
  if (field === undefined || types === ANY_TYPE) return;
  const media = mediaTypeOf(field);
  const fits = media !== undefined && types.some((type) => isOfType(media.type, type));
  if (
    !fits ||
    (media.charset !== undefined && media.charset !== "utf-8" && media.charset !== "utf8" && media.charset !== "us-ascii")
  ) {
    throw new HttpProblem(415, { detail: `the body must be ${types.join(" or ")}`, headers: [["accept", types.join(", ")]] });
  }
}

function isOfType(type: string, allowed: string): boolean {
  if (allowed === "*/*" || type === allowed) return true;
  if (allowed.endsWith("/*")) return type.startsWith(allowed.slice(0, -1));
  return allowed === "application/json" && type.endsWith("+json");
}

function refuseEncoded(request: PlainRequest): void {
  const encoding = fieldOf(request, "content-encoding");
  if (encoding === undefined || encoding.trim().toLowerCase() === "identity") return;
  throw new HttpProblem(415, { detail: "the body must not be encoded", headers: [["accept-encoding", "identity"]] });
}

async function readBytes(request: PlainRequest): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request.body) chunks.push(chunk);
  const [only] = chunks;
  // Not the pooled buffer itself: whoever gets the bytes may keep or hand over the memory behind them.
  return only !== undefined && chunks.length === 1 ? Uint8Array.from(only) : Uint8Array.from(Buffer.concat(chunks));
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new HttpProblem(400, { detail: "the body is not UTF-8 text" });
  }
}

function parseJson(bytes: Uint8Array, mistakes: RequestMistake[], name: string): unknown {
  try {
    const json: unknown = JSON.parse(decodeUtf8(bytes));
    return json;
  } catch (error) {
    if (error instanceof HttpProblem) throw error;
    mistakes.push({ in: "body", name, message: bytes.length === 0 ? "the body is empty" : "the body is no JSON" });
    return undefined;
  }
}
