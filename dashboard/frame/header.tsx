// What is served, how it is, and where.

import { useEffect, type JSX } from "react";
import type { State } from "../../src/api/contract.ts";
import { hrefOf } from "../model/route.ts";
import { useModel } from "../model/store.ts";
import { useTheme } from "../model/theme.ts";
import { Icon, Star } from "./icons.tsx";
import { AddressLink } from "./parts.tsx";

export function Header({
  state,
  isMenuOpen,
  onMenu,
}: {
  readonly state: State | undefined;
  readonly isMenuOpen: boolean;
  readonly onMenu: () => void;
}): JSX.Element {
  return (
    <header className="masthead">
      <button
        type="button"
        className="quiet menu"
        aria-expanded={isMenuOpen}
        aria-controls="navigation"
        aria-label="Operations"
        onClick={onMenu}
      >
        <Icon name={isMenuOpen ? "close" : "menu"} />
      </button>
      <a className="brand" href={hrefOf({ page: "home" })}>
        <Star />
        <span>Starlane</span>
      </a>
      <Served state={state} />
      <Status state={state} />
      <p className="addresses">
        {(state?.addresses ?? []).slice(0, 3).map((address) => (
          <AddressLink key={address} address={address} />
        ))}
      </p>
      <ThemeButton />
    </header>
  );
}

function Served({ state }: { readonly state: State | undefined }): JSX.Element {
  const apps = state?.apps ?? [];
  return (
    <p className="served">
      {apps.slice(0, 2).map(({ name, version }) => (
        <span key={name} title={version === undefined ? name : `${name} ${version}`}>
          {name}
          {version !== undefined && <small> {version}</small>}
        </span>
      ))}
      {apps.length > 2 && <small>and {apps.length - 2} more</small>}
    </p>
  );
}

const WORDS = { starting: "Starting", building: "Building", ready: "Ready", broken: "Broken" } as const;

function Status({ state }: { readonly state: State | undefined }): JSX.Element {
  const connection = useModel((model) => model.connection);
  const isLost = connection === "lost";
  const kind = isLost ? "lost" : (state?.status ?? "starting");
  const word = isLost ? "Connection lost" : state === undefined ? "Connecting" : WORDS[state.status];
  const name = state?.apps[0]?.name;
  useEffect(() => {
    document.title = [kind === "broken" ? "Broken" : undefined, name, "Starlane"]
      .filter((part) => part !== undefined)
      .join(" - ");
  }, [kind, name]);
  return (
    <p className={`status ${kind}`} role="status" aria-live="polite">
      <span className="dot" aria-hidden="true" />
      <span>{word}</span>
      {state !== undefined && state.version > 0 && !isLost && (
        <small title="Counts the versions that were served since the start">
          <span className="visually-hidden">, </span>version {state.version}
        </small>
      )}
    </p>
  );
}

const THEME_ICONS = { system: "system", light: "sun", dark: "moon" } as const;

function ThemeButton(): JSX.Element {
  const [theme, next] = useTheme();
  return (
    <button type="button" className="quiet theme" onClick={next} aria-label={`Theme: ${theme}`} title={`Theme: ${theme}`}>
      <Icon name={THEME_ICONS[theme]} />
    </button>
  );
}
