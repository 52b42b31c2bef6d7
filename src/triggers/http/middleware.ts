// Middleware around the handler of a route, and middleware made of one half: what runs before, what runs after.

import { failureOf } from "./failure.ts";
import type { Handle, Middleware, PlainRequest, PlainResponse, RequestContext } from "./http.ts";

/** What runs before: it lets the request through (undefined), changes parts of it, or answers itself. */
export type Before = (request: PlainRequest, context: RequestContext) => BeforeResult | Promise<BeforeResult>;

export type BeforeResult = undefined | { readonly request: Partial<PlainRequest> } | { readonly response: PlainResponse };

/** What runs after: the response in place of the one given. */
export type After = (
  response: PlainResponse,
  request: PlainRequest,
  context: RequestContext,
) => PlainResponse | Promise<PlainResponse>;

export function before(run: Before): Middleware {
  return (request, next, context) => {
    const go = (result: BeforeResult): PlainResponse | Promise<PlainResponse> => {
      if (result === undefined) return next(request);
      return "response" in result ? result.response : next(changed(request, result.request));
    };
    const result = run(request, context);
    return result instanceof Promise ? result.then(go) : go(result);
  };
}

export function after(run: After): Middleware {
  return (request, next, context) => {
    const response = next(request);
    if (response instanceof Promise) return response.then((value) => run(value, request, context));
    return run(response, request, context);
  };
}

/** A request with some of its parts replaced; the others are still made only when they are asked for. */
export function changed(request: PlainRequest, changes: Partial<PlainRequest>): PlainRequest {
  return {
    method: changes.method ?? request.method,
    scheme: changes.scheme ?? request.scheme,
    authority: changes.authority ?? request.authority,
    path: changes.path ?? request.path,
    get headers() {
      return changes.headers ?? request.headers;
    },
    get hasBody() {
      return changes.hasBody ?? (changes.body !== undefined || request.hasBody);
    },
    get body() {
      return changes.body ?? request.body;
    },
    trailers: changes.trailers ?? (() => request.trailers()),
  };
}

/** The handler with its middleware around it, outermost first. */
export function wrapped(handle: Handle, middleware: readonly Middleware[] = []): Handle {
  return middleware.reduceRight<Handle>((inside, outer) => {
    const inner = guarded(inside);
    return (request, context) => outer(request, (next) => inner(next, context), context);
  }, handle);
}

/** What goes wrong inside is a response for those outside, too. */
function guarded(handle: Handle): Handle {
  return (request, context) => {
    const failed = (thrown: unknown): PlainResponse => {
      const { response, error } = failureOf(thrown, context);
      if (error !== undefined) context.failed(error);
      return response;
    };
    try {
      const answer = handle(request, context);
      return answer instanceof Promise ? answer.catch(failed) : answer;
    } catch (error) {
      return failed(error);
    }
  };
}
