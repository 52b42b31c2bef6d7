// What joins a label, a field, its hint and what is wrong with it.

import { useId, type JSX, type ReactNode } from "react";
import type { Draft } from "./draft.ts";
import type { Shape } from "./shape.ts";

export interface FieldProps<S extends Shape = Shape> {
  readonly shape: S;
  readonly draft: Draft;
  /** `tags[2].name`: where mistakes belong. */
  readonly path: string;
  readonly label: string;
  /** The label stands above already. */
  readonly isLabelled?: boolean;
  readonly mistakes: ReadonlyMap<string, string>;
  readonly onChange: (draft: Draft) => void;
}

export type PropsOf<K extends Shape["kind"]> = FieldProps<Shape & { readonly kind: K }>;

/** A label, what is entered, a hint, and what is wrong with it. `children` gets what joins them. */
export function Labelled({
  label,
  isLabelled = false,
  path,
  hint,
  mistakes,
  children,
}: {
  readonly label: string;
  readonly isLabelled?: boolean | undefined;
  readonly path: string;
  readonly hint?: string | undefined;
  readonly mistakes: ReadonlyMap<string, string>;
  readonly children: (joined: Joined) => ReactNode;
}): JSX.Element {
  const id = useId();
  const mistake = mistakes.get(path);
  const described = [hint === undefined ? "" : `${id}-hint`, mistake === undefined ? "" : `${id}-mistake`].join(" ").trim();
  return (
    <div className="field">
      <label htmlFor={id} className={isLabelled ? "visually-hidden" : ""}>
        {label}
      </label>
      {children({ id, "aria-invalid": mistake !== undefined, "aria-describedby": described === "" ? undefined : described })}
      {hint !== undefined && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <MistakeText id={`${id}-mistake`} mistake={mistake} />
    </div>
  );
}

interface Joined {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string | undefined;
}

export function MistakeText({
  id,
  mistake,
}: {
  readonly id?: string;
  readonly mistake: string | undefined;
}): JSX.Element | undefined {
  if (mistake === undefined) return undefined;
  return (
    <p className="mistake" id={id}>
      {mistake}
    </p>
  );
}

/** Several fields under one name. */
export function Group({
  label,
  isLabelled = false,
  path,
  mistakes,
  children,
}: Pick<FieldProps, "label" | "isLabelled" | "path" | "mistakes"> & {
  readonly children: ReactNode;
}): JSX.Element {
  const id = useId();
  const mistake = mistakes.get(path);
  return (
    <fieldset
      className="group-field"
      aria-describedby={mistake === undefined ? undefined : id}
      data-invalid={mistake !== undefined}
    >
      <legend className={isLabelled ? "visually-hidden" : ""}>{label}</legend>
      {children}
      <MistakeText id={id} mistake={mistake} />
    </fieldset>
  );
}
