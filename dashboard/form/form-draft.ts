// What stands in the form of one operation: a draft a port, either as fields or as the JSON that a person writes.

import type { PortView } from "../../src/api/contract.ts";
import type { Json } from "../../src/wit/json.ts";
import { draftOf, type Draft, type Mistake } from "./draft.ts";
import { shapeOf, type Shape } from "./shape.ts";
import { valueOf, valueOfText } from "./value.ts";

export interface PortDraft {
  readonly fields: Draft;
  /** Written by hand: it stands for the fields. */
  readonly json?: string | undefined;
}

export interface FormDraft {
  /** What it was made for: after a change of the ports it is made anew from the values. */
  readonly ports: readonly PortView[];
  readonly drafts: Readonly<Record<string, PortDraft>>;
}

/** A port that may be left out and has no value of its own is an option, whatever its type. */
export function shapeOfPort(port: PortView): Shape {
  const shape = known.get(port) ?? shapeOf(port.schema);
  known.set(port, shape);
  return mayBeAbsent(port) && shape.kind !== "option" && shape.kind !== "raw" ? { kind: "option", inner: shape } : shape;
}

const known = new WeakMap<PortView, Shape>();

function mayBeAbsent(port: PortView): boolean {
  return !port.isRequired && port.default === undefined;
}

/** A form with the values given, else what each port starts with. */
export function formOf(ports: readonly PortView[], values: Readonly<Record<string, unknown>> = {}): FormDraft {
  const drafts = ports.map((port): [string, PortDraft] => {
    const start = mayBeAbsent(port) ? undefined : (port.default ?? port.sample);
    const value = Object.hasOwn(values, port.name) ? values[port.name] : start;
    return [port.name, { fields: draftOf(shapeOfPort(port), value) }];
  });
  return { ports, drafts: Object.fromEntries(drafts) };
}

/** The form as it fits the ports, which may have changed while it was filled. */
export function fitted(form: FormDraft | undefined, ports: readonly PortView[]): FormDraft {
  if (form === undefined) return formOf(ports);
  if (form.ports === ports) return form;
  if (JSON.stringify(form.ports) === JSON.stringify(ports)) return { ...form, ports };
  return formOf(ports, inputOf(form).input);
}

/** The JSON by port, and every mistake. */
export function inputOf({ ports, drafts }: FormDraft): {
  readonly input: Readonly<Record<string, Json>>;
  readonly mistakes: readonly Mistake[];
} {
  const mistakes: Mistake[] = [];
  const entries = ports.flatMap((port): [string, Json][] => {
    const draft = drafts[port.name];
    if (draft === undefined) return [];
    const shape = shapeOfPort(port);
    const value =
      draft.json === undefined
        ? valueOf(shape, draft.fields, port.name, mistakes)
        : valueOfText(shape, draft.json, port.name, mistakes);
    return value === null && mayBeAbsent(port) ? [] : [[port.name, value]];
  });
  return { input: Object.fromEntries(entries), mistakes };
}

/** From fields to JSON, or back where the JSON is right. */
export function toggledJson(port: PortView, draft: PortDraft): { readonly draft: PortDraft } | { readonly mistake: Mistake } {
  const shape = shapeOfPort(port);
  if (draft.json === undefined) {
    const value = valueOf(shape, draft.fields, port.name);
    return { draft: { fields: draft.fields, json: JSON.stringify(value, undefined, 2) } };
  }
  const mistakes: Mistake[] = [];
  const value = valueOfText(shape, draft.json, port.name, mistakes);
  const [mistake] = mistakes;
  return mistake === undefined ? { draft: { fields: draftOf(shape, value) } } : { mistake };
}
