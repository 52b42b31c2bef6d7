// Failures that the flow itself makes: of a run that was told to stop, of a port that got nothing.

import { StarlaneError } from "../base/errors.ts";
import { FlowError, type Failure } from "./failure.ts";

/** The transaction was aborted; a reason that is a StarlaneError keeps its code. */
export function cancelled(operation: string, reason: unknown): FlowError {
  if (reason instanceof StarlaneError) {
    return new FlowError(reason.code, reason.message, operation, { cause: reason, cure: reason.cure, data: reason.data });
  }
  return new FlowError("flow/cancelled", "the transaction was cancelled", operation, { cause: reason });
}

export function deadlinePassed(operation: string): FlowError {
  return new FlowError("flow/deadline", "the deadline of the transaction passed", operation, {
    cure: "Give it more time, or give slow nodes a `timeout` and a `??`.",
  });
}

/** An output port (`port` is "" for a bare result) got nothing from `source`, which was skipped, or failed into its own `!`. */
export function noValue(operation: string, port: string, source: string, failure: Failure | undefined): FlowError {
  const where = port === "" ? "the output" : `output port \`${port}\``;
  const why = failure === undefined ? "was skipped" : `failed (${failure.error.message})`;
  return new FlowError("flow/no-value", `${where} got no value: \`${source}\` ${why}`, operation, {
    cause: failure?.error,
    cure: "Give the port a value on every way with `core::merge` or `??`, or declare it as an option.",
  });
}

/** A stream port got something that cannot be read as one. */
export function badStream(): StarlaneError {
  return new StarlaneError("wit/bad-value", "expected a stream: an iterable of elements or chunks");
}

/** Two readers of one stream: the one that is ahead cannot go on before the other does, and the other waits for it. */
export function stuckStream(path: string, ahead: string, behind: string, backlog: number): FlowError {
  return new FlowError(
    "flow/stuck-stream",
    `the stream of \`${path}\` cannot go on: ${ahead} is ${backlog} elements ahead of ${behind}, which waits for it`,
    path,
    { cure: "Keep the whole stream with `core::collect` and use the list twice, or read it for one purpose." },
  );
}

export function noElement(): StarlaneError {
  return new StarlaneError("flow/no-such-element", "a path names an element that the list does not have", {
    cure: "Write `?? value` behind the path for lists that are too short.",
  });
}
