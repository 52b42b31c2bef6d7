// Counts of transactions by operation and outcome, how long they took, and what they used: as Prometheus' text, and as numbers for whoever
// sends them on. Their number is bounded: operations are those of the apps that run.

import { Histogram, histogramLines, metricLabels } from "../../triggers/http/metrics.ts";

/**
 * How a transaction ended. `error`: with an error that is an answer: the operation's own, or that its input breaks a rule.
 * `failed`: it was stopped, or something in it broke. `cancelled`: nobody waits for it any more.
 */
export type Outcome = "done" | "error" | "failed" | "cancelled";

/** The transactions of one operation. */
export class OperationMetrics {
  readonly app: string;
  readonly operation: string;
  readonly outcomes: Record<Outcome, number> = { done: 0, error: 0, failed: 0, cancelled: 0 };
  /** Seconds. */
  readonly durations = new Histogram();
  /** Units of all together. */
  fuel = 0;
  /** The most that one had. */
  memoryBytes = 0;
  running = 0;

  constructor(app: string, operation: string) {
    this.app = app;
    this.operation = operation;
  }

  end(outcome: Outcome, durationMs: number, usage: { readonly fuel: number; readonly memoryBytes: number }): void {
    this.running--;
    this.outcomes[outcome]++;
    this.durations.add(durationMs / 1000);
    this.fuel += usage.fuel;
    if (usage.memoryBytes > this.memoryBytes) this.memoryBytes = usage.memoryBytes;
  }
}

export class TransactionMetrics {
  readonly #operations = new Map<string, OperationMetrics>();

  of(app: string, operation: string): OperationMetrics {
    const key = JSON.stringify([app, operation]);
    let found = this.#operations.get(key);
    if (found === undefined) this.#operations.set(key, (found = new OperationMetrics(app, operation)));
    return found;
  }

  read(): readonly OperationMetrics[] {
    return [...this.#operations.values()];
  }

  /** Lines for `/metrics`, each ended by a line feed. */
  text(): string {
    const all = this.read();
    const duration = "starlane_transaction_duration_seconds";
    const lines = [
      ...head("starlane_transactions_total", "counter", "Transactions that have ended."),
      ...all.flatMap((one) =>
        Object.entries(one.outcomes).map(
          ([outcome, count]) => `starlane_transactions_total{${labels(one)},outcome="${outcome}"} ${count}`,
        ),
      ),
      ...head(duration, "histogram", "From the beginning of a transaction to its answer."),
      ...all.flatMap((one) => histogramLines(duration, labels(one), one.durations)),
      ...head("starlane_transactions_running", "gauge", "Transactions that have begun and not ended."),
      ...all.map((one) => `starlane_transactions_running{${labels(one)}} ${one.running}`),
      ...head("starlane_transaction_fuel_total", "counter", "Units of fuel that transactions used."),
      ...all.map((one) => `starlane_transaction_fuel_total{${labels(one)}} ${one.fuel}`),
      ...head("starlane_transaction_memory_peak_bytes", "gauge", "The most memory that one call had."),
      ...all.map((one) => `starlane_transaction_memory_peak_bytes{${labels(one)}} ${one.memoryBytes}`),
    ];
    return lines.map((line) => `${line}\n`).join("");
  }
}

function head(name: string, type: string, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function labels({ app, operation }: OperationMetrics): string {
  return metricLabels({ app, operation });
}
