// What is watched of one operation, and of each transaction of it: its log, its numbers, its span. Where there is no tracer, a transaction costs
// this one object.

import { StarlaneError } from "../../base/errors.ts";
import type { LogFields, LogLevel } from "../../base/log.ts";
import type { CapabilityTransaction, OutgoingRequest, OutgoingSpan } from "../../capabilities/capability.ts";
import type { NodeEvent } from "../../flow/flow.ts";
import { GuestLines, LineAllowance } from "./guest-lines.ts";
import {
  type Origin,
  type Span,
  spanFailure,
  type Telemetry,
  type TraceContext,
  traceFields,
  type TriggerName,
} from "./telemetry.ts";
import type { OperationMetrics, Outcome } from "./transaction-metrics.ts";

interface Usage {
  readonly fuel: number;
  readonly memoryBytes: number;
  readonly calls: number;
}

/** One operation as one kind of trigger starts it; made once, for all its transactions. */
export class OperationTelemetry {
  readonly app: string;
  readonly operation: string;
  readonly trigger: TriggerName;
  readonly log: Telemetry["log"];
  readonly metrics: OperationMetrics | undefined;
  readonly #tracer: Telemetry["tracer"];
  readonly #observer: Telemetry["observer"];

  constructor({ log, metrics, tracer, observer }: Telemetry, app: string, operation: string, trigger: TriggerName) {
    this.app = app;
    this.operation = operation;
    this.trigger = trigger;
    this.log = log;
    this.metrics = metrics?.of(app, operation);
    this.#tracer = tracer;
    this.#observer = observer;
  }

  begin(id: string, origin: Origin | undefined): TransactionTelemetry {
    if (origin !== undefined) origin.transaction = id;
    if (this.metrics !== undefined) this.metrics.running++;
    const span = this.#tracer === undefined ? undefined : this.#span(this.#tracer, id, origin);
    const { app, operation, trigger } = this;
    const observed = this.#observer?.({ id, app, operation, trigger, origin });
    return new TransactionTelemetry(this, id, origin, span, observed);
  }

  #span(tracer: NonNullable<Telemetry["tracer"]>, id: string, origin: Origin | undefined): Span {
    const span = tracer.begin(this.operation, "internal", origin);
    if (span.isRecording) {
      const { app, operation, trigger } = this;
      span.set({
        "starlane.app": app,
        "starlane.operation": operation,
        "starlane.trigger": trigger,
        "starlane.transaction.id": id,
      });
    }
    return span;
  }
}

/** One transaction. Its numbers and its span end with its answer. */
export class TransactionTelemetry {
  readonly id: string;
  /** Undefined: nothing of it is recorded. */
  readonly span: Span | undefined;
  /** What is handed on where no span is recorded. */
  readonly #context: TraceContext | undefined;
  readonly #of: OperationTelemetry;
  readonly #origin: Origin | undefined;
  readonly #observed: ((failure: unknown) => void) | undefined;
  readonly #startedMs = performance.now();
  #allowance: LineAllowance | undefined;
  #lines: GuestLines[] | undefined;
  #isOver = false;

  constructor(
    of: OperationTelemetry,
    id: string,
    origin: Origin | undefined,
    span: Span | undefined,
    observed: ((failure: unknown) => void) | undefined,
  ) {
    this.id = id;
    this.#observed = observed;
    this.span = span?.isRecording === true ? span : undefined;
    this.#context = span ?? origin;
    this.#of = of;
    this.#origin = origin;
  }

  /** Whether records are taken at all. */
  get logs(): boolean {
    return this.#of.log !== undefined;
  }

  log(level: LogLevel, message: string, about: LogFields, span: Span | undefined): void {
    const { app, operation, log } = this.#of;
    if (log === undefined) return;
    const trace = traceFields((span ?? this.#context)?.traceparent);
    log({ level, message, app, operation, ...about, transaction: this.id, request: this.#origin?.id, ...trace });
  }

  /** What `core::log` said at a node. */
  said({ level = "info", message = "", value }: NodeEvent, node: string, span: Span | undefined): void {
    this.log(level, message, { node, value }, span);
  }

  /** What a call of a guest is given: where it prints and logs to, and what its requests are part of. */
  forGuest(component: string, node: string | undefined, span: Span | undefined): GuestTelemetry {
    const about = { component, node };
    const outgoing = this.#context === undefined && span === undefined ? undefined : this.#outgoing(span);
    if (!this.logs) return { outgoing };
    let lines: GuestLines | undefined;
    return {
      outgoing,
      output: (stream, bytes) => {
        lines ??= this.#newLines(about, span);
        lines.print(stream, bytes);
        if (this.#isOver) lines.end();
      },
      log: ({ level, context, message }) => this.#fromGuest(level, message, { ...about, context }, span),
    };
  }

  #newLines(about: LogFields, span: Span | undefined): GuestLines {
    const lines = new GuestLines((stream, line) => {
      // Starlane's own remarks about what a guest does.
      if (stream === "log") this.#fromGuest("warn", line, about, span);
      else this.#fromGuest("info", line, { ...about, stream }, span);
    });
    (this.#lines ??= []).push(lines);
    return lines;
  }

  #fromGuest(level: LogLevel, message: string, about: LogFields, span: Span | undefined): void {
    this.#allowance ??= new LineAllowance();
    if (this.#allowance.takes((remark) => this.log("warn", remark, about, span))) this.log(level, message, about, span);
  }

  #outgoing(span: Span | undefined): (request: OutgoingRequest) => OutgoingSpan | undefined {
    const context = this.#context;
    return (request) => {
      if (span !== undefined) return clientSpan(span, request);
      const { traceparent, tracestate } = context ?? {};
      return traceparent === undefined ? undefined : { traceparent, tracestate, end: () => undefined };
    };
  }

  end(usage: Usage, thrown?: unknown): void {
    this.#isOver = true;
    const error = isGoodExit(thrown) ? undefined : thrown;
    for (const lines of this.#lines ?? []) lines.end();
    const outcome = outcomeOf(error);
    this.#of.metrics?.end(outcome, performance.now() - this.#startedMs, usage);
    this.#observed?.(error);
    const { span } = this;
    if (span === undefined) return;
    span.set({
      "starlane.outcome": outcome,
      "starlane.fuel": usage.fuel,
      "starlane.memory.peak": usage.memoryBytes,
      "starlane.calls": usage.calls,
    });
    span.end(error === undefined ? undefined : spanFailure(error));
  }
}

export type GuestTelemetry = Pick<CapabilityTransaction, "output" | "log" | "outgoing">;

function clientSpan(parent: Span, { method, scheme, host, port, path }: OutgoingRequest): OutgoingSpan {
  const span = parent.child(method, "client", {
    "http.request.method": method,
    "server.address": host,
    "server.port": port,
    "url.full": `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path}`,
  });
  return {
    traceparent: span.traceparent,
    tracestate: span.tracestate,
    end({ status, error }) {
      if (status !== undefined) span.set({ "http.response.status_code": status });
      const failed = error ?? (status !== undefined && status >= 400 ? String(status) : undefined);
      span.end(failed === undefined ? undefined : { type: failed });
    },
  };
}

/** A command that ends itself with status 0 has done what it should. */
function isGoodExit(error: unknown): boolean {
  return error instanceof StarlaneError && error.code === "capability/exit" && error.data?.["status"] === 0;
}

const CANCELLED: ReadonlySet<string> = new Set(["flow/cancelled", "engine/cancelled", "http/client-left", "http/stopping"]);

function outcomeOf(error: unknown): Outcome {
  if (error === undefined) return "done";
  if (typeof error === "object" && error !== null && "payload" in error) return "error";
  if (!(error instanceof StarlaneError)) return "failed";
  if (CANCELLED.has(error.code)) return "cancelled";
  // What it was given breaks a rule: whoever asked is told so.
  return error.code === "star/invalid-input" ? "error" : "failed";
}
