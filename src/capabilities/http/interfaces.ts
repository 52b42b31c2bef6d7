// `wasi:http` as the engine takes it: the types of both versions with what stands behind them.

import type { Imports } from "../../engine/engine.ts";
import { cannotBeUndone } from "../../engine/restart.ts";
import { answerError, guestInterface, madeByHost } from "../guest.ts";
import { waitingIo } from "../io/waiting.ts";
import type { ByteSink } from "../io/streams.ts";
import { BodyPipe, discard, FutureTrailers, IncomingBody, OutgoingBody } from "./body.ts";
import { httpErrorCode, type HttpErrorCode } from "./errors.ts";
import { Fields as Fields03 } from "./fields-0.3.ts";
import { Fields } from "./fields.ts";
import { codeOf } from "./http-message.ts";
import {
  FutureIncomingResponse,
  IncomingRequest,
  IncomingResponse,
  OutgoingRequest,
  OutgoingResponse,
  RequestOptions,
  ResponseOutparam,
  takeRequest,
  timeoutsOf,
} from "./message.ts";
import {
  receivedResponse,
  Request as Request03,
  RequestOptions as RequestOptions03,
  Response as Response03,
  takeRequest as takeRequest03,
} from "./messages-0.3.ts";
import type { OutgoingHttp } from "./outgoing.ts";
import type { RequestLine } from "./target.ts";

const DENIED: HttpErrorCode = { tag: "HTTP-request-denied" };

const made = {
  Fields,
  FutureIncomingResponse: madeByHost(FutureIncomingResponse),
  FutureTrailers: madeByHost(FutureTrailers),
  IncomingBody: madeByHost(IncomingBody),
  IncomingRequest: madeByHost(IncomingRequest),
  IncomingResponse: madeByHost(IncomingResponse),
  OutgoingBody: madeByHost(OutgoingBody),
  RequestOptions,
  ResponseOutparam: madeByHost(ResponseOutparam),
};

type MessageClass = new (headers: Fields, newSink: () => ByteSink) => object;

/** The class as a guest may construct it: out of headers, and nothing else that it may have declared. */
function constructedWith(message: MessageClass, sink: () => ByteSink): abstract new (headers: Fields) => object {
  const face = function (headers: Fields): object {
    return new message(headers, sink);
  };
  Object.defineProperty(face, "prototype", { value: message.prototype, writable: false });
  return face as unknown as abstract new (headers: Fields) => object;
}

function types02(sink: () => ByteSink): object {
  return guestInterface({
    ...made,
    OutgoingRequest: constructedWith(OutgoingRequest, sink),
    OutgoingResponse: constructedWith(OutgoingResponse, sink),
    httpErrorCode,
  });
}

const types03 = guestInterface({
  Fields: Fields03,
  Request: madeByHost(Request03),
  RequestOptions: RequestOptions03,
  Response: madeByHost(Response03),
});

/** Made once: what a guest writes into these messages is forgotten. */
const inertTypes02 = types02(() => discard);

const inertHandler03 = guestInterface({ handle: deny });

/** Messages can be made and read, and sending one is denied, which `tell` is told. No call waits. */
export function inertHttpImports(tell: (request: RequestLine) => void): Imports {
  return {
    "wasi:http/types@0.2.0": inertTypes02,
    "wasi:http/outgoing-handler@0.2.0": guestInterface({
      handle: (request: OutgoingRequest, _options: RequestOptions | undefined): never => {
        const [method, scheme, authority] = [request.method(), request.scheme(), request.authority()];
        tell({ method, scheme, authority, pathWithQuery: request.pathWithQuery() });
        throw answerError(DENIED);
      },
    }),
    "wasi:http/types@0.3.0": types03,
    "wasi:http/client@0.3.0": guestInterface({
      send: (request: Request03): never => {
        const [method, scheme, authority] = [request.getMethod(), request.getScheme(), request.getAuthority()];
        tell({ method, scheme, authority, pathWithQuery: request.getPathWithQuery() });
        deny(request);
      },
    }),
    "wasi:http/handler@0.3.0": inertHandler03,
  };
}

function deny(request: Request03): never {
  request[Symbol.dispose]();
  throw answerError(DENIED);
}

/** Messages that are sent, by grants and limits of `outgoing`; bodies stream, so calls of `wasi:io` may wait. */
export function grantedHttpImports(outgoing: OutgoingHttp): Imports {
  return {
    ...waitingIo,
    "wasi:http/types@0.2.0": types02(() => new BodyPipe(() => outgoing.signal)),
    "wasi:http/outgoing-handler@0.2.0": guestInterface({
      handle: cannotBeUndone((request: OutgoingRequest, options: RequestOptions | undefined): FutureIncomingResponse =>
        sendRequest(outgoing, request, options),
      ),
    }),
    "wasi:http/types@0.3.0": types03,
    "wasi:http/handler@0.3.0": inertHandler03,
    "wasi:http/client@0.3.0": guestInterface({
      send: cannotBeUndone((request: Request03): Promise<Response03> => sendRequest03(outgoing, request)),
    }),
  };
}

function sendRequest(
  outgoing: OutgoingHttp,
  request: OutgoingRequest,
  options: RequestOptions | undefined,
): FutureIncomingResponse {
  const { message, pipe } = takeRequest(request);
  const cancel = new AbortController();
  const onSent = (failure?: { readonly code: HttpErrorCode }): void => {
    if (failure !== undefined) pipe?.break(failure.code);
  };
  return new FutureIncomingResponse(outgoing.send(message, timeoutsOf(options), onSent, cancel), () => cancel.abort());
}

async function sendRequest03(outgoing: OutgoingHttp, request: Request03): Promise<Response03> {
  const { message, timeouts, tellSent } = takeRequest03(request);
  try {
    return receivedResponse(await outgoing.send(message, timeouts, tellSent));
  } catch (error) {
    throw answerError(codeOf(error));
  }
}
