// Finds what a route means in the state of the server.

import type { AppView, ComponentView, OperationView, State, TransactionView } from "../../src/api/contract.ts";
import type { Route } from "./route.ts";

export interface FoundOperation {
  readonly app: AppView;
  readonly component: ComponentView | undefined;
  readonly operation: OperationView;
}

export function findApp(state: State, name: string): AppView | undefined {
  return state.apps.find((app) => app.name === name);
}

export function findComponent(state: State, route: Route & { page: "component" }): ComponentView | undefined {
  return findApp(state, route.app)?.components.find(({ name }) => name === route.component);
}

export function findOperation(state: State, route: Route & { page: "operation" }): FoundOperation | undefined {
  const app = findApp(state, route.app);
  const component = app?.components.find(({ name }) => name === route.component);
  if (app === undefined || (route.component !== undefined && component === undefined)) return undefined;
  const operation = (component ?? app).operations.find(({ name }) => name === route.operation);
  return operation && { app, component, operation };
}

/** What tells an operation from all others, and how people read it: `csv::parse`. */
export function keyOf({ app, component, operation }: FoundOperation): string {
  return JSON.stringify([app.name, component?.name ?? null, operation.name]);
}

export function isOf({ app, operation }: TransactionView, found: FoundOperation): boolean {
  const { component } = found;
  const name = component === undefined ? found.operation.name : `${component.name}::${found.operation.name}`;
  return app === found.app.name && operation === name;
}

/** `acme:text/case@1.0.0#upper` -> `upper`; the whole name stands in the title. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf("#") + 1);
}
