// A field, or a group of fields, by shape: records, tuples, lists, maps, options and variants are made of further fields.

import type { JSX } from "react";
import { BytesField } from "./bytes-field.tsx";
import { draftOf, newRow, type Row } from "./draft.ts";
import { Group, Labelled, type FieldProps, type PropsOf } from "./labelled.tsx";
import { EnumField, FlagsField, NumberField, RawField, SwitchField, TextField } from "./leaf-fields.tsx";

export function Field(props: FieldProps): JSX.Element {
  const { shape, ...rest } = props;
  switch (shape.kind) {
    case "boolean":
      return <SwitchField {...rest} shape={shape} />;
    case "integer":
    case "float":
      return <NumberField {...rest} shape={shape} />;
    case "text":
      return <TextField {...rest} shape={shape} />;
    case "raw":
      return <RawField {...rest} shape={shape} />;
    case "enum":
      return <EnumField {...rest} shape={shape} />;
    case "flags":
      return <FlagsField {...rest} shape={shape} />;
    case "record":
    case "tuple":
      return <PartsField {...rest} shape={shape} />;
    case "list":
    case "map":
      return <RowsField {...rest} shape={shape} />;
    case "bytes":
      return <BytesField {...rest} shape={shape} />;
    case "option":
      return <OptionField {...rest} shape={shape} />;
    case "variant":
      return <CaseField {...rest} shape={shape} />;
  }
}

function PartsField({ shape, draft, onChange, ...rest }: PropsOf<"record" | "tuple">): JSX.Element {
  const { path, mistakes } = rest;
  const parts = draft.kind === "parts" ? draft.parts : [];
  const items =
    shape.kind === "record"
      ? shape.fields.map((field) => ({ label: field.name, at: `${path}.${field.name}`, shape: field.shape }))
      : shape.items.map((item, i) => ({ label: String(i + 1), at: `${path}[${i}]`, shape: item }));
  return (
    <Group {...rest}>
      {items.map((item, i) => (
        <Field
          key={item.at}
          shape={item.shape}
          draft={parts[i] ?? draftOf(item.shape, undefined)}
          path={item.at}
          label={item.label}
          mistakes={mistakes}
          onChange={(part) => onChange({ kind: "parts", parts: parts.with(i, part) })}
        />
      ))}
      {items.length === 0 && <p className="hint">It has no fields.</p>}
    </Group>
  );
}

const MOST_SHOWN = 100;

function RowsField({ shape, draft, onChange, ...rest }: PropsOf<"list" | "map">): JSX.Element {
  const { path, label, mistakes } = rest;
  const rows = draft.kind === "rows" ? draft.rows : [];
  const item = shape.kind === "list" ? shape.item : shape.value;
  const set = (changed: readonly Row[]): void => onChange({ kind: "rows", rows: changed });
  const isFull = shape.kind === "list" && rows.length >= shape.max;
  const isLeast = shape.kind === "list" && rows.length <= shape.min;
  return (
    <Group {...rest}>
      {rows.slice(0, MOST_SHOWN).map((row, i) => (
        <div className="row" key={row.id}>
          {shape.kind === "map" && (
            <Labelled label={`Key ${i + 1}`} path={`${path}[${i}].key`} mistakes={mistakes}>
              {(joined) => (
                <input
                  {...joined}
                  type="text"
                  value={row.key}
                  onChange={(event) => set(rows.with(i, { ...row, key: event.target.value }))}
                />
              )}
            </Labelled>
          )}
          <Field
            shape={item}
            draft={row.draft}
            path={`${path}[${i}]`}
            label={shape.kind === "map" ? `Value ${i + 1}` : `${label} ${i + 1}`}
            mistakes={mistakes}
            onChange={(changed) => set(rows.with(i, { ...row, draft: changed }))}
          />
          {!isLeast && (
            <button type="button" className="link remove" onClick={() => set(rows.toSpliced(i, 1))}>
              Remove
              <span className="visually-hidden">
                {" "}
                {label} {i + 1}
              </span>
            </button>
          )}
        </div>
      ))}
      {rows.length > MOST_SHOWN && <p className="hint">And {rows.length - MOST_SHOWN} more: see them as JSON.</p>}
      {!isFull && (
        <button type="button" className="small" onClick={() => set([...rows, newRow(item)])}>
          Add<span className="visually-hidden"> to {label}</span>
        </button>
      )}
    </Group>
  );
}

function OptionField({ shape, draft, onChange, ...rest }: PropsOf<"option">): JSX.Element {
  if (draft.kind !== "option") return <></>;
  const { label, path, mistakes } = rest;
  return (
    <div className="option">
      <label className="check">
        <input
          type="checkbox"
          checked={draft.isGiven}
          onChange={(event) => onChange({ ...draft, isGiven: event.target.checked })}
        />
        <span>
          {rest.isLabelled === true ? "" : label} <span className="muted">{draft.isGiven ? "given" : "none"}</span>
          {rest.isLabelled === true && <span className="visually-hidden"> {label}</span>}
        </span>
      </label>
      {draft.isGiven && (
        <Field
          shape={shape.inner}
          draft={draft.inner}
          path={path}
          label={label}
          isLabelled
          mistakes={mistakes}
          onChange={(inner) => onChange({ ...draft, inner })}
        />
      )}
    </div>
  );
}

function CaseField({ shape, draft, onChange, ...rest }: PropsOf<"variant">): JSX.Element {
  if (draft.kind !== "case") return <></>;
  const { path, mistakes } = rest;
  const payload = shape.cases.find(({ name }) => name === draft.name)?.shape;
  const choose = (name: string): void => {
    const chosen = shape.cases.find((item) => item.name === name)?.shape;
    onChange({ kind: "case", name, inner: chosen && draftOf(chosen, undefined) });
  };
  return (
    <div className="case">
      <Labelled {...rest}>
        {(joined) => (
          <select {...joined} value={draft.name} onChange={(event) => choose(event.target.value)}>
            {shape.cases.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Labelled>
      {payload !== undefined && draft.inner !== undefined && (
        <Field
          key={draft.name}
          shape={payload}
          draft={draft.inner}
          path={`${path}.${draft.name}`}
          label={draft.name}
          mistakes={mistakes}
          onChange={(inner) => onChange({ ...draft, inner })}
        />
      )}
    </div>
  );
}
