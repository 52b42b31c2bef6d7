// `wasi:http` as the engine takes it: the types of both versions with what stands behind them.

import type { Imports } from "../../engine/engine.ts";
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

type MessageClass = new (headers: Fields, sink: ByteSink) => object;

/** The class as a guest may construct it: out of headers, and nothing else that it may have declared. */
function constructedWith(message: MessageClass, sink: () => ByteSink): abstract new (headers: Fields) => object {
  const face = function (headers: Fields): object {
    return new message(headers, sink());
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

/** Messages can be made and read; what a guest writes into them is forgotten, and sending one is denied. No call waits. */
export const inertHttpImports: Imports = Object.freeze({
  "wasi:http/types@0.2.0": types02(() => discard),
  "wasi:http/outgoing-handler@0.2.0": guestInterface({
    handle: (_request: OutgoingRequest, _options: RequestOptions | undefined): never => {
      throw answerError(DENIED);
    },
  }),
  "wasi:http/types@0.3.0": types03,
  "wasi:http/client@0.3.0": guestInterface({ send: deny }),
  "wasi:http/handler@0.3.0": guestInterface({ handle: deny }),
});

function deny(request: Request03): never {
  request[Symbol.dispose]();
  throw answerError(DENIED);
}

/** Messages that are sent, by grants and limits of `outgoing`; bodies stream, so calls of `wasi:io` may wait. */
export function grantedHttpImports(outgoing: OutgoingHttp): Imports {
  return {
    ...waitingIo,
    "wasi:http/types@0.2.0": types02(() => newPipe(outgoing.signal)),
    "wasi:http/outgoing-handler@0.2.0": guestInterface({
      handle: (request: OutgoingRequest, options: RequestOptions | undefined): FutureIncomingResponse =>
        sendRequest(outgoing, request, options),
    }),
    "wasi:http/types@0.3.0": types03,
    "wasi:http/handler@0.3.0": inertHttpImports["wasi:http/handler@0.3.0"],
    "wasi:http/client@0.3.0": guestInterface({
      send: (request: Request03): Promise<Response03> => sendRequest03(outgoing, request),
    }),
  };
}

/** Who waits for a pipe when the transaction ends, waits no longer. */
function newPipe(signal: AbortSignal | undefined): BodyPipe {
  const pipe = new BodyPipe();
  pipe.changes.failOn(signal);
  return pipe;
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
