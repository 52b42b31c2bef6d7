// Whether and how telemetry is exported, from the standard variables of OpenTelemetry. Off unless an endpoint is configured. What the exporters
// read themselves (headers, timeouts, compression, certificates) is not repeated here.

import { StarlaneError } from "../../base/errors.ts";

export type Signal = "traces" | "metrics" | "logs";
export type Protocol = "http/protobuf" | "http/json";

export interface SignalSettings {
  readonly protocol: Protocol;
  /** With its path. */
  readonly url: string;
  /** The same for messages: without what may be secret. */
  readonly endpoint: string;
}

export interface BatchSettings {
  readonly scheduledDelayMillis: number;
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly exportTimeoutMillis: number;
}

export type SamplerName =
  | "always_on"
  | "always_off"
  | "traceidratio"
  | "parentbased_always_on"
  | "parentbased_always_off"
  | "parentbased_traceidratio";

export interface OtlpSettings {
  /** Undefined: that signal is not exported. */
  readonly traces:
    | (SignalSettings & { readonly sampler: SamplerName; readonly ratio: number; readonly batches: BatchSettings })
    | undefined;
  readonly metrics: (SignalSettings & { readonly intervalMs: number; readonly timeoutMs: number }) | undefined;
  readonly logs: (SignalSettings & { readonly batches: BatchSettings }) | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined: nothing is exported. @throws StarlaneError `telemetry/bad-setting` */
export function otlpSettings(env: Environment): OtlpSettings | undefined {
  // The one check that processes without telemetry pay for.
  if (!Object.keys(env).some((name) => ENDPOINT.test(name) && env[name] !== "")) return undefined;
  if (env["OTEL_SDK_DISABLED"]?.trim().toLowerCase() === "true") return undefined;
  const read = new Variables(env);
  const traces = read.signal("traces");
  const metrics = read.signal("metrics");
  const logs = read.signal("logs");
  if (traces === undefined && metrics === undefined && logs === undefined) return undefined;
  return {
    traces: traces && { ...traces, ...read.sampler(), batches: read.batches("BSP", 5000) },
    metrics: metrics && {
      ...metrics,
      intervalMs: read.count("OTEL_METRIC_EXPORT_INTERVAL", 60_000),
      timeoutMs: read.count("OTEL_METRIC_EXPORT_TIMEOUT", 30_000),
    },
    logs: logs && { ...logs, batches: read.batches("BLRP", 1000) },
  };
}

const ENDPOINT = /^OTEL_EXPORTER_OTLP_(?:(?:TRACES|METRICS|LOGS)_)?ENDPOINT$/;
const SAMPLERS: readonly SamplerName[] = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
];

class Variables {
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Empty is as if it was not set, as the standard says. */
  #text(name: string): string | undefined {
    const text = this.#env[name]?.trim();
    return text === "" ? undefined : text;
  }

  signal(signal: Signal): SignalSettings | undefined {
    const name = signal.toUpperCase();
    const own = this.#text(`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`);
    const common = this.#text("OTEL_EXPORTER_OTLP_ENDPOINT");
    const text = own ?? common;
    if (text === undefined) return undefined;
    const variable = `OTEL_${name}_EXPORTER`;
    const exporter = this.#text(variable) ?? "otlp";
    if (exporter === "none") return undefined;
    if (exporter !== "otlp") throw bad(variable, exporter, "write otlp or none: other exporters are a collector's business");
    const url = URL.parse(text);
    if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
      const named = own === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : `OTEL_EXPORTER_OTLP_${name}_ENDPOINT`;
      throw bad(named, text, "write a URL: http://localhost:4318");
    }
    if (own === undefined) url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal}`;
    return { protocol: this.#protocol(name), url: url.href, endpoint: `${url.origin}${url.pathname}` };
  }

  #protocol(signal: string): Protocol {
    const own = `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`;
    const variable = this.#text(own) === undefined ? "OTEL_EXPORTER_OTLP_PROTOCOL" : own;
    const protocol = this.#text(variable) ?? "http/protobuf";
    if (protocol === "http/protobuf" || protocol === "http/json") return protocol;
    const cure = "write http/protobuf or http/json";
    throw bad(variable, protocol, protocol === "grpc" ? `${cure}, and the collector's port for HTTP, most often 4318` : cure);
  }

  sampler(): { readonly sampler: SamplerName; readonly ratio: number } {
    const text = this.#text("OTEL_TRACES_SAMPLER") ?? "parentbased_always_on";
    const sampler = SAMPLERS.find((name) => name === text);
    if (sampler === undefined) throw bad("OTEL_TRACES_SAMPLER", text, `write one of: ${SAMPLERS.join(", ")}`);
    const argument = this.#text("OTEL_TRACES_SAMPLER_ARG");
    const ratio = argument === undefined || !sampler.endsWith("traceidratio") ? 1 : Number(argument);
    if (ratio >= 0 && ratio <= 1) return { sampler, ratio };
    throw bad("OTEL_TRACES_SAMPLER_ARG", argument ?? "", "write a number from 0 to 1: the share of traces that is kept");
  }

  batches(prefix: "BSP" | "BLRP", delayMs: number): BatchSettings {
    const maxQueueSize = this.count(`OTEL_${prefix}_MAX_QUEUE_SIZE`, 2048);
    return {
      scheduledDelayMillis: this.count(`OTEL_${prefix}_SCHEDULE_DELAY`, delayMs),
      maxQueueSize,
      maxExportBatchSize: Math.min(maxQueueSize, this.count(`OTEL_${prefix}_MAX_EXPORT_BATCH_SIZE`, 512)),
      exportTimeoutMillis: this.count(`OTEL_${prefix}_EXPORT_TIMEOUT`, 30_000),
    };
  }

  /** A whole number from 1 on. */
  count(name: string, otherwise: number): number {
    const text = this.#text(name);
    if (text === undefined) return otherwise;
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= 2 ** 31 - 1) return count;
    throw bad(name, text, "write a whole number from 1 on");
  }
}

function bad(name: string, value: string, cure: string): StarlaneError {
  return new StarlaneError("telemetry/bad-setting", `${name} cannot be ${JSON.stringify(value.slice(0, 200))}`, { cure });
}
