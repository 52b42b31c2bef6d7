// Operations as middleware: `before` looks at a request and lets it through, changes its headers, or answers itself; `after` looks at
// the status and the headers of an answer. Neither sees a body. What an operation fails with reaches nobody outside but by a status.

import { StarlaneError } from "../../base/errors.ts";
import type { Signature } from "../../flow/flow.ts";
import { linesOf, type ResultPart } from "./answer.ts";
import { bindPorts } from "./bindings.ts";
import { isFieldName, isFieldValue } from "./fields.ts";
import type { Binding, HeaderPair, Middleware, OperationRoute, PlainRequest, PlainResponse, RequestContext } from "./http.ts";
import { headReader } from "./inputs.ts";
import { changed } from "./middleware.ts";
import { byCase, ownErrorOf, ownErrorResponse } from "./operation.ts";
import { discard } from "./respond.ts";
import { isUpgrade } from "./websocket.ts";

export interface OperationMiddleware {
  /** Of the routes it stands around, for parameters. */
  readonly path: string;
  readonly signature: Signature;
  readonly bindings: readonly Binding[];
  readonly call: OperationRoute["call"];
  readonly ownError?: OperationRoute["ownError"];
  /** Headers that parts of the result become, in lower case: they take the place of those that are there; none where it is none. */
  readonly set: readonly { readonly name: string; readonly part: ResultPart }[];
  /** The part of the result that lists further headers. */
  readonly headers?: ResultPart | undefined;
}

export interface BeforeOperation extends OperationMiddleware {
  /** What routes, and later middleware, find in the context. */
  readonly values: readonly { readonly name: string; readonly part: ResultPart }[];
  /** The part that is an answer, or an option of one. */
  readonly answer?: ResultPart | undefined;
  readonly errorStatus: ReadonlyMap<string, number>;
  /** Where browsers are sent, by the case of an error. */
  readonly redirects: ReadonlyMap<string, string>;
}

/** @throws StarlaneError `http/bad-route` */
export function operationBefore(options: BeforeOperation): Middleware {
  const read = readerOf(options);
  const { call, values, answer, errorStatus, redirects } = options;
  const refused = (thrown: unknown): PlainResponse => {
    const own = ownErrorOf(options, thrown);
    const place = own === undefined ? undefined : byCase(own, redirects);
    const response = own === undefined || place !== undefined ? undefined : ownErrorResponse(own, errorStatus);
    if (place !== undefined) return redirectTo(place);
    if (response === undefined) throw thrown;
    return response;
  };
  return (request, next, context) => {
    const go = (result: unknown): PlainResponse | Promise<PlainResponse> => {
      const answered = answer?.of(result);
      if (answered !== undefined && answered !== null) return answerOf(answered);
      for (const { name, part } of values) context.values.set(name, part.of(result));
      const fields = fieldsOf(options, result);
      return next(fields.size === 0 ? request : changed(request, { headers: withFields(request.headers, fields) }));
    };
    let result: unknown;
    try {
      result = call(read(request, context), context);
    } catch (error) {
      return refused(error);
    }
    return result instanceof Promise ? passed(result, refused, go) : go(result);
  };
}

/** What is inside may fail by itself, which is no refusal. */
async function passed(
  result: Promise<unknown>,
  refused: (thrown: unknown) => PlainResponse,
  go: (result: unknown) => PlainResponse | Promise<PlainResponse>,
): Promise<PlainResponse> {
  let value: unknown;
  try {
    value = await result;
  } catch (error) {
    return refused(error);
  }
  return await go(value);
}

/** @throws StarlaneError `http/bad-route` */
export function operationAfter(options: OperationMiddleware): Middleware {
  const read = readerOf(options);
  const run = (
    response: PlainResponse,
    request: PlainRequest,
    context: RequestContext,
  ): PlainResponse | Promise<PlainResponse> => {
    // The connection has left HTTP: nobody would see the headers.
    if (isUpgrade(response)) return response;
    const stamped = (result: unknown): PlainResponse => {
      const fields = fieldsOf(options, result);
      return fields.size === 0 ? response : { ...response, headers: withFields(response.headers, fields) };
    };
    const failed = (error: unknown): never => {
      discard(response);
      throw error;
    };
    try {
      const result: unknown = options.call(read(request, context, response), context);
      return result instanceof Promise ? result.then(stamped).catch(failed) : stamped(result);
    } catch (error) {
      return failed(error);
    }
  };
  return (request, next, context) => {
    const response = next(request);
    return response instanceof Promise ? response.then((value) => run(value, request, context)) : run(response, request, context);
  };
}

function readerOf({ path, signature, bindings }: OperationMiddleware): ReturnType<typeof headReader> {
  return headReader(bindPorts(path, signature, bindings), signature.params.length);
}

function redirectTo(place: string): PlainResponse {
  return {
    status: 303,
    headers: [
      ["location", place],
      ["cache-control", "no-store"],
    ],
  };
}

/** Lines by name, in lower case; no lines: the header is taken away. */
type Fields = Map<string, readonly string[]>;

/** Of the connection and of the body: those belong to whoever sends the message. */
const UNTOUCHABLE = new Set([
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
const MOST_LINES = 100;
const MOST_CHARACTERS = 64 * 1024;

/** @throws StarlaneError `http/bad-response` where the operation gives what is no header */
function fieldsOf({ set, headers }: OperationMiddleware, result: unknown): Fields {
  const fields: Fields = new Map();
  for (const { name, part } of set) fields.set(name, linesOf(part, result));
  for (const [name, value] of headers === undefined ? [] : pairsIn(headers.of(result))) {
    const lower = name.toLowerCase();
    fields.set(lower, [...(fields.get(lower) ?? []), latin1(value)]);
  }
  let [lines, characters] = [0, 0];
  for (const [name, values] of fields) {
    lines += values.length;
    characters += values.reduce((sum, value) => sum + name.length + value.length, 0);
    if (!isFieldName(name) || UNTOUCHABLE.has(name) || !values.every(isFieldValue))
      throw wrongFields(`the field ${JSON.stringify(name.slice(0, 60))}`);
  }
  if (lines > MOST_LINES || characters > MOST_CHARACTERS) throw wrongFields("so many fields");
  return fields;
}

function wrongFields(what: string): StarlaneError {
  return new StarlaneError("http/bad-response", `a middleware gave ${what}, which is not allowed here`);
}

function withFields(pairs: readonly HeaderPair[], fields: Fields): readonly HeaderPair[] {
  const kept = pairs.filter(([name]) => !fields.has(name.toLowerCase()));
  for (const [name, lines] of fields) for (const line of lines) kept.push([name, line]);
  return kept;
}

/** A `list<tuple<string, string>>`, or none of one. */
function pairsIn(value: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((pair: unknown): (readonly [string, string])[] =>
    Array.isArray(pair) ? [[String(pair[0]), String(pair[1])]] : [],
  );
}

/** Fields are bytes; those of texts are UTF-8. */
function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** The record of an answer. */
function answerOf(value: unknown): PlainResponse {
  const record: { readonly status?: unknown; readonly headers?: unknown; readonly body?: unknown } =
    typeof value === "object" && value !== null ? value : {};
  const { status, body } = record;
  const pairs = pairsIn(record.headers).map(([name, text]): HeaderPair => [name, latin1(text)]);
  const isTyped = pairs.some(([name]) => name.toLowerCase() === "content-type");
  const text: readonly HeaderPair[] = typeof body === "string" && !isTyped ? [["content-type", "text/plain; charset=utf-8"]] : [];
  return {
    status: Number(status),
    headers: [...text, ...pairs],
    body: typeof body === "string" || body instanceof Uint8Array ? body : undefined,
  };
}
