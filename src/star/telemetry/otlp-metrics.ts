// The numbers of `/metrics` as OpenTelemetry's: read when they are sent, so that counting costs the same with and without. Always cumulative.

import { type Attributes, type HrTime, ValueType } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type CollectionResult,
  type DataPoint,
  DataPointType,
  type Histogram as SdkHistogram,
  type MetricData,
  type MetricProducer,
} from "@opentelemetry/sdk-metrics";
import type { Histogram, HttpReading } from "../../triggers/http/metrics.ts";
import type { MetricSources } from "./metric-sources.ts";
import type { OperationMetrics } from "./transaction-metrics.ts";

const CUMULATIVE = AggregationTemporality.CUMULATIVE;

export function metricProducer({ transactions, http }: MetricSources, scope: { name: string; version: string }): MetricProducer {
  const since = timeOf(Date.now());
  return {
    collect(): Promise<CollectionResult> {
      const times = { since, now: timeOf(Date.now()) };
      const reading = http();
      const metrics = [
        ...(reading === undefined ? [] : httpMetrics(reading, times)),
        ...transactionMetrics(transactions?.read() ?? [], times),
        ...processMetrics(times),
      ];
      return Promise.resolve({ resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope, metrics }] }, errors: [] });
    },
  };
}

interface Times {
  readonly since: HrTime;
  readonly now: HrTime;
}

function timeOf(ms: number): HrTime {
  return [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];
}

function httpMetrics({ requests, inFlight, queued, connections }: HttpReading, times: Times): MetricData[] {
  const durations = requests.map(({ scheme, route, method, status, durations: histogram }) => {
    const attributes: Attributes = {
      "http.request.method": method === "OTHER" ? "_OTHER" : method,
      "url.scheme": scheme,
      ...(route === "" ? {} : { "http.route": route }),
      ...(status === 499 ? { "error.type": "http/client-left" } : { "http.response.status_code": status }),
      ...(status >= 500 ? { "error.type": String(status) } : {}),
    };
    return { attributes, value: histogram };
  });
  return [
    histogramOf("http.server.request.duration", "Duration of HTTP server requests.", durations, times),
    levelOf("http.server.active_requests", "Number of active HTTP server requests.", "{request}", inFlight, times),
    levelOf("starlane.http.queued_requests", "Requests that wait for their turn.", "{request}", queued, times),
    levelOf("starlane.http.connections", "Open connections.", "{connection}", connections, times),
  ];
}

function transactionMetrics(all: readonly OperationMetrics[], times: Times): MetricData[] {
  const by = <Value>(of: (one: OperationMetrics) => Value): { attributes: Attributes; value: Value }[] =>
    all.map((one) => ({ attributes: { "starlane.app": one.app, "starlane.operation": one.operation }, value: of(one) }));
  const counts = all.flatMap(({ app, operation, outcomes }) =>
    Object.entries(outcomes).map(([outcome, value]) => ({
      attributes: { "starlane.app": app, "starlane.operation": operation, "starlane.outcome": outcome },
      value,
    })),
  );
  return [
    sumOf("starlane.transactions", "Transactions that have ended.", "{transaction}", counts, true, times),
    histogramOf(
      "starlane.transaction.duration",
      "From the beginning of a transaction to its answer.",
      by((one) => one.durations),
      times,
    ),
    sumOf(
      "starlane.transactions.running",
      "Transactions that have begun and not ended.",
      "{transaction}",
      by((one) => one.running),
      false,
      times,
    ),
    sumOf(
      "starlane.transaction.fuel",
      "Units of fuel that transactions used.",
      "{unit}",
      by((one) => one.fuel),
      true,
      times,
    ),
    gaugeOf(
      "starlane.transaction.memory.peak",
      "The most memory that one call had.",
      "By",
      by((one) => one.memoryBytes),
      times,
    ),
  ];
}

function processMetrics(times: Times): MetricData[] {
  return [levelOf("process.memory.usage", "The amount of physical memory in use.", "By", process.memoryUsage.rss(), times)];
}

interface Point<Value> {
  readonly attributes: Attributes;
  readonly value: Value;
}

function pointsOf<Value>(points: readonly Point<Value>[], { since, now }: Times): DataPoint<Value>[] {
  return points.map(({ attributes, value }) => ({ startTime: since, endTime: now, attributes, value }));
}

function sumOf(
  name: string,
  description: string,
  unit: string,
  points: readonly Point<number>[],
  isMonotonic: boolean,
  times: Times,
): MetricData {
  return {
    descriptor: { name, description, unit, valueType: ValueType.INT },
    aggregationTemporality: CUMULATIVE,
    dataPointType: DataPointType.SUM,
    isMonotonic,
    dataPoints: pointsOf(points, times),
  };
}

/** What goes up and down. */
function levelOf(name: string, description: string, unit: string, value: number, times: Times): MetricData {
  return sumOf(name, description, unit, [{ attributes: {}, value }], false, times);
}

function gaugeOf(name: string, description: string, unit: string, points: readonly Point<number>[], times: Times): MetricData {
  return {
    descriptor: { name, description, unit, valueType: ValueType.INT },
    aggregationTemporality: CUMULATIVE,
    dataPointType: DataPointType.GAUGE,
    dataPoints: pointsOf(points, times),
  };
}

/** Of seconds. */
function histogramOf(name: string, description: string, points: readonly Point<Histogram>[], times: Times): MetricData {
  const whole = points.map(({ attributes, value }): Point<SdkHistogram> => {
    const { bounds, counts, sum, count } = value;
    return { attributes, value: { buckets: { boundaries: [...bounds], counts: [...counts] }, sum, count } };
  });
  return {
    descriptor: { name, description, unit: "s", valueType: ValueType.DOUBLE },
    aggregationTemporality: CUMULATIVE,
    dataPointType: DataPointType.HISTOGRAM,
    dataPoints: pointsOf(whole, times),
  };
}
