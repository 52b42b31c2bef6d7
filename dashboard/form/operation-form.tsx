// The form of an operation: a field a port, made of its type, and the button that runs it.

import { useEffect, useRef, useState, type JSX, type SubmitEvent } from "react";
import type { PortView } from "../../src/api/contract.ts";
import { keyOf, type FoundOperation } from "../model/find.ts";
import { run, stop } from "../model/run.ts";
import { setForm, useModel, type Run } from "../model/store.ts";
import { LongText } from "../values/long-text.tsx";
import { Prose } from "../values/prose.tsx";
import { Field } from "./field.tsx";
import { MistakeText } from "./labelled.tsx";
import { JsonField } from "./leaf-fields.tsx";
import { fitted, formOf, inputOf, shapeOfPort, toggledJson, type PortDraft } from "./form-draft.ts";

export function OperationForm({
  found,
  running,
}: {
  readonly found: FoundOperation;
  readonly running: Run | undefined;
}): JSX.Element {
  const { app, component, operation } = found;
  const { ports } = operation;
  const key = keyOf(found);
  const kept = useModel((model) => model.forms[key]);
  const form = fitted(kept, ports);
  const element = useRef<HTMLFormElement>(null);
  const [isTried, setTried] = useState(false);
  const { input, mistakes } = inputOf(form);
  const shown = new Map(isTried ? mistakes.map(({ path, message }) => [path, message]) : []);
  const change = (port: PortView, draft: PortDraft): void =>
    setForm(key, { ports, drafts: { ...form.drafts, [port.name]: draft } });
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    setTried(true);
    if (mistakes.length > 0) return focusMistake(element.current);
    if (running === undefined) void run({ app: app.name, component: component?.name, operation: operation.name, input });
  };
  useRunKey(element.current);
  return (
    <form ref={element} noValidate onSubmit={submit} aria-label={`Run ${operation.name}`}>
      {ports.length === 0 && <p className="muted">It takes no input.</p>}
      {ports.map((port) => {
        const draft = form.drafts[port.name];
        return (
          draft && (
            <PortField key={port.name} port={port} draft={draft} mistakes={shown} onChange={(next) => change(port, next)} />
          )
        );
      })}
      <div className="actions">
        <button type="submit" className="primary" disabled={running !== undefined} aria-keyshortcuts="Control+Enter Meta+Enter">
          {running === undefined ? "Run" : "Running"}
        </button>
        {running !== undefined && (
          <button type="button" onClick={() => stop(running.id)}>
            Stop waiting
          </button>
        )}
        <span className="keys" aria-hidden="true">
          <kbd>{isApple ? "Cmd" : "Ctrl"}</kbd> <kbd>Enter</kbd>
        </span>
        {kept !== undefined && ports.length > 0 && (
          <button type="button" className="link" onClick={() => setForm(key, formOf(ports))}>
            Start over
          </button>
        )}
      </div>
      <p className="mistake" role="status">
        {shown.size > 0 ? `${shown.size === 1 ? "One value" : `${shown.size} values`} cannot be used yet.` : ""}
      </p>
    </form>
  );
}

const isApple = /Mac|iP(hone|ad)/.test(navigator.userAgent);

/** Control or Command with Enter runs, from anywhere in the page. */
function useRunKey(form: HTMLFormElement | null): void {
  const latest = useRef(form);
  useEffect(() => {
    latest.current = form;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      (latest.current ?? document.querySelector<HTMLFormElement>("main form"))?.requestSubmit();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}

function focusMistake(form: HTMLFormElement | null): void {
  // The mistakes of this try are shown first.
  requestAnimationFrame(() => {
    const field = form?.querySelector<HTMLElement>(
      "[aria-invalid=true], [data-invalid=true] :is(input, textarea, select, button)",
    );
    field?.focus();
  });
}

function PortField({
  port,
  draft,
  mistakes,
  onChange,
}: {
  readonly port: PortView;
  readonly draft: PortDraft;
  readonly mistakes: ReadonlyMap<string, string>;
  readonly onChange: (draft: PortDraft) => void;
}): JSX.Element {
  const [problem, setProblem] = useState<string>();
  const shape = shapeOfPort(port);
  const isJson = draft.json !== undefined;
  const { description } = port.schema;
  const toggle = (): void => {
    const toggled = toggledJson(port, draft);
    setProblem("mistake" in toggled ? toggled.mistake.message : undefined);
    if ("draft" in toggled) onChange(toggled.draft);
  };
  const write = (json: string): void => {
    setProblem(undefined);
    onChange({ ...draft, json });
  };
  const common = { path: port.name, label: port.name, isLabelled: true, mistakes };
  return (
    <div className="port">
      <div className="port-head">
        <span className="port-name" aria-hidden="true">
          {port.name}
        </span>
        <code className="type">
          <LongText text={port.type} shown={120} />
        </code>
        {!port.isRequired && <span className="badge">optional</span>}
        {shape.kind !== "raw" && (
          <button type="button" className="link" aria-pressed={isJson} onClick={toggle}>
            JSON<span className="visually-hidden"> for {port.name}</span>
          </button>
        )}
      </div>
      {typeof description === "string" && (
        <p className="hint">
          <Prose text={description} />
        </p>
      )}
      {isJson ? (
        <JsonField {...common} text={draft.json ?? ""} onChange={write} />
      ) : (
        <Field {...common} shape={shape} draft={draft.fields} onChange={(fields) => onChange({ fields })} />
      )}
      <MistakeText mistake={problem} />
    </div>
  );
}
