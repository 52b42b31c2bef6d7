// Runs an operation: asks the server, and keeps what comes of it as a run.

import type { ApiError, InvokeAnswer, InvokeRequest } from "../../src/api/contract.ts";
import { addRun, addTransaction, changeRun } from "./store.ts";

let lastId = 0;
const stops = new Map<number, AbortController>();

export async function run(request: InvokeRequest): Promise<void> {
  const id = ++lastId;
  const controller = new AbortController();
  stops.set(id, controller);
  addRun({ id, request, startedMs: Date.now(), state: "running" });
  try {
    const answer = await ask(request, controller.signal);
    if ("transaction" in answer) {
      const { transaction, error } = answer;
      addTransaction(transaction);
      changeRun(id, { state: transaction.outcome, answer, error: error ?? transaction.error });
    } else changeRun(id, { state: "failed", error: answer });
  } catch (error) {
    if (controller.signal.aborted) return changeRun(id, { state: "stopped" });
    changeRun(id, { state: "failed", error: unreachable(error) });
  } finally {
    stops.delete(id);
  }
}

/** The page no longer waits for it. */
export function stop(id: number): void {
  stops.get(id)?.abort();
}

async function ask(request: InvokeRequest, signal: AbortSignal): Promise<InvokeAnswer | ApiError> {
  const response = await fetch("/api/v1/invoke", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
    signal,
  });
  const text = await response.text();
  try {
    const answer: InvokeAnswer | ApiError = JSON.parse(text);
    return answer;
  } catch {
    return { code: `http/${response.status}`, message: text.slice(0, 500) || response.statusText };
  }
}

function unreachable(error: unknown): ApiError {
  return {
    code: "page/no-answer",
    message: `the server did not answer (${error instanceof Error ? error.message : String(error)})`,
    cure: "See whether it still runs.",
  };
}
