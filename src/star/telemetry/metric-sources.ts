// Where the numbers come from that are sent as metrics.

import type { HttpReading } from "../../triggers/http/metrics.ts";
import type { TransactionMetrics } from "./transaction-metrics.ts";

export interface MetricSources {
  readonly transactions?: TransactionMetrics | undefined;
  /** Undefined: nothing is served. */
  readonly http: () => HttpReading | undefined;
}
