// Calls of a component binary: each in an instance of its own, so that no call sees memory of another. Time is bounded by the
// transaction's deadline, also for a guest in an endless loop.

import { realClock } from "../base/clock.ts";
import { StarlaneError } from "../base/errors.ts";
import type { CapabilityTransaction } from "../capabilities/capability.ts";
import type { CompiledComponent, Imports } from "../engine/engine.ts";
import type { Transaction } from "../flow/flow.ts";
import type { Call } from "./app.ts";
import type { Host } from "./transaction.ts";
import { TimeOver, withTimeLimit } from "./watchdog.ts";

/** A binary that can run. */
export interface Guest {
  readonly name: string;
  readonly compiled: CompiledComponent;
  /** Makes the imports of one instance; undefined where the component imports nothing. */
  readonly imports: ((transaction: CapabilityTransaction) => Imports) | undefined;
}

/** Calls of one function of a guest. */
export function guestCall(guest: Guest, name: string, isAsync: boolean): Call {
  return (args, transaction, host, path) => {
    let answer: unknown;
    const work = (): void => {
      const instance = guest.compiled.instantiateSync(importsFor(guest, transaction, host, path));
      answer = isAsync ? instance.call(name, args, { signal: transaction.signal }) : instance.function(name)(...args);
    };
    const limit = limitOf(transaction, host);
    if (limit === undefined) work();
    else bounded(limit, work, `${guest.name}::${name}`);
    return limit !== undefined && answer instanceof Promise ? boundedWait(limit, answer, `${guest.name}::${name}`) : answer;
  };
}

function importsFor(guest: Guest, transaction: Transaction, host: Host, path: string | undefined): Imports {
  if (guest.imports === undefined) return {};
  return guest.imports({
    seed: path === undefined ? transaction.seed : seedFor(transaction.seed, path, nextCall(host, path)),
    timestampMs: transaction.timestampMs,
    ...(host.output === undefined ? {} : { output: host.output }),
  });
}

function nextCall(host: Host, path: string): number {
  const count = host.calls.get(path) ?? 0;
  host.calls.set(path, count + 1);
  return count;
}

/** Every call of every node gets random numbers of its own, the same ones in every run (FNV-1a over path and count). */
function seedFor(seed: number, path: string, count: number): number {
  const name = `${path} ${count}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  // Not by bit operators: a seed may be larger than 32 bits.
  return (seed + (hash >>> 0)) % Number.MAX_SAFE_INTEGER;
}

interface Limit {
  readonly ms: number;
  readonly code: "flow/deadline" | "flow/timeout";
}

// A virtual clock stands still while a guest computes: a slow machine must not make a test fail.
const VIRTUAL_GRACE_MS = 1000;

/** Real milliseconds that a call may still take, and what it means when they are over. */
function limitOf(transaction: Transaction, host: Host): Limit | undefined {
  const { deadlineMs, clock } = transaction;
  const isReal = clock === realClock;
  const limits: Limit[] = [];
  if (isReal && deadlineMs !== undefined) limits.push({ ms: deadlineMs - clock.now(), code: "flow/deadline" });
  if (host.callLimitMs !== undefined) limits.push({ ms: host.callLimitMs, code: "flow/deadline" });
  if (host.nodeTimeoutMs !== undefined)
    limits.push({ ms: host.nodeTimeoutMs + (isReal ? 0 : VIRTUAL_GRACE_MS), code: "flow/timeout" });
  return limits.toSorted((a, b) => a.ms - b.ms)[0];
}

function bounded(limit: Limit, work: () => void, name: string): void {
  try {
    if (limit.ms <= 0) throw new TimeOver("no time left");
    withTimeLimit(limit.ms, work);
  } catch (error) {
    if (error instanceof TimeOver) throw timeOver(limit, name);
    throw error;
  }
}

/** A guest that waits is left alone when its time is over: nothing of its instance is used again. */
async function boundedWait(limit: Limit, answer: Promise<unknown>, name: string): Promise<unknown> {
  const over = new AbortController();
  const late = realClock.sleep(limit.ms, over.signal).then(() => Promise.reject(timeOver(limit, name)));
  late.catch(() => undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    over.abort();
  }
}

function timeOver(limit: Limit, name: string): StarlaneError {
  return new StarlaneError(limit.code, `${name} was stopped: its time was over`, {
    cure:
      limit.code === "flow/timeout"
        ? "give the node a longer timeout, or look for an endless loop"
        : "allow more time, or look for an endless loop",
  });
}
