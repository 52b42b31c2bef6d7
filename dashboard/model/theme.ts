// Light or dark: as the system says, until somebody chooses. The choice is kept in the browser, where it keeps anything.

import { useState } from "react";

const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "starlane.theme";

export function startTheme(): void {
  show(stored());
}

export function useTheme(): readonly [Theme, () => void] {
  const [theme, setTheme] = useState(stored);
  const next = (): void => {
    const chosen = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
    show(chosen);
    setTheme(chosen);
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // Not kept, then.
    }
  };
  return [theme, next];
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === value) ?? "system";
  } catch {
    return "system";
  }
}

function show(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}
