// All that the page knows, in one plain object; whoever shows a part of it is told when that part changes. Bounds: MOST_TRANSACTIONS
// and MOST_RUNS are kept, the newest first.

import { useSyncExternalStore } from "react";
import type { ApiError, InvokeAnswer, InvokeRequest, State, TransactionView } from "../../src/api/contract.ts";
import type { FormDraft } from "../form/form-draft.ts";

const MOST_TRANSACTIONS = 500;
const MOST_RUNS = 50;

/** One press of the run button. */
export interface Run {
  readonly id: number;
  readonly request: InvokeRequest;
  readonly startedMs: number;
  readonly state: "running" | "ok" | "failed" | "stopped";
  readonly answer?: InvokeAnswer | undefined;
  /** Why there is no answer, or what the answer says. */
  readonly error?: ApiError | undefined;
}

export interface Model {
  readonly connection: "connecting" | "open" | "lost";
  readonly state: State | undefined;
  readonly transactions: readonly TransactionView[];
  readonly runs: readonly Run[];
  /** What stands in the forms, by operation. */
  readonly forms: Readonly<Record<string, FormDraft>>;
}

let model: Model = { connection: "connecting", state: undefined, transactions: [], runs: [], forms: {} };
const listeners = new Set<() => void>();

export function update(change: Partial<Model>): void {
  model = { ...model, ...change };
  for (const listener of listeners) listener();
}

/** A part of the model; `select` must give the same object while nothing in it changed. */
export function useModel<T>(select: (model: Model) => T): T {
  return useSyncExternalStore(subscribe, () => select(model));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function addTransaction(transaction: TransactionView): void {
  // A connection that is opened again may tell what is known.
  if (model.transactions.some(({ id }) => id === transaction.id)) return;
  update({ transactions: [transaction, ...model.transactions].slice(0, MOST_TRANSACTIONS) });
}

export function addRun(run: Run): void {
  update({ runs: [run, ...model.runs].slice(0, MOST_RUNS) });
}

export function changeRun(id: number, change: Partial<Run>): void {
  update({ runs: model.runs.map((run) => (run.id === id ? { ...run, ...change } : run)) });
}

export function setForm(key: string, form: FormDraft): void {
  update({ forms: { ...model.forms, [key]: form } });
}
