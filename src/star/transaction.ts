// One transaction, from its settings to what every node sees of it.

import type { OutputStreamName } from "../capabilities/capability.ts";
import { realClock, type Clock } from "../base/clock.ts";
import type { NodeEvent, Transaction } from "../flow/flow.ts";

export interface TransactionSettings {
  readonly seed: number;
  /** Milliseconds since 1970: what every clock of the guests starts at. */
  readonly timestampMs: number;
  /** From now, on the transaction's clock. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly observe?: ((event: NodeEvent) => void) | undefined;
}

export function openTransaction(settings: TransactionSettings): Transaction {
  const clock = settings.clock ?? realClock;
  return {
    id: crypto.randomUUID(),
    seed: settings.seed,
    timestampMs: settings.timestampMs,
    deadlineMs: settings.timeoutMs === undefined ? undefined : clock.now() + settings.timeoutMs,
    signal: settings.signal ?? new AbortController().signal,
    clock,
    observe: settings.observe,
  };
}

/** What the host does for every call of one transaction, and keeps of it. */
export interface Host {
  /** How often each node was called, by its path: a node that is tried again draws other random numbers than before. */
  readonly calls: Map<string, number>;
  /** What guests print and log. */
  readonly output?: ((stream: OutputStreamName, bytes: Uint8Array) => void) | undefined;
  /** Real time that one call of a guest may take, whatever clock the transaction has. */
  readonly callLimitMs?: number | undefined;
  /** The timeout of the nearest node that has one. */
  readonly nodeTimeoutMs?: number | undefined;
}

/** The host's side of one transaction. */
export function openHost(settings: Pick<Host, "output" | "callLimitMs">): Host {
  return { ...settings, calls: new Map() };
}
