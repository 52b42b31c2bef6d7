// Finds who answers a request: the pages of operators, the host by its name, the route by method and path; what no route answers is
// answered here.

import { WebSocketServer } from "ws";
import type { IncomingMessage } from "node:http";
import type { AdminPages } from "./admin.ts";
import { Hostnames, readHead, type Arrival, type ArrivedHead } from "./arrival.ts";
import type { NodeRequest } from "./body.ts";
import { Deadlines } from "./deadlines.ts";
import { Exchange, IncomingRequest, type NodeResponse } from "./exchange.ts";
import { failureOf, type Log } from "./failure.ts";
import { rawField } from "./fields.ts";
import { Gate } from "./gate.ts";
import type { HttpLimits, HttpTelemetry, PlainResponse, VirtualHost } from "./http.ts";
import type { HttpMetrics } from "./metrics.ts";
import { HttpProblem, problemResponse } from "./problem.ts";
import { ReadyHosts, type ReadyHost, type ReadyRoute } from "./routes.ts";
import type { Match } from "./router.ts";
import { OpenRuns, Run, type Surroundings } from "./run.ts";
import { segmentsOf, type Target } from "./target.ts";
import { within } from "./within.ts";

const NO_NAMES: readonly string[] = [];

/** What the listeners of a server share. */
export interface Shared {
  readonly log: Log | undefined;
  readonly telemetry: HttpTelemetry | undefined;
  readonly metrics: HttpMetrics;
  readonly admin: AdminPages;
  /** They are served by listeners of their own. */
  readonly adminIsApart: boolean;
  readonly isClosing: () => boolean;
}

/** Finds answers for the requests of one listener, until another takes its place. */
export class Dispatcher {
  readonly gate: Gate;
  readonly open = new OpenRuns();
  readonly #shared: Shared;
  readonly #around: Surroundings;
  readonly #hostnames = new Hostnames();
  readonly #hosts: ReadyHosts;
  /** Connections are closed with their next response: nobody listens there any more. */
  #isLeft = false;

  /** @throws StarlaneError `http/bad-route`, `http/conflicting-routes` */
  constructor(hosts: readonly VirtualHost[], limits: HttpLimits, shared: Shared) {
    const { log, telemetry, metrics } = shared;
    const { open } = this;
    const isClosing = (): boolean => this.#isLeft || shared.isClosing();
    const protocols = new WeakMap<IncomingMessage, readonly string[]>();
    const webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: limits.messageBytes,
      handleProtocols: (offered, request) => protocols.get(request)?.find((protocol) => offered.has(protocol)) ?? false,
    });
    this.gate = new Gate(limits);
    this.#shared = shared;
    this.#around = {
      deadlines: new Deadlines(),
      limits,
      log,
      telemetry,
      metrics,
      gate: this.gate,
      webSockets,
      protocols,
      open,
      isClosing,
    };
    this.#hosts = new ReadyHosts(hosts, limits, log);
  }

  /** Every connection is to end with what it carries now. */
  leave(): void {
    this.#isLeft = true;
  }

  /** Lets what runs end, cuts what has not after that time, and closes what it served with; whether all came to its end. */
  async retire(deadlineMs: number): Promise<boolean> {
    const inTime = await within(this.open.idle(), deadlineMs);
    if (!inTime) this.open.cut();
    await this.open.idle();
    await this.closeHosts();
    return inTime;
  }

  closeHosts(): Promise<void> {
    return this.#hosts.close();
  }

  /** Whether an upgrade that a request asks for is to be made: other routes than websockets answer as if it had not asked. */
  wantsUpgrade(node: NodeRequest): boolean {
    if (rawField(node.rawHeaders, "upgrade")?.toLowerCase() !== "websocket") return false;
    try {
      const { target, authority } = readHead(node, this.#around.limits);
      const found = this.#hosts.find(this.#hostnames.of(authority))?.router.find(node.method ?? "", segmentsOf(target.path));
      return found !== undefined && "value" in found && found.value.isWebSocket;
    } catch {
      return false;
    }
  }

  handle(node: NodeRequest, response: NodeResponse, arrival: Arrival): void {
    const startedMs = performance.now();
    let head: ArrivedHead | undefined;
    let found: Match<ReadyRoute> | PlainResponse;
    try {
      head = readHead(node, this.#around.limits);
      found = this.#find(node, head, arrival);
    } catch (error) {
      found = this.#unrouted(error);
    }
    const route = "value" in found ? found.value : undefined;
    const exchange = this.#exchange(node, response, arrival, head, "value" in found ? found : undefined);
    const run = new Run(exchange, route, arrival, startedMs, this.#around);
    if (route !== undefined) run.start(route);
    else if (!("value" in found)) run.answer(found);
  }

  #unrouted(error: unknown): PlainResponse {
    const { response, error: inside } = failureOf(error, { id: "" });
    if (inside !== undefined) this.#around.log?.({ level: "error", message: "a request could not be routed", error: inside });
    return response;
  }

  /** The route, or the answer where there is none. @throws HttpProblem */
  #find(node: NodeRequest, { target, authority }: ArrivedHead, arrival: Arrival): Match<ReadyRoute> | PlainResponse {
    if (arrival.isAdmin || !this.#shared.adminIsApart) {
      const page = this.#shared.admin.get(target.path);
      if (page !== undefined) return page();
      if (arrival.isAdmin) return problemResponse(404);
    }
    const host = this.#hosts.find(this.#hostnames.of(authority));
    if (host === undefined) throw new HttpProblem(421, { detail: "nothing is served under this name" });
    return findRoute(host, node, target);
  }

  #exchange(
    node: NodeRequest,
    response: NodeResponse,
    arrival: Arrival,
    head: ArrivedHead | undefined,
    match: Match<ReadyRoute> | undefined,
  ): Exchange {
    const { limits } = this.#around;
    const routeLimits = match?.value.limits ?? limits.route;
    const { target } = head ?? {};
    const path = target === undefined || target.authority === undefined ? (node.url ?? "/") : originForm(target);
    const bodyLimits = match?.value.bodyLimits ?? { bytes: limits.route.bodyBytes, idleMs: limits.bodyIdleMs };
    const request = new IncomingRequest(node, path, head?.authority ?? "", arrival.isSecure, bodyLimits, arrival.onFirstRead);
    const isUpgrade = arrival.upgrade !== undefined;
    const deadlineMs = Date.now() + routeLimits.timeMs;
    return new Exchange(
      request,
      response,
      match?.value.label ?? "",
      deadlineMs,
      match?.names ?? NO_NAMES,
      match?.values ?? NO_NAMES,
      isUpgrade,
    );
  }
}

function originForm({ path, query }: Target): string {
  return query === undefined ? path : `${path}?${query}`;
}

/** @throws HttpProblem 400, 404, 405 */
function findRoute(host: ReadyHost, node: NodeRequest, { path }: Target): Match<ReadyRoute> | PlainResponse {
  const method = node.method ?? "GET";
  const plain = host.router.findPlain(method, path);
  if (plain !== undefined) return plain;
  if (path === "*") return { status: 204, headers: [] };
  const segments = segmentsOf(path);
  if (method === "OPTIONS") {
    const preflight = preflightOf(host, node, segments);
    if (preflight !== undefined) return preflight;
  }
  const found = host.router.find(method, segments);
  if (found === undefined) throw new HttpProblem(404);
  if ("value" in found) return found;
  const allow = [...found.allow, ...(found.allow.includes("OPTIONS") ? [] : ["OPTIONS"])].join(", ");
  if (method === "OPTIONS") return { status: 204, headers: [["allow", allow]] };
  throw new HttpProblem(405, { detail: `this path has ${allow}`, headers: [["allow", allow]] });
}

function preflightOf(host: ReadyHost, node: NodeRequest, segments: readonly string[]): PlainResponse | undefined {
  const wanted = rawField(node.rawHeaders, "access-control-request-method");
  const origin = rawField(node.rawHeaders, "origin");
  if (wanted === undefined || origin === undefined) return undefined;
  const found = host.router.find(wanted, segments);
  return found !== undefined && "value" in found ? found.value.cors?.preflight(origin, [wanted]) : undefined;
}
