// What an operation answered with: each output port by itself, texts as texts, everything else as JSON.

import { useState, type JSX } from "react";
import { CopyButton } from "./copy-button.tsx";
import { JsonText } from "./json-text.tsx";
import { LongText } from "./long-text.tsx";

export function ResultView({ value, type }: { readonly value: unknown; readonly type: string | undefined }): JSX.Element {
  const [isJson, setJson] = useState(false);
  if (type === undefined) return <p className="muted">It answers with nothing.</p>;
  const ports = portsOf(value);
  const hasTexts = typeof value === "string" || ports !== undefined;
  return (
    <div className="result">
      <div className="result-head">
        <code className="type">
          <LongText text={type} shown={160} />
        </code>
        {hasTexts && (
          <button type="button" className="link" aria-pressed={isJson} onClick={() => setJson(!isJson)}>
            {isJson ? "Show values" : "Show JSON"}
          </button>
        )}
        <CopyButton text={() => JSON.stringify(value, undefined, 2)} what="JSON" />
      </div>
      {isJson || ports === undefined ? (
        <Value value={value} label="Result" isJson={isJson} />
      ) : (
        <dl className="ports">
          {ports.map(([name, port]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <Value value={port} label={name} isJson={false} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function Value({
  value,
  label,
  isJson,
}: {
  readonly value: unknown;
  readonly label: string;
  readonly isJson: boolean;
}): JSX.Element {
  if (typeof value !== "string" || isJson) return <JsonText value={value} label={label} />;
  if (value === "") return <p className="muted">An empty text.</p>;
  return (
    <pre className={hasShortLines(value) ? "value lines" : "value"} tabIndex={0} aria-label={label}>
      <LongText text={value} />
    </pre>
  );
}

/** Tables and code keep their lines; prose is wrapped. */
function hasShortLines(text: string): boolean {
  return !/[^\n]{130}/.test(text.slice(0, 20_000));
}

const MOST_PORTS = 20;

/** The fields of a record, where there are few enough to stand by themselves. */
function portsOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.length <= MOST_PORTS ? entries : undefined;
}
