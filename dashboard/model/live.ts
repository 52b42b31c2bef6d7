// Follows the server's events for as long as the page is open. The browser connects again by itself after a loss, but gives up where
// it was answered with an error: then this does it.

import type { State, TransactionView } from "../../src/api/contract.ts";
import { addTransaction, update } from "./store.ts";

const LONGEST_PAUSE_MS = 10_000;

export function follow(pauseMs = 500): void {
  const source = new EventSource("/api/v1/events");
  let nextPauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  source.addEventListener("open", () => {
    nextPauseMs = 500;
    update({ connection: "open" });
  });
  source.addEventListener("state", ({ data }: MessageEvent<string>) => {
    const state: State = JSON.parse(data);
    update({ state, connection: "open" });
  });
  source.addEventListener("transaction", ({ data }: MessageEvent<string>) => {
    const transaction: TransactionView = JSON.parse(data);
    addTransaction(transaction);
  });
  source.addEventListener("error", () => {
    update({ connection: "lost" });
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(nextPauseMs), pauseMs);
  });
}
