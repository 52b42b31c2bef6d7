// JSON in colours.

import type { JSX } from "react";
import { LongText } from "./long-text.tsx";

// A text (with the colon after it, it is a key), a word, a number.
const TOKEN = /("(?:[^"\\]|\\.)*"?)(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function JsonText({ value, label }: { readonly value: unknown; readonly label: string }): JSX.Element {
  const text = JSON.stringify(value, undefined, 2) ?? "";
  return (
    <pre className="value json" tabIndex={0} aria-label={label}>
      <LongText text={text} render={(part) => <Coloured text={part} />} />
    </pre>
  );
}

function Coloured({ text }: { readonly text: string }): JSX.Element {
  const parts: (string | JSX.Element)[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [whole, quoted, colon] = match;
    if (match.index > at) parts.push(text.slice(at, match.index));
    const kind = quoted === undefined ? (/^[-\d]/.test(whole) ? "number" : "word") : colon === undefined ? "text" : "key";
    parts.push(
      <span key={match.index} className={kind}>
        {whole}
      </span>,
    );
    at = match.index + whole.length;
  }
  parts.push(text.slice(at));
  return <>{parts}</>;
}
