// How the result of an operation is written down, by its type: the part of it that is the body, the parts that are headers, and the media
// types it can be had in.
//
//   no result 204 | option none 404 to GET, 204 to other methods | string JSON text, or text/plain as it is where that is asked for
//   list<u8> bytes, or JSON (base64) where that is asked for | stream<u8> bytes | stream<T> NDJSON, or Server-Sent Events where asked for
//   everything else JSON by the table of `wit/json.ts`

import { StarlaneError } from "../../base/errors.ts";
import { toJson } from "../../wit/json.ts";
import { camelCase, type ValType } from "../../wit/types.ts";
import { isBytes } from "./bindings.ts";
import { fieldOf } from "./exchange.ts";
import { failureOf, type Log } from "./failure.ts";
import type { AnswerOptions, HeaderPair, OperationRoute, PlainRequest, PlainResponse, RequestContext } from "./http.ts";
import { negotiate } from "./negotiate.ts";
import { HttpProblem, problemResponse } from "./problem.ts";
import { fixedHead } from "./respond.ts";
import { byteChunks, isChunks, jsonLines, letGo, serverSentEvents } from "./stream-answer.ts";

/** A part of a result. */
export interface ResultPart {
  /** Undefined: there is none. */
  readonly type: ValType | undefined;
  readonly of: (value: unknown) => unknown;
}

/** The field of a record, or without a name the whole. @throws StarlaneError `http/bad-route` */
export function partOf(type: ValType | undefined, port: string | undefined): ResultPart {
  if (port === undefined) return { type, of: (value) => value };
  const field = type?.kind === "record" ? type.fields.find(({ name }) => name === port) : undefined;
  if (field === undefined) throw new StarlaneError("http/bad-route", `the result has no port ${JSON.stringify(port)}`);
  const key = camelCase(port);
  return { type: field.type, of: (value) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined) };
}

/** The port named, or of a result that is one port, a stream, that one; other streams are let go. @throws StarlaneError `http/bad-route` */
export function streamPart(type: ValType | undefined, port: string | undefined): ResultPart {
  const streams = type?.kind === "record" ? type.fields.filter((field) => field.type.kind === "stream") : [];
  if (type?.kind !== "record" || streams.length === 0) return partOf(type, port);
  const [only] = type.fields;
  const name = port ?? (type.fields.length === 1 ? only?.name : undefined);
  if (name === undefined) {
    const names = type.fields.map((field) => `\`${field.name}\``).join(", ");
    throw new StarlaneError(
      "http/bad-route",
      "the result has a stream among several ports, and nothing says which of them is sent",
      {
        cure: `name one of ${names}`,
      },
    );
  }
  const part = partOf(type, name);
  const others = streams.filter((field) => field.name !== name).map((field) => camelCase(field.name));
  return {
    type: part.type,
    of: (value) => {
      for (const key of others) letGo(typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined);
      return part.of(value);
    },
  };
}

/** What is written into the body: the port named, or what the headers leave. @throws StarlaneError `http/bad-route` */
export function bodyPart(type: ValType | undefined, { port, headers = [] }: AnswerOptions): ResultPart {
  if (port !== undefined || headers.length === 0 || type?.kind !== "record") return streamPart(type, port);
  const fields = type.fields.filter(({ name }) => !headers.some((header) => header.port === name));
  const [only] = fields;
  if (fields.some((field) => field.type.kind === "stream")) return streamPart(type, fields.length === 1 ? only?.name : undefined);
  return fields.length === 0 ? { type: undefined, of: () => undefined } : { type: { ...type, fields }, of: (value) => value };
}

/** Of an option its payload. */
export function payloadOf(type: ValType | undefined): ValType | undefined {
  return type?.kind === "option" && type.type.kind !== "option" ? type.type : type;
}

/** Media types that a body can be had in, the first one by default. */
export function mediaTypesOf(type: ValType | undefined, contentType: string | undefined): readonly string[] {
  if (type === undefined) return [];
  if (type.kind === "stream")
    return type.element?.kind === "u8"
      ? [contentType ?? "application/octet-stream"]
      : ["application/x-ndjson", "text/event-stream"];
  if (type.kind === "string") return contentType === undefined ? ["application/json", "text/plain"] : [contentType];
  if (isBytes(type))
    return contentType === undefined ? ["application/octet-stream", "application/json"] : [contentType, "application/json"];
  return ["application/json"];
}

export type Answer = (value: unknown, request: PlainRequest, context: RequestContext) => PlainResponse;

/** What writes the results of a route, chosen by what a request accepts. Fails with `HttpProblem` 406. @throws StarlaneError `http/bad-route` */
export function answersOf(route: OperationRoute, log: Log | undefined): (request: PlainRequest) => Answer {
  const options = route.answer ?? {};
  const part = bodyPart(route.signature.result, options);
  const type = payloadOf(part.type);
  const headersOf = headerWriter(route.signature.result, options);
  if (type === undefined) {
    const status = options.status ?? 204;
    const answer: Answer = (value) => ({ status, headers: headersOf(value, []) });
    return () => answer;
  }
  const mediaTypes = mediaTypesOf(type, options.contentType);
  const answers = mediaTypes.map((mediaType): Answer => {
    const write = writerOf(type, mediaType, log);
    const fixed = fixedHead(fixedHeaders(mediaType, mediaTypes.length > 1));
    const status = options.status ?? 200;
    const isOption = type !== part.type;
    return (value, request, context) => {
      const body = part.of(value);
      if (isOption && (body === undefined || body === null)) return nothing(request);
      return { status, headers: headersOf(value, fixed), body: write(body, context) };
    };
  });
  return chooser(mediaTypes, answers);
}

function chooser(mediaTypes: readonly string[], answers: readonly Answer[]): (request: PlainRequest) => Answer {
  const offers = mediaTypes.map((mediaType) => mediaType.split(";")[0]?.trim().toLowerCase() ?? "");
  const [first] = answers;
  if (first === undefined) throw new StarlaneError("starlane/internal", "a result without a media type");
  return (request) => {
    const accept = fieldOf(request, "accept");
    if (accept === undefined || accept === "*/*") return first;
    const chosen = negotiate(accept, offers);
    const answer = chosen === undefined ? undefined : answers[offers.indexOf(chosen)];
    if (answer === undefined) throw new HttpProblem(406, { detail: `the answer can be ${offers.join(" or ")}` });
    return answer;
  };
}

function nothing(request: PlainRequest): PlainResponse {
  return request.method === "GET" || request.method === "HEAD" ? problemResponse(404) : { status: 204, headers: [] };
}

function fixedHeaders(mediaType: string, varies: boolean): readonly HeaderPair[] {
  const headers: HeaderPair[] = [
    ["content-type", mediaType === "text/plain" ? "text/plain; charset=utf-8" : mediaType],
    ["x-content-type-options", "nosniff"],
  ];
  if (varies) headers.push(["vary", "accept"]);
  // Proxies in between must neither keep events back nor keep them.
  if (mediaType === "text/event-stream") headers.push(["cache-control", "no-store"], ["x-accel-buffering", "no"]);
  return headers;
}

/** Adds the headers that come from the result. */
function headerWriter(
  type: ValType | undefined,
  options: AnswerOptions,
): (value: unknown, fixed: readonly HeaderPair[]) => readonly HeaderPair[] {
  const { headers = [] } = options;
  if (headers.length === 0) return (_value, fixed) => fixed;
  const parts = headers.map(({ name, port }) => ({ name: name.toLowerCase(), part: partOf(type, port) }));
  return (value, fixed) => {
    const written = parts.flatMap(({ name, part }) => linesOf(part, value).map((text): HeaderPair => [name, text]));
    return [...fixed.filter(([name]) => !written.some(([other]) => other === name)), ...written];
  };
}

/** The lines of a header: none where an option is none. */
export function linesOf(part: ResultPart, value: unknown): readonly string[] {
  const type = payloadOf(part.type);
  const content = part.of(value);
  if (type === undefined || (type !== part.type && (content === undefined || content === null))) return [];
  const json = toJson(type, content, { path: "result" });
  const items = type.kind === "list" && Array.isArray(json) ? json : [json];
  // Fields are bytes; those of texts are UTF-8.
  return items.map((item: unknown) => Buffer.from(typeof item === "string" ? item : JSON.stringify(item)).toString("latin1"));
}

type Write = (value: unknown, context: RequestContext) => string | Uint8Array | AsyncIterable<Uint8Array>;

function writerOf(type: ValType, mediaType: string, log: Log | undefined): Write {
  if (type.kind === "stream") return streamWriter(type.element, mediaType, log);
  if (mediaType === "application/json") return (value) => JSON.stringify(toJson(type, value, { path: "result" }));
  if (type.kind === "string") return (value) => (typeof value === "string" ? value : wrongResult("a text"));
  return (value) => {
    if (value instanceof Uint8Array) return value;
    return isChunks(value) && Symbol.iterator in value ? Uint8Array.from(Array.from(value, Number)) : wrongResult("bytes");
  };
}

function streamWriter(element: ValType | undefined, mediaType: string, log: Log | undefined): Write {
  return (value, context) => {
    if (!isChunks(value)) return wrongResult("a stream");
    if (mediaType === "text/event-stream") {
      return serverSentEvents(element, value, (error) => {
        const { response, error: inside } = failureOf(error, context);
        if (inside !== undefined)
          log?.({ level: "error", message: "a stream failed", requestId: context.id, route: context.route, error: inside });
        return typeof response.body === "string" ? response.body : "{}";
      });
    }
    return element?.kind === "u8" ? byteChunks(value) : jsonLines(element, value);
  };
}

function wrongResult(what: string): never {
  throw new StarlaneError("starlane/internal", `an operation answered with something that is not ${what}`);
}
