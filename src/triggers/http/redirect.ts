// Redirect routes: to a fixed place, with parameters of the path put in where they are named.

import type { Handle, RedirectRoute } from "./http.ts";
import { splitTarget } from "./target.ts";
import { parsePattern } from "./router.ts";
import { StarlaneError } from "../../base/errors.ts";

/** @throws StarlaneError `http/bad-route` where the location names a parameter that the path does not have */
export function redirectHandle(route: RedirectRoute): Handle {
  const pattern = parsePattern(route.path);
  const parts = route.location.split(/\{([^{}]*)\}/);
  for (const [i, name] of parts.entries()) {
    if (i % 2 === 1 && !pattern.names.includes(name)) {
      throw new StarlaneError("http/bad-route", `the redirect of ${route.path} names {${name}}, which its path does not have`);
    }
  }
  const last = pattern.segments.at(-1);
  const restName = last?.kind === "rest" ? last.name : undefined;
  return (request, context) => {
    const location = parts
      .map((part, i) => (i % 2 === 0 ? part : encoded(context.params.get(part) ?? "", part === restName)))
      .join("");
    const { query } = splitTarget(request.path);
    const kept = query === undefined || location.includes("?") ? "" : `?${query}`;
    return { status: route.status ?? 308, headers: [["location", local(location) + kept]] };
  };
}

/** A parameter may not say more than a path: neither a host, nor a query. */
function encoded(text: string, isRest: boolean): string {
  return isRest ? text.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(text);
}

/** `//other.example` would be another host. */
function local(location: string): string {
  return location.startsWith("//") ? `/${location.replace(/^\/+/, "")}` : location;
}
