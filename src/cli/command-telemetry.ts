// Telemetry of commands that run one transaction. Nothing of it is loaded where the environment does not ask for it.

import type { Loaded } from "../star/star.ts";
import type { OperationTelemetry } from "../star/telemetry/transaction-telemetry.ts";
import type { CommandLine } from "./command-line.ts";

export interface CommandTelemetry {
  of(operation: string): OperationTelemetry;
  /** Sends what is left. */
  end(): Promise<void>;
}

/** @throws StarlaneError `telemetry/bad-setting` (rejects) */
export async function telemetryOfCommand(loaded: Loaded, line: CommandLine): Promise<CommandTelemetry | undefined> {
  if (!Object.keys(process.env).some((name) => /^OTEL_EXPORTER_OTLP_.*ENDPOINT$/.test(name))) return undefined;
  const { CommandLog } = await import("./log.ts");
  const { endExport, exportOf } = await import("./telemetry.ts");
  const { TransactionMetrics } = await import("../star/telemetry/transaction-metrics.ts");
  const metrics = new TransactionMetrics();
  const exporting = await exportOf([loaded], { transactions: metrics, http: () => undefined }, new CommandLog(line).logHere);
  if (exporting === undefined) return undefined;
  const { OperationTelemetry } = await import("../star/telemetry/transaction-telemetry.ts");
  const telemetry = { log: exporting.log, metrics, tracer: exporting.tracer };
  return {
    of: (operation) => new OperationTelemetry(telemetry, loaded.target.name, operation, "cli"),
    end: () => endExport(exporting),
  };
}
