// What one HTTP request makes of an operation: a transaction of its own.

import type { LoadedComponent, Operation } from "./app.ts";
import type { OperationRoute, RequestContext } from "../triggers/http/http.ts";
import { ownErrorOf } from "./failure.ts";
import { portSchemas } from "./port-schemas.ts";
import { takesStream } from "../wit/streams.ts";
import { streamsOf } from "./result-streams.ts";
import { randomSeed } from "./seeds.ts";
import { runTransaction, type TransactionSettings } from "./transaction.ts";

/** What requests are answered with beside the app itself. */
export interface ServeContext {
  /** What watches the transactions of an operation. */
  readonly telemetryOf: (operation: string) => TransactionSettings["telemetry"];
  /** Requests that components answer carry the trace context of this process. */
  readonly isTraced: boolean;
}

export type Called = Pick<OperationRoute, "operation" | "signature" | "call" | "ownError" | "description" | "portSchemas">;

/** An operation as the HTTP server calls it; `holder` has it. */
export function calledByHttp(holder: LoadedComponent, operation: Operation, context: ServeContext): Called {
  const telemetry = context.telemetryOf(operation.name);
  const { params, result } = operation.signature;
  // How long an answer that is a stream may take only the app knows; when it has to begin the server sees to.
  const streams = streamsOf(result).length > 0 || params.some(({ type }) => takesStream(type));
  return {
    operation: operation.name,
    signature: operation.signature,
    call: (args, request) => runTransaction(operation, args, settingsFor(request, telemetry, streams)),
    ownError: (thrown) => ownErrorOf(thrown, holder, operation),
    description: operation.kind === "flow" ? operation.declaration.description : undefined,
    portSchemas: portSchemas(operation),
  };
}

export function settingsFor(
  request: RequestContext,
  telemetry: TransactionSettings["telemetry"],
  streams = false,
): TransactionSettings {
  const nowMs = Date.now();
  return {
    seed: randomSeed(),
    timestampMs: nowMs,
    timeoutMs: streams ? undefined : Math.max(0, request.deadlineMs - nowMs),
    ending: request,
    telemetry,
    origin: request,
  };
}
