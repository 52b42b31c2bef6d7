// The list of apps, their operations and components, with a search box. Arrow keys go through it.

import { useState, type JSX, type KeyboardEvent } from "react";
import type { AppView, ComponentView, OperationView, State } from "../../src/api/contract.ts";
import { shortName } from "../model/find.ts";
import { hrefOf, type Route } from "../model/route.ts";
import { useModel } from "../model/store.ts";

export function Navigation({
  state,
  route,
  isOpen,
}: {
  readonly state: State | undefined;
  readonly route: Route;
  readonly isOpen: boolean;
}): JSX.Element {
  const [search, setSearch] = useState("");
  const apps = state?.apps ?? [];
  const found = apps.map((app) => <AppGroup key={app.name} app={app} route={route} search={search.trim().toLowerCase()} />);
  return (
    <nav id="navigation" className={isOpen ? "open" : ""} aria-label="Operations" onKeyDown={(event) => move(event, setSearch)}>
      <div className="search">
        <input
          id="search"
          type="search"
          value={search}
          placeholder="Search"
          aria-label="Search operations and components"
          aria-keyshortcuts="/"
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setSearch(event.target.value)}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      {found}
      {search !== "" && !apps.some((app) => isFound(app, search.trim().toLowerCase())) && (
        <p className="empty" role="status">
          Nothing is called that.
        </p>
      )}
      <TransactionsLink route={route} />
    </nav>
  );
}

/** Up and down go from entry to entry, Escape empties the search box. */
function move(event: KeyboardEvent<HTMLElement>, setSearch: (text: string) => void): void {
  if (event.key === "Escape") return setSearch("");
  const entries = [...event.currentTarget.querySelectorAll<HTMLElement>("input, a")];
  const at = entries.findIndex((entry) => entry === document.activeElement);
  const isInput = event.target instanceof HTMLInputElement;
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, ...(isInput ? {} : { Home: 1, End: entries.length - 1 }) }[event.key];
  if (next === undefined && event.key === "Enter" && isInput) return entries[2]?.click();
  const entry = next === undefined ? undefined : entries[next];
  if (entry === undefined) return;
  event.preventDefault();
  entry.focus();
}

function matches(name: string, search: string): boolean {
  return name.toLowerCase().includes(search);
}

function isFound(app: AppView, search: string): boolean {
  const all = [app, ...app.operations, ...app.components, ...app.components.flatMap(({ operations }) => operations)];
  return all.some(({ name }) => matches(name, search));
}

interface GroupProps {
  readonly app: AppView;
  readonly route: Route;
  readonly search: string;
}

function AppGroup({ app, route, search }: GroupProps): JSX.Element | undefined {
  if (search !== "" && !isFound(app, search)) return undefined;
  const isWhole = matches(app.name, search);
  const operations = app.operations.filter(({ name }) => isWhole || matches(name, search));
  const isCurrent = (operation: OperationView): boolean =>
    route.page === "operation" && route.app === app.name && route.component === undefined && route.operation === operation.name;
  return (
    <div className="group">
      <h2>
        <Entry
          href={hrefOf({ page: "app", app: app.name })}
          name={app.name}
          isCurrent={route.page === "app" && route.app === app.name}
        />
      </h2>
      <ul>
        {operations.map((operation) => (
          <li key={operation.name}>
            <Entry
              href={hrefOf({ page: "operation", app: app.name, operation: operation.name })}
              name={operation.name}
              isCurrent={isCurrent(operation)}
            />
          </li>
        ))}
      </ul>
      <Components app={app} route={route} search={isWhole ? "" : search} isAll={search !== ""} />
    </div>
  );
}

function Components({ app, route, search, isAll }: GroupProps & { readonly isAll: boolean }): JSX.Element | undefined {
  const shown = app.components.filter((component) =>
    [component, ...component.operations].some(({ name }) => matches(name, search)),
  );
  if (shown.length === 0) return undefined;
  return (
    <>
      <h3>Components</h3>
      <ul>
        {shown.map((component) => {
          const isHere = "component" in route && route.app === app.name && route.component === component.name;
          return (
            <li key={component.name}>
              <Entry
                href={hrefOf({ page: "component", app: app.name, component: component.name })}
                name={component.name}
                isCurrent={isHere && route.page === "component"}
              />
              {(isHere || isAll) && <Operations app={app} component={component} route={route} search={search} />}
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Operations({ app, component, route, search }: GroupProps & { readonly component: ComponentView }): JSX.Element {
  const isWhole = matches(component.name, search);
  return (
    <ul>
      {component.operations
        .filter(({ name }) => isWhole || matches(name, search))
        .map(({ name }) => (
          <li key={name}>
            <Entry
              href={hrefOf({ page: "operation", app: app.name, component: component.name, operation: name })}
              name={shortName(name)}
              title={name}
              isCurrent={
                route.page === "operation" &&
                route.app === app.name &&
                route.component === component.name &&
                route.operation === name
              }
            />
          </li>
        ))}
    </ul>
  );
}

function Entry({
  href,
  name,
  title,
  isCurrent,
}: {
  readonly href: string;
  readonly name: string;
  readonly title?: string;
  readonly isCurrent: boolean;
}): JSX.Element {
  return (
    <a href={href} title={title ?? name} aria-current={isCurrent ? "page" : undefined}>
      {name}
    </a>
  );
}

function TransactionsLink({ route }: { readonly route: Route }): JSX.Element {
  const count = useModel((model) => model.transactions.length);
  return (
    <div className="group">
      <a href={hrefOf({ page: "transactions" })} aria-current={route.page === "transactions" ? "page" : undefined}>
        Transactions <small>{count}</small>
      </a>
    </div>
  );
}
