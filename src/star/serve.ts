// Serves loaded apps over HTTP: listeners from their triggers, several apps behind one port told apart by hostname.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { StarlaneError } from "../base/errors.ts";
import type { HttpTrigger } from "../manifest/triggers.ts";
import type {
  AdminOptions,
  HttpLogEntry,
  HttpTelemetry,
  LimitOptions,
  ListenerOptions,
  VirtualHost,
} from "../triggers/http/http.ts";
import { type HttpServer, startHttpServer } from "../triggers/http/server.ts";
import type { App, LoadedComponent } from "./app.ts";
import type { ServeContext } from "./http-call.ts";
import { defaultRoutes, routesOf } from "./http-routes.ts";
import { hasSchedules } from "./schedules.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import { OperationTelemetry } from "./telemetry/transaction-telemetry.ts";

export interface ServeOptions {
  /** Told of the transactions that requests start; its metrics stand in `/metrics`. */
  readonly telemetry?: Telemetry | undefined;
  /** Told of the requests. */
  readonly httpTelemetry?: HttpTelemetry | undefined;
  /** In place of the ports of the triggers, where there is one listener; 8080 for targets without triggers. */
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  /** Of the listeners in their order, where they are known: those that another process of the same apps took. */
  readonly ports?: readonly number[] | undefined;
  /** Other processes serve the same ports. */
  readonly reusePort?: boolean | undefined;
  readonly shareMetrics?: AdminOptions["shareMetrics"];
  readonly log?: ((entry: HttpLogEntry) => void) | undefined;
}

export const DEFAULT_PORT = 8080;
export const DEFAULT_HOST = "127.0.0.1";

/** @throws StarlaneError `http/listen`, `http/bad-route`, `http/conflicting-routes` (rejects) */
export async function serve(targets: readonly LoadedComponent[], options: ServeOptions): Promise<HttpServer> {
  const { telemetry, httpTelemetry, log, shareMetrics } = options;
  const admin = { furtherMetrics: () => telemetry?.metrics?.text() ?? "", shareMetrics };
  return await startHttpServer({ listeners: listenersOf(targets, options), log, admin, telemetry: httpTelemetry });
}

/** @throws StarlaneError `star/file`, `http/bad-route`, `cli/usage` */
export function listenersOf(targets: readonly LoadedComponent[], options: ServeOptions): ListenerOptions[] {
  const listeners = new Map<string, { options: ListenerOptions; hosts: VirtualHost[] }>();
  const served = targets.flatMap((target) => servedBy(target, options));
  const ports = new Set(served.map(({ port }) => port));
  if (options.port !== undefined && ports.size > 1) {
    throw new StarlaneError("cli/usage", `--port does not fit: there are listeners at ${[...ports].join(" and ")}`, {
      cure: "change the ports in the manifests",
    });
  }
  for (const { port: declared, host, trigger, app, hosts } of served) {
    const port = options.port ?? declared;
    const address = options.host ?? host;
    const key = `${address}:${port}`;
    const known = listeners.get(key);
    if (known !== undefined) {
      known.hosts.push(...hosts);
      continue;
    }
    const tls = trigger?.tls;
    const certificate = tls === undefined || app === undefined ? undefined : { cert: pem(app, tls.cert), key: pem(app, tls.key) };
    listeners.set(key, {
      hosts: [...hosts],
      options: {
        address,
        port,
        tls: certificate === undefined ? undefined : [certificate],
        reusePort: options.reusePort,
        limits: trigger === undefined ? undefined : limitsOf(trigger),
      },
    });
  }
  return [...listeners.values()].map(({ options: listener, hosts }, i) => ({
    ...listener,
    port: options.ports?.[i] ?? listener.port,
    hosts,
  }));
}

function contextOf({ name }: LoadedComponent, { telemetry, httpTelemetry }: ServeOptions): ServeContext {
  return {
    telemetryOf: (operation) =>
      telemetry === undefined ? undefined : new OperationTelemetry(telemetry, name, operation, "http"),
    isTraced: httpTelemetry !== undefined,
  };
}

interface Served {
  readonly port: number;
  readonly host: string;
  readonly trigger: HttpTrigger | undefined;
  readonly app: App | undefined;
  readonly hosts: readonly VirtualHost[];
}

function servedBy(target: LoadedComponent, options: ServeOptions): Served[] {
  const context = contextOf(target, options);
  const about = { title: target.name, version: target.kind === "app" ? (target.manifest.version ?? "0.0.0") : "0.0.0" };
  const triggers = target.kind === "app" ? target.manifest.triggers.filter((trigger) => trigger.kind === "http") : [];
  // An app that only its schedules start listens to nobody.
  if (triggers.length === 0 && hasSchedules(target)) return [];
  if (target.kind === "wasm" || triggers.length === 0) {
    const hosts = [{ hostnames: ["*"], routes: defaultRoutes(target, context), openApi: about }];
    return [{ port: DEFAULT_PORT, host: DEFAULT_HOST, trigger: undefined, app: undefined, hosts }];
  }
  return triggers.map((trigger) => {
    const { routes, middleware } = routesOf(target, trigger, context);
    const description = target.manifest.description;
    const hosts = [
      {
        hostnames: trigger.hostnames.length === 0 ? ["*"] : trigger.hostnames,
        routes,
        openApi: { ...about, description, middleware },
      },
    ];
    return { port: trigger.port, host: trigger.host ?? DEFAULT_HOST, trigger, app: target, hosts };
  });
}

/** The text itself, or a file of that name. */
function pem(app: App, text: string): string {
  if (text.includes("-----BEGIN")) return text;
  try {
    return readFileSync(resolve(app.folder, text), "utf8");
  } catch (error) {
    throw new StarlaneError("star/file", `${text} cannot be read`, {
      at: app.file,
      cure: "Name a PEM file beside the manifest.",
      cause: error,
    });
  }
}

function limitsOf({ limits }: HttpTrigger): LimitOptions {
  const { bodyBytes, timeMs, concurrency, headersBytes, connections, idleMs } = limits;
  const route = { ...(bodyBytes === undefined ? {} : { bodyBytes }), ...(timeMs === undefined ? {} : { timeMs }) };
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(headersBytes === undefined ? {} : { headBytes: headersBytes }),
    ...(connections === undefined ? {} : { connections }),
    ...(idleMs === undefined ? {} : { keepAliveMs: idleMs }),
    ...(Object.keys(route).length === 0 ? {} : { route }),
  };
}
