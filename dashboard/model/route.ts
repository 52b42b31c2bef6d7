// Which page is shown: the part of the address after `#`, so that every page has an address and the way back works.

import { useSyncExternalStore } from "react";

export type Route =
  | { readonly page: "home" }
  | { readonly page: "transactions" }
  | { readonly page: "app"; readonly app: string }
  | { readonly page: "component"; readonly app: string; readonly component: string }
  | { readonly page: "operation"; readonly app: string; readonly component?: string | undefined; readonly operation: string };

export function hrefOf(route: Route): string {
  switch (route.page) {
    case "home":
      return "#/";
    case "transactions":
      return "#/transactions";
    case "app":
      return path("app", route.app);
    case "component":
      return path("app", route.app, "component", route.component);
    case "operation":
      return route.component === undefined
        ? path("app", route.app, "operation", route.operation)
        : path("app", route.app, "component", route.component, "operation", route.operation);
  }
}

function path(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export function routeOf(hash: string): Route {
  const [kind, app, ...rest] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  if (kind === "transactions") return { page: "transactions" };
  if (kind !== "app" || app === undefined) return { page: "home" };
  const [first, second, third, fourth] = rest;
  if (first === "operation" && second !== undefined) return { page: "operation", app, operation: second };
  if (first !== "component" || second === undefined) return { page: "app", app };
  if (third === "operation" && fourth !== undefined) return { page: "operation", app, component: second, operation: fourth };
  return { page: "component", app, component: second };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The part of the address after `#`. */
export function useHash(): string {
  return useSyncExternalStore(
    (listener) => {
      window.addEventListener("hashchange", listener);
      return () => window.removeEventListener("hashchange", listener);
    },
    () => window.location.hash,
  );
}
