// Spans by OpenTelemetry's SDK. Bounded: how many spans one trace has in this process; further ones are left out, and counted on the first.

import {
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  SpanKind as SdkKind,
  SpanStatusCode,
  trace,
  type Tracer as SdkTracer,
} from "@opentelemetry/api";
import { validTraceparent, validTracestate } from "../../triggers/http/trace-context.ts";
import type { Attributes, Origin, Span, SpanFailure, SpanKind, TraceContext, Tracer } from "./telemetry.ts";

const MOST_SPANS = 1000;
const LONGEST_MESSAGE = 1024;
const OPTIONS = {
  server: { kind: SdkKind.SERVER },
  client: { kind: SdkKind.CLIENT },
  internal: { kind: SdkKind.INTERNAL },
} as const;

export type Mask = (text: string) => string;

export class OtlpTracer implements Tracer {
  readonly sdk: SdkTracer;
  readonly mask: Mask;

  constructor(sdk: SdkTracer, mask: Mask) {
    this.sdk = sdk;
    this.mask = mask;
  }

  begin(name: string, kind: SpanKind, origin: Origin | undefined): OtlpSpan {
    const own = origin?.span !== undefined && "span" in origin.span ? origin.span.span : undefined;
    // Whether a request is sampled, its own span has decided.
    if (own instanceof OtlpSpan) return own.isRecording ? own.childSpan(name, kind, undefined) : own;
    const sdk = this.sdk.startSpan(name, OPTIONS[kind], contextOf(origin));
    return new OtlpSpan(this, sdk, { spans: 0, root: sdk });
  }
}

function contextOf(parent: TraceContext | undefined): Context {
  const traceparent = validTraceparent(parent?.traceparent);
  if (traceparent === undefined) return ROOT_CONTEXT;
  const state = validTracestate(parent?.tracestate, traceparent);
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53, 55), 16) & 1,
    isRemote: true,
    ...(state === undefined ? {} : { traceState: createTraceState(state) }),
  });
}

/** What the spans of one trace share. */
interface Family {
  spans: number;
  readonly root: SdkSpan;
}

export class OtlpSpan implements Span {
  readonly isRecording: boolean;
  readonly #tracer: OtlpTracer;
  readonly #sdk: SdkSpan;
  readonly #family: Family;
  #context: Context | undefined;

  constructor(tracer: OtlpTracer, sdk: SdkSpan, family: Family) {
    this.isRecording = sdk.isRecording();
    this.#tracer = tracer;
    this.#sdk = sdk;
    this.#family = family;
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.#sdk.spanContext();
    return `00-${traceId}-${spanId}-${(traceFlags & 1) === 1 ? "01" : "00"}`;
  }

  get tracestate(): string | undefined {
    return this.#sdk.spanContext().traceState?.serialize();
  }

  child(name: string, kind: SpanKind, attributes?: Attributes): Span {
    const family = this.#family;
    if (!this.isRecording || ++family.spans <= MOST_SPANS) return this.childSpan(name, kind, attributes);
    family.root.setAttribute("starlane.spans.left_out", family.spans - MOST_SPANS);
    return leftOut(this);
  }

  childSpan(name: string, kind: SpanKind, attributes: Attributes | undefined): OtlpSpan {
    this.#context ??= trace.setSpan(ROOT_CONTEXT, this.#sdk);
    const sdk = this.#tracer.sdk.startSpan(name, OPTIONS[kind], this.#context);
    const span = new OtlpSpan(this.#tracer, sdk, this.#family);
    // Given to `startSpan` they would be checked twice.
    if (attributes !== undefined) span.set(attributes);
    return span;
  }

  set(attributes: Attributes): void {
    if (!this.isRecording) return;
    for (const name in attributes) {
      const value = attributes[name];
      if (value !== undefined) this.#sdk.setAttribute(name, typeof value === "string" ? this.#tracer.mask(value) : value);
    }
  }

  event(name: string, attributes: Attributes = {}): void {
    const { mask } = this.#tracer;
    const masked = Object.entries(attributes).map(
      ([key, value]) => [key, typeof value === "string" ? mask(value) : value] as const,
    );
    this.#sdk.addEvent(name, Object.fromEntries(masked));
  }

  end(failure?: SpanFailure): void {
    if (failure !== undefined && this.isRecording) {
      const { type, message } = failure;
      this.#sdk.setAttribute("error.type", type);
      const told = message === undefined ? {} : { message: this.#tracer.mask(message).slice(0, LONGEST_MESSAGE) };
      this.#sdk.setStatus({ code: SpanStatusCode.ERROR, ...told });
    }
    this.#sdk.end();
  }
}

/** A span too many: what it calls is part of the one around it. */
function leftOut(parent: OtlpSpan): Span {
  const span: Span = {
    isRecording: false,
    traceparent: parent.traceparent,
    tracestate: parent.tracestate,
    child: () => span,
    set: () => undefined,
    event: () => undefined,
    end: () => undefined,
  };
  return span;
}
