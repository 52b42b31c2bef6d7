// A text that people wrote, with what stands between backticks as code.

import type { JSX } from "react";
import { LongText } from "./long-text.tsx";

export function Prose({ text }: { readonly text: string }): JSX.Element {
  return <LongText text={text} render={(shown) => <Parts text={shown} />} />;
}

function Parts({ text }: { readonly text: string }): JSX.Element {
  const parts = text.split(/`([^`\n]+)`/);
  return <>{parts.map((part, i) => (i % 2 === 0 ? part : <code key={i}>{part}</code>))}</>;
}
