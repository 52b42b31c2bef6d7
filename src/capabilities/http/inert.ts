// `wasi:http` without a network: messages can be made and read; sending one answers `HTTP-request-denied`.

import type { Capability } from "../capability.ts";
import { answerError, guestInterface, madeByHost } from "../guest.ts";
import { FutureTrailers, IncomingBody, OutgoingBody } from "./body.ts";
import { httpErrorCode, type HttpErrorCode } from "./errors.ts";
import { Fields } from "./fields.ts";
import {
  FutureIncomingResponse,
  IncomingRequest,
  IncomingResponse,
  OutgoingRequest,
  OutgoingResponse,
  RequestOptions,
  ResponseOutparam,
} from "./message.ts";

const imports = {
  "wasi:http/types@0.2.0": guestInterface({
    Fields,
    FutureIncomingResponse: madeByHost(FutureIncomingResponse),
    FutureTrailers: madeByHost(FutureTrailers),
    IncomingBody: madeByHost(IncomingBody),
    IncomingRequest: madeByHost(IncomingRequest),
    IncomingResponse: madeByHost(IncomingResponse),
    OutgoingBody: madeByHost(OutgoingBody),
    OutgoingRequest,
    OutgoingResponse,
    RequestOptions,
    ResponseOutparam: madeByHost(ResponseOutparam),
    httpErrorCode,
  }),
  "wasi:http/outgoing-handler@0.2.0": guestInterface({
    handle: (_request: OutgoingRequest, _options: RequestOptions | undefined): FutureIncomingResponse => {
      throw answerError({ tag: "HTTP-request-denied" } satisfies HttpErrorCode);
    },
  }),
};

/** HTTP that reaches nobody: what a component gets without a grant. */
export const inertHttp: Capability = {
  name: "http",
  packages: ["wasi:http"],
  configure: () => () => ({ imports }),
};
