// Counts of requests by route, method and status, and how long they took, as Prometheus' text. Their number is bounded: routes are those
// of the manifest, methods and statuses those of HTTP.

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"]);

/** What is counted of one route with one method. */
class Series {
  readonly route: string;
  readonly method: string;
  readonly byStatus = new Map<number, number>();
  /** Not yet added up; the last one is beyond every bound. */
  readonly counts = new Float64Array(BUCKETS.length + 1);
  sumSeconds = 0;

  constructor(route: string, method: string) {
    this.route = route;
    this.method = method;
  }

  add(status: number, seconds: number): void {
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket++;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sumSeconds += seconds;
  }
}

export class HttpMetrics {
  readonly #routes = new Map<string, Map<string, Series>>();
  readonly #gauges: () => { readonly inFlight: number; readonly connections: number; readonly isReady: boolean };

  constructor(gauges: () => { readonly inFlight: number; readonly connections: number; readonly isReady: boolean }) {
    this.#gauges = gauges;
  }

  /** `route` is a path pattern; "" where none was found. */
  add(route: string, method: string, status: number, durationMs: number): void {
    const known = METHODS.has(method) ? method : "OTHER";
    let methods = this.#routes.get(route);
    if (methods === undefined) this.#routes.set(route, (methods = new Map()));
    let series = methods.get(known);
    if (series === undefined) methods.set(known, (series = new Series(route, known)));
    series.add(status, durationMs / 1000);
  }

  text(): string {
    const all = [...this.#routes.values()].flatMap((methods) => [...methods.values()]);
    const { inFlight, connections, isReady } = this.#gauges();
    return [
      "# HELP starlane_http_requests_total Requests that were answered.",
      "# TYPE starlane_http_requests_total counter",
      ...all.flatMap(totals),
      "# HELP starlane_http_request_duration_seconds From the head of the request to the end of the response.",
      "# TYPE starlane_http_request_duration_seconds histogram",
      ...all.flatMap(histogram),
      ...gauge("starlane_http_requests_in_flight", "Requests that are being answered.", inFlight),
      ...gauge("starlane_http_connections", "Open connections.", connections),
      ...gauge("starlane_http_ready", "1 while requests are welcome.", isReady ? 1 : 0),
      "",
    ].join("\n");
  }
}

function gauge(name: string, help: string, value: number): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`];
}

function totals({ route, method, byStatus }: Series): readonly string[] {
  return [...byStatus].map(
    ([status, count]) => `starlane_http_requests_total{${labels(route, method)},status="${status}"} ${count}`,
  );
}

function histogram({ route, method, counts, sumSeconds }: Series): readonly string[] {
  const name = "starlane_http_request_duration_seconds";
  let sum = 0;
  const buckets = [...BUCKETS, Infinity].map((bound, i) => {
    sum += counts[i] ?? 0;
    return `${name}_bucket{${labels(route, method)},le="${bound === Infinity ? "+Inf" : bound}"} ${sum}`;
  });
  return [...buckets, `${name}_sum{${labels(route, method)}} ${sumSeconds}`, `${name}_count{${labels(route, method)}} ${sum}`];
}

function labels(route: string, method: string): string {
  return `route="${route.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}",method="${method}"`;
}
