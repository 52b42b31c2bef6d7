// Whether a request may begin: not more than the server and its route take at a time, not more often than one client may.

import type { Exchange } from "./exchange.ts";
import type { Gate } from "./gate.ts";
import { HttpProblem, unavailable } from "./problem.ts";
import type { ReadyRoute } from "./routes.ts";

/** The gates a request went through, to be left when it is over. @throws HttpProblem 429, 503; a promise where it has to wait */
export function admit(server: Gate, route: ReadyRoute, exchange: Exchange): void | Promise<void> {
  checkRate(route, exchange);
  const isIn = server.enter(exchange);
  if (isIn === true) return admitToRoute(server, route, exchange);
  if (isIn === false) throw unavailable("the server has too much to do");
  return isIn.then((admitted) => {
    if (!admitted) throw unavailable("the server has too much to do");
    return admitToRoute(server, route, exchange);
  });
}

/** Who is not let in by the route leaves the server. */
function admitToRoute(server: Gate, { gate }: ReadyRoute, exchange: Exchange): void | Promise<void> {
  const isIn = gate === undefined || gate.enter(exchange);
  if (isIn === true) return undefined;
  return isIn === false ? refuse(server) : isIn.then((admitted) => (admitted ? undefined : refuse(server)));
}

function refuse(server: Gate): never {
  server.leave();
  throw new HttpProblem(429, { detail: "too many requests of this kind are being answered", headers: [["retry-after", "1"]] });
}

export function leave(server: Gate, { gate }: ReadyRoute): void {
  gate?.leave();
  server.leave();
}

function checkRate({ rate }: ReadyRoute, exchange: Exchange): void {
  const waitMs = rate?.take(exchange.clientAddress, performance.now()) ?? 0;
  if (waitMs === 0) return;
  throw new HttpProblem(429, {
    detail: "there were too many requests",
    headers: [["retry-after", String(Math.ceil(waitMs / 1000))]],
  });
}
