// Exporters for OTLP over HTTP, in either encoding, that count what they lose. A collector that is down is told of once, not for every batch.

import { OTLPMetricExporterBase } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPExporterBase } from "@opentelemetry/otlp-exporter-base";
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from "@opentelemetry/otlp-exporter-base/node-http";
import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from "@opentelemetry/otlp-transformer";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { Losses } from "./losses.ts";
import type { Signal, SignalSettings } from "./otlp-settings.ts";

/** Headers, timeouts, compression and certificates come from the environment. */
function httpOptions(signal: Signal, { url, protocol }: SignalSettings): ReturnType<typeof convertLegacyHttpOptions> {
  const type = protocol === "http/json" ? "application/json" : "application/x-protobuf";
  return convertLegacyHttpOptions({ url, userAgent: "starlane" }, signal.toUpperCase(), `v1/${signal}`, { "Content-Type": type });
}

export class SpanExporter extends OTLPExporterBase<ReadableSpan[]> {
  readonly #losses: Losses;

  constructor(settings: SignalSettings, losses: Losses) {
    const serializer = settings.protocol === "http/json" ? JsonTraceSerializer : ProtobufTraceSerializer;
    const options = httpOptions("traces", settings);
    super(createOtlpHttpExportDelegate(options, serializer, "otlp_http_span_exporter", TraceExporterMetricsHelper, undefined));
    this.#losses = losses;
  }

  override export(spans: ReadableSpan[], done: Parameters<OTLPExporterBase<ReadableSpan[]>["export"]>[1]): void {
    super.export(spans, this.#losses.heard(spans.length, done));
  }
}

export class LogExporter extends OTLPExporterBase<ReadableLogRecord[]> {
  readonly #losses: Losses;

  constructor(settings: SignalSettings, losses: Losses) {
    const serializer = settings.protocol === "http/json" ? JsonLogsSerializer : ProtobufLogsSerializer;
    const options = httpOptions("logs", settings);
    super(createOtlpHttpExportDelegate(options, serializer, "otlp_http_log_exporter", LogsExporterMetricsHelper, undefined));
    this.#losses = losses;
  }

  override export(records: ReadableLogRecord[], done: Parameters<OTLPExporterBase<ReadableLogRecord[]>["export"]>[1]): void {
    super.export(records, this.#losses.heard(records.length, done));
  }
}

type Metrics = Parameters<PushMetricExporter["export"]>[0];

export class MetricExporter extends OTLPMetricExporterBase {
  readonly #losses: Losses;

  constructor(settings: SignalSettings, losses: Losses) {
    const serializer = settings.protocol === "http/json" ? JsonMetricsSerializer : ProtobufMetricsSerializer;
    const options = httpOptions("metrics", settings);
    super(
      createOtlpHttpExportDelegate(options, serializer, "otlp_http_metric_exporter", MetricsExporterMetricsHelper, undefined),
    );
    this.#losses = losses;
  }

  override export(metrics: Metrics, done: Parameters<PushMetricExporter["export"]>[1]): void {
    super.export(metrics, this.#losses.heard(1, done));
  }
}
