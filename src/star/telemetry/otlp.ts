// Telemetry over OTLP: OpenTelemetry's SDK, set up once in a process. Only `start.ts` loads this file, and only where an endpoint is configured.

import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { defaultResource, detectResources, envDetector, resourceFromAttributes, type Resource } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { Log } from "../../base/log.ts";
import { Losses } from "./losses.ts";
import { LogExporter, MetricExporter, SpanExporter } from "./otlp-exporters.ts";
import { httpTelemetry } from "./otlp-http.ts";
import { otlpLog } from "./otlp-logs.ts";
import { metricProducer } from "./otlp-metrics.ts";
import type { OtlpSettings } from "./otlp-settings.ts";
import { OtlpTracer } from "./otlp-spans.ts";
import type { Exporting, ExportOptions } from "./start.ts";

const SCOPE = "starlane";
/** Longer attributes are cut. */
const LONGEST_ATTRIBUTE = 4096;

export function startOtlp({ traces, metrics, logs }: OtlpSettings, options: ExportOptions): Exporting {
  const { mask, log } = options;
  const resource = resourceOf(options);
  const parts: Part[] = [];
  let tracer: OtlpTracer | undefined;
  let exported: Log | undefined;
  if (traces !== undefined) {
    const losses = new Losses("spans", traces.endpoint, log, traces.batches.maxQueueSize);
    const exporter = new SpanExporter(traces, losses);
    const provider = new TracerProvider({
      resource,
      sampler: samplerOf(traces.sampler, traces.ratio),
      spanLimits: { attributeValueLengthLimit: LONGEST_ATTRIBUTE },
      spanProcessors: [new CountingProcessor({ exporter, ...traces.batches }, losses)],
    });
    tracer = new OtlpTracer(provider.getTracer(SCOPE, options.version), mask);
    parts.push({ losses, shutdown: () => provider.shutdown() });
  }
  if (logs !== undefined) {
    const losses = new Losses("log records", logs.endpoint, log, logs.batches.maxQueueSize);
    const exporter = new LogExporter(logs, losses);
    const processor = new CountingLogProcessor({ exporter, ...logs.batches }, losses);
    const provider = new LoggerProvider({
      resource,
      logRecordLimits: { attributeValueLengthLimit: LONGEST_ATTRIBUTE },
      processors: [processor],
    });
    exported = otlpLog(provider.getLogger(SCOPE, options.version), mask);
    parts.push({ losses, shutdown: () => provider.shutdown() });
  }
  if (metrics !== undefined) {
    const losses = new Losses("reports of metrics", metrics.endpoint, log);
    const reader = new PeriodicExportingMetricReader({
      exporter: new MetricExporter(metrics, losses),
      exportIntervalMillis: metrics.intervalMs,
      exportTimeoutMillis: Math.min(metrics.intervalMs, metrics.timeoutMs),
      metricProducers: [metricProducer(options.metrics, { name: SCOPE, version: options.version })],
    });
    const provider = new MeterProvider({ resource, readers: [reader] });
    parts.push({ losses, shutdown: () => provider.shutdown() });
  }
  return {
    tracer,
    http: tracer === undefined ? undefined : httpTelemetry(tracer),
    log: exported,
    end: (timeoutMs) => endAll(parts, timeoutMs),
  };
}

interface Part {
  readonly losses: Losses;
  readonly shutdown: () => Promise<void>;
}

/** Sends what is left, for at most so long; whether all was sent, or given up, in that time. */
async function endAll(parts: readonly Part[], timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  const ended = await Promise.all(
    parts.map(async ({ losses, shutdown }) => {
      // What could not be sent has been counted by its exporter.
      const sent = shutdown().then(
        () => true,
        () => true,
      );
      const isInTime = await Promise.race([sent, late]);
      losses.end(isInTime);
      return isInTime;
    }),
  );
  clearTimeout(timer);
  return ended.every(Boolean);
}

class CountingProcessor extends BatchSpanProcessor {
  readonly #losses: Losses;

  constructor(options: ConstructorParameters<typeof BatchSpanProcessor>[0], losses: Losses) {
    super(options);
    this.#losses = losses;
  }

  override onEnd(span: ReadableSpan): void {
    this.#losses.add();
    super.onEnd(span);
  }
}

class CountingLogProcessor extends BatchLogRecordProcessor {
  readonly #losses: Losses;

  constructor(options: ConstructorParameters<typeof BatchLogRecordProcessor>[0], losses: Losses) {
    super(options);
    this.#losses = losses;
  }

  override onEmit(record: Parameters<BatchLogRecordProcessor["onEmit"]>[0]): void {
    this.#losses.add();
    super.onEmit(record);
  }
}

function samplerOf(name: NonNullable<OtlpSettings["traces"]>["sampler"], ratio: number): Sampler {
  switch (name) {
    case "always_on":
      return new AlwaysOnSampler();
    case "always_off":
      return new AlwaysOffSampler();
    case "traceidratio":
      return new TraceIdRatioBasedSampler(ratio);
    case "parentbased_always_on":
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case "parentbased_always_off":
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case "parentbased_traceidratio":
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }
}

/** What the environment says of the service stands over what we know of it. */
function resourceOf({ service, version, serviceVersion }: ExportOptions): Resource {
  const known = resourceFromAttributes({
    "service.name": service,
    "service.version": serviceVersion ?? version,
    "service.instance.id": randomUUID(),
    "host.name": hostname(),
    "process.pid": process.pid,
    "process.runtime.name": "nodejs",
    "process.runtime.version": process.versions.node,
    "starlane.version": version,
  });
  return defaultResource()
    .merge(known)
    .merge(detectResources({ detectors: [envDetector] }));
}
