// `wasi:http/handler@0.3` as a middleware component imports it: what stands behind it, for the request of the transaction it is in. Its
// types come with `wasi:http/types`, from the same instance of the capability.

import type { Binding, CapabilityTransaction, ConfiguredCapability } from "../capabilities/capability.ts";
import { answerError, guestInterface } from "../capabilities/guest.ts";
import { codeOf, type HttpBody, HttpFailure, type HttpRequest, type HttpResponse } from "../capabilities/http/http-message.ts";
import { receivedResponse, type Request, type Response, takeRequest } from "../capabilities/http/messages-0.3.ts";
import { methodText } from "../capabilities/http/target.ts";
import type { WorldType } from "../wit/types.ts";

/** Passes a request on. `undefined` parts are those of the request that came in. @throws HttpFailure, as a rejection */
export type Next = (request: NextRequest) => Promise<HttpResponse>;

export type NextRequest = Pick<HttpRequest, "method" | "headers" | "body" | "trailers"> &
  Partial<Pick<HttpRequest, "scheme" | "authority" | "path">>;

/** Where a transaction keeps it. */
export const NEXT: object = Object.freeze({});

const IMPORT = /^wasi:http\/handler@0\.3\.\d+$/;

/** Whether a component passes requests on. */
export function importsHandler({ imports }: WorldType): boolean {
  return imports.some(({ name }) => IMPORT.test(name));
}

export const nextHandler: ConfiguredCapability = (): Binding => {
  let current: CapabilityTransaction | undefined;
  return {
    imports: {
      "wasi:http/handler@0.3.0": guestInterface({
        handle: (request: Request): Promise<Response> => passOn(request, current?.whole?.kept.get(NEXT)),
      }),
    },
    prepare(transaction) {
      current = transaction;
    },
    finish() {
      current = undefined;
    },
  };
};

function isNext(value: unknown): value is Next {
  return typeof value === "function";
}

async function passOn(request: Request, next: unknown): Promise<Response> {
  const { message, tellSent } = takeRequest(request);
  const { method, scheme, authority, pathWithQuery: path, headers, body, trailers } = message;
  try {
    if (!isNext(next)) throw new HttpFailure({ tag: "HTTP-request-denied" });
    const response = await next({
      method: methodText(method),
      headers,
      ...(scheme === undefined ? {} : { scheme: scheme.tag === "other" ? scheme.val : scheme.tag.toLowerCase() }),
      ...(authority === undefined ? {} : { authority }),
      ...(path === undefined ? {} : { path }),
      ...(body === undefined ? {} : { body: told(body, tellSent), trailers }),
    });
    if (body === undefined) tellSent();
    return receivedResponse({ ...response, outlive: () => undefined });
  } catch (error) {
    const failure = error instanceof HttpFailure ? error : new HttpFailure(codeOf(error), { cause: error });
    tellSent(failure);
    throw answerError(failure.code);
  }
}

/** The same body; the guest hears how far it went. */
function told(body: HttpBody, tellSent: (failure?: HttpFailure) => void): HttpBody {
  return {
    async *[Symbol.asyncIterator]() {
      let failure: HttpFailure | undefined = new HttpFailure({ tag: "connection-terminated" });
      try {
        yield* body;
        failure = undefined;
      } finally {
        tellSent(failure);
      }
    },
  };
}
