// Fields that hold one value: texts, numbers, switches, choices, JSON.

import type { ChangeEvent, JSX } from "react";
import type { Draft } from "./draft.ts";
import { Group, Labelled, MistakeText, type FieldProps, type PropsOf } from "./labelled.tsx";

function textIn(draft: Draft): string {
  return draft.kind === "text" ? draft.text : "";
}

export function SwitchField({ draft, label, isLabelled = false, onChange, path, mistakes }: PropsOf<"boolean">): JSX.Element {
  const isOn = draft.kind === "switch" && draft.isOn;
  return (
    <div className="field">
      <label className="check">
        <input type="checkbox" checked={isOn} onChange={(event) => onChange({ kind: "switch", isOn: event.target.checked })} />
        {isLabelled ? (
          <span>
            <span className="visually-hidden">{label} </span>
            {isOn ? "true" : "false"}
          </span>
        ) : (
          <span>{label}</span>
        )}
      </label>
      <MistakeText mistake={mistakes.get(path)} />
    </div>
  );
}

const WORTH_TELLING = 70_000;

export function NumberField({ shape, draft, onChange, ...rest }: PropsOf<"integer" | "float">): JSX.Element {
  const { min, max } = shape;
  // The range of a large type says nothing that its name does not say.
  const hint = min !== undefined && max !== undefined && max - min < WORTH_TELLING ? `${min} to ${max}` : undefined;
  return (
    <Labelled {...rest} hint={hint}>
      {(joined) => (
        <input
          {...joined}
          type="text"
          inputMode={shape.kind === "float" ? "decimal" : "numeric"}
          className="number"
          autoComplete="off"
          spellCheck={false}
          value={textIn(draft)}
          onChange={(event) => onChange({ kind: "text", text: event.target.value })}
        />
      )}
    </Labelled>
  );
}

const LONG = 200;
const LARGEST_FILE = 4_000_000;

export function TextField({ shape, draft, onChange, ...rest }: PropsOf<"text">): JSX.Element {
  const text = textIn(draft);
  const { max = Infinity } = shape;
  const isPort = !/[.[]/.test(rest.path);
  const change = (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>): void =>
    onChange({ kind: "text", text: event.target.value });
  return (
    <Labelled {...rest} hint={max <= LONG && max > 1 ? `at most ${max} characters` : undefined}>
      {(joined) =>
        max === 1 ? (
          <input {...joined} type="text" className="number" autoComplete="off" value={text} onChange={change} />
        ) : (
          <div className="text-box">
            <textarea
              {...joined}
              className={text.includes("\n") ? "mono" : ""}
              rows={Math.min(10, text.split("\n", 10).length)}
              spellCheck={false}
              value={text}
              onChange={change}
            />
            {max > LONG && isPort && (text === "" || text.includes("\n")) && (
              <FileButton label={rest.label} onText={(read) => onChange({ kind: "text", text: read })} />
            )}
          </div>
        )
      }
    </Labelled>
  );
}

function FileButton({ label, onText }: { readonly label: string; readonly onText: (text: string) => void }): JSX.Element {
  const read = async (file: File | undefined): Promise<void> => {
    if (file !== undefined) onText(await file.slice(0, LARGEST_FILE).text());
  };
  return (
    <label className="file-button">
      <input type="file" aria-label={`${label} from a file`} onChange={(event) => void read(event.target.files?.[0])} />
      <span>From a file</span>
    </label>
  );
}

export function RawField({ draft, onChange, ...rest }: PropsOf<"raw">): JSX.Element {
  return <JsonField {...rest} text={textIn(draft)} onChange={(text) => onChange({ kind: "text", text })} />;
}

/** JSON that a person writes. */
export function JsonField({
  text,
  onChange,
  ...rest
}: Omit<FieldProps, "shape" | "draft" | "onChange"> & {
  readonly text: string;
  readonly onChange: (text: string) => void;
}): JSX.Element {
  return (
    <Labelled {...rest} hint="JSON">
      {(joined) => (
        <textarea
          {...joined}
          className="mono"
          rows={Math.min(16, Math.max(3, text.split("\n", 16).length))}
          spellCheck={false}
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Labelled>
  );
}

export function EnumField({ shape, draft, onChange, ...rest }: PropsOf<"enum">): JSX.Element {
  return (
    <Labelled {...rest}>
      {(joined) => (
        <select {...joined} value={textIn(draft)} onChange={(event) => onChange({ kind: "text", text: event.target.value })}>
          {shape.labels.map((label) => (
            <option key={label}>{label}</option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

export function FlagsField({ shape, draft, onChange, ...rest }: PropsOf<"flags">): JSX.Element {
  const on = draft.kind === "labels" ? draft.on : [];
  const toggle = (label: string, isOn: boolean): Draft => ({
    kind: "labels",
    on: shape.labels.filter((each) => (each === label ? isOn : on.includes(each))),
  });
  return (
    <Group {...rest}>
      <div className="flags">
        {shape.labels.map((label) => (
          <label key={label} className="check">
            <input
              type="checkbox"
              checked={on.includes(label)}
              onChange={(event) => onChange(toggle(label, event.target.checked))}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </Group>
  );
}
