// Copies a text, and says so.

import { useState, type JSX } from "react";

export function CopyButton({ text, what }: { readonly text: () => string; readonly what: string }): JSX.Element {
  const [said, setSaid] = useState<string>();
  const copy = (): void => {
    const say = (word: string): void => {
      setSaid(word);
      setTimeout(() => setSaid(undefined), 2000);
    };
    // There is no clipboard for pages that came over plain HTTP from another machine.
    if (!("clipboard" in navigator)) return say("Not allowed");
    navigator.clipboard.writeText(text()).then(
      () => say("Copied"),
      () => say("Not allowed"),
    );
  };
  return (
    <button type="button" className="link" onClick={copy} aria-live="polite">
      {said ?? `Copy ${what}`}
    </button>
  );
}
