// Calls of a component binary: each on fresh memory, from a pool of instances. Time and fuel are bounded by the transaction, also for a
// guest in an endless loop.

import { StarlaneError } from "../base/errors.ts";
import type { CapabilityTransaction } from "../capabilities/capability.ts";
import type { Pool, Usage } from "../engine/engine.ts";
import type { Transaction } from "../flow/flow.ts";
import type { Call } from "./app.ts";
import type { GuestTransaction } from "./calls.ts";
import { LateSignal } from "./late-signal.ts";
import { ofSpan, type Span } from "./telemetry/telemetry.ts";
import type { Host } from "./transaction.ts";

/** A binary that can run. */
export interface Guest {
  readonly name: string;
  readonly pool: Pool<GuestTransaction>;
  /** Whether it imports anything. */
  readonly hasImports: boolean;
  /** Told of what it is denied. */
  readonly denied?: CapabilityTransaction["denied"];
}

/** Calls of one function of a guest. */
export function guestCall(guest: Guest, name: string): Call {
  const { pool, hasImports } = guest;
  const shown = `${guest.name}::${name}`;
  const call: Call = (args, transaction, host, path) => {
    const limit = limitOf(transaction, host);
    if (limit !== undefined && limit.ms <= 0) throw timeOver(limit, shown);
    const { usage } = host;
    const ofCall = hasImports ? guestTransaction(guest, transaction, host, path) : undefined;
    const options = {
      signal: new LateSignal(transaction),
      deadline: limit === undefined ? undefined : Date.now() + limit.ms,
      fuel: host.fuel === undefined ? undefined : Math.max(0, host.fuel - usage.fuel),
      transaction: ofCall,
      onUsage: host.span === undefined ? usage.add : tracedUsage(usage, host.span),
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
  return (args, transaction, host, path) => {
    if (host.span === undefined) return call(args, transaction, host, path);
    const span = host.span.child(shown, "internal", { "starlane.component": guest.name, "starlane.operation": name });
    return ofSpan(span, () => call(args, transaction, { ...host, span }, path));
  };
}

function tracedUsage(usage: TransactionUsage, span: Span): (used: Usage) => void {
  return (used) => {
    usage.add(used);
    span.set({ "starlane.fuel": used.fuel, "starlane.memory.peak": used.memoryBytes });
  };
}

function guestTransaction(
  { name, denied }: Guest,
  transaction: Transaction,
  host: Host,
  path: string | undefined,
): GuestTransaction {
  const count = path === undefined ? 0 : nextCall(host, path);
  const watched = host.telemetry?.forGuest(name, path, host.span);
  return {
    scope: transaction,
    host,
    path,
    count,
    seed: path === undefined ? transaction.seed : seedFor(transaction.seed, path, count),
    timestampMs: transaction.timestampMs,
    output: host.output ?? watched?.output,
    log: host.output === undefined ? watched?.log : undefined,
    outgoing: watched?.outgoing,
    outputLimitBytes: host.outputLimitBytes,
    denied,
    get signal() {
      return transaction.signal;
    },
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
  let ms = Infinity;
  let code: Limit["code"] = "flow/deadline";
  if (host.isReal && deadlineMs !== undefined) ms = deadlineMs - clock.now();
  if (host.callLimitMs !== undefined && host.callLimitMs < ms) ms = host.callLimitMs;
  if (host.nodeTimeoutMs !== undefined) {
    const timeoutMs = host.nodeTimeoutMs + (host.isReal ? 0 : VIRTUAL_GRACE_MS);
    if (timeoutMs < ms) {
      ms = timeoutMs;
      code = "flow/timeout";
    }
  }
  return ms === Infinity ? undefined : { ms, code };
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
