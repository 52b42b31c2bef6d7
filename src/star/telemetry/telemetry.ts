// What watches transactions: the contract between what runs them and what writes logs, counts, and makes spans. Nothing of OpenTelemetry is
// known here: a tracer is given, or there is none, and then nothing here asks for more than one check of a transaction.

import { StarlaneError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { TransactionMetrics } from "./transaction-metrics.ts";

/** W3C trace context, as it stands in the fields of a request. */
export interface TraceContext {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** What begins a transaction: the trace that it continues, and what it is called in logs. An HTTP request is one. */
export interface Origin extends TraceContext {
  /** Of the request. */
  readonly id?: string | undefined;
  /** What the tracer of this process has made of it already. */
  readonly span?: object | undefined;
  /** Told which transaction it began. */
  transaction?: string | undefined;
  /** Of a request: its method, and the pattern of its route. */
  readonly method?: string | undefined;
  readonly route?: string | undefined;
}

/** `api`: a person tries an operation. */
export type TriggerName = "http" | "schedule" | "cli" | "api";

/** One transaction, where it begins. */
export interface Beginning {
  readonly id: string;
  readonly app: string;
  readonly operation: string;
  readonly trigger: TriggerName;
  readonly origin: Origin | undefined;
}

/** Told of every transaction; what it gives is told when it ends, and what it failed with. */
export type TransactionObserver = (beginning: Beginning) => (failure: unknown) => void;

/** Everything that is watched in a process. */
export interface Telemetry {
  readonly log?: Log | undefined;
  readonly metrics?: TransactionMetrics | undefined;
  readonly tracer?: Tracer | undefined;
  readonly observer?: TransactionObserver | undefined;
}

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Tracer {
  /** A span of what was begun by something outside; without a parent that is well-formed a new trace begins. */
  begin(name: string, kind: SpanKind, origin: Origin | undefined): Span;
}

export type SpanKind = "server" | "client" | "internal";

/** A part of a trace. One that is not sampled records nothing, but has a context to hand on. */
export interface Span {
  readonly isRecording: boolean;
  /** What is handed on to whoever is called from inside it. */
  readonly traceparent: string;
  readonly tracestate: string | undefined;
  child(name: string, kind: SpanKind, attributes?: Attributes): Span;
  set(attributes: Attributes): void;
  event(name: string, attributes?: Attributes): void;
  end(failure?: SpanFailure): void;
}

export interface SpanFailure {
  /** `error.type`: a code of ours, a status, or another word of few. */
  readonly type: string;
  /** Masked before it is recorded. */
  readonly message?: string | undefined;
}

/** Runs `work` as what a span is of: its answer, or its failure, ends the span. */
export function ofSpan(span: Span, work: () => unknown): unknown {
  const failed = (error: unknown): never => {
    span.end(spanFailure(error));
    throw error;
  };
  let answer: unknown;
  try {
    answer = work();
  } catch (error) {
    return failed(error);
  }
  if (answer instanceof Promise) {
    return answer.then((value: unknown) => {
      span.end();
      return value;
    }, failed);
  }
  span.end();
  return answer;
}

/** What is recorded of something that was thrown. */
export function spanFailure(thrown: unknown): SpanFailure {
  if (thrown instanceof StarlaneError) return { type: thrown.code, message: thrown.message };
  // The operation's own error: what it says is data of the app.
  if (typeof thrown === "object" && thrown !== null && "payload" in thrown) return { type: "star/operation-failed" };
  return { type: "starlane/internal", message: thrown instanceof Error ? thrown.message : undefined };
}

/** Trace and span of a `traceparent`, for logs; undefined where there is none. */
export function traceFields(traceparent: string | undefined): { readonly traceId: string; readonly spanId: string } | undefined {
  return traceparent === undefined ? undefined : { traceId: traceparent.slice(3, 35), spanId: traceparent.slice(36, 52) };
}
