// Calls of a component binary: each on fresh memory, from a pool of instances. Time and fuel are bounded by the transaction, also for a
// guest in an endless loop.

import { StarlaneError } from "../base/errors.ts";
import type { Pool, Usage } from "../engine/engine.ts";
import type { Transaction } from "../flow/flow.ts";
import type { Call } from "./app.ts";
import type { GuestTransaction } from "./calls.ts";
import type { Host } from "./transaction.ts";

/** A binary that can run. */
export interface Guest {
  readonly name: string;
  readonly pool: Pool<GuestTransaction>;
  /** Whether it imports anything. */
  readonly hasImports: boolean;
}

/** Calls of one function of a guest. */
export function guestCall(guest: Guest, name: string): Call {
  const { pool, hasImports } = guest;
  const shown = `${guest.name}::${name}`;
  return (args, transaction, host, path) => {
    const limit = limitOf(transaction, host);
    if (limit !== undefined && limit.ms <= 0) throw timeOver(limit, shown);
    const { usage } = host;
    const ofCall = hasImports ? guestTransaction(transaction, host, path) : undefined;
    const options = {
      signal: transaction.signal,
      deadline: limit === undefined ? undefined : Date.now() + limit.ms,
      fuel: host.fuel === undefined ? undefined : Math.max(0, host.fuel - usage.fuel),
      transaction: ofCall,
      onUsage: usage.add,
    };
    if (limit === undefined && host.recording === undefined) return pool.callNow(name, args, options);
    const rethrow = (error: unknown): never => {
      const told =
        limit !== undefined && error instanceof StarlaneError && error.code === "engine/deadline"
          ? timeOver(limit, shown)
          : error;
      ofCall?.recorder?.stopped(told);
      throw told;
    };
    try {
      const answer = pool.callNow(name, args, options);
      return answer instanceof Promise ? answer.catch(rethrow) : answer;
    } catch (error) {
      return rethrow(error);
    }
  };
}

function guestTransaction(transaction: Transaction, host: Host, path: string | undefined): GuestTransaction {
  const count = path === undefined ? 0 : nextCall(host, path);
  return {
    scope: transaction,
    host,
    path,
    count,
    seed: path === undefined ? transaction.seed : seedFor(transaction.seed, path, count),
    timestampMs: transaction.timestampMs,
    output: host.output,
    outputLimitBytes: host.outputLimitBytes,
    signal: transaction.signal,
    whole: host.whole,
  };
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
  if (deadlineMs === undefined && host.callLimitMs === undefined && host.nodeTimeoutMs === undefined) return undefined;
  const isReal = host.isReal;
  const limits: Limit[] = [];
  if (isReal && deadlineMs !== undefined) limits.push({ ms: deadlineMs - clock.now(), code: "flow/deadline" });
  if (host.callLimitMs !== undefined) limits.push({ ms: host.callLimitMs, code: "flow/deadline" });
  if (host.nodeTimeoutMs !== undefined)
    limits.push({ ms: host.nodeTimeoutMs + (isReal ? 0 : VIRTUAL_GRACE_MS), code: "flow/timeout" });
  return limits.toSorted((a, b) => a.ms - b.ms)[0];
}

function timeOver(limit: Limit, name: string): StarlaneError {
  return new StarlaneError(limit.code, `${name} was stopped: its time was over`, {
    cure:
      limit.code === "flow/timeout"
        ? "give the node a longer timeout, or look for an endless loop"
        : "allow more time, or look for an endless loop",
  });
}

/** What the calls of one transaction used together. */
export class TransactionUsage {
  /** Units: about one an instruction. The same in every run. */
  fuel = 0;
  /** The most that the memories of one call had. */
  memoryBytes = 0;
  calls = 0;
  readonly add = (usage: Usage): void => {
    this.fuel += usage.fuel;
    this.memoryBytes = Math.max(this.memoryBytes, usage.memoryBytes);
    this.calls++;
  };
}
