// `wasi:http` components as handlers of the HTTP server, and as middleware around others.

import { isAscii } from "node:buffer";
import { StarlaneError } from "../base/errors.ts";
import { httpHandlerOf } from "../capabilities/http/handler.ts";
import { type GuestCall, type GuestResponse, handleWithGuest } from "../capabilities/http/incoming.ts";
import type { HttpBody, HttpFields, HttpRequest } from "../capabilities/http/http-message.ts";
import { type Maybe, then } from "../engine/async/maybe.ts";
import type { Handle, HeaderPair, Middleware, PlainRequest, PlainResponse, RequestContext } from "../triggers/http/http.ts";
import { fieldText } from "../triggers/http/fields.ts";
import { discard } from "../triggers/http/respond.ts";
import { isUpgrade } from "../triggers/http/websocket.ts";
import type { LoadedComponent } from "./app.ts";
import { type ServeContext, settingsFor } from "./http-call.ts";
import { NEXT, type Next, type NextRequest } from "./next-handler.ts";
import { runTransaction } from "./transaction.ts";

type Kept = ReadonlyMap<object, unknown>;
type Answer = (request: PlainRequest, about: RequestContext, kept?: Kept) => Maybe<GuestResponse>;

/** A component that answers requests itself. @throws StarlaneError `http/bad-route` */
export function guestHandle(component: LoadedComponent, context: ServeContext): Handle {
  const answer = answerOf(component, context);
  return (request, about) => then(answer(request, about), plainResponse);
}

/** A component that wraps what is inside, which it reaches by its import. @throws StarlaneError `http/bad-route` */
export function guestMiddleware(component: LoadedComponent, context: ServeContext): Middleware {
  const answer = answerOf(component, context);
  return async (request, next, about) => {
    const inside = new Inside(request, next);
    try {
      const response = await answer(request, about, new Map<object, unknown>([[NEXT, inside.next]]));
      response.finished.catch(() => undefined).finally(() => setTimeout(() => inside.giveUp(), 0));
      const { upgrade } = inside;
      if (upgrade === undefined) return plainResponse(response);
      // The connection is the server's: a component can only let it go on, or answer in its place.
      if (response.status !== upgrade.status) return plainResponse(response);
      discard(plainResponse(response));
      return upgrade;
    } catch (error) {
      inside.giveUp();
      throw error;
    }
  };
}

function answerOf(component: LoadedComponent, context: ServeContext): Answer {
  const handler = httpHandlerOf(component.operations.keys());
  const operation = handler === undefined ? undefined : component.operations.get(handler.name);
  if (handler === undefined || operation === undefined) {
    throw new StarlaneError(
      "http/bad-route",
      `${component.file} cannot serve requests: it exports neither wasi:http/handler nor wasi:http/incoming-handler`,
      {
        cure: "Route to one of its operations instead.",
      },
    );
  }
  const { isTraced } = context;
  const telemetry = context.telemetryOf(operation.name);
  return (request, about, kept) => {
    const settings = { ...settingsFor(about, telemetry), kept };
    const call: GuestCall = (_name, args) => runTransaction(operation, args, settings);
    return handleWithGuest(call, handler, asRequest(isTraced ? inTrace(request, about) : request), { signal: about.signal });
  };
}

function plainResponse(response: GuestResponse): PlainResponse {
  const { status, headers, whole } = response;
  if (whole !== undefined) return { status, headers, body: asText(whole) };
  response.finished.catch(() => undefined);
  const { body, trailers } = response;
  return { status, headers, body, trailers };
}

/** Up to this size, a text goes out in one piece with the head; bytes would be a second one. */
const SHORT_TEXT = 4096;

function asText(bytes: Uint8Array): string | Uint8Array {
  if (bytes.length > SHORT_TEXT || !isAscii(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The request as part of the span that telemetry made of it. */
function inTrace(request: PlainRequest, { traceparent, tracestate }: RequestContext): PlainRequest {
  const headers: HeaderPair[] = request.headers.filter(([name]) => !/^trace(?:parent|state)$/i.test(name));
  if (traceparent !== undefined) headers.push(["traceparent", traceparent]);
  if (tracestate !== undefined) headers.push(["tracestate", tracestate]);
  const { method, scheme, authority, path, hasBody, body, trailers } = request;
  return { method, scheme, authority, path, headers, hasBody, body, trailers };
}

function asRequest({ method, scheme, authority, path, headers, hasBody, body }: PlainRequest): HttpRequest {
  return { method, scheme, authority, path, headers: asFields(headers), ...(hasBody ? { body } : {}) };
}

function asFields(headers: readonly HeaderPair[]): HttpFields {
  return headers.map(([name, value]) => [name, typeof value === "string" ? Buffer.from(value, "latin1") : value]);
}

const NO_TRAILERS = (): Promise<undefined> => Promise.resolve(undefined);

/** What stands behind a component, for one request: bodies that nobody reads to their end are given up with it. */
class Inside {
  readonly #request: PlainRequest;
  readonly #pass: (request: PlainRequest) => PlainResponse | Promise<PlainResponse>;
  readonly #open = new Set<AsyncIterator<Uint8Array>>();
  /** The answer, where that is a websocket. */
  upgrade: PlainResponse | undefined;

  constructor(request: PlainRequest, pass: (request: PlainRequest) => PlainResponse | Promise<PlainResponse>) {
    this.#request = request;
    this.#pass = pass;
  }

  readonly next: Next = async (asked) => {
    const response = await this.#pass(this.#asPlain(asked));
    if (isUpgrade(response)) this.upgrade = response;
    const { status, headers, body, trailers } = response;
    return {
      status,
      headers: asFields(headers),
      body: this.#held(body),
      trailers:
        trailers === undefined
          ? NO_TRAILERS
          : async () => {
              const pairs = await trailers();
              return pairs === undefined ? undefined : asFields(pairs);
            },
    };
  };

  giveUp(): void {
    for (const iterator of this.#open) void iterator.return?.().catch(() => undefined);
    this.#open.clear();
  }

  /** What the component does not say is as it was. */
  #asPlain({ method, scheme, authority, path, headers, body, trailers }: NextRequest): PlainRequest {
    const request = this.#request;
    return {
      method,
      scheme: scheme === "http" || scheme === "https" ? scheme : request.scheme,
      authority: authority ?? request.authority,
      path: path ?? request.path,
      headers: headers.map(([name, value]): HeaderPair => [name, fieldText(value)]),
      hasBody: body !== undefined,
      body: body ?? nothing(),
      trailers: trailers === undefined ? () => request.trailers() : () => [],
    };
  }

  #held(body: PlainResponse["body"]): HttpBody {
    const chunks = typeof body === "string" || body instanceof Uint8Array || body === undefined ? once(body) : body;
    const iterator = chunks[Symbol.asyncIterator]();
    this.#open.add(iterator);
    return {
      [Symbol.asyncIterator]: () => ({
        next: async () => {
          const step = await iterator.next();
          if (step.done === true) this.#open.delete(iterator);
          return step;
        },
        return: async () => {
          this.#open.delete(iterator);
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      }),
    };
  }
}

async function* once(body: string | Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (body !== undefined && body.length > 0) yield typeof body === "string" ? Buffer.from(body) : body;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
