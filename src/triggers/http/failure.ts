// What failed, as a response. Texts of failures inside are for the log: the client gets a status and an id. Violations of the rules of
// ports are the client's own, and told.

import { StarlaneError } from "../../base/errors.ts";
import type { ErrorCode } from "../../base/error-codes.ts";
import type { HttpLogEntry, PlainResponse } from "./http.ts";
import { HttpProblem, problemResponse, type RequestMistake } from "./problem.ts";

/** How errors look to clients; every other code is a 500. */
const STATUS_OF: Partial<Record<ErrorCode, 503 | 504>> = {
  "engine/busy": 503,
  "engine/cancelled": 503,
  "engine/deadline": 504,
  "flow/cancelled": 503,
  "flow/deadline": 504,
  "http/deadline": 504,
  "http/stopping": 503,
};

export interface Failure {
  readonly response: PlainResponse;
  /** What is to be logged and traced: not where the client made the mistake. */
  readonly error?: unknown;
}

/** `id` is only asked for where the client is told it. */
export function failureOf(thrown: unknown, context: { readonly id: string }): Failure {
  const problem = problemIn(thrown);
  if (problem !== undefined) {
    const { status, details } = problem;
    return status === 500 ? internal(thrown, context) : { response: problemResponse(status, details) };
  }
  if (!(thrown instanceof StarlaneError)) return internal(thrown, context);
  const violations = thrown.code === "star/invalid-input" ? violationsIn(thrown) : [];
  if (violations.length > 0) {
    return { response: problemResponse(400, { detail: "the input breaks a rule of the operation", mistakes: violations }) };
  }
  const status = STATUS_OF[thrown.code];
  if (status === undefined) return internal(thrown, context);
  if (status === 504)
    return {
      response: problemResponse(504, { detail: "there was no answer in time", members: { id: context.id } }),
      error: thrown,
    };
  return {
    response: problemResponse(503, {
      detail: "the server cannot answer now",
      headers: [["retry-after", "1"]],
      members: { id: context.id },
    }),
    error: thrown,
  };
}

const DEEPEST_CAUSE = 100;

/** A body that is read as a stream is found to be wrong in the middle of a flow, which then fails because of that. */
export function problemIn(thrown: unknown): HttpProblem | undefined {
  let cause = thrown;
  for (let depth = 0; depth < DEEPEST_CAUSE; depth++) {
    if (cause instanceof HttpProblem) return cause;
    if (!(cause instanceof StarlaneError)) return undefined;
    cause = cause.cause;
  }
  return undefined;
}

function internal(error: unknown, context: { readonly id: string }): Failure {
  const detail = "something failed inside; whoever runs this server finds out what by the id";
  return { response: problemResponse(500, { detail, members: { id: context.id } }), error };
}

/** What `star/invalid-input` carries: each value that breaks a rule of its port. */
export function violationsIn(error: StarlaneError): readonly RequestMistake[] {
  const violations = error.data?.["violations"];
  if (!Array.isArray(violations)) return [];
  return violations.flatMap((violation: unknown): RequestMistake[] => {
    if (typeof violation !== "object" || violation === null || !("path" in violation) || !("message" in violation)) return [];
    return [{ in: "body", name: String(violation.path), message: String(violation.message) }];
  });
}

export type Log = (entry: HttpLogEntry) => void;
