// Counts of requests by route, method and status, and how long they took: as Prometheus' text, and as numbers for whoever sends them on.
// Their number is bounded: routes are those of the manifest, methods and statuses those of HTTP.

const DURATION_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]);

/** How many values fell between bounds. */
export class Histogram {
  /** The upper ends of its buckets, ascending; the last bucket is beyond all of them. */
  readonly bounds: readonly number[];
  /** By bucket, not added up. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[] = DURATION_BOUNDS) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  add(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    this.sum += value;
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** The values of several together; they have the same bounds. */
  static sum(histograms: Iterable<Histogram>): Histogram {
    const whole = new Histogram();
    for (const { counts, sum } of histograms) {
      for (const [i, count] of counts.entries()) whole.counts[i] = (whole.counts[i] ?? 0) + count;
      whole.sum += sum;
    }
    return whole;
  }
}

/** What is counted of one route with one method: seconds, by status. */
class Series {
  readonly scheme: "http" | "https";
  readonly route: string;
  readonly method: string;
  readonly byStatus = new Map<number, Histogram>();

  constructor(scheme: "http" | "https", route: string, method: string) {
    this.scheme = scheme;
    this.route = route;
    this.method = method;
  }

  add(status: number, seconds: number): void {
    let durations = this.byStatus.get(status);
    if (durations === undefined) this.byStatus.set(status, (durations = new Histogram()));
    durations.add(seconds);
  }
}

export interface HttpGauges {
  readonly inFlight: number;
  /** Requests that wait for their turn. */
  readonly queued: number;
  readonly connections: number;
  readonly isReady: boolean;
}

/** The numbers of a moment. */
export interface HttpReading extends HttpGauges {
  readonly requests: readonly {
    readonly scheme: "http" | "https";
    /** "" where no route was found. */
    readonly route: string;
    /** `OTHER` where HTTP does not know it. */
    readonly method: string;
    readonly status: number;
    /** Seconds. */
    readonly durations: Histogram;
  }[];
}

export class HttpMetrics {
  readonly #routes = { http: new Map<string, Map<string, Series>>(), https: new Map<string, Map<string, Series>>() };
  readonly #gauges: () => HttpGauges;

  constructor(gauges: () => HttpGauges) {
    this.#gauges = gauges;
  }

  /** `route` is a path pattern; "" where none was found. */
  add(scheme: "http" | "https", route: string, method: string, status: number, durationMs: number): void {
    const known = METHODS.has(method) ? method : "OTHER";
    const routes = this.#routes[scheme];
    let methods = routes.get(route);
    if (methods === undefined) routes.set(route, (methods = new Map()));
    let series = methods.get(known);
    if (series === undefined) methods.set(known, (series = new Series(scheme, route, known)));
    series.add(status, durationMs / 1000);
  }

  #series(): Series[] {
    const { http, https } = this.#routes;
    return [...http.values(), ...https.values()].flatMap((methods) => [...methods.values()]);
  }

  read(): HttpReading {
    const requests = this.#series().flatMap(({ scheme, route, method, byStatus }) =>
      [...byStatus].map(([status, durations]) => ({ scheme, route, method, status, durations })),
    );
    return { ...this.#gauges(), requests };
  }

  text(): string {
    const all = [...Map.groupBy(this.#series(), ({ route, method }) => `${method} ${route}`).values()];
    const { inFlight, queued, connections, isReady } = this.#gauges();
    return [
      "# HELP starlane_http_requests_total Requests that were answered.",
      "# TYPE starlane_http_requests_total counter",
      ...all.flatMap(totals),
      "# HELP starlane_http_request_duration_seconds From the head of the request to the end of the response.",
      "# TYPE starlane_http_request_duration_seconds histogram",
      ...all.flatMap((series) => {
        const durations = Histogram.sum(series.flatMap(({ byStatus }) => [...byStatus.values()]));
        return histogramLines("starlane_http_request_duration_seconds", labelsOf(series), durations);
      }),
      ...gaugeLines("starlane_http_requests_in_flight", "Requests that are being answered.", inFlight),
      ...gaugeLines("starlane_http_requests_queued", "Requests that wait for their turn.", queued),
      ...gaugeLines("starlane_http_connections", "Open connections.", connections),
      ...gaugeLines("starlane_http_ready", "1 while requests are welcome.", isReady ? 1 : 0),
      "",
    ].join("\n");
  }
}

/** Series of one route and method: of both schemes. */
function labelsOf([first]: readonly Series[]): string {
  return metricLabels({ route: first?.route ?? "", method: first?.method ?? "" });
}

function totals(series: readonly Series[]): readonly string[] {
  const byStatus = Map.groupBy(
    series.flatMap((one) => [...one.byStatus]),
    ([status]) => status,
  );
  return [...byStatus].map(([status, durations]) => {
    const count = durations.reduce((sum, [, histogram]) => sum + histogram.count, 0);
    return `starlane_http_requests_total{${labelsOf(series)},status="${status}"} ${count}`;
  });
}

export function gaugeLines(name: string, help: string, value: number): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`];
}

/** `labels` as `metricLabels` writes them. */
export function histogramLines(name: string, labels: string, { bounds, counts, sum }: Histogram): readonly string[] {
  let count = 0;
  const buckets = [...bounds, Infinity].map((bound, i) => {
    count += counts[i] ?? 0;
    return `${name}_bucket{${labels},le="${bound === Infinity ? "+Inf" : bound}"} ${count}`;
  });
  return [...buckets, `${name}_sum{${labels}} ${sum}`, `${name}_count{${labels}} ${count}`];
}

/** `name="value",…`, escaped. */
export function metricLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`)
    .join(",");
}
