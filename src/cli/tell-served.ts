// What `serve` says when it serves.

import type { Log } from "../base/log.ts";
import type { Address } from "../triggers/http/server.ts";

export interface Served {
  /** Of the apps. */
  readonly names: readonly string[];
  readonly addresses: readonly Address[];
  readonly schedules: number;
}

export function tellServed({ names, addresses, schedules }: Served, processes: number, log: Log): void {
  const apps = names.join(", ");
  const by = processes === 1 ? "" : ` with ${processes} processes`;
  for (const { host, port, isSecure } of addresses) {
    const shown = host.includes(":") ? `[${host}]` : host;
    const url = `${isSecure ? "https" : "http"}://${shown}:${port}`;
    log({ level: "info", message: `serving ${apps} at ${url}${by} (operations to try: ${url}/docs)` });
  }
  if (schedules > 0)
    log({ level: "info", message: `running ${schedules === 1 ? "a schedule" : `${schedules} schedules`} of ${apps}` });
}
