// A text that is cut where it is long, until somebody wants all of it.

import { useState, type JSX } from "react";

const SHOWN = 3000;

export function LongText({
  text,
  shown = SHOWN,
  render,
}: {
  readonly text: string;
  readonly shown?: number;
  readonly render?: (text: string) => JSX.Element;
}): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const isCut = !isWhole && text.length > shown + 200;
  const part = isCut ? text.slice(0, shown).toWellFormed() : text;
  return (
    <>
      {render === undefined ? part : render(part)}
      {isCut && (
        <>
          {"… "}
          <button type="button" className="link" onClick={() => setWhole(true)}>
            Show all {text.length.toLocaleString("en")} characters
          </button>
        </>
      )}
    </>
  );
}
