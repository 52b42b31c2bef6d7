// Why a node failed, as it is thrown out of a flow and as it goes into `node!` as data.

import { StarlaneError, type ErrorDetails } from "../base/errors.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import { toJson } from "../wit/json.ts";
import type { Field, ValType } from "../wit/types.ts";
import type { NodeFailure } from "./flow.ts";

/**
 * A flow failed: `at` is the path of the node (`operation/node`, through flows inside flows `operation/node/operation/node`),
 * `code` that of the cause where it has one, else `flow/node-failed`; `cause` is what the node threw.
 */
export class FlowError extends StarlaneError {
  readonly path: string;
  /** The operation's own error value; the property is there only where the node answered with one. */
  declare readonly payload?: unknown;

  constructor(code: ErrorCode, message: string, path: string, details: ErrorDetails, payload?: { readonly value: unknown }) {
    super(code, message, { ...details, at: path });
    this.path = path;
    if (payload !== undefined) Object.defineProperty(this, "payload", { value: payload.value, enumerable: true });
  }
}

/** A failed node inside a run: the error with its whole path, and the payload boxed so that `undefined` is a payload too. */
export interface Failure extends NodeFailure {
  readonly error: FlowError;
  readonly own?: { readonly value: unknown } | undefined;
}

/** What `path` failed with, from whatever its operation threw; `ownType` is the type of the operation's own error, for the message. */
export function failureOf(path: string, thrown: unknown, ownType?: ValType): Failure {
  if (thrown instanceof FlowError) {
    const own = "payload" in thrown ? { value: thrown.payload } : undefined;
    const error = new FlowError(
      thrown.code,
      thrown.message,
      `${path}/${thrown.path}`,
      detailsOf(thrown, thrown.cause ?? thrown),
      own,
    );
    return withPayload(error, own);
  }
  const own = payloadOf(thrown);
  if (own !== undefined) {
    const code = thrown instanceof StarlaneError ? thrown.code : "flow/node-failed";
    const message = `the operation answered with an error: ${shown(asJson(ownType, own.value))}`;
    return withPayload(new FlowError(code, message, path, { cause: thrown }, own), own);
  }
  if (thrown instanceof StarlaneError)
    return { error: new FlowError(thrown.code, thrown.message, path, detailsOf(thrown, thrown)) };
  const message = thrown instanceof Error && thrown.message !== "" ? thrown.message : `it threw ${shown(thrown)}`;
  return { error: new FlowError("flow/node-failed", message, path, { cause: thrown }) };
}

/** The type of `node!`: `payload` is there where the operation has a typed error. */
export function errorRecordType(own: ValType | undefined): ValType {
  const text: ValType = { kind: "string" };
  const fields: Field[] = [
    { name: "code", type: text },
    { name: "message", type: text },
    { name: "node", type: text },
  ];
  if (own !== undefined) fields.push({ name: "payload", type: { kind: "option", type: own } });
  return { kind: "record", fields };
}

/** The value of `node!`; `failed` may be a failure further up that this node needed, its payload is then not this operation's. */
export function errorRecord(failure: Failure, path: string, own: ValType | undefined): Record<string, unknown> {
  const { error } = failure;
  const record: Record<string, unknown> = { code: error.code, message: error.message, node: error.path };
  if (own === undefined) return record;
  const payload = error.path === path ? failure.own : undefined;
  if (own.kind === "option") record["payload"] = payload === undefined ? { tag: "none" } : { tag: "some", val: payload.value };
  else record["payload"] = payload?.value;
  return record;
}

function withPayload(error: FlowError, own: { readonly value: unknown } | undefined): Failure {
  return own === undefined ? { error } : { error, own, payload: own.value };
}

function payloadOf(thrown: unknown): { readonly value: unknown } | undefined {
  if (typeof thrown !== "object" || thrown === null || !("payload" in thrown)) return undefined;
  return { value: thrown.payload };
}

function detailsOf(error: StarlaneError, cause: unknown): ErrorDetails {
  return { cause, cure: error.cure, data: error.data };
}

const MAX_SHOWN = 200;

/** The payload as JSON writes it; as it is where it has no JSON, or is not of its type. */
function asJson(type: ValType | undefined, value: unknown): unknown {
  if (type === undefined) return value;
  try {
    return toJson(type, value);
  } catch {
    return value;
  }
}

/** A value in one short line; never throws, whatever the value. */
function shown(value: unknown): string {
  if (value === undefined) return "(no value)";
  let text: string;
  try {
    text = JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? String(part) : part)) ?? typeof value;
  } catch {
    return "(a value that cannot be shown)";
  }
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
