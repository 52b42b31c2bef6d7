// The frame around every page: header, navigation, what is wrong, and the page that the address names.

import { useEffect, useRef, useState, type JSX } from "react";
import type { State } from "../../src/api/contract.ts";
import { findApp, findComponent, findOperation, keyOf } from "../model/find.ts";
import { routeOf, useHash, type Route } from "../model/route.ts";
import { useModel } from "../model/store.ts";
import { AppPage } from "../pages/app-page.tsx";
import { ComponentPage } from "../pages/component-page.tsx";
import { OperationPage } from "../pages/operation-page.tsx";
import { TransactionsPage } from "../pages/transactions-page.tsx";
import { Empty, Heading } from "./parts.tsx";
import { Header } from "./header.tsx";
import { Navigation } from "./navigation.tsx";
import { Problems } from "./problems.tsx";

export function Dashboard(): JSX.Element {
  const hash = useHash();
  const route = routeOf(hash);
  const state = useModel((model) => model.state);
  const [isMenuOpen, setMenuOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const before = useRef(hash);
  useEffect(() => {
    if (before.current === hash) return;
    before.current = hash;
    setMenuOpen(false);
    window.scrollTo(0, 0);
    // Who went to a page by the keyboard or hears it read goes on from its heading.
    main.current?.querySelector("h1")?.focus({ preventScroll: true });
  }, [hash]);
  useSearchKey(() => setMenuOpen(true));
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => skipTo(event, main.current)}>
        Skip to content
      </a>
      <Header state={state} isMenuOpen={isMenuOpen} onMenu={() => setMenuOpen(!isMenuOpen)} />
      <div className="frame">
        <Navigation state={state} route={route} isOpen={isMenuOpen} />
        <main ref={main} id="main" tabIndex={-1}>
          {state === undefined ? <Loading /> : <Page state={state} route={route} />}
        </main>
      </div>
    </>
  );
}

function skipTo(event: { preventDefault(): void }, main: HTMLElement | null): void {
  // The part of the address after `#` is the route.
  event.preventDefault();
  main?.focus();
}

/** `/` goes to the search box, from wherever nobody writes. */
function useSearchKey(open: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const { target } = event;
      const isWriting = target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isWriting) return;
      event.preventDefault();
      open();
      requestAnimationFrame(() => document.getElementById("search")?.focus());
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  });
}

function Loading(): JSX.Element {
  const connection = useModel((model) => model.connection);
  return <Empty>{connection === "lost" ? "The server does not answer. Trying again." : "Connecting."}</Empty>;
}

function Page({ state, route }: { readonly state: State; readonly route: Route }): JSX.Element {
  return (
    <>
      <Problems state={state} />
      <PageOf state={state} route={route} />
    </>
  );
}

function PageOf({ state, route }: { readonly state: State; readonly route: Route }): JSX.Element {
  const [first] = state.apps;
  switch (route.page) {
    case "home":
      return first === undefined ? <NoApp state={state} /> : <AppPage state={state} app={first} />;
    case "transactions":
      return <TransactionsPage />;
    case "app": {
      const app = findApp(state, route.app);
      return app === undefined ? <Missing what={route.app} /> : <AppPage state={state} app={app} />;
    }
    case "component": {
      const app = findApp(state, route.app);
      const component = findComponent(state, route);
      if (app === undefined || component === undefined) return <Missing what={route.component} />;
      return <ComponentPage app={app} component={component} />;
    }
    case "operation": {
      const found = findOperation(state, route);
      return found === undefined ? <Missing what={route.operation} /> : <OperationPage key={keyOf(found)} found={found} />;
    }
  }
}

function NoApp({ state }: { readonly state: State }): JSX.Element {
  return (
    <Empty>{state.status === "broken" ? "No version of the app could be served yet." : "The app is being made ready."}</Empty>
  );
}

function Missing({ what }: { readonly what: string }): JSX.Element {
  return (
    <article>
      <Heading title="Not there" />
      <p>
        There is no <code>{what}</code> in what is served now. It may have been renamed, or it is missing since the last change.
      </p>
    </article>
  );
}
