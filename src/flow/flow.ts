// A flow: operations wired into an operation. Parsed from text (`parse.ts`), typed and checked against the signatures of the
// operations it uses (`check.ts`), planned once (`plan.ts`), run once per transaction (`run.ts`). It never knows where an operation
// runs: it calls the `invoke` it is given.

import type { Clock } from "../base/clock.ts";
import type { StarlaneError } from "../base/errors.ts";
import type { Json } from "../wit/json.ts";
import type { Field, ValType } from "../wit/types.ts";

/**
 * What an operation takes and gives: a WIT function. A `result<T, E>` is split into `result` and `error`. Output ports: the
 * fields of `result` where it is a record, else the one value.
 */
export interface Signature {
  readonly params: readonly SignatureParam[];
  readonly result?: ValType | undefined;
  /** The type of the operation's own error, where it can answer with one. `fails` without a type: `result<T>`. */
  readonly error?: ValType | undefined;
  readonly async: boolean;
  readonly description?: string | undefined;
}

export interface SignatureParam extends Field {
  /** It may be left unconnected: it has a default, or is an `option` that is then none. */
  readonly optional: boolean;
  readonly description?: string | undefined;
}

/**
 * One transaction, as every node sees it. What a node is given is an object of a class whose `signal` is made when it is first read:
 * hand it on as it is, `{ ...transaction }` would lose it.
 */
export interface Transaction {
  readonly id: string;
  readonly seed: number;
  readonly timestampMs: number;
  /** On the transaction's clock; undefined: none. */
  readonly deadlineMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Whether it was aborted, where that can be told without making the signal. */
  readonly aborted?: boolean | undefined;
  readonly clock: Clock;
  /** Called as nodes start and end, for tracing and for people; never changes what happens. */
  readonly observe?: ((event: NodeEvent) => void) | undefined;
}

export interface NodeEvent {
  /**
   * `skipped`: it does not run, because a value it needs was skipped, failed (`error` says why) or came too late. `retry`: a call
   * failed and is made again. `fallback`: the value of a `??` stands for its own. `log`: from `core::log`.
   */
  readonly kind: "start" | "done" | "failed" | "skipped" | "retry" | "fallback" | "log";
  /** Where: `operation/node`, for an app inside an app `operation/node/operation/node`; "": the node that the transaction was made for. */
  readonly path: string;
  /** Milliseconds of the machine's monotonic clock. */
  readonly atMs: number;
  readonly error?: NodeFailure | undefined;
  /** Of `log`: the setting `message` and the value as JSON. */
  readonly level?: "debug" | "info" | "warn" | "error" | undefined;
  readonly message?: string | undefined;
  readonly value?: Json | undefined;
}

/** Why a node failed; `payload` is the operation's own error value, where it answered with one. */
export interface NodeFailure {
  readonly error: StarlaneError;
  readonly payload?: unknown;
}

/**
 * Runs one operation. `args` follow the signature's params, as JS values in the convention of `wit/types.ts`. The answer is the
 * `result` value or a promise of it; an operation's own error is thrown as an object with a `payload`, anything else that is
 * thrown is a failure of the node. Where the answer is no `Promise`, the flow goes on without one. When `transaction.signal` aborts, it
 * settles soon; a run does not wait for it longer than a second.
 */
export type Invoke = (target: OperationTarget, args: readonly unknown[], transaction: Transaction) => unknown;

/** Which operation a node uses: `component` is the manifest's local name for it. */
export interface OperationTarget {
  readonly component: string;
  /** `name` or `interface#name`, as the component's operation table has it. */
  readonly operation: string;
  /** Where the node stands: `operation/node`. */
  readonly path: string;
}
