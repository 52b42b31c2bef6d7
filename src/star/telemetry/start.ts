// Starts telemetry where the environment configures it; where it does not, nothing of OpenTelemetry is loaded.

import type { Log } from "../../base/log.ts";
import type { HttpTelemetry } from "../../triggers/http/http.ts";
import type { MetricSources } from "./metric-sources.ts";
import { otlpSettings } from "./otlp-settings.ts";
import type { Tracer } from "./telemetry.ts";

export interface ExportOptions {
  /** `service.name`, where the environment does not say another. */
  readonly service: string;
  /** Of the app; that of Starlane where it has none. */
  readonly serviceVersion?: string | undefined;
  /** Of Starlane. */
  readonly version: string;
  /** Takes secrets out of what is exported. */
  readonly mask: (text: string) => string;
  /** Told of what cannot be exported. */
  readonly log?: Log | undefined;
  readonly metrics: MetricSources;
}

/** What takes part in transactions while telemetry is exported. */
export interface Exporting {
  readonly tracer: Tracer | undefined;
  readonly http: HttpTelemetry | undefined;
  readonly log: Log | undefined;
  /** Sends what is left, for at most so long; false where that was not enough. To be called once. */
  end(timeoutMs: number): Promise<boolean>;
}

/** Undefined: nothing is exported. @throws StarlaneError `telemetry/bad-setting` (rejects) */
export async function startExporting(
  env: Readonly<Record<string, string | undefined>>,
  options: ExportOptions,
): Promise<Exporting | undefined> {
  const settings = otlpSettings(env);
  if (settings === undefined) return undefined;
  const { startOtlp } = await import("./otlp.ts");
  return startOtlp(settings, options);
}
