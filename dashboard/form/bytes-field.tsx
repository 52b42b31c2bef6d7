// Bytes: written as text, as base64, or out of a file.

import { useState, type JSX } from "react";
import { sizeText } from "../values/times.ts";
import type { Draft } from "./draft.ts";
import { Labelled, type FieldProps } from "./labelled.tsx";
import type { Shape } from "./shape.ts";

const LARGEST_FILE = 16_000_000;
const FORMS = { text: "Text", base64: "Base64", file: "File" } as const;

export function BytesField({ shape, draft, onChange, ...rest }: FieldProps<Shape & { readonly kind: "bytes" }>): JSX.Element {
  const [isFile, setFile] = useState(draft.kind === "file");
  const form = isFile ? "file" : draft.kind === "bytes" ? draft.as : "base64";
  const choose = (name: string): void => {
    setFile(name === "file");
    if (name === "text" || name === "base64")
      onChange({ kind: "bytes", as: name, text: draft.kind === "bytes" ? draft.text : "" });
  };
  const { length } = shape;
  return (
    <div className="bytes">
      <Labelled {...rest} hint={length === undefined ? undefined : `exactly ${length} bytes`}>
        {(joined) =>
          isFile ? (
            <FileInput joined={joined} draft={draft} onChange={onChange} />
          ) : (
            <textarea
              {...joined}
              className={form === "base64" ? "mono" : ""}
              rows={2}
              spellCheck={false}
              value={draft.kind === "bytes" ? draft.text : ""}
              onChange={(event) => onChange({ kind: "bytes", as: form === "text" ? "text" : "base64", text: event.target.value })}
            />
          )
        }
      </Labelled>
      <select aria-label={`How ${rest.label} is written`} value={form} onChange={(event) => choose(event.target.value)}>
        {Object.entries(FORMS).map(([name, label]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

function FileInput({
  joined,
  draft,
  onChange,
}: {
  readonly joined: object;
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}): JSX.Element {
  const [problem, setProblem] = useState<string>();
  const read = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    if (file.size > LARGEST_FILE) return setProblem(`The file is larger than ${sizeText(LARGEST_FILE)}.`);
    setProblem(undefined);
    const bytes = new Uint8Array(await file.arrayBuffer());
    onChange({ kind: "file", name: file.name, base64: bytes.toBase64(), size: bytes.length });
  };
  return (
    <>
      <input {...joined} type="file" onChange={(event) => void read(event.target.files?.[0])} />
      {draft.kind === "file" && (
        <p className="hint">
          {draft.name}, {sizeText(draft.size)}
        </p>
      )}
      {problem !== undefined && <p className="mistake">{problem}</p>}
    </>
  );
}
