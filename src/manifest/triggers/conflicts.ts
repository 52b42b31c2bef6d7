// Finds routes of one listener that take the same requests, and listeners that cannot both listen.

import { positionOf } from "../../base/diagnostics.ts";
import { cutText, type Mistakes } from "../mistakes.ts";
import type { HttpTrigger, Route, Trigger } from "../triggers.ts";

/** Reports each route that an earlier one leaves nothing to do. */
export function checkRouteConflicts(routes: readonly Route[], mistakes: Mistakes): void {
  const known = new Map<string, Route[]>();
  for (const route of routes) {
    const key = shapeOf(route);
    const others = known.get(key) ?? [];
    const other = others.find((earlier) => sharesMethod(earlier, route));
    others.push(route);
    known.set(key, others);
    if (other === undefined) continue;
    const { line } = positionOf(other.span.source, other.span.start);
    const shown = (it: Route): string =>
      `\`${cutText(`${it.methods === undefined ? "" : `${it.methods.join(",")} `}${it.pathText}`, 80)}\``;
    const cure =
      other.pathText === route.pathText
        ? "Remove one of them, or give it another path or method."
        : "Names and types of parameters do not tell requests apart: give one of them another path or method.";
    mistakes.error(
      "manifest/duplicate-route",
      route.span,
      `${shown(route)} takes the same requests as ${shown(other)} in line ${line}`,
      cure,
    );
  }
}

/** What a path takes, whatever its parameters are called; requests for a websocket are apart from others. */
function shapeOf({ kind, path }: Route): string {
  const parts = path.map((segment) => (segment.kind === "text" ? `=${segment.text}` : segment.kind === "parameter" ? "{}" : "*"));
  return JSON.stringify([kind === "websocket", parts]);
}

function sharesMethod(a: Route, b: Route): boolean {
  if (a.kind === "websocket") return true;
  if (a.methods === undefined || b.methods === undefined) return a.methods === b.methods;
  return a.methods.some((method) => b.methods?.includes(method) === true);
}

/** Reports listeners of one address that differ in their certificate, or serve the same names. */
export function checkListeners(triggers: readonly Trigger[], mistakes: Mistakes): void {
  const known: HttpTrigger[] = [];
  for (const trigger of triggers) {
    if (trigger.kind !== "http") continue;
    const earlier = known.filter(({ port, host }) => port === trigger.port && port !== 0 && overlaps(host, trigger.host));
    const secure = earlier.find(({ tls }) => (tls === undefined) !== (trigger.tls === undefined));
    const same = earlier.find(({ hostnames }) => sharesName(hostnames, trigger.hostnames));
    if (secure !== undefined) {
      const message = `another trigger listens at port ${trigger.port} too, and only one of them has \`tls\``;
      mistakes.error("manifest/duplicate-route", trigger.span, message, "Give one of them another port.");
    } else if (same !== undefined) {
      const message = `another trigger listens at port ${trigger.port} too, for the same names`;
      mistakes.error(
        "manifest/duplicate-route",
        trigger.span,
        message,
        "Join their routes, or give them other ports or `hostnames`.",
      );
    } else {
      known.push(trigger);
    }
  }
}

function overlaps(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}

/** Triggers without names are for what no other one names. */
function sharesName(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 || b.length === 0 ? a.length === b.length : a.some((name) => b.includes(name));
}
