// What operators ask a server for: whether it lives, whether requests are welcome, and its metrics.

import type { AdminOptions, PlainResponse } from "./http.ts";
import type { HttpMetrics } from "./metrics.ts";

/** By path. */
export type AdminPages = ReadonlyMap<string, () => PlainResponse>;

export function adminPages(options: AdminOptions, metrics: HttpMetrics, isReady: () => boolean): AdminPages {
  const pages = new Map<string, () => PlainResponse>();
  const own = (): string => metrics.text() + (options.furtherMetrics?.() ?? "");
  const gather = options.shareMetrics?.(own);
  const metricsBody = (): PlainResponse["body"] => (gather === undefined ? own() : later(gather));
  const add = (path: string | null, page: () => PlainResponse): void => {
    if (path !== null) pages.set(path, page);
  };
  add(options.healthPath === undefined ? "/healthz" : options.healthPath, () => text(200, "ok\n"));
  add(options.readyPath === undefined ? "/readyz" : options.readyPath, () =>
    isReady() ? text(200, "ready\n") : text(503, "not ready\n"),
  );
  add(options.metricsPath === undefined ? "/metrics" : options.metricsPath, () =>
    text(200, metricsBody(), "text/plain; version=0.0.4; charset=utf-8"),
  );
  return pages;
}

async function* later(body: () => Promise<string>): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(await body());
}

function text(status: number, body: PlainResponse["body"], type = "text/plain; charset=utf-8"): PlainResponse {
  return {
    status,
    headers: [
      ["content-type", type],
      ["cache-control", "no-store"],
    ],
    body,
  };
}
