// What went wrong: its code, what, where, what to do.

import type { JSX } from "react";
import type { ApiError } from "../../src/api/contract.ts";
import { LongText } from "./long-text.tsx";
import { Prose } from "./prose.tsx";

export function ErrorView({ error }: { readonly error: ApiError }): JSX.Element {
  const { code, message, at, cure } = error;
  return (
    <div className="failure">
      <p className="message">
        <Prose text={message} />
      </p>
      {cure !== undefined && (
        <p className="cure">
          <Prose text={cure} />
        </p>
      )}
      <p className="where">
        <code className="code">{code}</code> {at !== undefined && <code>{at}</code>}
      </p>
    </div>
  );
}

/** What guests printed. */
export function OutputView({ output }: { readonly output: string }): JSX.Element | undefined {
  if (output === "") return undefined;
  return (
    <div className="output">
      <h3>Output</h3>
      <pre className="value" tabIndex={0} aria-label="Output">
        <LongText text={output} />
      </pre>
    </div>
  );
}
