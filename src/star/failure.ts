// What an operation failed with, as data: its code, its message, and its own error value as JSON where it answered with one.

import { StarlaneError } from "../base/errors.ts";
import { FlowError } from "../flow/failure.ts";
import { toJson, type Json } from "../wit/json.ts";
import type { ValType } from "../wit/types.ts";
import type { LoadedComponent, Operation } from "./app.ts";
import { shortName } from "./operations.ts";

/** The error with which `operation` failed; whatever was thrown becomes one with a code. */
export function failureOf(thrown: unknown, component: LoadedComponent, operation: Operation): StarlaneError {
  if (thrown instanceof FlowError) return thrown;
  if (thrown instanceof StarlaneError) {
    if (thrown.at !== undefined) return thrown;
    const { message, cure, cause, data } = thrown;
    return new StarlaneError(thrown.code, message, { at: `${component.file} ${operation.name}`, cure, cause, data });
  }
  if (!(thrown instanceof Error) || !("payload" in thrown))
    return new StarlaneError("starlane/internal", String(thrown), { cause: thrown });
  const payload = payloadAsJson(operation.signature.error, thrown.payload);
  const told = payload === undefined ? "" : `: ${typeof payload === "string" ? payload : JSON.stringify(payload)}`;
  return new StarlaneError(
    "star/operation-failed",
    `${shortName(operation, component.operations.values())} answered with an error${told}`,
    {
      at: `${component.file} ${operation.name}`,
      ...(payload === undefined ? {} : { data: { payload } }),
    },
  );
}

/**
 * The error that an operation answered with, as JSON where it has a value: its own, or of a flow that of the node that failed it. Undefined
 * where it failed in another way.
 */
export function ownErrorOf(
  thrown: unknown,
  component: LoadedComponent,
  operation: Operation,
): { readonly json: Json | undefined } | undefined {
  if (typeof thrown !== "object" || thrown === null || !("payload" in thrown)) return undefined;
  if (thrown instanceof FlowError) return { json: payloadOf(thrown, component) };
  return thrown instanceof StarlaneError ? undefined : { json: payloadAsJson(operation.signature.error, thrown.payload) };
}

/** The operation's own error value, where the failure carries one. */
export function payloadOf(failure: StarlaneError, component: LoadedComponent): Json | undefined {
  if (!(failure instanceof FlowError)) return jsonOf(failure.data?.["payload"]);
  if (!("payload" in failure)) return undefined;
  return payloadAsJson(errorTypeAt(component, failure.path.split("/")), failure.payload);
}

function jsonOf(value: unknown): Json | undefined {
  const json: Json | undefined = value === undefined ? undefined : JSON.parse(JSON.stringify(value));
  return json;
}

function payloadAsJson(type: ValType | undefined, payload: unknown): Json | undefined {
  if (type === undefined) return undefined;
  try {
    return toJson(type, payload, { path: "the error" });
  } catch (error) {
    // A resource or stream cannot be shown; that the operation failed is what matters.
    if (error instanceof StarlaneError) return undefined;
    throw error;
  }
}

/** The error type of the node at a path: `operation/node`, through flows inside flows `operation/node/operation/node`. */
function errorTypeAt(component: LoadedComponent, [operation, node, ...rest]: readonly string[]): ValType | undefined {
  const used = component.operations.get(operation ?? "");
  if (component.kind !== "app" || used?.kind !== "flow") return used?.signature.error;
  // Behind a node that runs once per element stands the index of the element: `node[3]`.
  const id = node?.replace(/\[\d+\]$/, "");
  const found = used.flow.nodes.find((one) => one.id === id);
  const inner = found === undefined ? undefined : component.components.get(found.component);
  return rest.length > 0 && inner !== undefined ? errorTypeAt(inner, rest) : found?.signature.error;
}
