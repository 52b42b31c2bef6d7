// Operation routes: the parts of a request become typed arguments, the result becomes a response. Where the operation answers
// synchronously and nothing has to be read from a body, no promise is made.

import { StarlaneError } from "../../base/errors.ts";
import { toJson, type Json } from "../../wit/json.ts";
import { answersOf, type Answer } from "./answer.ts";
import { bindPorts, defaultBindings } from "./bindings.ts";
import { violationsIn, type Log } from "./failure.ts";
import type { Handle, OperationRoute, OwnError, PlainRequest, PlainResponse, RequestContext } from "./http.ts";
import { badRequest, inputReader } from "./inputs.ts";
import { problemResponse, type RequestMistake } from "./problem.ts";

/** The handler of an operation route. @throws StarlaneError `http/bad-route` */
export function operationHandle(route: OperationRoute, log: Log | undefined): Handle {
  const { signature, call } = route;
  const ports = bindPorts(
    route.path,
    signature,
    route.bindings ?? defaultBindings(route.path, route.methods ?? ["GET"], signature),
  );
  const inputs = inputReader(ports, signature.params.length, route.body ?? {});
  const answerFor = answersOf(route, log);
  const places = new Map(ports.map((port) => [port.param.name, placeOf(port.from)]));

  const failed = (thrown: unknown): PlainResponse => {
    const own = ownErrorOf(route, thrown);
    const response = own === undefined ? undefined : ownErrorResponse(own, route.answer?.errorStatus);
    if (response !== undefined) return response;
    throw thrown instanceof StarlaneError && thrown.code === "star/invalid-input" ? withPlaces(thrown, places) : thrown;
  };
  const run = (
    args: readonly unknown[],
    answer: Answer,
    request: PlainRequest,
    context: RequestContext,
  ): PlainResponse | Promise<PlainResponse> => {
    let result: unknown;
    try {
      result = call(args, context);
    } catch (error) {
      return failed(error);
    }
    if (!(result instanceof Promise)) return answer(result, request, context);
    return result.then((value: unknown) => answer(value, request, context), failed);
  };
  return (request, context) => {
    const answer = answerFor(request);
    const args = inputs.read(request, context);
    return args instanceof Promise
      ? args.then((read) => run(read, answer, request, context))
      : run(args, answer, request, context);
  };
}

function placeOf(from: string): RequestMistake["in"] {
  return from === "path" || from === "query" || from === "header" || from === "cookie" ? from : "body";
}

/** Violations of the rules of ports, with the part of the request that each port was fed from. */
function withPlaces(error: StarlaneError, places: ReadonlyMap<string, RequestMistake["in"]>): unknown {
  const violations = violationsIn(error);
  if (violations.length === 0) return error;
  return badRequest(violations.map((mistake) => ({ ...mistake, in: places.get(portOf(mistake.name)) ?? "body" })));
}

/** `tags[2]` is about the port `tags`. */
function portOf(path: string): string {
  return /^[^[.]*/.exec(path)?.[0] ?? path;
}

/** The operation's own error, where that is what it failed with. */
export function ownErrorOf(
  { signature: { error }, ownError }: Pick<OperationRoute, "signature" | "ownError">,
  thrown: unknown,
): OwnError | undefined {
  if (ownError !== undefined) return ownError(thrown);
  if (typeof thrown !== "object" || thrown === null || !("payload" in thrown) || thrown instanceof StarlaneError)
    return undefined;
  return { json: error === undefined ? undefined : toJson(error, thrown.payload, { path: "error" }) };
}

/** What something says of the error: by its case, or of any other. */
export function byCase<Said>({ json }: OwnError, said: ReadonlyMap<string, Said> | undefined): Said | undefined {
  const name = caseOf(json);
  return (name === undefined ? undefined : said?.get(name)) ?? said?.get("*");
}

/** Undefined where the error has no status: it is then told to nobody. */
export function ownErrorResponse(own: OwnError, errorStatus: ReadonlyMap<string, number> | undefined): PlainResponse | undefined {
  const status = byCase(own, errorStatus);
  const { json } = own;
  if (status === undefined) return undefined;
  return problemResponse(status, { title: caseOf(json), members: json === undefined ? {} : { error: json } });
}

/** The case of a variant or enum: `"not-found"`, `{ "not-found": … }`. */
function caseOf(json: Json | undefined): string | undefined {
  if (typeof json === "string") return json.length <= 100 ? json : undefined;
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const [only, ...others] = Object.keys(json);
  return others.length === 0 ? only : undefined;
}
